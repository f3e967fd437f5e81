r"""A κ-curve from traces, errors of left-out folds, and the shape that a sample gives.

At a ridge a of all N rows, with f from the traces and classes of relative leverage s at κ, q solves
N·mean[s q/(1+s q)] = f and κ = a q/f, which determine each other. By log κ = log a + log q - log f

    ∂log κ/∂log a = (1 - (g - 1) d/f)/(1 - h),   df2 = f - d/(∂log κ/∂log a),

with the decay d = -∂f/∂log a, g = f/(N q·mean[s/(1+s q)²]), and h = ∂log q/∂log κ at equal f, from
the classes alone. Squared errors are a + s V in the classes, V as the theory has it for N rows
(`nodes`), times a factor: the one with which the theory gives, for the n₁ rows of a fit without a
fold, the error that was measured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve, ascending
from sk_deepfeat.theory.one_sample.leverage_scale import ratio, solve_leverage_scale
from sk_deepfeat.theory.one_sample.matrix_free import tuning
from sk_deepfeat.theory.one_sample.matrix_free.sample_shape import SampleShape, Shape
from sk_deepfeat.theory.one_sample.matrix_free.spectral_sums import SpectralSums
from sk_deepfeat.theory.validation import FloatArray

_ROUNDS, _STEP = 8, 0.25

# Measured errors at some ridges, shape (R, t).
Measured = Callable[[FloatArray], FloatArray]


class FoldFits(NamedTuple):
    """Fits without a fold, and what they showed."""

    n_rows: float
    """n₁."""
    error: Measured
    """Mean squared errors of left-out rows."""
    lowest: float
    """Smallest ridge at which they are known."""
    sample_factor: Measured | None = None
    """Mean squared errors of all rows over those of the sample."""


class CurveOnScale(NamedTuple):
    """Where ridges of N rows lie along κ."""

    kappa: FloatArray
    """NaN where noise leaves none."""
    q: FloatArray
    df2: FloatArray


def place_on_scale(
    ridges: FloatArray, sums: SpectralSums, shape: SampleShape, n_effective: int
) -> CurveOnScale:
    """Return κ, q and df2 at some ridges.

    Parameters
    ----------
    ridges : ndarray of shape (G,)
        Ascending.
    sums : SpectralSums
        At these ridges.
    shape : SampleShape
        Of a sample of the rows.
    n_effective : int
        N.
    """

    def q_at(kappa: FloatArray) -> FloatArray:
        return _leverage_scale(shape.at(kappa), sums, n_effective, n_effective)

    kappa = ridges / sums.residual_df
    for _ in range(_ROUNDS):
        q = q_at(kappa)
        kappa = ridges * q / sums.df1
    at = shape.at(kappa)
    damped = at.leverage / np.square(1.0 + at.relative * q[:, None])
    growth = sums.df1 / (n_effective * q * damped.sum(axis=1))
    moved = np.log(q_at(kappa * np.exp(_STEP)) / q_at(kappa * np.exp(-_STEP)))
    elasticity = 1.0 - (growth - 1.0) * sums.decay / sums.df1
    elasticity /= 1.0 - moved / (2.0 * _STEP)
    with np.errstate(divide="ignore", invalid="ignore"):
        df2 = sums.df1 - sums.decay / elasticity
    known = (elasticity > 0) & (df2 > 0)
    return CurveOnScale(np.where(known, kappa, np.nan), q, np.where(known, df2, 0.0))


def assembled_curve(
    ridges: FloatArray,
    sums: SpectralSums,
    shape: SampleShape,
    fits: FoldFits,
    training_error: FloatArray,
    *,
    n_effective: int,
    rank: int,
    fit_intercept: bool,
) -> KappaCurve:
    """Return the curve.

    Parameters
    ----------
    ridges : ndarray of shape (G,)
        Ascending, for weights of mean one.
    sums, shape
        As in `place_on_scale`.
    fits : FoldFits
        Fits without a fold.
    training_error : ndarray of shape (G, t)
        Sums of squared training residuals of all rows.
    n_effective : int
        N, less one with an intercept.
    rank : int
        Directions that the rows have at most.
    fit_intercept : bool
        As for the fits.

    Returns
    -------
    KappaCurve
        Of the κ at which errors are known; perhaps of none.
    """
    scale = place_on_scale(ridges, sums, shape, n_effective)
    kappa = np.where(np.isfinite(scale.kappa), scale.kappa, 1.0)
    at = shape.at(kappa)
    variance = _variance(at, sums, scale.df2, scale.q, n_effective)
    error = at.moment + at.leverage[..., None] * variance[:, None]
    rows = fits.n_rows - float(fit_intercept)
    q = _leverage_scale(at, sums, n_effective, rows)
    theory = at.moment.sum(axis=1) + _variance(at, sums, scale.df2, q, rows)
    if fit_intercept:
        theory *= 1.0 + 1.0 / fits.n_rows
    alpha = kappa * sums.df1 / q  # NaN for f beyond n₁
    with np.errstate(invalid="ignore"):
        measured = np.isfinite(scale.kappa) & (alpha >= fits.lowest)
        measured &= np.isfinite(theory).all(axis=1)
    factor = np.full_like(theory, np.nan)
    factor[measured] = ratio(fits.error(alpha[measured]), theory[measured])
    of_sample = None
    if fits.sample_factor is not None and np.any(measured):
        of_sample = np.ones_like(theory)
        of_sample[measured] = fits.sample_factor(alpha[measured])
        of_sample[: np.argmax(measured)] = of_sample[np.argmax(measured)]
    _carry_on(factor, measured, kappa, sums.df1, min(rows, rank))
    known = np.isfinite(scale.kappa) & np.isfinite(factor * variance).all(axis=1)
    error = error[known] * factor[known][:, None]
    return ascending(
        KappaCurve(
            scale.kappa[known],
            sums.df1[known],
            sums.residual_df[known],
            scale.df2[known],
            at.row_share[known],
            at.leverage[known],
            error,
            error * at.relative[known][..., None],
            n_effective,
            rank,
            True,
            shape.scale_noise(kappa[known]),
            training_error[known] / n_effective,
            sums.shared_noise[known],
            sample_factor=None if of_sample is None else of_sample[known],
            truncated=True,
        )
    )


def _leverage_scale(at: Shape, sums: SpectralSums, n_effective: int, rows: float) -> FloatArray:
    """Return q for some number of rows, NaN where they are fewer than f."""
    idle = np.where(at.leverage > 0, 0.0, at.row_share).sum(axis=1)
    unused = (rows - n_effective) + sums.residual_df - rows * idle
    some = unused > 0
    found = np.full(unused.size, np.nan)
    found[some] = solve_leverage_scale(
        at.row_share[some], at.leverage[some], rows, sums.df1[some], unused[some]
    )
    return found


def _variance(
    at: Shape, sums: SpectralSums, df2: FloatArray, q: FloatArray, rows: float
) -> FloatArray:
    """Return V of some number of rows for squared bias and noise as in the shape, (G, t)."""
    s = at.relative
    damping = s / np.square(1.0 + s * q[:, None])
    strength = rows * df2 * np.square(q / sums.df1)
    gap = 1.0 - strength * (at.leverage * damping).sum(axis=1)
    with np.errstate(invalid="ignore"):
        gap = np.where(gap > 0, gap, np.nan)
    driven = np.einsum("gkt,gk->gt", at.moment, damping)
    return np.asarray(driven * (strength / gap)[:, None])


def _carry_on(
    factor: FloatArray, measured: NDArray[np.bool_], kappa: FloatArray, df1: FloatArray, most: float
) -> None:
    """Continue the factor, in place, to κ that all rows reach and fits without a fold do not.

    By a straight line of logarithms, and only where such fits have been seen to their end.
    """
    seen = np.flatnonzero(measured)
    if not seen.size or df1[seen[0]] < tuning.NEARLY_ALL * most:
        return
    below = np.arange(seen[0])
    some = seen[df1[seen] >= tuning.CARRIED_FROM * df1[seen[0]]]
    slope = np.zeros(factor.shape[1])
    if some.size > 1:
        logs = np.log(np.maximum(factor[some], np.finfo(float).tiny))
        slope = np.polyfit(np.log(kappa[some]), logs, 1)[0]
    steps = np.log(kappa[below] / kappa[seen[0]])
    factor[below] = factor[seen[0]] * np.exp(slope * steps[:, None])
