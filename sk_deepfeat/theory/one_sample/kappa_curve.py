"""What one training set shows of the population along κ: the curves that `curve_risk` evaluates.

A ridge α₀ on the N training rows (less one with an intercept) shows the population at one κ. Row i
is taken as √s_i z_i, with s_i its relative leverage and e_i² its squared leave-one-out residual.
With f the degrees of freedom, q from N·mean[s q/(1+s q)] = f and τ = f/q:

    κ = α₀/τ,   df1(κ) = f,   df2(κ) = f + ∂f/∂log κ.

Where rows come in groups, the pairs (group, k) of `leave_group_out` take the place of rows. Their
shares v of the constant direction then say what an intercept costs: with n + 1 rows, a pair counts
by 1 + (1 - v)/n, and the intercept's own error is β, by groups.

Equal leverages, s = 1, with generalised cross-validation in place of e², give κ = α₀/(N - f).

Left-out residuals share the noise of the rows. With e = D⁻¹(I - H)y, equal D and white y, the mean
of N squares varies by 2 Σk⁴/(Σk²)² of its square, k = α₀/(λ+α₀) and one for what no direction
reaches: independent residuals by 2/N, and near interpolation, where few k count, many times that.
The jackknife, which leaves rows out of means alone, sees the former.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory.interpolation import interp_log
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization, check_factorization
from sk_deepfeat.theory.one_sample.leave_group_out import left_out_means
from sk_deepfeat.theory.one_sample.leverage_classes import (
    ConstantShare,
    LeverageMoments,
    leverage_moments,
)
from sk_deepfeat.theory.one_sample.leverage_scale import counted, ratio, solve_leverage_scale
from sk_deepfeat.theory.one_sample.ridge_grid import (
    NO_GROUP_MOVES,
    NO_LEVERAGE_MOVES,
    NOTHING_MOVES,
    ridge_grid,
)
from sk_deepfeat.theory.validation import FloatArray, whole_number

_BLOCK_ENTRIES = 200_000


class KappaCurve(NamedTuple):
    """What one training set shows of the population, along G values of κ and K classes of rows."""

    kappa: FloatArray
    """Effective regularisation, ascending, shape (G,)."""
    df1: FloatArray
    """Degrees of freedom f, shape (G,)."""
    residual_df: FloatArray
    """N - f, shape (G,)."""
    df2: FloatArray
    """Shape (G,)."""
    row_share: FloatArray
    """Share of the rows in each class, shape (G, K)."""
    leverage: FloatArray
    """Mean over all rows of s within the class; sums to one, shape (G, K)."""
    error: FloatArray
    """Mean over all rows of e² in the class, shape (G, K, t); of many outputs in L classes of their
    own, which are fewer."""
    leverage_weighted_error: FloatArray
    """Mean over all rows of s e² in the class, in the shape of `error`."""
    n_effective: int
    """N."""
    rank: int
    """Directions that the sample resolves."""
    left_out: bool
    """Whether e are leave-one-out residuals, or stand for generalised cross-validation."""
    scale_noise: FloatArray
    """Relative standard error of q, from the draws' leverages; of κ, where few draws make up q."""
    training_error: FloatArray
    """Mean over N of squared training residuals, shape (G, t)."""
    shared_noise: FloatArray
    """Variance of log mean e² from the covariances between rows' left-out residuals, shape (G,)."""
    constant: ConstantShare | None = None
    """With an intercept, where rows come in groups: the same sums by shares of the constant."""
    sample_factor: FloatArray | None = None
    """Where rows are a sample: what its mean errors were multiplied by for those of all, (G, t)."""
    truncated: bool = False
    """Whether the curve ends where ridges become too small to tell, not where the sample does."""

    @property
    def of_sample(self) -> KappaCurve:
        """The curve with errors as the sampled rows have them, to compare with others of theirs."""
        if self.sample_factor is None:
            return self
        factor = self.sample_factor[:, None]
        return self._replace(
            error=self.error / factor,
            leverage_weighted_error=self.leverage_weighted_error / factor,
            sample_factor=None,
        )

    @property
    def n_outputs(self) -> int:
        """Targets, t."""
        return self.error.shape[2]

    def of_output(self, output: int) -> KappaCurve:
        """Return the curve of one output alone: all that does not depend on outputs is the same."""
        one = slice(output, output + 1)
        alone = self._replace(
            error=self.error[..., one],
            leverage_weighted_error=self.leverage_weighted_error[..., one],
            training_error=self.training_error[..., one],
        )
        if self.sample_factor is not None:
            alone = alone._replace(sample_factor=self.sample_factor[..., one])
        if self.constant is None:
            return alone
        constant = self.constant._replace(
            error=self.constant.error[..., one],
            leverage_weighted_error=self.constant.leverage_weighted_error[..., one],
            mean_error=self.constant.mean_error[..., one],
        )
        return alone._replace(constant=constant)

    @property
    def active_share(self) -> float:
        """Share of the rows that have any leverage; rows of zeros have none."""
        return 1.0 - float(self.row_share[0][self.leverage[0] <= 0].sum())

    def active_rows(self, n: float) -> float:
        """Return how many of n rows, less what the intercept costs, have any leverage."""
        rows = n * self.active_share
        if self.constant is not None:
            idle = self.constant.row_share[0][self.leverage[0] <= 0].sum()
            rows += self.active_share - 1.0 + float(idle)
        return rows

    @property
    def shows_all(self) -> bool:
        """Whether the sample shows every direction of the features."""
        if self.truncated:
            return False
        return bool(self.rank < self.active_rows(self.n_effective) * (1.0 - 1e-9))

    def df1_at(self, kappa: ArrayLike) -> FloatArray:
        """Return df1 at any κ, linear in the logarithms; constant beyond the curve's ends."""
        return np.asarray(interp_log(kappa, self.kappa, self.df1))

    def scale_noise_at(self, kappa: ArrayLike) -> FloatArray:
        """Return the relative standard error of q at any κ, as `df1_at`."""
        return np.asarray(interp_log(kappa, self.kappa, self.scale_noise, log_values=False))

    def shared_noise_at(self, kappa: ArrayLike) -> FloatArray:
        """Return the variance that the covariance of residuals adds at any κ, as `df1_at`."""
        return np.asarray(interp_log(kappa, self.kappa, self.shared_noise, log_values=False))


