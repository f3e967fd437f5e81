r"""Error rates counted on subsets of a training set, against those of its scores with more noise.

C(n, alpha) = log(counted/predicted) at a few sizes n and, at each, at a few values of df1/n, which
keep the place of the peak where rows first interpolate. Neighbours along alpha are averaged, a
value that its own noise could make, of z standard errors, is multiplied by max(0, 1 - 2/z²), and
between sizes, and to zero at n₀, C is linear in log n.
"""

from __future__ import annotations

import numpy as np

from sk_deepfeat.theory.interpolation import interp_columns
from sk_deepfeat.theory.one_sample.calibration import Calibration
from sk_deepfeat.theory.one_sample.classes.class_tables import ClassTables
from sk_deepfeat.theory.one_sample.classes.clouds import Loss
from sk_deepfeat.theory.validation import FloatArray

_LEAST = 1e-12


class ClassCorrection:
    """What to add to the logarithms of error rates of fewer rows than all.

    Parameters
    ----------
    calibration : Calibration
        From a factorisation of codes of classes.
    tables : ClassTables
        Of the same rows.
    """

    def __init__(self, calibration: Calibration, tables: ClassTables) -> None:
        self._evaluator, self._log_n0 = tables.evaluator, np.log(calibration.n_rows)
        self._log_sizes = np.array([], dtype=np.float64)
        self._places: list[FloatArray] = []
        self._values: list[FloatArray] = []
        for found in calibration.sizes:
            if found.error_rate is None:
                continue
            alpha = np.exp(found.log_alpha)
            df_ratio = self._evaluator.df_ratio_at_alpha(found.size, alpha)
            predicted = tables.losses(found.size, alpha, Loss()).loss
            scatter = calibration.rate_scatter_at(self._evaluator, found.size, df_ratio)
            variance = np.square(scatter) / (found.size * found.n_subsets)
            with np.errstate(divide="ignore", invalid="ignore"):
                c = np.log(found.error_rate / predicted)
            known = np.isfinite(c) & (variance > 0)
            c, variance = _smoothed(np.where(known, c, 0.0), np.where(known, variance, np.inf))
            with np.errstate(divide="ignore", invalid="ignore"):
                sure = np.maximum(1.0 - 2.0 * variance / np.square(c), 0.0)
            order = np.argsort(df_ratio)
            self._log_sizes = np.r_[self._log_sizes, np.log(found.size)]
            self._places.append(df_ratio[order])
            shrunk, doubt = np.where(sure > 0, sure * c, 0.0), np.where(sure > 0, variance, 0.0)
            self._values.append(np.hstack([shrunk, doubt])[order])

    def at(self, n_samples: FloatArray, alpha: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return C and its variance at cells of at most n₀ rows, shapes (cells, K + 2).

        Parameters
        ----------
        n_samples, alpha : ndarray of shape (cells,)
            Numbers of samples and regularisations for weights of mean one.
        """
        if not self._places:
            raise ValueError("nothing was counted on subsets.")
        width = self._values[0].shape[1] // 2
        knots = np.empty((n_samples.size, len(self._places) + 1, 2 * width))
        knots[:, -1] = 0.0
        place = np.empty(n_samples.size)
        floor = np.maximum(alpha, np.finfo(float).tiny)
        for n in np.unique(n_samples):
            mine = n_samples == n
            place[mine] = self._evaluator.df_ratio_at_alpha(float(n), floor[mine])
        for k, (df_ratio, values) in enumerate(zip(self._places, self._values, strict=True)):
            knots[:, k] = interp_columns(place, df_ratio, values)
        x = np.r_[self._log_sizes, self._log_n0]
        high = np.clip(np.searchsorted(x, np.log(n_samples)), 1, x.size - 1)
        share = np.clip((np.log(n_samples) - x[high - 1]) / (x[high] - x[high - 1]), 0.0, 1.0)
        cells = np.arange(n_samples.size)
        low, up = knots[cells, high - 1], knots[cells, high]
        found = low + share[:, None] * (up - low)
        return found[:, :width], found[:, width:]

    @property
    def knows(self) -> bool:
        """Whether anything was counted."""
        return bool(self._places)


def _smoothed(values: FloatArray, variances: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Average each value along alpha with half of each neighbour, by inverse variance."""
    with np.errstate(divide="ignore"):
        inverse = 1.0 / np.maximum(variances, _LEAST)
    total, weight, square = inverse * values, inverse.copy(), inverse.copy()
    for shift in (-1, 1):
        to, of = (
            (slice(1, None), slice(None, -1)) if shift > 0 else (slice(None, -1), slice(1, None))
        )
        total[to] += 0.5 * inverse[of] * values[of]
        weight[to] += 0.5 * inverse[of]
        square[to] += 0.25 * inverse[of]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, variance = total / weight, square / np.square(weight)
    known = weight > 0
    return np.where(known, mean, 0.0), np.where(known, variance, np.inf)
