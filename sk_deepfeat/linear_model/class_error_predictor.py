"""What a fitted ridge on codes of classes knows about its own errors, as one immutable value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.linear_model._arguments import one_target
from sk_deepfeat.linear_model._population import AskedPopulation
from sk_deepfeat.linear_model._scores import CLASS_SCORES, named, score_of_losses
from sk_deepfeat.linear_model.error_predictor import ErrorPredictor
from sk_deepfeat.theory.one_sample.classes import tuning
from sk_deepfeat.theory.required_samples import Goal
from sk_deepfeat.theory.validation import FloatArray, alpha_of_mean_weight, is_finite

# Which of the K + 2 losses of a population each metric is.
_COLUMNS = {
    "error_rate": slice(-2, -1),
    "balanced_error": slice(-1, None),
    "log_loss": slice(-2, -1),
    "class_error": slice(0, -2),
}
_CHECKED = ("error_rate", "balanced_error")
METRICS = ("error_rate", "mse", "balanced_error", "log_loss")


class ClassErrors(NamedTuple):
    """Error rates of each class, shapes broadcast(n_samples, alpha) + (n_classes,)."""

    error: Any
    """Expected share of its rows that are misclassified; NaN where it is not known."""
    lower: Any
    """Lower ends of intervals."""
    upper: Any
    """Upper ends."""
    floor: Any
    """√((1-ε)/(ε m)) for the m training rows of the class, the relative standard error that no
    method that learns from them goes below."""


@dataclass(frozen=True, eq=False)
class ClassErrorPredictor:
    """Answers to every question about the errors of a ridge classifier.

    `DeterministicEquivalentRidgeClassifier` makes one when it is fitted, as ``error_predictor_``;
    the methods are documented there.

    Parameters
    ----------
    squared : ErrorPredictor
        Of the squared error of the codes.
    class_counts : ndarray of shape (n_classes,)
        Training rows of each class.
    """

    squared: ErrorPredictor
    class_counts: NDArray[np.intp]

    def of(self, metric: str, temperature: float | None = None) -> ErrorPredictor:
        """Return what answers for one metric.

        Parameters
        ----------
        metric : {"error_rate", "mse", "balanced_error", "log_loss"}
            Which error.
        temperature : float, optional
            Of the log-loss.
        """
        if not isinstance(metric, str) or metric not in METRICS:
            raise ValueError(f"metric={metric!r} must be one of {', '.join(map(repr, METRICS))}.")
        at = _check_temperature(temperature, metric)
        if metric == "mse":
            return self.squared
        return self._of(metric, at)

    def _of(self, metric: str, temperature: float | None) -> ErrorPredictor:
        key = metric, temperature
        if key not in self._made:
            of = self.squared.asked
            given = {each.name: getattr(of, each.name) for each in fields(of)}
            asked = AskedMetric(**given, metric=metric, temperature=temperature)
            self._made[key] = _MetricPredictor(
                asked,
                self.squared.n_samples,
                self.squared.alpha,
                self.squared.feature_scale,
                self.squared.group_size,
            )
        return self._made[key]

    @cached_property
    def _made(self) -> dict[tuple[str, float | None], ErrorPredictor]:
        return {}

    @property
    def feature_scale(self) -> float:
        """Mean squared norm of a row of features, times its weight."""
        return self.squared.feature_scale

    @property
    def n_samples(self) -> int:
        """Training rows."""
        return self.squared.n_samples

    @property
    def alpha(self) -> Any:
        """What stands for ``alpha=None``."""
        return self.squared.alpha

    @property
    def group_size(self) -> float | None:
        """Mean rows of a group, if there are groups."""
        return self.squared.group_size

    @property
    def knows_error_rates(self) -> bool:
        """Whether the population knows more than squared errors."""
        return self.squared.asked.knows_classes

    @property
    def knows_intervals(self) -> bool:
        """Whether the population knows how uncertain its errors are."""
        return self.knows_error_rates

    def test_error(
        self,
        n_samples: Any = None,
        alpha: Any = None,
        *,
        metric: str = "error_rate",
        temperature: float | None = None,
        **options: Any,
    ) -> Any:
        """Return errors, and with ``return_interval`` the ends of their intervals."""
        return self.of(metric, temperature).test_error(n_samples, alpha, **options)

    def score(
        self,
        n_samples: Any = None,
        alpha: Any = None,
        *,
        scoring: str = "accuracy",
        temperature: float | None = None,
        **options: Any,
    ) -> Any:
        """Return scores, and with ``return_interval`` the ends of their intervals."""
        score = named(CLASS_SCORES, scoring)
        predictor = self.of(score.metric, temperature)
        return score_of_losses(score.best, predictor.test_error(n_samples, alpha, **options))

    def class_errors(
        self, n_samples: Any = None, alpha: Any = None, *, n_groups: Any = None, level: float = 0.9
    ) -> ClassErrors:
        """Return the error rate of each class."""
        error, lower, upper = self._of("class_error", None).test_error(
            n_samples,
            alpha,
            n_groups=n_groups,
            multioutput="raw_values",
            return_interval=True,
            level=level,
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            floor = np.sqrt((1.0 - error) / (error * self.class_counts))
        return ClassErrors(error, lower, upper, floor)

    def optimal_alpha(
        self,
        n_samples: Any = None,
        *,
        n_groups: Any = None,
        metric: str = "error_rate",
        temperature: float | None = None,
    ) -> Any:
        """Return the alphas of least predicted error."""
        return self.of(metric, temperature).optimal_alpha(n_samples, n_groups=n_groups)

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
        """Return the smallest number of samples that reaches an error, or a score."""
        target = _ClassTarget.of(target_error, target_score, metric, scoring)
        predictor = self.of(target.metric, temperature)
        return predictor.first_sufficient(target.loss, alpha, 1.0, target.goal)

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
        """Return the smallest number of groups that reaches an error, or a score."""
        target = _ClassTarget.of(target_error, target_score, metric, scoring)
        predictor = self.of(target.metric, temperature)
        size = predictor.known_group_size("required_groups")
        return predictor.first_sufficient(target.loss, alpha, size, target.goal)

    def reachable(
        self,
        n_samples: Any = None,
        alpha: Any = None,
        *,
        n_groups: Any = None,
        metric: str = "error_rate",
    ) -> Any:
        """Return where the population identifies the error."""
        return self.of(metric).reachable(n_samples, alpha, n_groups=n_groups)

    def calibration_check(self, sizes: Any = None, *, metric: str = "error_rate") -> Any:
        """Return errors measured on subsets beside predicted ones."""
        return self.of(metric).calibration_check(sizes)

    # Training errors, parts of the error, κ and degrees of freedom are those of squared errors.

    def train_error(self, *cells: Any, **options: Any) -> Any:
        """Return squared training errors."""
        return self.squared.train_error(*cells, **options)

    def decomposition(self, *cells: Any, **options: Any) -> Any:
        """Return the parts of the squared errors."""
        return self.squared.decomposition(*cells, **options)

    def kappa(self, *cells: Any, **options: Any) -> Any:
        """Return effective regularisations."""
        return self.squared.kappa(*cells, **options)

    def degrees_of_freedom(self, kappa: Any = None) -> Any:
        """Return df1 and df2."""
        return self.squared.degrees_of_freedom(kappa)


@dataclass(frozen=True, eq=False)
class AskedMetric(AskedPopulation):
    """A fitted population that is asked for a loss of classes in place of the squared error.

    Parameters
    ----------
    metric : str
        Which loss.
    temperature : float or None
        Of the log-loss.
    exact : bool, default=True
        Whether at the training size every alpha is counted by itself.
    """

    metric: str = "error_rate"
    temperature: float | None = None
    exact: bool = True

    def answer(self, n_samples: FloatArray, alpha: FloatArray, *, variance: bool = False) -> Any:
        """Return the population's `ClassAnswer` of cells."""
        if not self.knows_classes:
            raise ValueError(
                f"metric={self.metric!r} is more than population={self.given!r} knows, which is "
                "squared errors: metric='mse'; population='leave-one-out' knows all of them."
            )
        return self.population.class_answer(
            n_samples,
            alpha_of_mean_weight(alpha, self.mean_weight),
            fit_intercept=self.fit_intercept,
            columns=_COLUMNS[self.metric],
            temperature=self.temperature,
            exact=self.exact,
        )

    def calibration_check(self, sizes: Any, column: int | None = None) -> Any:
        """Return the check of this loss."""
        if self.metric not in _CHECKED or not self.knows_classes:
            raise ValueError(
                f"metric={self.metric!r} has no calibration_check with population={self.given!r}; "
                "of classes, 'error_rate' and 'balanced_error' have one with "
                "population='leave-one-out', and 'mse' has one with others, too."
            )
        return super().calibration_check(sizes, _COLUMNS[self.metric].start)


