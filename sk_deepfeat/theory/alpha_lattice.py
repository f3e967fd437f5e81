"""The least of some errors along alpha, for several numbers of samples at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.validation import FloatArray

POINTS_PER_DECADE = 8
_FINER = 16  # how many times finer each lattice is than the last
_SPARING_FINER = 4  # in two steps, each of which asks for few points


class Least(NamedTuple):
    """Where the errors of each row are least; NaN where none is known."""

    alpha: FloatArray
    value: FloatArray
    at_high: NDArray[np.bool_]
    """Whether that is the largest alpha at which they are known."""


def least_along_alpha(
    errors: Callable[[FloatArray], FloatArray],
    low: FloatArray,
    high: FloatArray,
    *,
    zooms: NDArray[np.intp],
    shared: bool = False,
    sparing: bool = False,
) -> Least:
    """Minimise each row of errors by a logarithmic grid, and by zooms into it.

    Parameters
    ----------
    errors : callable
        Maps alphas of shape (S, P) to errors of that shape; NaN means not known.
    low, high : ndarray of shape (S,)
        Positive ends of the ranges.
    zooms : ndarray of shape (S,)
        How often the two steps about the best point are divided into 32.
    shared : bool, default=False
        Whether the points of all rows are those of one lattice, which each zoom makes finer, so
        that what is known of an alpha serves all rows; otherwise each begins at its own end.
    sparing : bool, default=False
        Whether points are dear: each zoom is made in two, of two thirds fewer points.

    Returns
    -------
    Least
        Arrays of shape (S,).
    """
    rows, step = np.arange(low.size), np.log(10.0) / POINTS_PER_DECADE
    origin = np.zeros((low.size, 1)) if shared else np.log(low)[:, None]
    first, last = (np.round((np.log(end) - origin[:, 0]) / step) for end in (low, high))
    index = first[:, None] + np.arange(np.max(last - first) + 1.0)
    alpha, value = np.full(low.size, np.nan), np.full(low.size, np.inf)
    at_high = np.zeros(low.size, dtype=bool)
    found, new = np.empty(index.shape), np.full(index.shape[1], True)
    finer = _SPARING_FINER if sparing else _FINER
    zooms = 2 * zooms if sparing else zooms
    for zoom in range(int(zooms.max()) + 1):
        alphas = np.exp(origin + index * step)
        found[:, new] = errors(alphas[:, new])
        known = ~np.isnan(found)
        best = np.argmin(np.where(known, found, np.inf), axis=1)
        if zoom == 0:
            some = known.any(axis=1)
            at_high = best == index.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
        better = (zoom <= zooms) & known[rows, best] & (found[rows, best] <= value)
        alpha = np.where(better, alphas[rows, best], alpha)
        value = np.where(better, found[rows, best], value)
        lowest = np.clip(best - 1, 0, index.shape[1] - 3)[:, None]
        # Of the points of the next lattice, three are known.
        steps = np.take_along_axis(found, lowest + np.arange(3), axis=1)
        index = finer * np.take_along_axis(index, lowest, axis=1) + np.arange(2 * finer + 1)
        found = np.empty(index.shape)
        found[:, ::finer] = steps
        new = np.arange(2 * finer + 1) % finer > 0
        step /= finer
    return Least(alpha, np.where(some, value, np.nan), some & at_high)
