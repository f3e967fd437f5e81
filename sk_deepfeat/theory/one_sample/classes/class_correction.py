r"""Error rates counted on subsets of a training set, against those of its scores with more noise.

C(n, alpha) = log(counted/predicted) at a few sizes n and, at each, at a few alphas. Neighbours
along alpha are averaged, a value that its own noise could make, of z standard errors, is multiplied
by max(0, 1 - 2/z²), and between sizes, and to zero at n₀, C is linear in log n.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.interpolation import interp_columns
from sk_deepfeat.theory.one_sample.calibration import Calibration, CalibrationSize
from sk_deepfeat.theory.one_sample.classes import tuning
from sk_deepfeat.theory.one_sample.classes.class_tables import ClassTables
from sk_deepfeat.theory.one_sample.classes.clouds import Loss
from sk_deepfeat.theory.validation import FloatArray

_LEAST = 1e-12


class CountedSize(NamedTuple):
    """Losses on subsets of one size beside predicted ones, shapes (A, K + 2)."""

    counted: FloatArray
    predicted: FloatArray
    log_ratio: FloatArray
    """C; 0 where it is not known."""
    noise: FloatArray
    """Standard error of C; infinite where it is not known."""
    scatter: FloatArray
    """√n times the relative deviation of the losses from training set to training set."""


def counted_size(
    found: CalibrationSize, calibration: Calibration, tables: ClassTables, loss: Loss
) -> CountedSize:
    """Compare what subsets of one size counted with what the scores of all rows give for them.

    Subsets scatter, and where they leave few rows outside, these are but a sample of those that the
    prediction rests on.
    """
    assert found.class_losses is not None
    alpha, classes = np.exp(found.log_alpha), tables.clouds.classes
    mine = columns_in_calibration(loss, classes.n_classes)
    counted = found.class_losses[:, mine]
    at = loss if loss.temperature is None else Loss(tuning.LOG_LOSS_TEMPERATURE)
    predicted, row_variance, _ = tables.losses(found.size, alpha, at)
    df_ratio = tables.evaluator.df_ratio_at_alpha(found.size, alpha)
    scatter = calibration.class_scatter_at(tables.evaluator, found.size, df_ratio)[:, mine]
    rows = np.r_[classes.counts, classes.counts.sum(), classes.counts.sum()]
    seen = np.maximum(rows * (1.0 - found.unseen), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        c = np.log(counted / predicted)
        of_row = (1.0 - predicted) / predicted
        if loss.temperature is not None:
            of_row = rows * row_variance / np.square(predicted)
        of_rows = found.unseen * of_row / seen
    variance = np.square(scatter) / (found.size * found.n_subsets) + of_rows
    known = np.isfinite(c) & (variance > 0)
    noise = np.sqrt(np.where(known, variance, np.inf))
    return CountedSize(counted, predicted, np.where(known, c, 0.0), noise, scatter)


def columns_in_calibration(loss: Loss, n_classes: int) -> slice:
    """Return where a calibration has the K + 2 losses of a kind: errors first, then log-losses."""
    width = n_classes + 2
    return slice(0, width) if loss.temperature is None else slice(width, 2 * width)


class ClassCorrection:
    """What to add to the logarithms of losses of fewer rows than all.

    Parameters
    ----------
    calibration : Calibration
        From a factorisation of codes of classes.
    tables : ClassTables
        Of the same rows.
    loss : Loss
        Of which kind. Log-losses are counted at one temperature, and what holds there is taken for
        others, too, with more doubt.
    """

    def __init__(self, calibration: Calibration, tables: ClassTables, loss: Loss) -> None:
        sizes = [found.size for found in calibration.sizes]
        self._log_n = np.log(np.array([*sizes, calibration.n_rows], dtype=np.float64))
        self._knots: list[tuple[FloatArray, FloatArray]] = []
        self._width = tables.clouds.classes.n_classes + 2
        for found in calibration.sizes:
            compared = counted_size(found, calibration, tables, loss)
            c, variance = _smoothed(compared.log_ratio, np.square(compared.noise))
            with np.errstate(divide="ignore", invalid="ignore"):
                sure = np.maximum(1.0 - 2.0 * variance / np.square(c), 0.0)
            sure = np.where(np.isfinite(sure), sure, 0.0)
            doubt = np.where(sure > 0, variance, 0.0)
            self._knots.append((found.log_alpha, np.hstack([sure * c, doubt])))

    def at(self, n_samples: float, alpha: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return C and its variance for one number of samples, at most n₀, shapes (A, K + 2).

        Parameters
        ----------
        n_samples : float
            Below the smallest size, C is what it is there.
        alpha : ndarray of shape (A,)
            Regularisations for weights of mean one.
        """
        if not self._knots:
            nothing = np.zeros((alpha.size, self._width))
            return nothing, nothing
        log_alpha, x = np.log(np.maximum(alpha, np.finfo(float).tiny)), self._log_n
        knots = [interp_columns(log_alpha, *knot) for knot in self._knots]
        knots.append(np.zeros_like(knots[0]))
        high = int(np.clip(np.searchsorted(x, np.log(n_samples)), 1, x.size - 1))
        apart = max(x[high] - x[high - 1], np.finfo(float).tiny)  # groups may make equal sizes
        share = np.clip((np.log(n_samples) - x[high - 1]) / apart, 0.0, 1.0)
        found = (1.0 - share) * knots[high - 1] + share * knots[high]
        return found[:, : self._width], found[:, self._width :]


def rates_calibration(
    calibration: Calibration, tables: ClassTables | None, column: int
) -> Calibration:
    """Return a calibration of an error rate in place of squared errors.

    Parameters
    ----------
    calibration : Calibration
        From a factorisation of codes of classes.
    tables : ClassTables or None
        Of the same rows; None where no feature tells anything, and no size is looked at.
    column : int
        Which of the K + 2 error rates.
    """
    assert calibration.class_scatter is not None
    one, sizes = [column], []
    scatter = calibration.class_scatter[:, : calibration.class_scatter.shape[1] // 2]
    for found in calibration.sizes:
        assert tables is not None
        compared = counted_size(found, calibration, tables, Loss())
        compared = CountedSize(*(part[:, one] for part in compared))
        known = np.isfinite(compared.noise)
        noise = np.where(known, compared.noise, 1.0)
        of_theory = compared.scatter / np.sqrt(calibration.n_rows)
        sizes.append(
            found._replace(
                measured=compared.counted,
                predicted=compared.predicted,
                log_ratio=compared.log_ratio,
                standard_error=np.where(known, np.sqrt(noise**2 + of_theory**2), 1.0),
                noise=noise,
                row_noise=np.zeros_like(noise),
            )
        )
    return calibration._replace(sizes=tuple(sizes), scatter=scatter[:, one])


def _smoothed(values: FloatArray, variances: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Average each value along alpha with half of each neighbour, by inverse variance.

    Neighbours come from the same subsets: their mean is as noisy as they are.
    """
    inverse = 1.0 / np.maximum(variances, _LEAST)
    total, weight = inverse * values, inverse.copy()
    known = np.isfinite(variances)
    share, noise = known.astype(np.float64), np.where(known, variances, 0.0)
    for to, of in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
        total[to] += 0.5 * inverse[of] * values[of]
        weight[to] += 0.5 * inverse[of]
        noise[to] += 0.5 * np.where(known, variances, 0.0)[of]
        share[to] += 0.5 * known[of]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, variance = total / weight, noise / share
    return np.where(weight > 0, mean, 0.0), np.where(share > 0, variance, np.inf)