def check_curve(curve: Any) -> None:
    """Raise TypeError unless it is a curve."""
    if not isinstance(curve, KappaCurve):
        raise TypeError(
            f"curve must be a KappaCurve, from gcv_curve or leave_one_out_curve; got {curve!r}."
        )


class _Spectrum(NamedTuple):
    df1: FloatArray
    residual_df: FloatArray
    decay: FloatArray  # -∂f/∂log α₀
    distance: FloatArray  # (N - r) + Σ α₀²/(λ+α₀)²
    residual: FloatArray  # mean over N of squared training residuals, (G, t)
    shared_noise: FloatArray


def _spectrum(factorization: RidgeFactorization, grid: FloatArray) -> _Spectrum:
    lam, n = factorization.eigenvalues, factorization.n_effective
    squares = np.square(factorization.target_components)
    # With as many directions as rows, what is left is rounding, which small ridges would magnify.
    outside = factorization.outside_squares * (lam.size < n)
    draws = n if factorization.n_groups is None else factorization.n_groups - 1
    sums = np.empty((5, grid.size))
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
        sums[4, block] = _shared_noise(kept, draws)
        residual[block] = np.square(kept) @ squares + outside
    return _Spectrum(sums[0], sums[1], sums[2], sums[3], residual / n, sums[4])


