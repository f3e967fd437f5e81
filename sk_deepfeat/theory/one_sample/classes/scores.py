r"""What ridge says of rows that it has not seen, and how it answers to other labels of the others.

With the residuals e when a row, or its whole group, is left out, the scores are x = y - e. The map
from labels to them is linear: for any labels δ of the rows, with the hat matrix H of one ridge, the
intercept in it, and D = 1 - H_ii,

    ν_i = [(H δ)_i - H_ii δ_i]/D_i,

and for a group g of rows ν_g = δ_g - (I - H_gg)⁻¹(δ - Hδ)_g.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.leave_group_out import left_out_blocks
from sk_deepfeat.theory.one_sample.leave_one_out import left_out_rows, single_pays
from sk_deepfeat.theory.validation import FloatArray

AnyFloats = NDArray[np.float64] | NDArray[np.float32]

# Below this share of all eigenvalues a ridge leaves directions that single precision would blur.
_LEAST_SHARE = 4e-8
_ZERO = 1e-10
_BLOCK_ENTRIES, _KEPT_ENTRIES = 4_000_000, 30_000_000


class LeftOutPredictor:
    """Ridge on all rows but one, or but one group, for several ridges and any labels.

    Parameters
    ----------
    factorization : RidgeFactorization
        The training set, with at least one direction.
    ridges : ndarray of shape (G,)
        Positive.
    """

    def __init__(self, factorization: RidgeFactorization, ridges: FloatArray) -> None:
        self.factorization, self.ridges = factorization, ridges
        shape = (ridges.size, *factorization.targets.shape)
        self.residuals: FloatArray = np.empty(shape)
        """e, multiplied by the roots of weights, shape (G, n_rows, t)."""
        self.distance = np.empty((0, factorization.n_rows))
        self._kept: list[tuple[NDArray[np.intp], FloatArray]] = []
        self._kept_entries = 0
        if factorization.groups is None:
            self.distance = np.empty((ridges.size, factorization.n_rows))
            for block in left_out_rows(factorization, ridges):
                self.distance[:, block.rows] = block.distance
                for g, ridge in enumerate(ridges):
                    self.residuals[g, block.rows] = block.residuals_at(factorization, ridge, g)
        else:
            kept = ridges[:, None] / (factorization.eigenvalues + ridges[:, None])
            for rows, left, blocks in left_out_blocks(factorization, ridges):
                seen = left @ (kept[:, :, None] * factorization.target_components)
                found = np.linalg.solve(blocks, seen + factorization.outside[rows])
                self.residuals[:, rows] = found
                self._keep(rows, blocks)

    @property
    def scores(self) -> FloatArray:
        """X of the rows, in units of the targets, shape (G, n_rows, t)."""
        f = self.factorization
        root = np.sqrt(f.weights)[:, None]
        return np.asarray(f.targets / root + f.target_mean - self.residuals / root)

    def _keep(self, rows: NDArray[np.intp], blocks: FloatArray) -> None:
        """Keep the blocks of a group while they are few numbers."""
        self._kept_entries += blocks.size
        if self._kept_entries <= _KEPT_ENTRIES:
            self._kept.append((rows, blocks))
        else:
            self._kept = []

    def _without_groups(self, g: int, residuals: FloatArray) -> FloatArray:
        """Return (I - H_gg)⁻¹ r of every group."""
        found = np.empty_like(residuals)
        if self._kept:
            for rows, blocks in self._kept:
                found[rows] = np.linalg.solve(blocks[g], residuals[rows])
            return found
        for rows, _, blocks in left_out_blocks(self.factorization, self.ridges[g : g + 1]):
            found[rows] = np.linalg.solve(blocks[0], residuals[rows])
        return found

    def predictions(self, labels: Iterator[FloatArray]) -> Iterator[FloatArray]:
        """Yield ν for labels δ of each ridge in turn.

        Parameters
        ----------
        labels : iterator of ndarray of shape (n_rows, c)
            δ multiplied by the roots of weights; one for each ridge.

        Yields
        ------
        ndarray of shape (n_rows, c)
            Multiplied by the roots of weights.
        """
        f = self.factorization
        root = np.sqrt(f.weights)
        large = single_pays(f, float(f.n_rows) * f.n_features * f.eigenvalues.size)
        products = {False: _HatProducts(f, np.float64)}
        for g, (ridge, delta) in enumerate(zip(self.ridges, labels, strict=True)):
            single = bool(large and ridge > _LEAST_SHARE * f.eigenvalues.sum())
            if single not in products:
                products[single] = _HatProducts(f, np.float32)
            fitted = products[single].times(float(ridge), delta)
            if f.fit_intercept:
                fitted += np.outer(root, root @ delta / f.n_rows)
            if f.groups is not None:
                yield delta - self._without_groups(g, delta - fitted)
                continue
            distance = self.distance[g][:, None]
            yield (fitted - (1.0 - distance) * delta) / distance


def left_out_scores(factorization: RidgeFactorization, ridges: FloatArray) -> FloatArray:
    """Return the scores of unseen rows at any ridges, in units of the targets, (G, n_rows, t).

    Parameters
    ----------
    factorization : RidgeFactorization
        The training set.
    ridges : ndarray of shape (G,)
        Not negative; 0 is the limit.
    """
    f = factorization
    if f.eigenvalues.size == 0:  # nothing but the mean of the others is left
        root = np.sqrt(f.weights)[:, None]
        residuals = f.outside / (1.0 - f.intercept_share)[:, None]
        scores = (f.targets - residuals) / root + f.target_mean
        return np.broadcast_to(scores, (ridges.size, *scores.shape))
    # At zero the quotient may be 0/0 where the rows are interpolated: its limit is taken.
    return LeftOutPredictor(f, np.maximum(ridges, _ZERO * float(f.eigenvalues[0]))).scores


class _HatProducts:
    """Products with U diag(λ/(λ+ridge)) Uᵀ, in one precision, from the rows or from U."""

    def __init__(self, factorization: RidgeFactorization, dtype: type) -> None:
        self._f, self._dtype = factorization, dtype
        right = factorization.left_from_features
        self._right: Any = None if right is None else right.astype(dtype)
        self._left: Any = None
        if right is None:
            self._left = factorization.left_vectors(slice(0, factorization.n_rows)).astype(dtype)

    def times(self, ridge: float, values: FloatArray) -> FloatArray:
        """Return the product with values of shape (n_rows, c)."""
        lam = self._f.eigenvalues
        shrunk: Any = (lam / (lam + ridge)).astype(self._dtype)[:, None]
        if self._left is None and self._dtype is np.float64:
            along = self._f.features.transposed_times(values)
            return self._f.features.times(self._right @ (shrunk * (self._right.T @ along)))
        given: Any = values.astype(self._dtype)
        if self._left is not None:
            return np.asarray(self._left @ (shrunk * (self._left.T @ given)), dtype=np.float64)
        along = np.zeros((self._f.n_features, values.shape[1]), self._dtype)
        for rows, block in self._blocks():
            along += block.T @ given[rows]
        coefs = self._right @ (shrunk * (self._right.T @ along))
        found = np.empty(values.shape)
        for rows, block in self._blocks():
            found[rows] = block @ coefs
        return found

    def _blocks(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        features: Any = self._f.features
        n, p = features.shape
        blocks = list(_blocks(n, p))
        room = np.empty((blocks[0].stop, p), np.float32)
        for rows in blocks:
            part = room[: rows.stop - rows.start]
            features.cast(rows, part)
            yield rows, part


def _blocks(n_rows: int, width: int) -> Iterator[slice]:
    step = max(64, _BLOCK_ENTRIES // max(width, 1))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))
