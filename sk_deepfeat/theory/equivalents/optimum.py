"""The best alpha for a number of samples of a known population, and the slope of its error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.theory.equivalents.fixed_point import alpha_from_kappa, fixed_point_kappa
from sk_deepfeat.theory.equivalents.risk import (
    check_moments,
    noise_moment,
    population_sums,
    ridge_risk,
)
from sk_deepfeat.theory.search import minimize_on_log_scale
from sk_deepfeat.theory.units import units_of
from sk_deepfeat.theory.validation import FloatArray, check_flag, check_n_samples


def optimal_alpha(
    eigenvalues: ArrayLike,
    target_coefs: ArrayLike,
    target_second_moment: ArrayLike,
    n_samples: ArrayLike,
    *,
    fit_intercept: bool = False,
) -> FloatArray:
    """Return the alpha that minimises the test error summed over outputs, for every n.

    The search runs over kappa with df1(kappa) ≤ n, where no fixed point has to be solved:
    alpha = kappa (n - df1(kappa)). The optimum can sit at alpha = 0.

    Parameters
    ----------
    eigenvalues, target_coefs, target_second_moment, fit_intercept
        The population, as for `ridge_risk`.
    n_samples : array-like
        Numbers of samples, at least 1.

    Returns
    -------
    ndarray of the shape of `n_samples`
        Optimal alpha, not negative; infinity if nothing of the target is explained, or if only
        one sample is left beside the intercept.

    Examples
    --------
    An isotropic population has the optimum p σ²/||b||² at every n:

    >>> import numpy as np
    >>> from sk_deepfeat.theory import optimal_alpha
    >>> optimal_alpha(np.ones(50), np.full(50, 0.1), 1.0, [20, 100]).round(4)
    array([50., 50.])
    """
    omega, psi, rho = check_moments(eigenvalues, target_coefs, target_second_moment)
    check_flag(fit_intercept, "fit_intercept")
    kept = omega > 0
    # One unit for all outputs, whose errors are added up.
    unit = units_of(np.sqrt(np.diagonal(rho).max()))
    omega, psi, rho = omega[kept], psi[kept] / unit, rho / unit / unit
    n = check_n_samples(n_samples)
    best = np.full(n.size, np.inf)
    if omega.size and np.any(psi):
        for i, rows in enumerate(n.ravel() - (1.0 if fit_intercept else 0.0)):
            if rows >= 1:
                best[i] = _optimal_alpha_at(omega, psi, rho, float(rows))
    return best.reshape(n.shape)


def _optimal_alpha_at(omega: FloatArray, psi: FloatArray, rho: FloatArray, n: float) -> float:
    noise = noise_moment(omega, psi, rho)

    def error(kappa: FloatArray) -> FloatArray:
        sums = population_sums(omega, psi, kappa)
        unused = np.maximum(alpha_from_kappa(omega, n, kappa), 0.0) / kappa
        gap = (unused + kappa * sums.slope) / n
        return np.trace(sums.bias + noise, axis1=-2, axis2=-1) / gap

    spectrum = np.sort(omega)
    ridgeless = float(fixed_point_kappa(spectrum, np.array([n]), np.zeros(1))[0])
    low = max(ridgeless, 1e-12 * spectrum[0])
    found = minimize_on_log_scale(error, low, 1e9 * spectrum.sum())
    if found.at_high:
        return np.inf
    at_zero = np.trace(np.atleast_2d(ridge_risk(omega, psi, rho, n, 0.0).test_error))
    if at_zero <= found.value * (1.0 + 1e-12):
        return 0.0
    return max(float(alpha_from_kappa(omega, n, found.argument)), 0.0)


def optimal_slope(
    eigenvalues: ArrayLike,
    target_coefs: ArrayLike,
    target_second_moment: float,
    n_samples: ArrayLike,
) -> FloatArray:
    r"""Return dR/dn along the curve of optimal alpha, without an intercept, for one output.

    Where the optimum is interior, ∂R/∂κ = 0 and dR/dn = -R df2/(n (n - df2)). Where it is at
    alpha = 0, the constraint df1(κ) = n adds -(κ/(df1-df2)) ∂R/∂κ with
    ∂R/∂κ = 2κΣω²b²/(ω+κ)³/(1-γ) - (B+σ²)(2/n)Σω²/(ω+κ)³/(1-γ)².

    Parameters
    ----------
    eigenvalues, target_coefs, target_second_moment
        The population, as for `ridge_risk`, with one output.
    n_samples : array-like
        Numbers of samples, at least 1.

    Returns
    -------
    ndarray of the shape of `n_samples`
        Never positive: more samples at their best alpha cannot hurt.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import optimal_slope
    >>> bool(optimal_slope(np.ones(50), np.full(50, 0.1), 1.0, 40) < 0)
    True
    """
    omega, psi, rho = check_moments(eigenvalues, target_coefs, target_second_moment)
    if psi.shape[1] != 1:
        raise ValueError(f"target_coefs must have one output; got {psi.shape[1]}.")
    n = check_n_samples(n_samples)
    unit = units_of(np.sqrt(rho[0, 0]))
    psi, rho = psi / unit, rho / unit / unit
    alpha = optimal_alpha(omega, psi, rho, n)
    finite = np.where(np.isfinite(alpha), alpha, 1.0)  # whose slope is zero, below
    risk = ridge_risk(omega, psi[:, 0], rho[0, 0], n, finite)
    gap = n - risk.df2
    # At n = rank and alpha = 0 an optimum has no error left.
    slope = np.divide(-risk.test_error * risk.df2, n * gap, out=np.zeros(n.shape), where=gap > 0)
    kept = omega > 0
    w, products = omega[kept], np.square(psi[kept, 0])
    kappa = risk.kappa[..., None]
    cubes = 1.0 / (w + kappa) ** 3
    one_minus_gamma = np.where(gap > 0, gap / n, 1.0)
    bias_and_noise = risk.bias + risk.noise
    by_kappa = 2 * risk.kappa * (cubes @ products) / one_minus_gamma
    by_kappa -= bias_and_noise * (2 / n) * (cubes @ w**2) / one_minus_gamma**2
    constrained = (alpha == 0) & (risk.kappa > 0)
    slope -= np.divide(
        risk.kappa * by_kappa, risk.df1 - risk.df2, out=np.zeros(n.shape), where=constrained
    )
    return np.where(np.isfinite(alpha), slope, 0.0) * unit * unit
