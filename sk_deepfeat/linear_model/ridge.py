"""Ridge regression that predicts its own test error at any number of samples and any alpha."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_deepfeat.linear_model._arguments import check_alpha
from sk_deepfeat.linear_model._population import AskedPopulation, fit_population
from sk_deepfeat.linear_model.error_predictor import ErrorPredictor
from sk_deepfeat.linear_model.questions import ErrorQuestionsMixin
from sk_deepfeat.notebook import PredictedErrorReprMixin
from sk_deepfeat.rows import check_rows
from sk_deepfeat.theory import ridge_factorization
from sk_deepfeat.theory.validation import FloatArray, check_flag


class DeterministicEquivalentRidge(
    ErrorQuestionsMixin,
    MultiOutputMixin,
    RegressorMixin,
    PredictedErrorReprMixin,
    BaseEstimator,
):
    r"""Ridge regression with a prediction of its own test error.

    Minimises ||y - Xw||² + alpha ||w||² as `sklearn.linear_model.Ridge` does, and answers, from the
    features' population, which error this ridge reaches with any number of samples and any alpha:
    (B + σ²)/(1 - df2/n) at the effective regularisation κ with alpha/κ = n - df1(κ).

    Parameters
    ----------
    alpha : float or "optimal", default=1.0
        Regularisation, not negative; 0 gives the solution of minimum norm. "optimal" takes the
        alpha of least predicted error for the number of training rows.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    population : str or population object, default="leave-one-out"
        How the population is known: a name (see ``sk_deepfeat.plugins.available("populations")``)
        or an instance. One fitted on other rows is handed over as
        ``sklearn.frozen.FrozenEstimator(fitted)``.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Coefficients.
    intercept_ : float or ndarray of shape (n_outputs,)
        Intercept; 0.0 if none is fitted.
    alpha_ : float
        The regularisation used.
    population_ : object
        The fitted population.
    error_predictor_ : ErrorPredictor
        The value that answers every question about the error.
    eigenvalues_ : ndarray of shape (rank,)
        Those of the training rows' covariance of features that are not zero, descending; of their
        second moment if no intercept is fitted. In squared units of X.
    kappa_ : float
        Effective regularisation at the training size and `alpha_`.
    test_error_ : float
        Predicted mean squared error on new samples, averaged over outputs.
    train_error_ : float
        Mean squared error reached on the training rows (weighted, averaged over outputs).
    n_samples_ : int
        Training rows of positive weight.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    sk_deepfeat.TwoStageRegressor : Trains the features on other rows than the ridge.
    sklearn.linear_model.Ridge : The same coefficients without predictions of the error.

    Notes
    -----
    A feature map trained on the targets of the rows that the ridge then sees makes `test_error_`
    far too small, whatever the population: use `TwoStageRegressor`.

    References
    ----------
    Schröder, Dmitriev, Cui, Loureiro, "Asymptotics of Learning with Deep Structured (Random)
    Features", ICML 2024, arXiv:2402.13999.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat import DeterministicEquivalentRidge
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 100))
    >>> y = X[:, 0] + rng.normal(size=500)
    >>> ridge = DeterministicEquivalentRidge(alpha=10.0).fit(X, y)
    >>> ridge.predict_test_error(n_samples=[200, 500, 2000]).round(1)
    array([1.9, 1.3, 1.1])
    """

    def __init__(
        self, alpha: Any = 1.0, *, fit_intercept: bool = True, population: Any = "leave-one-out"
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.population = population

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> DeterministicEquivalentRidge:
        """Fit the coefficients and the population from one factorisation.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Dense features, at least two rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : float or array-like of shape (n_samples,), optional
            Weights, not negative. For the coefficients a weight equals repetition; for the
            predicted error a row of any weight is one draw.

        Returns
        -------
        DeterministicEquivalentRidge
            Itself.

        Raises
        ------
        ValueError
            If an argument is outside its range or the population has another width than X.
        TypeError
            If X is sparse or the population lacks required members.
        """
        check_alpha(self.alpha)
        fit_intercept = check_flag(self.fit_intercept, "fit_intercept")
        X, y, sample_weight = check_rows(self, X, y, sample_weight)
        single, optimal = y.ndim == 1, self.alpha == "optimal"
        factorization = ridge_factorization(
            X,
            y,
            sample_weight,
            fit_intercept=fit_intercept,
            exact_at=() if optimal else (float(self.alpha),),
        )
        self.n_samples_ = factorization.n_rows
        self.eigenvalues_ = np.sort(factorization.eigenvalues / factorization.n_rows)[::-1]
        self.population_ = fit_population(
            self.population, X, y, sample_weight, fit_intercept=fit_intercept, path=factorization
        )
        predictor = ErrorPredictor(
            AskedPopulation(
                self.population_, self.population, fit_intercept, factorization.mean_weight, single
            ),
            factorization.n_rows,
            self.alpha,
            float(factorization.eigenvalues.sum())
            / factorization.n_rows
            * factorization.mean_weight,
        )
        self.alpha_ = predictor.optimal_alpha() if optimal else self.alpha
        self.error_predictor_ = replace(predictor, alpha=float(self.alpha_))
        coefs = factorization.coefs(float(self.alpha_) / factorization.mean_weight)
        intercept = factorization.target_mean - factorization.feature_mean @ coefs
        self.coef_ = coefs[:, 0] if single else coefs.T
        self.intercept_: Any = 0.0
        if fit_intercept:
            self.intercept_ = float(intercept[0]) if single else intercept
        residual = factorization.targets - factorization.features @ coefs
        self.train_error_ = float(np.mean(np.square(residual)))
        self.kappa_ = float(self.error_predictor_.kappa())
        self.test_error_ = float(self.error_predictor_.test_error())
        return self

    def predict(self, X: Any) -> FloatArray:
        """Predict with the fitted coefficients.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Dense features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return X @ self.coef_.T + self.intercept_
