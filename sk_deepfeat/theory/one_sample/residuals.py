"""Training residuals of rows along a grid of ridges, for one output or thousands.

With U and z = Uᵀy, the residual of row i is outside_i + Σ_j U_ij z_j α₀/(λ_j+α₀). Along a whole
grid the sums are combinations of those for a few columns over λ, up to an error relative to the
largest of their terms: outputs that are fitted so nearly exactly that this would count go without.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.few_ridges import FewColumns, few_columns
from sk_deepfeat.theory.one_sample.leave_one_out import AnyFloats, LeftOutRows
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.validation import FloatArray

# Up to so many outputs, each is taken by itself.
FEW_OUTPUTS = 8
_TOLERANCE = {np.dtype(np.float32): 1e-9, np.dtype(np.float64): 1e-12}
# Largest over mean term from which on combinations lose more than 1e-5 of the residual, in single
# precision, and 1e-6, in double; columns are then taken one by one.
_MOST_SPREAD = {np.dtype(np.float32): 50.0, np.dtype(np.float64): 1e5}
_LARGE = 1e10
_TERM_ENTRIES, _CHUNK_ENTRIES = 4_000_000, 1_000_000


class ResidualChunk(NamedTuple):
    """Residuals of some outputs at some ridges, shape (ridges, rows, outputs)."""

    outputs: IndexArray
    ridges: slice
    residual: FloatArray


class Residuals:
    """Training residuals along a grid of ridges.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set, with at least one direction.
    grid : ndarray of shape (G,)
        Positive ridges.
    """

    def __init__(self, factorization: RidgeFactorization, grid: FloatArray) -> None:
        self.factorization, self.grid = factorization, grid
        lam = factorization.eigenvalues
        self.kept = grid[:, None] / (lam + grid[:, None])
        self.n_outputs = factorization.targets.shape[1]
        self._columns: dict[np.dtype[np.floating], FewColumns] = {}

    def chunks(self, block: LeftOutRows) -> Iterator[ResidualChunk]:
        """Yield residuals of all outputs at all ridges, of some rows, in bounded memory."""
        left, many = block.left, self.n_outputs > FEW_OUTPUTS
        single = left.dtype == np.float32
        work = float(left.size) * self.n_outputs * self.grid.size
        if many and not single and work > _LARGE:
            single, left = True, left.astype(np.float32)
        waiting = np.arange(self.n_outputs)
        for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
            if not (single if dtype == np.float32 else many):
                continue
            enough = self._spread[waiting] <= _MOST_SPREAD[dtype]
            taken, waiting = waiting[enough], waiting[~enough]
            rows = left if dtype == np.float32 else block.left
            if taken.size:
                yield from self._chunks(block, rows, taken, self._few(dtype))
        if waiting.size:
            yield from self._chunks(block, block.left, waiting, None)

    def _chunks(
        self, block: LeftOutRows, left: AnyFloats, outputs: IndexArray, columns: FewColumns | None
    ) -> Iterator[ResidualChunk]:
        components = self.factorization.target_components
        beyond = block.outside(self.factorization)
        basis = self.kept.T if columns is None else columns.basis
        n_rows, count = len(left), basis.shape[1]
        at_once = 1
        if self.n_outputs > FEW_OUTPUTS:
            at_once = max(1, _TERM_ENTRIES // (count * n_rows))
        for first in range(0, outputs.size, at_once):
            some = outputs[first : first + at_once]
            z = components[:, some]
            terms = _terms(left, basis, z)
            if some.size == 1:
                terms = terms.astype(np.float64)
            step = (
                max(1, _CHUNK_ENTRIES // (n_rows * some.size)) if some.size > 1 else len(self.grid)
            )
            for start in range(0, self.grid.size, step):
                ridges = slice(start, min(start + step, self.grid.size))
                if columns is None:
                    found = terms[ridges]
                else:
                    weights = columns.weights[:, ridges].T.astype(terms.dtype)
                    found = (weights @ terms.reshape(count, -1)).reshape(-1, *terms.shape[1:])
                if block.exact.size:
                    found[:, block.exact] = _terms(block.exact_left, self.kept[ridges].T, z)
                if beyond is not None:
                    found += beyond[:, some]
                yield ResidualChunk(some, ridges, found)

    def _few(self, dtype: np.dtype[np.floating]) -> FewColumns:
        if dtype not in self._columns:
            lam = self.factorization.eigenvalues
            self._columns[dtype] = few_columns(lam, self.kept.T, _TOLERANCE[dtype])
        return self._columns[dtype]

    @cached_property
    def _spread(self) -> FloatArray:
        """Largest term of each output over the root mean square of its residuals, shape (t,)."""
        some = np.arange(0, self.grid.size, 5)
        squares = np.square(self.factorization.target_components)
        total = np.square(self.kept[some]) @ squares
        total += np.square(self.factorization.outside).sum(axis=0)
        largest = np.square(self.kept[some].max(axis=1))[:, None] * squares.sum(axis=0)
        return np.sqrt((largest / np.maximum(total, 1e-300)).max(axis=0))


def _terms(left: AnyFloats, basis: FloatArray, components: FloatArray) -> FloatArray:
    """Return Σ_j U_ij z_jk b_jm, shape (m, rows, k), in the precision of U."""
    if components.shape[1] == 1:
        terms = np.matmul((basis * components).T.astype(left.dtype), left.T)[:, :, None]
    else:
        terms = np.matmul(left, (basis.T[:, :, None] * components).astype(left.dtype))
    return np.asarray(terms)
