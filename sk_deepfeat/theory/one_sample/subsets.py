"""Errors of ridge on random subsets of a training set: what a prediction can be checked against.

Each subset is measured on the rows outside it, and the subsets of one size are spread over the
rows so that all rows count alike. Where rows come in groups, subsets are of whole groups. No
asymptotics enter: whatever the rows are like, the mean is unbiased for the error with that many
samples, apart from the rows being what they are.

What a subset costs is told in `subset_fits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.progress import Stage, stage
from sk_deepfeat.theory.one_sample.classes.counted_losses import CountedLosses
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization, check_factorization
from sk_deepfeat.theory.one_sample.spread import spread
from sk_deepfeat.theory.one_sample.subset_fits import SubsetFit, SubsetFits
from sk_deepfeat.theory.threads import threads_for
from sk_deepfeat.theory.validation import FloatArray, check_alpha, is_whole, whole_number

_BLOCK_ENTRIES = 2_000_000
_MOST_ENTRIES = 6_000_000  # of fits that are measured together


class SubsetErrors(NamedTuple):
    """Squared errors on subsets of one size, for A alphas and t outputs."""

    size: float
    """Rows in each subset; their mean, where whole groups are drawn."""
    alpha: FloatArray
    """For weights of mean one, shape (A,)."""
    error: FloatArray
    """Mean over rows of the squared error of fits that had not seen them, shape (A, t)."""
    scatter: FloatArray
    """Relative standard deviation of the error from subset to subset, shape (A, t)."""
    n_subsets: int
    """How many subsets were fitted."""
    row_noise: FloatArray
    """Relative standard error of the mean over rows, or over groups, shape (A, t)."""
    unseen: float = 0.0
    """Share of the rows that are in every subset, so that nothing is measured on them."""
    class_losses: FloatArray | None = None
    """Of codes of K classes: shares of rows that are misclassified, of each class, of all rows, and
    the mean over classes, then log-losses in the same order; shape (A, 2 (K + 2))."""
    class_scatter: FloatArray | None = None
    """Relative standard deviation of these from subset to subset, in the same shape."""


def check_subset_size(size: Any, n_rows: int) -> None:
    """Raise ValueError unless some rows are inside and some outside a subset of that size."""
    whole = is_whole(size)
    if not whole or not 2 <= size < n_rows:
        raise ValueError(
            f"size={size!r} must lie between 2 and {n_rows - 1}: of the {n_rows} rows some stay "
            "outside to be measured on."
        )


def subset_errors(
    factorization: RidgeFactorization,
    size: int,
    alpha: FloatArray,
    n_subsets: int,
    *,
    seed: int = 0,
) -> SubsetErrors:
    """Fit ridge on random subsets of one size and measure it on the other rows.

    Parameters
    ----------
    factorization : RidgeFactorization
        The training set; its rows are used, not its factorisation.
    size : int
        Rows in a subset, at least 2 and below the number of rows. Of a factorisation with groups,
        a subset has as many whole groups as hold nearly so many rows on average, at least one.
    alpha : array-like of shape (n_alphas,)
        Positive, for weights of mean one within the subset.
    n_subsets : int
        At least 2. Disjoint subsets while there are rows for them, evenly overlapping ones beyond.
    seed : int, default=0
        Draws the subsets.

    Returns
    -------
    SubsetErrors

    Raises
    ------
    ValueError
        If a number is outside its range.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import ridge_factorization, subset_errors
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 5))
    >>> factorization = ridge_factorization(X, X[:, 0] + rng.normal(size=400))
    >>> subset_errors(factorization, 50, [1.0], 8).error.round(1)
    array([[1.1]])
    """
    check_factorization(factorization)
    alphas = check_alpha(alpha)
    check_subset_size(size, factorization.n_rows)
    n_subsets, seed = whole_number(n_subsets, "n_subsets", 2), whole_number(seed, "seed")
    if alphas.ndim != 1 or not np.all(alphas > 0):
        raise ValueError(f"alpha={alpha!r} must be a 1-d array of positive numbers.")
    asked = WantedSubsets(size, alphas, n_subsets)
    return errors_of_sizes(factorization, [asked], seed=seed)[0]


class WantedSubsets(NamedTuple):
    """Subsets of one size to be measured."""

    size: int
    alpha: FloatArray
    n_subsets: int


def errors_of_sizes(
    factorization: RidgeFactorization, wanted: Sequence[WantedSubsets], *, seed: int = 0
) -> list[SubsetErrors]:
    """Return what `subset_errors` does for several sizes, measured in one pass over the rows.

    Parameters
    ----------
    factorization : RidgeFactorization
        The training set.
    wanted : sequence of WantedSubsets
        Checked already.
    seed : int
        Draws the subsets.

    Returns
    -------
    list of SubsetErrors
        One for each size.
    """
    fits, found = SubsetFits(factorization), []
    fitted: list[_Fitted] = []
    most = max(_MOST_ENTRIES // fits.size, 1)
    with stage("ridge on subsets", sum(asked.n_subsets for asked in wanted)) as told:
        for k, asked in enumerate(wanted):
            fitted.append(_Fitted(factorization, fits, asked, seed, told))
            columns = sum(each.n_fits for each in fitted)
            if columns >= most or k + 1 == len(wanted):
                found += _measure(factorization, fits, fitted)
                fitted = []
    return found


class _Fitted:
    """The fits of one size, and sums over the rows that they are measured on."""

    def __init__(
        self,
        factorization: RidgeFactorization,
        fits: SubsetFits,
        asked: WantedSubsets,
        seed: int,
        told: Stage,
    ) -> None:
        n_rows = factorization.n_rows
        apart = factorization.groups, factorization.classes
        subsets = spread(n_rows, asked.size, asked.n_subsets, seed, *apart)
        self.alpha, self.n_subsets = asked.alpha, asked.n_subsets
        self.size = float(np.mean([len(rows) for rows in subsets]))
        outside = np.ones((n_rows, asked.n_subsets))
        pairs: list[SubsetFit] = []
        with threads_for(min(asked.size, factorization.n_features)):
            for k, rows in enumerate(subsets):
                outside[rows, k] = 0.0
                pairs.append(fits.fit(rows, asked.alpha))
                told.advance()
        self.fits = pairs
        self.intercept = np.stack([fit.intercept for fit in pairs])
        self.shape = self.intercept.shape  # (K, A, t)
        self.outside = outside
        times = outside.sum(axis=1, keepdims=True)
        self.share = np.divide(outside, times, out=np.zeros_like(outside), where=times > 0)
        self.plain = np.zeros(self.shape)
        columns = self.shape[1] * self.shape[2]
        self.draws = _Draws(factorization, times[:, 0] > 0, columns)
        self.lost = None
        if factorization.classes is not None:
            self.lost = CountedLosses(
                factorization.classes, factorization.target_mean, outside, self.shape[1]
            )

    @property
    def n_fits(self) -> int:
        """Columns of predictions."""
        return int(np.prod(self.shape))

    def coefficients(self) -> FloatArray | None:
        """Return the coefficients of all fits, (d, K·A·t); None if weights of rows tell them."""
        if any(fit.rows is not None for fit in self.fits):
            return None
        numbers = np.stack([fit.numbers for fit in self.fits])
        return numbers.transpose(2, 0, 1, 3).reshape(numbers.shape[2], -1)

    def add(
        self, rows: slice, predictions: FloatArray, targets: FloatArray, root: FloatArray
    ) -> None:
        """Count some rows, of which all fits predict the targets without intercepts."""
        predictions = predictions.reshape(len(root), *self.shape)
        if self.lost is not None:
            self.lost.add(rows, predictions / root[:, None, None, None] + self.intercept)
        errors = targets[:, None, None, :] - predictions
        errors -= root[:, None, None, None] * self.intercept
        squares = np.square(errors, out=errors).reshape(len(root), self.shape[0], -1)
        self.draws.add(rows, np.einsum("ik,ika->ia", self.share[rows], squares))
        self.plain += np.einsum("ik,ika->ka", self.outside[rows], squares).reshape(self.shape)

    def errors(self, weights: FloatArray) -> SubsetErrors:
        """Return means over the rows."""
        total = (weights @ self.outside)[:, None, None]  # none beside a row of nearly all weight
        means = np.divide(self.plain, total, out=np.full_like(self.plain, np.nan), where=total > 0)
        average = means.mean(axis=0)
        deviation = means.std(axis=0, ddof=1)
        scatter = np.divide(deviation, average, out=0.0 * average, where=average > 0)
        mean, noise = (part.reshape(self.shape[1:]) for part in (self.draws.mean, self.draws.noise))
        unseen = float(np.mean(self.outside.max(axis=1) == 0.0))
        found = SubsetErrors(self.size, self.alpha, mean, scatter, self.n_subsets, noise, unseen)
        if self.lost is None:
            return found
        return found._replace(class_losses=self.lost.means, class_scatter=self.lost.scatter)


def _measure(
    factorization: RidgeFactorization, fits: SubsetFits, fitted: list[_Fitted]
) -> list[SubsetErrors]:
    """Measure fits of several sizes on the rows outside their subsets.

    In the mean error all rows that some fit of a size has not seen count alike.
    """
    found = [(each, each.coefficients()) for each in fitted]
    plain = [coefs for _, coefs in found if coefs is not None]
    together = np.hstack(plain) if len(plain) > 1 else plain[0] if plain else None
    root, columns = np.sqrt(factorization.weights), max(each.n_fits for each in fitted)
    step = max(1, _BLOCK_ENTRIES // (fits.size + columns))
    with stage("their errors", factorization.n_rows, " rows") as told:
        for start in range(0, factorization.n_rows, step):
            rows = slice(start, min(start + step, factorization.n_rows))
            basis = fits.basis(rows)
            of_plain = None if together is None else basis @ together
            first = 0
            for each, coefs in found:
                if coefs is None or of_plain is None:
                    predictions = np.stack([fit.predictions(basis) for fit in each.fits], axis=1)
                else:
                    predictions = of_plain[:, first : first + each.n_fits]
                    first += each.n_fits
                each.add(rows, predictions, factorization.targets[rows], root[rows])
            told.advance(rows.stop - rows.start)
    return [each.errors(factorization.weights) for each in fitted]


class _Draws:
    """Weighted means over rows and their standard errors, over rows or over whole groups."""

    def __init__(
        self, factorization: RidgeFactorization, seen: NDArray[np.bool_], columns: int
    ) -> None:
        self.weights, self.groups = factorization.weights * seen, factorization.groups
        self.total, self.square, self.cross = (np.zeros(columns) for _ in range(3))
        self.by_group = np.zeros((0 if self.groups is None else self.groups.n_groups, columns))

    def add(self, rows: slice, values: FloatArray) -> None:
        """Count some rows' errors, which their weights multiply already."""
        self.total += values.sum(axis=0)
        if self.groups is not None:
            np.add.at(self.by_group, self.groups.number[rows], values)
        else:
            self.square += np.square(values).sum(axis=0)
            self.cross += self.weights[rows] @ values

    @property
    def _weight(self) -> float:
        """NaN where no row of any weight was left out."""
        return float(self.weights.sum()) or np.nan

    @property
    def mean(self) -> FloatArray:
        return np.asarray(self.total / self._weight)

    @property
    def noise(self) -> FloatArray:
        """Relative standard error of the mean."""
        mean, square, cross = self.mean, self.square, self.cross
        each = self.weights
        if self.groups is not None:
            each = self.groups.sums(self.weights)
            square, cross = np.square(self.by_group).sum(axis=0), each @ self.by_group
        deviation = square - 2.0 * mean * cross + np.square(mean) * (each @ each)
        error = np.sqrt(np.maximum(deviation, 0.0)) / self._weight
        return np.divide(error, mean, out=0.0 * mean, where=mean > 0)
