"""Rows in groups, from a known population: what the benchmarks of groups measure predictions by.

Features are Gaussian with a power-law spectrum; a share of their variance is the same for all rows
of a group, and so is a part of the target, the group's effect. The error of a fit on rows of new
groups is known in closed form, so that the truth is a mean over training sets alone.
"""

from __future__ import annotations

import numpy as np


class GroupedPopulation:
    """Rows in groups.

    Parameters
    ----------
    n_features : int
    shared : float
        Share of the features' variance within a group, in [0, 1].
    group_effect : float
        Variance that the groups add to the target, whose signal has variance one.
    sizes : sequence of int
        Rows of a group: each group has one of these, with equal chances.
    noise : float, default=0.5
        Variance of the noise of single rows.
    decay : float, default=1.0
        Power of the spectrum.
    seed : int, default=0
        Draws the coefficients.
    """

    def __init__(self, n_features, shared, group_effect, sizes, *, noise=0.5, decay=1.0, seed=0):
        self.spectrum = np.arange(1, n_features + 1) ** -float(decay)
        self.spectrum *= n_features / self.spectrum.sum()
        coefs = np.random.default_rng(seed).normal(size=n_features)
        self.coefs = coefs / np.sqrt(np.square(coefs) @ self.spectrum)
        self.shared, self.group_effect, self.noise = shared, group_effect, noise
        self.sizes = np.asarray(sizes)

    @property
    def mean_size(self):
        """Rows of a group, on average."""
        return float(self.sizes.mean())

    def draw(self, n_groups, rng):
        """Return rows, targets and groups."""
        labels = np.repeat(np.arange(n_groups), rng.choice(self.sizes, n_groups))
        shape = labels.size, self.coefs.size
        common = rng.normal(size=(n_groups, shape[1]))[labels]
        Z = np.sqrt(self.shared) * common + np.sqrt(1 - self.shared) * rng.normal(size=shape)
        X = Z * np.sqrt(self.spectrum)
        y = X @ self.coefs + np.sqrt(self.noise) * rng.normal(size=labels.size)
        return X, y + np.sqrt(self.group_effect) * rng.normal(size=n_groups)[labels], labels

    def errors(self, n_groups, alphas, n_sets, rng):
        """Return mean errors on new groups over training sets, and their standard errors."""
        found = np.array(
            [self._error(*self.draw(n_groups, rng)[:2], alphas) for _ in range(n_sets)]
        )
        return found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(n_sets)

    def _error(self, X, y, alphas):
        X_mean, y_mean = X.mean(axis=0), y.mean()
        X, y = X - X_mean, y - y_mean
        if len(X) >= X.shape[1]:
            values, vectors = np.linalg.eigh(X.T @ X)
            coefs = vectors @ ((vectors.T @ (X.T @ y))[:, None] / (values[:, None] + alphas))
        else:
            values, vectors = np.linalg.eigh(X @ X.T)
            coefs = X.T @ (vectors @ ((vectors.T @ y)[:, None] / (values[:, None] + alphas)))
        excess = self.spectrum @ np.square(coefs - self.coefs[:, None])
        return excess + np.square(y_mean - X_mean @ coefs) + self.noise + self.group_effect
