"""The rows of a training set, centred and weighted block by block: none of them is copied as such.

F = W^½ (X - 1 mᵀ) is never there as a whole, unless it is small: a product with it makes the rows
of one block in double precision, in memory that all blocks share, and goes on to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from sk_deepfeat.theory.threads import scipy_product
from sk_deepfeat.theory.validation import FloatArray

# Entries of a block, and of rows that are kept as a whole: far less than a Gram matrix that counts.
_BLOCK_ENTRIES, _FEW_ENTRIES = 4_000_000, 1_000_000
_WITNESSES, _FEW_ROWS = 16, 16

_Rows = slice | NDArray[np.intp]


class CentredRows:
    """Rows of features less their mean, multiplied by roots of weights, in double precision.

    Parameters
    ----------
    given : ndarray of shape (n_rows, n_features)
        The rows as they came, of float32 or float64; kept as they are, without a copy.
    mean : ndarray of shape (n_features,)
        What is subtracted.
    root : ndarray of shape (n_rows,), optional
        What rows are multiplied by; None is one.
    """

    casts = True  # single precision may pay
    may_be_written = True
    eigh: Callable[[FloatArray], tuple[FloatArray, FloatArray]] | None = None
    """What decomposes Gram matrices of rows that are elsewhere; None is NumPy or SciPy."""

    def __init__(self, given: NDArray[Any], mean: FloatArray, root: FloatArray | None) -> None:
        self.given, self.mean, self.root = given, mean, root
        self.shape: tuple[int, int] = (given.shape[0], given.shape[1])
        self._whole = self._made(slice(None)) if given.size <= _FEW_ENTRIES else None
        self._witnesses = np.unique(np.linspace(0, len(given) - 1, _WITNESSES).astype(np.intp))
        self._seen, self._sum = given[self._witnesses].copy(), given.sum()

    @property
    def changed(self) -> bool:
        """Whether the array of the rows has been written to since: their sum, or some of them."""
        same = np.array_equal(self.given[self._witnesses], self._seen)
        return not (same and self.given.sum() == self._sum)

    def take(self, rows: _Rows, out: FloatArray | None = None) -> FloatArray:
        """Return some rows, in `out` if it is given: of at least so many rows."""
        if self._whole is None:
            return self._made(rows, out)
        if out is None:
            return self._whole[rows]
        found = self._whole[rows]
        out = out[: len(found)]
        np.copyto(out, found)
        return out

    def cast(self, rows: slice, out: NDArray[np.float32]) -> None:
        """Write some rows in single precision; only the result is rounded."""
        np.subtract(self.given[rows], self.mean, out=out, casting="same_kind")
        if self.root is not None:
            out *= self.root[rows, None]

    def cast_times(
        self,
        rows: slice,
        right: NDArray[np.float32],
        out: NDArray[np.float32],
        room: NDArray[np.float32],
    ) -> None:
        """Write the product of some rows in single precision, which are made in `room`."""
        self.cast(rows, room)
        np.matmul(room, right, out=out)

    def whole(self) -> FloatArray:
        """Return all rows, for what cannot be done block by block."""
        return self._made(slice(None)) if self._whole is None else self._whole

    def part(self, rows: _Rows) -> FloatArray:
        """Return some rows, as something that multiplies coefficients by `@`."""
        return self.take(rows)

    def without(self, columns: NDArray[np.intp]) -> CentredRows:
        """Return the rows of all other columns."""
        others = np.delete(self.whole(), columns, axis=1)
        return CentredRows(others, np.zeros(others.shape[1]), None)

    def columns(self, columns: _Rows) -> FloatArray:
        """Return all rows of some columns."""
        found = self.given[:, columns] - self.mean[columns]
        return found if self.root is None else found * self.root[:, None]

    def blocks(self, order: NDArray[np.intp] | None = None) -> Iterator[tuple[_Rows, FloatArray]]:
        """Yield which rows each block has, and the block; all of them share their memory.

        Parameters
        ----------
        order : ndarray of int of shape (n_rows,), optional
            In which the rows come; None is as they are, in slices.
        """
        n, p = self.shape
        if self._whole is not None:
            rows = slice(None) if order is None else order
            yield rows, self._whole[rows]
            return
        step = max(64, _BLOCK_ENTRIES // p)
        room = np.empty((min(step, n), p))
        for start in range(0, n, step):
            part = slice(start, min(start + step, n))
            yield (
                (part, self._made(part, room))
                if order is None
                else (
                    order[part],
                    self._made(order[part], room),
                )
            )

    def times(self, right: FloatArray) -> FloatArray:
        """Return F @ right, shape (n_rows, k)."""
        found = np.empty((self.shape[0], right.shape[1]))
        for rows, block in self.blocks():
            np.matmul(block, right, out=found[rows])
        return found

    def rows_times(
        self, rows: _Rows, right: FloatArray, out: FloatArray | None = None
    ) -> FloatArray:
        """Return the product of some rows, in `out` if it is given: of at least so many rows."""
        some = self.take(rows)
        return np.matmul(some, right, out=None if out is None else out[: len(some)])

    def transposed_times(self, left: FloatArray) -> FloatArray:
        """Return Fᵀ @ left, shape (n_features, k)."""
        found = np.zeros((self.shape[1], left.shape[1]))
        for rows, block in self.blocks():
            found += block.T @ left[rows]
        return found

    def gradient(self, targets: FloatArray, coefs: FloatArray) -> FloatArray:
        """Return Fᵀ(targets - F coefs), in one pass over the rows."""
        found = np.zeros_like(coefs)
        for rows, block in self.blocks():
            found += block.T @ (targets[rows] - block @ coefs)
        return found

    def products(self) -> FloatArray:
        """Return F Fᵀ, from blocks of columns: its lower triangle, in Fortran's order."""
        n, p = self.shape
        if self.is_one_block:
            whole = self.whole()
            return np.asarray((whole @ whole.T).T)
        found, step = np.zeros((n, n), order="F"), max(64, _BLOCK_ENTRIES // n)
        for start in range(0, p, step):
            add_products(self.columns(slice(start, start + step)).T, found)
        return found

    def gram(
        self, values: FloatArray, some: NDArray[np.intp] | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return FᵀF, its lower triangle in Fortran's order, and Fᵀv of some rows, or of all."""
        p = self.shape[1]
        gram, cross = np.zeros((p, p), order="F"), np.zeros((p, values.shape[1]))
        for part, block in self.blocks(some):
            add_products(block, gram)
            cross += scipy_product(block.T, values[part])
        return gram, cross

    def column_sums(self) -> tuple[FloatArray, FloatArray]:
        """Return the sums of every column, and those of its squares."""
        sums, squares = np.zeros((2, self.shape[1]))
        for _, block in self.blocks():
            sums += block.sum(axis=0)
            squares += np.einsum("ij,ij->j", block, block)
        return sums, squares

    def apart(self, others: NDArray[np.intp]) -> tuple[float, float]:
        """Return the largest difference of X from as many other rows, and its largest entry."""
        difference = np.abs(self.given - self.given[others]).max()
        return float(difference), float(np.abs(self.given).max())

    def differing(self, some: NDArray[np.intp], tolerance: float) -> NDArray[np.intp]:
        """Return in how many rows each column differs from its median over some of them."""
        return rows_unlike_the_median(np.array(self.given, dtype=np.float64), some, tolerance)

    def lengths(self) -> FloatArray:
        """Return the lengths of rows of X, centred, whose columns have been scaled to length 1."""
        rows = np.array(self.given, dtype=np.float64)
        rows -= column_means(rows, None)
        scale = np.einsum("ij,ij->j", rows, rows)
        np.divide(rows, np.sqrt(scale), out=rows, where=scale > 0)
        return np.sqrt(np.einsum("ij,ij->i", rows, rows))

    def numbers_of_equal(self, unit: float) -> NDArray[np.intp]:
        """Return a number for each row, the same for rows equal in single precision over a unit."""
        root = unit if self.root is None else self.root[:, None] * unit
        single = np.ascontiguousarray(self.whole() / root, dtype=np.float32)
        single += np.float32(0.0)  # -0.0 becomes 0.0
        keys = single.view(np.dtype((np.void, single.dtype.itemsize * single.shape[1]))).ravel()
        return np.unique(keys, return_inverse=True)[1]

    @property
    def is_one_block(self) -> bool:
        """Whether all rows make one block."""
        return self._whole is not None or self.given.size <= _BLOCK_ENTRIES

    def _made(self, rows: _Rows, out: FloatArray | None = None) -> FloatArray:
        if isinstance(rows, slice) or self.given.dtype != np.float64:
            given = self.given[rows]
            made = np.subtract(given, self.mean, out=None if out is None else out[: len(given)])
        else:
            out = np.empty((len(rows), self.shape[1])) if out is None else out[: len(rows)]
            np.take(self.given, rows, axis=0, out=out, mode="clip")
            made = np.subtract(out, self.mean, out=out)
        if self.root is not None:
            made *= self.root[rows, None]
        return np.asarray(made, dtype=np.float64)


def column_means(values: NDArray[Any], weights: FloatArray | None) -> FloatArray:
    """Return weighted means; of a constant column the constant, and no rounding to learn from."""
    few = values[:: max(1, len(values) // _FEW_ROWS)]
    maybe = np.flatnonzero(np.all(few == values[0], axis=0))
    constant = maybe[np.all(values[:, maybe] == values[0, maybe], axis=0)]
    if weights is None:
        mean = values.mean(axis=0, dtype=np.float64)
    else:
        mean = (weights @ values) / weights.sum()
    mean[constant] = values[0, constant]
    return np.asarray(mean)


def rows_unlike_the_median(
    table: FloatArray, some: NDArray[np.intp], tolerance: float
) -> NDArray[np.intp]:
    """Return in how many rows columns differ from their medians over some; `table` is lost."""
    middle = np.median(table[some], axis=0)
    table -= middle
    np.abs(table, out=table)
    # A column that is constant has rounding alone, which its own size would not show.
    scale = np.maximum(table.max(axis=0), np.abs(middle))
    return np.count_nonzero(table > tolerance * scale, axis=0)


def add_products(rows: FloatArray, gram: FloatArray) -> None:
    """Add rowsᵀ rows to the lower triangle of a Gram matrix in Fortran's order, in place."""
    transposed = rows.flags.c_contiguous  # Fortran reads it without a copy
    scipy.linalg.blas.dsyrk(
        1.0,
        rows.T if transposed else rows,
        beta=1.0,
        c=gram,
        trans=not transposed,
        overwrite_c=True,
        lower=True,
    )
