"""What one training set shows of the population along κ: the curves that `transfer_risk` evaluates.

A ridge α₀ on the N training rows (less one with an intercept) shows the population at one κ. Row i
is taken as √s_i z_i, with s_i its relative leverage and e_i² its squared leave-one-out residual.
With f the degrees of freedom, q from N·mean[s q/(1+s q)] = f and τ = f/q:

    κ = α₀/τ,   df1(κ) = f,   df2(κ) = f + ∂f/∂log κ.

Equal leverages, s = 1, with generalised cross-validation in place of e², give κ = α₀/(N - f).

f is never subtracted from N: N - f = (N - r) + Σ α₀/(λ+α₀) with r eigenvalues λ, and q solves
N·mean[1/(1+s q)] = N - f, convex and decreasing, by Newton's method from f/(N-f) upwards.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.theory.one_sample.factorization import RidgePath, check_path
from sk_deepfeat.theory.one_sample.leave_one_out import LeverageMoments, leverage_moments
from sk_deepfeat.theory.validation import FloatArray, real_array

_BLOCK_ENTRIES = 200_000
_MOST_STEPS = 200


class TransferCurve(NamedTuple):
    """What one training set shows of the population, along G values of κ and K classes of rows."""

    kappa: FloatArray
    """Effective regularisation, ascending, shape (G,)."""
    df1: FloatArray
    """Degrees of freedom f, shape (G,)."""
    remaining: FloatArray
    """N - f, shape (G,)."""
    df2: FloatArray
    """Shape (G,)."""
    share: FloatArray
    """Share of the rows in each class, shape (G, K)."""
    leverage: FloatArray
    """Mean over all rows of s within the class; sums to one, shape (G, K)."""
    error: FloatArray
    """Mean over all rows of e² in the class, shape (G, K, t)."""
    tilt: FloatArray
    """Mean over all rows of s e² in the class, shape (G, K, t)."""
    n_effective: int
    """N."""
    rank: int
    """Directions that the sample resolves."""
    left_out: bool
    """Whether e are leave-one-out residuals, or stand for generalised cross-validation."""


def _grid(path: RidgePath, n_grid: int, anchors: ArrayLike) -> FloatArray:
    check_path(path)
    if not isinstance(n_grid, (int, np.integer)) or isinstance(n_grid, bool) or n_grid < 50:
        raise ValueError(f"n_grid={n_grid!r} must be an integer of at least 50.")
    lam = path.eigenvalues
    # Without any direction nothing is learned at any ridge: one scale is as good as another.
    low, high = (1e-6 * lam[0], 1e6 * lam.sum()) if lam.size else (1e-8, 1e8)
    exact = np.unique(real_array(anchors, "anchors"))
    exact = exact[(exact > 0) & (exact < high)]
    inner = (0.1 * lam[0], 10.0 * lam[-1]) if lam.size else (low, high)
    grid = _denser_within(low, high, inner, n_grid)
    if exact.size and exact[0] < low:  # a row of leverage near one still moves below the spectrum
        extra = int(np.clip(np.log(low / exact[0]) / np.log(grid[1] / grid[0]), 1, 100))
        grid = np.concatenate([np.geomspace(0.5 * exact[0], low, extra, endpoint=False), grid])
    if exact.size:  # no point of the grid too near an anchor for a spline through both
        apart = np.abs(np.log(grid[:, None] / exact)).min(axis=1)
        grid = grid[apart > 1e-3]
    return np.sort(np.concatenate([grid, exact]))


def _denser_within(low: float, high: float, inner: tuple[float, float], n_grid: int) -> FloatArray:
    """Return a logarithmic grid three times as dense about the spectrum as beyond it."""
    corners = np.log([low, *np.clip(inner, low, high), high])
    lengths = np.cumsum(np.r_[0.0, np.diff(corners) * np.array([1.0, 3.0, 1.0])])
    return np.exp(np.interp(np.linspace(0.0, lengths[-1], n_grid), lengths, corners))


class _Spectrum(NamedTuple):
    df1: FloatArray
    remaining: FloatArray
    decay: FloatArray  # -∂f/∂log α₀
    distance: FloatArray  # (N - r) + Σ α₀²/(λ+α₀)²
    residual: FloatArray  # mean over N of squared training residuals, (G, t)


def _spectrum(path: RidgePath, grid: FloatArray) -> _Spectrum:
    lam, n = path.eigenvalues, path.n_effective
    squares = np.square(path.target_components)
    outside = np.square(path.outside).sum(axis=0)
    sums = np.empty((4, grid.size))
    residual = np.empty((grid.size, squares.shape[1]))
    rows = max(1, _BLOCK_ENTRIES // max(lam.size, 1))
    for start in range(0, grid.size, rows):
        block = slice(start, start + rows)
        total = lam + grid[block, None]
        kept, shrunk = grid[block, None] / total, lam / total
        sums[0, block] = shrunk.sum(axis=1)
        sums[1, block] = (n - lam.size) + kept.sum(axis=1)
        sums[2, block] = (kept * shrunk).sum(axis=1)
        sums[3, block] = (n - lam.size) + np.square(kept).sum(axis=1)
        residual[block] = np.square(kept) @ squares + outside
    return _Spectrum(sums[0], sums[1], sums[2], sums[3], residual / n)


def gcv_curve(path: RidgePath, *, n_grid: int = 600, anchors: ArrayLike = ()) -> TransferCurve:
    """Return the curve for rows of equal leverage, by generalised cross-validation.

    Parameters
    ----------
    path : RidgePath
        The factorised training set.
    n_grid : int, default=600
        Points on the logarithmic grid of α₀.
    anchors : array-like, default=()
        Ridges at which the answers for the training size should be exact.

    Returns
    -------
    TransferCurve
        With one class of rows.
    """
    grid = _grid(path, n_grid, anchors)
    found = _spectrum(path, grid)
    gcv = found.residual / np.square(found.remaining / path.n_effective)[:, None]
    spread = found.decay * found.remaining / found.distance  # f - df2
    ones = np.ones((grid.size, 1))
    return TransferCurve(
        grid / found.remaining,
        found.df1,
        found.remaining,
        found.df1 - spread,
        ones,
        ones,
        gcv[:, None, :],
        gcv[:, None, :],
        path.n_effective,
        path.eigenvalues.size,
        False,
    )


def leave_one_out_curve(
    path: RidgePath, *, n_grid: int = 120, anchors: ArrayLike = ()
) -> TransferCurve:
    """Return the curve for rows of unequal leverage, by exact leave-one-out residuals.

    Parameters
    ----------
    path : RidgePath
        The factorised training set.
    n_grid : int, default=120
        Points on the logarithmic grid of α₀.
    anchors : array-like, default=()
        Ridges at which the answers for the training size should be exact.

    Returns
    -------
    TransferCurve
    """
    return leave_one_out_curves(path, n_grid=n_grid, anchors=anchors, n_groups=0)[0]


def leave_one_out_curves(
    path: RidgePath, *, n_grid: int = 120, anchors: ArrayLike = (), n_groups: int = 20
) -> tuple[TransferCurve, list[TransferCurve]]:
    """Return the curve and its delete-group jackknife replicates, from one pass over the rows.

    A replicate leaves one group of rows out of every mean over rows; the factorisation, with the
    leverages and residuals it gives, stays that of all rows.

    Parameters
    ----------
    path, n_grid, anchors
        As in `leave_one_out_curve`.
    n_groups : int, default=20
        Number of groups; rows are dealt to them in turn.

    Returns
    -------
    curve : TransferCurve
    replicates : list of TransferCurve
        One for each group.
    """
    check_path(path)
    if path.eigenvalues.size == 0:
        curve = gcv_curve(path, n_grid=n_grid, anchors=anchors)
        return curve, _replicates_of_mean(path, curve, n_groups)
    grid = _grid(path, n_grid, anchors)
    spectrum = _spectrum(path, grid)
    moments, parts = leverage_moments(path, grid, n_groups=n_groups)
    curve = _from_moments(path, spectrum, moments)
    if not parts:
        return curve, []
    some = np.isin(grid, parts[0].ridge)
    coarse = _Spectrum(*(values[some] for values in spectrum))
    return curve, [_from_moments(path, coarse, part) for part in parts]


def _replicates_of_mean(
    path: RidgePath, curve: TransferCurve, n_groups: int
) -> list[TransferCurve]:
    """Return the replicates where features resolve nothing: the error is the second moment of y."""
    squares = np.square(path.targets)
    whole, group = squares.mean(axis=0), np.arange(path.n_rows) % max(n_groups, 1)
    replicates = []
    for g in range(n_groups):
        factor = ratio(squares[group != g].mean(axis=0), whole)
        error = curve.error * factor
        replicates.append(curve._replace(error=error, tilt=error))
    return replicates


def _from_moments(path: RidgePath, spectrum: _Spectrum, moments: LeverageMoments) -> TransferCurve:
    n = path.n_effective
    q = solve_leverage_scale(moments.share, moments.leverage, n, spectrum.df1, spectrum.remaining)
    elasticity = moments.elasticity + spectrum.decay / spectrum.df1  # d log κ/d log α₀
    factor = 1.0 + 1.0 / path.n_rows if path.fit_intercept else 1.0
    curve = TransferCurve(
        moments.ridge * q / spectrum.df1,
        spectrum.df1,
        spectrum.remaining,
        spectrum.df1 - spectrum.decay / elasticity,
        moments.share,
        moments.leverage,
        moments.error / factor,
        moments.tilt / factor,
        n,
        path.eigenvalues.size,
        True,
    )
    return _ascending(curve)


def _ascending(curve: TransferCurve) -> TransferCurve:
    """Leave out points where κ does not rise by more than rounding, as below a leverage of one."""
    kappa = np.where(np.isfinite(curve.kappa), curve.kappa, 0.0)
    highest = np.maximum.accumulate(kappa)
    keep = np.r_[kappa[0] > 0, kappa[1:] > highest[:-1] * (1.0 + 1e-9)]
    arrays: dict[str, Any] = {name: getattr(curve, name)[keep] for name in curve._fields[:8]}
    return curve._replace(**arrays)


def solve_leverage_scale(
    share: FloatArray, leverage: FloatArray, n: float, df1: FloatArray, left: FloatArray
) -> FloatArray:
    """Solve n·mean[s q/(1+s q)] = f for q at each grid point.

    `left` is n - f less the rows without any leverage, who take no part.
    """
    share = np.where(leverage > 0, share, 0.0)
    s = ratio(leverage, share)
    q = np.maximum(df1, np.finfo(float).tiny) * share.sum(axis=1) / left
    for _ in range(_MOST_STEPS):
        inverse = 1.0 / (1.0 + s * q[:, None])
        value = np.where(  # the same number, from the smaller of the two sums
            df1 < left,
            df1 - n * q * (leverage * inverse).sum(axis=1),
            n * (share * inverse).sum(axis=1) - left,
        )
        slope = n * (leverage * np.square(inverse)).sum(axis=1)
        step = value / (slope * q)
        q = q * (1.0 + step)
        if np.all(np.abs(step) <= 1e-9):  # the error after a step is its square
            return q
    # Rows of weight or leverage beyond the range of floats: what is not solved is not known.
    return np.where(np.abs(step) <= 1e-6, q, np.nan)


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide; 0 where the denominator is not positive."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
