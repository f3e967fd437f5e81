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
_WITNESSES = 16

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
