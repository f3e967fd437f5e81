"""Interpolation on logarithmic scales, where spectra, degrees of freedom and errors are smooth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from sk_deepfeat.theory.validation import FloatArray

_TINY = float(np.finfo(np.float64).tiny)


def interp_log(at: Any, x: FloatArray, values: FloatArray, *, log_values: bool = True) -> Any:
    """Interpolate linearly in log x, and in log values unless told otherwise; constant beyond.

    Parameters
    ----------
    at : array-like
        Where; not negative.
    x : ndarray of shape (K,)
        Positive, ascending.
    values : ndarray of shape (K,)
        Positive with `log_values`; what is less counts as the smallest positive number.
    log_values : bool, default=True
        Whether the values are interpolated in the logarithm.

    Returns
    -------
    ndarray of the shape of `at`

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory.interpolation import interp_log
    >>> float(interp_log(10.0, np.array([1.0, 100.0]), np.array([1.0, 4.0])).round(12))
    2.0
    """
    log_at, log_x = np.log(np.maximum(at, _TINY)), np.log(x)
    if not log_values:
        return np.interp(log_at, log_x, values)
    return np.exp(np.interp(log_at, log_x, np.log(np.maximum(values, _TINY))))


def interp_columns(
    at: FloatArray, x: FloatArray, columns: FloatArray, *, left: float | None = None
) -> FloatArray:
    """Interpolate each column linearly in x; constant beyond, or `left` below; NaN without any x.

    Parameters
    ----------
    at : ndarray of shape (A,)
        Where.
    x : ndarray of shape (K,)
        Ascending; of equal ones the last counts.
    columns : ndarray of shape (K, m)
        What to interpolate.
    left : float, optional
        What stands below the first x.

    Returns
    -------
    ndarray of shape (A, m)
    """
    if x.size == 0:
        return np.full((at.size, columns.shape[1]), np.nan)
    if x.size == 1:
        found = np.broadcast_to(columns, (at.size, columns.shape[1])).copy()
    else:
        step = np.clip(np.searchsorted(x, at, side="right") - 1, 0, x.size - 2)
        width = x[step + 1] - x[step]
        part = np.divide(at - x[step], width, out=np.ones(at.shape), where=width > 0)
        part = np.clip(part, 0.0, 1.0)[:, None]
        low, high = columns[step], columns[step + 1]
        with np.errstate(invalid="ignore"):
            found = low + part * (high - low)
            if not np.isfinite(found).all():
                found = np.where(np.isnan(found), low + high, found)
                found = np.where(low == high, low, found)
        found = np.where(part == 0.0, low, np.where(part == 1.0, high, found))
    if left is not None:
        found[at < x[0]] = left
    return found


def log_spline(
    x: FloatArray, values: FloatArray, *, monotone: bool = False
) -> Callable[[FloatArray], FloatArray]:
    """Return a cubic spline along the first axis; a column that is positive, in its logarithm.

    Parameters
    ----------
    x : ndarray of shape (K,)
        Ascending.
    values : ndarray of shape (K,) or (K, m)
        What to interpolate.
    monotone : bool, default=False
        Whether the interpolant rises and falls where the values do, and nowhere else; it is then
        less smooth.

    Returns
    -------
    callable
        From abscissas of shape (A,) to values of shape (A,) or (A, m).
    """
    positive = np.all(values > 0, axis=0)
    kind = PchipInterpolator if monotone else CubicSpline
    spline = kind(x, np.where(positive, np.log(np.where(positive, values, 1.0)), values))

    def interpolant(at: FloatArray) -> FloatArray:
        found = spline(at)
        if np.all(positive):
            return np.exp(found)
        return np.where(positive, np.exp(np.where(positive, found, 0.0)), found)

    return interpolant
