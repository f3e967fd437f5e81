"""The fitted ridge inside whatever a display is given, and the cells to draw if none are named."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.linear_model.wrapped_ridges import fitted_ridge
from sk_deepfeat.model_selection.arguments import FloatArray

__all__ = ["fitted_ridge"]  # the door of displays and reports to all of this


def asked_metric(ridge: Any, metric: str | None) -> str:
    """Return which error is asked for; None is a classifier's error rate, if that is known."""
    known = getattr(ridge.error_predictor_, "knows_error_rates", None)
    if known is None and metric not in (None, "mse"):
        raise ValueError(f"metric={metric!r} is for classifiers; a regressor knows 'mse' alone.")
    return metric or ("error_rate" if known else "mse")


def metric_option(ridge: Any, metric: str) -> dict[str, str]:
    """Return the argument of a question about `metric`: a regressor's questions have none."""
    return {"metric": metric} if hasattr(ridge.error_predictor_, "knows_error_rates") else {}


def sizes_around(ridge: Any, count: int = 30) -> FloatArray:
    """Return whole numbers of samples from a thirtieth to ten times those of the fit."""
    n = float(ridge.n_samples_)
    return np.unique(np.geomspace(max(2.0, n / 30.0), 10.0 * n, count).round())


def three_sizes(ridge: Any) -> FloatArray:
    """Return a tenth of the numbers of samples of the fit, these, and ten times as many."""
    n = float(ridge.n_samples_)
    return np.unique([max(2.0, round(n / 10.0)), n, 10.0 * n])


def optimal_alphas(ridge: Any, n_samples: FloatArray, metric: str = "mse") -> FloatArray:
    """Return the best alpha for each n; a picture shows where it lies at the edge of reach."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        found = ridge.optimal_alpha(n_samples, **metric_option(ridge, metric))
        return np.asarray(found, dtype=np.float64)


def known_cells(
    ridge: Any, n_samples: FloatArray, alpha: Any, metric: str = "mse"
) -> tuple[NDArray[np.bool_], FloatArray, Any]:
    """Return which n can be asked about, these n, and the regularisation to ask for at each.

    All of them, unless `alpha` is "optimal": the best one is not known at every n.
    """
    if not (isinstance(alpha, str) and alpha == "optimal"):
        return np.ones(len(n_samples), dtype=bool), n_samples, alpha
    best = optimal_alphas(ridge, n_samples, metric)
    known = ~np.isnan(best)
    return known, n_samples[known], best[known]


def alphas_around(ridge: Any, best: FloatArray, count: int = 45) -> FloatArray:
    """Return regularisations two decades about the best ones and the fitted one."""
    middle = np.append(best, float(ridge.alpha_))
    middle = middle[np.isfinite(middle) & (middle > 0.0)]
    if middle.size == 0:  # without noise the best is zero: about the strength of the features
        middle = np.array([ridge.error_predictor_.feature_scale or 1.0])
    return np.geomspace(middle.min() / 100.0, middle.max() * 100.0, count)


def curves_of(
    ridge: Any, n_samples: FloatArray, alphas: Any, level: float, metric: str = "mse"
) -> dict[str, Any]:
    """Return predicted errors of shape (S, A), their interval and where they are identified.

    Parameters
    ----------
    ridge : DeterministicEquivalentRidge
        Fitted.
    n_samples : ndarray of shape (S,)
        Numbers of training samples.
    alphas : sequence of A floats, "optimal" or None
        Regularisations; None is the fitted one.
    level : float
        Nominal coverage of the interval; left out if the population knows none.
    metric : str, default="mse"
        From `asked_metric`.

    Returns
    -------
    dict
        ``predicted``, ``reachable``, and ``lower`` and ``upper`` if they are known.
    """
    has_interval, option = ridge.error_predictor_.knows_intervals, metric_option(ridge, metric)
    names = ("predicted", "lower", "upper") if has_interval else ("predicted",)
    found = {name: np.full((len(n_samples), len(alphas)), np.nan) for name in names}
    reachable = np.zeros((len(n_samples), len(alphas)), dtype=bool)
    for column, alpha in enumerate(alphas):
        known, *cells = known_cells(ridge, n_samples, alpha, metric)
        answer = ridge.predict_test_error(
            *cells, return_interval=has_interval, level=level, **option
        )
        for name, values in zip(names, answer if has_interval else (answer,), strict=True):
            found[name][known, column] = values
        reachable[known, column] = ridge.reachable(*cells, **option)
    return {**found, "reachable": reachable}
