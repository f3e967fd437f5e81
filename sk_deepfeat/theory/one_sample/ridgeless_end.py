"""κ-curves between two points of their grids, where alpha falls to zero for fewer rows than f.

For n below the rank, alpha = κ(n - f) reaches 0 at f = n, between two points of the grid: points of
its own close in on it geometrically.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from sk_deepfeat.theory.one_sample.curve_stack import SUMS, CurvePoints, CurveStack
from sk_deepfeat.theory.one_sample.leverage_classes import ConstantShare
from sk_deepfeat.theory.one_sample.leverage_scale import ratio
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.spline_rows import SplineRows
from sk_deepfeat.theory.validation import FloatArray

_POINTS, _MOST_STEPS = 120, 60


class Places(NamedTuple):
    """Where points are wanted: one entry for each curve and n, P of them."""

    curve: IndexArray
    """Number of the curve in its stack."""
    rows: FloatArray
    """n."""
    active_rows: FloatArray
    """Those of n that have any leverage, at which f ends."""
    first: IndexArray
    """The point of the grid that the new ones lead down from, counted within the curve."""
    start: FloatArray
    """n - f there."""


class RidgelessEnds:
    """What the curves of a stack are between the points of their grids.

    Parameters
    ----------
    stack : CurveStack
        The curves.
    """

    def __init__(self, stack: CurveStack) -> None:
        self.stack, self.size = stack, _POINTS

    def points(self, places: Places) -> CurvePoints:
        """Return the new points of all places, `size` of each, ascending in κ."""
        stack = self.stack
        steps = np.exp2(-0.25 * np.arange(self.size, 0, -1))
        unused = (places.start[:, None] * steps).ravel()
        curve, first = np.repeat(places.curve, self.size), np.repeat(places.first, self.size)
        rows, active = (np.repeat(p, self.size) for p in (places.rows, places.active_rows))
        residual_df = (stack.n_effective - active) + unused
        start = stack.starts[curve]
        piece, x = self._solve(start, start + first, np.log(residual_df))
        splines = self._splines(curve, x)
        mixing = _Mixing(self._log_kappa, x, piece, start, stack.ends[curve])
        sums, constant = self._sums(mixing, splines)
        df1 = active - unused
        return CurvePoints(
            np.exp(x),
            df1,
            residual_df,
            unused,
            rows,
            stack.idle_rows[curve],
            df1 - np.exp(splines[:, 1]),
            sums[0],
            sums[1],
            sums[2],
            sums[3],
            mixing.mixed(stack.known["training_error"]),
            constant,
        )

    @cached_property
    def _log_kappa(self) -> FloatArray:
        return np.log(self.stack.known["kappa"])

    @cached_property
    def _totals(self) -> list[FloatArray]:
        """Sums over classes, and what groups add, relative to that of errors."""
        known = self.stack.known
        totals = [known[name].sum(axis=1) for name in SUMS]
        if self.stack.constant is not None:
            totals.append(ratio(self.stack.constant["mean_error"], totals[2]))
        return totals

    @cached_property
    def _splines(self) -> SplineRows:
        """Splines in log κ of log(N - f), log(f - df2) and the sums over classes."""
        known = self.stack.known
        gap = np.maximum(known["df1"] - known["df2"], 1e-300)
        values = np.column_stack([np.log(known["residual_df"]), np.log(gap), *self._totals])
        return SplineRows(self.stack.sizes, self._log_kappa, values)

    def _solve(
        self, start: IndexArray, stop: IndexArray, wanted: FloatArray
    ) -> tuple[IndexArray, FloatArray]:
        """Return where log(N - f) is as wanted: the pieces, between two points, and log κ.

        By Newton's method, within brackets that shrink.
        """
        known = self._splines.values[:, 0]
        piece = _last_below(known, start, stop, wanted)
        cubic, square, slope, value = (
            part[:, 0] for part in self._splines.pieces(piece, slice(0, 1))
        )
        x = self._log_kappa
        low, high = np.zeros(wanted.size), x[piece + 1] - x[piece]
        rounding = 1e-15 * np.maximum(np.abs(wanted), 1.0)
        rise = known[piece + 1] - value
        u = np.where(rise > 0, high * (wanted - value) / np.where(rise > 0, rise, 1.0), 0.5 * high)
        for _ in range(_MOST_STEPS):
            short = value + u * (slope + u * (square + u * cubic)) - wanted
            low, high = np.where(short < 0, u, low), np.where(short < 0, high, u)
            with np.errstate(divide="ignore", invalid="ignore"):  # where it is level: halved below
                step = short / (slope + u * (2.0 * square + 3.0 * u * cubic))
            following = u - step
            inside = (following >= low) & (following <= high)
            following = np.where(inside, following, 0.5 * (low + high))
            moved, u = np.abs(following - u), following
            if np.all((moved <= 1e-14) | (np.abs(short) <= rounding)):
                break
        return piece, x[piece] + u

    def _sums(
        self, mixing: _Mixing, splines: FloatArray
    ) -> tuple[list[FloatArray], ConstantShare | None]:
        """Return the sums by class, and those by shares of the constant if there are any.

        Classes are mixed by cubics through four points of the grid; each sum, which counts most,
        follows its own spline.
        """
        known, constant = self.stack.known, self.stack.constant
        share, leverage, error, weighted = (known[name] for name in SUMS)
        mixed_share, mixed_error = mixing.mixed(share), mixing.mixed(error)
        mine = (
            mixed_share,
            mixing.mixed_within(leverage, share, mixed_share),
            mixed_error,
            mixing.mixed_within(weighted, error, mixed_error),
        )
        t = self.stack.n_outputs
        totals = np.split(splines, np.cumsum([2, 1, 1, t, t]), axis=1)[1:]
        flat = [totals[0][:, 0], totals[1][:, 0], totals[2], totals[3]]
        sums = [
            classes * ratio(total, classes.sum(axis=1))[:, None]
            for classes, total in zip(mine, flat, strict=True)
        ]
        if constant is None:
            return sums, None
        # By their ratio to the plain sums, which is 1 for single rows.
        shares = [
            plain * mixing.mixed(ratio(constant[name], known[name]))
            for plain, name in zip(sums, SUMS, strict=True)
        ]
        mean_error = sums[2].sum(axis=1) * np.maximum(totals[4], 0.0)
        return sums, ConstantShare(shares[0], shares[1], shares[2], shares[3], mean_error)


def _last_below(
    values: FloatArray, start: IndexArray, stop: IndexArray, wanted: FloatArray
) -> IndexArray:
    """Return the last of some ascending values, from start to stop, that is below one wanted."""
    low, high = start.copy(), stop.copy()
    while np.any(high - low > 1):
        middle = (low + high) // 2
        below = values[middle] < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low


class _Mixing:
    """Cubics through four points of the grid about each x, as one sparse matrix."""

    def __init__(
        self, grid: FloatArray, x: FloatArray, piece: IndexArray, start: IndexArray, end: IndexArray
    ) -> None:
        first = np.clip(piece - 1, start, end - 4)
        index = first[:, None] + np.arange(4)
        weights = _lagrange(grid[index], x)
        rows = np.arange(0, index.size + 1, 4)
        self._matrix = csr_array((weights.ravel(), index.ravel(), rows), shape=(x.size, grid.size))
        places, self._place = np.unique(first, return_inverse=True)
        self._index = places[:, None] + np.arange(4)

    def mixed(self, values: FloatArray) -> FloatArray:
        """Return the values at the x, not negative."""
        found = self._matrix @ values.reshape(len(values), -1)
        return np.maximum(found, 0.0).reshape(-1, *values.shape[1:])

    def mixed_within(
        self, values: FloatArray, base: FloatArray, mixed_base: FloatArray
    ) -> FloatArray:
        """Mix such that the ratio to `base`, a mean of s, stays among those of the four points."""
        bases = base[self._index]
        ratios, some = ratio(values[self._index], bases), bases > 0
        low = np.where(some, ratios, np.inf).min(axis=1)
        high = np.where(some, ratios, 0.0).max(axis=1)
        low = np.minimum(low, high)
        bounds = (bound[self._place] * mixed_base for bound in (low, high))
        return np.clip(self.mixed(values), *bounds)


def _lagrange(nodes: FloatArray, x: FloatArray) -> FloatArray:
    """Return the weights of interpolation at x from each row of nodes, shape of `nodes`."""
    weights = np.ones_like(nodes)
    for i in range(nodes.shape[1]):
        for j in range(nodes.shape[1]):
            if i != j:
                weights[:, i] *= (x - nodes[:, j]) / (nodes[:, i] - nodes[:, j])
    return weights
