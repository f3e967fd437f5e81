r"""A κ-curve seen from n rows: alpha, test and training error at each of its κ.

With relative leverages s and squared leave-one-out residuals e² of N rows (less one with an
intercept), the part of e² that does not depend on the number of rows is a = e² - s V₀ with, at q
and τ = f/q of the training set,

    V₀ = (N df2/τ²)·mean[s e²/(1+s q)²].

For n rows at the same κ, q_n solves n·mean[s q_n/(1+s q_n)] = f, and with c = n df2 q_n²/f²

    alpha = κ f/q_n,   V = c·mean[s a/(1+s q_n)²]/(1 - c·mean[s²/(1+s q_n)²]),   R = mean a + V.

For pairs of groups and an intercept, means over rows count by 1 + (1 - v)/n, as in `counted`, and
the intercept's error by groups is added. At n = N this is mean e² again. For equal leverages
R = (B + σ²)/(1 - df2/n): the same lines serve the curve of generalised cross-validation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.one_sample.kappa_curve import (
    KappaCurve,
    counted,
    ratio,
    solve_leverage_scale,
)
from sk_deepfeat.theory.one_sample.leverage_classes import ConstantShare
from sk_deepfeat.theory.one_sample.ridgeless_end import points_for
from sk_deepfeat.theory.validation import FloatArray


class CurveNodes(NamedTuple):
    """Everything at one n, along the κ with f < n; ascending alpha."""

    alpha: FloatArray
    kappa: FloatArray
    test_error: FloatArray  # without the intercept's factor, (nodes, t)
    train_error: FloatArray
    bias_and_noise: FloatArray  # mean a as it is
    error: FloatArray  # mean e² of the training set
    amplification: FloatArray  # c·mean[s²/(1+s q)²], by which V feeds itself; df2/n of equal rows


def nodes_at(curve: KappaCurve, n: float) -> CurveNodes:
    """Return everything at one n.

    Parameters
    ----------
    curve : KappaCurve
        Of a training set.
    n : float
        Number of rows, less one with an intercept.

    Returns
    -------
    CurveNodes
        Where noise leaves no finite variance, or alpha falling in κ, there is no node.
    """
    points = points_for(curve, n)
    n_curve = curve.n_effective
    if not np.any(points.unused_rows > 0):  # fewer rows than an intercept of groups costs
        nothing, errors = np.empty(0), np.empty((0, curve.n_outputs))
        return CurveNodes(nothing, nothing, *(errors,) * 4, nothing)
    idle_rows = n_curve - curve.active_rows(n_curve)

    def scale_at(rows: float, unused: FloatArray) -> FloatArray:
        share, leverage = counted(points, "row_share", rows), counted(points, "leverage", rows)
        return solve_leverage_scale(share, leverage, rows, points.df1, unused)

    q_curve = scale_at(n_curve, points.residual_df - idle_rows)
    q_n = q_curve if n == n_curve else scale_at(n, points.unused_rows)

    # Means over rows of g(s) take s at a class's own mean, those of e² g(s) at its mean under e²:
    # both are then exact to first order in the width of a class.
    error = points.error
    s = ratio(points.leverage, points.row_share)
    s_error = ratio(points.leverage_weighted_error, error)

    def damping(q: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return c = n df2 q²/f² over n, 1/(1+s q)² for rows, and the same for errors."""
        return (
            points.df2 * np.square(q / points.df1),
            1.0 / np.square(1.0 + s * q[:, None]),
            1.0 / np.square(1.0 + s_error * q[:, None, None]),
        )

    def training(rows: float, q: FloatArray, excess: FloatArray) -> FloatArray:
        """Return the mean squared residual of `rows`, whose variance differs by `excess`."""
        _, of_row, of_error = damping(q)
        mean = (counted(points, "error", rows) * of_error).sum(axis=1)
        return mean + (counted(points, "leverage", rows) * of_row).sum(axis=1)[:, None] * excess

    scale, _, of_error = damping(q_curve)
    weighted_error = counted(points, "leverage_weighted_error", n_curve)
    variance_curve = n_curve * scale[:, None] * (weighted_error * of_error).sum(axis=1)  # V₀
    scale, of_row, of_error = damping(q_n)
    quadratic = (counted(points, "leverage", n) * s * of_row).sum(axis=1)
    weighted_error = counted(points, "leverage_weighted_error", n)
    linear = (weighted_error * of_error).sum(axis=1) - variance_curve * quadratic[:, None]
    gap = 1.0 - n * scale * quadratic
    variance = ratio(n * scale[:, None] * linear, np.broadcast_to(gap[:, None], linear.shape))
    variance = np.where(gap[:, None] > 0, variance, np.nan)
    mean_error = error.sum(axis=1)
    bias_and_noise = mean_error - variance_curve  # mean a
    train = training(n, q_n, variance - variance_curve)
    test = bias_and_noise + variance
    if points.constant is not None:
        test += _mean_of_groups(points.constant, mean_error, variance - variance_curve) / (n + 2.0)
    if curve.left_out:  # exact at the training size, where an intercept costs the formula a little
        train *= ratio(points.training_error, training(n_curve, q_curve, np.zeros_like(variance)))
    alpha = points.kappa * points.df1 / q_n
    return _without_impossible(
        CurveNodes(alpha, points.kappa, test, train, bias_and_noise, mean_error, 1.0 - gap)
    )


def _mean_of_groups(
    constant: ConstantShare, mean_error: FloatArray, excess: FloatArray
) -> FloatArray:
    """Return what groups add to the intercept's error, which is that of single rows otherwise.

    The mean of n + 1 rows is off by their groups' errors, β + γ (V - V₀) with γ = mean v s; the
    factor 1 + 1/(n + 1), which the evaluation puts before all, counts mean e² + V - V₀.
    """
    shared = constant.leverage.sum(axis=1)[:, None]
    return constant.mean_error - mean_error + (shared - 1.0) * excess


def _without_impossible(nodes: CurveNodes) -> CurveNodes:
    """Take out nodes that noise has made impossible: no finite variance, alpha falling in κ."""
    highest = np.fmax.accumulate(nodes.alpha)
    rising = np.r_[True, nodes.alpha[1:] > highest[:-1] * (1.0 + 1e-12)]
    keep = rising & (nodes.alpha > 0) & np.isfinite(nodes.test_error).all(axis=1)
    return nodes if keep.all() else CurveNodes(*(part[keep] for part in nodes))
