"""A few columns of a table over the spectrum, of which all others are combinations.

Functions of λ such as α₀/(λ+α₀), along a whole grid of ridges, span hardly more dimensions than
there are digits: products with rows are taken for a few of them alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.linalg

from sk_deepfeat.theory.threads import one_thread
from sk_deepfeat.theory.validation import FloatArray

_SAMPLED = 120


class FewColumns(NamedTuple):
    """Columns of which all C columns of a table (r, C) are combinations: basis @ weights."""

    basis: FloatArray
    """Some of them, of largest entry one, shape (r, m)."""
    weights: FloatArray
    """Shape (m, C)."""


def few_columns(eigenvalues: FloatArray, table: FloatArray, tolerance: float) -> FewColumns:
    """Choose columns by a pivoted QR factorisation.

    Parameters
    ----------
    eigenvalues : ndarray of shape (r,)
        λ, ascending.
    table : ndarray of shape (r, C)
        Functions of log λ, not negative and none of them zero, so smooth that some λ tell all.
    tolerance : float
        Largest error of a column, relative to its largest entry.

    Returns
    -------
    FewColumns
    """
    log_lam = np.log(eigenvalues)
    places = np.searchsorted(log_lam, np.linspace(log_lam[0], log_lam[-1], _SAMPLED))
    by_number = np.linspace(0, log_lam.size - 1, _SAMPLED).astype(np.intp)
    some = np.unique(
        np.r_[np.minimum(places, log_lam.size - 1), np.maximum(places - 1, 0), by_number]
    )
    sampled = table[some]
    largest = sampled.max(axis=0)
    with one_thread():  # not to be in the way of the products before and after
        triangle, order = scipy.linalg.qr(
            sampled / largest, mode="r", pivoting=True, overwrite_a=True, check_finite=False
        )
        diagonal = np.abs(np.diagonal(triangle))
        count = int(np.count_nonzero(diagonal > tolerance * diagonal[0]))
        rest = scipy.linalg.solve_triangular(
            triangle[:count, :count], triangle[:count, count:], check_finite=False
        )
    chosen = order[:count]
    weights = np.zeros((count, table.shape[1]))
    weights[:, chosen], weights[:, order[count:]] = np.eye(count), rest
    return FewColumns(table[:, chosen] / largest[chosen], weights * largest)
