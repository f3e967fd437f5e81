"""Integrals of a function of N(mean, std²), right at kinks and jumps and for wide inputs.

The function is cut where it is not smooth, once for all units: `smooth_breakpoints` bisects until
a polynomial of degree 15 represents every piece, and merges what needs no cut. Each unit then has
panels that end at these points and at every whole number of standard deviations, each with sixteen
Gauss-Legendre nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from sk_deepfeat.theory.validation import FloatArray

# Standard deviations that are integrated over; the density is 1e-32 at the ends.
REACH = 12.0
N_NODES = 16
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(N_NODES)
# Values at the nodes -> Legendre coefficients of the interpolating polynomial.
_TO_COEFS = (
    np.polynomial.legendre.legvander(_NODES, N_NODES - 1).T
    * _WEIGHTS
    * (np.arange(N_NODES)[:, None] + 0.5)
)
# Relative size of the last coefficients of a smooth piece; the looser ones serve functions that
# are computed in low precision.
_TOLERANCES = (1e-11, 1e-8, 1e-5)
_MOST_PIECES = 2048
# Values below are as good as zero; next to them come subnormal numbers, which have few digits.
_TINIEST = 1e-290
# Nodes of one block of units.
_BLOCK_ENTRIES = 2_000_000


class Nodes(NamedTuple):
    """Quadrature for a block of units.

    Attributes
    ----------
    units : slice
        Which units.
    z : ndarray of shape (n_units, n_nodes)
        Standard normal abscissas.
    weights : ndarray of shape (n_units, n_nodes)
        Sum to one for each unit.
    """

    units: slice
    z: FloatArray
    weights: FloatArray


def smooth_breakpoints(
    function: Callable[[FloatArray], Any], lowest: float, highest: float
) -> FloatArray:
    """Return increasing points of [lowest, highest] between which the function is smooth.

    Parameters
    ----------
    function : callable
        From arrays to arrays, entry by entry.
    lowest, highest : float
        The range.

    Returns
    -------
    ndarray
        Without the ends of the range.

    Raises
    ------
    ValueError
        If a value is not finite, or there are more than 2048 pieces.
    """
    scale = max(abs(lowest), abs(highest))
    octaves = 2.0 ** np.arange(-3.0, max(np.ceil(np.log2(max(scale, 1.0))), -2.0))
    first = np.unique(np.r_[lowest, -octaves, 0.0, octaves, highest])
    first = first[(first >= lowest) & (first <= highest)]
    for tolerance in _TOLERANCES:
        edges = _bisect(function, first, tolerance)
        if edges is not None:
            return _merge(function, edges, first, tolerance)[1:-1]
    raise ValueError(
        f"{function!r} has more than {_MOST_PIECES} pieces between {lowest:.3g} and {highest:.3g} "
        "on which it is not smooth, so its Gaussian moments cannot be integrated; give an "
        "activation object with closed forms moments(mean, std) and hermite(k, mean, std)."
    )


def _values(
    function: Callable[[FloatArray], Any], left: FloatArray, right: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the nodes of each piece and the values there."""
    x = 0.5 * (left + right)[:, None] + 0.5 * (right - left)[:, None] * _NODES
    with np.errstate(all="ignore"):
        values = np.asarray(function(x), dtype=np.float64)
    if values.shape != x.shape:
        raise ValueError(
            f"activation={function!r} must keep the shape of its input: it made {values.shape} "
            f"from {x.shape}."
        )
    if not np.all(np.isfinite(values)):
        raise ValueError(
            f"{function!r} is not finite between {left.min():.3g} and {right.max():.3g}, so its "
            "Gaussian moments are not, either."
        )
    return x, values


def _bisect(
    function: Callable[[FloatArray], Any], edges: FloatArray, tolerance: float
) -> FloatArray | None:
    """Return the edges of smooth pieces, None if there are too many."""
    left, right = edges[:-1], edges[1:]
    kept = [edges]
    n_pieces = edges.size
    while left.size:
        _, values = _values(function, left, right)
        last = np.abs(values @ _TO_COEFS[-3:].T).max(axis=1)
        # The arguments themselves are rounded: a piece of this size is not cut any more.
        rounding = 64 * np.finfo(float).eps * np.maximum(np.abs(left), np.abs(right))
        largest = np.abs(values).max(axis=1)
        rough = (last > np.maximum(tolerance * largest, _TINIEST)) & (right - left > rounding)
        left, right = left[rough], right[rough]
        middle = 0.5 * (left + right)
        n_pieces += middle.size
        if n_pieces > _MOST_PIECES:
            return None
        kept.append(middle)
        left, right = np.r_[left, middle], np.r_[middle, right]
    return np.unique(np.concatenate(kept))


def _merge(
    function: Callable[[FloatArray], Any], edges: FloatArray, first: FloatArray, tolerance: float
) -> FloatArray:
    """Drop edges, but none of `first`, where one polynomial serves the pieces on both sides."""
    x, values = _values(function, edges[:-1], edges[1:])
    kept = [0]
    for index in range(1, edges.size - 1):
        start, after = kept[-1], index + 1
        if edges[index] in first:
            kept.append(index)
            continue
        left, right = edges[[start]], edges[[after]]
        coefs = _TO_COEFS @ _values(function, left, right)[1][0]
        inside = (2.0 * x[start:after] - left - right) / (right - left)
        miss = np.polynomial.legendre.legval(inside, coefs) - values[start:after]
        largest = np.abs(values[start:after]).max()
        if np.abs(miss).max() > max(30 * tolerance * largest, _TINIEST):
            kept.append(index)
    return edges[[*kept, edges.size - 1]]


def standard_cuts(breakpoints: FloatArray, mean: FloatArray, std: FloatArray) -> FloatArray:
    """Return where mean + std z passes the breakpoints, shape (n_units, n_breakpoints)."""
    with np.errstate(over="ignore"):
        cuts = (breakpoints - mean[:, None]) / std[:, None]
    return np.clip(cuts, -REACH, REACH)


def gaussian_nodes(cuts: FloatArray) -> Iterator[Nodes]:
    """Yield quadrature nodes for integrals over a standard normal variable, units in blocks.

    Parameters
    ----------
    cuts : ndarray of shape (n_units, n_cuts)
        Where the integrand of each unit may be rough, from -12 to 12.

    Yields
    ------
    Nodes
    """
    grid = np.arange(-REACH, REACH + 0.5)
    step = max(1, _BLOCK_ENTRIES // ((grid.size + cuts.shape[1] - 1) * N_NODES))
    for start in range(0, len(cuts), step):
        units = slice(start, start + step)
        rows = len(cuts[units])
        edges = np.concatenate([np.tile(grid, (rows, 1)), cuts[units]], axis=1)
        edges.sort()
        half = 0.5 * np.diff(edges, axis=1)[:, :, None]
        middle = 0.5 * (edges[:, :-1] + edges[:, 1:])[:, :, None]
        z = (middle + half * _NODES).reshape(rows, -1)
        weights = (half * _WEIGHTS).reshape(rows, -1) * np.exp(-0.5 * z**2)
        yield Nodes(units, z, weights / weights.sum(axis=1, keepdims=True))
