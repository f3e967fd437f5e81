"""Cubic splines along many rows of points at once, each row with abscissas of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from sk_deepfeat.theory.validation import FloatArray

IndexArray = NDArray[np.intp]
_ALL = slice(None)


class SplineRows:
    """Not-a-knot cubic splines, as of `scipy.interpolate.CubicSpline`.

    The equations of all rows are one tridiagonal system.

    Parameters
    ----------
    sizes : ndarray of shape (R,)
        Points of each row, at least two.
    x : ndarray of shape (P,)
        Abscissas of all rows, one row after the other, ascending in each.
    values : ndarray of shape (P, m)
        What to interpolate, finite.
    log : bool, default=False
        Whether a column that is positive along a row is interpolated in its logarithm there.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory.spline_rows import SplineRows
    >>> x = np.array([0.0, 1.0, 2.0, 3.0, 0.0, 2.0])
    >>> splines = SplineRows(np.array([4, 2]), x, x[:, None] ** 3)
    >>> splines(np.array([0, 1]), np.array([1.5, 0.5])).ravel()
    array([3.375, 2.   ])
    """

    def __init__(
        self, sizes: IndexArray, x: FloatArray, values: FloatArray, *, log: bool = False
    ) -> None:
        self.x, self.ends = x, np.cumsum(sizes)
        self.starts = self.ends - sizes
        self._positive: NDArray[np.bool_] | None = None
        if log and sizes.size:
            self._positive = np.minimum.reduceat(values, self.starts, axis=0) > 0
            if self._positive.all():
                values = np.log(values)
            else:
                logs = np.repeat(self._positive, sizes, axis=0)
                values = np.where(logs, np.log(np.where(logs, values, 1.0)), values)
        self.values = values
        self._slopes = _slopes(self.starts, self.ends, x, values)
        # Shifted such that the abscissas of all rows ascend, one search finds the place in any.
        lengths = x[self.ends - 1] - x[self.starts]
        self._shift = np.cumsum(lengths + 1.0) - lengths - x[self.starts]
        self._keys = x + np.repeat(self._shift, sizes)

    def __call__(self, rows: IndexArray, at: FloatArray, columns: slice = _ALL) -> FloatArray:
        """Return the splines of some rows at one abscissa each.

        Parameters
        ----------
        rows : ndarray of shape (Q,)
            Numbers of rows.
        at : ndarray of shape (Q,)
            Abscissas.
        columns : slice, optional
            Which columns; all of them by default.

        Returns
        -------
        ndarray of shape (Q, columns)
        """
        index = np.searchsorted(self._keys, at + self._shift[rows], side="right") - 1
        index = np.clip(index, self.starts[rows], self.ends[rows] - 2)
        u = (at - self.x[index])[:, None]
        cubic, square, slope, value = self.pieces(index, columns)
        found = ((cubic * u + square) * u + slope) * u + value
        if self._positive is None:
            return found
        if self._positive.all():
            return np.asarray(np.exp(found, out=found))
        positive = self._positive[rows][:, columns]
        return np.where(positive, np.exp(np.where(positive, found, 0.0)), found)

    def pieces(
        self, index: IndexArray, columns: slice = _ALL
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return the coefficients of the pieces that begin at some points, highest power first."""
        length = (self.x[index + 1] - self.x[index])[:, None]
        value, slope = self.values[index, columns], self._slopes[index, columns]
        mean = (self.values[index + 1, columns] - value) / length
        excess = (slope + self._slopes[index + 1, columns] - 2.0 * mean) / length
        return excess / length, (mean - slope) / length - excess, slope, value


def _slopes(starts: IndexArray, ends: IndexArray, x: FloatArray, values: FloatArray) -> FloatArray:
    """Return the derivatives at all points."""
    if not x.size:
        return np.zeros_like(values)
    step = np.diff(x, append=x[-1:])
    step[ends - 1] = 1.0  # from one row to the next: in no equation
    mean = np.diff(values, axis=0, append=values[-1:]) / step[:, None]
    before, mean_before = np.roll(step, 1), np.roll(mean, 1, axis=0)
    diagonal, above, below = 2.0 * (before + step), before.copy(), step.copy()
    right = 3.0 * (step[:, None] * mean_before + before[:, None] * mean)
    sizes, last = ends - starts, ends - 1
    above[last] = below[starts] = 0.0
    # Two points make a line, three a parabola; with more, the first two pieces are one cubic.
    line = sizes == 2
    first, end = starts[line], last[line]
    diagonal[first] = diagonal[end] = 1.0
    above[first] = below[end] = 0.0
    right[first] = right[end] = mean[first]
    parabola = sizes == 3
    first, end = starts[parabola], last[parabola]
    diagonal[first] = diagonal[end] = above[first] = below[end] = 1.0
    right[first], right[end] = 2.0 * mean[first], 2.0 * mean[end - 1]
    more = sizes > 3
    for at, inner, sign in ((starts[more], starts[more] + 1, 1), (last[more], last[more] - 2, -1)):
        outer = at if sign > 0 else at - 1
        two = step[outer] + step[inner]
        diagonal[at] = step[inner]
        (above if sign > 0 else below)[at] = two
        weight = (2.0 * two + step[outer]) * step[inner]
        total = weight[:, None] * mean[outer] + np.square(step[outer])[:, None] * mean[inner]
        right[at] = total / two[:, None]
    bands = np.stack([np.roll(above, 1), diagonal, np.roll(below, -1)])
    return np.asarray(
        solve_banded((1, 1), bands, right, overwrite_ab=True, overwrite_b=True, check_finite=False)
    )
