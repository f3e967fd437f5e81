"""Rows of features on a device of another library, whose heavy products are made there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.rows import ArrayPlace, in_main_memory, in_numpy, place_of
from sk_deepfeat.theory.one_sample.centred_rows import CentredRows
from sk_deepfeat.theory.validation import FloatArray

# Entries of a block in double precision: 128 MB of the device's memory.
_BLOCK_ENTRIES = 16_000_000

_Rows = slice | NDArray[np.intp]


class DeviceRows:
    """What makes centred rows whose Gram matrices are made, and decomposed, on a device.

    Parameters
    ----------
    X : array of another library than NumPy, of shape (n_samples, n_features)
        Rows as they were given.
    """

    def __init__(self, X: Any, place: ArrayPlace) -> None:
        self._X, self._place = X, place
        self._made: list[RowsOnDevice] = []

    @classmethod
    def of(cls, X: Any) -> DeviceRows | None:
        """Return it where a device other than the main memory computes in double precision.

        Rows in main memory are read there by NumPy, whose products of a matrix with itself take
        half the time.
        """
        place = place_of(X)
        if place is None or not (place.has_double and hasattr(place.xp, "linalg")):
            return None
        return None if in_main_memory(X) else cls(X, place)

    def __call__(
        self,
        given: NDArray[Any],
        mean: FloatArray,
        root: FloatArray | None,
        kept: FloatArray | None,
    ) -> RowsOnDevice:
        """Return the rows of positive weight, less their mean, times roots of weights."""
        there = self._X
        if kept is not None and not np.all(kept):
            there = self._place.xp.take(there, self._place.array(np.flatnonzero(kept)), axis=0)
        found = RowsOnDevice(given, mean, root, there, self._place)
        self._made.append(found)
        return found

    def release(self) -> None:
        """Let all rows that were made forget the device: what is asked later, NumPy computes."""
        for rows in self._made:
            rows.release()
        self._made.clear()


class RowsOnDevice(CentredRows):
    """`CentredRows` that are there twice, in NumPy and on a device that makes their products.

    Parameters
    ----------
    given, mean, root
        As of `CentredRows`.
    there : array of shape (n_rows, n_features)
        The same rows on the device.
    place : ArrayPlace
        The device.
    """

    def __init__(
        self,
        given: NDArray[Any],
        mean: FloatArray,
        root: FloatArray | None,
        there: Any,
        place: ArrayPlace,
    ) -> None:
        super().__init__(given, mean, root)
        self._there, self._place = there, place
        self._mean_there = place.array(mean)
        self._root_there = None if root is None else place.array(root[:, None])
        self._right: tuple[Any, Any] = (None, None)

    def release(self) -> None:
        """Become plain `CentredRows`."""
        for name in ("_there", "_place", "_mean_there", "_root_there", "_right"):
            del self.__dict__[name]
        self.__class__ = CentredRows  # type: ignore[assignment]

    @property
    def is_one_block(self) -> bool:
        """Never: products are not NumPy's."""
        return False

    def gram(
        self, values: FloatArray, some: NDArray[np.intp] | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return FᵀF, in Fortran's order, and Fᵀv of some rows, or of all."""
        xp, p = self._place.xp, self.shape[1]
        gram = self._place.array(np.zeros((p, p)))
        cross = self._place.array(np.zeros((p, values.shape[1])))
        for part in self._parts(some):
            block = self._block(part)
            gram += xp.matmul(block.T, block)
            cross += xp.matmul(block.T, self._place.array(values[part]))
        return _writable(gram).T, _writable(cross)

    def products(self) -> FloatArray:
        """Return F Fᵀ, in Fortran's order."""
        xp, (n, p) = self._place.xp, self.shape
        found, step = self._place.array(np.zeros((n, n))), max(64, _BLOCK_ENTRIES // n)
        for start in range(0, p, step):
            columns = slice(start, min(start + step, p))
            block = self._centred(self._there[:, columns], self._mean_there[columns])
            if self._root_there is not None:
                block = block * self._root_there
            found += xp.matmul(block, block.T)
        return _writable(found).T

    def eigh(self, gram: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return eigenvalues, ascending, and vectors of a Gram matrix."""
        values, vectors = self._place.xp.linalg.eigh(self._place.array(gram))
        return _writable(values), _writable(vectors)

    def rows_times(
        self, rows: _Rows, right: FloatArray, out: FloatArray | None = None
    ) -> FloatArray:
        """Return the product of some rows, in `out` if it is given: of at least so many rows."""
        found = in_numpy(self._place.xp.matmul(self._block(rows), self._sent(right)))
        if out is None:
            return np.require(found, requirements="W")
        out = out[: len(found)]
        np.copyto(out, found)
        return out

    def cast_times(
        self,
        rows: slice,
        right: NDArray[np.float32],
        out: NDArray[np.float32],
        room: NDArray[np.float32],
    ) -> None:
        """Write the product of some rows in single precision, of which only `out` is needed."""
        xp = self._place.xp
        single = xp.astype(self._block(rows), xp.float32)
        np.copyto(out, in_numpy(xp.matmul(single, self._sent(right))))

    def _sent(self, right: NDArray[Any]) -> Any:
        """Return a matrix on the device; the last one is still there."""
        last = self._right[0]
        if last is None or last.__array_interface__ != right.__array_interface__:
            self._right = (right, self._place.array(right))
        return self._right[1]

    def _parts(self, some: NDArray[np.intp] | None) -> Iterator[_Rows]:
        count, step = self.shape[0] if some is None else len(some), self.shape[1]
        step = max(64, _BLOCK_ENTRIES // step)
        for start in range(0, count, step):
            part = slice(start, min(start + step, count))
            yield part if some is None else some[part]

    def _block(self, rows: _Rows) -> Any:
        """Return some rows, centred and weighted, in double precision."""
        if isinstance(rows, slice):
            block, root = self._there[rows, :], self._root_there
            root = None if root is None else root[rows, :]
        else:
            xp, index = self._place.xp, self._place.array(rows)
            block, root = xp.take(self._there, index, axis=0), self._root_there
            root = None if root is None else xp.take(root, index, axis=0)
        found = self._centred(block, self._mean_there)
        return found if root is None else found * root

    def _centred(self, block: Any, mean: Any) -> Any:
        return self._place.xp.astype(block, self._place.xp.float64) - mean


def _writable(found: Any) -> FloatArray:
    return np.require(in_numpy(found), requirements="W")