def _shared_noise(kept: FloatArray, draws: int) -> FloatArray:
    """Return 2 (Σk⁴/(Σk²)² - 1/draws), shape (G,), from k of the directions, shape (G, r).

    Rows of groups that differ within them reach more directions than there are groups: what they
    share the jackknife over groups sees already.
    """
    beyond = draws - kept.shape[1]
    if beyond < 0:
        return np.zeros(len(kept))
    # Where all but the largest are next to nothing, their fourth powers would be zero.
    relative = kept if beyond else kept / kept.max(axis=1, keepdims=True)
    square, fourth = (beyond + (relative**power).sum(axis=1) for power in (2, 4))
    return np.maximum(2.0 * (fourth / np.square(square) - 1.0 / draws), 0.0)


def gcv_curve(factorization: RidgeFactorization, *, n_grid: int = 600) -> KappaCurve:
    """Return the curve for rows of equal leverage, by generalised cross-validation.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set.
    n_grid : int, default=600
        Points on the logarithmic grid of α₀.

    Returns
    -------
    KappaCurve
        With one class of rows.
    """
    # Without noise, errors fall as the square of a ridge down to zero.
    grid = ridge_grid(factorization, n_grid, NOTHING_MOVES, 0.0)
    found = _spectrum(factorization, grid)
    gcv = found.residual / np.square(found.residual_df / factorization.n_effective)[:, None]
    df_gap = found.decay * found.residual_df / found.distance  # f - df2
    ones = np.ones((grid.size, 1))
    curve = KappaCurve(
        grid / found.residual_df,
        found.df1,
        found.residual_df,
        found.df1 - df_gap,
        ones,
        ones,
        gcv[:, None, :],
        gcv[:, None, :],
        factorization.n_effective,
        factorization.eigenvalues.size,
        False,
        np.zeros(grid.size),
        found.residual,
        found.shared_noise,
    )
    return ascending(curve)


def leave_one_out_curve(factorization: RidgeFactorization, *, n_grid: int = 120) -> KappaCurve:
    """Return the curve for rows of unequal leverage, by exact leave-one-out residuals.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set.
    n_grid : int, default=120
        Points on the logarithmic grid of α₀.

    Returns
    -------
    KappaCurve
    """
    return leave_one_out_curves(factorization, n_grid=n_grid, n_blocks=0)[0]


def leave_one_out_curves(
    factorization: RidgeFactorization, *, n_grid: int = 120, n_blocks: int = tuning.JACKKNIFE_BLOCKS
) -> tuple[KappaCurve, list[KappaCurve]]:
    """Return the curve and its delete-block jackknife replicates, from one pass over the rows.

    A replicate leaves one block of rows out of every mean over rows; the factorisation, with the
    leverages and residuals it gives, stays that of all rows. Where rows come in groups, whole
    groups are left out, and a block holds whole groups.

    Parameters
    ----------
    factorization, n_grid
        As in `leave_one_out_curve`.
    n_blocks : int, default=20
        Number of blocks: 0, or 2 to that of rows or groups. Rows are dealt to them in turn, groups
        to that with the fewest rows so far.

    Returns
    -------
    curve : KappaCurve
    replicates : list of KappaCurve
        One for each block.
    """
    check_factorization(factorization)
    n_blocks = whole_number(n_blocks, "n_blocks")
    if n_blocks == 1:
        raise ValueError("n_blocks=1 must be 0 or at least 2: nothing is left without all rows.")
    if factorization.eigenvalues.size == 0:
        return _curves_of_mean(factorization, n_grid, n_blocks)
    alone = factorization.groups is None
    grid = ridge_grid(factorization, n_grid, NO_LEVERAGE_MOVES if alone else NO_GROUP_MOVES)
    spectrum = _spectrum(factorization, grid)
    moments, replicates = leverage_moments(factorization, grid, n_blocks=n_blocks)
    curve = _from_moments(factorization, spectrum, moments)
    if not replicates:
        return curve, []
    some = np.isin(grid, replicates[0].ridge)
    coarse = _Spectrum(*(values[some] for values in spectrum))
    return curve, [_from_moments(factorization, coarse, part) for part in replicates]


