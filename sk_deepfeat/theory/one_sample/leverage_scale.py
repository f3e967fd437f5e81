"""The scale q of leverages at which n rows have given degrees of freedom, from sums by class.

f is never subtracted from N: N - f = (N - r) + Σ α₀/(λ+α₀) with r eigenvalues λ, and q solves
N·mean[1/(1+s q)] = N - f, convex and decreasing, by Newton's method from f/(N-f) upwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_deepfeat.theory.validation import FloatArray

_MOST_STEPS = 200


def counted(points: Any, name: str, n: FloatArray | float) -> FloatArray:
    """Return sums by class of a curve, or of points of one, with what n + 1 rows' intercept costs.

    `name` is one of the sums. Without groups every row counts once: the intercept costs one row.
    """
    plain: FloatArray = getattr(points, name)
    if points.constant is None:
        return plain
    by_point = np.reshape(n, (-1,) + (1,) * (plain.ndim - 1))
    found = plain - getattr(points.constant, name)
    found /= by_point
    found += plain  # in place: of hundreds of outputs these are large
    return np.maximum(found, 0.0, out=found)


def solve_leverage_scale(
    row_share: FloatArray,
    leverage: FloatArray,
    n: FloatArray | float,
    df1: FloatArray,
    residual_df: FloatArray,
) -> FloatArray:
    """Solve n·mean[s q/(1+s q)] = f for q at each grid point, for one n or one each.

    `residual_df` is n - f less the rows without any leverage, who take no part.
    """
    # Classes come first: there may be few of them, for many points.
    leverage = np.ascontiguousarray(leverage.T)
    row_share = np.where(leverage > 0, row_share.T, 0.0)
    s = ratio(leverage, row_share)
    q = np.maximum(df1, np.finfo(float).tiny) / residual_df
    q *= ratio(row_share.sum(axis=0), leverage.sum(axis=0))  # as of equal leverages
    n = np.broadcast_to(np.asarray(n, dtype=np.float64), q.shape)
    found, left = np.full(q.shape, np.nan), np.arange(q.size)
    for _ in range(_MOST_STEPS):
        inverse = 1.0 / (1.0 + s * q)
        damped = leverage * inverse
        value = np.where(  # the same number, from the smaller of the two sums
            df1 < residual_df,
            df1 - n * q * damped.sum(axis=0),
            n * (row_share * inverse).sum(axis=0) - residual_df,
        )
        slope = n * (damped * inverse).sum(axis=0)
        by_growth = slope * q
        step = np.divide(value, by_growth, out=np.full(q.shape, np.nan), where=by_growth > 0)
        # From below the root every step is short of it: one that leads past 0 has none to go to.
        q = q * (1.0 + step)
        q = np.where(q > 0.0, q, np.nan)
        moving = ~(np.abs(step) <= 1e-9)  # the error after a step is its square
        # Rows of weight or leverage beyond the range of floats: what is not solved is not known.
        found[left] = np.where(np.abs(step) <= 1e-6, q, np.nan)
        if not np.any(moving):
            break
        if np.count_nonzero(moving) < 0.5 * q.size:
            parts = (row_share, leverage, s, n, df1, residual_df, q)
            row_share, leverage, s, n, df1, residual_df, q = (p[..., moving] for p in parts)
            left = left[moving]
    return found


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide; 0 where the denominator is not positive."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
