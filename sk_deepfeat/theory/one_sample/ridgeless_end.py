"""A κ-curve between two points of its grid, where alpha falls to zero for fewer rows than it has.

For n below the rank, alpha = κ(n - f) reaches 0 at f = n, between two points of the grid: points of
its own close in on it geometrically.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline

from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve, ratio
from sk_deepfeat.theory.one_sample.leverage_classes import ConstantShare
from sk_deepfeat.theory.validation import FloatArray

_POINTS = 120
_BISECTIONS = 50


class CurvePoints(NamedTuple):
    """Some points of a κ-curve, seen from n rows; names as in `KappaCurve`."""

    kappa: FloatArray
    df1: FloatArray
    residual_df: FloatArray  # N - f
    unused_rows: FloatArray  # n - f, of the rows that have any leverage
    df2: FloatArray
    row_share: FloatArray
    leverage: FloatArray
    error: FloatArray
    leverage_weighted_error: FloatArray
    training_error: FloatArray
    constant: ConstantShare | None = None


def points_for(curve: KappaCurve, n: float) -> CurvePoints:
    """Return the points of a curve with f < n, and those that lead to f = n.

    Parameters
    ----------
    curve : KappaCurve
        Of a training set.
    n : float
        Number of rows, less one with an intercept.

    Returns
    -------
    CurvePoints
        Of ascending κ.
    """
    active_rows = curve.active_rows(n)
    unused_rows = (active_rows - curve.n_effective) + curve.residual_df
    first = int(np.argmax(unused_rows > 0))
    if first > 0:
        # The added points start from where n - f still changes gently.
        gentle = unused_rows[first:-1] > 0.75 * unused_rows[first + 1 :]
        first += int(np.argmax(gentle)) if np.any(gentle) else gentle.size
    known = CurvePoints(
        curve.kappa,
        curve.df1,
        curve.residual_df,
        unused_rows,
        curve.df2,
        curve.row_share,
        curve.leverage,
        curve.error,
        curve.leverage_weighted_error,
        curve.training_error,
        curve.constant,
    )
    if first == 0:
        return known
    end = _towards_ridgeless(curve, active_rows, float(unused_rows[first]), first)
    constant = None
    if end.constant is not None and known.constant is not None:
        pairs = zip(end.constant, known.constant, strict=True)
        constant = ConstantShare(*(np.concatenate([e, k[first:]]) for e, k in pairs))
    arrays: Any = zip(end[:-1], known[:-1], strict=True)
    joined: Any = [np.concatenate([e, k[first:]]) for e, k in arrays]
    return CurvePoints(*(*joined, constant))


def _towards_ridgeless(curve: KappaCurve, n: float, start: float, first: int) -> CurvePoints:
    """Return points that close in on f = n from the grid point `first`, where n - f is `start`."""
    unused_rows: FloatArray = start * np.exp2(-0.25 * np.arange(_POINTS, 0, -1))
    grid = np.log(curve.kappa)
    log_residual_df = CubicSpline(grid, np.log(curve.residual_df))
    wanted = np.log((curve.n_effective - n) + unused_rows)
    below, x = np.full(unused_rows.size, grid[0]), np.full(unused_rows.size, grid[first])
    for _ in range(_BISECTIONS):
        middle = 0.5 * (below + x)
        short = log_residual_df(middle) < wanted
        below, x = np.where(short, middle, below), np.where(short, x, middle)
    df1 = n - unused_rows
    df_gap = np.exp(CubicSpline(grid, np.log(np.maximum(curve.df1 - curve.df2, 1e-300)))(x))
    # Classes are mixed by cubics through four grid points; each sum, which counts most, follows its
    # own spline.
    index = np.clip(np.searchsorted(grid, x) - 2, 0, grid.size - 4)[:, None] + np.arange(4)
    weights = _lagrange(grid[index], x)

    def totalled(classes: FloatArray, values: FloatArray) -> FloatArray:
        total = CubicSpline(grid, values.sum(axis=1))(x)
        return classes * ratio(total, classes.sum(axis=1))[:, None]

    def mixed(values: FloatArray) -> FloatArray:
        return np.maximum(np.einsum("xj,xj...->x...", weights, values[index]), 0.0)

    def mixed_within(values: FloatArray, base: FloatArray, mixed_base: FloatArray) -> FloatArray:
        """Mix such that the ratio to `base`, a mean of s, stays among those of the four points."""
        ratios, some = ratio(values, base)[index], (base > 0)[index]
        low = np.where(some, ratios, np.inf).min(axis=1)
        high = np.where(some, ratios, 0.0).max(axis=1)
        low = np.minimum(low, high)
        return np.clip(mixed(values), low * mixed_base, high * mixed_base)

    row_share, error = mixed(curve.row_share), mixed(curve.error)
    leverage = mixed_within(curve.leverage, curve.row_share, row_share)
    weighted = mixed_within(curve.leverage_weighted_error, curve.error, error)
    known = curve.row_share, curve.leverage, curve.error, curve.leverage_weighted_error
    mine = row_share, leverage, error, weighted
    plain: Any = tuple(totalled(*pair) for pair in zip(mine, known, strict=True))
    constant = None
    if curve.constant is not None:  # by its ratio to the plain sums, which is 1 for single rows
        parts = zip(plain, curve.constant[:-1], known, strict=True)
        shares: Any = [sums * mixed(ratio(theirs, base)) for sums, theirs, base in parts]
        relative = CubicSpline(grid, ratio(curve.constant.mean_error, curve.error.sum(axis=1)))(x)
        mean_error = plain[2].sum(axis=1) * np.maximum(relative, 0.0)
        constant = ConstantShare(*(*shares, mean_error))
    residual_df = (curve.n_effective - n) + unused_rows
    spectrum = np.exp(x), df1, residual_df, unused_rows, df1 - df_gap
    return CurvePoints(*(*spectrum, *plain, mixed(curve.training_error), constant))


def _lagrange(nodes: FloatArray, x: FloatArray) -> FloatArray:
    """Return the weights of interpolation at x from each row of nodes, shape of `nodes`."""
    weights = np.ones_like(nodes)
    for i in range(nodes.shape[1]):
        for j in range(nodes.shape[1]):
            if i != j:
                weights[:, i] *= (x - nodes[:, j]) / (nodes[:, i] - nodes[:, j])
    return weights
