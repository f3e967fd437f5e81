"""What a report says: the questions put to a fitted ridge, and its answers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection.arguments import FloatArray, as_row
from sk_deepfeat.model_selection.fitted_ridge import asked_metric, curves_of, metric_option
from sk_deepfeat.report.scores import Scores, scores_of
from sk_deepfeat.report.words import (
    ERROR_RATE,
    SQUARED_ERROR,
    SQUARED_ERROR_AND_SCORES,
    SQUARED_ERROR_OF_CODES,
    Words,
)

_SIZES = (0.1, 0.3, 1.0, 3.0, 10.0)  # of the table, in units of the training rows
_TARGETS = (0.95, 0.9, 0.75)  # in units of the least error at the training size


class ClassRow(NamedTuple):
    """What is predicted of one class, with the fitted alpha and all rows."""

    label: str
    n_rows: int
    error: float
    """Share of its rows that is misclassified; NaN: unknown."""
    lower: float
    upper: float


@dataclass
class Answers:
    """Numbers of one report; errors are mean squared errors, averaged over outputs, or error rates.

    A classifier whose population knows no error rates has mean squared errors of codes.
    """

    n_samples: int
    """Training rows of the ridge."""
    n_features: int
    alpha: Any
    """The fitted regularisation, a number or one of each output."""
    train_error: float
    baseline: float
    """Error of predicting the mean of the target, or the most frequent class."""
    best_alpha: Any
    """At the training size, a number or one of each output; NaN if unknown."""
    error: tuple[float, float, float]
    """Predicted at the training size and `alpha`, with the ends of its interval (NaN: unknown)."""
    best_error: float
    """Predicted at the training size and `best_alpha`."""
    sizes: FloatArray
    """Of the table, shape (S,)."""
    curves: dict[str, FloatArray]
    """``predicted``, ``reachable`` and perhaps ``lower``, ``upper``: fitted and best alpha."""
    required: list[tuple[float, float]]
    """Target errors, and how many samples the best alpha needs: infinity: never, NaN: unknown."""
    check: Any
    """A `CalibrationCheck`, or None if the population has none."""
    said: list[str] = field(default_factory=list)
    """Warnings that the answers brought."""
    n_groups: int | None = None
    """Groups of the training rows; errors are then those of rows of new groups."""
    words: Words = SQUARED_ERROR
    """How these errors are spoken of."""
    classes: list[ClassRow] = field(default_factory=list)
    """Of error rates, each class."""
    scores: Scores | None = None
    """R² and roots of squared errors; None of classes."""
    of_what: str = "the target"
    """Whose units errors have; a target that was transformed without a linear map has its own."""
    could_check: bool = True
    """Whether the population offers a check; its rows may be gone."""


def ask(ridge: Any, targets: Any = None) -> Answers:
    """Put the questions of a report to a fitted ridge.

    Parameters
    ----------
    ridge : DeterministicEquivalentRidge or DeterministicEquivalentRidgeClassifier
        Fitted.
    targets : array-like of shape (T,), optional
        Errors to reach; None is 95, 90 and 75 % of the least one at the training size.

    Returns
    -------
    Answers
    """
    said: list[str] = []
    n, metric = ridge.n_samples_, asked_metric(ridge, None)
    option = metric_option(ridge, metric)
    rates = metric == "error_rate"
    with heard(said):
        best = ridge.optimal_alpha(**option)
    least = np.nan if np.any(np.isnan(best)) else _least(ridge, best, option)
    fitted = ridge.alpha_ if np.ndim(ridge.alpha_) else float(ridge.alpha_)
    goals = _targets(targets, least, rates)
    sizes = np.unique(np.maximum(2.0, np.round(n * np.array(_SIZES))))
    baseline = _most_frequent(ridge) if rates else _baseline(ridge, option)
    scores = scores_of(ridge, sizes, baseline)
    of_numbers = SQUARED_ERROR if scores is None else SQUARED_ERROR_AND_SCORES
    words = ERROR_RATE if rates else SQUARED_ERROR_OF_CODES if option else of_numbers
    return Answers(
        n_samples=n,
        n_features=ridge.n_features_in_,
        alpha=fitted,
        train_error=ridge.train_error_ if rates or not option else ridge.predict_train_error(),
        baseline=baseline,
        best_alpha=best,
        error=_fitted_error(ridge, option),
        best_error=least,
        sizes=sizes,
        curves=curves_of(
            ridge, sizes, [None if np.ndim(fitted) else fitted, "optimal"], 0.9, metric
        ),
        required=[(goal, _required(ridge, goal, option)) for goal in goals],
        check=_check(ridge, option),
        said=said,
        n_groups=getattr(ridge, "n_groups_", None),
        words=words,
        classes=_classes(ridge) if rates else [],
        scores=scores,
        could_check=hasattr(ridge.population_, "calibration_check"),
    )


def _least(ridge: Any, best: Any, option: dict[str, str]) -> float:
    """Return the error at the best alpha, or at that of each output."""
    alpha = "optimal" if np.ndim(best) else float(best)
    return float(ridge.predict_test_error(alpha=alpha, **option))


def _targets(targets: Any, least: float, rates: bool) -> list[float]:
    if targets is None:
        return [] if not least > 0 else [share * least for share in _TARGETS]
    goals = as_row(targets, "targets", least=0.0, strict=True)[::-1]
    if rates and goals[0] >= 1.0:
        raise ValueError(f"targets must be error rates below 1; got {targets!r}.")
    return [float(goal) for goal in goals]


def _baseline(ridge: Any, option: dict[str, str]) -> float:
    """Return the error at a regularisation that leaves nothing but the intercept."""
    everything = ridge.error_predictor_.feature_scale * ridge.n_samples_ or 1.0
    return float(ridge.predict_test_error(alpha=1e9 * everything, **option))


def _most_frequent(ridge: Any) -> float:
    counts = ridge.error_predictor_.class_counts
    return float(1.0 - counts.max() / counts.sum())


def _fitted_error(ridge: Any, option: dict[str, str]) -> tuple[float, float, float]:
    if not ridge.error_predictor_.knows_intervals:
        return float(ridge.predict_test_error(**option)), np.nan, np.nan
    error, low, high = ridge.predict_test_error(return_interval=True, level=0.9, **option)
    return float(error), float(low), float(high)


def _classes(ridge: Any) -> list[ClassRow]:
    found, counts = ridge.predict_class_errors(), ridge.error_predictor_.class_counts
    cells = zip(ridge.classes_, counts, found.error, found.lower, found.upper, strict=True)
    return [ClassRow(str(label), int(n), *map(float, values)) for label, n, *values in cells]


def _required(ridge: Any, target: float, option: dict[str, str]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)  # infinity and NaN say the same
        return float(ridge.required_samples(target, **option))


def _check(ridge: Any, option: dict[str, str]) -> Any:
    if not hasattr(ridge.population_, "calibration_check"):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)  # the report says it in its own words
        try:
            return ridge.calibration_check(**option)
        except ValueError:  # the training rows are gone, as after unpickling
            return None


@contextmanager
def heard(said: list[str]) -> Iterator[None]:
    """Append the warnings of a population to `said`; let others through."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for item in caught:
        if issubclass(item.category, PopulationWarning):
            said.append(str(item.message))
        else:
            warnings.warn_explicit(item.message, item.category, item.filename, item.lineno)
