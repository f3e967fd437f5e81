"""Errors of ridge on random subsets of a training set: what a prediction can be checked against.

Each subset is measured on the rows outside it, and the subsets of one size are spread over the
rows so that all rows count alike. No asymptotics enter: whatever the rows are like, the mean is
unbiased for the error with that many samples, apart from the rows being what they are.

A subset costs one Gram matrix, of the smaller kind, and a Cholesky factorisation for each alpha.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from sk_deepfeat.theory._validation import FloatArray
from sk_deepfeat.theory.ridge_path import RidgePath

_BLOCK_ENTRIES = 2_000_000


class SubsetErrors(NamedTuple):
    """Squared errors on subsets of one size, for A alphas and t outputs."""

    size: int
    """Rows in each subset."""
    alpha: FloatArray
    """For weights of mean one, shape (A,)."""
    error: FloatArray
    """Mean over rows of the squared error of fits that had not seen them, shape (A, t)."""
    scatter: FloatArray
    """Relative standard deviation of the error from subset to subset, shape (A, t)."""
    n_subsets: int
    """How many subsets were fitted."""


def subset_errors(
    path: RidgePath, size: int, alpha: FloatArray, n_subsets: int, *, seed: int = 0
) -> SubsetErrors:
    """Fit ridge on random subsets of one size and measure it on the other rows.

    Parameters
    ----------
    path : RidgePath
        The training set; its rows are used, not its factorisation.
    size : int
        Rows in a subset, at least 2 and below the number of rows.
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
    >>> path = ridge_factorization(X, X[:, 0] + rng.normal(size=400))
    >>> subset_errors(path, 50, [1.0], 8).error.round(1)
    array([[1.1]])
    """
    alphas = np.asarray(alpha, dtype=np.float64)
    if not 2 <= size < path.n_rows:
        raise ValueError(
            f"size={size!r} must lie between 2 and {path.n_rows - 1}: of the {path.n_rows} rows "
            "some stay outside to be measured on."
        )
    if n_subsets < 2:
        raise ValueError(f"n_subsets={n_subsets!r} must be at least 2.")
    if alphas.ndim != 1 or not np.all(alphas > 0):
        raise ValueError(f"alpha={alpha!r} must be a 1-d array of positive numbers.")
    subsets = _spread(path.n_rows, size, n_subsets, seed)
    times_outside = np.full(path.n_rows, n_subsets)
    for rows in subsets:
        times_outside[rows] -= 1
    total = np.zeros((alphas.size, path.targets.shape[1]))
    means = np.empty((n_subsets, *total.shape))
    for k, rows in enumerate(subsets):
        outside = np.ones(path.n_rows, dtype=bool)
        outside[rows] = False
        coefs, intercept = _ridge(path, rows, alphas)
        share, means[k] = _measure(path, outside, times_outside, coefs, intercept)
        total += share
    average = means.mean(axis=0)
    scatter = np.divide(
        means.std(axis=0, ddof=1), average, out=np.zeros_like(average), where=average > 0
    )
    error = total / np.count_nonzero(times_outside)
    return SubsetErrors(size, alphas, error, scatter, n_subsets)


def _spread(n_rows: int, size: int, n_subsets: int, seed: int) -> list[NDArray[np.intp]]:
    """Return subsets that lie evenly on a random circle of the rows."""
    circle = np.random.default_rng([seed, size]).permutation(n_rows)
    starts = (np.arange(n_subsets) * n_rows) // n_subsets
    return [np.sort(circle[(start + np.arange(size)) % n_rows]) for start in starts]


def _ridge(
    path: RidgePath, rows: NDArray[np.intp], alphas: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return coefficients (A, p, t) and intercepts (A, t) of ridge on some rows.

    The rows of the path are √w φ, centred by all rows; those of a subset are centred again, which
    takes from each the projection on √w.
    """
    features, targets = path.features[rows], path.targets[rows]
    ridge = alphas * path.weights[rows].mean()
    if path.fit_intercept:
        root = np.sqrt(path.weights[rows])
        weight = root @ root
        feature_mean, target_mean = root @ features / weight, root @ targets / weight
        features = features - root[:, None] * feature_mean
        targets = targets - root[:, None] * target_mean
    primal = features.shape[0] > features.shape[1]
    gram = features.T @ features if primal else features @ features.T
    right = features.T @ targets if primal else targets
    diagonal = np.diagonal(gram).copy()
    coefs = np.empty((alphas.size, path.n_features, targets.shape[1]))
    for k, value in enumerate(ridge):
        np.fill_diagonal(gram, diagonal + value)
        try:
            factor = scipy.linalg.cho_factor(gram, lower=True, check_finite=False)
        except scipy.linalg.LinAlgError:  # alpha below the rounding of the Gram matrix
            coefs[k] = np.nan
            continue
        solution = scipy.linalg.cho_solve(factor, right, check_finite=False)
        coefs[k] = solution if primal else features.T @ solution
    intercept = np.zeros((alphas.size, targets.shape[1]))
    if path.fit_intercept:
        intercept = target_mean - feature_mean @ coefs
    return coefs, intercept


def _measure(
    path: RidgePath,
    outside: NDArray[np.bool_],
    times_outside: NDArray[np.intp],
    coefs: FloatArray,
    intercept: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return squared errors over rows outside: Σ e²/(times outside), and the plain mean."""
    alphas, _, outputs = coefs.shape
    flat = coefs.transpose(1, 0, 2).reshape(path.n_features, -1)
    root = np.sqrt(path.weights)
    index = np.flatnonzero(outside)
    share, plain = np.zeros(alphas * outputs), np.zeros(alphas * outputs)
    block = max(1, _BLOCK_ENTRIES // (path.n_features + alphas * outputs))
    for start in range(0, index.size, block):
        rows = index[start : start + block]
        errors = np.tile(path.targets[rows], alphas) - path.features[rows] @ flat
        errors -= root[rows, None] * intercept.reshape(-1)
        np.square(errors, out=errors)
        share += (1.0 / times_outside[rows]) @ errors
        plain += errors.sum(axis=0)
    shape = (alphas, outputs)
    return share.reshape(shape), plain.reshape(shape) / index.size
