"""Measured error surfaces that the benchmarks compare predictions with, kept between runs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.linalg
from threadpoolctl import threadpool_limits

from sk_deepfeat.theory import ridge_factorization

_FIRST = 6  # refits of every size, before their scatter is looked at


class Truth(NamedTuple):
    """Mean errors over refits and their standard errors, shape (sizes, alphas)."""

    mean: np.ndarray
    standard_error: np.ndarray
    refits: np.ndarray


def measure(X, y, size, alphas, *, precision, most, seed, groups=None):
    """Refit on random subsets until every alpha's relative standard error is below `precision`.

    With `groups`, codes from 0 on, a subset is of `size` whole groups.
    """
    rng = np.random.default_rng([seed, size])
    n_draws = len(y) if groups is None else groups.max() + 1
    errors = []
    while len(errors) < most:
        rows, others = np.split(rng.permutation(n_draws), [size])
        if groups is not None:
            inside = np.isin(groups, rows)
            rows, others = np.flatnonzero(inside), np.flatnonzero(~inside)
        path = ridge_factorization(X[rows], y[rows])
        coefs = path.coefs(alphas)[:, :, 0].T
        intercept = (path.target_mean[0] - path.feature_mean @ coefs).astype(np.float32)
        coefs = coefs.astype(np.float32)
        total = np.zeros(alphas.size)
        for start in range(0, others.size, 4096):
            block = others[start : start + 4096]
            difference = X[block] @ coefs + intercept - y[block, None]
            total += np.square(difference, dtype=np.float64).sum(axis=0)
        errors.append(total / others.size)
        if len(errors) >= min(_FIRST, most):
            found = np.array(errors)
            scatter = found.std(axis=0, ddof=1) / np.sqrt(len(found)) / found.mean(axis=0)
            if scatter.max() < precision:
                break
    found = np.array(errors)
    return found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(len(found)), len(found)


def measured_surface(
    key, X, y, sizes, alphas, *, precision=0.01, most=60, seed=0, folder=None, groups=None
):
    """Return the `Truth` of features X; `key` names it in the folder where it is kept.

    Errors are measured on all rows outside the subset, in blocks, with one thread. With `groups`,
    sizes are numbers of whole groups.
    """
    folder = Path(folder or Path(tempfile.gettempdir()) / "sk_deepfeat_benchmarks")
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for size in sizes:
        name = "".join(c if c.isalnum() else "_" for c in f"{key} {size} {len(alphas)} {seed}")
        file = folder / f"truth_{name}.npz"
        if file.exists():
            with np.load(file) as kept:
                if np.array_equal(kept["alphas"], alphas) and kept["rows"] == len(y):
                    parts.append((kept["mean"], kept["se"], int(kept["refits"])))
                    continue
        with threadpool_limits(limits=1):
            found = measure(
                X, y, size, alphas, precision=precision, most=most, seed=seed, groups=groups
            )
        np.savez(file, alphas=alphas, rows=len(y), mean=found[0], se=found[1], refits=found[2])
        parts.append(found)
    return Truth(*(np.array(part) for part in zip(*parts, strict=True)))


class TestRows:
    """Fresh rows on which coefficients are measured, however many at the cost of a few.

    A triangular factor of (1, X, y) stands for them. With `finite`, they are all rows there are,
    and training rows among them are taken out again.
    """

    def __init__(self, draw, rng, n_rows, *, finite=False, block=20_000):
        self.n_rows, self.finite = n_rows, finite
        if finite:
            block = n_rows
        factor = None
        for start in range(0, n_rows, block):
            self.X, self.y = draw(rng, min(block, n_rows - start))
            bordered = np.column_stack([np.ones(len(self.y)), self.X, self.y])
            if factor is not None:
                bordered = np.vstack([factor, bordered])
            factor = scipy.linalg.qr(bordered, mode="r", overwrite_a=True, check_finite=False)[0]
            factor = factor[: factor.shape[1]]
        self.factor = factor

    def errors(self, intercept, coefs, X, y):
        """Return mean squared errors of coefs (features, alphas) that were fitted on (X, y)."""
        bordered = np.vstack([intercept, coefs, np.full(coefs.shape[1], -1.0)])
        total, count = np.square(self.factor @ bordered).sum(axis=0), self.n_rows
        if self.finite:
            total = total - np.square(X @ coefs + intercept - y[:, None]).sum(axis=0)
            count = count - len(y)
        return total / count

    def scatter(self, intercept, coefs):
        """Return the deviation of the rows' squared errors over their mean, in the last block."""
        squares = np.square(self.X @ coefs + intercept - self.y[:, None])
        return squares.std(axis=0) / squares.mean(axis=0)


def fresh_fit(X, y, alphas):
    """Return intercepts (alphas,) and coefficients (features, alphas) of ridge."""
    feature_mean, target_mean = X.mean(axis=0), y.mean()
    bordered = np.column_stack([X - feature_mean, y - target_mean])
    if len(y) > 2 * X.shape[1]:
        bordered = scipy.linalg.qr(bordered, mode="r", check_finite=False)[0]
        bordered = bordered[: bordered.shape[1]]
    path = ridge_factorization(bordered[:, :-1], bordered[:, -1], fit_intercept=False)
    coefs = path.coefs(alphas)[:, :, 0].T
    return target_mean - feature_mean @ coefs, coefs


def measure_fresh(draw, test, size, alphas, *, precision, most, rng):
    """Refit on fresh training sets `draw(rng, size)` until the precision; errors on `test`.

    Returns mean errors, their relative standard errors, the refits, and the rows' scatter.
    """
    errors, scatters = [], []
    while len(errors) < most:
        X, y = draw(rng, size)
        fitted = fresh_fit(X, y, alphas)
        errors.append(test.errors(*fitted, X, y))
        if len(scatters) < 3:
            scatters.append(test.scatter(*fitted))
        if len(errors) >= min(_FIRST, most):
            found = np.array(errors)
            spread = found.std(axis=0, ddof=1) / np.sqrt(len(found)) / found.mean(axis=0)
            if spread.max() < precision:
                break
    scatter = np.mean(scatters, axis=0)
    tested = 0.0 if test.finite else np.square(scatter) / test.n_rows
    error = np.sqrt(np.square(spread) + tested)
    return found.mean(axis=0), error, len(found), scatter
