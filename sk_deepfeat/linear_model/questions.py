"""The questions that an estimator with a predicted error answers, each documented once."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.linear_model.error_predictor import ErrorPredictor
from sk_deepfeat.linear_model.fit_stages import shown
from sk_deepfeat.theory import ErrorDecomposition

# Each question of an `ErrorPredictor`, and the method by which an estimator answers it.
QUESTIONS = {
    "test_error": "predict_test_error",
    "score": "predict_score",
    "train_error": "predict_train_error",
    "decomposition": "predict_decomposition",
    "kappa": "predict_kappa",
    "degrees_of_freedom": "degrees_of_freedom",
    "optimal_alpha": "optimal_alpha",
    "required_samples": "required_samples",
    "required_groups": "required_groups",
    "reachable": "reachable",
    "calibration_check": "calibration_check",
    "class_errors": "predict_class_errors",
}


def given_groups(n_groups: Any) -> dict[str, Any]:
    """Pass the argument on if it was given: other estimators' questions may not have it."""
    return {} if n_groups is None else {"n_groups": n_groups}


def has_answers(estimator: Any) -> bool:
    """Say whether an estimator has the questions at all."""
    return bool(estimator._predicts_its_error())


class ErrorQuestionsMixin:
    """Questions about the error of an estimator, put to the `ErrorPredictor` that it was fitted to.

    A subclass has ``error_predictor_`` once it is fitted, or overrides ``_error_predictor`` to
    return what answers the same questions.
    """

    error_predictor_: ErrorPredictor

    def _predicts_its_error(self) -> bool:
        """Say whether the questions are there at all; otherwise they are no attributes."""
        return True

    def _error_predictor(self) -> Any:
        check_is_fitted(self)
        return shown(self.error_predictor_, getattr(self, "verbose", False))

    @available_if(has_answers)
    def predict_test_error(
        self,
        n_samples: ArrayLike | None = None,
        alpha: Any = None,
        *,
        n_groups: ArrayLike | None = None,
        multioutput: Any = "uniform_average",
        return_interval: bool = False,
        level: float = 0.9,
    ) -> Any:
        """Predict the mean squared error on new samples, averaged over training sets.

        Parameters
        ----------
        n_samples : array-like, optional
            Numbers of training rows, at least 1; None is the fitted one.
        alpha : array-like or "optimal", optional
            Regularisations, broadcast against `n_samples`; None is the fitted one, or those of each
            output, "optimal" the best for each n, with ``alpha_per_target`` for each output, too.
            Errors at the best do not rise with n; where it lies beyond what is identifiable they
            are NaN, and the interval has an upper end alone.
        n_groups : array-like, optional
            Numbers of groups, at least 1, in place of `n_samples`: so many times the training
            groups' mean number of rows. For an estimator that was fitted with groups.
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
            If a number is outside its range, an interval is asked of a population without one, both
            `n_samples` and `n_groups` are given, or `n_groups` without groups.

        Notes
        -----
        Fitted with groups, all errors are those on rows of new groups, averaged over training sets
        of `n_samples` rows in whole groups; less than one mean group is NaN.
        """
        return self._error_predictor().test_error(
            n_samples,
            alpha,
            multioutput=multioutput,
            return_interval=return_interval,
            level=level,
            **given_groups(n_groups),
        )

    @available_if(has_answers)
    def predict_score(
        self,
        n_samples: ArrayLike | None = None,
        alpha: Any = None,
        *,
        scoring: str = "r2",
        n_groups: ArrayLike | None = None,
        multioutput: Any = "uniform_average",
        return_interval: bool = False,
        level: float = 0.9,
    ) -> Any:
        r"""Predict a score on new samples, by the name that scikit-learn's scorers have.

        Parameters
        ----------
        n_samples, alpha, n_groups : array-like, optional
            As in `predict_test_error`; an alpha of "optimal" is the best by this score.
        scoring : {"r2", "neg_mean_squared_error", "neg_root_mean_squared_error"}, default="r2"
            Which score: R² = 1 - R/V with the expected squared error R and the variance V of the
            targets, of the population, too; -R; or -√R, in the units of y.
        multioutput : {"uniform_average", "raw_values", "variance_weighted"} or array-like
            As in `sklearn.metrics.r2_score`; "variance_weighted" for R² alone.
        return_interval : bool, default=False
            Also return lower and upper ends, if the population knows them.
        level : float, default=0.9
            Coverage of the interval.

        Returns
        -------
        score : float or ndarray of shape broadcast(n_samples, alpha)
            Higher is better; + (n_outputs,) with "raw_values". NaN where the error is, and R² of
            targets that do not vary.
        lower, upper : the same
            Only with ``return_interval=True``.

        Raises
        ------
        ValueError
            If the score does not follow from squared errors, or as in `predict_test_error`.

        Notes
        -----
        V is unbiased: half the mean squared difference of targets of two rows, or of rows of two
        groups. R and V are estimated from the same rows, and err together: intervals of R² are from
        the jackknife of their ratio. `sklearn.metrics.r2_score` on m test rows is on average lower,
        since it divides by their own variance: of normal targets and residuals by about
        (1 - R²)(1 + 2R²)/m.

        Examples
        --------
        >>> import numpy as np
        >>> from sk_deepfeat import DeterministicEquivalentRidge
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(500, 100))
        >>> y = X[:, 0] + rng.normal(size=500)
        >>> ridge = DeterministicEquivalentRidge(alpha=10.0).fit(X, y)
        >>> ridge.predict_score(n_samples=[200, 500, 2000]).round(2)
        array([0.02, 0.31, 0.41])
        """
        return self._error_predictor().score(
            n_samples,
            alpha,
            scoring=scoring,
            multioutput=multioutput,
            return_interval=return_interval,
            level=level,
            **given_groups(n_groups),
        )

    @available_if(has_answers)
    def predict_train_error(
        self,
        n_samples: ArrayLike | None = None,
        alpha: Any = None,
        *,
        n_groups: ArrayLike | None = None,
        multioutput: Any = "uniform_average",
    ) -> Any:
        """Predict the mean squared error on the training rows.

        Parameters
        ----------
        n_samples, alpha, n_groups, multioutput : optional
            As in `predict_test_error`.

        Returns
        -------
        float or ndarray of shape broadcast(n_samples, alpha)
        """
        return self._error_predictor().train_error(
            n_samples, alpha, multioutput=multioutput, **given_groups(n_groups)
        )

    @available_if(has_answers)
    def predict_decomposition(
        self,
        n_samples: ArrayLike | None = None,
        alpha: Any = None,
        *,
        n_groups: ArrayLike | None = None,
        multioutput: Any = "uniform_average",
    ) -> ErrorDecomposition:
        """Predict squared bias, variance, label-noise variance and noise.

        Parameters
        ----------
        n_samples, alpha, n_groups, multioutput : optional
            As in `predict_test_error`.

        Returns
        -------
        ErrorDecomposition
            Iterates over (bias, variance, noise_variance, noise); also has ``bias_and_noise`` and
            ``total_variance``, which one training set does identify. Unknown parts are NaN.
        """
        return self._error_predictor().decomposition(
            n_samples, alpha, multioutput=multioutput, **given_groups(n_groups)
        )

    @available_if(has_answers)
    def predict_kappa(
        self,
        n_samples: ArrayLike | None = None,
        alpha: Any = None,
        *,
        n_groups: ArrayLike | None = None,
    ) -> Any:
        """Return the effective regularisation κ: directions of larger eigenvalues are learned.

        Parameters
        ----------
        n_samples, alpha, n_groups : array-like, optional
            As in `predict_test_error`.

        Returns
        -------
        float or ndarray of shape broadcast(n_samples, alpha)
            In squared units of X; NaN where the population cannot know it. + (n_outputs,) where
            each output has an alpha of its own, here and in `reachable`.
        """
        return self._error_predictor().kappa(n_samples, alpha, **given_groups(n_groups))

    @available_if(has_answers)
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
        return self._error_predictor().degrees_of_freedom(kappa)

    @available_if(has_answers)
    def optimal_alpha(
        self, n_samples: ArrayLike | None = None, *, n_groups: ArrayLike | None = None
    ) -> Any:
        """Return the alpha of least predicted error for each number of samples.

        Parameters
        ----------
        n_samples : array-like, optional
            At least 1; None is the fitted one.
        n_groups : array-like, optional
            As in `predict_test_error`.

        Returns
        -------
        float or ndarray of the shape of `n_samples`
            NaN where the best alpha lies beyond what is identifiable; a `PopulationWarning` says
            for which n. With ``alpha_per_target``, that shape + (n_outputs,).
        """
        return self._error_predictor().optimal_alpha(n_samples, **given_groups(n_groups))

    @available_if(has_answers)
    def required_samples(
        self,
        target_error: float | None = None,
        alpha: Any = "optimal",
        *,
        target_score: float | None = None,
        scoring: str = "r2",
    ) -> float:
        """Return the smallest number of samples whose predicted error is at most the target.

        Parameters
        ----------
        target_error : float, optional
            Mean squared error to reach, averaged over outputs. Pass this or `target_score`.
        alpha : float or "optimal", default="optimal"
            Regularisation; "optimal" is the best for each number of samples. Beyond the training
            size it is chosen with caution: a fixed alpha that is less sure may ask for fewer.
        target_score : float, optional
            Score to reach, averaged over outputs, in place of an error.
        scoring : str, default="r2"
            Which score, as in `predict_score`.

        Returns
        -------
        float
            An integer value; infinity if the target is not above the known floor, NaN if it is not
            reached where the population identifies the error; both with a `PopulationWarning`.

        Raises
        ------
        ValueError
            If not one of both targets is given, or it is no finite number.
        """
        return self._error_predictor().required_samples(
            target_error, alpha, target_score=target_score, scoring=scoring
        )

    @available_if(has_answers)
    def required_groups(
        self,
        target_error: float | None = None,
        alpha: Any = "optimal",
        *,
        target_score: float | None = None,
        scoring: str = "r2",
    ) -> float:
        """Return the smallest number of groups whose predicted error is at most the target.

        Parameters
        ----------
        target_error, alpha, target_score, scoring : optional
            As in `required_samples`.

        Returns
        -------
        float
            As of `required_samples`, in groups of the training groups' mean number of rows.

        Raises
        ------
        ValueError
            If the estimator was fitted without groups.
        """
        return self._error_predictor().required_groups(
            target_error, alpha, target_score=target_score, scoring=scoring
        )

    @available_if(has_answers)
    def reachable(
        self,
        n_samples: ArrayLike | None = None,
        alpha: Any = None,
        *,
        n_groups: ArrayLike | None = None,
    ) -> Any:
        """Say where the population identifies the error.

        Parameters
        ----------
        n_samples, alpha, n_groups : array-like, optional
            As in `predict_test_error`.

        Returns
        -------
        bool or ndarray of bool of shape broadcast(n_samples, alpha)
        """
        return self._error_predictor().reachable(n_samples, alpha, **given_groups(n_groups))

    @available_if(has_answers)
    def calibration_check(self, sizes: Any = None) -> Any:
        """Compare errors measured on random subsets of the training rows with the theory's.

        Nothing asymptotic enters the measured ones: where they agree, rows are such as the theory
        takes them to be.

        Parameters
        ----------
        sizes : array-like of int, optional
            Sizes of the subsets, below the number of training rows; None is those of the fit.

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
        return self._error_predictor().calibration_check(sizes)
