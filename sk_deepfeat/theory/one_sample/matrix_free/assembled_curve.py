r"""A κ-curve from traces, errors of left-out folds, and the shape that a sample gives.

At a ridge a of all N rows, with f from the traces and classes of relative leverage s at κ, q solves
N·mean[s q/(1+s q)] = f and κ = a q/f, which determine each other. By log κ = log a + log q - log f

    ∂log κ/∂log a = (1 - (g - 1) ∂f)/(1 - h),   g = f/(N q·mean[s/(1+s q)²]),   df2 = f - decay/that,

∂f = -decay/f in logarithms and h = ∂log q/∂log κ at equal f, from the classes alone. Squared errors
are a + s V in the classes, with V as the theory has it for N rows, times a factor: the one with
which the curve, seen from the n₁ rows of a fit without a fold, gives the error that was measured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve, ascending
from sk_deepfeat.theory.one_sample.leverage_scale import solve_leverage_scale
from sk_deepfeat.theory.one_sample.matrix_free.sample_shape import SampleShape, Shape
from sk_deepfeat.theory.one_sample.matrix_free.spectral_sums import SpectralSums
from sk_deepfeat.theory.one_sample.nodes import nodes_at
from sk_deepfeat.theory.validation import FloatArray

_ROUNDS, _STEP = 8, 0.25

# Measured errors at some ridges, shape (R, t).
Measured = Callable[[FloatArray], FloatArray]


class Scale(NamedTuple):
    """Where ridges lie along κ."""

    kappa: FloatArray
    q: FloatArray
    df2: FloatArray


def scale_of(
    ridges: FloatArray, sums: SpectralSums, shape: SampleShape, n_effective: int
) -> Scale:
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

    def solved(kappa: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        share, leverage = shape.leverages(kappa)
        idle = n_effective * np.where(leverage > 0, 0.0, share).sum(axis=1)
        unused = sums.residual_df - idle
        return solve_leverage_scale(share, leverage, n_effective, sums.df1, unused), share, leverage

    kappa = ridges / sums.residual_df
    for _ in range(_ROUNDS):
        q, share, leverage = solved(kappa)
        kappa = ridges * q / sums.df1
    relative = np.divide(leverage, share, out=np.zeros_like(share), where=share > 0)
    slope = n_effective * q * (leverage / np.square(1.0 + relative * q[:, None])).sum(axis=1)
    of_q = sums.df1 / slope
    with_kappa = np.log(solved(kappa * np.exp(_STEP))[0] / solved(kappa * np.exp(-_STEP))[0])
    elasticity = 1.0 - (of_q - 1.0) * sums.decay / sums.df1
    elasticity /= 1.0 - with_kappa / (2.0 * _STEP)
    with np.errstate(divide="ignore", invalid="ignore"):
        df2 = sums.df1 - sums.decay / elasticity
    known = (elasticity > 0) & (df2 > 0)
    return Scale(np.where(known, kappa, np.nan), q, np.where(known, df2, 0.0))


def assembled_curve(
    ridges: FloatArray,
    sums: SpectralSums,
    shape: SampleShape,
    measured: Measured,
    training_error: FloatArray,
    *,
    n_effective: int,
    n_measured: float,
    rank: int,
    fit_intercept: bool,
    lowest: float,
) -> KappaCurve:
    """Return the curve.

    Parameters
    ----------
    ridges : ndarray of shape (G,)
        Ascending, for weights of mean one.
    sums, shape
        As in `scale_of`.
    measured : callable
        Mean squared errors of left-out rows, of fits with `n_measured` rows, at some ridges.
    training_error : ndarray of shape (G, t)
        Sums of squared training residuals of all rows.
    n_effective : int
        N, less one with an intercept.
    n_measured : float
        n₁.
    rank : int
        Directions that the rows have at most.
    fit_intercept : bool
        As for the fits.
    lowest : float
        Smallest ridge at which errors are known.
    """
    scale = scale_of(ridges, sums, shape, n_effective)
    found = np.isfinite(scale.kappa)
    at = shape.at(np.where(found, scale.kappa, 1.0))
    error, weighted = _errors(at, scale, sums.df1, n_effective)
    curve = ascending(
        KappaCurve(
            scale.kappa,
            sums.df1,
            sums.residual_df,
            scale.df2,
            at.row_share,
            at.leverage,
            error,
            weighted,
            n_effective,
            rank,
            True,
            shape.scale_noise(np.where(found, scale.kappa, 1.0)),
            training_error / n_effective,
            sums.shared_noise,
            truncated=True,
        )
    )
    nodes = nodes_at(curve, n_measured - float(fit_intercept))
    known = (nodes.alpha >= lowest) & np.isin(nodes.kappa, curve.kappa)
    alpha, kappa, of_theory = (part[known] for part in (nodes.alpha, nodes.kappa, nodes.test_error))
    factor = measured(alpha) / of_theory
    if fit_intercept:
        factor = factor / (1.0 + 1.0 / n_measured)
    some = np.isin(curve.kappa, kappa)
    along = ("kappa", "df1", "residual_df", "df2", "row_share", "leverage")
    along = (*along, "scale_noise", "training_error", "shared_noise")
    kept = {name: getattr(curve, name)[some] for name in along}
    kept["error"] = curve.error[some] * factor[:, None]
    kept["leverage_weighted_error"] = curve.leverage_weighted_error[some] * factor[:, None]
    return curve._replace(**kept)


def _errors(
    at: Shape, scale: Scale, df1: FloatArray, n_effective: int
) -> tuple[FloatArray, FloatArray]:
    """Return a + s V by classes, and times s, with V as it is for N rows."""
    s, q = at.relative, scale.q[:, None]
    damping = 1.0 / np.square(1.0 + s * q)
    strength = n_effective * scale.df2 * np.square(scale.q / df1)
    itself = strength * (at.leverage * s * damping).sum(axis=1)
    driven = np.einsum("gkt,gk->gt", at.moment, s * damping) * strength[:, None]
    gap = np.where(itself < 1.0, 1.0 - itself, np.nan)
    variance = driven / gap[:, None]
    error = at.moment + at.leverage[..., None] * variance[:, None]
    return error, error * s[..., None]
