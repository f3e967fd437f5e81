"""Errors in closed form that searches over alpha are asked for."""

import numpy as np

from sk_deepfeat.theory.alpha_search import AlphaSearch


def curve(n, alpha):
    """Falls with n, with a smooth minimum in alpha; not known below alpha = n/1e4."""
    x = np.log(alpha / np.sqrt(n))
    return np.where(
        alpha < 1e-4 * n, np.nan, 1.0 + 3.0 / n**0.6 + 0.05 * x**2 + 0.02 * np.cos(3 * x + 0.5)
    )


def kinked(n, alpha):
    x = np.log(alpha) - 0.1234 * np.log(n)
    return 2.0 + np.abs(x) + 0.3 * np.abs(x - 0.5)


def search_of(errors, asked=None, n_rows=1e3, caution=None):
    """Return the search of errors, which notes what it asks; caution beyond the rows multiplies."""

    def pairs(n, alpha):
        n, alpha = np.broadcast_arrays(n, np.maximum(alpha, 1e-30))
        if asked is not None:
            asked.append(n.shape)
        found = errors(n, alpha)
        if caution is None:
            return found, found
        return found, np.where(n > n_rows, found * caution(alpha), found)

    return AlphaSearch(pairs, 1.0, n_rows)
