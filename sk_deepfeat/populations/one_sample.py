"""The population from the training set itself: leave-one-out, and its homogeneous special case."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.populations.moments import FloatArray, check_width
from sk_deepfeat.populations.rows import check_rows
from sk_deepfeat.theory import (
    ErrorDecomposition,
    RidgePath,
    TransferCurve,
    TransferRisk,
    gcv_curve,
    leave_one_out_curve,
    ridge_factorization,
    transfer_risk,
)


class OneSampleMixin:
    """Fit and answers of a population that tabulates a `TransferCurve` from its training rows.

    A subclass implements ``_curve(path)`` and has a parameter ``n_grid``.
    """

    n_grid: int

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
        if path is None:
            X, y, sample_weight = check_rows(self, X, y, sample_weight)
            path = ridge_factorization(X, y, sample_weight, fit_intercept=fit_intercept)
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
        self.curve_ = self._curve(path)
        exhausted = self.curve_.rank >= self.curve_.n_effective
        self.kappa_min_ = float(self.curve_.kappa[0]) if exhausted else 0.0
        return self

    def _transfer(
        self, n_samples: ArrayLike, alpha: ArrayLike, fit_intercept: bool
    ) -> TransferRisk:
        check_is_fitted(self)
        if fit_intercept != self.fit_intercept_:
            raise ValueError(
                f"This {type(self).__name__} was fitted with "
                f"fit_intercept={self.fit_intercept_} and cannot answer for "
                f"fit_intercept={fit_intercept}; fit it again."
            )
        return transfer_risk(self.curve_, n_samples, alpha, fit_intercept=fit_intercept)

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
        return self._outputs(self._transfer(n_samples, alpha, fit_intercept).test_error)

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

    def reachable(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
    ) -> NDArray[np.bool_]:
        """Say where the training set identifies the error, shape broadcast(n_samples, alpha)."""
        errors = self._transfer(n_samples, alpha, fit_intercept).test_error
        return np.asarray(~np.isnan(errors).any(axis=-1))


class LeaveOneOutPopulation(OneSampleMixin, BaseEstimator):
    """The population as one training set shows it, rows taken as unequally influential.

    Real features have very unequal leverages h_i. With the exact leave-one-out residuals e_i and
    Q_i = h_i/(1-h_i) along a ridge α₀ on the n₀ training rows, row i is taken as √s_i z_i with
    s_i = Q_i/mean Q; degrees of freedom, κ, and the part of e_i² that does not depend on n follow,
    and from them the error at every n and alpha. At n₀ it is the mean of e_i² itself. Cells whose κ
    is below the smallest that the sample identifies are NaN: more samples at too small an alpha.

    Parameters
    ----------
    n_grid : int, default=200
        Points of the table along α₀.

    Attributes
    ----------
    curve_ : TransferCurve
        What the sample shows along κ.
    kappa_min_ : float
        Smallest κ that the sample identifies.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    GCVPopulation : The special case of equal leverages; cheaper.

    Notes
    -----
    The features must not have been fitted on the targets of these rows: their residuals are then
    no guide to new data. `TwoStageRegressor` keeps the two apart.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.populations import LeaveOneOutPopulation
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 50))
    >>> population = LeaveOneOutPopulation().fit(X, X[:, 0] + rng.normal(size=300))
    >>> population.test_error([100, 1000], 10.0, fit_intercept=True).round(1)
    array([1.6, 1. ])
    """

    def __init__(self, *, n_grid: int = 200) -> None:
        self.n_grid = n_grid

    def _curve(self, path: RidgePath) -> TransferCurve:
        return leave_one_out_curve(path, n_grid=self.n_grid, anchors=path.anchors)


class GCVPopulation(OneSampleMixin, BaseEstimator):
    """The population as one training set shows it, rows taken as equally influential.

    Along a ridge α₀ on the n₀ training rows, with f its degrees of freedom,
    κ = α₀/(n₀ - f), df1(κ) = f, and B + σ² = (1 - df2/n₀) GCV(α₀): the population's functionals
    without a second sample. At n₀ the predicted error is GCV itself. Cells whose κ is below the
    smallest that the sample identifies are NaN: more samples at too small an alpha.

    Parameters
    ----------
    n_grid : int, default=600
        Points of the table along α₀.

    Attributes
    ----------
    curve_ : TransferCurve
        What the sample shows along κ.
    kappa_min_ : float
        Smallest κ that the sample identifies.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    LeaveOneOutPopulation : For rows of unequal leverage.
    PlugInPopulation : Averages over a separate, much larger sample.

    Notes
    -----
    The features must not have been fitted on the targets of these rows: their residuals are then
    no guide to new data. `TwoStageRegressor` keeps the two apart.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.populations import GCVPopulation
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 50))
    >>> population = GCVPopulation().fit(X, X[:, 0] + rng.normal(size=300))
    >>> population.test_error([100, 1000], 10.0, fit_intercept=True).round(1)
    array([1.6, 1.1])
    """

    def __init__(self, *, n_grid: int = 600) -> None:
        self.n_grid = n_grid

    def _curve(self, path: RidgePath) -> TransferCurve:
        return gcv_curve(path, n_grid=self.n_grid, anchors=path.anchors)
