"""Errors of ridge on random subsets of a training set: what a prediction can be checked against.

Each subset is measured on the rows outside it, and the subsets of one size are spread over the
rows so that all rows count alike. Where rows come in groups, subsets are of whole groups. No
asymptotics enter: whatever the rows are like, the mean is unbiased for the error with that many
samples, apart from the rows being what they are.

A subset costs one Gram matrix, of the smaller kind, and a Cholesky factorisation for each alpha.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.linalg.blas
import scipy.linalg.lapack
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization, check_factorization
from sk_deepfeat.theory.one_sample.row_groups import RowGroups
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
    subsets = _spread(n_rows, size, n_subsets, seed, groups)
    fits, buffers = [], _Buffers(max(map(len, subsets)), factorization.n_features)
    for k, rows in enumerate(subsets):
        outside[rows, k] = 0.0
        fits.append(_ridge(factorization, rows, alphas, buffers))
    total, means = _measure(factorization, outside, fits)
    average = means.mean(axis=0)
    scatter = np.divide(
        means.std(axis=0, ddof=1), average, out=np.zeros_like(average), where=average > 0
    )
    rows_each = float(np.mean([len(rows) for rows in subsets]))
    return SubsetErrors(rows_each, alphas, total, scatter, n_subsets)


def _spread(
    n_rows: int, size: int, n_subsets: int, seed: int, groups: RowGroups | None = None
) -> list[NDArray[np.intp]]:
    """Return subsets that lie evenly on a random circle of the rows, or of their groups."""
    n_draws = n_rows if groups is None else groups.n_groups
    circle = np.random.default_rng([seed, size]).permutation(n_draws)
    starts = (np.arange(n_subsets) * n_draws) // n_subsets
    if groups is None:
        return [np.sort(circle[(start + np.arange(size)) % n_draws]) for start in starts]
    count = int(np.clip(round(size / groups.mean_size), 1, n_draws - 1))
    return [np.sort(groups.rows(circle[(start + np.arange(count)) % n_draws])) for start in starts]


class _Buffers:
    """Memory that the subsets of one size share: fresh pages take as long as the products."""

    def __init__(self, most_rows: int, n_features: int) -> None:
        small = min(most_rows, n_features)
        self._features = np.empty((most_rows, n_features))
        self._gram, self._work = np.empty(small * small), np.empty(small * small)

    def arrays(self, n_rows: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return room for the features of some rows, their Gram matrix and a copy of it."""
        features = self._features[:n_rows]
        small = min(features.shape)
        square = slice(small * small)
        return (
            features,
            self._gram[square].reshape(small, small),
            self._work[square].reshape(small, small),
        )


def _ridge(
    factorization: RidgeFactorization, rows: NDArray[np.intp], alphas: FloatArray, buffers: _Buffers
) -> tuple[FloatArray, FloatArray]:
    """Return coefficients (A, p, t) and intercepts (A, t) of ridge on some rows.

    The rows of a factorization are √w φ, centred by all rows. Those of a subset F are centred
    again, which takes the projection on √w from them: FᵀF loses w̄ m mᵀ, where m is their weighted
    mean, w̄ the sum of weights; nothing cancels, since m is small beside the rows.
    """
    features, gram, work = buffers.arrays(rows.size)
    np.take(factorization.features, rows, axis=0, out=features, mode="clip")
    targets, ridge = factorization.targets[rows], alphas * factorization.weights[rows].mean()
    primal = features.shape[0] > features.shape[1]
    pair = (features.T, features) if primal else (features, features.T)
    np.matmul(*pair, out=gram)
    centre = _Centre(factorization, rows, features) if factorization.fit_intercept else None
    if centre is not None:
        targets = targets - np.outer(centre.root, centre.mean_of(targets))
        centre.take_from(gram, features, primal)
    right = features.T @ targets if primal else targets
    diagonal = np.diagonal(gram).copy()
    coefs = np.empty((alphas.size, factorization.n_features, targets.shape[1]))
    for k, value in enumerate(ridge):
        np.copyto(work, gram)
        np.fill_diagonal(work, diagonal + value)
        # The transpose is in LAPACK's order, so that the factor takes the place of the matrix.
        factor, failed = scipy.linalg.lapack.dpotrf(work.T, lower=False, clean=False, overwrite_a=1)
        if failed:  # alpha below the rounding of the Gram matrix
            coefs[k] = np.nan
            continue
        solution, _ = scipy.linalg.lapack.dpotrs(factor, right, lower=False)
        if not primal:
            if centre is not None:
                solution -= np.outer(centre.root, centre.mean_of(solution))
            solution = features.T @ solution
        coefs[k] = solution
    if centre is None:
        return coefs, np.zeros((alphas.size, targets.shape[1]))
    return coefs, centre.mean_of(factorization.targets[rows]) - centre.feature_mean @ coefs


class _Centre:
    """Weighted means of a subset, whose rows and targets are multiplied by √w."""

    def __init__(
        self, factorization: RidgeFactorization, rows: NDArray[np.intp], features: FloatArray
    ) -> None:
        self.root = np.sqrt(factorization.weights[rows])
        self.feature_mean = self.mean_of(features)

    def mean_of(self, values: FloatArray) -> FloatArray:
        return np.asarray(self.root @ values / (self.root @ self.root))

    def take_from(self, gram: FloatArray, features: FloatArray, primal: bool) -> None:
        """Centre a Gram matrix in place: the triangle that LAPACK reads of its transpose."""
        mean, weight = self.feature_mean, self.root @ self.root
        if primal:
            scipy.linalg.blas.dsyr(-weight, mean, a=gram.T, overwrite_a=1)
        else:
            along = features @ mean - 0.5 * (mean @ mean) * self.root
            scipy.linalg.blas.dsyr2(-1.0, self.root, along, a=gram.T, overwrite_a=1)


def _measure(
    factorization: RidgeFactorization,
    outside: FloatArray,
    fits: list[tuple[FloatArray, FloatArray]],
) -> tuple[FloatArray, FloatArray]:
    """Return mean squared errors over rows, and those of each of the K fits.

    `outside` is 1 where a fit, a column, has not seen a row. In the first mean, of shape (A, t),
    all rows that some fit has not seen count alike; the second has shape (K, A, t).
    """
    coefs = np.stack([fit[0] for fit in fits])  # (K, A, p, t)
    intercept = np.stack([fit[1] for fit in fits]).reshape(-1)
    shape = (coefs.shape[0], coefs.shape[1], coefs.shape[3])
    flat = coefs.transpose(2, 0, 1, 3).reshape(factorization.n_features, -1)
    times = outside.sum(axis=1, keepdims=True)
    weight = np.divide(outside, times, out=np.zeros_like(outside), where=times > 0)
    root = np.sqrt(factorization.weights)
    evenly, plain = np.zeros(shape), np.zeros(shape)
    block = max(1, _BLOCK_ENTRIES // (factorization.n_features + flat.shape[1]))
    for start in range(
        0, factorization.n_rows, block
    ):  # slices, since a copy costs more than the product
        rows = slice(start, start + block)
        errors = (
            np.tile(factorization.targets[rows], shape[0] * shape[1])
            - factorization.features[rows] @ flat
        )
        errors -= root[rows, None] * intercept
        squares = np.square(errors, out=errors).reshape(-1, *shape)
        evenly += np.einsum("ik,ikat->kat", weight[rows], squares)
        plain += np.einsum("ik,ikat->kat", outside[rows], squares)
    weights = factorization.weights * (times[:, 0] > 0)
    return evenly.sum(axis=0) / weights.sum(), plain / (factorization.weights @ outside)[
        :, None, None
    ]
