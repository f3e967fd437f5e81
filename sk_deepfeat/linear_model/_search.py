"""Best alpha and required samples of any population that answers test_error."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from sk_deepfeat.exceptions import PopulationWarning, warn_caller
from sk_deepfeat.theory import minimize_on_log_scale, smallest_sufficient
from sk_deepfeat.theory.validation import FloatArray

# Errors at (n_samples, alpha), averaged over outputs.
Errors = Callable[[FloatArray, FloatArray], FloatArray]


def best_alpha(error: Errors, n_samples: float, feature_scale: float) -> float:
    """Return the alpha of least error at `n_samples`.

    Parameters
    ----------
    error : callable
        Errors at (n_samples, alpha); NaN where not identifiable.
    n_samples : float
        Number of samples.
    feature_scale : float
        Mean squared norm of the features; alpha is searched from 1e-13 to 1e6 times n of it.

    Returns
    -------
    float
        NaN if no alpha is identifiable at this n.
    """
    n = np.array(n_samples, dtype=np.float64)
    unit = n_samples * (feature_scale if feature_scale > 0 else 1.0)
    low, high = 1e-13 * unit, 1e6 * unit
    found = minimize_on_log_scale(lambda alpha: error(n, alpha), low, high, points_per_decade=8)
    at_zero = float(error(n, np.array(0.0)))
    if at_zero <= found.value * (1.0 + 1e-10):
        return 0.0
    if found.at_low and np.isnan(error(n, np.array(low))):
        warn_caller(
            f"At n_samples={n_samples:g} the best alpha lies at the edge of what the training set "
            f"identifies ({found.argument:.3g}); a smaller one may be better.",
        )
    if found.at_high:
        warn_caller(
            f"At n_samples={n_samples:g} the error keeps falling up to alpha={found.argument:.3g}: "
            "the features seem to tell nothing about the target.",
        )
    return found.argument


def required_samples(
    error: Errors,
    searched: Errors,
    target: float,
    alpha: float | str,
    feature_scale: float,
    floor: float,
) -> float:
    """Return the smallest n whose error is at most `target`; see the estimator's method.

    The best alpha is that of least `searched`.
    """
    if target <= floor:
        warn_caller(
            f"target_error={target:g} is not above the floor {floor:g} that no number of samples "
            "passes with these features.",
        )
        return np.inf
    lowest = np.inf

    def at_sizes(sizes: FloatArray) -> FloatArray:
        nonlocal lowest
        if alpha == "optimal":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PopulationWarning)
                best = np.array([best_alpha(searched, n, feature_scale) for n in sizes])
            known = ~np.isnan(best)
            values = np.full(sizes.shape, np.nan)
            values[known] = [error(*cell) for cell in zip(sizes[known], best[known], strict=True)]
        else:
            values = error(sizes, np.array(float(alpha)))
        if not np.all(np.isnan(values)):
            lowest = min(lowest, float(np.nanmin(values)))
        return values

    needed = smallest_sufficient(at_sizes, target, monotone=alpha == "optimal")
    if np.isnan(needed):
        warn_caller(
            f"target_error={target:g} is not reached at any n_samples that the population "
            f"identifies; the lowest identifiable error is {lowest:g}. Fit on more rows; one that "
            "does not extrapolate yet may: LeaveOneOutPopulation(extrapolate=True).",
        )
    return needed
