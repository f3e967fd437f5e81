r"""Errors for more samples than the training set has, where the transfer's own noise grows.

Three ways, each with a relative standard error of its growth from the training size n₀:

* the transfer, with the jackknife's; unknown below κ_min;
* a power law a + b n^(-c) through the errors measured on subsets at the same alpha, and on all
  rows; its error is that of the same fit from half and from a quarter of the rows, which n₀ itself
  shows, growing with log(n/n₀);
* where the transfer is poor and the theory has passed its check on subsets: the tail of
  `theory.tail`, the functionals continued below the κ at which they are noise.

They are averaged in the logarithm by inverse variance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory.one_sample.calibration import Calibration, correction
from sk_deepfeat.theory.one_sample.jackknife import jackknife_variance
from sk_deepfeat.theory.one_sample.power_law import fit_power_law
from sk_deepfeat.theory.validation import FloatArray

# Relative errors for each unit of log(n/n₀) that no noise shows: forms that do not quite hold.
_TRANSFER_DRIFT, _POWER_LAW_DRIFT = 0.02, 0.04
_LEAST_NOISE = 0.01


class Growth(NamedTuple):
    """log R(n)/R(n₀) and its variance; infinite variance where it is not known."""

    log_ratio: FloatArray
    variance: FloatArray


def average(growths: list[Growth]) -> Growth:
    """Average by inverse variance; the variance counts their disagreement too."""
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
    return Growth(np.where(total > 0, mean, np.nan), variance)


def transfer_growth(
    log_error: FloatArray,
    log_own: FloatArray,
    deviations: FloatArray,
    few: FloatArray,
    log_n: FloatArray,
) -> Growth:
    """Return the transfer's growth from log errors at n and n₀ and the replicates' differences.

    `few` is the relative standard error of mean Q, of shape (cells,) as `log_n`, log(n/n₀).
    """
    drift = (_TRANSFER_DRIFT**2 + np.square(few)) * np.square(log_n)
    variance = jackknife_variance(deviations) + drift[..., None]
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
    cuts = [use for use in (sizes <= 0.55 * n_rows, sizes <= 0.3 * n_rows) if use.sum() > 2]

    def fitted(use: NDArray[np.bool_], at: ArrayLike) -> FloatArray:
        flat = [part[..., use].reshape(log_own.size, -1) for part in (errors, weights)]
        found = fit_power_law(sizes[use], *flat).at(np.broadcast_to(at, shape).ravel())
        return np.log(np.maximum(found, 1e-300)).reshape(shape)

    everything = np.ones(sizes.size, dtype=bool)
    ratio = fitted(everything, n_samples[:, None]) - fitted(everything, n_rows)
    misses = [fitted(use, n_rows) / np.log(n_rows / sizes[use].max()) for use in cuts]
    log_n = np.log(n_samples / n_rows)[:, None]
    variance = (np.mean(np.square(misses), axis=0) + _POWER_LAW_DRIFT**2) * np.square(log_n)
    return Growth(np.where(fine, ratio, np.nan), np.where(fine, variance, np.inf))
