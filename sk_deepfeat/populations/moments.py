"""What every population that knows its second moments can answer, through `ridge_risk`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.populations.answers import AnswersMixin
from sk_deepfeat.theory import ErrorAnswer, RidgeRisk, degrees_of_freedom, ridge_risk
from sk_deepfeat.theory.answer import AskedVariance, TargetVariance
from sk_deepfeat.theory.validation import FloatArray, check_alpha


class SpectralMoments(NamedTuple):
    """Second moments in the eigenbasis of the features."""

    eigenvalues: FloatArray
    """Shape (p,)."""
    target_coefs: FloatArray
    """u_j·ψ, shape (p,) or (p, t)."""
    target_second_moment: FloatArray
    """Shape () or (t, t)."""


class MomentPopulationMixin(AnswersMixin):
    """Answers of a population whose moments are at hand.

    A subclass implements ``_spectral_moments(fit_intercept)``.
    """

    def _spectral_moments(self, fit_intercept: bool) -> SpectralMoments:
        raise TypeError(f"{type(self).__name__} must implement _spectral_moments.")

    def _risk(self, n_samples: ArrayLike, alpha: ArrayLike, fit_intercept: bool) -> RidgeRisk:
        moments = self._spectral_moments(fit_intercept)
        return ridge_risk(*moments, n_samples, alpha, fit_intercept=fit_intercept)

    def _answer(
        self, n_samples: FloatArray, alpha: FloatArray, fit_intercept: bool, variance: AskedVariance
    ) -> ErrorAnswer:
        risk = self._risk(n_samples, alpha, fit_intercept)
        error, train, bias, data_variance, noise_variance, noise = (
            per_output(part, self._single)
            for part in (
                *(risk.test_error, risk.train_error, risk.bias, risk.variance),
                *(risk.noise_variance, risk.noise),
            )
        )
        parts = (bias, data_variance, noise_variance, noise)
        known = ~np.isnan(error).any(axis=-1)
        return ErrorAnswer(error, known, risk.kappa, train, bias + noise, parts)

    @property
    def target_variance_(self) -> TargetVariance:
        """Variance of every output, known as well as the moments are."""
        check_is_fitted(self)
        moment = np.asarray(self._spectral_moments(True).target_second_moment)
        variance = np.diagonal(np.atleast_2d(moment)).copy()
        return TargetVariance(variance, np.zeros_like(variance))

    def degrees_of_freedom(
        self, kappa: ArrayLike, *, fit_intercept: bool | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return df1 and df2 at effective regularisations, each of the shape of `kappa`.

        `fit_intercept` is as in `test_error`.
        """
        omega = self.eigenvalues(fit_intercept=fit_intercept)
        at = check_alpha(kappa, "kappa")
        positive = omega[omega > 0]
        # The difference df1 + κ df1' would cancel where κ is large.
        squares = [np.square(positive / (positive + value)).sum() for value in at.ravel()]
        df1 = degrees_of_freedom(omega, at) if positive.size else np.zeros_like(at)
        return df1, np.reshape(squares, at.shape)

    def eigenvalues(self, *, fit_intercept: bool | None = None) -> FloatArray:
        """Return those of the features' covariance, or second moment without intercept, descending.

        Shape (rank,), in squared units of the features; `fit_intercept` is as in `test_error`.
        """
        moments = self._spectral_moments(self._intercept(fit_intercept))
        return np.sort(moments.eigenvalues)[::-1]

    def _extent(self, fit_intercept: bool) -> tuple[float, float]:
        return float(self._spectral_moments(fit_intercept).eigenvalues.sum()), np.inf


def per_output(errors: FloatArray, single: bool) -> FloatArray:
    """Return errors of shape cells + (t,): the diagonal over outputs of error matrices."""
    return errors[..., None] if single else np.diagonal(errors, axis1=-2, axis2=-1).copy()


def check_width(expected: int, X: ArrayLike, owner: str) -> None:
    """Raise ValueError, naming both widths, unless X has the expected number of features."""
    width = np.shape(X)[1]
    if width != expected:
        raise ValueError(
            f"{owner} describes {expected} features, but X has {width} features; fit the ridge on "
            "the features that the population describes."
        )
