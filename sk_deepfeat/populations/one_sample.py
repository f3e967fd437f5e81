"""What the populations from one training set share: fit, and answers from a table along κ."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.populations.moments import FloatArray, check_width
from sk_deepfeat.populations.rows import check_rows
from sk_deepfeat.theory import (
    ErrorDecomposition,
    RidgePath,
    TransferCurve,
    TransferRisk,
    ridge_factorization,
    transfer_risk,
)
from sk_deepfeat.theory.validation import check_alpha, check_flag


class OneSampleMixin:
    """Fit and answers of a population that tabulates a `TransferCurve` from its training rows.

    A subclass implements ``_curve(path)`` and has a parameter ``n_grid``. It may refine
    ``_errors``, what ``test_error`` answers.
    """

    n_grid: int
    curve_: TransferCurve

    def _curve(self, path: RidgePath) -> TransferCurve:
        raise TypeError(f"{type(self).__name__} must implement _curve.")

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        fit_intercept: bool = True,
        path: Any = None,
    ) -> Any:
        """Tabulate the functionals from one factorisation of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features of the training rows, at least two.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            Weights; a row of weight w is one draw, not w draws.
        fit_intercept : bool, default=True
            Whether the ridge fits an intercept.
        path : RidgePath, optional
            Factorisation of these rows, when it has been made.

        Returns
        -------
        population
            Itself.
        """
        if not isinstance(self.n_grid, (int, np.integer)) or self.n_grid < 50:
            raise ValueError(f"n_grid={self.n_grid!r} must be an integer of at least 50.")
        check_flag(fit_intercept, "fit_intercept")
        if path is None:
            X, y, sample_weight = check_rows(self, X, y, sample_weight)
            path = ridge_factorization(X, y, sample_weight, fit_intercept=fit_intercept)
        elif not isinstance(path, RidgePath):
            raise TypeError(
                f"path={path!r} must be a RidgePath, from ridge_factorization, or None."
            )
        elif path.fit_intercept != fit_intercept:
            raise ValueError(
                f"path was made with fit_intercept={path.fit_intercept}, the population asked for "
                f"fit_intercept={fit_intercept}."
            )
        else:
            check_width(path.n_features, X, "path")
            self.n_features_in_ = path.n_features
        self.fit_intercept_ = fit_intercept
        self._single = np.ndim(y) == 1
        self._cache: dict[float, Any] = {}
        self.curve_ = self._curve(path)
        exhausted = self.curve_.rank >= self.curve_.n_effective
        self.kappa_min_ = float(self.curve_.kappa[0]) if exhausted else 0.0
        return self

    def _transfer(
        self, n_samples: ArrayLike, alpha: ArrayLike, fit_intercept: bool
    ) -> TransferRisk:
        self._check_intercept(fit_intercept)
        return transfer_risk(
            self.curve_, n_samples, alpha, fit_intercept=fit_intercept, cache=self._cache
        )

    def _check_intercept(self, fit_intercept: bool) -> None:
        check_is_fitted(self)
        if fit_intercept != self.fit_intercept_:
            raise ValueError(
                f"This {type(self).__name__} was fitted with "
                f"fit_intercept={self.fit_intercept_} and cannot answer for "
                f"fit_intercept={fit_intercept}; fit it again."
            )

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()
        return {**state, "_cache": {}} if "_cache" in state else state

    def _errors(self, n_samples: ArrayLike, alpha: ArrayLike, fit_intercept: bool) -> FloatArray:
        return self._transfer(n_samples, alpha, fit_intercept).test_error

    def _outputs(self, errors: FloatArray) -> FloatArray:
        return errors[..., 0] if self._single else errors

    def test_error(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
    ) -> FloatArray:
        """Return the expected squared error on a new sample; NaN where not identifiable.

        Parameters
        ----------
        n_samples, alpha : array-like
            Numbers of samples and regularisations (for sample weights of mean one); broadcast.
        fit_intercept : bool
            As in `fit`.

        Returns
        -------
        ndarray of shape broadcast(n_samples, alpha), + (t,) for t outputs
        """
        return self._outputs(self._errors(n_samples, alpha, fit_intercept))

    def train_error(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
    ) -> FloatArray:
        """Return the expected mean squared residual; shapes and NaN as `test_error`."""
        return self._outputs(self._transfer(n_samples, alpha, fit_intercept).train_error)

    def decomposition(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
    ) -> ErrorDecomposition:
        """Return what one sample tells: bias + noise, and the total variance; the rest is NaN."""
        risk = self._transfer(n_samples, alpha, fit_intercept)
        unexplained, total = self._outputs(risk.unexplained), self._outputs(risk.test_error)
        unknown = np.full_like(total, np.nan)
        return ErrorDecomposition(
            unknown, unknown, unknown, unknown, unexplained, total - unexplained
        )

    def kappa(self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool) -> FloatArray:
        """Return the effective regularisation; NaN where not identifiable."""
        return self._transfer(n_samples, alpha, fit_intercept).kappa

    def degrees_of_freedom(
        self, kappa: ArrayLike, *, fit_intercept: bool
    ) -> tuple[FloatArray, FloatArray]:
        """Return df1 and df2 at effective regularisations; NaN below ``kappa_min_``.

        Parameters
        ----------
        kappa : array-like
            Effective regularisations, not negative.
        fit_intercept : bool
            As in `fit`.

        Returns
        -------
        df1, df2 : ndarray of the shape of `kappa`
        """
        self._check_intercept(fit_intercept)
        at = check_alpha(kappa, "kappa")
        curve = self.curve_
        if curve.rank == 0:
            return np.zeros(at.shape), np.zeros(at.shape)
        grid = np.log(curve.kappa)
        x = np.log(np.clip(at, curve.kappa[0], curve.kappa[-1]))
        thinned = np.minimum(curve.kappa[-1] / np.maximum(at, curve.kappa[-1]), 1.0)  # df ~ 1/κ
        floor = np.finfo(np.float64).tiny
        df1, df2 = (
            np.exp(np.interp(x, grid, np.log(np.maximum(df, floor)))) * thinned**power
            for df, power in ((curve.df1, 1), (curve.df2, 2))
        )
        unknown = at < self.kappa_min_
        return np.where(unknown, np.nan, df1), np.where(unknown, np.nan, df2)

    def reachable(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
    ) -> NDArray[np.bool_]:
        """Say where the training set identifies the error, shape broadcast(n_samples, alpha)."""
        errors = self._errors(n_samples, alpha, fit_intercept)
        return np.asarray(~np.isnan(errors).any(axis=-1))
