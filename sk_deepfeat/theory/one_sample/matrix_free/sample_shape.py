r"""What a sample of the rows tells at any κ: how unequal leverages are, and which rows are hard.

Relative leverages s of rows do not depend on how many rows there are, at equal κ, nor does the part
of squared left-out errors that is no variance, a = e² - s V₀. Both are taken by classes from the
sample's own curve. Where most of the sample's errors is variance, its leverages scatter with its
own fits and a is lost: from there on downwards all is as at the lowest κ above. What a is in all
does not count: that is measured on all rows.
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
        x = np.log(nodes.kappa)
        columns = (nodes.error - nodes.bias_and_noise).T
        variance = np.stack([np.interp(self._log_kappa, x, each) for each in columns], axis=1)
        moment = np.maximum(curve.error - variance[:, None] * curve.leverage[..., None], 0.0)
        lost = (variance > tuning.MOST_VARIANCE_SHARE * curve.error.sum(axis=1)).any(axis=1)
        lost[-1] = False
        lowest = np.flatnonzero(lost)[-1] + 1 if lost.any() else 0
        self._lowest = self._log_kappa[lowest]
        self._moment = self._by_class(moment)

    def _by_class(self, moment: FloatArray) -> FloatArray:
        """Return mean a in the classes, in those that are empty the mean of all."""
        share = self._curve.row_share[..., None]
        mean = moment.sum(axis=1, keepdims=True)
        return np.divide(
            moment, share, out=np.broadcast_to(mean, moment.shape).copy(), where=share > 0
        )

    def at(self, kappa: FloatArray) -> Shape:
        """Return the sums at some κ."""
        low, part = self._places(kappa)
        share = _mixed(self._curve.row_share, low, part)
        leverage = _mixed(self._curve.leverage, low, part)
        return Shape(share, leverage, _mixed(self._moment, low, part) * share[..., None])

    def scale_noise(self, kappa: FloatArray) -> FloatArray:
        """Return the relative standard error of mean Q over all rows."""
        return np.interp(np.log(kappa), self._log_kappa, self._noise)

    def _places(self, kappa: FloatArray) -> tuple[IndexArray, FloatArray]:
        x = self._log_kappa
        position = np.interp(np.maximum(np.log(kappa), self._lowest), x, np.arange(x.size))
        low = np.minimum(position.astype(np.intp), x.size - 2)
        return low, position - low


def _mixed(values: FloatArray, low: IndexArray, part: FloatArray) -> FloatArray:
    weight = part.reshape(-1, *(1,) * (values.ndim - 1))
    return np.asarray((1.0 - weight) * values[low] + weight * values[low + 1])
