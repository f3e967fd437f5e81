"""Errors of ridge on random subsets of a training set: what a prediction can be checked against.

Each subset is measured on the rows outside it, and the subsets of one size are spread over the
rows so that all rows count alike. Where rows come in groups, subsets are of whole groups. No
asymptotics enter: whatever the rows are like, the mean is unbiased for the error with that many
samples, apart from the rows being what they are.

What a subset costs is told in `subset_fits`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization, check_factorization
from sk_deepfeat.theory.one_sample.spread import spread
from sk_deepfeat.theory.one_sample.subset_fits import Buffers, ridge_on_rows
from sk_deepfeat.theory.validation import FloatArray, check_alpha

_BLOCK_ENTRIES = 8_000_000


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


def check_subset_size(size: Any, n_rows: int) -> None:
    """Raise ValueError unless some rows are inside and some outside a subset of that size."""
    if not isinstance(size, (int, np.integer)) or not 2 <= size < n_rows:
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
    if n_subsets < 2:
        raise ValueError(f"n_subsets={n_subsets!r} must be at least 2.")
    if alphas.ndim != 1 or not np.all(alphas > 0):
        raise ValueError(f"alpha={alpha!r} must be a 1-d array of positive numbers.")
    outside = np.ones((factorization.n_rows, n_subsets))
    n_rows, groups = factorization.n_rows, factorization.groups
    subsets = spread(n_rows, size, n_subsets, seed, groups)
    fits, buffers = [], Buffers(max(map(len, subsets)), factorization.n_features)
    for k, rows in enumerate(subsets):
        outside[rows, k] = 0.0
        fits.append(ridge_on_rows(factorization, rows, alphas, buffers))
    total, means, row_noise = _measure(factorization, outside, fits)
    average = means.mean(axis=0)
    scatter = np.divide(
        means.std(axis=0, ddof=1), average, out=np.zeros_like(average), where=average > 0
    )
    rows_each = float(np.mean([len(rows) for rows in subsets]))
    return SubsetErrors(rows_each, alphas, total, scatter, n_subsets, row_noise)


def _measure(
    factorization: RidgeFactorization,
    outside: FloatArray,
    fits: list[tuple[FloatArray, FloatArray]],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean squared errors over rows, those of each of the K fits, and the rows' noise.

    `outside` is 1 where a fit, a column, has not seen a row. In the first mean, of shape (A, t),
    all rows that some fit has not seen count alike; the second has shape (K, A, t). The noise is
    the relative standard error of the first over the rows, (A, t).
    """
    coefs = np.stack([fit[0] for fit in fits])  # (K, A, p, t)
    intercept = np.stack([fit[1] for fit in fits]).reshape(-1)
    shape = (coefs.shape[0], coefs.shape[1], coefs.shape[3])
    flat = coefs.transpose(2, 0, 1, 3).reshape(factorization.n_features, -1)
    times = outside.sum(axis=1, keepdims=True)
    share = np.divide(outside, times, out=np.zeros_like(outside), where=times > 0)
    root = np.sqrt(factorization.weights)
    plain, draws = np.zeros(shape), _Draws(factorization, times[:, 0] > 0, shape[1] * shape[2])
    block = max(1, _BLOCK_ENTRIES // (factorization.n_features + flat.shape[1]))
    for start in range(
        0, factorization.n_rows, block
    ):  # slices, since a copy costs more than the product
        rows = slice(start, start + block)
        errors = (
            np.tile(factorization.targets[rows], shape[0] * shape[1])
            - factorization.features.take(rows) @ flat
        )
        errors -= root[rows, None] * intercept
        squares = np.square(errors, out=errors).reshape(len(errors), shape[0], -1)
        draws.add(rows, np.einsum("ik,ika->ia", share[rows], squares))
        plain += np.einsum("ik,ika->ka", outside[rows], squares).reshape(shape)
    means = plain / (factorization.weights @ outside)[:, None, None]
    return draws.mean.reshape(shape[1:]), means, draws.noise.reshape(shape[1:])


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
    def mean(self) -> FloatArray:
        return np.asarray(self.total / self.weights.sum())

    @property
    def noise(self) -> FloatArray:
        """Relative standard error of the mean."""
        mean, square, cross = self.mean, self.square, self.cross
        each = self.weights
        if self.groups is not None:
            each = self.groups.sums(self.weights)
            square, cross = np.square(self.by_group).sum(axis=0), each @ self.by_group
        deviation = square - 2.0 * mean * cross + np.square(mean) * (each @ each)
        error = np.sqrt(np.maximum(deviation, 0.0)) / self.weights.sum()
        return np.divide(error, mean, out=np.zeros_like(mean), where=mean > 0)
