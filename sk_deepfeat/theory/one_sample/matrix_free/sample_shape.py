r"""What a sample of the rows tells at any κ: how unequal leverages are, and which rows are hard.

Relative leverages s of rows do not depend on how many rows there are, at equal κ, nor does the part
of squared left-out errors that is no variance, a = e² - s V₀. Both are taken by classes from the
sample's own curve: shares and leverages at the κ in question, and mean a in a class, which changes
slowly with κ, at the next larger κ at which it is not lost in the variance. Below the sample's κ
all is as at its end. What a is in all does not count: that is measured on all rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve
from sk_deepfeat.theory.one_sample.leverage_scale import ratio
from sk_deepfeat.theory.one_sample.matrix_free import tuning
from sk_deepfeat.theory.one_sample.nodes import nodes_at
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.validation import FloatArray


class Shape(NamedTuple):
    """Sums over K classes of rows at G values of κ, as in `KappaCurve`."""

    row_share: FloatArray
    leverage: FloatArray
    moment: FloatArray
    """Mean of a in each class, times its share, up to a factor; shape (G, K, t)."""

    @property
    def relative(self) -> FloatArray:
        """Mean s of each class."""
        return ratio(self.leverage, self.row_share)


class SampleShape:
    """What one curve of a sample tells.

    Parameters
    ----------
    curve : KappaCurve
        Of the sample, with some direction and at most a few outputs.
    n_rows : int
        Of the training set: in means over so many rows, what is noise in the sample counts less.
    """

    def __init__(self, curve: KappaCurve, n_rows: int) -> None:
        self._curve, self._log_kappa = curve, np.log(curve.kappa)
        self._noise = curve.scale_noise * np.sqrt(curve.n_effective / n_rows)
        nodes = nodes_at(curve, float(curve.n_effective))
        total = curve.error.sum(axis=1)
        variance = np.stack(
            [np.interp(self._log_kappa, np.log(nodes.kappa), column) for column in
             (nodes.error - nodes.bias_and_noise).T],
            axis=1,
        )
        moment = np.maximum(curve.error - variance[:, None] * curve.leverage[..., None], 0.0)
        lost = variance > tuning.MOST_VARIANCE_SHARE * total
        lost[-1] = False
        size = len(lost)
        rows = np.where(lost, size, np.arange(size)[:, None])
        above = np.minimum.accumulate(rows[::-1], axis=0)[::-1]
        self._moment = self._by_class(moment, above)

    def _by_class(self, moment: FloatArray, above: IndexArray) -> FloatArray:
        """Return mean a in the classes, those that are empty there with the mean of all."""
        share = self._curve.row_share
        found = np.empty_like(moment)
        for k in range(moment.shape[2]):
            at = above[:, k]
            mean = moment[at, :, k].sum(axis=1, keepdims=True)
            each = np.broadcast_to(mean, share.shape).copy()
            np.divide(moment[at, :, k], share[at], out=each, where=share[at] > 0)
            found[:, :, k] = each
        return found

    def at(self, kappa: FloatArray) -> Shape:
        """Return the sums at some κ."""
        share, leverage = self.leverages(kappa)
        low, part = self._places(kappa)
        moment = self._mixed(self._moment, low, part) * share[..., None]
        return Shape(share, leverage, moment)

    def leverages(self, kappa: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the shares of rows, and of leverages, alone."""
        low, part = self._places(kappa)
        curve = self._curve
        return self._mixed(curve.row_share, low, part), self._mixed(curve.leverage, low, part)

    def scale_noise(self, kappa: FloatArray) -> FloatArray:
        """Return the relative standard error of mean Q over all rows."""
        return np.interp(np.log(kappa), self._log_kappa, self._noise)

    def _places(self, kappa: FloatArray) -> tuple[IndexArray, FloatArray]:
        x = self._log_kappa
        position = np.interp(np.log(kappa), x, np.arange(x.size))
        low = np.minimum(position.astype(np.intp), x.size - 2)
        return low, position - low

    @staticmethod
    def _mixed(values: FloatArray, low: IndexArray, part: FloatArray) -> FloatArray:
        weight = part.reshape(-1, *(1,) * (values.ndim - 1))
        return np.asarray((1.0 - weight) * values[low] + weight * values[low + 1])
