"""What a squared error means: R², and the root of it in the target's own units."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection.arguments import FloatArray
from sk_deepfeat.model_selection.fitted_ridge import known_cells
from sk_deepfeat.report.numbers import number, share

_LEVEL = 0.9

Cell = tuple[float, float, float]


class Scores(NamedTuple):
    """R² and root mean squared errors, each with the ends of its interval; NaN where unknown."""

    r2: Cell
    """At the training size and the fitted alpha."""
    root: Cell
    r2_of_sizes: FloatArray
    """With the best alpha, shape (S, 3)."""
    root_of_sizes: FloatArray
    one_output: bool
    """Whether an error tells its R² and its root."""
    root_of_mean: float
    """Of predicting the mean of the target; NaN for several outputs."""
    variance: float
    """Of the target; NaN for several outputs."""
    r2_of_outputs: FloatArray
    """At the training size and the fitted alpha."""

    def of_error(self, error: float) -> tuple[float, float]:
        """Return the R² and the root of a squared error of one output."""
        return 1.0 - error / self.variance, float(np.sqrt(error))


def scores_of(ridge: Any, sizes: FloatArray, baseline: float) -> Scores | None:
    """Return the scores of a fitted regressor, or None if there are none.

    Parameters
    ----------
    ridge : DeterministicEquivalentRidge
        Fitted; of another estimator there is no R².
    sizes : ndarray of shape (S,)
        Numbers of samples.
    baseline : float
        Squared error of predicting the mean.

    Returns
    -------
    Scores or None
    """
    if not hasattr(ridge, "predict_score") or hasattr(ridge, "classes_"):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)  # NaN says the same
        try:
            r2 = _of_sizes(ridge, sizes, "r2")
        except ValueError:  # the population knows no variance of the target
            return None
        root = -_of_sizes(ridge, sizes, "neg_root_mean_squared_error")[:, [0, 2, 1]]
        here_r2 = _cells(ridge, "r2")[0]
        of_outputs = ridge.predict_score(multioutput="raw_values")
        here_root = -_cells(ridge, "neg_root_mean_squared_error")[0, [0, 2, 1]]
    one = ridge.coef_.ndim == 1 or len(ridge.coef_) == 1
    left = 1.0 - here_r2[0]
    variance = float(ridge.test_error_ / left) if one and left > 0 else np.nan
    of_mean = float(np.sqrt(baseline)) if one else np.nan
    cells = _cell(here_r2), _cell(here_root)
    return Scores(*cells, r2, root, one, of_mean, variance, np.atleast_1d(of_outputs))


def interval(cell: Cell, show: Any = number) -> str:
    """Return the ends of an interval, or nothing where they are unknown."""
    _, low, high = cell
    return "" if np.isnan(low) or np.isnan(high) else f"{show(low)} to {show(high)}"


def targets_shown(scores: Scores | None, error: float) -> str:
    """Return a squared error to reach as R² and in the target's units, as far as they are known."""
    if scores is None or not scores.one_output or np.isnan(scores.variance):
        return ""
    r2, root = scores.of_error(error)
    return f"R² {share(r2)}, root {number(root)}"


def _of_sizes(ridge: Any, sizes: FloatArray, scoring: str) -> FloatArray:
    found = np.full((len(sizes), 3), np.nan)
    known, at, best = known_cells(ridge, sizes, "optimal")
    if np.any(known):
        found[known] = _cells(ridge, scoring, at, best)
    return found


def _cells(ridge: Any, scoring: str, n_samples: Any = None, alpha: Any = None) -> FloatArray:
    """Return scores and both ends, shape (S, 3)."""
    if not ridge.error_predictor_.knows_intervals:
        score = np.atleast_1d(ridge.predict_score(n_samples, alpha, scoring=scoring))
        unknown = np.full_like(score, np.nan)
        return np.stack([score, unknown, unknown], axis=-1)
    answer = ridge.predict_score(
        n_samples, alpha, scoring=scoring, return_interval=True, level=_LEVEL
    )
    return np.stack([np.atleast_1d(part) for part in answer], axis=-1)


def _cell(values: FloatArray) -> Cell:
    value, low, high = map(float, values)
    return value, low, high
