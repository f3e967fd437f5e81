"""What a fitted ridge tells about its error, in a few numbers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection.fitted_ridge import asked_metric, metric_option

_LEVEL = 0.9
_SHARES = (0.95, 0.9, 0.75)  # of the least error: what is asked for where no target is named
_ALL_REGULARISED = 1e9  # times what would do: nothing but the intercept is left


class Headline(NamedTuple):
    """Errors are mean squared errors, averaged over outputs, or error rates."""

    n_samples: int
    """Rows of the ridge."""
    n_groups: int | None
    n_features: int
    metric: str
    alpha: float
    """Fitted."""
    best_alpha: float
    """NaN: unknown."""
    error: float
    """Predicted at these rows and the fitted alpha."""
    lower: float
    upper: float
    best_error: float
    baseline: float
    """Error of predicting the mean, or the most frequent class."""
    required: list[tuple[float, float]]
    """Errors to reach, and how many rows they need: infinity: never, NaN: unknown."""
    r2: tuple[float, float, float]
    """At these rows and the fitted alpha, with the ends of its interval; NaN: unknown, as of error
    rates."""
    root: tuple[float, float, float]
    """Of the squared error, in units of the target."""


def headline_of(ridge: Any, targets: Sequence[float] | None, *, quickly: bool = False) -> Headline:
    """Ask a fitted ridge.

    Parameters
    ----------
    ridge : DeterministicEquivalentRidge or its classifier
        Fitted.
    targets : sequence of float, optional
        Errors to reach; None is 95, 90 and 75 % of the least one with these rows.
    quickly : bool, default=False
        Whether to ask how many rows error rates need only of targets that are named: it takes
        seconds.
    """
    predictor, metric = ridge.error_predictor_, asked_metric(ridge, None)
    option = metric_option(ridge, metric)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)  # infinity and NaN say the same
        best = float(ridge.optimal_alpha(**option))
        least = np.nan
        if not np.isnan(best):
            least = float(ridge.predict_test_error(alpha=best, **option))
        if targets is None:
            slow = quickly and metric != "mse"
            targets = [share * least for share in _SHARES] if least > 0 and not slow else []
        required = [
            (float(goal), float(ridge.required_samples(goal, **option))) for goal in targets
        ]
        if metric == "mse":
            everything = predictor.feature_scale * ridge.n_samples_ or 1.0
            alpha = _ALL_REGULARISED * everything
            baseline = float(ridge.predict_test_error(alpha=alpha, **option))
        else:
            baseline = float(1.0 - predictor.class_counts.max() / predictor.class_counts.sum())
    error, lower, upper = float(ridge.predict_test_error(**option)), np.nan, np.nan
    if predictor.knows_intervals:
        ends = ridge.predict_test_error(return_interval=True, level=_LEVEL, **option)
        error, lower, upper = map(float, ends)
    return Headline(
        n_samples=ridge.n_samples_,
        n_groups=getattr(ridge, "n_groups_", None),
        n_features=ridge.n_features_in_,
        metric=metric,
        alpha=float(ridge.alpha_),
        best_alpha=best,
        error=error,
        lower=lower,
        upper=upper,
        best_error=least,
        baseline=baseline,
        required=required,
        r2=_score(ridge, "r2"),
        root=_root(*_score(ridge, "neg_root_mean_squared_error")),
    )


def _score(ridge: Any, scoring: str) -> tuple[float, float, float]:
    """Return a score and both ends of its interval, as far as they are known."""
    unknown = (np.nan, np.nan, np.nan)
    if not hasattr(ridge, "predict_score"):  # of classes there are error rates
        return unknown
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        try:
            if not ridge.error_predictor_.knows_intervals:
                return float(ridge.predict_score(scoring=scoring)), np.nan, np.nan
            score, lower, upper = ridge.predict_score(
                scoring=scoring, return_interval=True, level=_LEVEL
            )
        except ValueError:  # the population knows no variance of the target
            return unknown
    return float(score), float(lower), float(upper)


def _root(score: float, lower: float, upper: float) -> tuple[float, float, float]:
    return -score, -upper, -lower
