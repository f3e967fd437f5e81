"""Labels of groups of rows, as they come from outside, as numbers of groups."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import DataConversionWarning

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.rows.namespaces import in_numpy

Codes = NDArray[np.intp]
_MOST_SHARE = 0.5


def check_groups(groups: Any, n_rows: int, *, warn: bool = True) -> Codes:
    """Return the number of each row's group, in order of first appearance.

    Labels are equal as keys of a dictionary are: 1 and 1.0 name one group, 1 and "1" two.

    Parameters
    ----------
    groups : array-like of shape (n_rows,)
        Hashable labels, none of them missing; of any kinds, which need not sort.
    n_rows : int
        How many there must be.
    warn : bool, default=True
        Whether to warn of a group that holds more than half of the rows.

    Returns
    -------
    ndarray of int of shape (n_rows,)
        0 … G-1 for G groups, at least two.

    Raises
    ------
    ValueError
        If labels are missing, not one for each row, or all the same.
    TypeError
        If a label is not hashable.

    Examples
    --------
    >>> from sk_deepfeat.rows import check_groups
    >>> check_groups(["b", "a", "b", ("a", 1)], 4)
    array([0, 1, 0, 2])
    """
    labels = _labels(in_numpy(groups))
    if len(labels) != n_rows:
        raise ValueError(
            f"groups has {len(labels)} labels for {n_rows} rows; it needs one for each row."
        )
    codes: dict[Any, int] = {}
    try:
        numbers = [codes.setdefault(label, len(codes)) for label in labels]
    except TypeError:
        row, label = next(found for found in enumerate(labels) if not _is_hashable(found[1]))
        raise TypeError(
            f"groups[{row}]={label!r} is not hashable; name groups by numbers, strings or tuples."
        ) from None
    _check_missing(codes, numbers)
    if len(codes) == 1:
        raise ValueError(
            f"groups has one group, {labels[0]!r}; at least two are needed to tell the error on "
            "new ones. Without groups every row is one by itself."
        )
    found = np.array(numbers, dtype=np.intp)
    if warn:
        warn_of_the_largest(np.bincount(found), found.size, list(codes))
    return found


def row_labels(groups: Any) -> Any:
    """Return labels as something with slices of rows; their kinds are checked where they are used.

    Parameters
    ----------
    groups : array-like of shape (n_rows,)
        Lists, data frames' columns, and arrays of any library.

    Raises
    ------
    ValueError
        If it is one string, or no sequence.
    """
    labels = in_numpy(groups)
    if isinstance(labels, (str, bytes, Mapping, Set)) or not hasattr(labels, "__len__"):
        raise ValueError(f"groups={groups!r} must be an array of one label per row.")
    if hasattr(labels, "to_numpy"):
        labels = labels.to_numpy()
    column = isinstance(labels, np.ndarray) and labels.ndim == 2 and labels.shape[1] == 1
    return labels.ravel() if column else labels


def _labels(groups: Any) -> list[Any]:
    """Return Python's objects, one for each row."""
    if isinstance(groups, str) and groups == "blocks":
        raise ValueError(
            'groups="blocks" is for DeterministicEquivalentRidge.fit; elsewhere pass a label for '
            "each row, such as sk_deepfeat.model_selection.block_groups(n_rows, block_length)."
        )
    if isinstance(groups, (str, bytes, Mapping, Set)) or not hasattr(groups, "__len__"):
        raise ValueError(f'groups={groups!r} must be an array of one label per row, or "blocks".')
    if isinstance(groups, (list, tuple)):  # numpy would make two axes of tuples
        return list(groups)
    shape = np.shape(groups)
    masked = np.ma.isMaskedArray(groups)
    array = groups if masked else np.asarray(groups)
    if len(shape) == 2 and shape[1] == 1:
        warnings.warn(
            f"groups has shape {shape}; it is taken as {shape[:1]}. Pass groups.ravel().",
            DataConversionWarning,
            stacklevel=3,
        )
        array = array.ravel()
    if array.ndim == 0:
        raise ValueError(f'groups={groups!r} must be an array of one label per row, or "blocks".')
    if array.ndim > 1:
        raise ValueError(
            f"groups has shape {shape}; it must have one axis. Labels of several parts are tuples, "
            "one for each row."
        )
    if array.dtype.kind in "mM":  # the numbers behind dates do not show which are missing
        array = array.astype(object)
        array[np.isnat(np.asarray(groups).ravel())] = None
    labels: list[Any] = array.tolist()
    return labels


def _check_missing(codes: dict[Any, int], numbers: list[int]) -> None:
    """Raise ValueError if any label is NaN, None or another that is not equal to itself."""
    missing = {code for label, code in codes.items() if _is_missing(label)}
    if missing:
        rows = [row for row, code in enumerate(numbers) if code in missing]
        label = next(label for label, code in codes.items() if code in missing)
        raise ValueError(
            f"groups has {len(rows)} missing labels, the first in row {rows[0]}: {label!r}. Drop "
            "these rows, or give each a label of its own if it is a group by itself."
        )


def _is_missing(label: Any) -> bool:
    if label is None:
        return True
    if isinstance(label, tuple):
        return any(map(_is_missing, label))
    try:
        return bool(label != label)
    except (TypeError, ValueError):  # pandas' NA is neither
        return True


def _is_hashable(label: Any) -> bool:
    try:
        hash(label)
    except TypeError:
        return False
    return True


def warn_of_the_largest(sizes: NDArray[np.intp], n_rows: int, labels: Any = None) -> None:
    """Warn of a group that holds more than half of the rows.

    Parameters
    ----------
    sizes : ndarray of int of shape (n_groups,)
        Rows of each group.
    n_rows : int
        Rows of all.
    labels : sequence, optional
        What the groups are called.
    """
    largest = int(np.argmax(sizes))
    if sizes[largest] > _MOST_SHARE * n_rows:
        which = "One group" if labels is None else f"Group {labels[largest]!r}"
        warn_caller(
            f"{which} holds {sizes[largest]} of {n_rows} rows, more than half. The predicted error "
            "rests mostly on it, and one group cannot tell how much groups differ: read intervals "
            "with care."
        )
