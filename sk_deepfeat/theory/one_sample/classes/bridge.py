r"""From the growth of the squared error to that of an error rate.

Errors fall together as rows are added: along n, at one alpha, the logarithm of an error rate ε is
nearly linear in that of the squared error R. With the slope k of what is known up to n₀,

    log ε(n) = log ε(n₀) + k log[R(n)/R(n₀)].

That holds where errors fall for want of data. Near interpolation, R is mostly variance, and its
fall from the peak has another slope: there k is doubted by as much as log R(n₀) lies above its
least value at larger alphas.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.one_sample.classes import tuning
from sk_deepfeat.theory.validation import FloatArray


class BridgeSlopes(NamedTuple):
    """Slopes of log ε on log R at some alphas, shape (A,)."""

    slope: FloatArray
    """k, from a quarter of the rows to all."""
    doubt: FloatArray
    """Standard error of k: half of what it changes from there to half of the rows, and more."""


def bridge_slopes(errors: FloatArray, squared: FloatArray) -> BridgeSlopes:
    """Return the slopes from what is known at n₀/4, n₀/2 and n₀.

    Parameters
    ----------
    errors, squared : ndarray of shape (3, A)
        Error rates and squared errors.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = np.log(squared), np.log(errors)
        first, second, all_ = ((y[j] - y[i]) / (x[j] - x[i]) for i, j in ((0, 1), (1, 2), (0, 2)))
        apart = 0.5 * np.abs(first - second)
    low, high = tuning.BRIDGE_SLOPES
    # Without errors, or where the squared error stands still, no slope is known.
    slope = np.where(np.isfinite(all_), np.clip(all_, low, high), 1.0)
    change = np.where(np.isfinite(apart), apart, 0.5 * (high - low))
    return BridgeSlopes(slope, np.minimum(change, high - low) + tuning.BRIDGE_DOUBT)
