"""What a fitted ridge answers about its own error."""

from __future__ import annotations

import numbers
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.linear_model._arguments import average_outputs, check_alpha
from sk_deepfeat.linear_model._search import best_alpha, required_samples
from sk_deepfeat.theory import ErrorDecomposition
from sk_deepfeat.theory.validation import check_alpha as check_alphas
from sk_deepfeat.theory.validation import check_cells, check_level, check_n_samples

FloatArray = NDArray[np.float64]


class ErrorPredictionMixin:
    """Questions to a fitted population, in the estimator's alpha and averaged over outputs.

    The estimator's ``fit`` sets the attributes below.
    """

    population: Any
    population_: Any
    alpha_: float
    kappa_: float
    n_samples_: int
    _fit_intercept: bool
    _single_output: bool
    _mean_weight: float
    _feature_scale: float

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
        check_level(level)
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

    def predict_kappa(self, n_samples: ArrayLike | None = None, alpha: Any = None) -> Any:
        """Return the effective regularisation κ: directions of larger eigenvalues are learned.

        Parameters
        ----------
        n_samples, alpha : array-like, optional
            As in `predict_test_error`.

        Returns
        -------
        float or ndarray of shape broadcast(n_samples, alpha)
            In squared units of X; NaN where the population cannot know it.
        """
        check_is_fitted(self)
        found = self.population_.kappa(*self._cell(n_samples, alpha), **self._intercept())
        return np.asarray(found)[()]

    def degrees_of_freedom(self, kappa: ArrayLike | None = None) -> tuple[Any, Any]:
        """Return df1 = Σ ω/(ω+κ) and df2 = Σ ω²/(ω+κ)² of the population's eigenvalues ω.

        Parameters
        ----------
        kappa : array-like, optional
            Effective regularisations, not negative; None is the fitted one.

        Returns
        -------
        df1, df2 : float or ndarray of the shape of `kappa`
            NaN where the population cannot know them.

        Raises
        ------
        ValueError
            If the population does not tell them.
        """
        check_is_fitted(self)
        self._require("degrees_of_freedom", "degrees_of_freedom")
        at = self.kappa_ if kappa is None else check_alphas(kappa, "kappa")
        df1, df2 = self.population_.degrees_of_freedom(at, **self._intercept())
        return np.asarray(df1)[()], np.asarray(df2)[()]

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
            needs = "" if asked == member else f", which {asked} needs"
            raise ValueError(
                f"population={self.population!r} does not implement {member}{needs}; "
                "population='leave-one-out' does."
            )

    def _cell(self, n_samples: Any, alpha: Any) -> tuple[FloatArray, FloatArray]:
        """Return validated (n, alpha for weights of mean one); None is what was fitted."""
        n = check_n_samples(self.n_samples_ if n_samples is None else n_samples)
        if isinstance(alpha, str):
            check_alpha(alpha)
            alpha = np.array([self._optimum(size) for size in n.ravel()]).reshape(n.shape)
        values = check_alphas(self.alpha_ if alpha is None else alpha)
        check_cells(n, values)
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
