r"""Leverages and exact leave-one-out residuals of one training set, for a whole grid of ridges.

For the rows of a `RidgePath`, left singular vectors U, z = Uᵀy, and a ridge α₀: the leverage is
h_i = Σ U_ij² λ_j/(λ_j+α₀), the residual of row i when it is left out is e_i = residual_i/D_i with
D_i = η_i - h_i, η_i = 1 - w_i/n₀ with an intercept and 1 without, and Q_i = h_i/D_i.

Nothing is subtracted where it would cancel. Small ridges use
D_i = Σ U_ij² α₀/(λ_j+α₀) + (η_i - Σ U_ij²), whose last term is the part of row i outside the
span, zero when the sample has no more rows than directions; large ridges use h_i as it stands.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory._validation import FloatArray
from sk_deepfeat.theory.ridge_path import RidgePath

_BLOCK_ROWS = 1024
# Up to this many rows, each is a class of its own. More are binned by relative leverage,
# s = Q/mean Q, on a logarithmic scale; a class keeps the sums of s, e² and s e², so that what is
# lost is of second order in the width of a bin.
_MOST_CLASSES = 512
_LOG_LOW, _LOG_WIDTH = -11.0, 0.04


class LeverageMoments(NamedTuple):
    """Sums over rows along a grid of G ridges, in K classes of relative leverage.

    `share` sums to one over classes, `leverage` to one as well (the mean of s).
    """

    ridge: FloatArray
    """α₀, ascending, shape (G,)."""
    share: FloatArray
    """Share of the rows, shape (G, K)."""
    leverage: FloatArray
    """Mean over rows of s in the class, shape (G, K)."""
    error: FloatArray
    """Mean over rows of e² in the class, shape (G, K, t)."""
    tilt: FloatArray
    """Mean over rows of s e² in the class, shape (G, K, t)."""
    elasticity: FloatArray
    """d log q/d log α₀ + 1 for q = mean Q, shape (G,)."""


def leave_one_out_residuals(path: RidgePath, ridge: float) -> FloatArray:
    """Return the exact residuals of every row when it is left out.

    Parameters
    ----------
    path : RidgePath
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
    >>> path = ridge_factorization([[0.0], [1.0], [3.0]], [1.0, 2.0, 5.0])
    >>> leave_one_out_residuals(path, 0.0).round(3)
    array([[ 0.5  ],
           [-0.333],
           [ 1.   ]])
    """
    if path.eigenvalues.size == 0:
        return path.outside / (1.0 - path.intercept_share)[:, None]
    # At zero the quotient may be 0/0 where the rows are interpolated: its limit is taken.
    grid = np.array([max(float(ridge), 1e-10 * float(path.eigenvalues[0]))])
    blocks = [
        _block(path, slice(start, start + _BLOCK_ROWS), grid).residual[:, 0]
        for start in range(0, path.n_rows, _BLOCK_ROWS)
    ]
    return np.concatenate(blocks)


class _Block(NamedTuple):
    """Some rows along the grid: arrays of shape (rows, G) and (rows, G, t)."""

    q: FloatArray  # Q_i
    growth: FloatArray  # Q_i + dQ_i/d log α₀
    residual: FloatArray  # e_i


def _block(path: RidgePath, rows: slice, grid: FloatArray) -> _Block:
    lam = path.eigenvalues
    left = path.left_vectors(rows)
    squares = left * left
    eta = 1.0 - path.intercept_share[rows]
    outside = eta - squares.sum(axis=1)
    if lam.size == path.n_effective:  # every direction is there: nothing lies outside the span
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
    t = path.targets.shape[1]
    scaled = path.target_components[None] * kept[:, :, None]  # (G, r, t)
    residual = np.empty((left.shape[0], grid.size, t))
    for k in range(t):
        residual[:, :, k] = left @ scaled[:, :, k].T
        if lam.size < path.n_effective:
            residual[:, :, k] += path.outside[rows, k][:, None]
    return _Block(q, growth, residual / distance[:, :, None])


def leverage_moments(path: RidgePath, grid: FloatArray) -> LeverageMoments:
    """Sum leverages and leave-one-out errors along a grid of ridges, in blocks of rows.

    Parameters
    ----------
    path : RidgePath
        The factorised training set, with at least one direction.
    grid : ndarray of shape (G,)
        Positive ridges, ascending, for weights of mean one.

    Returns
    -------
    LeverageMoments
    """
    outputs = path.targets.shape[1]
    classes = min(path.n_rows, _MOST_CLASSES)
    size = grid.size * classes
    count, leverage, growth = np.zeros(size), np.zeros(size), np.zeros(grid.size)
    error, tilt = np.zeros((outputs, size)), np.zeros((outputs, size))
    origin: FloatArray | None = None
    for start in range(0, path.n_rows, _BLOCK_ROWS):
        rows = slice(start, min(start + _BLOCK_ROWS, path.n_rows))
        block = _block(path, rows, grid)
        if origin is None:  # classes lie about the first rows' mean, and keep their own means
            origin = np.log(np.maximum(block.q.mean(axis=0), np.finfo(float).tiny))
        if classes == path.n_rows:
            index = np.broadcast_to(np.arange(rows.start, rows.stop)[:, None], block.q.shape)
        else:
            index = _bin(block.q, origin, classes)
        flat = (index + np.arange(grid.size) * classes).ravel()
        count += np.bincount(flat, minlength=size)
        leverage += np.bincount(flat, weights=block.q.ravel(), minlength=size)
        for k in range(outputs):
            squares = np.square(block.residual[:, :, k])
            error[k] += np.bincount(flat, weights=squares.ravel(), minlength=size)
            tilt[k] += np.bincount(flat, weights=(block.q * squares).ravel(), minlength=size)
        growth += block.growth.sum(axis=0)
    shape = (grid.size, classes)
    total = leverage.reshape(shape).sum(axis=1)

    def by_class(sums: FloatArray) -> FloatArray:
        return np.ascontiguousarray(sums.reshape(outputs, *shape).transpose(1, 2, 0))

    return LeverageMoments(
        grid,
        count.reshape(shape) / path.n_rows,
        leverage.reshape(shape) / total[:, None],
        by_class(error) / path.n_rows,
        by_class(tilt) / total[:, None, None],
        growth / total,
    )


def _bin(q: FloatArray, origin: FloatArray, classes: int) -> NDArray[np.intp]:
    log_s = np.log(np.maximum(q, np.finfo(float).tiny)) - origin
    return np.clip((log_s - _LOG_LOW) / _LOG_WIDTH, 0, classes - 1).astype(np.intp)
