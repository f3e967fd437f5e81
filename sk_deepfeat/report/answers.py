"""What a report says: the questions put to a fitted ridge, and its answers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection.arguments import FloatArray, as_row
from sk_deepfeat.model_selection.fitted_ridge import curves_of

_SIZES = (0.1, 0.3, 1.0, 3.0, 10.0)  # of the table, in units of the training rows
_TARGETS = (0.95, 0.9, 0.75)  # in units of the least error at the training size


@dataclass
class Answers:
    """Numbers of one report; errors are mean squared errors, averaged over outputs."""

    n_samples: int
    """Training rows of the ridge."""
    n_features: int
    alpha: float
    """The fitted regularisation."""
    train_error: float
    baseline: float
    """Error of predicting the mean of the target."""
    best_alpha: float
    """At the training size; NaN if unknown."""
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


def ask(ridge: Any, targets: Any = None) -> Answers:
    """Put the questions of a report to a fitted ridge.

    Parameters
    ----------
    ridge : DeterministicEquivalentRidge
        Fitted.
    targets : array-like of shape (T,), optional
        Errors to reach; None is 95, 90 and 75 % of the least one at the training size.

    Returns
    -------
    Answers
    """
    said: list[str] = []
    n = ridge.n_samples_
    with _heard(said):
        best = float(ridge.optimal_alpha())
    least = np.nan if np.isnan(best) else float(ridge.predict_test_error(alpha=best))
    goals = _targets(targets, least)
    sizes = np.unique(np.maximum(2.0, np.round(n * np.array(_SIZES))))
    return Answers(
        n_samples=n,
        n_features=ridge.n_features_in_,
        alpha=float(ridge.alpha_),
        train_error=ridge.train_error_,
        baseline=_baseline(ridge),
        best_alpha=best,
        error=_fitted_error(ridge),
        best_error=least,
        sizes=sizes,
        curves=curves_of(ridge, sizes, [float(ridge.alpha_), "optimal"], 0.9),
        required=[(goal, _required(ridge, goal)) for goal in goals],
        check=_check(ridge),
        said=said,
        n_groups=getattr(ridge, "n_groups_", None),
    )


def _targets(targets: Any, least: float) -> list[float]:
    if targets is None:
        return [] if np.isnan(least) else [share * least for share in _TARGETS]
    return [float(goal) for goal in as_row(targets, "targets", least=0.0, strict=True)[::-1]]


def _baseline(ridge: Any) -> float:
    """Return the error at a regularisation that leaves nothing but the intercept."""
    everything = float(np.sum(ridge.eigenvalues_)) * ridge.n_samples_ or 1.0
    return float(ridge.predict_test_error(alpha=1e9 * everything))


def _fitted_error(ridge: Any) -> tuple[float, float, float]:
    if not ridge.error_predictor_.knows_intervals:
        return float(ridge.test_error_), np.nan, np.nan
    error, low, high = ridge.predict_test_error(return_interval=True, level=0.9)
    return float(error), float(low), float(high)


def _required(ridge: Any, target: float) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)  # infinity and NaN say the same
        return float(ridge.required_samples(target))


def _check(ridge: Any) -> Any:
    if not hasattr(ridge.population_, "calibration_check"):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)  # the report says it in its own words
        try:
            return ridge.calibration_check()
        except ValueError:  # the training rows are gone, as after unpickling
            return None


@contextmanager
def _heard(said: list[str]) -> Iterator[None]:
    """Append the warnings of a population to `said`; let others through."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for item in caught:
        if issubclass(item.category, PopulationWarning):
            said.append(str(item.message))
        else:
            warnings.warn_explicit(item.message, item.category, item.filename, item.lineno)
