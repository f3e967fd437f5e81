"""Splits of the rows: the published four-way split, and random training subsets."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing, check_random_state, indexable

from sk_deepfeat.rows import check_groups, deal_groups
from sk_deepfeat.theory.validation import axes_of, is_finite

IndexArray = NDArray[np.intp]
Split = tuple[IndexArray, IndexArray]

_SHARES = np.geomspace(0.1, 1.0, 5)
_FEWEST = 2


def four_way_split(
    *arrays: Any,
    sizes: tuple[float, float, float, float] = (0.10, 0.25, 0.25, 0.40),
    groups: Any = None,
    random_state: Any = None,
) -> list[Any]:
    """Split rows at random into test, feature, readout and covariance parts.

    Parameters
    ----------
    *arrays : array-likes of equal length
        What to split, all alike.
    sizes : tuple of four floats, default=(0.10, 0.25, 0.25, 0.40)
        Shares of the rows for testing, training the feature map, fitting the readout and
        estimating covariances; positive, summing to at most 1. The default is the published one.
    groups : array-like of shape (n_rows,), optional
        Labels of groups, each of which goes to one part with all its rows. Shares are then met as
        nearly as whole groups allow, and every part has a group.
    random_state : int, RandomState instance or None, default=None
        Draws the split.

    Returns
    -------
    list of length 4 * len(arrays)
        For each array in turn: test, feature, readout, covariance part.

    Raises
    ------
    ValueError
        If shares are not positive, sum above 1, or a part would be empty, or groups are fewer than
        parts.

    References
    ----------
    Schröder, Dmitriev, Cui, Loureiro, arXiv:2402.13999.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.model_selection import four_way_split
    >>> parts = four_way_split(np.arange(100), random_state=0)
    >>> [len(part) for part in parts]
    [10, 25, 25, 40]
    """
    if not arrays:
        raise ValueError("four_way_split needs at least one array.")
    shares = np.asarray(sizes) if axes_of(sizes) < 2 else np.empty(0)
    if (
        shares.shape != (4,)
        or shares.dtype.kind not in "iuf"
        or not np.all(shares > 0)
        or shares.sum() > 1.0 + 1e-9
    ):
        raise ValueError(
            f"sizes={sizes!r} must be four positive shares (test, feature, readout, covariance) "
            "that sum to at most 1."
        )
    if any(array is None for array in arrays):
        raise TypeError("four_way_split needs arrays with rows; one of them is None.")
    checked = indexable(*arrays)
    n_rows = _n_rows(checked[0])
    edges = np.minimum(np.round(np.cumsum(shares) * n_rows).astype(int), n_rows)
    if groups is not None:
        codes = check_groups(groups, n_rows, warn=False)
        if codes.max() < 3:
            raise ValueError(
                f"groups has {codes.max() + 1} groups of {n_rows} rows: each of the four parts "
                "needs at least one."
            )
        parts = deal_groups(codes, edges, (1, 1, 1, 1), check_random_state(random_state))
        return [_safe_indexing(array, part) for array in checked for part in parts]
    if np.any(np.diff(np.r_[0, edges]) < 1):
        raise ValueError(
            f"{n_rows} rows are too few for sizes={sizes!r}: every part needs at least one row."
        )
    order = check_random_state(random_state).permutation(n_rows)
    parts = np.split(order[: edges[-1]], edges[:-1])
    return [_safe_indexing(array, part) for array in checked for part in parts]


def _n_rows(array: Any) -> int:
    return int(array.shape[0]) if hasattr(array, "shape") else len(array)


def check_train_sizes(
    train_sizes: Any, count: int, test_size: Any, unit: str = "rows"
) -> IndexArray:
    """Return absolute training sizes that leave `test_size` of `count` rows, or groups, outside.

    Integers are numbers of them; floats in (0, 1] are shares of the largest size possible; None is
    from a tenth of it on, at equal ratios.
    """
    left = _left(test_size, count, unit)
    largest = count - left
    if train_sizes is None:
        few = min(_FEWEST, largest)
        return np.unique(np.maximum(few, np.rint(largest * _SHARES)).astype(np.intp))
    sizes: Any = np.atleast_1d(train_sizes) if axes_of(train_sizes) < 2 else np.empty(0)
    if sizes.ndim != 1 or sizes.size == 0 or sizes.dtype.kind not in "iuf":
        raise ValueError(f"train_sizes={train_sizes!r} must be a non-empty 1-d array of numbers.")
    infinite = np.any(~np.isfinite(sizes))
    if infinite or (sizes.dtype.kind == "f" and not np.all(sizes == np.floor(sizes))):
        if infinite or sizes.min() <= 0 or sizes.max() > 1:
            raise ValueError(
                f"train_sizes={train_sizes!r} must be integers, or shares in (0, 1] of the "
                "largest size."
            )
        sizes = np.maximum(np.floor(sizes * largest), 1)
    elif sizes.dtype.kind == "f" and sizes.max() <= 1:
        sizes = np.floor(sizes * largest)
    sizes = np.clip(sizes, 0, largest + 1).astype(np.intp)
    if sizes.min() < 1 or sizes.max() > largest:
        raise ValueError(
            f"train_sizes={train_sizes!r} must lie between 1 and {largest}: of {count} {unit} at "
            f"least {left} stay outside for measuring (test_size={test_size!r})."
        )
    if np.unique(sizes).size < sizes.size:
        raise ValueError(f"train_sizes={train_sizes!r} holds a size twice: {sizes.tolist()}.")
    return np.asarray(sizes)


def _left(test_size: Any, count: int, unit: str) -> int:
    if is_finite(test_size):
        share = float(test_size)
        whole = isinstance(test_size, numbers.Integral)
        if whole or 0.0 < share < 1.0:
            left = int(share) if whole else int(np.ceil(share * count))
            if 1 <= left < count:
                return left
    raise ValueError(
        f"test_size={test_size!r} must be a share in (0, 1) or a number of {unit} between 1 and "
        f"{count - 1}."
    )


def random_subsets(
    codes: IndexArray, train_sizes: IndexArray, n_repeats: int, random_state: Any
) -> list[list[Split]]:
    """Draw training subsets of all groups and take the rows of the others as their test rows.

    `codes` are the groups of the rows, 0 … G-1; every row is its own where there are none. Returns
    splits[s][r] = (train, test), sorted indices of rows.
    """
    rng = check_random_state(random_state)
    n_groups = int(codes.max()) + 1
    splits = []
    for size in train_sizes:
        repeats = []
        for _ in range(n_repeats):
            inside = np.zeros(n_groups, dtype=bool)
            inside[rng.permutation(n_groups)[:size]] = True
            rows = inside[codes]
            repeats.append((np.flatnonzero(rows), np.flatnonzero(~rows)))
        splits.append(repeats)
    return splits
