"""Ridge regression that predicts its own test error at any number of samples and any alpha."""

from __future__ import annotations

import numbers
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from sk_deepfeat.linear_model._arguments import average_outputs, check_alpha, fit_population
from sk_deepfeat.linear_model._search import best_alpha, required_samples
from sk_deepfeat.theory import ErrorDecomposition, ridge_factorization
from sk_deepfeat.theory._validation import check_alpha as check_alphas
from sk_deepfeat.theory._validation import check_n_samples

FloatArray = NDArray[np.float64]


class DeterministicEquivalentRidge(MultiOutputMixin, RegressorMixin, BaseEstimator):
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
        if not isinstance(self.fit_intercept, (bool, np.bool_)):
            raise TypeError(f"fit_intercept={self.fit_intercept!r} must be True or False.")
        X, y = validate_data(
            self,
            X,
            y,
            dtype=[np.float64, np.float32],  # the factorisation casts, and knows the rounding
            multi_output=True,
            y_numeric=True,
            ensure_min_samples=2,
        )
        y = np.asarray(y, dtype=np.float64)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
            if np.count_nonzero(sample_weight) < 2:
                raise ValueError("sample_weight must be positive for at least two rows.")
        fit_intercept = self._fit_intercept = bool(self.fit_intercept)
        path = ridge_factorization(X, y, sample_weight, fit_intercept=fit_intercept)
        if self.alpha != "optimal":
            path.anchors = (float(self.alpha) / path.mean_weight,)
        self._single_output = y.ndim == 1
        self._mean_weight = path.mean_weight
        self._feature_scale = float(path.eigenvalues.sum()) / path.n_rows
        self.n_samples_ = path.n_rows
        self.population_ = fit_population(self.population, X, y, sample_weight, fit_intercept, path)
        self.alpha_ = self._optimum(self.n_samples_) if self.alpha == "optimal" else self.alpha
        coefs = path.coefs(float(self.alpha_) / path.mean_weight)
        intercept = path.target_mean - path.feature_mean @ coefs
        self.coef_ = coefs[:, 0] if self._single_output else coefs.T
        if fit_intercept:
            self.intercept_ = float(intercept[0]) if self._single_output else intercept
        else:
            self.intercept_ = 0.0
        residual = path.targets - path.features @ coefs
        self.train_error_ = float(np.mean(np.square(residual)))
        self.kappa_ = float(self.population_.kappa(*self._cell(None, None), **self._intercept()))
        self.test_error_ = float(self.predict_test_error())
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

    def predict_test_error(
        self,
        n_samples: ArrayLike | None = None,
        alpha: Any = None,
        *,
        multioutput: Any = "uniform_average",
        return_interval: bool = False,
        level: float = 0.9,
    ) -> Any:
        """Predict the mean squared error on new samples, averaged over training sets.

        Parameters
        ----------
        n_samples : array-like, optional
            Numbers of training samples, at least 1; None is the fitted one.
        alpha : array-like or "optimal", optional
            Regularisations, broadcast against `n_samples`; None is the fitted one, "optimal" the
            best for each n.
        multioutput : {"uniform_average", "raw_values"} or array-like of shape (n_outputs,)
            As in `sklearn.metrics.mean_squared_error`; "raw_values" adds an axis of outputs.
        return_interval : bool, default=False
            Also return lower and upper ends, if the population knows them.
        level : float, default=0.9
            Coverage of the interval.

        Returns
        -------
        error : float or ndarray of shape broadcast(n_samples, alpha)
            In squared units of y; NaN where the population cannot know it.
        lower, upper : the same
            Only with ``return_interval=True``.

        Raises
        ------
        ValueError
            If a number is outside its range, or an interval is asked of a population without one.
        """
        check_is_fitted(self)
        cell = self._cell(n_samples, alpha)
        if not isinstance(level, numbers.Real) or not 0.0 < level < 1.0:
            raise ValueError(f"level={level!r} must lie between 0 and 1.")
        errors = self.population_.test_error(*cell, **self._intercept())
        averaged = average_outputs(errors, multioutput, self._single_output)
        if not return_interval:
            return averaged
        self._require("interval", "return_interval=True")
        ends = self.population_.interval(*cell, level=level, **self._intercept())
        return (averaged, *(average_outputs(e, multioutput, self._single_output) for e in ends))

    def predict_train_error(self, n_samples: ArrayLike | None = None, alpha: Any = None) -> Any:
        """Predict the mean squared error on the training rows, averaged over outputs.

        Parameters
        ----------
        n_samples, alpha : array-like, optional
            As in `predict_test_error`.

        Returns
        -------
        float or ndarray of shape broadcast(n_samples, alpha)
        """
        check_is_fitted(self)
        self._require("train_error", "predict_train_error")
        errors = self.population_.train_error(*self._cell(n_samples, alpha), **self._intercept())
        return average_outputs(errors, "uniform_average", self._single_output)

    def predict_decomposition(
        self, n_samples: ArrayLike | None = None, alpha: Any = None
    ) -> ErrorDecomposition:
        """Predict squared bias, variance, label-noise variance and noise, averaged over outputs.

        Parameters
        ----------
        n_samples, alpha : array-like, optional
            As in `predict_test_error`.

        Returns
        -------
        ErrorDecomposition
            Iterates over (bias, variance, noise_variance, noise); also has ``bias_and_noise`` and
            ``total_variance``, which one training set does identify. Unknown parts are NaN.
        """
        check_is_fitted(self)
        self._require("decomposition", "predict_decomposition")
        found = self.population_.decomposition(*self._cell(n_samples, alpha), **self._intercept())
        bias, variance, noise_variance, noise = found
        parts = (
            *(bias, variance, noise_variance, noise),
            getattr(found, "bias_and_noise", np.add(bias, noise)),
            getattr(found, "total_variance", np.add(variance, noise_variance)),
        )
        return ErrorDecomposition(
            *(average_outputs(part, "uniform_average", self._single_output) for part in parts)
        )

    def optimal_alpha(self, n_samples: ArrayLike | None = None) -> Any:
        """Return the alpha of least predicted error for each number of samples.

        Parameters
        ----------
        n_samples : array-like, optional
            At least 1; None is the fitted one.

        Returns
        -------
        float or ndarray of the shape of `n_samples`
            NaN where no alpha is identifiable. A `PopulationWarning` says when the optimum lies on
            the edge of what is identifiable.
        """
        check_is_fitted(self)
        n = np.asarray(self._cell(n_samples, 1.0)[0])
        return np.array([self._optimum(size) for size in n.ravel()]).reshape(n.shape)[()]

    def required_samples(self, target_error: float, alpha: Any = "optimal") -> float:
        """Return the smallest number of samples whose predicted error is at most the target.

        Parameters
        ----------
        target_error : float
            Mean squared error to reach, averaged over outputs.
        alpha : float or "optimal", default="optimal"
            Regularisation, or the best for each n.

        Returns
        -------
        float
            An integer value; infinity if the target is not above the known floor, NaN if it is not
            reached where the population identifies the error; both with a `PopulationWarning`.
        """
        check_is_fitted(self)
        number = isinstance(target_error, numbers.Real) and not isinstance(target_error, bool)
        if not number or not np.isfinite(target_error):
            raise ValueError(f"target_error={target_error!r} must be a finite number.")
        check_alpha(alpha)
        floor = np.nan
        if hasattr(self.population_, "decomposition"):
            floor = float(self.predict_decomposition().noise)
        return required_samples(
            self._surface,
            self._searched,
            float(target_error),
            alpha,
            self._scale(),
            max(0.0, floor),  # a NaN floor is none but zero
        )

    def reachable(self, n_samples: ArrayLike | None = None, alpha: Any = None) -> Any:
        """Say where the population identifies the error.

        Parameters
        ----------
        n_samples, alpha : array-like, optional
            As in `predict_test_error`.

        Returns
        -------
        bool or ndarray of bool of shape broadcast(n_samples, alpha)
        """
        check_is_fitted(self)
        cell = self._cell(n_samples, alpha)
        if hasattr(self.population_, "reachable"):
            return np.asarray(self.population_.reachable(*cell, **self._intercept()))[()]
        errors = self.population_.test_error(*cell, **self._intercept())
        return ~np.isnan(average_outputs(errors, "uniform_average", self._single_output))

    def calibration_check(self, sizes: Any = None) -> Any:
        """Compare errors measured on random subsets of the training rows with the theory's.

        Nothing asymptotic enters the measured ones: where they agree, rows are such as the theory
        takes them to be.

        Parameters
        ----------
        sizes : array-like of int, optional
            Sizes of the subsets, below the number of training rows; None takes six.

        Returns
        -------
        CalibrationCheck
            A table, ``passed``, and the number ``disagreement``; a `PopulationWarning` says so
            where they disagree by more than noise.

        Raises
        ------
        ValueError
            If the population has no such check, or a size is out of range.
        """
        check_is_fitted(self)
        self._require("calibration_check", "calibration_check")
        found = self.population_.calibration_check(sizes)
        return replace(found, alpha=found.alpha * self._mean_weight)

    def _intercept(self) -> dict[str, bool]:
        return {"fit_intercept": self._fit_intercept}

    def _scale(self) -> float:
        return self._feature_scale * self._mean_weight

    def _require(self, member: str, asked: str) -> None:
        if not hasattr(self.population_, member):
            raise ValueError(
                f"population={self.population!r} does not implement {member}, which {asked} needs."
            )

    def _cell(self, n_samples: Any, alpha: Any) -> tuple[FloatArray, FloatArray]:
        """Return validated (n, alpha for weights of mean one); None is what was fitted."""
        n = check_n_samples(self.n_samples_ if n_samples is None else n_samples)
        if isinstance(alpha, str):
            check_alpha(alpha)
            alpha = np.array([self._optimum(size) for size in n.ravel()]).reshape(n.shape)
        values = check_alphas(self.alpha_ if alpha is None else alpha)
        return n, values / self._mean_weight

    def _surface(self, n_samples: FloatArray, alpha: FloatArray) -> FloatArray:
        return self._averaged("test_error", n_samples, alpha)

    def _searched(self, n_samples: FloatArray, alpha: FloatArray) -> FloatArray:
        """Errors for a search over alpha; a population may raise those it is less sure of."""
        has = hasattr(self.population_, "cautious_error")
        return self._averaged("cautious_error" if has else "test_error", n_samples, alpha)

    def _averaged(self, member: str, n_samples: FloatArray, alpha: FloatArray) -> FloatArray:
        errors = getattr(self.population_, member)(
            n_samples, alpha / self._mean_weight, **self._intercept()
        )
        return np.asarray(average_outputs(errors, "uniform_average", self._single_output))

    def _optimum(self, n_samples: float) -> float:
        return best_alpha(self._searched, float(n_samples), self._scale())
