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
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.curve_points import PointsOfStack
from sk_deepfeat.theory.one_sample.curve_stack import CurvePoints, CurveStack
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve
from sk_deepfeat.theory.one_sample.leverage_classes import ConstantShare
from sk_deepfeat.theory.one_sample.leverage_scale import counted, ratio, solve_leverage_scale
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.validation import FloatArray

_RISE = 1.0 + 1e-12


class CurveNodes(NamedTuple):
    """Everything at one n, along the κ with f < n; ascending alpha."""

    alpha: FloatArray
    kappa: FloatArray
    test_error: FloatArray  # without the intercept's factor, (nodes, t)
    train_error: FloatArray  # (nodes, 0) where it was not asked for
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
        Where noise leaves no finite variance, or alpha falling in κ, there is no node; nor where
        there are fewer rows than an intercept of groups costs.
    """
    return NodesOfStack([curve]).seen_from(np.array([float(n)]))[0]


class NodesOfStack:
    """The nodes of several curves at several n, made together.

    Parameters
    ----------
    curves : list of KappaCurve
        At least one, of the same N and outputs.
    errors_alone : bool, default=False
        Whether training errors are left out.
    """

    def __init__(self, curves: list[KappaCurve], *, errors_alone: bool = False) -> None:
        self.stack, self.errors_alone = CurveStack(curves), errors_alone
        self._points = PointsOfStack(self.stack)

    def seen_from(self, rows: FloatArray) -> tuple[CurveNodes, IndexArray]:
        """Return the nodes of all curves for each n, one n after the other, and how many.

        Parameters
        ----------
        rows : ndarray of shape (S,)
            Numbers of rows, less one with an intercept.

        Returns
        -------
        nodes : CurveNodes
        sizes : ndarray of shape (S * curves,)
        """
        points, sizes = self._points.seen_from(rows)
        nodes = self._nodes(points)
        keep = _possible(nodes, sizes)
        if keep.all():
            return nodes, sizes
        number = np.repeat(np.arange(sizes.size), sizes)
        return (
            CurveNodes(*(part[keep] for part in nodes)),
            np.bincount(number[keep], minlength=sizes.size),
        )

    def _nodes(self, points: CurvePoints) -> CurveNodes:
        n, n_curve = points.rows, self.stack.n_effective

        def scale_at(rows: FloatArray | float, unused: FloatArray) -> FloatArray:
            share, leverage = counted(points, "row_share", rows), counted(points, "leverage", rows)
            return solve_leverage_scale(share, leverage, rows, points.df1, unused)

        q_curve = scale_at(n_curve, points.residual_df - points.idle_rows)
        same = n == n_curve
        q_n = q_curve if same.all() else np.where(same, q_curve, scale_at(n, points.unused_rows))

        # Means over rows of g(s) take s at a class's own mean, those of e² g(s) at its mean under
        # e²: both are then exact to first order in the width of a class.
        error = points.error
        s = ratio(points.leverage, points.row_share)
        s_error = ratio(points.leverage_weighted_error, error)

        def damping(q: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
            """Return c = n df2 q²/f² over n, 1/(1+s q)² for rows, and the same for errors."""
            return (
                points.df2 * np.square(q / points.df1),
                _inverse_square(s * q[:, None]),
                _inverse_square(s_error * q[:, None, None]),
            )

        scale_curve, _, error_curve = damping(q_curve)
        weighted_error = counted(points, "leverage_weighted_error", n_curve)
        variance_curve = n_curve * scale_curve[:, None] * _summed(weighted_error, error_curve)  # V₀
        scale, of_row, of_error = damping(q_n)
        leverage = counted(points, "leverage", n)
        quadratic = (leverage * s * of_row).sum(axis=1)
        linear = _summed(counted(points, "leverage_weighted_error", n), of_error)
        linear -= variance_curve * quadratic[:, None]
        gap = 1.0 - n * scale * quadratic
        scaled = (n * scale)[:, None] * linear
        variance = ratio(scaled, np.broadcast_to(gap[:, None], linear.shape))
        variance = np.where(gap[:, None] > 0, variance, np.nan)
        mean_error = error.sum(axis=1)
        bias_and_noise = mean_error - variance_curve  # mean a
        # A row of leverage one makes V and V₀ large: they cancel exactly at the training size.
        exactly = (same & (gap > 0))[:, None]
        excess = np.where(exactly, 0.0, variance - variance_curve)
        test = mean_error + excess
        if points.constant is not None:
            test += _mean_of_groups(points.constant, mean_error, excess) / (n + 2.0)[:, None]
        train = np.empty((n.size, 0))
        if not self.errors_alone:
            of_leverage = (leverage * of_row).sum(axis=1)[:, None]
            train = _summed(counted(points, "error", n), of_error) + of_leverage * excess
            if self.stack.left_out:
                # Exact at the training size, where an intercept costs the formula a little.
                at_curve = _summed(counted(points, "error", n_curve), error_curve)
                train *= ratio(points.training_error, at_curve)
        alpha = points.kappa * points.df1 / q_n
        return CurveNodes(alpha, points.kappa, test, train, bias_and_noise, mean_error, 1.0 - gap)


def _inverse_square(values: FloatArray) -> FloatArray:
    """Return 1/(1 + values)², in their place."""
    values += 1.0
    np.reciprocal(values, out=values)  # before the square, which may be beyond the range of floats
    return np.asarray(np.square(values, out=values))


def _summed(sums: FloatArray, damping: FloatArray) -> FloatArray:
    return np.einsum("gkt,gkt->gt", sums, damping)


def _mean_of_groups(
    constant: ConstantShare, mean_error: FloatArray, excess: FloatArray
) -> FloatArray:
    """Return what groups add to the intercept's error, which is that of single rows otherwise.

    The mean of n + 1 rows is off by their groups' errors, β + γ (V - V₀) with γ = mean v s; the
    factor 1 + 1/(n + 1), which the evaluation puts before all, counts mean e² + V - V₀.
    """
    shared = constant.leverage.sum(axis=1)[:, None]
    return constant.mean_error - mean_error + (shared - 1.0) * excess


def _possible(nodes: CurveNodes, sizes: IndexArray) -> NDArray[np.bool_]:
    """Say which nodes noise has not made impossible: no finite variance, alpha falling in κ."""
    alpha = nodes.alpha
    known = (alpha > 0) & np.isfinite(nodes.test_error).all(axis=1)
    rising = np.ones(alpha.size, dtype=bool)
    rising[1:] = alpha[1:] > alpha[:-1] * _RISE
    starts = np.cumsum(sizes) - sizes
    rising[starts[sizes > 0]] = True
    if not rising.all():
        for start, size in zip(starts, sizes, strict=True):
            mine = slice(start, start + size)
            highest = np.fmax.accumulate(alpha[mine])
            rising[mine][1:] = alpha[mine][1:] > highest[:-1] * _RISE
    return known & rising
