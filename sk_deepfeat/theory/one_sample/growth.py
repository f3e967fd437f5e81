r"""How the error goes on from the training size n₀ to more samples: log R(n)/R(n₀).

Three ways lead there, each with its own relative standard error:

* the theory at the same alpha, uncertain as the jackknife says; unknown below κ_min;
* a power law a + b n^(-c) through the errors measured on subsets and on all rows at that alpha,
  those near n₀ first; and beside it one with c = 1, as of few directions that all rows learn, which
  levels off sooner. Their mean counts. How far it can be trusted the rows show themselves: fitted
  to half and to a quarter of them, by how much does it miss the error at n₀? That miss, for each
  unit of log n, and half of the distance between the two are its error;
* the functionals of the population continued below the κ at which they are noise
  (`functional_tail`), where the theory has passed its check on subsets.

They are averaged in the logarithm by inverse variance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.jackknife import jackknife_variance
from sk_deepfeat.theory.one_sample.power_law import EXPONENTS, PowerLaw, fit_power_law
from sk_deepfeat.theory.validation import FloatArray


class Growth(NamedTuple):
    """log R(n)/R(n₀) and its variance; infinite variance where it is not known."""

    log_ratio: FloatArray
    variance: FloatArray

    def put(self, cells: NDArray[np.bool_], found: Growth) -> None:
        """Write what was found for some cells."""
        for mine, theirs in zip(self, found, strict=True):
            mine[cells] = theirs

    def weighted(self, weight: FloatArray) -> Growth:
        """Return the same growth, counting by a share of its weight."""
        some = weight > 0
        variance = np.divide(self.variance, weight, out=np.full_like(weight, np.inf), where=some)
        return self._replace(variance=variance)

    def drifting(self, drift: FloatArray, log_n: FloatArray) -> Growth:
        """Return the same growth, off by `drift` more for each unit of log(n/n₀)."""
        return self._replace(variance=self.variance + np.square(drift * log_n[:, None]))


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


def theory_growth(
    log_error: FloatArray,
    log_at_n0: FloatArray,
    deviations: FloatArray,
    kappa_noise: FloatArray,
    log_n: FloatArray,
) -> Growth:
    """Return the theory's growth.

    Parameters
    ----------
    log_error, log_at_n0 : ndarray of shape (cells, t)
        Log errors at n and at n₀.
    deviations : ndarray of shape (B, cells, t)
        The difference of the two in every replicate of the jackknife.
    kappa_noise : ndarray of shape (cells, t)
        How far the log error is off where few rows of large leverage make κ.
    log_n : ndarray of shape (cells,)
        log(n/n₀).
    """
    drift = np.square(tuning.THEORY_DRIFT * log_n)[:, None]
    variance = jackknife_variance(deviations) + drift + np.square(kappa_noise)
    ratio = log_error - log_at_n0
    return Growth(ratio, np.where(np.isfinite(ratio), variance, np.inf))


def power_law_growth(
    sizes: FloatArray,
    log_errors: FloatArray,
    variances: FloatArray,
    n_samples: FloatArray,
    which: NDArray[np.intp] | None = None,
) -> Growth:
    """Return the growth of power laws through the errors measured at one alpha each.

    Parameters
    ----------
    sizes : ndarray of shape (K,)
        Numbers of samples, ascending up to n₀; less than `tuning.POWER_LAW_SIZES` below it are too
        few.
    log_errors, variances : ndarray of shape (K, A, t)
        Log errors at the sizes, and their variances, for A alphas.
    n_samples : ndarray of shape (cells,)
        Where the growth is wanted.
    which : ndarray of shape (cells,), optional
        The number of each cell's alpha; by default each has one of its own.
    """
    if which is None:
        which = np.arange(n_samples.size)
    n_rows, shape = sizes[-1], log_errors.shape[1:]
    cuts = [sizes <= share * n_rows for share in tuning.POWER_LAW_CUTS]
    cuts = [some for some in cuts if some.sum() > 2]
    if sizes.size <= tuning.POWER_LAW_SIZES or not cuts:
        nothing = (n_samples.size, shape[1])
        return Growth(np.full(nothing, np.nan), np.full(nothing, np.inf))
    values, variances = np.moveaxis(log_errors, 0, -1), np.moveaxis(variances, 0, -1)
    fine = np.asarray(np.isfinite(values).all(axis=-1))
    with np.errstate(invalid="ignore"):
        relative = values - values[..., -1:]
    errors = np.exp(np.where(fine[..., None], relative, 0.0))

    def fitted(some: NDArray[np.bool_]) -> list[PowerLaw]:
        """Return the law with a free exponent, and that of few directions, for each alpha."""
        distance = tuning.POWER_LAW_FORM * np.log(sizes[some].max() / sizes[some])
        noise = variances[..., some] + tuning.GROWTH_NOISE_FLOOR**2 + np.square(distance)
        flat, weights = (
            part.reshape(-1, np.count_nonzero(some))
            for part in (errors[..., some], 1.0 / np.sqrt(noise))
        )
        laws = [fit_power_law(sizes[some], flat, weights, c) for c in (EXPONENTS, np.ones(1))]
        return [PowerLaw(*(part.reshape(shape) for part in law)) for law in laws]

    def log_errors_at(laws: list[PowerLaw], n: FloatArray | float) -> FloatArray:
        return np.log(np.maximum([law.at(n) for law in laws], 1e-300))

    laws = fitted(np.ones(sizes.size, dtype=bool))
    of_cells = [PowerLaw(*(part[which] for part in law)) for law in laws]
    ratios = log_errors_at(of_cells, n_samples[:, None]) - log_errors_at(laws, n_rows)[:, which]
    ratio, apart = ratios.mean(axis=0), 0.5 * np.abs(ratios[0] - ratios[1])
    misses = [
        log_errors_at(fitted(some), n_rows).mean(axis=0) / np.log(n_rows / sizes[some].max())
        for some in cuts
    ]
    log_n = np.log(n_samples / n_rows)[:, None]
    miss = np.mean(np.square(misses), axis=0)[which]
    variance = (miss + tuning.POWER_LAW_DRIFT**2) * np.square(log_n) + np.square(apart)
    known = fine[which]
    return Growth(np.where(known, ratio, np.nan), np.where(known, variance, np.inf))
