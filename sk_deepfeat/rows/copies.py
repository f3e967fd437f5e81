"""Exact copies of rows with their targets: the same row entered, augmented or resampled twice."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.sparse import is_sparse, sparse_rows_of

_BLOCK_ENTRIES = 500_000
# Of rows that differ, at most this share may agree with another one in half of the columns: such
# columns are continuous, and whole rows agree by chance far more rarely still.
_AGREEING_SHARE = 0.05
# Rows that come this often on average, and with a variance of more than this share of it, are draws
# from a table of few rows, although no column shows it: features computed from discrete ones.
_OFTEN, _UNEVEN = 2.0, 0.5
# So few different rows of whole numbers do not show whether chance repeats them.
_FEW_DIFFERENT, _LARGEST_WHOLE = 50, 2.0**53


class ExactCopies(NamedTuple):
    """What `exact_copies` found."""

    n_copies: int
    """Rows that equal an earlier one, target included."""
    codes: NDArray[np.intp] | None
    """One label per row, the same for equal rows, shape (n_samples,); None if there are no copies
    or if chance makes them."""


def exact_copies(features: Any, targets: Any) -> ExactCopies:
    """Find rows that are the same as others, with the same targets.

    Columns are taken for continuous, so that chance makes no copies, where rows that differ hardly
    ever agree in every second column. In discrete tables, where new data bring the same rows again,
    copies are counted and not labelled.

    Parameters
    ----------
    features : array-like or sparse matrix of shape (n_samples, n_features)
        As given, before any centring; zero and minus zero are the same.
    targets : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.

    Returns
    -------
    ExactCopies

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.rows.copies import exact_copies
    >>> X = np.random.default_rng(0).normal(size=(4, 3))
    >>> copies = exact_copies(X[[0, 1, 2, 0, 3]], np.array([1.0, 2.0, 3.0, 1.0, 4.0]))
    >>> copies.n_copies, copies.codes
    (1, array([0, 1, 2, 0, 3]))
    """
    sparse = is_sparse(features)
    rows: Any = sparse_rows_of(features, "features") if sparse else np.asarray(features)
    values = np.asarray(targets)
    values = values.reshape(-1, 1) if values.ndim == 1 else values
    if rows.ndim != 2 or values.ndim != 2 or rows.shape[0] != values.shape[0]:
        raise ValueError(
            "features and targets must have one row per sample; got shapes "
            f"{rows.shape} and {values.shape}."
        )
    if not _may_repeat(rows, values):
        return ExactCopies(0, None)
    halves = _hashes(rows, values)
    _, first, codes, counts = np.unique(
        halves[0] ^ _mixed(halves[1]), return_index=True, return_inverse=True, return_counts=True
    )
    n_copies = rows.shape[0] - first.size
    if n_copies == 0:
        return ExactCopies(0, None)
    agreeing = min(_agreeing_share(half[first]) for half in halves)
    often = counts.mean() >= _OFTEN and counts.var() > _UNEVEN * counts.mean()
    entries = rows.data if sparse else rows
    whole = np.all((entries == np.round(entries)) & (np.abs(entries) < _LARGEST_WHOLE))
    untold = bool(whole) and first.size < _FEW_DIFFERENT
    if agreeing > _AGREEING_SHARE or often or untold:
        return ExactCopies(n_copies, None)
    labels = np.argsort(np.argsort(first))  # in the order in which they come
    return ExactCopies(n_copies, labels[codes.ravel()].astype(np.intp))


def _may_repeat(rows: Any, values: NDArray[Any]) -> bool:
    """Say whether two rows have nearly the same sum with random weights, as equal ones do."""
    rng = np.random.default_rng(0)
    along, beside = rng.normal(size=rows.shape[1]), rng.normal(size=values.shape[1])
    sums = np.empty(rows.shape[0])
    step = max(1, _BLOCK_ENTRIES // max(rows.shape[1], 1))
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows may repeat
        for start in range(0, rows.shape[0], step):
            part = slice(start, start + step)
            sums[part] = rows[part] @ along + values[part] @ beside
        sums.sort()
        # Equal rows may be summed in different order.
        return not bool(np.all(np.diff(sums) > 1e-12 * np.abs(sums).max()))


def _agreeing_share(hashes: NDArray[np.uint64]) -> float:
    """Return the share of the hashes that come more than once."""
    counts = np.unique(hashes, return_counts=True)[1]
    return float(counts[counts > 1].sum() / hashes.size)


def _hashes(rows: Any, values: NDArray[Any]) -> tuple[NDArray[np.uint64], ...]:
    """Return hashes of 64 bits of every second column, and of the others, targets included."""
    n, p = rows.shape[0], rows.shape[1] + values.shape[1]
    factors = np.random.default_rng(0).integers(1, 2**63, size=p, dtype=np.uint64) * np.uint64(2)
    factors += np.uint64(1)
    if is_sparse(rows):
        return _hashes_of_sparse(rows, values, factors)
    hashes = np.empty(n, dtype=np.uint64), np.empty(n, dtype=np.uint64)
    step = max(1, _BLOCK_ENTRIES // p)
    for start in range(0, n, step):
        part = slice(start, start + step)
        table = np.concatenate([rows[part], values[part]], axis=1, dtype=np.float64)
        bits = _bits(table) * factors
        for k, half in enumerate(hashes):
            half[part] = bits[:, k::2].sum(axis=1, dtype=np.uint64)
    return hashes


def _hashes_of_sparse(
    rows: Any, values: NDArray[Any], factors: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], ...]:
    """Return the hashes that the same rows have when written out: zeros add nothing."""
    p = rows.shape[1]
    bits, beside = _bits(rows.data) * factors[rows.indices], _bits(values) * factors[p:]
    hashes = []
    for k in range(2):
        of_half = np.where(rows.indices % 2 == k, bits, np.uint64(0))
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(of_half, dtype=np.uint64)])
        rest = beside[:, (p + k) % 2 :: 2].sum(axis=1, dtype=np.uint64)
        hashes.append(sums[rows.indptr[1:]] - sums[rows.indptr[:-1]] + rest)
    return tuple(hashes)


def _bits(numbers: NDArray[Any]) -> NDArray[np.uint64]:
    """Return mixed bits of numbers in double precision, where -0.0 is 0.0: of that, zero."""
    return _mixed((np.asarray(numbers, dtype=np.float64) + 0.0).view(np.uint64))


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread differences in high bits, where small whole numbers differ, over all bits."""
    bits = bits ^ (bits >> np.uint64(32))
    bits = bits * np.uint64(0x9E3779B97F4A7C15)
    return bits ^ (bits >> np.uint64(29))
