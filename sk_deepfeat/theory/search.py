"""Searches over alpha and over the number of samples, for any function of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from sk_deepfeat.theory.validation import (
    FloatArray,
    check_flag,
    real_array,
    real_number,
    whole_number,
)

LARGEST_N = 2.0**50
_SETTLED = 1e-6  # an error that moves less than this over octaves has reached its limit
# Between so few integers all are asked for; else those about a guess, by this share of the range.
_FEW, _FLANK = 5, 0.04
_BATCH, _SHORT = 4, 16  # octaves that are asked for at once, and that a short range has at most


class Minimum(NamedTuple):
    """Where a function on a logarithmic scale is smallest; NaN if it is NaN everywhere."""

    argument: float
    value: float
    at_low: bool
    at_high: bool


def _vectorised(function: Any, name: str) -> Callable[[FloatArray], FloatArray]:
    """Return a function whose values are looked at, or raise TypeError if it is none."""
    if not callable(function):
        raise TypeError(f"{name}={function!r} must be a function of an array.")

    def values_at(arguments: FloatArray) -> FloatArray:
        values = real_array(function(arguments), f"values of {name}")
        if values.shape != arguments.shape:
            raise ValueError(
                f"{name}={function!r} must have one value for each number of an array; got shape "
                f"{values.shape} for {arguments.shape}."
            )
        return values

    return values_at


def minimize_on_log_scale(
    function: Callable[[FloatArray], FloatArray],
    low: float,
    high: float,
    *,
    points_per_decade: int = 16,
    zooms: int = 6,
) -> Minimum:
    """Minimise a vectorised function over [low, high] by a logarithmic grid and zooms into it.

    Parameters
    ----------
    function : callable
        Maps an array of arguments to an array of values; NaN means not available.
    low, high : float
        Positive ends of the range.
    points_per_decade : int, default=16
        Density of the first grid.
    zooms : int, default=6
        How often the neighbourhood of the best point is divided into 16.

    Returns
    -------
    Minimum
        Argument, value, and whether the best argument is the lowest or the highest available one.

    Raises
    ------
    TypeError, ValueError
        If `function` cannot be called, or has no real value for each number of an array, or a
        number is outside its range.

    Examples
    --------
    >>> from sk_deepfeat.theory import minimize_on_log_scale
    >>> round(minimize_on_log_scale(lambda x: x + 4 / x, 1e-3, 1e3).argument, 6)
    2.0
    """
    values_at = _vectorised(function, "function")
    low, high = real_number(low, "low", positive=True), real_number(high, "high", positive=True)
    if low > high:
        raise ValueError(f"low={low!r} must not be above high={high!r}.")
    points_per_decade = whole_number(points_per_decade, "points_per_decade", 1)
    zooms = whole_number(zooms, "zooms")
    size = max(9, int(np.ceil(points_per_decade * (np.log10(high) - np.log10(low)))) + 1)
    log_grid = np.linspace(np.log(low), np.log(high), size)
    best, value = np.nan, np.nan
    for zoom in range(zooms + 1):
        values = values_at(np.exp(log_grid))
        available = np.flatnonzero(~np.isnan(values))
        if available.size == 0:
            return Minimum(np.nan, np.nan, False, False)
        i = int(available[np.argmin(values[available])])
        if zoom == 0:
            at_low, at_high = i == available[0], i == available[-1]
        if not values[i] > value:
            best, value = float(np.exp(log_grid[i])), float(values[i])
        below, above = log_grid[max(i - 1, 0)], log_grid[min(i + 1, log_grid.size - 1)]
        log_grid = np.linspace(below, above, 33)
    return Minimum(best, value, bool(at_low), bool(at_high))


def smallest_sufficient(
    error: Callable[[FloatArray], FloatArray],
    target: float,
    *,
    monotone: bool,
    smallest: float = 1.0,
    largest: float = LARGEST_N,
    settled_from: float = 1.0,
) -> float:
    """Return the smallest integer n with error(n) ≤ target.

    Parameters
    ----------
    error : callable
        Maps an array of integers n ≥ 1 to errors; NaN means not available.
    target : float
        The error to reach.
    monotone : bool
        True: the error falls with n (its optimum over alpha does), so that doubling and bisection
        find the answer. False: the error may rise again (double descent), so a grid of eight
        points per octave is scanned for the first crossing before the bisection.
    smallest, largest : float, default=1, 2**50
        Where the search begins, and where it ends.
    settled_from : float, default=1
        From which n on an error that stays level is taken for its limit. Before, it may fall after
        a plateau: a target in directions of small variance is not seen by few samples.

    Returns
    -------
    float
        An integer value; NaN if the target is not reached among the available n, or before the
        error settles.

    Raises
    ------
    TypeError, ValueError
        If `error` cannot be called, or has no real value for each number of an array, or a number
        is outside its range.

    Examples
    --------
    >>> from sk_deepfeat.theory import smallest_sufficient
    >>> smallest_sufficient(lambda n: 10.0 / n, 0.03, monotone=True)
    334.0
    """
    error = _vectorised(error, "error")
    target, settled_from = real_number(target, "target"), real_number(settled_from, "settled_from")
    smallest = max(1.0, real_number(smallest, "smallest", positive=True))
    largest = real_number(largest, "largest")
    if smallest > largest:
        raise ValueError(f"smallest={smallest!r} must not be above largest={largest!r}.")
    steps = 1 if check_flag(monotone, "monotone") else 8
    exponents = np.arange(0.0, np.log2(largest / smallest) + 1.0 / steps, 1.0 / steps)
    grid = np.unique(np.minimum(np.round(smallest * 2.0**exponents), largest))
    if monotone and grid.size <= _SHORT:
        return _sufficient_from_above(error, target, grid)
    batch = _BATCH if monotone else 4 * _BATCH
    known: dict[float, float] = {}
    for start in range(0, grid.size, batch):
        sizes = grid[start : start + batch]
        values = error(sizes)
        if np.isnan(values).all():
            if known:  # beyond what is available for good
                break
            continue  # less than the smallest n that is, such as the rows of one group
        known.update(zip(sizes.tolist(), values.tolist(), strict=True))
        reached = np.flatnonzero(values <= target)
        if reached.size:
            first = start + int(reached[0])
            below = grid[first - 1] if first else grid[0] - 1.0
            return first_sufficient(error, target, float(below), float(grid[first]), known)
        if sizes[0] >= settled_from and np.all(np.isfinite(values)):
            if np.ptp(values) <= _SETTLED * np.abs(values[0]):
                break
    return np.nan


def _sufficient_from_above(
    error: Callable[[FloatArray], FloatArray], target: float, grid: FloatArray
) -> float:
    """Return what `smallest_sufficient` does, from the largest few of some numbers downwards.

    An error that falls is mostly asked for not far below the end of a short range.
    """
    known: dict[float, float] = {}
    enough, below = np.nan, float(grid[0] - 1.0)
    for end in range(grid.size, 0, -_BATCH):
        sizes = grid[max(end - _BATCH, 0) : end]
        values = error(sizes)
        known.update(zip(sizes.tolist(), values.tolist(), strict=True))
        reached = np.flatnonzero(values <= target)
        if reached.size:
            enough = float(sizes[reached[0]])
        if not reached.size or reached[0]:
            below = float(sizes[reached[0] - 1 if reached.size else -1])
            break
    return enough if np.isnan(enough) else first_sufficient(error, target, below, enough, known)


def first_sufficient(
    error: Callable[[FloatArray], FloatArray],
    target: float,
    below: float,
    reached: float,
    known: dict[float, float] | None = None,
) -> float:
    """Return an integer n with error(n) ≤ target that n - 1 does not reach.

    Parameters
    ----------
    error : callable
        As in `smallest_sufficient`.
    target : float
        The error to reach.
    below, reached : float
        Integers between which it is looked for: one that does not reach the target, and one that
        does.
    known : dict, optional
        Errors that have been asked for.

    Returns
    -------
    float
    """
    known, halved = dict(known or {}), True
    while reached - below > 1:
        sizes = _between(known, target, below, reached, middle=not halved)
        values = error(sizes)
        known.update(zip(sizes.tolist(), values.tolist(), strict=True))
        enough, width = np.flatnonzero(values <= target), reached - below
        if enough.size:
            reached = float(sizes[enough[0]])
            below = float(sizes[enough[0] - 1]) if enough[0] else below
        else:
            below = float(sizes[-1])
        halved = reached - below <= 0.5 * width
    return reached


def _between(
    known: dict[float, float], target: float, below: float, reached: float, *, middle: bool
) -> FloatArray:
    """Return some integers between two, ascending, about where the error may reach the target.

    Its logarithm is taken for a cubic in log n through the nearest that are known.
    """
    if reached - below <= _FEW:
        return np.arange(below + 1.0, reached)
    low, high = np.log(max(below, 0.5)), np.log(reached)
    guess, width = 0.5 * (low + high), high - low
    finite = [(n, e) for n, e in known.items() if 0 < e < np.inf]
    points = [(np.log(n), np.log(e / target)) for n, e in finite] if target > 0 else []
    if len(points) > 1:
        x, y = np.array(sorted(points, key=lambda p: abs(p[0] - guess))[:4]).T
        if np.unique(y).size == y.size:
            others = [np.delete(y, k) for k in range(y.size)]
            weights = [np.prod(o / (o - own)) for o, own in zip(others, y, strict=True)]
            guess = float(np.clip(x @ weights, low, high))
    near = np.exp(guess + width * np.array([-_FLANK, 0.0, _FLANK]))
    sizes = np.r_[near, near[1] + 1.0, *([np.exp(0.5 * (low + high))] if middle else [])]
    return np.unique(np.clip(np.floor(sizes), below + 1.0, reached - 1.0))
