"""Ridge errors, norms and degrees of freedom from a population."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory.equivalents.fixed_point import fixed_point_kappa
from sk_deepfeat.theory.units import units_of
from sk_deepfeat.theory.validation import (
    FloatArray,
    check_cells,
    check_eigenvalues,
    check_flag,
    real_array,
)

_BLOCK_ENTRIES = 100_000


class RidgeRisk(NamedTuple):
    """What `ridge_risk` returns.

    Arrays of shape broadcast(n_samples, alpha); the errors and ``coef_norm2`` have two more axes
    (t, t) for t outputs. Errors are in squared units of the target.
    """

    kappa: FloatArray
    """Effective regularisation, in the units of the eigenvalues."""
    df1: FloatArray
    """Σ ω/(ω+κ), the expected degrees of freedom of ridge."""
    df2: FloatArray
    """Σ ω²/(ω+κ)²."""
    test_error: FloatArray
    """Expected squared error on a new sample."""
    train_error: FloatArray
    """Expected mean squared residual on the training set."""
    bias: FloatArray
    """Squared bias."""
    variance: FloatArray
    """Variance that stays without label noise."""
    noise_variance: FloatArray
    """Variance that label noise adds."""
    noise: FloatArray
    """What no linear readout explains; the four parts sum to the test error."""
    coef_norm2: FloatArray
    """Expected squared norm of the coefficients."""


def ridge_risk(
    eigenvalues: ArrayLike,
    target_coefs: ArrayLike,
    target_second_moment: ArrayLike,
    n_samples: ArrayLike,
    alpha: ArrayLike,
    *,
    fit_intercept: bool = False,
) -> RidgeRisk:
    """Compute what ridge regression reaches at n samples and alpha, from its population.

    With κ from alpha/κ = n - df1(κ), γ = df2(κ)/n, B = κ² Σ (u·ψ)²/(ω (ω+κ)²) and
    σ² = ρ - Σ (u·ψ)²/ω, the test error is R = (B + σ²)/(1 - γ) and the training error
    (alpha/(nκ))² R. With an intercept, R(n) = (1 + 1/n) R_c(n - 1) for the centred moments.

    Parameters
    ----------
    eigenvalues : array-like of shape (n_features,)
        Spectrum ω of the features' second moment; of their covariance with an intercept.
    target_coefs : array-like of shape (n_features,) or (n_features, n_outputs)
        u_j·ψ for the eigenvector u_j, never squared.
    target_second_moment : float or array-like of shape (n_outputs, n_outputs)
        ρ = E y² or E y yᵀ; centred with an intercept.
    n_samples, alpha : array-like
        Numbers of samples (at least 1) and regularisations (not negative); they broadcast.
    fit_intercept : bool, default=False
        True: the first three arguments are centred moments, and ridge fits an intercept.

    Returns
    -------
    RidgeRisk
        Named tuple of arrays.

    Raises
    ------
    ValueError
        If shapes do not fit, an argument is outside its range, or the moments belong to no
        population (more of the target explained than there is).

    References
    ----------
    Schröder, Dmitriev, Cui, Loureiro, "Asymptotics of Learning with Deep Structured (Random)
    Features", ICML 2024, arXiv:2402.13999.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import ridge_risk
    >>> risk = ridge_risk(np.ones(100), np.full(100, 0.1), 1.5, [50, 200], 10.0)
    >>> risk.test_error.round(3)
    array([1.302, 0.873])
    """
    omega, psi, rho = check_moments(eigenvalues, target_coefs, target_second_moment)
    units = units_of(np.sqrt(np.diagonal(rho)))
    kept = omega > 0
    omega, psi, rho = omega[kept], psi[kept] / units, rho / units / units[:, None]
    check_flag(fit_intercept, "fit_intercept")
    n, a = check_cells(n_samples, alpha)
    rows = n - 1.0 if fit_intercept else n
    # One sample and an intercept leave no row for the coefficients: computed at one row, then set.
    no_rows = rows < 1e-12
    safe_rows = np.where(no_rows, 1.0, rows)
    noise = noise_moment(omega, psi, rho)
    kappa = fixed_point_kappa(np.sort(omega), safe_rows, a)
    sums = population_sums(omega, psi, kappa)

    # alpha/kappa, and its limit n - rank where kappa is 0, or has lost digits below the least float
    whole = kappa >= np.finfo(float).tiny
    unused = np.where(whole, a / np.where(whole, kappa, 1.0), safe_rows - omega.size)
    offset = 1.0 / n if fit_intercept else np.zeros_like(n)
    errors = _errors(sums, noise, unused, safe_rows, kappa, n, offset)
    if np.any(no_rows):
        # one row and an intercept: the mean is all that is fitted
        alone = [2.0 * rho, 0.0 * rho, rho - noise, rho - noise, noise, noise, 0.0 * rho]
        errors = [
            np.where(_wide(no_rows), answer, part)
            for answer, part in zip(alone, errors, strict=True)
        ]
    with np.errstate(over="ignore"):  # what is beyond the range of floats is infinite
        errors = [part * units * units[:, None] for part in errors]
    if np.ndim(target_second_moment) == 0:
        errors = [part[..., 0, 0] for part in errors]
    df1, df2 = (np.where(no_rows, 0.0, value) for value in (sums.df1, sums.df2))
    return RidgeRisk(np.where(no_rows, np.inf, kappa), df1, df2, *errors)


def _errors(
    sums: PopulationSums,
    noise: FloatArray,
    unused: FloatArray,
    rows: FloatArray,
    kappa: FloatArray,
    n: FloatArray,
    offset: FloatArray,
) -> list[FloatArray]:
    """Return test_error, …, coef_norm2 of `RidgeRisk`; `rows` counts for the coefficients.

    `unused` is n - df1 = alpha/κ, `offset` the variance of the intercept over that of the errors.
    """
    gap = np.maximum(unused + kappa * sums.slope, 0.0) / rows  # 1 - γ, without subtracting
    inflation = _divide(_wide(offset + sums.df2 / rows), _wide(gap))
    noise = np.broadcast_to(noise, sums.bias.shape)
    variance, noise_variance = _times(sums.bias, inflation), _times(noise, inflation)
    test_error = sums.bias + noise + variance + noise_variance
    centred = test_error / _wide(1.0 + offset)
    # One factor after the other: at n = rank and a tiny alpha one is as small as errors are large.
    train_error = _times(_times(centred, _wide(unused / rows)), _wide(unused / n))
    norm = sums.norm + _times(centred, _wide(sums.slope / rows))
    return [test_error, train_error, sums.bias, variance, noise_variance, noise, norm]


class PopulationSums(NamedTuple):
    """Sums over the spectrum, one entry for each kappa."""

    df1: FloatArray
    df2: FloatArray
    slope: FloatArray  # Σ ω/(ω+κ)²
    bias: FloatArray  # κ² Σ ψψᵀ/(ω (ω+κ)²)
    norm: FloatArray  # Σ ψψᵀ/(ω+κ)²


def population_sums(omega: FloatArray, psi: FloatArray, kappa: FloatArray) -> PopulationSums:
    """Return sums over the spectrum for every kappa, by matrix products over blocks of cells."""
    outputs = psi.shape[1]
    products = psi[:, :, None] * psi[:, None, :]
    products = products.reshape(omega.size, outputs * outputs)
    scaled = products / omega[:, None]
    flat = kappa.ravel()
    first = np.empty(flat.size)
    bias = np.empty((flat.size, outputs * outputs))
    second = np.empty((flat.size, 2 + outputs * outputs))
    weights = np.column_stack([omega, omega**2, products])
    rows = max(1, _BLOCK_ENTRIES // max(omega.size, 1))
    for start in range(0, flat.size, rows):
        block = slice(start, start + rows)
        inverse = np.add.outer(flat[block], omega)
        np.reciprocal(inverse, out=inverse)
        first[block] = inverse @ omega
        kept = flat[block, None] * inverse  # first, since κ² may leave the range of floats
        bias[block] = np.multiply(kept, kept, out=kept) @ scaled
        np.multiply(inverse, inverse, out=inverse)
        second[block] = inverse @ weights
    shape, square = kappa.shape, (outputs, outputs)
    return PopulationSums(
        first.reshape(shape),
        second[:, 1].reshape(shape),
        second[:, 0].reshape(shape),
        bias.reshape(shape + square),
        second[:, 2:].reshape(shape + square),
    )


def check_moments(
    eigenvalues: ArrayLike, target_coefs: ArrayLike, target_second_moment: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (p,), (p, t), (t, t) arrays or raise ValueError naming the argument."""
    omega = check_eigenvalues(eigenvalues)
    psi = real_array(target_coefs, "target_coefs")
    rho = real_array(target_second_moment, "target_second_moment")
    outputs = psi.shape[1:] if psi.ndim == 2 else ()
    if psi.ndim not in (1, 2) or psi.shape[0] != omega.size:
        raise ValueError(
            f"target_coefs must have one row per eigenvalue ({omega.size}); got shape {psi.shape}."
        )
    if rho.shape != outputs * 2:
        raise ValueError(
            f"target_second_moment must have shape {outputs * 2} for target_coefs of shape "
            f"{psi.shape}; got {rho.shape}."
        )
    if not (np.all(np.isfinite(psi)) and np.all(np.isfinite(rho))):
        raise ValueError("target_coefs and target_second_moment must be finite.")
    if rho.ndim == 2 and not np.allclose(rho, rho.T, rtol=1e-8, atol=1e-12 * np.abs(rho).max()):
        raise ValueError("target_second_moment must be symmetric.")
    rho = rho.reshape(1, 1) if rho.ndim == 0 else rho
    if np.any(np.diagonal(rho) < 0):
        raise ValueError(
            f"target_second_moment cannot be negative on its diagonal; got {np.diagonal(rho)}."
        )
    return omega, psi.reshape(omega.size, -1), rho


