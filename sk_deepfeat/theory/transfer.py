r"""From one training set to the test error at every other (n, alpha), for equal leverages.

Write N for the number of rows (less one with an intercept), λ for the eigenvalues of FᵀF, and
α₀ for a ridge on this training set. With f = Σ λ/(λ+α₀), every α₀ gives one point of the
population's functionals:

    κ = α₀/(N - f),   df1(κ) = f,   df2(κ) = f + f_a/(1 + f_a/(N-f)),   f_a = -Σ λα₀/(λ+α₀)²,
    B + σ² = (1 - df2/N) GCV(α₀),   GCV = (||residual||²/N)/(1 - f/N)².

For another n, the point with α = κ (n - df1(κ)) gives R(n, α) = (B + σ²)/(1 - df2/n). At n = N the
prediction is GCV itself. κ below its limit at α₀ → 0 cannot be known from the sample.

f is never subtracted: N - f = (N - r) + Σ α₀/(λ+α₀) and 1 + f_a/(N-f) =
[(N - r) + Σ α₀²/(λ+α₀)²]/(N - f), with r eigenvalues.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from sk_deepfeat.theory._validation import FloatArray, check_alpha, check_n_samples
from sk_deepfeat.theory.ridge_path import RidgePath

_BLOCK_ENTRIES = 200_000
_BISECTIONS = 45


class SpectralCurve(NamedTuple):
    """The population's functionals along κ, as one training set shows them.

    Arrays of shape (n_grid,), κ ascending; `unexplained` has shape (n_grid, t, t).
    """

    kappa: FloatArray
    """Effective regularisation."""
    remaining: FloatArray
    """N - df1(κ)."""
    spread: FloatArray
    """df1(κ) - df2(κ)."""
    unexplained: FloatArray
    """B(κ) + σ²."""
    n_effective: int
    """N: rows, less one with an intercept."""
    rank: int
    """Directions that the sample resolves."""


class TransferRisk(NamedTuple):
    """What `transfer_risk` returns: arrays of shape broadcast(n, alpha), errors with (t, t)."""

    kappa: FloatArray
    """Effective regularisation; NaN where it is not identifiable."""
    test_error: FloatArray
    """Expected squared error on a new sample."""
    train_error: FloatArray
    """Expected mean squared residual."""
    unexplained: FloatArray
    """Squared bias and noise together."""
    df1: FloatArray
    """Expected degrees of freedom."""
    df2: FloatArray
    """Σ ω²/(ω+κ)²."""


def gcv_curve(path: RidgePath, *, n_grid: int = 1000) -> SpectralCurve:
    """Estimate the population's functionals by generalised cross-validation along α₀.

    Parameters
    ----------
    path : RidgePath
        The factorised training set.
    n_grid : int, default=1000
        Points on the logarithmic grid of α₀, from 1e-9 of the smallest eigenvalue to 1e8 of their
        sum.

    Returns
    -------
    SpectralCurve
    """
    lam = path.eigenvalues
    # Without any direction nothing is learned at any ridge: one scale is as good as another.
    low, high = (1e-9 * lam[0], 1e8 * lam.sum()) if lam.size else (1e-8, 1e8)
    grid = np.geomspace(low, high, n_grid)
    outputs = path.targets.shape[1]
    z = path.target_components
    products = (z[:, :, None] * z[:, None, :]).reshape(lam.size, outputs * outputs)
    outside = path.outside.T @ path.outside
    n, rank = path.n_effective, lam.size
    remaining, spread = np.empty(n_grid), np.empty(n_grid)
    residual = np.empty((n_grid, outputs * outputs))
    rows = max(1, _BLOCK_ENTRIES // max(lam.size, 1))
    for start in range(0, n_grid, rows):
        block = slice(start, start + rows)
        kept = grid[block, None] / (lam + grid[block, None])  # α₀/(λ+α₀)
        squares = kept * kept
        remaining[block] = (n - rank) + kept.sum(axis=1)
        derivative = (kept * (1.0 - kept)).sum(axis=1)  # -f_a
        spread[block] = derivative * remaining[block] / ((n - rank) + squares.sum(axis=1))
        residual[block] = squares @ products
    residual += outside.ravel()
    spread = np.maximum(spread, np.finfo(float).tiny)
    scale = (remaining + spread) / np.square(remaining)  # (1 - df2/N) N/(N-f)²
    unexplained = (residual * scale[:, None]).reshape(n_grid, outputs, outputs)
    return SpectralCurve(grid / remaining, remaining, spread, unexplained, n, rank)


def transfer_risk(
    curve: SpectralCurve, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
) -> TransferRisk:
    """Evaluate a curve at any numbers of samples and regularisations.

    Parameters
    ----------
    curve : SpectralCurve
        From `gcv_curve`.
    n_samples, alpha : array-like
        Numbers of samples (at least 1) and regularisations (not negative); they broadcast.
    fit_intercept : bool
        Whether ridge fits an intercept: R(n) = (1 + 1/n) R_c(n - 1), as for the curve itself.

    Returns
    -------
    TransferRisk
        NaN where κ(n, alpha) lies below what the training set identifies.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import gcv_curve, ridge_factorization, transfer_risk
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 50))
    >>> y = X[:, 0] + rng.normal(size=400)
    >>> curve = gcv_curve(ridge_factorization(X, y, fit_intercept=False))
    >>> error = transfer_risk(curve, [100, 400], 10.0, fit_intercept=False).test_error
    >>> error[:, 0, 0].round(1)
    array([1.5, 1.1])
    """
    n, a = np.broadcast_arrays(check_n_samples(n_samples), check_alpha(alpha))
    shape = n.shape
    n, a = n.ravel(), a.ravel()
    rows = n - 1.0 if fit_intercept else n
    no_rows = rows < 1e-12  # one sample beside the intercept: its coefficients are zero
    rows = np.where(no_rows, 1.0, rows)
    at = _locate(curve, rows, a)
    log_kappa = np.log(curve.kappa)
    f_minus_df2 = np.exp(CubicSpline(log_kappa, np.log(curve.spread))(at.log_kappa))
    squared = CubicSpline(log_kappa, curve.unexplained)(at.log_kappa)
    squared[no_rows] = curve.unexplained[-1]
    df1 = np.where(no_rows, 0.0, rows - at.unused)
    df2 = np.where(no_rows, 0.0, df1 - f_minus_df2)

    gap = np.where(at.unused > 0, at.unused + f_minus_df2, f_minus_df2) / rows  # 1 - df2/n
    gap = np.where(no_rows, 1.0, np.where(at.singular, 0.0, gap))
    inverse = np.divide(1.0, gap, out=np.full_like(gap, np.inf), where=gap > 0)
    centred = np.multiply(squared, _wide(inverse), out=np.zeros_like(squared), where=(squared != 0))
    used = np.where(no_rows, 0.0, np.square(at.unused / rows) * (rows / n))
    train = np.multiply(centred, _wide(used), out=np.zeros_like(squared), where=_wide(used) > 0)
    test = centred * _wide(1.0 + 1.0 / n if fit_intercept else np.ones_like(n))
    kappa = np.where(no_rows, np.inf, at.kappa)
    known = at.known | no_rows

    def shaped(values: FloatArray) -> FloatArray:
        mask = known.reshape(known.shape + (1,) * (values.ndim - 1))
        return np.where(mask, values, np.nan).reshape(shape + values.shape[1:])

    return TransferRisk(*map(shaped, (kappa, test, train, squared, df1, df2)))


class _Location(NamedTuple):
    """Where cells lie on a curve."""

    log_kappa: FloatArray  # on the grid, held at its ends
    kappa: FloatArray
    unused: FloatArray  # n - df1(κ) = alpha/κ
    known: NDArray[np.bool_]
    singular: NDArray[np.bool_]  # the peak at n = rank and alpha = 0


def _locate(curve: SpectralCurve, n: FloatArray, alpha: FloatArray) -> _Location:
    """Solve alpha = κ (n - df1(κ)) on the curve: bracket on the grid, then bisect between."""
    grid = np.log(curve.kappa)
    remaining = CubicSpline(grid, np.log(curve.remaining))
    low = _bracket(curve, n, alpha)
    below, above = low < 0, low >= grid.size - 1
    inside = ~(below | above)
    left, right = grid[np.maximum(low, 0)], grid[np.minimum(low + 1, grid.size - 1)]
    for _ in range(_BISECTIONS):
        middle = 0.5 * (left + right)
        short = np.exp(middle) * ((n - curve.n_effective) + np.exp(remaining(middle))) < alpha
        left, right = np.where(short, middle, left), np.where(short, right, middle)
    at = np.where(inside, right, np.where(below, grid[0], grid[-1]))
    unused = (n - curve.n_effective) + np.exp(remaining(at))
    # Beyond its ends df1 no longer moves. Downwards κ goes on to 0 with alpha only if the sample
    # shows every direction there is; otherwise κ_min is the end of what it identifies.
    to_zero = curve.rank < curve.n_effective
    singular = (alpha == 0) & (n == curve.rank) & to_zero
    moving = above | (below & to_zero & (unused > 0))
    kappa = np.divide(alpha, unused, out=np.exp(at), where=moving & (unused > 0))
    unused = np.divide(alpha, kappa, out=np.maximum(unused, 0.0), where=inside)
    unused[singular] = 0.0
    # n ≤ N reaches every alpha; n > N only alpha ≥ κ_min (n - N).
    known = ~below | (n <= curve.n_effective) | to_zero
    return _Location(at, kappa, unused, known, singular)


def _wide(values: FloatArray) -> FloatArray:
    return values[:, None, None]


def _bracket(curve: SpectralCurve, n: FloatArray, alpha: FloatArray) -> FloatArray:
    """Return the last grid index whose κ (n - df1(κ)) is below alpha, -1 if none."""
    low = np.full(n.size, -1)
    high = np.full(n.size, curve.kappa.size)
    for _ in range(int(np.ceil(np.log2(curve.kappa.size + 1))) + 1):
        middle = (low + high) // 2
        safe = np.clip(middle, 0, curve.kappa.size - 1)
        reached = curve.kappa[safe] * ((n - curve.n_effective) + curve.remaining[safe]) < alpha
        open_ = high - low > 1
        low = np.where(open_ & reached, middle, low)
        high = np.where(open_ & ~reached, middle, high)
    return low
