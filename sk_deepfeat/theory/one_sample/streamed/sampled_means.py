"""Means over all rows from those over a sample, by what is known of all rows.

The mean squared training residual r² of all rows needs none of them, so that the sample has to tell
no more than the ratio of left-out to training residuals:

    mean e² = (mean over all of r²) · (mean over the sample of e²)/(mean over the sample of r²).

Both are nearly the same where leverages are small, and the sample's noise cancels. What is left is
the noise of the ratio, which a jackknife over the sample shows, times √(1 - m/n), since the m rows
are part of all n; and that of all rows as a sample of the population, √(m/n) times the sample's.
"""

from __future__ import annotations

import numpy as np

from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.residuals import Outputs
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.validation import FloatArray

# Below this share of Σ y², what the sums leave of Σ r² is their rounding.
_LEAST_SHARE = 1e-10


class SampledMeans:
    """Squared training residuals of the sampled rows, by blocks, along G ridges.

    Parameters
    ----------
    factorization : RidgeFactorization
        Of which the rows at hand are a sample.
    grid : ndarray of shape (G,)
        Positive ridges.
    n_blocks : int
        Of a jackknife; none is one.
    """

    def __init__(self, factorization: RidgeFactorization, grid: FloatArray, n_blocks: int) -> None:
        lam = factorization.eigenvalues
        kept = grid[:, None] / (lam + grid[:, None])
        inside = np.square(factorization.target_components)
        squares = np.square(kept) @ inside + factorization.outside_squares
        total = inside.sum(axis=0) + factorization.outside_squares
        self._known = squares > _LEAST_SHARE * total
        self._of_all = squares / factorization.n_rows
        self._share = factorization.n_sampled / factorization.n_rows
        self._sums = np.zeros((grid.size, max(n_blocks, 1), squares.shape[1]))
        self._rows = np.zeros(max(n_blocks, 1))

    def add_rows(self, block: IndexArray) -> None:
        """Count rows of these blocks, whose residuals are to follow."""
        self._rows += np.bincount(block, minlength=self._rows.size)

    def add(self, block: IndexArray, outputs: Outputs, squares: FloatArray) -> None:
        """Add r² of rows of these blocks, shape (G, rows, outputs)."""
        mine = np.equal.outer(np.arange(self._rows.size), block).astype(squares.dtype)
        self._sums[:, :, outputs] += np.matmul(mine, squares)

    def factor(self) -> FloatArray:
        """Return what means of e² over the whole sample are to be multiplied by, shape (G, t)."""
        return self._ratio(slice(None), self._sums.sum(axis=1) / self._rows.sum())

    def factor_without(
        self, block: int, ridges: IndexArray, own: FloatArray, other: FloatArray
    ) -> FloatArray:
        """Return the same for the sample without one block, at some ridges.

        Parameters
        ----------
        block : int
            Which one.
        ridges : ndarray of int of shape (R,)
            Of the grid.
        own, other : ndarray of shape (R, t)
            Mean of e² without this block, and without another one, over that with it.
        """
        left = self._rows.sum() - self._rows[block]
        sums = self._sums.sum(axis=1) - self._sums[:, block]
        ratio = self._ratio(ridges, sums[ridges] / left)
        # Of m rows out of n the ratio is known to a variance of 1/m - 1/n, not 1/m.
        moved = np.where(own > 0, own, 1.0) * ratio / self.factor()[ridges]
        less = moved ** (np.sqrt(1.0 - self._share) - 1.0)
        as_of_all = np.where(other > 0, other, 1.0) ** np.sqrt(self._share)
        return np.where(self._known[ridges], ratio * less * as_of_all, 1.0)

    def _ratio(self, ridges: slice | IndexArray, of_sample: FloatArray) -> FloatArray:
        of_all, known = self._of_all[ridges], self._known[ridges] & (of_sample > 0)
        return np.divide(of_all, of_sample, out=np.ones_like(of_all), where=known)
