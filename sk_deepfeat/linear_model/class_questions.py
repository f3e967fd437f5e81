"""The questions that a classifier with predicted errors answers, each documented once."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike
from sklearn.utils.metaestimators import available_if

from sk_deepfeat.linear_model.class_error_predictor import ClassErrors
from sk_deepfeat.linear_model.questions import ErrorQuestionsMixin, given_groups, has_answers


class ClassErrorQuestionsMixin(ErrorQuestionsMixin):
    """Questions about error rates, put to the `ClassErrorPredictor` of a fitted classifier.

    What is not asked here anew (training errors, the parts of an error, κ, degrees of freedom) is
    about the squared error of the codes, as of a regressor.
    """

    @available_if(has_answers)
    def predict_test_error(
        self,
        n_samples: ArrayLike | None = None,
        alpha: Any = None,
        *,
        metric: str = "error_rate",
        temperature: float | None = None,
        n_groups: ArrayLike | None = None,
        return_interval: bool = False,
        level: float = 0.9,
    ) -> Any:
        """Predict an error on new samples, averaged over training sets drawn at random.

        Parameters
        ----------
        n_samples : array-like, optional
            Numbers of training rows, at least 1, drawn independently, so that the numbers of each
            class vary; None is the fitted one.
        alpha : array-like or "optimal", optional
            Regularisations, broadcast against `n_samples`; None is the fitted one, "optimal" the
            best for each n by the metric that is asked for.
        metric : {"error_rate", "mse", "balanced_error", "log_loss"}, default="error_rate"
            Share of rows that are misclassified; mean squared error of the codes -1 and 1, over
            codes; mean over classes of their error rates; log-loss of the probabilities that
            `temperature` makes of the scores.
        temperature : float, default=0.5
            For ``metric="log_loss"`` alone: probabilities are proportional to
            exp(score/temperature), the softmax of ``decision_function``; of two classes the scores
            are -d and d.
        n_groups : array-like, optional
            Numbers of groups, at least 1, in place of `n_samples`: so many times the training
            groups' mean number of rows. For an estimator that was fitted with groups.
        return_interval : bool, default=False
            Also return lower and upper ends.
        level : float, default=0.9
            Coverage of the interval.

        Returns
        -------
        error : float or ndarray of shape broadcast(n_samples, alpha)
            NaN where the population cannot know it. At the training size, error rates are the
            exact count of training rows that ridge on all the others misclassifies.
        lower, upper : the same
            Only with ``return_interval=True``.

        Raises
        ------
        ValueError
            If a number is outside its range, or the population does not know the metric.

        Notes
        -----
        Of few rows, draws that are stratified by class do better than independent ones, which are
        predicted: of ten classes and 50 rows by a tenth to a third.
        """
        return self._error_predictor().test_error(
            n_samples,
            alpha,
            metric=metric,
            temperature=temperature,
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
        scoring: str = "accuracy",
        temperature: float | None = None,
        n_groups: ArrayLike | None = None,
        return_interval: bool = False,
        level: float = 0.9,
    ) -> Any:
        """Predict a score on new samples, by the name that scikit-learn's scorers have.

        Parameters
        ----------
        n_samples, alpha, temperature, n_groups, return_interval, level : optional
            As in `predict_test_error`; an alpha of "optimal" is the best by this score.
        scoring : {"accuracy", "balanced_accuracy", "neg_log_loss"}, default="accuracy"
            One less the error rate, or the mean of the classes' error rates; less the log-loss.

        Returns
        -------
        score : float or ndarray of shape broadcast(n_samples, alpha)
            Higher is better; NaN where the population cannot know it.
        lower, upper : the same
            Only with ``return_interval=True``.

        Raises
        ------
        ValueError
            If there is no such score, or as in `predict_test_error`.
        """
        return self._error_predictor().score(
            n_samples,
            alpha,
            scoring=scoring,
            temperature=temperature,
            return_interval=return_interval,
            level=level,
            **given_groups(n_groups),
        )

    @available_if(has_answers)
    def predict_class_errors(
        self,
        n_samples: ArrayLike | None = None,
        alpha: Any = None,
        *,
        n_groups: ArrayLike | None = None,
        level: float = 0.9,
    ) -> ClassErrors:
        """Predict the error rate of each class, in the order of ``classes_``.

        Parameters
        ----------
        n_samples, alpha, n_groups, level : optional
            As in `predict_test_error`, but for ``alpha="optimal"``.

        Returns
        -------
        ClassErrors
            ``error``, ``lower``, ``upper`` and ``floor``, of shape
            broadcast(n_samples, alpha) + (n_classes,). A class of a single training row is NaN.
        """
        return self._error_predictor().class_errors(
            n_samples, alpha, level=level, **given_groups(n_groups)
        )

    @available_if(has_answers)
    def optimal_alpha(
        self,
        n_samples: ArrayLike | None = None,
        *,
        metric: str = "error_rate",
        temperature: float | None = None,
        n_groups: ArrayLike | None = None,
    ) -> Any:
        """Return the alpha of least predicted error for each number of samples.

        Parameters
        ----------
        n_samples : array-like, optional
            At least 1; None is the fitted one.
        metric, temperature, n_groups : optional
            As in `predict_test_error`.

        Returns
        -------
        float or ndarray of the shape of `n_samples`
            NaN where the best alpha lies beyond what is identifiable; a `PopulationWarning` says
            for which n.
        """
        return self._error_predictor().optimal_alpha(
            n_samples, metric=metric, temperature=temperature, **given_groups(n_groups)
        )

    @available_if(has_answers)
    def required_samples(
        self,
        target_error: float | None = None,
        alpha: Any = "optimal",
        *,
        metric: str = "error_rate",
        temperature: float | None = None,
        target_score: float | None = None,
        scoring: str = "accuracy",
    ) -> float:
        """Return the smallest number of samples whose predicted error is at most the target.

        Parameters
        ----------
        target_error : float, optional
            Error to reach, by `metric`. Pass this or `target_score`.
        alpha : float or "optimal", default="optimal"
            Regularisation; "optimal" is the best for each number of samples. Beyond the training
            size it is chosen with caution: a fixed alpha that is less sure may ask for fewer.
        metric, temperature : optional
            As in `predict_test_error`.
        target_score : float, optional
            Score to reach in place of an error, such as an accuracy.
        scoring : str, default="accuracy"
            Which score, as in `predict_score`.

        Returns
        -------
        float
            An integer value; NaN, with a `PopulationWarning`, if the target is not reached where
            the population identifies the error.
        """
        return self._error_predictor().required_samples(
            target_error,
            alpha,
            metric=metric,
            temperature=temperature,
            target_score=target_score,
            scoring=scoring,
        )

    @available_if(has_answers)
    def required_groups(
        self,
        target_error: float | None = None,
        alpha: Any = "optimal",
        *,
        metric: str = "error_rate",
        temperature: float | None = None,
        target_score: float | None = None,
        scoring: str = "accuracy",
    ) -> float:
        """Return the smallest number of groups whose predicted error is at most the target.

        Parameters
        ----------
        target_error, alpha, metric, temperature, target_score, scoring : optional
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
            target_error,
            alpha,
            metric=metric,
            temperature=temperature,
            target_score=target_score,
            scoring=scoring,
        )

    @available_if(has_answers)
    def reachable(
        self,
        n_samples: ArrayLike | None = None,
        alpha: Any = None,
        *,
        metric: str = "error_rate",
        n_groups: ArrayLike | None = None,
    ) -> Any:
        """Say where the population identifies the error.

        Parameters
        ----------
        n_samples, alpha, metric, n_groups : optional
            As in `predict_test_error`.

        Returns
        -------
        bool or ndarray of bool of shape broadcast(n_samples, alpha)
        """
        return self._error_predictor().reachable(
            n_samples, alpha, metric=metric, **given_groups(n_groups)
        )

    @available_if(has_answers)
    def calibration_check(self, sizes: Any = None, *, metric: str = "error_rate") -> Any:
        """Compare errors measured on random subsets of the training rows with the theory's.

        Parameters
        ----------
        sizes : array-like of int, optional
            Sizes of the subsets, below the number of training rows; None is those of the fit.
        metric : {"error_rate", "balanced_error", "mse"}, default="error_rate"
            What is compared, as in `predict_test_error`.

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
        return self._error_predictor().calibration_check(sizes, metric=metric)
