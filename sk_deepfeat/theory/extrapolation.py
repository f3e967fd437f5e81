r"""Errors for more samples than the training set has, where the transfer's own noise grows.

Three ways, each with a relative standard error of its growth from the training size n₀:

* the transfer, with the jackknife's; unknown below κ_min;
* a power law a + b n^(-c) through the errors measured on subsets at the same alpha, and on all
  rows; its error is that of the same fit from half the rows, which n₀ itself shows, growing with
  log(n/n₀);
* where the transfer is unknown and the theory has passed its check on subsets: the functionals
  continued below the κ at which they are noise, log df1 linearly in log κ and
  B + σ² as a + b κ^c.

They are averaged in the logarithm by inverse variance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory._validation import FloatArray
from sk_deepfeat.theory.calibration import Calibration, correction
from sk_deepfeat.theory.jackknife import JackknifeReplicates, jackknife_variance
from sk_deepfeat.theory.power_law import fit_power_law
from sk_deepfeat.theory.transfer import unexplained_moment_along_kappa
from sk_deepfeat.theory.transfer_curve import TransferCurve

# Relative errors for each unit of log(n/n₀), or of log κ, that no noise shows: forms that do not
# quite hold.
_TRANSFER_DRIFT, _POWER_LAW_DRIFT, _TAIL_DRIFT = 0.02, 0.04, 0.2
_LEAST_NOISE = 0.01
_POOR, _TAIL_RANGE = 0.25, np.log(300.0)


class Growth(NamedTuple):
    """log R(n)/R(n₀) and its variance; infinite variance where it is not known."""

    log_ratio: FloatArray
    variance: FloatArray


def average(growths: list[Growth]) -> tuple[Growth, list[FloatArray]]:
    """Average by inverse variance; the variance counts their disagreement too.

    Returns the average and the weights, which sum to one where any is known.
    """
    inverse = [
        np.where(np.isfinite(g.log_ratio), 1.0 / np.maximum(g.variance, 1e-12), 0.0)
        for g in growths
    ]
    total = np.sum(inverse, axis=0)
    weights = [np.divide(w, total, out=np.zeros_like(w), where=total > 0) for w in inverse]
    values = [np.where(w > 0, g.log_ratio, 0.0) for w, g in zip(weights, growths, strict=True)]
    mean = np.sum([w * v for w, v in zip(weights, values, strict=True)], axis=0)
    apart = np.sum([w * np.square(v - mean) for w, v in zip(weights, values, strict=True)], axis=0)
    variance = np.divide(1.0, total, out=np.full_like(total, np.inf), where=total > 0) + apart
    return Growth(np.where(total > 0, mean, np.nan), variance), weights


def transfer_growth(
    log_error: FloatArray, log_own: FloatArray, deviations: FloatArray, log_n: FloatArray
) -> Growth:
    """Return the transfer's growth from log errors at n and n₀ and the replicates' differences."""
    variance = jackknife_variance(deviations) + np.square(_TRANSFER_DRIFT * log_n)[..., None]
    ratio = log_error - log_own
    return Growth(ratio, np.where(np.isfinite(ratio), variance, np.inf))


def power_law_growth(
    calibration: Calibration,
    log_own: FloatArray,
    log_levels: FloatArray,
    n_samples: FloatArray,
    alpha: FloatArray,
) -> Growth:
    """Return the growth of power laws through the errors measured at one alpha each.

    Parameters
    ----------
    calibration : Calibration
        With L levels; fewer than four are too few.
    log_own, log_levels : ndarray of shape (cells, t), (L, cells, t)
        Log of the transfer's errors at n₀ and at the levels' sizes.
    n_samples, alpha : ndarray of shape (cells,)
    """
    unknown = Growth(np.full(log_own.shape, np.nan), np.full(log_own.shape, np.inf))
    if len(calibration.levels) < 4:
        return unknown
    sizes = np.array([*(level.size for level in calibration.levels), calibration.n_rows], float)
    log_errors, noise = [], []
    for level, log_level in zip(calibration.levels, log_levels, strict=True):
        at = np.full(alpha.shape, float(level.size))
        ratio, variance = correction(calibration, at, alpha, shrink=False)
        log_errors.append(log_level + ratio)
        noise.append(variance)
    log_errors.append(log_own)
    noise.append(np.zeros_like(log_own))
    values, variances = np.stack(log_errors, axis=-1), np.stack(noise, axis=-1)
    fine = np.isfinite(values).all(axis=-1)
    errors = np.exp(np.where(fine[..., None], values - log_own[..., None], 0.0))
    weights = 1.0 / np.sqrt(variances + _LEAST_NOISE**2)
    n_rows, shape = float(calibration.n_rows), log_own.shape
    half = sizes <= 0.55 * n_rows

    def fitted(use: NDArray[np.bool_], at: ArrayLike) -> FloatArray:
        flat = [part[..., use].reshape(log_own.size, -1) for part in (errors, weights)]
        found = fit_power_law(sizes[use], *flat).at(np.broadcast_to(at, shape).ravel())
        return np.log(np.maximum(found, 1e-300)).reshape(shape)

    everything = np.ones(sizes.size, dtype=bool)
    ratio = fitted(everything, n_samples[:, None]) - fitted(everything, n_rows)
    per_step = np.abs(fitted(half, n_rows)) / np.log(n_rows / sizes[half].max())
    log_n = np.log(n_samples / n_rows)[:, None]
    variance = (np.square(per_step) + _POWER_LAW_DRIFT**2) * np.square(log_n)
    return Growth(np.where(fine, ratio, np.nan), np.where(fine, variance, np.inf))


def tail_growth(
    curve: TransferCurve,
    replicates: JackknifeReplicates,
    log_own: FloatArray,
    own_deviations: FloatArray,
    rows: FloatArray,
    alpha: FloatArray,
) -> Growth:
    """Return the growth with functionals continued below the κ at which they are noise.

    Parameters
    ----------
    curve, replicates
        Of the training set.
    log_own : ndarray of shape (cells, t)
        Log error at n₀.
    own_deviations : ndarray of shape (B, cells, t)
        The replicates' log errors at n₀.
    rows, alpha : ndarray of shape (cells,)
        Numbers of samples, less one with an intercept, and regularisations.
    """
    log_kappa, moment = unexplained_moment_along_kappa(curve)
    grid = np.linspace(log_kappa[0], log_kappa[-1], 120)
    others = [unexplained_moment_along_kappa(other) for other in replicates.curves]
    ratio, variance = np.full(log_own.shape, np.nan), np.full(log_own.shape, np.inf)
    log_df1 = np.interp(grid, np.log(curve.kappa), np.log(curve.df1))
    for k in range(log_own.shape[1]):
        own = np.interp(grid, log_kappa, moment[:, k])
        varied = np.array([np.interp(grid, x, m[:, k], left=np.nan) for x, m in others])
        with np.errstate(divide="ignore", invalid="ignore"):
            noise = jackknife_variance(np.log(varied))
        good = (own > 0) & (noise < _POOR**2) & (log_df1 > log_df1.max() + np.log(0.02))
        if np.count_nonzero(good) < 6:
            continue
        edge = grid[good][0]
        good &= grid <= edge + _TAIL_RANGE
        log_kappa_n, df1, df2 = _continued(grid, log_df1, edge, rows, alpha)
        weights = 1.0 / np.sqrt(noise[good] + 4.0 * _LEAST_NOISE**2)
        curves = np.vstack([own[good], varied[:, good]])
        law = fit_power_law(
            np.exp(edge - grid[good]), curves, np.broadcast_to(weights, curves.shape)
        )
        fitted = law.at(np.exp(np.minimum(edge - log_kappa_n, 300.0))[:, None]).T
        log_error = np.log(np.maximum(fitted, 1e-300)) - np.log1p(-df2 / rows)
        ratio[:, k] = log_error[0] - log_own[:, k]
        drift = _TAIL_DRIFT * np.maximum(edge - log_kappa_n, 0.0)
        variance[:, k] = jackknife_variance(log_error[1:] - own_deviations[:, :, k])
        variance[:, k] += np.square(drift) + _LEAST_NOISE**2
        sound = (df1 <= rows * (1.0 + 1e-9)) & (df2 < rows)  # equal where alpha is zero
        ratio[:, k] = np.where(sound, ratio[:, k], np.nan)
    return Growth(ratio, np.where(np.isfinite(ratio), variance, np.inf))


def _continued(
    grid: FloatArray, log_df1: FloatArray, edge: float, rows: FloatArray, alpha: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Solve alpha = κ(n - df1(κ)) with log df1 continued linearly below `edge`; log κ, df1, df2."""
    near = (grid >= edge) & (grid <= edge + np.log(10.0))
    slope = np.polyfit(grid[near], log_df1[near], 1)[0] if np.count_nonzero(near) > 1 else 0.0
    start = np.interp(edge, grid, log_df1)

    def at(x: FloatArray) -> FloatArray:
        return np.exp(np.where(x >= edge, np.interp(x, grid, log_df1), start + slope * (x - edge)))

    low = np.log(np.maximum(alpha, 1e-300) / rows)  # κ is never below alpha/n
    high = np.maximum(low, grid[-1]) + 1.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        short = np.exp(middle) * (rows - at(middle)) < alpha
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    x, step = 0.5 * (low + high), 0.05
    df1 = at(x)
    return x, df1, df1 + (at(x + step) - at(x - step)) / (2.0 * step)
