"""Ridge coefficients at every alpha from one factorisation, as right as rounding allows.

A Gram matrix has half of the digits of its rows. Where alpha leaves them enough, coefficients come
from its eigenvectors and are corrected by the residual of the rows; else from a singular value
decomposition of the rows themselves, or from the directions that were kept.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory.one_sample.half_grams import AnyRows
from sk_deepfeat.theory.validation import FloatArray

# Beyond these condition numbers of Gram + alpha the Gram matrix has lost what the coefficients need
# and a singular value decomposition of the rows themselves takes over. The residual of the rows
# corrects the primal form, so it reaches further than the dual one.
_MOST_PRIMAL, MOST_DUAL = 1e12, 1e7
# Condition numbers up to which none, one, two corrections leave coefficients as good as they get.
_REFINED = (1e2, 1e6, 1e9)
# Each multiplies the error of the kept directions, whose eigenvalues span less than 1e11, by 1e-5.
_CORRECTIONS = 4


class RidgeCoefs:
    """Coefficients and training errors of what has factorised its rows.

    A subclass is a `RidgeFactorization`, whose attributes are documented there.
    """

    features: AnyRows
    targets: FloatArray
    mean_weight: float
    n_rows: int
    n_features: int
    n_effective: int
    eigenvalues: FloatArray
    least_ridge: float
    primal: bool
    _vectors: FloatArray
    _all_eigenvalues: FloatArray
    _kept: slice
    _cross: FloatArray

    # What a subclass has, and computes when it is asked.
    gram_is_enough: Any
    target_components: Any
    outside_squares: Any
    _kept_vectors: Any

    def with_outputs(self, outputs: NDArray[np.intp]) -> Self:
        """Return the factorisation of the same rows with some of their targets."""
        raise NotImplementedError

    def coefs(self, alpha: ArrayLike) -> FloatArray:
        """Return the ridge coefficients at one or several `alpha` (for mean weight one).

        Parameters
        ----------
        alpha : array-like of shape () or (n_alphas,)
            Not negative; 0 gives the solution of minimum norm.

        Returns
        -------
        ndarray of shape (n_features, n_outputs) or (n_alphas, n_features, n_outputs)

        Raises
        ------
        ValueError
            If an alpha is below `least_ridge`.
        """
        alphas = np.atleast_1d(np.asarray(alpha, dtype=np.float64))
        self._check_ridges(alphas)
        outputs = self.targets.shape[1]
        coefs = np.zeros((alphas.size, self.n_features, outputs))
        if self.has_directions:
            resolved = self._resolved(alphas)
            if np.any(resolved):
                some = alphas[resolved]
                found = self._coefs_from_gram(
                    np.repeat(some, outputs), np.tile(np.arange(outputs), some.size)
                )
                shape = (some.size, outputs, self.n_features)
                coefs[resolved] = found.T.reshape(shape).transpose(0, 2, 1)
            of_one = self._coefs_from_kept if self._by_kept else self._coefs_from_svd
            for i in np.flatnonzero(~resolved):
                coefs[i] = of_one(float(alphas[i]))
        return coefs if np.ndim(alpha) else coefs[0]

    def coefs_of_outputs(self, alphas: FloatArray) -> FloatArray:
        """Return the ridge coefficients of each output at an `alpha` of its own.

        Parameters
        ----------
        alphas : ndarray of shape (n_outputs,)
            For mean weight one.

        Returns
        -------
        ndarray of shape (n_features, n_outputs)
        """
        self._check_ridges(alphas)
        coefs = np.zeros((self.n_features, alphas.size))
        if not self.has_directions:
            return coefs
        resolved = self._resolved(alphas)
        if np.any(resolved):
            coefs[:, resolved] = self._coefs_from_gram(alphas[resolved], np.flatnonzero(resolved))
        for each in np.unique(alphas[~resolved]):
            outputs = np.flatnonzero(~resolved & (alphas == each))
            coefs[:, outputs] = self.with_outputs(outputs).coefs(float(each))
        return coefs

    @property
    def has_directions(self) -> bool:
        """Whether any direction of the rows is not zero."""
        spectrum = self._resolvable
        return bool(spectrum.size and spectrum[-1] > 0)

    @property
    def _resolvable(self) -> FloatArray:
        """All eigenvalues of the Gram matrix but those that centring makes zero."""
        return self._all_eigenvalues[max(self._vectors.shape[0] - self.n_effective, 0) :]

    @property
    def _by_kept(self) -> bool:
        return self.gram_is_enough and not self.features.casts

    def _resolved(self, alphas: FloatArray) -> NDArray[np.bool_]:
        """Say at which alphas the Gram matrix tells what the coefficients need."""
        spectrum = self._resolvable
        most = _MOST_PRIMAL if self.primal and not self._by_kept else MOST_DUAL
        lowest = max(float(spectrum[0]), 0.0)
        return np.asarray((spectrum[-1] + alphas) / most <= lowest + alphas)

    def _check_ridges(self, alphas: FloatArray) -> None:
        """Raise ValueError if there is an alpha below `least_ridge`."""
        if np.any(alphas < self.least_ridge):
            raise ValueError(
                f"alpha={alphas.min() * self.mean_weight:.3g} is too small for these sparse "
                f"features of shape {self.features.shape}: below "
                f"{self.least_ridge * self.mean_weight:.3g} there count directions that their Gram "
                "matrix does not tell. Where columns have very unequal scales, "
                "sklearn.preprocessing.MaxAbsScaler keeps zeros; where rows nearly repeat, pass a "
                "larger alpha."
            )

    def _coefs_from_gram(self, ridge: FloatArray, outputs: NDArray[np.intp]) -> FloatArray:
        """Coefficients of shape (n_features, C), one column for each pair (alpha, output).

        They are corrected by the residual of the normal equations, taken from the rows, which
        restores what forming the Gram matrix has lost.
        """
        targets = self.targets[:, outputs]
        shrunk = np.maximum(self._all_eigenvalues, 0.0)[:, None] + ridge
        kept = self._all_eigenvalues[self._kept][:, None]
        if self.primal:
            cross = (self._vectors.T @ self._cross)[:, outputs]
            coefs = self._vectors @ (cross / shrunk)
        else:
            floor = self.n_rows * np.finfo(float).eps * self._all_eigenvalues[-1]
            inverse = np.where(shrunk > floor, 1.0 / np.maximum(shrunk, floor), 0.0)
            dual = self._vectors @ ((self._vectors.T @ targets) * inverse)
            coefs = self.features.transposed_times(dual)
        lowest = max(float(self._all_eigenvalues[-min(self.n_effective, len(shrunk))]), 0.0)
        condition = (self._all_eigenvalues[-1] + ridge.min()) / (lowest + ridge.min())
        for _ in range(int(np.searchsorted(_REFINED, condition))):
            gradient = self.features.gradient(targets, coefs) - ridge * coefs
            if self.primal:
                coefs = coefs + self._vectors @ ((self._vectors.T @ gradient) / shrunk)
            else:
                vectors = self._vectors[:, self._kept]
                along = vectors.T @ self.features.times(gradient) / (kept * (kept + ridge))
                coefs = coefs + self.features.transposed_times(vectors @ along)
        return np.asarray(coefs)

    def _coefs_from_kept(self, alpha: float) -> FloatArray:
        """Coefficients from the kept directions, for rows that are not to be written out.

        What their eigenvectors have lost by rounding, corrections by the residual give back.
        """
        features, kept = self.features, self.eigenvalues[:, None]
        coefs = np.zeros((self.n_features, self.targets.shape[1]))
        for _ in range(_CORRECTIONS):
            gradient = features.gradient(self.targets, coefs) - alpha * coefs
            if self.primal:
                along = self._kept_vectors.T @ gradient / (kept + alpha)
                coefs = coefs + self._kept_vectors @ along
            else:
                vectors = self._vectors[:, self._kept]
                along = vectors.T @ features.times(gradient) / (kept * (kept + alpha))
                coefs = coefs + features.transposed_times(vectors @ along)
        return coefs

    def training_error(self, alpha: float | FloatArray, coefs: FloatArray) -> FloatArray:
        """Return the mean squared residual of every output on the rows.

        Parameters
        ----------
        alpha : float or ndarray of shape (n_outputs,)
            For weights of mean one.
        coefs : ndarray of shape (n_features, n_outputs)
            Those at alpha. They are asked where the kept directions are not all that they have.
        """
        structural = 0 if self.primal else self.n_rows - self.n_effective
        if self._kept.start > structural:
            residual = self.targets - self.features.times(coefs)
            return np.asarray(np.square(residual).mean(axis=0))
        ridge = np.atleast_1d(np.asarray(alpha, dtype=np.float64))
        shrunk = self.eigenvalues[:, None] + ridge
        kept = np.where(ridge > 0, np.ones_like(shrunk), 0.0)
        np.divide(ridge, shrunk, out=kept, where=shrunk > 0)
        inside = (np.square(kept) * np.square(self.target_components)).sum(axis=0)
        return np.asarray((inside + self.outside_squares) / self.n_rows)

    @cached_property
    def _svd(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        left, singular, right = scipy.linalg.svd(
            self.features.whole(), full_matrices=False, check_finite=False
        )
        return left, singular, right

    @property
    def _rank_cut(self) -> float:
        return max(self.features.shape) * float(np.finfo(float).eps * self._svd[1][0])

    def _coefs_from_svd(self, alpha: float) -> FloatArray:
        left, singular, right = self._svd
        if alpha == 0:  # the solution of minimum norm; any ridge damps what is rounding by itself
            rank = min(int(np.sum(singular > self._rank_cut)), self.n_effective)
        else:
            rank = int(np.sum(singular > 0))
        left, singular, right = left[:, :rank], singular[:rank], right[:rank]
        # 1/(s + alpha/s) neither overflows nor divides by zero where s² underflows.
        return right.T @ ((left.T @ self.targets) / (singular + alpha / singular)[:, None])
