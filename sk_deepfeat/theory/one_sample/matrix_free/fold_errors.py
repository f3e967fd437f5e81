"""Errors of left-out folds at any ridge, from one Lanczos run without each fold.

A run is kept as what its vectors predict for the rows of its fold, n numbers a step in all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.matrix_free import tuning
from sk_deepfeat.theory.one_sample.matrix_free.folded_products import FoldedProducts
from sk_deepfeat.theory.one_sample.matrix_free.lanczos import LanczosRun
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.validation import FloatArray

# Numbers that are kept in double precision; more are rounded.
_MOST_DOUBLE, _CHUNK_ENTRIES = 50_000_000, 2_000_000


class Settled(NamedTuple):
    """What some steps tell of errors at R ridges."""

    error: FloatArray
    """Mean squared error, shape (R,)."""
    noise: FloatArray
    """Its relative standard error over rows."""
    change: FloatArray
    """Relative root mean square change of single errors over the last quarter of the steps."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where more steps would not move the error by more than a part of its noise."""
        noise = np.maximum(self.noise, tuning.LEAST_NOISE)
        return np.asarray(self.change <= tuning.UNSETTLED * noise)


class FoldErrors:
    """One output, from a run whose first columns are the folds, and the next is all rows.

    Parameters
    ----------
    products : FoldedProducts
        Of the rows.
    targets : ndarray of shape (n_rows,)
        Weighted, and centred with an intercept.
    more : ndarray of shape (d, S)
        Starts that are to be carried along, such as probes.
    most_steps : int
        That will be taken.
    n_blocks : int
        Of a jackknife, to which the rows of every fold are dealt.
    """

    def __init__(
        self,
        products: FoldedProducts,
        targets: FloatArray,
        more: FloatArray,
        most_steps: int,
        n_blocks: int,
    ) -> None:
        self.products, self.n_blocks = products, n_blocks
        starts, left_out = products.starts(targets)
        # Rows of a fold side by side.
        self._order = np.argsort(products.fold, kind="stable")
        self._ends = np.cumsum(np.bincount(products.fold, minlength=products.n_folds))
        self._left_out = left_out[self._order]
        # Within folds, as far as may be: rows of one share the noise of a fit.
        self._block_ends = (np.arange(n_blocks) + 1) * targets.size // n_blocks
        single = most_steps * targets.size > _MOST_DOUBLE
        shape = (most_steps, targets.size)
        self._predicted = np.empty(shape, dtype=np.float32 if single else np.float64)
        self._square = float(targets @ targets)
        self.run = LanczosRun(self._step, np.hstack([starts, more]))

    def _step(self, vectors: FloatArray) -> FloatArray:
        found, predicted = self.products(vectors, self.products.n_folds)
        self._predicted[self.run.n_steps] = predicted[self._order]
        return found

    def settled(self, ridges: FloatArray) -> Settled:
        """Return errors at some ridges, and whether they are settled."""
        steps = self.run.n_steps
        earlier = max(3 * steps // 4, 1)
        sums, moved = np.zeros((self.n_blocks, ridges.size)), np.zeros(ridges.size)
        for k in range(self.products.n_folds):
            now = self.run.solutions(k, ridges)
            difference = now.copy()
            difference[:earlier] -= self.run.solutions(k, ridges, earlier)
            for rows in self._rows(k, ridges.size):
                kept = self._predicted[:steps, rows].T
                moved += np.square(kept @ difference.astype(kept.dtype)).sum(axis=0)
                self._add(sums, rows, kept @ now.astype(kept.dtype))
        total = sums.sum(axis=0)
        each = sums / self._block_sizes()[:, None]
        noise = each.std(axis=0, ddof=1) / np.sqrt(self.n_blocks)
        n, tiny = self._left_out.size, np.finfo(float).tiny
        error = total / n
        relative = noise / np.maximum(error, tiny)
        return Settled(error, relative, np.sqrt(moved / np.maximum(total, tiny)))

    def sample_factor(self, ridges: FloatArray, sampled: IndexArray) -> FloatArray:
        """Return mean squared errors of all rows over those of a sample of them, shape (R,)."""
        some = np.isin(self._order, sampled)
        steps, of_sample, total = self.run.n_steps, np.zeros(ridges.size), np.zeros(ridges.size)
        for k in range(self.products.n_folds):
            now = self.run.solutions(k, ridges)
            for rows in self._rows(k, ridges.size):
                kept = self._predicted[:steps, rows].T
                errors = np.square(self._left_out[rows, None] - kept @ now.astype(kept.dtype))
                total += errors.sum(axis=0)
                of_sample += errors[some[rows]].sum(axis=0)
        means = total / some.size, of_sample / np.count_nonzero(some)
        return np.divide(means[0], means[1], out=np.ones_like(total), where=means[1] > 0)

    def means(self, ridges: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean squared errors, and those without each block of rows.

        Returns
        -------
        error : ndarray of shape (R,)
        without : ndarray of shape (n_blocks, R)
        """
        steps, sums = self.run.n_steps, np.zeros((self.n_blocks, ridges.size))
        for k in range(self.products.n_folds):
            now = self.run.solutions(k, ridges)
            for rows in self._rows(k, ridges.size):
                kept = self._predicted[:steps, rows].T
                self._add(sums, rows, kept @ now.astype(kept.dtype))
        sizes = self._block_sizes()
        total, n = sums.sum(axis=0), sizes.sum()
        return total / n, (total - sums) / (n - sizes)[:, None]

    def training_error(self, ridges: FloatArray) -> FloatArray:
        """Return the sum of squared training residuals with all rows, shape (R,)."""
        column = self.products.n_folds
        values, vectors = self.run.spectrum(column)
        weights = np.square(self.run.norms[column] * vectors[0])[:, None]
        shrunk = values[:, None] + ridges
        if self.products.dual:
            return np.asarray((weights * np.square(ridges / shrunk)).sum(axis=0))
        inside = (weights * (values[:, None] + 2.0 * ridges) / np.square(shrunk)).sum(axis=0)
        return np.asarray(np.maximum(self._square - inside, 0.0))

    def _rows(self, fold: int, n_ridges: int) -> list[slice]:
        start = int(self._ends[fold - 1]) if fold else 0
        end, step = int(self._ends[fold]), max(_CHUNK_ENTRIES // n_ridges, 1)
        return [slice(i, min(i + step, end)) for i in range(start, end, step)]

    def _add(self, sums: FloatArray, rows: slice, predicted: FloatArray) -> None:
        errors = np.square(self._left_out[rows, None] - predicted)
        first, last = np.searchsorted(self._block_ends, [rows.start, rows.stop - 1], side="right")
        for b in range(first, last + 1):
            start, end = self._block_ends[b - 1] if b else 0, self._block_ends[b]
            mine = slice(max(start - rows.start, 0), max(end - rows.start, 0))
            sums[b] += errors[mine].sum(axis=0)

    def _block_sizes(self) -> FloatArray:
        return np.diff(self._block_ends, prepend=0).astype(np.float64)
