"""Errors of ridge refitted on random subsets of rows: what predictions are compared with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory import ridge_factorization

_BATCH = 20  # refits whose errors are measured in one pass over the rows
_FEWEST, _MOST, _MOST_ROWS = 6, 200, 20_000
_BLOCK = 4096


class Measured(NamedTuple):
    """Mean errors over refits and their standard errors, shape (sizes, alphas), and refits.

    `marked` is the mean error on the marked rows alone.
    """

    mean: np.ndarray
    standard_error: np.ndarray
    refits: np.ndarray
    marked: np.ndarray


def measure(
    X: np.ndarray,
    y: np.ndarray,
    sizes: np.ndarray,
    alphas: np.ndarray,
    *,
    seed: int,
    precision: float = 0.015,
    fit_intercept: bool = False,
    marked: np.ndarray | None = None,
) -> Measured:
    """Refit on random rows of X, and average the squared error over all the others.

    A size is refitted until the relative standard error is below `precision` at every alpha, or
    refits have used 20,000 rows together, though never fewer than 6 nor more than 200 times.
    """
    marked = np.ones(len(y), dtype=bool) if marked is None else marked
    parts = []
    for size in sizes:
        rng = np.random.default_rng([seed, int(size)])
        most = int(np.clip(_MOST_ROWS // size, _FEWEST, _MOST))
        both = np.empty((2, 0, alphas.size))
        while (done := both.shape[1]) < most:
            count = min(_FEWEST if size > 1000 and not done else _BATCH, most - done)
            subsets = [rng.choice(len(y), size, replace=False) for _ in range(count)]
            found = _errors_outside(X, y, subsets, alphas, fit_intercept, marked)
            both = np.concatenate([both, found], axis=1)
            errors = both[0]
            scatter = errors.std(axis=0, ddof=1) / np.sqrt(len(errors))
            if np.all(scatter < precision * errors.mean(axis=0)):
                break
        parts.append((errors.mean(axis=0), scatter, len(errors), both[1].mean(axis=0)))
    return Measured(*(np.array(part) for part in zip(*parts, strict=True)))


def _errors_outside(X, y, subsets, alphas, fit_intercept, marked):
    """Return each subset's mean squared errors on all other rows, and on other marked rows."""
    weights, offsets = [], []
    for rows in subsets:
        path = ridge_factorization(X[rows], y[rows], fit_intercept=fit_intercept)
        coefs = path.coefs(alphas)[:, :, 0].T
        offsets.append(path.target_mean - path.feature_mean @ coefs)
        weights.append(coefs.astype(X.dtype))
    columns, offset = np.concatenate(weights, axis=1), np.concatenate(offsets).astype(X.dtype)
    counted = np.stack([np.ones(len(y)), marked]).astype(X.dtype)
    total = np.zeros((2, columns.shape[1]))
    for start in range(0, len(y), _BLOCK):
        block = slice(start, start + _BLOCK)
        difference = X[block] @ columns
        difference += offset - y[block, None].astype(X.dtype)
        total += counted[:, block] @ np.square(difference, out=difference)
    total = total.reshape(2, len(subsets), alphas.size)
    rows_counted = np.empty((2, len(subsets), 1))
    for k, rows in enumerate(subsets):
        own = X[rows] @ weights[k] + offsets[k] - y[rows, None]
        total[:, k] -= counted[:, rows] @ np.square(own, dtype=np.float64)
        rows_counted[:, k, 0] = len(y) - len(rows), marked.sum() - marked[rows].sum()
    return total / rows_counted
