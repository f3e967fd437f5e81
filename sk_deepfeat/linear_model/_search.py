"""Best alpha and required samples of any population that answers test_error."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.theory import minimize_on_log_scale, smallest_sufficient
from sk_deepfeat.theory.validation import FloatArray

_Pair = tuple[FloatArray, FloatArray]
# Errors at (n_samples, alpha), averaged over outputs, and those that a search minimises.
Errors = Callable[[FloatArray, FloatArray], _Pair]
_Pairs = Callable[[FloatArray], _Pair]

_POINTS_PER_DECADE = 8
_NEXT = 10.0 ** (1.0 / _POINTS_PER_DECADE)
_ROUNDING = 1e-3  # by which an error may rise with n: of two searches, and of two corrections
_NO_GAIN = 1e-4  # by which errors along alpha differ where they are flat
_FEW_ZOOMS = 3  # a thousandth of alpha, and less of errors about their least one
_MOST_NAMED = 5


class Optimum(NamedTuple):
    """The best alpha of one n; NaN where it is not known."""

    alpha: float = np.nan
    error: float = np.nan
    at_edge: bool = False
    """Whether the next smaller alpha is one at which the error is not known."""
    at_high: bool = False
    """Whether the error keeps falling up to the largest alpha."""
    certain: bool = False
    """Whether errors are known at every alpha, and a search need not be cautious."""
    share: float = 1.0
    """What multiplies errors at `alpha` so that none rises with n."""


class AlphaSearch:
    """The best alpha for each n, each searched for once.

    More samples never cost anything at the best alpha: one whose error is above that of fewer is
    not the best. Where there is no other, or the error still falls at the edge of what is known,
    the best one lies beyond, and does so for every larger n.

    Parameters
    ----------
    errors : callable
        Errors at (n_samples, alpha), NaN where not identifiable, and what to minimise.
    feature_scale : float
        Mean squared norm of the features; alpha is searched from 1e-13 to 1e6 times n of it.
    n_rows : float
        Training rows; up to them something is known.
    """

    def __init__(self, errors: Errors, feature_scale: float, n_rows: float) -> None:
        self.errors, self.n_rows = errors, n_rows
        self.feature_scale = feature_scale if feature_scale > 0 else 1.0
        self._found: dict[tuple[float, float], Optimum] = {}

    def best(self, n_samples: FloatArray) -> list[Optimum]:
        """Return the optimum of each n, and say in one warning each where there is none."""
        found = [self._among_fewer(float(n)) for n in n_samples.flat]
        sizes = n_samples.ravel()
        beyond = [np.isnan(f.alpha) and n > self.n_rows for f, n in zip(found, sizes, strict=True)]
        if any(beyond):
            warn_caller(
                f"At n_samples={_named(sizes[beyond])} the best alpha lies beyond what the "
                "training set identifies: its error is at most that of fewer samples. "
                "LeaveOneOutPopulation(extrapolate=True) answers there, less surely.",
            )
        at_edge = [f.at_edge for f in found]
        if any(at_edge):
            warn_caller(
                f"At n_samples={_named(sizes[at_edge])} the best alpha lies at the edge of what "
                "the training set identifies; a smaller one may be better.",
            )
        at_high = [f.at_high for f in found]
        if any(at_high):
            highest = max(f.alpha for f in found if f.at_high)
            warn_caller(
                f"At n_samples={_named(sizes[at_high])} the error keeps falling up to "
                f"alpha={highest:.3g}: the features seem to tell nothing about the target.",
            )
        return found

    def least_error(self, n_samples: float) -> float:
        """Return the least error at any alpha that is known, NaN if none is."""
        pairs, _ = self._remembered(n_samples)
        least = self._minimize(n_samples, pairs, 0)
        return float(np.fmin(least[1], pairs(np.array(0.0))[0]))

    def knows_all(self, n_samples: float) -> bool:
        """Say whether nothing hides the best alpha of an n."""
        return self._optimum(n_samples, np.inf).certain

    def _among_fewer(self, n: float) -> Optimum:
        """Return the optimum of n, given those of half, a quarter … of it, down to all rows."""
        if n <= self.n_rows:
            return self._optimum(n, np.inf)
        alone = self._optimum(n, np.inf)
        if alone.certain:
            return alone
        least, steps = np.inf, int(np.ceil(np.log2(n / self.n_rows) - 1e-9))
        for size in (*(self.n_rows * 2.0**k for k in range(steps)), n):
            found = self._optimum(size, least)
            if size > self.n_rows and (found.at_edge or np.isnan(found.alpha)):
                return Optimum()
            least = min(least, found.error)
        return found

    def _range(self, n: float) -> tuple[float, float]:
        unit = n * self.feature_scale
        return 1e-13 * unit, 1e6 * unit

    def _optimum(self, n: float, least: float) -> Optimum:
        """Return the optimum of one n, whose error is at most `least`."""
        if (n, least) not in self._found:
            most = least * (1.0 + _ROUNDING)
            found = self._search(n, np.inf) if most == np.inf else self._optimum(n, np.inf)
            if not found.error <= most:
                found = self._search(n, most)
            if found.error > least:
                found = found._replace(error=least, share=least / found.error)
            self._found[n, least] = found
        return self._found[n, least]

    def _search(self, n_samples: float, bound: float) -> Optimum:
        """Return the best among the alphas of one n whose error is at most `bound`.

        Caution chooses which alphas are as good as the most cautious one: those whose cautious
        error passes its own by no more than its own caution. The least plain error of them answers,
        unless that gains nothing.
        """
        pairs, seen = self._remembered(n_samples)
        bounded = _below(pairs, bound, np.inf)
        alpha, cautious, at_high = self._minimize(n_samples, bounded, 1, zooms=_FEW_ZOOMS)
        if np.isnan(alpha):
            return Optimum()
        error = float(pairs(np.array(alpha))[0])
        most = max(cautious, cautious * cautious / error if error > 0 else 0.0) * (1.0 + 1e-10)
        allowed = _below(pairs, bound, most)
        careless = all(np.array_equal(*pair, equal_nan=True) for pair in seen.values())
        if careless:
            alpha, error, _ = self._minimize(n_samples, bounded, 0)
        else:
            least = self._minimize(n_samples, allowed, 0, zooms=_FEW_ZOOMS)
            if least[1] < error * (1.0 - _NO_GAIN):
                alpha, error = least[:2]
        at_zero = float(allowed(np.array(0.0))[0])
        if at_zero <= error * (1.0 + 1e-10):
            return Optimum(0.0, at_zero, certain=careless)
        at_edge = bool(np.isnan(pairs(np.array(alpha / _NEXT))[0]))
        ends = np.isnan(pairs(np.array(self._range(n_samples)[0]))[0])
        return Optimum(alpha, error, at_edge, at_high, bool(careless and not ends))

    def _remembered(self, n_samples: float) -> tuple[_Pairs, dict[bytes, _Pair]]:
        """Return errors along alpha at one n, and where they are kept when they have been asked.

        Several searches look at the same grid first.
        """
        n = np.array(n_samples)
        known: dict[bytes, _Pair] = {}

        def pairs(alphas: FloatArray) -> _Pair:
            key = alphas.tobytes()
            if key not in known:
                known[key] = self.errors(n, alphas)
            return known[key]

        return pairs, known

    def _minimize(
        self, n: float, pairs: _Pairs, which: int, *, zooms: int = 6
    ) -> tuple[float, float, bool]:
        """Return where errors, or what a search minimises, are least, and how small."""
        found = minimize_on_log_scale(
            lambda alphas: pairs(alphas)[which],
            *self._range(n),
            points_per_decade=_POINTS_PER_DECADE,
            zooms=zooms,
        )
        return found.argument, found.value, found.at_high


def _below(pairs: _Pairs, error: float, cautious: float) -> _Pairs:
    """Return errors and what to minimise, NaN where one of them is too large."""

    def bounded(alphas: FloatArray) -> _Pair:
        plain, raised = pairs(alphas)
        known = (plain <= error) & (raised <= cautious)
        return np.where(known, plain, np.nan), np.where(known, raised, np.nan)

    return bounded


def _named(sizes: FloatArray) -> str:
    """Return some numbers of samples as text."""
    distinct = np.unique(sizes)
    names = [f"{n:g}" for n in distinct[:_MOST_NAMED]]
    if distinct.size > _MOST_NAMED:
        names.append(f"… {distinct[-1]:g} ({distinct.size} of them)")
    return ", ".join(names)


def required_samples(
    search: AlphaSearch, target: float, alpha: float | str, floor: float, rows_each: float
) -> float:
    """Return the smallest number of draws whose error is at most `target`.

    With the best alpha, that is the first at which any alpha reaches it: no fixed one needs fewer.

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
    """
    if target <= floor:
        warn_caller(
            f"target_error={target:g} is not above the floor {floor:g} that no number of samples "
            "passes with these features.",
        )
        return np.inf
    lowest, lowest_at = np.inf, np.inf

    def at_sizes(draws: FloatArray) -> FloatArray:
        nonlocal lowest, lowest_at
        sizes = rows_each * draws
        if alpha == "optimal":
            values = np.array([search.least_error(float(n)) for n in sizes])
            # More rows than all, and a larger error than fewer: the best alpha is not known.
            beyond = (sizes > np.fmax(search.n_rows, lowest_at)) & (values > lowest)
            values = np.where(beyond, np.nan, values)
        else:
            values = search.errors(sizes, np.array(float(alpha)))[0]
        if np.nanmin(values, initial=np.inf) < lowest:
            lowest, lowest_at = float(np.nanmin(values)), float(sizes[np.nanargmin(values)])
        return values

    if alpha == "optimal":
        # Up to all rows the least error falls; beyond, an alpha may leave what is known.
        middle = max(1.0, np.floor(search.n_rows / rows_each))
        needed = smallest_sufficient(at_sizes, target, monotone=True, largest=middle)
        if np.isnan(needed):
            monotone = search.knows_all(2.0 * search.n_rows)
            needed = smallest_sufficient(at_sizes, target, monotone=monotone, smallest=middle)
    else:
        needed = smallest_sufficient(at_sizes, target, monotone=False)
    if np.isnan(needed):
        warn_caller(
            f"target_error={target:g} is not reached at any n_samples that the population "
            f"identifies; the lowest identifiable error is {lowest:g}. Fit on more rows; one that "
            "does not extrapolate yet may: LeaveOneOutPopulation(extrapolate=True).",
        )
    return needed
