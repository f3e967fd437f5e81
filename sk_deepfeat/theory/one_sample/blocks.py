r"""Blocks of ordered rows: how long, so that rows of different blocks are nearly independent.

Rows that follow each other in time are no independent draws, and a row that is left out alone is
predicted from its neighbours. Even where no correlation is left in the residuals that come so, a
new stretch of the process has more: what the neighbours told. So the residuals that count are those
of rows of which a long stretch is left out, e_g = (η_g - H_gg)⁻¹ r_g for stretch g with
η_g = I - √w_g√w_gᵀ/n₀ (I without an intercept), H_gg = U_g diag(λ/(λ+α)) U_gᵀ and the residuals r
of the fit. A block is a multiple of the lag beyond which their autocorrelations stay within noise,

    ρ(k) < 2 √(log₁₀ n / n),

the rule of Politis and White for the bandwidth of a spectral estimate.

References
----------
Politis and White, "Automatic Block-Length Selection for the Dependent Bootstrap", Econometric
Reviews 23 (2004), section 3.2.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization, check_factorization
from sk_deepfeat.theory.validation import FloatArray, is_whole, whole_number

# In units of the largest eigenvalue: the best ridge of most training sets lies between them.
_RIDGES = np.geomspace(1e-5, 0.1, 5)


def block_length(factorization: RidgeFactorization) -> int:
    """Return how many consecutive rows make a block that is nearly independent of the others.

    Parameters
    ----------
    factorization : RidgeFactorization
        Of rows in their order.

    Returns
    -------
    int
        1 where rows next to each other show no correlation; at most a tenth of the rows, so that
        there are ten blocks.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import ridge_factorization
    >>> from sk_deepfeat.theory.one_sample.blocks import block_length
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 5))
    >>> walk = np.cumsum(rng.normal(size=400))
    >>> block_length(ridge_factorization(X, X[:, 0] + rng.normal(size=400)))
    1
    >>> block_length(ridge_factorization(X, X[:, 0] + walk))
    40
    """
    check_factorization(factorization)
    longest = factorization.n_rows // tuning.FEWEST_BLOCKS
    if longest < 2:
        return 1
    lag = _correlated_lags(_residuals_of_new_stretches(factorization))
    return int(min(max(round(tuning.BLOCK_PER_CORRELATED_LAG * lag), 1), longest))


def block_groups(n_rows: int, block_length: int) -> NDArray[np.intp]:
    """Return labels that make consecutive rows a group, for rows in the order of time.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    block_length : int
        Rows of a block, at most half of all. Blocks are as equal as their number allows: none
        differs from another by more than one row.

    Returns
    -------
    ndarray of int of shape (n_rows,)
        0 … G-1 for G = n_rows // block_length blocks, ascending.

    Raises
    ------
    ValueError
        If `block_length` is no integer between 1 and half of the rows.

    Examples
    --------
    >>> from sk_deepfeat.model_selection import block_groups
    >>> block_groups(10, 3)
    array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
    """
    n_rows = whole_number(n_rows, "n_rows", 1)
    whole = is_whole(block_length)
    if not whole or not 1 <= block_length <= n_rows // 2:
        raise ValueError(
            f"block_length={block_length!r} must be an integer between 1 and {n_rows // 2}, half "
            f"of the {n_rows} rows: at least two blocks are needed."
        )
    n_blocks = n_rows // int(block_length)
    return np.asarray(np.arange(n_rows) * n_blocks // n_rows, dtype=np.intp)


def _residuals_of_new_stretches(factorization: RidgeFactorization) -> FloatArray:
    """Return the residuals of long stretches left out, at the ridge of their least error."""
    largest = factorization.eigenvalues[-1:] if factorization.eigenvalues.size else np.ones(1)
    found = _left_out_stretches(factorization, _RIDGES * largest)
    return found[np.argmin(np.square(found).sum(axis=(1, 2)))]


def _left_out_stretches(factorization: RidgeFactorization, ridges: FloatArray) -> FloatArray:
    """Return the residuals of every stretch when it is left out, shape (ridges, n_rows, t)."""
    lam, n = factorization.eigenvalues, factorization.n_rows
    edges = np.arange(tuning.LONG_STRETCHES + 1) * n // tuning.LONG_STRETCHES
    found = np.empty((len(ridges), n, factorization.targets.shape[1]))
    for start, end in itertools.pairwise(edges):
        rows = slice(int(start), int(end))
        left = factorization.left_vectors(rows)
        outside = factorization.outside[rows]
        constant = np.sqrt(factorization.intercept_share[rows])[:, None]  # zero without intercept
        small = len(left) > lam.size  # which of the two axes of U_g is
        inner = _gram(np.hstack([left, constant])) if small else None
        for i, ridge in enumerate(ridges):
            shrunk, kept = lam / (lam + ridge), ridge / (lam + ridge)
            residual = left @ (kept[:, None] * factorization.target_components) + outside
            if inner is None:
                matrix = np.eye(len(left)) - constant @ constant.T - (left * shrunk) @ left.T
                found[i, rows] = _solve(matrix, residual)
            else:  # (I - L diag(s) Lᵀ)⁻¹ = I + L (diag(s)⁻¹ - LᵀL)⁻¹ Lᵀ
                wide = np.hstack([left, constant])
                matrix = np.diag(1.0 / np.append(shrunk, 1.0)) - inner
                found[i, rows] = residual + wide @ _solve(matrix, wide.T @ residual)
    return found


def _gram(rows: FloatArray) -> FloatArray:
    product: FloatArray = rows.T @ rows
    return product


def _solve(matrix: FloatArray, values: FloatArray) -> FloatArray:
    """Return the solution, zero where a stretch of nearly all the weight leaves nothing to fit."""
    try:
        root, lower = scipy.linalg.cho_factor(matrix, check_finite=False)
    except scipy.linalg.LinAlgError:
        return np.zeros_like(values)
    if np.square(np.diag(root)).min() <= np.finfo(float).eps:  # beside one
        return np.zeros_like(values)
    solved: FloatArray = scipy.linalg.cho_solve((root, lower), values, check_finite=False)
    return solved


def _correlated_lags(residual: FloatArray) -> int:
    """Return the lag beyond which autocorrelations are noise: the largest one of all outputs."""
    n, n_outputs = residual.shape
    noise = tuning.AUTOCORRELATION_NOISE * np.sqrt(np.log10(n * n_outputs) / n)
    centred = residual - residual.mean(axis=0)
    spectrum = np.square(np.abs(np.fft.rfft(centred, 2 * n, axis=0)))
    covariance = np.fft.irfft(spectrum, axis=0)[: n // tuning.LONG_STRETCHES]
    loud = np.abs(covariance) > noise * covariance[0]
    return max(_last_before_silence(loud[1:, k]) for k in range(n_outputs))


def _last_before_silence(loud: Any) -> int:
    """Return how many lags precede the first of enough silent ones in a row."""
    run = 0
    for lag, heard in enumerate(loud):
        run = 0 if heard else run + 1
        if run == tuning.SILENT_LAGS:
            return lag + 1 - run
    return len(loud) - run
