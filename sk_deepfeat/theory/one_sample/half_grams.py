"""Gram matrices of two random halves of the rows, from the one pass that makes that of all rows.

Ridge on half of the rows costs the check of the theory most; with these it costs a few solves. Both
matrices share one square, a triangle each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.centred_rows import CentredRows
from sk_deepfeat.theory.one_sample.sparse_rows import SparseRows
from sk_deepfeat.theory.one_sample.spread import spread
from sk_deepfeat.theory.validation import FloatArray

AnyRows = CentredRows | SparseRows


class HalfGrams(NamedTuple):
    """FᵀF and Fᵀv of two halves of n rows, F as of all rows: centred by all of them."""

    rows: tuple[NDArray[np.intp], ...]
    """Rows of each half, n // 2 of them: those of `spread` for two subsets and seed zero."""
    packed: FloatArray
    """The first half's matrix in the lower triangle, the second's above, shape (p, p)."""
    diagonal: FloatArray
    """Of the second half's matrix, shape (p,)."""
    cross: FloatArray
    """Fᵀv of each half, shape (2, p, k)."""

    def gram(self, half: int) -> FloatArray:
        """Return a half's matrix, its lower triangle in Fortran's order."""
        if half == 0:
            return self.packed.copy(order="F")
        found = self.packed.T.copy(order="F")
        np.fill_diagonal(found, self.diagonal)
        return found


def gram_of(
    rows: AnyRows, values: FloatArray, some: NDArray[np.intp] | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return FᵀF, of which the lower triangle counts, and Fᵀv of some rows, or of all.

    Rows that make one block are multiplied by NumPy's BLAS.
    """
    if not rows.is_one_block:
        return rows.gram(values, some)
    block = rows.whole() if some is None else rows.take(some)
    return (block.T @ block).T, block.T @ (values if some is None else values[some])


def gram_by_halves(rows: AnyRows, values: FloatArray) -> tuple[FloatArray, FloatArray, HalfGrams]:
    """Return FᵀF and Fᵀv of all rows, as ``rows.gram`` does, and what makes them up.

    Parameters
    ----------
    rows : CentredRows or SparseRows
        F.
    values : ndarray of shape (n_rows, k)
        v.

    Returns
    -------
    gram, cross : ndarray of shape (p, p), (p, k)
    halves : HalfGrams
    """
    n = rows.shape[0]
    parts = tuple(spread(n, n // 2, 2, 0))
    first, cross = gram_of(rows, values, parts[0])
    second, other = gram_of(rows, values, parts[1])
    diagonal = np.diagonal(second).copy()
    packed = _lower_and_upper(first, second)
    total = np.add(first, second, out=first)
    both = np.stack([cross, other])
    cross = cross + other
    if n % 2:  # one row is in neither
        last = np.setdiff1d(np.arange(n), np.concatenate(parts))
        row = rows.take(last)
        total += row.T @ row
        cross += row.T @ values[last]
    return total, cross, HalfGrams(parts, packed, diagonal, both)


def _lower_and_upper(lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Return the lower triangle of one matrix, and another one's, transposed, above it."""
    packed = lower.copy(order="F")
    step = 256
    for start in range(0, len(lower), step):  # strips, since index arrays would take twice as much
        strip = slice(start, start + step)
        corner = packed[strip, strip]
        above = np.triu(upper[strip, strip].T, 1)
        packed[strip, strip] = np.tril(corner) + above
        packed[strip, start + step :] = upper[start + step :, strip].T
    return packed
