"""The best alpha of each output by itself, for several numbers of samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.theory.alpha_lattice import Least, least_along_alpha
from sk_deepfeat.theory.alpha_search import ROUNDING, AlphaSearch, Optimum
from sk_deepfeat.theory.validation import FloatArray

_ZOOMS = 1  # of 16: alphas of a lattice of 128 a decade, so that thousands of outputs share them
_MOST_NAMED = 5
_MOST_ROWS = 4000  # pairs of n and output that are searched at once

_Pair = tuple[FloatArray, FloatArray]


class OutputSearch(AlphaSearch):
    """The best alpha for each n and each output, among alphas that stand 1.8 % apart.

    What `AlphaSearch` says of the mean over outputs holds for each of them: errors at the best do
    not rise with n, and where the best lies beyond what is known, nothing is answered. Least errors
    are at most a few hundred thousandths above those between the points of the lattice.

    Parameters
    ----------
    errors : callable
        Errors at (n_samples, alpha) of shape cells + (t,), and what to minimise.
    n_outputs : int
        t.
    feature_scale, n_rows : float
        As of `AlphaSearch`.
    """

    def __init__(
        self,
        errors: Callable[[FloatArray, FloatArray], _Pair],
        n_outputs: int,
        feature_scale: float,
        n_rows: float,
    ) -> None:
        super().__init__(self._mean_errors, feature_scale, n_rows, sparing=True)
        self.errors_of_outputs, self.n_outputs = errors, n_outputs
        self.few_zooms = self.zooms = _ZOOMS
        self._of_n: dict[float, list[Optimum]] = {}

    def best_of_outputs(self, n_samples: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the best alpha of each n and output, and what multiplies errors at it.

        Parameters
        ----------
        n_samples : ndarray
            Numbers of samples.

        Returns
        -------
        alpha, share : ndarray of shape n_samples.shape + (t,)
            NaN where none is known.
        """
        self._prepare(n_samples.ravel())
        found = [self._among_fewer_rows(float(n)) for n in n_samples.ravel()]
        for n, of_n in zip(n_samples.ravel(), found, strict=True):
            self._warn(float(n), of_n)
        alpha, share = (
            np.reshape([[getattr(one, name) for one in of_n] for of_n in found], shape)
            for name in ("alpha", "share")
            for shape in [(*n_samples.shape, self.n_outputs)]
        )
        return alpha, np.where(np.isnan(alpha), np.nan, share)

    def errors_at_best(self, n_samples: FloatArray) -> FloatArray:
        """Return for each n the mean over outputs of errors at their best alphas.

        Parameters
        ----------
        n_samples : ndarray of shape (S,)
            Numbers of samples.

        Returns
        -------
        ndarray of shape (S,)
            NaN where the best alpha of an output is not known.
        """
        self._prepare(n_samples)
        found = [self._among_fewer_rows(float(n)) for n in n_samples]
        return np.array([np.mean([one.error for one in of_n]) for of_n in found])

    def least_errors(self, n_samples: FloatArray, *, rough: bool = False) -> FloatArray:
        """Return for each n the mean over outputs of their least errors, NaN if one is not known.

        Parameters
        ----------
        n_samples : ndarray of shape (S,)
            Numbers of samples.
        rough : bool, default=False
            Not used: all are as good.
        """
        return super().least_errors(n_samples, rough=False)

    def _search_least(self, n_samples: FloatArray, *, rough: bool) -> FloatArray:
        found = np.empty(n_samples.size)
        for some in self._batches(np.arange(n_samples.size)):
            found[some] = self._mean_least_errors(n_samples[some])
        return found

    def knows_all(self, n_samples: float) -> bool:
        """Say whether nothing hides the best alpha of any output at an n."""
        return all(found.certain for found in self._alone(n_samples))

    def _mean_least_errors(self, n_samples: FloatArray) -> FloatArray:
        rows = np.repeat(n_samples, self.n_outputs)
        found = self._least(
            rows,
            lambda alphas: self._errors_of_rows(rows[:, None], alphas)[0],
            np.full(rows.size, _ZOOMS),
        )
        at_zero = self._errors_of_rows(rows[:, None], np.zeros((rows.size, 1)))[0][:, 0]
        least = np.fmin(found.value, at_zero)
        return np.asarray(least.reshape(n_samples.size, -1).mean(axis=1))

    def _least(
        self,
        n_samples: FloatArray,
        errors: Callable[[FloatArray], FloatArray],
        zooms: NDArray[np.intp],
    ) -> Least:
        """Search on one lattice for all n: what growth makes of an alpha serves all of them."""
        ends = self._range(n_samples)
        return least_along_alpha(errors, *ends, zooms=zooms, shared=True, sparing=self.sparing)

    def _batches(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """Return some numbers of samples at once, as many as outputs leave room for."""
        step = max(_MOST_ROWS // self.n_outputs, 1)
        return [values[start : start + step] for start in range(0, values.size, step)]

    def _mean_errors(self, n_samples: FloatArray, alpha: FloatArray) -> _Pair:
        plain, raised = self.errors_of_outputs(n_samples, alpha)
        return plain.mean(axis=-1), raised.mean(axis=-1)

    def _errors_of_rows(self, n_samples: FloatArray, alpha: FloatArray) -> _Pair:
        """Return those of each output at its own alphas: rows are all outputs of each n."""
        lattice, place = np.unique(alpha, return_inverse=True)
        sizes, which = np.unique(n_samples[:, 0], return_inverse=True)
        found = self.errors_of_outputs(*np.broadcast_arrays(sizes[:, None], lattice))
        output = np.arange(len(alpha))[:, None] % self.n_outputs
        cells = which[:, None], place.reshape(alpha.shape), output
        return found[0][cells], found[1][cells]

    def _search_all(self, sizes: FloatArray) -> None:
        missing = [n for n in dict.fromkeys(map(float, sizes)) if n not in self._of_n]
        for some in self._batches(np.array(missing)):
            rows = np.repeat(some, self.n_outputs)
            found = self._search(rows, np.full(rows.shape, np.inf))
            for k, n in enumerate(some):
                self._of_n[float(n)] = found[k * self.n_outputs : (k + 1) * self.n_outputs]

    def _prepare(self, sizes: FloatArray) -> None:
        self._search_all(sizes)
        beyond = [n for n in sizes[sizes > self.n_rows] if not self.knows_all(float(n))]
        self._search_all(np.array([size for n in beyond for size in self._fewer(n)]))

    def _alone(self, n: float) -> list[Optimum]:
        self._search_all(np.array([n]))
        return self._of_n[n]

    def _among_fewer_rows(self, n: float) -> list[Optimum]:
        """Return the optima of n, given those of half, a quarter … of it, down to all rows."""
        alone = self._alone(n)
        if n <= self.n_rows or all(one.certain for one in alone):
            return alone
        least = np.full(self.n_outputs, np.inf)
        lost = np.zeros(self.n_outputs, dtype=bool)
        found = alone
        for size in (*self._fewer(n), n):
            found = self._at_most(size, least)
            if size > self.n_rows:
                lost |= [one.at_edge or np.isnan(one.alpha) for one in found]
            least = np.fmin(least, [one.error for one in found])
        return [
            one if one.certain else (Optimum() if gone else later)
            for one, later, gone in zip(alone, found, lost, strict=True)
        ]

    def _at_most(self, n: float, least: FloatArray) -> list[Optimum]:
        """Return the optima of one n, whose errors are at most `least`."""
        found, most = self._alone(n), least * (1.0 + ROUNDING)
        above = np.array([not one.error <= bound for one, bound in zip(found, most, strict=True)])
        if np.any(above):
            bounded = self._search(np.full(self.n_outputs, n), np.where(above, most, np.inf))
            found = [b if up else f for f, b, up in zip(found, bounded, above, strict=True)]
        return [
            one._replace(error=bound, share=bound / one.error) if one.error > bound else one
            for one, bound in zip(found, least, strict=True)
        ]

    def _warn(self, n: float, found: list[Optimum]) -> None:
        """Say in one warning each of which outputs the best alpha is not known, or at an end."""
        for outputs, what in (
            (
                [k for k, one in enumerate(found) if np.isnan(one.alpha) and n > self.n_rows],
                "the best alpha lies beyond what the training set identifies. "
                "LeaveOneOutPopulation(extrapolate=True) answers there, less surely.",
            ),
            (
                [k for k, one in enumerate(found) if one.at_edge],
                "the best alpha lies at the edge of what the training set identifies; a smaller "
                "one may be better.",
            ),
            (
                [k for k, one in enumerate(found) if one.at_high],
                "the error keeps falling up to the largest alpha: the features seem to tell "
                "nothing about the target.",
            ),
        ):
            if outputs:
                more = "" if len(outputs) <= _MOST_NAMED else f", … ({len(outputs)} in all)"
                named = ", ".join(map(str, outputs[:_MOST_NAMED])) + more
                warn_caller(f"At n_samples={n:g}, for outputs {named}, {what}")
