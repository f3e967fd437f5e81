"""What the tests for causes read off a training set: leverages, and in which columns they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.dependence import least_gcv_ridge
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.leave_one_out import left_out_rows
from sk_deepfeat.theory.validation import FloatArray

_BISECTIONS, _BLOCK_ENTRIES = 60, 2_000_000
_MOST_DF_SHARE = 0.9


class RowLeverages(NamedTuple):
    """Leverages at a ridge with as many degrees of freedom as rows can tell, and residuals."""

    ridge: float
    """Where df1 is half of the rows, or nine tenths of the rank if that is less."""
    q: FloatArray
    """Q_i = h_i/(1 - h_i) over the row's weight, shape (n_rows,)."""
    freedom: float
    """df1²/df2: Q_i of Gaussian rows is about a multiple of chi-square with so many degrees."""
    residuals: FloatArray
    """When rows are left out, at the ridge of least generalised cross-validation, (n_rows, t)."""


def row_leverages(factorization: RidgeFactorization) -> RowLeverages | None:
    """Return leverages and left-out residuals of every row; None if there is nothing to fit.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set.

    Returns
    -------
    RowLeverages or None
    """
    lam = factorization.eigenvalues
    if lam.size == 0:
        return None
    ridge = _ridge_of_df1(lam, min(_MOST_DF_SHARE * lam.size, 0.5 * factorization.n_rows))
    least = least_gcv_ridge(factorization)
    grid = np.array([ridge, ridge if least is None else least])
    q, residuals = [], []
    for block in left_out_rows(factorization, grid):
        q.append(block.q[0])
        residuals.append(block.residuals_at(factorization, grid[1], 1))
    shrunk = lam / (lam + ridge)
    return RowLeverages(
        ridge,
        np.concatenate(q) / factorization.weights,
        float(shrunk.sum() ** 2 / np.square(shrunk).sum()),
        np.concatenate(residuals),
    )


def leverage_shares(
    factorization: RidgeFactorization, ridge: float, rows: NDArray[np.intp], columns: NDArray
) -> FloatArray:
    """Return which share of the leverages of some rows lies in some columns.

    h_i = Σ_j F_ij (F (FᵀF + ridge)⁻¹)_ij, and the share is that of the terms of these columns.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set.
    ridge : float
        Above zero.
    rows, columns : ndarray of int
        Which ones.

    Returns
    -------
    ndarray of the shape of `rows`
    """
    lam, left = factorization.eigenvalues, factorization.left_vectors(rows)
    shrunk = lam / (lam + ridge)
    leverage = np.square(left) @ shrunk
    back = factorization.left_from_features
    if back is None:
        every = factorization.left_vectors(slice(None))
        along = every @ (left / (lam + ridge)).T
        traced = factorization.features.transposed_times(along)[columns].T
    else:
        traced = (left * shrunk) @ back[columns].T
    part, step = np.empty(rows.size), max(1, _BLOCK_ENTRIES // factorization.n_features)
    for start in range(0, rows.size, step):
        some = slice(start, start + step)
        taken = factorization.features.take(rows[some])[:, columns]
        part[some] = (taken * traced[some]).sum(axis=1)
    return np.asarray(np.clip(part / np.maximum(leverage, 1e-300), 0.0, 1.0))


def largest_rows(q: FloatArray) -> NDArray[np.intp]:
    """Return the rows of largest leverage, one in twenty and at most 64, largest first."""
    count = int(np.clip(tuning.OUTSIZE_SHARE * q.size, 1, tuning.LARGEST_ROWS))
    return np.argsort(-q, kind="stable")[:count]


def _ridge_of_df1(eigenvalues: FloatArray, df1: float) -> float:
    """Return the ridge at which Σ λ/(λ + ridge) is df1, below the number of eigenvalues."""
    low, high = np.log(1e-6 * eigenvalues[0]), np.log(1e6 * eigenvalues[-1])
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        if np.sum(eigenvalues / (eigenvalues + np.exp(middle))) > df1:
            low = middle
        else:
            high = middle
    return float(np.exp(0.5 * (low + high)))
