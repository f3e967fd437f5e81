"""Checks of what users hand to the ridge and to its questions."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_deepfeat.theory.validation import (
    MOST_ALPHA,
    FloatArray,
    axes_of,
    check_unmasked,
    is_finite,
    is_real,
)

_MOST_EXACT = 10  # alphas that are not interpolated; each costs a pass over the rows


def check_alpha(alpha: Any) -> None:
    """Raise unless `alpha` is "optimal" or a finite number that is not negative."""
    if isinstance(alpha, str):
        if alpha != "optimal":
            raise ValueError(f"alpha={alpha!r} must be 'optimal' or a number that is not negative.")
        return
    if is_real(alpha):
        if not is_finite(alpha) or alpha < 0:
            raise ValueError(f"alpha={alpha!r} must be finite and not negative.")
        if float(alpha) > MOST_ALPHA:
            raise ValueError(f"alpha={alpha!r} must be at most {MOST_ALPHA:g}.")
        return
    if axes_of(alpha) > 0:
        raise ValueError(
            f"alpha={alpha!r} must be one number for all outputs, or 'optimal'; to compare many, "
            "ask predict_test_error(alpha=[...]) after fitting once."
        )
    raise TypeError(f"alpha={alpha!r} must be a number or 'optimal'.")


def is_optimal(alpha: Any) -> bool:
    """Say whether `alpha` is the word that stands for the best one."""
    return isinstance(alpha, str) and alpha == "optimal"


def check_fitted_alpha(alpha: Any) -> None:
    """Raise unless `alpha` is what an estimator can be fitted at: one, or one for each output."""
    if axes_of(alpha) == 0:
        check_alpha(alpha)
        return
    check_unmasked(alpha, "alpha")
    try:
        values = np.asarray(alpha)
    except ValueError:  # of lists of several lengths
        values = np.empty((0, 0))
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        raise ValueError(f"alpha={alpha!r} must be a number, 'optimal', or one number per output.")
    if not np.all((values >= 0) & np.isfinite(values)):
        raise ValueError(f"alpha={alpha!r} must hold finite numbers that are not negative.")
    if np.any(values.astype(np.float64) > MOST_ALPHA):
        raise ValueError(f"alpha={alpha!r} must hold numbers of at most {MOST_ALPHA:g}.")


def alpha_of_outputs(alpha: Any, n_outputs: int) -> Any:
    """Return a checked alpha: a float, "optimal", or an array of one for each of several outputs.

    Raises
    ------
    ValueError
        If there are not as many as outputs.
    """
    if isinstance(alpha, str):
        return alpha
    if np.ndim(alpha) == 0:
        return float(alpha)
    values = np.asarray(alpha, dtype=np.float64)
    if values.size != n_outputs:
        raise ValueError(
            f"alpha holds {values.size} numbers for {n_outputs} outputs of y; pass one for each "
            "output, or one for all. To compare many, ask predict_test_error(alpha=[...]) after "
            "fitting once."
        )
    return values if n_outputs > 1 else float(values[0])


def exact_alphas(alpha: Any) -> tuple[float, ...]:
    """Return the alphas at which leave-one-out errors of the training size shall be exact."""
    if isinstance(alpha, str):
        return ()
    distinct = np.unique(np.asarray(alpha, dtype=np.float64))
    return tuple(distinct.tolist()) if distinct.size <= _MOST_EXACT else ()


def one_target(target_error: Any, target_score: Any) -> tuple[str, float]:
    """Return the name and the value of the one of both that is given, a finite number."""
    if (target_error is None) == (target_score is None):
        raise ValueError(
            f"target_error={target_error!r} and target_score={target_score!r}: pass one of them."
        )
    name, value = "target_error", target_error
    if target_error is None:
        name, value = "target_score", target_score
    if not is_finite(value):
        raise ValueError(f"{name}={value!r} must be a finite number.")
    return name, float(value)


def output_weights(multioutput: Any, n_outputs: int) -> FloatArray | None:
    """Return the weights of the outputs in an average, of sum one; None for raw values."""
    if isinstance(multioutput, str):
        if multioutput == "raw_values":
            return None
        if multioutput == "uniform_average":
            return np.full(n_outputs, 1.0 / n_outputs)
        raise ValueError(
            f"multioutput={multioutput!r} must be 'uniform_average', 'raw_values' or weights."
        )
    try:
        weights = np.asarray(multioutput)
    except ValueError:  # of lists of several lengths
        weights = np.empty(0)
    if weights.shape != (n_outputs,) or weights.dtype.kind not in "iuf":
        raise ValueError(
            f"multioutput={multioutput!r} must be 'uniform_average', 'raw_values' or an array of "
            f"one weight per output ({n_outputs})."
        )
    if not (np.all(weights >= 0) and 0 < weights.sum() < np.inf):
        raise ValueError(f"multioutput={multioutput!r} must hold weights that are not negative.")
    return weights / weights.sum()


def average_outputs(errors: Any, multioutput: Any) -> Any:
    """Average errors over outputs, their last axis, as `mean_squared_error` does."""
    stacked = np.asarray(errors)
    weights = output_weights(multioutput, stacked.shape[-1])
    if weights is None:
        return stacked
    if isinstance(multioutput, str):
        return stacked.mean(axis=-1)[()]
    return np.average(stacked, axis=-1, weights=weights)[()]


def average_ends(answer: Any, level: float, multioutput: Any) -> Any:
    """Return the ends of intervals of what `average_outputs` returns; None if they are not known.

    An average over outputs has an interval of its own: the mean of the outputs' ends would be
    right for outputs that are wrong together.
    """
    weights = output_weights(multioutput, np.shape(answer.error)[-1])
    if weights is None:
        return answer.interval(level)
    ends = answer.average_interval(level, weights)
    return None if ends is None else (ends[0][()], ends[1][()])