class _MetricPredictor(ErrorPredictor):
    """Answers for one loss; a search over alpha does not count every alpha by itself."""

    def _errors(self, n_samples: FloatArray, alpha: FloatArray) -> tuple[FloatArray, FloatArray]:
        answer = self._roughly_asked.answer(n_samples, alpha)
        return answer.error[..., 0], answer.cautious_error[..., 0]

    @property
    def _told_errors(self) -> Callable[[FloatArray, FloatArray], FloatArray]:
        return self._errors_as_told

    def _errors_as_told(self, n_samples: FloatArray, alpha: FloatArray) -> FloatArray:
        return np.asarray(self.asked.answer(n_samples, alpha).error[..., 0])

    @cached_property
    def _roughly_asked(self) -> Any:
        return replace(self.asked, exact=False)  # type: ignore[call-arg]


class _ClassTarget(NamedTuple):
    """What is to be reached: a loss of classes at most, and what users call it."""

    metric: str
    loss: float
    goal: Goal

    @classmethod
    def of(cls, target_error: Any, target_score: Any, metric: str, scoring: str) -> _ClassTarget:
        """Return it from the one of both targets that is given."""
        score = named(CLASS_SCORES, scoring)
        name, target = one_target(target_error, target_score)
        if target_score is None:
            return cls(metric, target, Goal())
        return cls(score.metric, score.best - target, Goal(name, score.best))


def _check_temperature(temperature: Any, metric: str) -> float | None:
    """Return the temperature of a metric, None where it has none."""
    if metric != "log_loss":
        if temperature is not None:
            raise ValueError(
                f"temperature={temperature!r} is for metric='log_loss'; metric={metric!r} has none."
            )
        return None
    if temperature is None:
        return tuning.LOG_LOSS_TEMPERATURE
    if not is_finite(temperature) or temperature <= 0:
        raise ValueError(f"temperature={temperature!r} must be a positive number.")
    return float(temperature)
