"""The required samples of any population that answers test_error."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.progress import as_stage
from sk_deepfeat.theory.alpha_search import AlphaSearch
from sk_deepfeat.theory.search import LARGEST_N, first_sufficient, smallest_sufficient
from sk_deepfeat.theory.validation import FloatArray

# How many times as many are asked for where the first guess is not enough.
_MORE = np.array([1.02, 1.06, 1.2, 1.5, 2.0])


_ROUNDING = 1e-12  # of the product of draws and the mean rows of a draw


class Goal(NamedTuple):
    """How messages name what is to be reached: an error, or a score that is `best` less a loss."""

    name: str = "target_error"
    best: float | None = None

    def value(self, loss: float) -> str:
        """Return a loss as users know it."""
        return f"{loss if self.best is None else self.best - loss:g}"

    @property
    def bound(self) -> str:
        """Return what the goal fails to be where no number of samples reaches it."""
        return "above the floor" if self.best is None else "below the ceiling"

    @property
    def nearest(self) -> str:
        """Return what comes nearest to the goal of all that is known."""
        return "lowest identifiable error" if self.best is None else "highest identifiable score"


def rows_of_draws(draws: FloatArray, rows_each: float, n_rows: float) -> FloatArray:
    """Return how many rows some draws have, those of all draws being all rows to the last bit.

    Parameters
    ----------
    draws : ndarray
        Numbers of draws.
    rows_each : float
        Mean rows of a draw.
    n_rows : float
        All rows, perhaps infinite.
    """
    rows = draws * rows_each
    return np.where(np.abs(rows - n_rows) <= _ROUNDING * rows, n_rows, rows)


@as_stage("required samples")
def required_samples(
    search: AlphaSearch,
    target: float,
    alpha: float | str,
    floor: float,
    rows_each: float,
    goal: Goal | None = None,
) -> float:
    """Return the smallest number of draws whose error is at most `target`.

    With the best alpha, its error is at most the target there, or, where the best alpha is not
    known, that of one which is.

    Parameters
    ----------
    search : AlphaSearch
        Of the population.
    target : float
        The error to reach.
    alpha : float or "optimal"
        Regularisation.
    floor : float
        What no number of samples passes.
    rows_each : float
        Rows of a draw: one, or those of a group.
    goal : Goal, optional
        For messages.
    """
    goal = Goal() if goal is None else goal
    named = f"{goal.name}={goal.value(target)}"
    if target <= floor:
        warn_caller(
            f"{named} is not {goal.bound} {goal.value(floor)} that no number of samples passes "
            "with these features.",
        )
        return np.inf
    errors = _LeastKnown(search, rows_each)
    draws = min(search.n_rows / rows_each * (1.0 + _ROUNDING), LARGEST_N)
    all_rows = max(1.0, float(np.floor(draws)))
    if alpha == "optimal":
        needed = _at_best_alpha(errors, target, all_rows)
    else:
        needed = _at_one_alpha(partial(errors.at_alpha, float(alpha)), target, all_rows)
    lowest = errors.lowest
    if np.isnan(needed) and np.isinf(search.n_rows):
        warn_caller(
            f"target_error={target:g} is not reached at any n_samples up to {LARGEST_N:.2g}; the "
            f"lowest error is {lowest:g}.",
        )
    elif np.isnan(needed):
        warn_caller(
            f"{named} is not reached at any n_samples that the population identifies; the "
            f"{goal.nearest} is {goal.value(lowest)}. Fit on more rows, or, if the "
            "population does not yet extrapolate, with LeaveOneOutPopulation(extrapolate=True).",
        )
    return needed


class _LeastKnown:
    """Errors of numbers of draws, and the least that has been seen.

    Parameters
    ----------
    search : AlphaSearch
        Of the population.
    rows_each : float
        Rows of a draw.
    """

    def __init__(self, search: AlphaSearch, rows_each: float) -> None:
        self.search, self.rows_each = search, rows_each
        self.lowest, self._lowest_at = np.inf, np.inf

    def at_alpha(self, alpha: float, draws: FloatArray) -> FloatArray:
        """Return errors at one alpha."""
        sizes = rows_of_draws(draws, self.rows_each, self.search.n_rows)
        return self._seen(sizes, self.search.errors_at(sizes, alpha))

    def at_any_alpha(self, draws: FloatArray) -> FloatArray:
        """Return about the least errors at any alpha.

        More rows than all, and a larger error than fewer: the best alpha is not known.
        """
        sizes = rows_of_draws(draws, self.rows_each, self.search.n_rows)
        values = self.search.least_errors(sizes, rough=True)
        beyond = (sizes > np.fmax(self.search.n_rows, self._lowest_at)) & (values > self.lowest)
        return self._seen(sizes, np.where(beyond, np.nan, values))

    def at_best_alpha(self, draws: FloatArray) -> FloatArray:
        """Return errors at the best alpha, and where it is not known at the best that is."""
        sizes = rows_of_draws(draws, self.rows_each, self.search.n_rows)
        values = self.search.errors_at_best(sizes)
        hidden = np.isnan(values)
        if np.any(hidden):
            values[hidden] = self.search.least_errors(sizes[hidden])
        return self._seen(sizes, values)

    def knows_best(self, draws: float) -> bool:
        """Say whether the error at the best alpha is known of some draws; not of NaN."""
        if np.isnan(draws):
            return False
        sizes = rows_of_draws(np.array([draws]), self.rows_each, self.search.n_rows)
        return not np.isnan(self.search.errors_at_best(sizes)[0])

    def _seen(self, sizes: FloatArray, values: FloatArray) -> FloatArray:
        if np.nanmin(values, initial=np.inf) < self.lowest:
            self.lowest = float(np.nanmin(values))
            self._lowest_at = float(sizes[np.nanargmin(values)])
        return values


def _at_one_alpha(
    error: Callable[[FloatArray], FloatArray], target: float, all_rows: float
) -> float:
    """Return the first number of draws at which an error that may rise reaches the target.

    All rows are asked for in any case: what is counted there may stand alone.
    """
    needed = smallest_sufficient(
        error, target, monotone=False, largest=all_rows, settled_from=all_rows
    )
    if np.isnan(needed) and all_rows < LARGEST_N:
        return smallest_sufficient(error, target, monotone=False, smallest=all_rows)
    return needed


def _at_best_alpha(errors: _LeastKnown, target: float, all_rows: float) -> float:
    """Return a number of draws at which the best alpha reaches the target, and one fewer does not.

    Where any alpha does is found first: that takes less, and comes to much the same. At the best
    alpha more rows do no harm. Noise may have it otherwise: then more than all rows are asked
    before fewer, which are taken for a chance that more of them contradict, but not more of which
    the best alpha is not known.
    """
    any_alpha, best, finite = errors.at_any_alpha, errors.at_best_alpha, all_rows < LARGEST_N
    needed = smallest_sufficient(
        any_alpha, target, monotone=True, largest=all_rows, settled_from=all_rows
    )
    if np.isnan(needed) and finite:
        if best(np.array([all_rows]))[0] <= target:
            return _fewest(best, target, all_rows)
        # Beyond, an alpha may leave what is known.
        monotone = errors.search.knows_all(2.0 * errors.search.n_rows)
        needed = smallest_sufficient(any_alpha, target, monotone=monotone, smallest=all_rows)
    if not np.isnan(needed):
        fewer = max(needed - 1.0, 1.0)
        one_fewer, enough = best(np.array([fewer, needed])) <= target
        if enough:
            needed = _fewest(best, target, fewer) if one_fewer else needed
        else:
            monotone = not finite or errors.search.knows_all(2.0 * errors.search.n_rows)
            needed = _first_of_more(best, target, needed, all_rows, monotone=monotone)
    if not finite or needed <= all_rows or errors.knows_best(needed):
        return needed
    among_fewer = smallest_sufficient(best, target, monotone=False, largest=all_rows)
    return needed if np.isnan(among_fewer) else among_fewer


def _fewest(error: Callable[[FloatArray], FloatArray], target: float, enough: float) -> float:
    """Return a number whose error is at most `target` and that of one fewer is not, from above."""
    step = 1.0
    while enough > 1.0:
        fewer = max(enough - step, 1.0)
        if not error(np.array([fewer]))[0] <= target:
            return first_sufficient(error, target, fewer, enough)
        enough, step = fewer, 2.0 * step
    return enough


def _first_of_more(
    error: Callable[[FloatArray], FloatArray],
    target: float,
    fewer: float,
    all_rows: float,
    *,
    monotone: bool,
) -> float:
    """Return the first number that reaches the target, given a smaller one, mostly not by much.

    All rows are asked for, if they are more.
    """
    sizes = np.minimum(np.unique(np.ceil(np.r_[fewer * _MORE, max(all_rows, fewer)])), LARGEST_N)
    sizes = sizes[sizes > fewer]
    values = error(sizes)
    reached = np.flatnonzero(values <= target)
    if not reached.size:
        if not sizes.size or sizes[-1] >= LARGEST_N:
            return np.nan
        most = float(sizes[-1])
        return smallest_sufficient(error, target, monotone=monotone, smallest=most)
    known = dict(zip(sizes.tolist(), values.tolist(), strict=True))
    below = float(sizes[reached[0] - 1]) if reached[0] else fewer
    return first_sufficient(error, target, below, float(sizes[reached[0]]), known)
