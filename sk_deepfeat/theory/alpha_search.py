"""The best alpha of any population that answers test_error, for each number of samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.theory.alpha_lattice import POINTS_PER_DECADE, Least, least_along_alpha
from sk_deepfeat.theory.validation import FloatArray

_Pair = tuple[FloatArray, FloatArray]
# Errors at (n_samples, alpha), averaged over outputs, and those that a search minimises.
Errors = Callable[[FloatArray, FloatArray], _Pair]
_Pairs = Callable[[FloatArray], _Pair]

_NEXT = 10.0 ** (1.0 / POINTS_PER_DECADE)
ROUNDING = 1e-3  # by which an error may rise with n: of two searches, and of two corrections
_NO_GAIN = 1e-4  # by which errors along alpha differ where they are flat
_FEW_ZOOMS = 3  # a thousandth of alpha, and less of errors about their least one
_ZOOMS = 6  # to rounding
_ROUGH = 2
_TOGETHER = 8  # numbers of samples that are searched at once
_MOST_NAMED = 5
# Outputs above which errors cost more than asking for them does.
MANY_OUTPUTS = 100


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
        Training rows; up to them something is known. Infinite for a population that is known.
    sparing : bool, default=False
        Whether an error is dear, so that asking for few is worth asking more often.
    told : callable, optional
        Errors at (n_samples, alpha) as they are told of one alpha, where those that are searched
        are rougher.
    """

    def __init__(
        self,
        errors: Errors,
        feature_scale: float,
        n_rows: float,
        *,
        sparing: bool = False,
        told: Callable[[FloatArray, FloatArray], FloatArray] | None = None,
    ) -> None:
        self._told = told
        self.errors, self.n_rows, self.sparing = errors, n_rows, sparing
        self.feature_scale = feature_scale if feature_scale > 0 else 1.0
        self._found: dict[tuple[float, float], Optimum] = {}
        self._least_errors: dict[tuple[float, bool], float] = {}
        self.few_zooms, self.zooms = _FEW_ZOOMS, _ZOOMS

    def best(self, n_samples: FloatArray) -> list[Optimum]:
        """Return the optimum of each n, and say in one warning each where there is none."""
        sizes = n_samples.ravel()
        self._prepare(sizes)
        found = [self._among_fewer(float(n)) for n in sizes]
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

    def best_cells(self, n_samples: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the best alpha of each n, and what multiplies errors at it, NaN: none is known.

        The alpha is then 1.
        """
        best = self.best(n_samples)
        alphas, share = (
            np.reshape([getattr(found, name) for found in best], n_samples.shape)
            for name in ("alpha", "share")
        )
        unknown = np.isnan(alphas)
        return np.where(unknown, 1.0, alphas), np.where(unknown, np.nan, share)

    def errors_at_best(self, n_samples: FloatArray) -> FloatArray:
        """Return the error at the best alpha of each n, NaN where that is not known."""
        self._prepare(n_samples)
        best = [self._among_fewer(float(n)) for n in n_samples]
        if self._told is None:
            return np.array([found.error for found in best])
        alpha, share = np.array([(found.alpha, found.share) for found in best]).T
        unknown = np.isnan(alpha)
        told = self._told(n_samples, np.where(unknown, 1.0, alpha))
        return np.where(unknown, np.nan, share * told)

    def errors_at(self, n_samples: FloatArray, alpha: float) -> FloatArray:
        """Return the error at one alpha of each n."""
        at = np.array(alpha)
        return self.errors(n_samples, at)[0] if self._told is None else self._told(n_samples, at)

    def least_errors(self, n_samples: FloatArray, *, rough: bool = False) -> FloatArray:
        """Return the least error at any alpha that is known for each n, NaN if none is.

        A rough one is at most a thousandth too large, and a millionth where errors are smooth.
        Each is searched for once: searches for several targets ask for much the same.
        """
        known, sizes = self._least_errors, n_samples.tolist()
        missing = [n for n in dict.fromkeys(sizes) if (n, rough) not in known]
        if missing:
            found = self._search_least(np.array(missing), rough=rough)
            known.update({(n, rough): e for n, e in zip(missing, found.tolist(), strict=True)})
        return np.array([known[n, rough] for n in sizes])

    def _search_least(self, n_samples: FloatArray, *, rough: bool) -> FloatArray:
        n = n_samples[:, None]
        least = least_along_alpha(
            lambda alphas: self.errors(n, alphas)[0],
            *self._range(n_samples),
            zooms=np.full(n_samples.size, _ROUGH if rough else _ZOOMS),
            shared=True,
            sparing=self.sparing,
        )
        return np.fmin(least.value, self.errors(n, np.zeros_like(n))[0][:, 0])

    def knows_all(self, n_samples: float) -> bool:
        """Say whether nothing hides the best alpha of an n."""
        return self._optimum(n_samples, np.inf).certain

    def _prepare(self, sizes: FloatArray) -> None:
        """Search together for what `best` asks one by one."""
        self._search_all(sizes)
        beyond = [n for n in sizes[sizes > self.n_rows] if not self._optimum(n, np.inf).certain]
        self._search_all(np.array([size for n in beyond for size in self._fewer(n)]))

    def _fewer(self, n: float) -> list[float]:
        """Return all rows, and twice, four times … as many, below n."""
        steps = int(np.ceil(np.log2(n / self.n_rows) - 1e-9))
        return [self.n_rows * 2.0**k for k in range(steps)]

    def _search_all(self, sizes: FloatArray) -> None:
        missing = [n for n in dict.fromkeys(map(float, sizes)) if (n, np.inf) not in self._found]
        for start in range(0, len(missing), _TOGETHER):
            block = np.array(missing[start : start + _TOGETHER])
            found = self._search(block, np.full(block.size, np.inf))
            self._found.update({(n, np.inf): one for n, one in zip(block, found, strict=True)})

    def _among_fewer(self, n: float) -> Optimum:
        """Return the optimum of n, given those of half, a quarter … of it, down to all rows."""
        if n <= self.n_rows:
            return self._optimum(n, np.inf)
        alone = self._optimum(n, np.inf)
        if alone.certain:
            return alone
        least = np.inf
        for size in (*self._fewer(n), n):
            found = self._optimum(size, least)
            if size > self.n_rows and (found.at_edge or np.isnan(found.alpha)):
                return Optimum()
            least = min(least, found.error)
        return found

    def _range(self, n: FloatArray) -> tuple[FloatArray, FloatArray]:
        unit = n * self.feature_scale
        return 1e-13 * unit, 1e6 * unit

    def _optimum(self, n: float, least: float) -> Optimum:
        """Return the optimum of one n, whose error is at most `least`."""
        if (n, least) not in self._found:
            most = least * (1.0 + ROUNDING)
            found = self._searched(n, np.inf) if most == np.inf else self._optimum(n, np.inf)
            if not found.error <= most:
                found = self._searched(n, most)
            if found.error > least:
                found = found._replace(error=least, share=least / found.error)
            self._found[n, least] = found
        return self._found[n, least]

    def _searched(self, n: float, bound: float) -> Optimum:
        return self._search(np.array([n]), np.array([bound]))[0]

    def _search(self, n_samples: FloatArray, bounds: FloatArray) -> list[Optimum]:
        """Return the best among the alphas of each n whose error is at most its bound.

        Caution chooses which alphas are as good as the most cautious one: those whose cautious
        error passes its own by no more than its own caution. The least plain error of them answers,
        unless that gains nothing.
        """
        pairs = _Remembered(self._errors_of_rows, n_samples)
        bounded = _below(pairs, bounds[:, None], np.inf)
        # The grid alone shows where caution says nothing: `careless` is known once it was asked.
        self._least(n_samples, lambda a: bounded(a)[1], np.zeros(n_samples.size, dtype=int))
        few = np.where(pairs.careless, 0, self.few_zooms)
        first = self._least(n_samples, lambda a: bounded(a)[1], few)
        nothing = np.isnan(first.alpha)
        alpha, cautious = np.where(nothing, 1.0, first.alpha), first.value
        error = cautious if pairs.careless.all() else pairs.at(alpha)[0]
        at_high = first.at_high
        if np.any(at_high & (bounds < np.inf)):
            at_high = at_high & ~(pairs.at(alpha * _NEXT)[0] > bounds)
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.where(error > 0, cautious * (cautious / error), 0.0)
            most = np.fmax(cautious, spread) * (1.0 + 1e-10)
        allowed = _below(pairs, bounds[:, None], most[:, None])
        careless = pairs.careless

        def plain(alphas: FloatArray) -> FloatArray:
            return np.where(careless[:, None], bounded(alphas)[0], allowed(alphas)[0])

        second = self._least(n_samples, plain, np.where(careless, self.zooms, self.few_zooms))
        with np.errstate(invalid="ignore"):
            better = careless | (second.value < error * (1.0 - _NO_GAIN))
            alpha, error = np.where(better, [second.alpha, second.value], [alpha, error])
            at_zero = allowed(np.zeros((n_samples.size, 1)))[0][:, 0]
            zero = at_zero <= error * (1.0 + 1e-10)
        at_edge = np.isnan(pairs.at(np.where(nothing, 1.0, alpha) / _NEXT)[0])
        ends = np.isnan(pairs.at(self._range(n_samples)[0])[0])
        found = []
        for k in range(n_samples.size):
            if nothing[k]:
                found.append(Optimum())
            elif zero[k]:
                found.append(Optimum(0.0, float(at_zero[k]), certain=bool(careless[k])))
            else:
                known = bool(careless[k] and not ends[k])
                own = float(alpha[k]), float(error[k]), bool(at_edge[k]), bool(at_high[k])
                found.append(Optimum(*own, certain=known))
        return found

    def _errors_of_rows(self, n_samples: FloatArray, alpha: FloatArray) -> _Pair:
        """Return what `_search` minimises in each row; here rows differ by n alone."""
        return self.errors(n_samples, alpha)

    def _least(
        self,
        n_samples: FloatArray,
        errors: Callable[[FloatArray], FloatArray],
        zooms: NDArray[np.intp],
    ) -> Least:
        ends = self._range(n_samples)
        return least_along_alpha(errors, *ends, zooms=zooms, sparing=self.sparing)


class _Remembered:
    """Errors of some n along alpha, shape (S, P), each asked for once.

    Several searches look at the same grid first.
    """

    def __init__(self, errors: Errors, n_samples: FloatArray) -> None:
        self._errors, self._n = errors, n_samples[:, None]
        self._known: dict[bytes, _Pair] = {}
        self.careless = np.ones(n_samples.size, dtype=bool)
        """Where what a search minimises has been the errors themselves."""

    def __call__(self, alphas: FloatArray) -> _Pair:
        key = alphas.tobytes()
        if key not in self._known:
            plain, raised = self._known[key] = self._errors(self._n, alphas)
            same = (plain == raised) | (np.isnan(plain) & np.isnan(raised))
            self.careless = self.careless & same.all(axis=1)
        return self._known[key]

    def at(self, alpha: FloatArray) -> _Pair:
        """Return those at one alpha for each n."""
        plain, raised = self(alpha[:, None])
        return plain[:, 0], raised[:, 0]


def _below(pairs: _Pairs, error: FloatArray, cautious: FloatArray | float) -> _Pairs:
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