def noise_moment(omega: FloatArray, psi: FloatArray, rho: FloatArray) -> FloatArray:
    """Return σ² = ρ - ψᵀΩ⁺ψ; what is below the rounding of ρ is zero."""
    with np.errstate(over="ignore", invalid="ignore"):  # an infinite share is refused below
        noise = rho - (psi / omega[:, None]).T @ psi
    scale = np.sqrt(np.outer(np.diagonal(rho), np.diagonal(rho)))
    too_much = -np.diagonal(noise) > 1e-6 * np.diagonal(rho)
    if np.any(too_much):
        with np.errstate(divide="ignore", over="ignore"):
            share = float(np.max(-np.diagonal(noise)[too_much] / np.diagonal(rho)[too_much]))
        raise ValueError(
            "target_coefs explain more of the target than target_second_moment holds: "
            f"Σ target_coefs²/eigenvalues exceeds it by {100.0 * share:.3g} %. "
            "Set eigenvalues that are rounding errors to zero, and check that target_coefs are "
            "u_j·ψ (not squared) and that all moments are centred alike."
        )
    noise = np.where(np.abs(noise) <= 64 * np.finfo(float).eps * scale, 0.0, noise)
    lowered = np.diagonal(noise) < 0
    noise[lowered, :] = 0.0
    noise[:, lowered] = 0.0
    return noise


def _wide(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(values)[..., None, None]


def _divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    return np.divide(
        numerator, denominator, out=np.full_like(numerator, np.inf), where=denominator > 0
    )


def _times(values: FloatArray, factor: FloatArray) -> FloatArray:
    """Multiply with 0·∞ = 0: no error to inflate stays none, at n = rank and alpha = 0."""
    values, factor = np.broadcast_arrays(values, factor)
    return np.multiply(
        values, factor, out=np.zeros(values.shape), where=(values != 0) & (factor != 0)
    )
