"""The population from the training set itself, rows taken as equally influential."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from sk_deepfeat.populations.one_sample import OneSampleMixin
from sk_deepfeat.theory import ErrorAnswer, KappaCurve, RidgeFactorization, gcv_curve
from sk_deepfeat.theory.answer import AskedVariance
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.validation import FloatArray


class GCVPopulation(OneSampleMixin, BaseEstimator):
    """The population as one training set shows it, rows taken as equally influential.

    Along a ridge α₀ on the n₀ training rows, with f its degrees of freedom,
    κ = α₀/(n₀ - f), df1(κ) = f, and B + σ² = (1 - df2/n₀) GCV(α₀), made to rise with κ: the
    population's functionals without a second sample. At n₀ the predicted error is GCV itself.
    Cells whose κ is below the smallest that the sample identifies are NaN: more samples at too
    small an alpha.

    Parameters
    ----------
    n_grid : int, default=600
        Points of the table along α₀.

    Attributes
    ----------
    curve_ : KappaCurve
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

    def _learn(self, factorization: RidgeFactorization) -> KappaCurve:
        curve = gcv_curve(factorization, n_grid=self.n_grid)
        self._evaluator = CurveEvaluator(curve, fit_intercept=factorization.fit_intercept)
        return curve

    def _answer(
        self, n_samples: FloatArray, alpha: FloatArray, fit_intercept: bool, variance: AskedVariance
    ) -> ErrorAnswer:
        risk = self._evaluator.risk(n_samples, alpha)
        known = ~np.isnan(risk.test_error).any(axis=-1)
        return ErrorAnswer(
            risk.test_error, known, risk.kappa, risk.train_error, risk.bias_and_noise
        )
