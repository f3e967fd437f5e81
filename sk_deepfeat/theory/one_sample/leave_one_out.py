r"""Leverages and exact leave-one-out residuals of one training set, for a whole grid of ridges.

For the rows of a `RidgeFactorization`, left singular vectors U, z = Uᵀy, and a ridge α₀: the
leverage is h_i = Σ U_ij² λ_j/(λ_j+α₀), the residual of row i when it is left out is
e_i = residual_i/D_i with D_i = η_i - h_i, η_i = 1 - w_i/n₀ with an intercept and 1 without, and
Q_i = h_i/D_i.

Nothing is subtracted where it would cancel. Small ridges use
D_i = Σ U_ij² α₀/(λ_j+α₀) + (η_i - Σ U_ij²), whose last term is the part of row i outside the
span, zero when the sample has no more rows than directions; large ridges use h_i as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization, check_factorization
from sk_deepfeat.theory.validation import FloatArray, check_alpha

_BLOCK_ENTRIES = 6_000_000


def leave_one_out_residuals(factorization: RidgeFactorization, ridge: float) -> FloatArray:
    """Return the exact residuals of every row when it is left out.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set.
    ridge : float
        Not negative, for weights of mean one; 0 is the limit.

    Returns
    -------
    ndarray of shape (n_rows, n_outputs)
        Multiplied by the square root of the row's weight.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import leave_one_out_residuals, ridge_factorization
    >>> factorization = ridge_factorization([[0.0], [1.0], [3.0]], [1.0, 2.0, 5.0])
    >>> leave_one_out_residuals(factorization, 0.0).round(3)
    array([[ 0.5  ],
           [-0.333],
           [ 1.   ]])
    """
    check_factorization(factorization)
    ridge = float(check_alpha(ridge, "ridge"))
    if factorization.eigenvalues.size == 0:
        return factorization.outside / (1.0 - factorization.intercept_share)[:, None]
    # At zero the quotient may be 0/0 where the rows are interpolated: its limit is taken.
    grid = np.array([max(float(ridge), 1e-10 * float(factorization.eigenvalues[0]))])
    blocks = left_out_rows(factorization, grid)
    return np.concatenate([block.residual[:, 0] for _, block in blocks])


class LeftOutRows(NamedTuple):
    """Some rows along a grid of ridges: arrays of shape (rows, G) and (rows, G, t)."""

    q: FloatArray  # Q_i
    growth: FloatArray  # Q_i + dQ_i/d log α₀
    residual: FloatArray  # e_i


def left_out_rows(
    factorization: RidgeFactorization, grid: FloatArray
) -> Iterator[tuple[int, LeftOutRows]]:
    """Yield the first row of each block and the block, of bounded memory.

    Two buffers serve all blocks: fresh pages for each would take as long as the products.
    """
    rank = factorization.eigenvalues.size
    step = min(factorization.n_rows, max(64, _BLOCK_ENTRIES // max(rank, 1)))
    buffers = np.empty((step, rank)), np.empty((step, rank))
    for start in range(0, factorization.n_rows, step):
        yield (
            start,
            _left_out(
                factorization, slice(start, min(start + step, factorization.n_rows)), grid, buffers
            ),
        )


def _left_out(
    factorization: RidgeFactorization,
    rows: slice,
    grid: FloatArray,
    buffers: tuple[FloatArray, FloatArray],
) -> LeftOutRows:
    lam = factorization.eigenvalues
    left = factorization.left_vectors(rows, out=buffers[0])
    squares = np.multiply(left, left, out=buffers[1][: len(left)])
    eta = 1.0 - factorization.intercept_share[rows]
    outside = eta - squares.sum(axis=1)
    if (
        lam.size == factorization.n_effective
    ):  # every direction is there: nothing lies outside the span
        outside = np.zeros_like(outside)
    outside = np.where(outside > 1e-13 * lam.size, outside, 0.0)[:, None]  # less is rounding
    eta = eta[:, None]
    kept = grid[:, None] / (lam + grid[:, None])  # α₀/(λ+α₀)
    shrunk = lam / (lam + grid[:, None])
    small = kept.sum(axis=1) < 0.5 * lam.size
    q = np.empty((left.shape[0], grid.size))
    growth = np.empty_like(q)
    distance = np.empty_like(q)
    if np.any(small):
        d = squares @ kept[small].T + outside
        d2 = squares @ np.square(kept[small]).T + outside
        q[:, small] = (eta - d) / d
        growth[:, small] = eta * d2 / np.square(d) - 1.0
        distance[:, small] = d
    if not np.all(small):
        h = squares @ shrunk[~small].T
        h2 = squares @ np.square(shrunk[~small]).T
        d = eta - h
        q[:, ~small] = h / d
        growth[:, ~small] = (eta * h2 - h * h) / np.square(d)
        distance[:, ~small] = d
    t = factorization.targets.shape[1]
    scaled = factorization.target_components[None] * kept[:, :, None]  # (G, r, t)
    residual = np.empty((left.shape[0], grid.size, t))
    for k in range(t):
        residual[:, :, k] = left @ scaled[:, :, k].T
        if lam.size < factorization.n_effective:
            residual[:, :, k] += factorization.outside[rows, k][:, None]
    return LeftOutRows(q, growth, residual / distance[:, :, None])
