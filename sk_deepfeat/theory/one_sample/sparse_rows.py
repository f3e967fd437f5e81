"""Sparse rows of a training set, centred and weighted without ever being written out.

F = W^½ (X - 1 mᵀ) is told by the entries of X and by m: a product with it is one with X and a
correction of rank one. Nothing cancels: columns that are mostly not zero are centred entry by
entry, and the mean square of any other is at least twice the square of its mean.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.centred_rows import (
    add_products,
    column_means,
    rows_unlike_the_median,
)
from sk_deepfeat.theory.validation import FloatArray

# Entries of a block that is written out, and of rows that may be, for a decomposition of their own.
_BLOCK_ENTRIES, _MOST_ENTRIES = 4_000_000, 20_000_000
# The smaller side of rows whose Gram matrix is decomposed.
MOST_FACTORISED = 10_000
# What one product of two entries costs in a sparse Gram matrix, in those of a dense one.
_SPARSE_COST = 150.0

_Rows = slice | NDArray[np.intp]


def centred_sparse_rows(
    given: scipy.sparse.csr_array, weights: FloatArray | None, *, centred: bool
) -> tuple[SparseRows, FloatArray]:
    """Return rows centred by their weighted means, and these.

    Parameters
    ----------
    given : csr_array of shape (n_rows, n_features)
        From `sparse_rows_of`.
    weights : ndarray of shape (n_rows,) or None
        Positive; None is one.
    centred : bool
        Whether to centre.

    Returns
    -------
    rows : SparseRows
    mean : ndarray of shape (n_features,)
        Zeros if they are not centred.
    """
    n, p = given.shape
    nothing, root = np.zeros(p), None if weights is None else np.sqrt(weights)
    if not centred:
        return SparseRows(given, nothing, nothing, root), nothing
    each = np.ones(n) if weights is None else weights
    mean = given.T @ each / each.sum()
    common = np.bincount(given.indices, minlength=p) > n / 2
    if not np.any(common):
        return SparseRows(given, mean, nothing, root), mean
    columns = np.flatnonzero(common)
    table = given[:, columns].toarray()
    shift = np.zeros(p)
    shift[columns] = column_means(table, weights)
    table -= shift[columns]
    written = scipy.sparse.csr_array(
        (table.ravel(), np.tile(columns, n), np.arange(0, table.size + 1, columns.size)),
        shape=(n, p),
    )
    left = ~common[given.indices]
    ends = np.concatenate([[0], np.cumsum(left)])[given.indptr]
    others = scipy.sparse.csr_array((given.data[left], given.indices[left], ends), shape=(n, p))
    mean[columns] = 0.0
    return SparseRows(others + written, mean, shift, root), mean + shift


class SparseRows:
    """Rows of features less their mean, multiplied by roots of weights: what `CentredRows` is.

    Parameters
    ----------
    entries : csr_array of shape (n_rows, n_features)
        Entries of X less `shift`: sorted, in double precision.
    mean : ndarray of shape (n_features,)
        What is still to subtract, from zeros as well.
    shift : ndarray of shape (n_features,)
        What has been subtracted; not zero in columns alone that have been written out.
    root : ndarray of shape (n_rows,), optional
        What rows are multiplied by; None is one.
    """

    is_one_block = False
    casts = False
    eigh: Callable[[FloatArray], tuple[FloatArray, FloatArray]] | None = None

    def __init__(
        self,
        entries: scipy.sparse.csr_array,
        mean: FloatArray,
        shift: FloatArray,
        root: FloatArray | None,
    ) -> None:
        self._entries, self._mean, self._shift, self._root = entries, mean, shift, root
        self.shape: tuple[int, int] = entries.shape
        self._sum = _fingerprint(entries)

    @property
    def given(self) -> scipy.sparse.csr_array:
        """Rows as they came, but for constants that centring takes off in any case."""
        return self._entries

    @property
    def changed(self) -> bool:
        """Whether the memory of the rows has been written to since."""
        return not np.array_equal(_fingerprint(self._entries), self._sum)

    @property
    def may_be_written(self) -> bool:
        """Whether all rows are few enough entries to be written out."""
        return self.shape[0] * self.shape[1] <= _MOST_ENTRIES

    @property
    def _roots(self) -> FloatArray:
        return np.ones(self.shape[0]) if self._root is None else self._root

    def part(self, rows: _Rows) -> SparseRows:
        """Return some rows, not written out; products with them are those of `@`."""
        root = None if self._root is None else self._root[rows]
        return SparseRows(self._entries[rows], self._mean, self._shift, root)

    def without(self, columns: NDArray[np.intp]) -> SparseRows:
        """Return the rows of all other columns."""
        kept = np.setdiff1d(np.arange(self.shape[1]), columns)
        return SparseRows(self._entries[:, kept], self._mean[kept], self._shift[kept], self._root)

    def take(self, rows: _Rows, out: FloatArray | None = None) -> FloatArray:
        """Return some rows, written out, in `out` if it is given: of at least so many rows."""
        some = self._entries[rows]
        block = np.empty(some.shape) if out is None else out[: some.shape[0]]
        some.toarray(out=block)
        block -= self._mean
        if self._root is not None:
            block *= self._root[rows, None]
        return np.asarray(block)

    def whole(self) -> FloatArray:
        """Return all rows, written out."""
        return self.take(slice(None))

    def __matmul__(self, right: FloatArray) -> FloatArray:
        return self.times(right)

    def times(self, right: FloatArray) -> FloatArray:
        """Return F @ right, shape (n_rows, k)."""
        right = np.ascontiguousarray(right)
        found = self._entries @ right
        found -= self._mean @ right
        if self._root is not None:
            found *= self._root[:, None]
        return np.asarray(found)

    def rows_times(
        self, rows: _Rows, right: FloatArray, out: FloatArray | None = None
    ) -> FloatArray:
        """Return the product of some rows, in `out` if it is given: of at least so many rows."""
        found = self.part(rows).times(right)
        if out is None:
            return found
        out = out[: len(found)]
        np.copyto(out, found)
        return out

    def transposed_times(self, left: FloatArray) -> FloatArray:
        """Return Fᵀ @ left, shape (n_features, k)."""
        if self._root is not None:
            left = left * self._root[:, None]
        found = self._entries.T @ np.ascontiguousarray(left)
        found -= self._mean[:, None] * left.sum(axis=0)
        return np.asarray(found)

    def gradient(self, targets: FloatArray, coefs: FloatArray) -> FloatArray:
        """Return Fᵀ(targets - F coefs)."""
        return self.transposed_times(targets - self.times(coefs))

    def products(self) -> FloatArray:
        """Return F Fᵀ: its lower triangle, in Fortran's order."""
        n, p = self.shape
        scaled = self._scaled()
        if not self._sparse_pays(scaled.indices, p, n):
            found, step = np.zeros((n, n), order="F"), max(1, _BLOCK_ENTRIES // n)
            by_column, root = scaled.tocsc(), self._roots
            for start in range(0, p, step):
                some = slice(start, start + step)
                block = by_column[:, some].toarray(order="F")
                block -= root[:, None] * self._mean[some]
                add_products(block.T, found)
            return found
        found = _sparse_gram(scaled, scaled.T.tocsr())
        along = scaled @ self._mean - 0.5 * (self._mean @ self._mean) * self._roots
        _subtract_both(found, along, self._roots)
        return found

    def gram(
        self, values: FloatArray, some: NDArray[np.intp] | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return FᵀF, its lower triangle in Fortran's order, and Fᵀv of some rows, or of all."""
        if some is not None:
            return self.part(some).gram(values[some])
        n, p = self.shape
        scaled, root = self._scaled(), self._roots
        cross = self.transposed_times(values)
        if not self._sparse_pays(np.repeat(np.arange(n), np.diff(scaled.indptr)), n, p):
            found, step = np.zeros((p, p), order="F"), max(1, _BLOCK_ENTRIES // p)
            for start in range(0, n, step):
                add_products(self.take(slice(start, start + step)), found)
            return found, cross
        found = _sparse_gram(scaled.T.tocsr(), scaled)
        along = scaled.T @ root - 0.5 * (root @ root) * self._mean
        _subtract_both(found, along, self._mean)
        return found, cross

    def column_sums(self) -> tuple[FloatArray, FloatArray]:
        """Return the sums of every column, and those of its squares."""
        scaled, root, mean = self._scaled(), self._roots, self._mean
        sums = scaled.T @ np.ones(self.shape[0])
        squares = scaled.power(2).T @ np.ones(self.shape[0])
        squares = squares - 2.0 * mean * (scaled.T @ root) + np.square(mean) * (root @ root)
        return sums - mean * root.sum(), squares

    def apart(self, others: NDArray[np.intp]) -> tuple[float, float]:
        """Return the largest difference of X from as many other rows, and its largest entry."""
        entries = self._entries
        largest = np.abs(entries.data + self._shift[entries.indices]).max(initial=0.0)
        difference = np.abs((entries - entries[others]).data).max(initial=0.0)
        return float(difference), float(max(largest, np.abs(self._shift).max()))

    def differing(self, some: NDArray[np.intp], tolerance: float) -> NDArray[np.intp]:
        """Return in how many rows each column differs from its median over some of them."""
        entries, p = self._entries, self.shape[1]
        often = np.bincount(entries[some].indices, minlength=p) >= some.size / 2
        written = np.flatnonzero(often | (self._shift != 0.0))
        largest, size = np.zeros(p), np.abs(entries.data)
        np.maximum.at(largest, entries.indices, size)
        unlike = entries.indices[size > tolerance * largest[entries.indices]]
        count = np.bincount(unlike, minlength=p)
        step = max(1, _BLOCK_ENTRIES // self.shape[0])
        for start in range(0, written.size, step):
            columns = written[start : start + step]
            table = entries[:, columns].toarray() + self._shift[columns]
            count[columns] = rows_unlike_the_median(table, some, tolerance)
        return np.asarray(count)

    def lengths(self) -> FloatArray:
        """Return the lengths of rows of X, centred, whose columns have been scaled to length 1."""
        entries, n = self._entries, self.shape[0]
        mean = entries.T @ np.full(n, 1.0 / n)
        scale = entries.power(2).T @ np.ones(n) - n * np.square(mean)
        inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
        data = entries.data * (entries.data - 2.0 * mean[entries.indices])
        cross = scipy.sparse.csr_array((data, entries.indices, entries.indptr), shape=self.shape)
        squares = cross @ inverse + np.square(mean) @ inverse
        return np.sqrt(np.maximum(squares, 0.0))

    def numbers_of_equal(self, unit: float) -> NDArray[np.intp]:
        """Return a number for each row, the same for rows equal in single precision over a unit."""
        data, ends = (self._entries.data / unit).astype(np.float32), self._entries.indptr
        keys: dict[tuple[bytes, bytes], int] = {}
        rows = (slice(a, b) for a, b in pairwise(ends))
        indices = self._entries.indices
        numbers = [
            keys.setdefault((indices[row].tobytes(), data[row].tobytes()), len(keys))
            for row in rows
        ]
        return np.array(numbers, dtype=np.intp)

    def _scaled(self) -> scipy.sparse.csr_array:
        """Return the entries times the roots of weights."""
        if self._root is None:
            return self._entries
        entries = self._entries
        data = entries.data * np.repeat(self._root, np.diff(entries.indptr))
        return scipy.sparse.csr_array((data, entries.indices, entries.indptr), shape=self.shape)

    def _sparse_pays(self, lines: NDArray[Any], n_lines: int, side: int) -> bool:
        """Say whether a Gram matrix costs less from pairs of entries of one line each."""
        pairs = np.square(np.bincount(lines, minlength=n_lines).astype(np.float64)).sum()
        return bool(_SPARSE_COST * pairs < float(n_lines) * side**2)


def _fingerprint(entries: scipy.sparse.csr_array) -> FloatArray:
    """Return two sums over the entries, which writing to some of them changes."""
    data = entries.data
    return np.array([data.sum(), data[::2].sum()])


def _sparse_gram(left: scipy.sparse.csr_array, right: scipy.sparse.csr_array) -> FloatArray:
    """Return left @ right, which is symmetric, in Fortran's order, from blocks of sparse rows."""
    size = left.shape[0]
    found, step = np.empty((size, size), order="F"), max(1, _BLOCK_ENTRIES // size)
    for start in range(0, size, step):
        some = slice(start, start + step)
        (left[some] @ right).toarray(out=found.T[some])
    return found


def _subtract_both(gram: FloatArray, left: FloatArray, right: FloatArray) -> None:
    """Subtract left rightᵀ and its transpose from the lower triangle, in place."""
    scipy.linalg.blas.dsyr2(-1.0, left, right, a=gram, lower=True, overwrite_a=True)
