"""The ridges along which one training set is looked at."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np

from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization, check_factorization
from sk_deepfeat.theory.validation import FloatArray, is_whole

# Ridges below this share of the least eigenvalue are as good as zero, for which it is taken, and
# n - f is lost in rounding where n is the rank. Odds h/(1 - h) of leverages near one still move
# below, until those of one row drown all others; in groups, whose rows keep a rounding of their
# targets, sooner.
NOTHING_MOVES, NO_LEVERAGE_MOVES, NO_GROUP_MOVES = 1e-8, 1e-14, 1e-10
_FEWEST, _MOST = 50, 100_000  # points of a grid


def ridge_grid(
    factorization: RidgeFactorization, n_grid: int, as_good_as_zero: float, *also: float
) -> FloatArray:
    """Return ridges, ascending: a logarithmic grid, those that are kept exactly, and some more.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set, whose ``exact_at`` are kept.
    n_grid : int
        Points of the grid, at least 50.
    as_good_as_zero : float
        Share of the least eigenvalue that stands for smaller ridges.
    *also : float
        Further ridges to keep.

    Returns
    -------
    ndarray of shape (G,)
    """
    check_factorization(factorization)
    check_grid_size(n_grid)
    lam = factorization.eigenvalues
    # Without any direction nothing is learned at any ridge: one scale is as good as another.
    low, high = (1e-6 * lam[0], 1e6 * lam.sum()) if lam.size else (1e-8, 1e8)
    exact = factorization.exact_at
    exact = np.r_[exact[exact < high], also]
    exact = np.unique(np.maximum(exact, as_good_as_zero * lam[0] if lam.size else low))
    inner = (0.1 * lam[0], 10.0 * lam[-1]) if lam.size else (low, high)
    grid = _denser_within(low, high, inner, n_grid)
    if exact.size and exact[0] < low:  # a row of leverage near one still moves below the spectrum
        extra = int(np.clip(np.log(low / exact[0]) / np.log(grid[1] / grid[0]), 1, 100))
        grid = np.concatenate([np.geomspace(0.5 * exact[0], low, extra, endpoint=False), grid])
    if exact.size:  # no point of the grid too near one of them for a spline through both
        apart = np.abs(np.log(grid[:, None] / exact)).min(axis=1)
        grid = grid[apart > 1e-3]
    return np.sort(np.concatenate([grid, exact]))


def check_grid_size(n_grid: Any) -> None:
    """Raise ValueError unless a number of ridges is one between 50 and 100,000."""
    if not is_whole(n_grid) or not _FEWEST <= n_grid <= _MOST:
        raise ValueError(
            f"n_grid={reprlib.repr(n_grid)} must be an integer of at least {_FEWEST}, and at most "
            f"{_MOST:,}."
        )


def _denser_within(low: float, high: float, inner: tuple[float, float], n_grid: int) -> FloatArray:
    """Return a logarithmic grid three times as dense about the spectrum as beyond it."""
    corners = np.log([low, *np.clip(inner, low, high), high])
    lengths = np.cumsum(np.r_[0.0, np.diff(corners) * np.array([1.0, 3.0, 1.0])])
    return np.exp(np.interp(np.linspace(0.0, lengths[-1], n_grid), lengths, corners))
