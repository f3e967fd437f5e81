"""Squared bias and noise, B + σ², along the κ that one training set shows.

They are estimated by mean a (see `nodes`), whose noise is about mean e²/√N: from leave-one-out
residuals it is a difference of two means of e², from generalised cross-validation a small share
of one. Two things are known of what is estimated: it is not negative, and it rises with κ. Where
mean a is below twice its noise, that of the next κ above that shows it takes its place, which is a
bound: with a few rows, or near interpolation, nothing more is known. The nearest sequence to all
this that rises with κ is the estimate, each point counted by the length of its step in log κ over
the square of its noise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from sk_deepfeat.theory.interpolation import log_spline
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve
from sk_deepfeat.theory.one_sample.nodes import CurveNodes, nodes_at
from sk_deepfeat.theory.validation import FloatArray

_ROUNDING = 1e-12  # of pooled values: by which one that stays as it is may move


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
    nodes : CurveNodes, optional
        At the training size, if they have been made.
    """

    def __init__(self, curve: KappaCurve, nodes: CurveNodes | None = None) -> None:
        if nodes is None:
            nodes = nodes_at(curve, float(curve.n_effective))
        self._log_kappa = np.log(nodes.kappa)
        self._rising = rising_estimate(nodes, curve.n_effective)
        moved = np.abs(self._rising - nodes.bias_and_noise)
        self._made = moved > _ROUNDING * self._rising  # what is no longer mean a, (K, t)
        self._estimate = log_spline(self._log_kappa, self._rising, monotone=True)

    def at_nodes(self, nodes: CurveNodes) -> EstimateAtNodes:
        """Return the estimate through the nodes of any n, at least two."""
        at = np.clip(np.log(nodes.kappa), self._log_kappa[0], self._log_kappa[-1])
        below = np.clip(np.searchsorted(self._log_kappa, at) - 1, 0, self._log_kappa.size - 2)
        exact = self._log_kappa[below + 1] == at
        made = np.where(exact[:, None], False, self._made[below]) | self._made[below + 1]
        values = nodes.bias_and_noise
        if np.any(made):
            values = np.where(made, self._estimate(at), values)
        return EstimateAtNodes(np.log(nodes.alpha), values, made)


class EstimateAtNodes:
    """The estimate at nodes, and between them.

    Where it is mean a, it goes between the nodes as the test error does, so that the difference
    of the two, the variance, keeps its digits. Elsewhere it has corners, about which a cubic
    would swing.

    Parameters
    ----------
    log_alpha : ndarray of shape (K,)
        Of the nodes, ascending.
    values : ndarray of shape (K, t)
        The estimate there.
    made : ndarray of bool of shape (K, t)
        Where it is not mean a.
    """

    def __init__(self, log_alpha: FloatArray, values: FloatArray, made: NDArray[np.bool_]) -> None:
        self._log_alpha, self._values = log_alpha, values
        self._corners = made[:-1] | made[1:]
        self.differs = bool(np.any(made))
        """Whether it is anything but mean a."""

    def between(self, alpha: FloatArray, smooth: FloatArray) -> FloatArray:
        """Return the estimate at some alphas, constant beyond the nodes.

        Parameters
        ----------
        alpha : ndarray of shape (A,)
            Regularisations.
        smooth : ndarray of shape (A, t)
            Mean a there, by a cubic through the nodes.

        Returns
        -------
        ndarray of shape (A, t)
        """
        if not self.differs:
            return smooth
        with np.errstate(divide="ignore"):
            x = np.clip(np.log(alpha), self._log_alpha[0], self._log_alpha[-1])
        step = np.clip(np.searchsorted(self._log_alpha, x) - 1, 0, self._log_alpha.size - 2)
        low, high = self._values[step], self._values[step + 1]
        between, corners = np.clip(smooth, low, high), self._corners[step]
        if not np.any(corners):
            return between
        return np.where(corners, self._cornered(x), between)

    @cached_property
    def _cornered(self) -> Callable[[FloatArray], FloatArray]:
        return log_spline(self._log_alpha, self._values, monotone=True)


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
    steps = np.abs(np.gradient(np.log(nodes.kappa)))  # so that the grid hardly matters
    steps = np.maximum(steps, 1e-12 * steps.max())
    for k in np.flatnonzero(np.any(np.diff(found, axis=0) < 0, axis=0)):
        relative = np.maximum(nodes.error[:, k] / nodes.error[:, k].max(), 1e-12)
        found[:, k] = isotonic_regression(found[:, k], weights=steps / relative**2).x
    return np.maximum(found, 0.0)