def _curves_of_mean(
    factorization: RidgeFactorization, n_grid: int, n_blocks: int
) -> tuple[KappaCurve, list[KappaCurve]]:
    """Return curves where features resolve nothing: the error is the second moment of y."""
    curve = gcv_curve(factorization, n_grid=n_grid)
    groups = factorization.groups
    squares, block = np.square(factorization.targets), np.arange(factorization.n_sampled)
    block %= max(n_blocks, 1)
    mean_error = None
    if groups is not None:
        block = groups.blocks(max(n_blocks, 1))[groups.number]
        if factorization.fit_intercept:
            squares, mean_error = left_out_means(factorization, groups)

    def over(rows: NDArray[np.bool_]) -> KappaCurve:
        error = np.broadcast_to(squares[rows].mean(axis=0), (curve.kappa.size, squares.shape[1]))
        if mean_error is None:  # as of generalised cross-validation, which knows the mean's noise
            factor = ratio(squares[rows].mean(axis=0), squares.mean(axis=0))
            both = curve.error * factor
            return curve._replace(error=both, leverage_weighted_error=both)
        constant = ConstantShare(
            curve.row_share,
            curve.leverage,
            error[:, None],
            error[:, None],
            np.broadcast_to(mean_error[rows].mean(axis=0), error.shape),
        )
        return curve._replace(
            error=error[:, None], leverage_weighted_error=error[:, None], constant=constant
        )

    everything = np.ones(block.size, dtype=bool)
    return over(everything), [over(block != b) for b in range(n_blocks)]


def _from_moments(
    factorization: RidgeFactorization, spectrum: _Spectrum, moments: LeverageMoments
) -> KappaCurve:
    n = factorization.n_effective
    curve = KappaCurve(
        moments.ridge,
        spectrum.df1,
        spectrum.residual_df,
        spectrum.df1,
        moments.row_share,
        moments.leverage,
        moments.error,
        moments.leverage_weighted_error,
        n,
        factorization.eigenvalues.size,
        True,
        moments.scale_noise,
        spectrum.residual,
        spectrum.shared_noise,
        moments.constant,
        moments.sample_factor,
    )
    share, leverage = counted(curve, "row_share", n), counted(curve, "leverage", n)
    idle_rows = n - curve.active_rows(n)
    unused = spectrum.residual_df - idle_rows
    q = solve_leverage_scale(share, leverage, n, spectrum.df1, unused)
    elasticity = moments.elasticity + spectrum.decay / spectrum.df1  # d log κ/d log α₀
    return ascending(
        curve._replace(
            kappa=moments.ridge * q / spectrum.df1,
            df2=spectrum.df1 - spectrum.decay / elasticity,
        )
    )


def ascending(curve: KappaCurve) -> KappaCurve:
    """Leave out points where κ does not rise by more than rounding, as below a leverage of one."""
    kappa = np.where(np.isfinite(curve.kappa), curve.kappa, 0.0)
    highest = np.maximum.accumulate(kappa)
    keep = np.r_[kappa[0] > 0, kappa[1:] > highest[:-1] * (1.0 + 1e-9)]
    if np.all(keep) and np.all(np.isfinite(curve.kappa)):
        return curve
    if not np.any(keep):  # no row at hand has any leverage: nothing is known of the error
        numbers = np.arange(1.0, keep.size + 1.0)
        return curve._replace(kappa=numbers, error=np.full_like(curve.error, np.nan))
    along = (*curve._fields[:8], "scale_noise", "training_error", "shared_noise")
    arrays: dict[str, Any] = {name: getattr(curve, name)[keep] for name in along}
    if curve.sample_factor is not None:
        arrays["sample_factor"] = curve.sample_factor[keep]
    if curve.constant is not None:
        arrays["constant"] = ConstantShare(*(values[keep] for values in curve.constant))
    return curve._replace(**arrays)
