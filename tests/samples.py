"""Populations with a linear target, for the tests that draw training sets.

A sample follows from its seed alone: first the rows are drawn, then the noise of the target.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


def power_law(p, exponent):
    """Return k^-exponent for k = 1, …, p."""
    return np.arange(1, p + 1) ** -exponent


def gaussian_rows(rng, n, root):
    """Rows N(0, root rootᵀ); a 1-d root is a diagonal, the standard deviations of the features."""
    draws = rng.normal(size=(n, root.shape[-1]))
    return draws * root if root.ndim == 1 else draws @ root.T


def elliptical_rows(rng, n, root, tail):
    """Gaussian rows times log-normal factors, which make leverages unequal."""
    return gaussian_rows(rng, n, root) * np.exp(tail * rng.normal(size=(n, 1)))


def clustered_rows(rng, n, root, n_clusters):
    """Gaussian rows of a tenth of the size around centres, the same for every sample."""
    around = 0.1 * gaussian_rows(rng, n, root)
    centres = gaussian_rows(np.random.default_rng(99), n_clusters, root)
    return centres[rng.integers(n_clusters, size=n)] + around


def near_duplicate_rows(rng, n, root):
    """Gaussian rows, each eight times with a difference of a thousandth; n is a multiple of 8."""
    rows = gaussian_rows(rng, n, root)
    return np.repeat(rows[: n // 8], 8, axis=0) + 1e-3 * rows


@dataclass(frozen=True)
class LinearPopulation:
    """y = offset + x·coefs + noise_std N(0, 1) for x = mean + a row of the given law."""

    root: np.ndarray
    coefs: np.ndarray
    noise_std: float = 1.0
    rows: Callable[..., np.ndarray] = gaussian_rows
    mean: np.ndarray | float = 0.0
    offset: float = 0.0

    def sample(self, n, seed=0, outputs=None):
        """Return X and y; with `outputs`, as many columns of y that differ by their noise."""
        rng = np.random.default_rng(seed)
        X = self.mean + self.rows(rng, n, self.root)
        target = self.offset + X @ self.coefs
        if outputs is None:
            return X, target + self.noise_std * rng.normal(size=n)
        return X, target[:, None] + self.noise_std * rng.normal(size=(n, outputs))

    def moments(self):
        """Return what `ridge_risk` takes, for Gaussian rows of independent features, mean 0."""
        eigenvalues = self.root**2
        rho = float(np.sum(eigenvalues * self.coefs**2) + self.noise_std**2)
        return eigenvalues, eigenvalues * self.coefs, rho
