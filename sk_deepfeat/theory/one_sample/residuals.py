"""Training residuals of rows along a grid of ridges, for one output or thousands.

With U and z = Uᵀy, the residual of row i is outside_i + Σ_j U_ij z_j α₀/(λ_j+α₀). Along a whole
grid the sums are combinations of those for a few columns over λ, up to an error relative to the
largest of their terms: outputs that are fitted so nearly exactly that this would count go without.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.few_ridges import FewColumns, few_columns
from sk_deepfeat.theory.one_sample.leave_one_out import AnyFloats, LeftOutRows, single_pays
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.validation import FloatArray

# Up to so many outputs, each is taken by itself.
FEW_OUTPUTS = 8
_TOLERANCE = {np.dtype(np.float32): 1e-9, np.dtype(np.float64): 1e-12}
# Largest over mean term from which on combinations lose more than 1e-5 of the residual, in single
# precision, and 1e-6, in double; columns are then taken one by one.
_MOST_SPREAD = {np.dtype(np.float32): 50.0, np.dtype(np.float64): 1e5}
_CHUNK_ENTRIES = 1_000_000

Outputs = slice | IndexArray


class Residuals:
    """Training residuals along a grid of ridges.

    Up to eight outputs come one by one, more in chunks; large products are in single precision.

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

    def chunks(self, block: LeftOutRows) -> Iterator[tuple[Outputs, FloatArray]]:
        """Yield some outputs and their residuals, shape (G, rows, outputs), until all have come."""
        left, many = block.left, self.n_outputs > FEW_OUTPUTS
        single = left.dtype == np.float32
        terms = float(self.factorization.n_rows) * left.shape[1] * self.n_outputs
        if many and not single and single_pays(self.factorization, terms * self.grid.size):
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
        self,
        block: LeftOutRows,
        left: AnyFloats,
        outputs: IndexArray,
        columns: FewColumns | None,
    ) -> Iterator[tuple[Outputs, FloatArray]]:
        outside = block.outside(self.factorization)
        basis, weights = self.kept.T, None
        if columns is not None:  # what is outside is one term more, which all ridges have
            basis, weights = columns.basis, columns.weights.T
            if outside is not None:
                weights = np.column_stack([weights, np.ones(self.grid.size)])
        at_once = 1
        if self.n_outputs > FEW_OUTPUTS:
            at_once = max(1, _CHUNK_ENTRIES // (self.grid.size * len(left)))
        for first in range(0, outputs.size, at_once):
            some: Outputs = outputs[first : first + at_once]
            if outputs.size == self.n_outputs:
                some = slice(first, min(first + at_once, self.n_outputs))
            z = self.factorization.target_components[:, some]
            beyond = None if outside is None else outside[None, :, some]
            found = _terms(left, basis, z)
            if weights is not None:
                if z.shape[1] == 1:
                    found = found.astype(np.float64)
                if beyond is not None:
                    found = np.concatenate([found, beyond.astype(found.dtype)])
                flat = weights.astype(found.dtype) @ found.reshape(len(found), -1)
                found = flat.reshape(self.grid.size, *found.shape[1:])
            elif beyond is not None:
                found = found + beyond
            if block.exact.size:
                found[:, block.exact] = _terms(block.exact_left, self.kept.T, z)
                if beyond is not None:
                    found[:, block.exact] += beyond[:, block.exact]
            yield some, found

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
        total += self.factorization.outside_squares
        largest = np.square(self.kept[some].max(axis=1))[:, None] * squares.sum(axis=0)
        return np.sqrt((largest / np.maximum(total, 1e-300)).max(axis=0))


def _terms(left: AnyFloats, basis: FloatArray, components: FloatArray) -> FloatArray:
    """Return Σ_j U_ij z_jk b_jm, shape (m, rows, k), in the precision of U."""
    rows, count = left.shape[0], basis.shape[1]
    if components.shape[1] == 1:
        found = np.matmul((basis * components).T.astype(left.dtype), left.T)[:, :, None]
    else:
        scaled = (basis[:, :, None] * components[:, None]).astype(left.dtype)
        flat = np.matmul(left, scaled.reshape(len(scaled), -1))
        found = np.ascontiguousarray(np.swapaxes(flat.reshape(rows, count, -1), 0, 1))
    return np.asarray(found)
