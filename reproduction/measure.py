"""Errors of ridge refitted on random subsets of rows: what predictions are compared with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory import ridge_factorization

_BATCH = 20  # refits whose errors are measured in one pass over the rows
_FEWEST, _MOST, _MOST_ROWS = 6, 200, 20_000
_BLOCK = 4096


class Measured(NamedTuple):
    """What refits on the rows at hand show."""

    mean: np.ndarray
    """Mean error over refits, shape (sizes, alphas)."""
    standard_error: np.ndarray
    """Of that mean over refits, given the rows; those rows are a sample too."""
    refits: np.ndarray
    """How many, shape (sizes,)."""
    of_parts: np.ndarray
    """Mean errors on each part of the rows alone, shape (parts, sizes, alphas)."""


def measure(
    X: np.ndarray,
    y: np.ndarray,
    sizes: np.ndarray,
    alphas: np.ndarray,
    *,
    seed: int,
    precision: float = 0.015,
    fit_intercept: bool = False,
    parts: np.ndarray | None = None,
) -> Measured:
    """Refit on random rows of X, and average the squared error over all the others.

    Unlike `sk_deepfeat.model_selection.ridge_learning_curve` it goes over the rows once for many
    refits, stops where they agree, and tells the errors on parts of the rows apart: `parts` holds
    the number of each row's part.

    A size is refitted until the relative standard error is below `precision` at every alpha, or
    refits have used 20,000 rows together, though never fewer than 6 nor more than 200 times.
    """
    member = np.ones((1, len(y))) if parts is None else np.eye(int(parts.max()) + 1)[:, parts]
    found = []
    for size in sizes:
        rng = np.random.default_rng([seed, int(size)])
        most = int(np.clip(_MOST_ROWS // size, _FEWEST, _MOST))
        sums = np.empty((len(member), 0, alphas.size))
        counts = np.empty((len(member), 0, 1))
        while (done := sums.shape[1]) < most:
            count = min(_FEWEST if size > 1000 and not done else _BATCH, most - done)
            subsets = [rng.choice(len(y), size, replace=False) for _ in range(count)]
            squares, rows = _squares_outside(X, y, subsets, alphas, fit_intercept, member)
            sums, counts = np.append(sums, squares, axis=1), np.append(counts, rows, axis=1)
            errors = sums.sum(axis=0) / counts.sum(axis=0)
            scatter = errors.std(axis=0, ddof=1) / np.sqrt(len(errors))
            if np.all(scatter < precision * errors.mean(axis=0)):
                break
        of_parts = (sums / counts).mean(axis=1)
        found.append((errors.mean(axis=0), scatter, len(errors), of_parts))
    mean, scatter, refits, of_parts = (np.array(values) for values in zip(*found, strict=True))
    return Measured(mean, scatter, refits, of_parts.swapaxes(0, 1))


def _squares_outside(X, y, subsets, alphas, fit_intercept, member):
    """Return each subset's sums of squared errors on the other rows of each part, and their number.

    `member`, of shape (parts, rows), is one where a row belongs to a part.
    """
    weights, offsets = [], []
    for rows in subsets:
        path = ridge_factorization(X[rows], y[rows], fit_intercept=fit_intercept)
        coefs = path.coefs(alphas)[:, :, 0].T
        offsets.append(path.target_mean - path.feature_mean @ coefs)
        weights.append(coefs.astype(X.dtype))
    columns, offset = np.concatenate(weights, axis=1), np.concatenate(offsets).astype(X.dtype)
    total = np.zeros((len(member), columns.shape[1]))
    for start in range(0, len(y), _BLOCK):
        block = slice(start, start + _BLOCK)
        difference = X[block] @ columns
        difference += offset - y[block, None].astype(X.dtype)
        total += member[:, block].astype(X.dtype) @ np.square(difference, out=difference)
    total = total.reshape(len(member), len(subsets), alphas.size)
    for k, rows in enumerate(subsets):
        own = X[rows] @ weights[k] + offsets[k] - y[rows, None]
        total[:, k] -= member[:, rows] @ np.square(own, dtype=np.float64)
    own_rows = np.stack([member[:, rows].sum(axis=1) for rows in subsets], axis=1)
    outside = member.sum(axis=1, keepdims=True) - own_rows
    return total, outside[..., None]
