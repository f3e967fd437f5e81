"""Squared bias and noise, B + σ², along the κ that one training set shows.

They are estimated by mean a (see `nodes`), a difference of two means of e² whose noise is about
mean e²/√N. Two things are known of what they estimate: it is not negative, and it rises with κ.
Where mean a is below twice its noise, the next κ above that shows it stands for it, which is a
bound. Of the rest the nearest sequence that rises is taken, each point counted by the inverse
square of its noise.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import isotonic_regression

from sk_deepfeat.theory.interpolation import log_spline
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve
from sk_deepfeat.theory.one_sample.nodes import CurveNodes, nodes_at
from sk_deepfeat.theory.validation import FloatArray


def bias_and_noise_along_kappa(curve: KappaCurve) -> tuple[FloatArray, FloatArray]:
    """Return log κ, ascending, and mean a as it is there, shape (K, t)."""
    nodes = nodes_at(curve, float(curve.n_effective))
    return np.log(nodes.kappa), nodes.bias_and_noise


class BiasAndNoise:
    """The estimate of B + σ² that rises with κ, at any κ.

    Parameters
    ----------
    curve : KappaCurve
        With some direction.
    """

    def __init__(self, curve: KappaCurve) -> None:
        nodes = nodes_at(curve, float(curve.n_effective))
        self._n_outputs = curve.n_outputs
        self._ends, self._splines = (0.0, 0.0), []
        if nodes.kappa.size < 2:
            return
        log_kappa = np.log(nodes.kappa)
        self._ends = float(log_kappa[0]), float(log_kappa[-1])
        rising = rising_estimate(nodes, curve.n_effective)
        for k in range(self._n_outputs):
            # A sequence that was made to rise has corners, about which a cubic would swing.
            corners = not np.array_equal(rising[:, k], nodes.bias_and_noise[:, k])
            self._splines.append(log_spline(log_kappa, rising[:, k], monotone=corners))

    def at(self, kappa: FloatArray) -> FloatArray:
        """Return estimates of shape (cells, t) at κ of shape (cells,); NaN where κ is."""
        if not self._splines:
            return np.full((kappa.size, self._n_outputs), np.nan)
        with np.errstate(divide="ignore"):
            log_kappa = np.clip(np.log(kappa), *self._ends)
        return np.maximum(np.stack([spline(log_kappa) for spline in self._splines], axis=-1), 0.0)


def rising_estimate(nodes: CurveNodes, n_effective: int) -> FloatArray:
    """Return the estimate at the nodes of the training size, shape (K, t).

    Parameters
    ----------
    nodes : CurveNodes
        At the training size.
    n_effective : int
        N, rows of the training set, less one with an intercept.
    """
    noise = nodes.error / np.sqrt(n_effective)
    known = nodes.bias_and_noise >= tuning.MOMENT_NOISE * noise
    known[-1] = True  # where next to nothing is learned, mean a is mean e²
    size = len(known)
    rows = np.where(known, np.arange(size)[:, None], size)
    above = np.minimum.accumulate(rows[::-1], axis=0)[::-1]
    found = np.take_along_axis(nodes.bias_and_noise, above, axis=0)
    steps = np.abs(np.gradient(np.log(nodes.kappa)))  # so that it is the same for every grid
    for k in np.flatnonzero(np.any(np.diff(found, axis=0) < 0, axis=0)):
        relative = np.maximum(nodes.error[:, k] / nodes.error[:, k].max(), 1e-12)
        found[:, k] = isotonic_regression(found[:, k], weights=steps / relative**2).x
    return np.maximum(found, 0.0)
