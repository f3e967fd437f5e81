"""The fitted ridge inside whatever a display is given, and the cells to draw if none are named."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.linear_model.wrapped_ridges import fitted_ridge
from sk_deepfeat.model_selection.arguments import FloatArray
from sk_deepfeat.theory.validation import check_level

__all__ = [
    "alphas_around",
    "asked_metric",
    "best_of_fit",
    "curves_of",
    "fitted_alpha",
    "fitted_ridge",
    "kappa_at",
    "known_cells",
    "metric_option",
    "optimal_alphas",
    "quantiles_of",
    "sizes_around",
    "three_sizes",
]

_SIZES, _ALPHAS = 40, 60  # of lines that look smooth, not of tables
_LARGEST = 1e200  # alpha that is drawn; matplotlib's axes end a few decades below 1e308


def asked_metric(ridge: Any, metric: str | None) -> str:
    """Return which error is asked for; None is a classifier's error rate, if that is known."""
    known = getattr(ridge.error_predictor_, "knows_error_rates", None)
    if known is None and not (metric is None or (isinstance(metric, str) and metric == "mse")):
        raise ValueError(f"metric={metric!r} is for classifiers; a regressor knows 'mse' alone.")
    if metric is not None:
        return metric
    return "error_rate" if known else "mse"


def metric_option(ridge: Any, metric: str) -> dict[str, str]:
    """Return the argument of a question about `metric`: a regressor's questions have none."""
    return {"metric": metric} if hasattr(ridge.error_predictor_, "knows_error_rates") else {}


def sizes_around(ridge: Any, count: int = _SIZES) -> FloatArray:
    """Return whole numbers of samples from a thirtieth to ten times those of the fit."""
    n = float(ridge.n_samples_)
    return np.unique(np.geomspace(max(2.0, n / 30.0), 10.0 * n, count).round())


def three_sizes(ridge: Any) -> FloatArray:
    """Return a tenth of the numbers of samples of the fit, these, and ten times as many."""
    n = float(ridge.n_samples_)
    return np.unique([max(2.0, round(n / 10.0)), n, 10.0 * n])


def optimal_alphas(ridge: Any, n_samples: FloatArray, metric: str = "mse") -> FloatArray:
    """Return the best alpha for each n; a picture shows where it lies at the edge of reach.

    Where every output has a best one of its own, their median.
    """
    with _quiet_about_best("optimal"):
        found = ridge.optimal_alpha(n_samples, **metric_option(ridge, metric))
    best = np.asarray(found, dtype=np.float64)
    return best if best.ndim == np.ndim(n_samples) else np.median(best, axis=-1)


def best_of_fit(ridge: Any, metric: str = "mse") -> float | None:
    """Return the best alpha for as many samples as those of the fit.

    None if every output has one of its own.
    """
    with _quiet_about_best("optimal"):
        found = ridge.optimal_alpha(**metric_option(ridge, metric))
    return float(found) if np.ndim(found) == 0 else None


def fitted_alpha(ridge: Any) -> float | None:
    """Return the fitted regularisation, or None if every output has one of its own."""
    return float(ridge.alpha_) if np.ndim(ridge.alpha_) == 0 else None


def known_cells(
    ridge: Any, n_samples: FloatArray, alpha: Any, metric: str = "mse"
) -> tuple[NDArray[np.bool_], FloatArray, Any]:
    """Return which n can be asked about, these n, and the regularisation to ask for at each.

    All of them, unless `alpha` is "optimal": the best one is not known at every n. Where every
    output has one of its own, these are asked for by that word.
    """
    if not (isinstance(alpha, str) and alpha == "optimal"):
        return np.ones(len(n_samples), dtype=bool), n_samples, alpha
    with _quiet_about_best(alpha):
        best = np.asarray(ridge.optimal_alpha(n_samples, **metric_option(ridge, metric)))
    if best.ndim == 1:
        known = ~np.isnan(best)
        return known, n_samples[known], best[known]
    known = ~np.isnan(best).any(axis=-1)
    return known, n_samples[known], alpha


def alphas_around(ridge: Any, best: FloatArray, count: int = _ALPHAS) -> FloatArray:
    """Return regularisations two decades about the best ones and the fitted one."""
    middle = np.append(best, ridge.alpha_)
    middle = middle[np.isfinite(middle) & (middle > 0.0)]
    if middle.size == 0:  # without noise the best is zero: about the strength of the features
        middle = np.array([ridge.error_predictor_.feature_scale or 1.0])
    middle = np.clip(middle, 1.0 / _LARGEST, _LARGEST)
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
        if not np.any(known):
            continue
        with _quiet_about_best(alpha):
            answer = ridge.predict_test_error(
                *cells, return_interval=has_interval, level=level, **option
            )
            reachable[known, column] = _of_all(ridge.reachable(*cells, **option))
        for name, values in zip(names, answer if has_interval else (answer,), strict=True):
            found[name][known, column] = values
    return {**found, "reachable": reachable}


def quantiles_of(
    ridge: Any, n_samples: FloatArray, alphas: Any, level: float, metric: str = "mse"
) -> dict[str, Any]:
    """Return the median over outputs of the predicted errors, and the ends of a share of them.

    Parameters
    ----------
    ridge, n_samples, alphas
        As of `curves_of`.
    level : float
        Share of the outputs between the ends.
    metric : str, default="mse"
        Of a regressor.

    Returns
    -------
    dict
        As of `curves_of`; NaN where the error of any output is unknown.
    """
    if metric_option(ridge, metric):
        raise ValueError("outputs='quantiles' is for regressors of several outputs.")
    check_level(level)
    shares = [0.5, 0.5 - 0.5 * level, 0.5 + 0.5 * level]
    found = np.full((3, len(n_samples), len(alphas)), np.nan)
    reachable = np.zeros((len(n_samples), len(alphas)), dtype=bool)
    for column, alpha in enumerate(alphas):
        known, *cells = known_cells(ridge, n_samples, alpha, metric)
        if not np.any(known):
            continue
        with _quiet_about_best(alpha):
            errors = ridge.predict_test_error(*cells, multioutput="raw_values")
            reachable[known, column] = _of_all(ridge.reachable(*cells))
        found[:, known, column] = np.quantile(errors, shares, axis=-1)
    return {
        **dict(zip(("predicted", "lower", "upper"), found, strict=True)),
        "reachable": reachable,
    }


def kappa_at(ridge: Any, n_samples: FloatArray, alpha: Any) -> FloatArray:
    """Return κ at some n; where every output has one of its own, their median."""
    found = np.asarray(ridge.predict_kappa(n_samples, alpha))
    return found if found.ndim == n_samples.ndim else np.median(found, axis=-1)


def _of_all(reachable: Any) -> NDArray[np.bool_]:
    """Return which n are in reach of all outputs."""
    found = np.asarray(reachable)
    return found if found.ndim == 1 else np.asarray(found.all(axis=-1))


@contextmanager
def _quiet_about_best(alpha: Any) -> Iterator[None]:
    """Leave out doubts about a best alpha: a picture shows where it is not known."""
    with warnings.catch_warnings():
        if isinstance(alpha, str):
            warnings.simplefilter("ignore", PopulationWarning)
        yield
