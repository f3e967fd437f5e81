"""Checks of what users hand to the ridge and to its questions."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np


def check_alpha(alpha: Any) -> None:
    """Raise unless `alpha` is "optimal" or a finite number that is not negative."""
    if isinstance(alpha, str):
        if alpha != "optimal":
            raise ValueError(f"alpha={alpha!r} must be 'optimal' or a number that is not negative.")
        return
    if isinstance(alpha, numbers.Real) and not isinstance(alpha, bool):
        if not 0.0 <= float(alpha) < np.inf:
            raise ValueError(f"alpha={alpha!r} must be finite and not negative.")
        return
    if np.ndim(alpha) > 0:
        raise ValueError(
            f"alpha={alpha!r} must be one number for all outputs, or 'optimal'; to compare many, "
            "ask predict_test_error(alpha=[...]) after fitting once."
        )
    raise TypeError(f"alpha={alpha!r} must be a number or 'optimal'.")


def average_outputs(errors: Any, multioutput: Any) -> Any:
    """Average errors over outputs, their last axis, as `mean_squared_error` does."""
    stacked = np.asarray(errors)
    if isinstance(multioutput, str):
        if multioutput == "raw_values":
            return stacked
        if multioutput == "uniform_average":
            return stacked.mean(axis=-1)[()]
        raise ValueError(
            f"multioutput={multioutput!r} must be 'uniform_average', 'raw_values' or weights."
        )
    weights = np.asarray(multioutput)
    if weights.shape != stacked.shape[-1:] or weights.dtype.kind not in "iuf":
        raise ValueError(
            f"multioutput={multioutput!r} must be 'uniform_average', 'raw_values' or an array of "
            f"one weight per output ({stacked.shape[-1]})."
        )
    if not (np.all(weights >= 0) and 0 < weights.sum() < np.inf):
        raise ValueError(f"multioutput={multioutput!r} must hold weights that are not negative.")
    return np.average(stacked, axis=-1, weights=weights)[()]
