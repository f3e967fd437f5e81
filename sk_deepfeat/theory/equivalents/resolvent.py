r"""Deterministic equivalents of the resolvent G = (FᵀF + alpha)⁻¹ as matrices.

With τ = alpha/κ, G ≃ (τΩ + alpha)⁻¹ = (Ω + κ)⁻¹/τ, and for any deterministic A
G A G ≃ M A M + M Ω M (τ²/n) tr[Ω M A M]/(1 - γ), M the equivalent of G (SDCL).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.theory.equivalents.fixed_point import fixed_point_kappa
from sk_deepfeat.theory.matrices import check_symmetric, eigh_psd
from sk_deepfeat.theory.validation import (
    FloatArray,
    check_alpha,
    check_n_samples,
    real_array,
    real_number,
)

_LEAST_ALPHA = 1e-150  # the square of its inverse is in the range of floats


def _single(n_samples: float, alpha: float) -> tuple[float, float]:
    n, a = check_n_samples(n_samples), check_alpha(alpha)
    if n.ndim or a.ndim:
        raise ValueError("n_samples and alpha must be single numbers here.")
    if not a > 0:
        raise ValueError(f"alpha={float(a)!r} must be positive: the resolvent needs a ridge.")
    if a < _LEAST_ALPHA:
        raise ValueError(
            f"alpha={float(a)!r} must be at least {_LEAST_ALPHA:g}: the square of the resolvent is "
            "beyond the range of floats; take features in other units."
        )
    return float(n), float(a)


def _kappa(eigenvalues: FloatArray, n: float, alpha: float) -> float:
    spectrum = np.sort(eigenvalues[eigenvalues > 0])
    return float(fixed_point_kappa(spectrum, np.array([n]), np.array([alpha]))[0])


def resolvent_equivalent(second_moment: ArrayLike, n_samples: float, alpha: float) -> FloatArray:
    """Return the deterministic equivalent (τΩ + alpha)⁻¹ of G = (FᵀF + alpha)⁻¹.

    Parameters
    ----------
    second_moment : array-like of shape (n_features, n_features)
        Ω = E φφᵀ.
    n_samples : float
        Number of rows of F, at least 1.
    alpha : float
        At least 1e-150, for features of any units near one.

    Returns
    -------
    ndarray of shape (n_features, n_features)

    Raises
    ------
    ValueError
        If Ω is not symmetric positive semi-definite or a number is outside its range.

    References
    ----------
    Schröder, Dmitriev, Cui, Loureiro, arXiv:2402.13999.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import resolvent_equivalent
    >>> resolvent_equivalent(np.eye(2), 4, 1.0).round(4)
    array([[0.2808, 0.    ],
           [0.    , 0.2808]])
    """
    n, a = _single(n_samples, alpha)
    omega, vectors = eigh_psd(second_moment, "second_moment")
    kappa = _kappa(omega, n, a)
    return (vectors * (kappa / a / (omega + kappa))) @ vectors.T


def resolvent_product_equivalent(
    second_moment: ArrayLike, matrix: ArrayLike, n_samples: float, alpha: float
) -> FloatArray:
    """Return the deterministic equivalent of G A G for a deterministic symmetric A.

    G A G ≃ M A M + M Ω M (τ²/n) tr[Ω M A M]/(1 - df2/n).

    Parameters
    ----------
    second_moment : array-like of shape (n_features, n_features)
        Ω = E φφᵀ.
    matrix : array-like of shape (n_features, n_features)
        A.
    n_samples, alpha : float
        Rows of F (at least 1) and the ridge, at least 1e-150.

    Returns
    -------
    ndarray of shape (n_features, n_features)

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import resolvent_product_equivalent
    >>> resolvent_product_equivalent(np.eye(2), np.eye(2), 4, 1.0).round(4)
    array([[0.1063, 0.    ],
           [0.    , 0.1063]])
    """
    n, a = _single(n_samples, alpha)
    between = check_symmetric(matrix, "matrix")
    omega, vectors = eigh_psd(second_moment, "second_moment")
    if between.shape != (omega.size, omega.size):
        raise ValueError(
            f"matrix must have the shape of second_moment, {(omega.size, omega.size)}; "
            f"got {between.shape}."
        )
    kappa = _kappa(omega, n, a)
    tau = a / kappa
    m = 1.0 / (tau * (omega + kappa))
    rotated = vectors.T @ between @ vectors
    product = rotated * np.outer(m, m)
    gap = (tau + kappa * np.sum(omega / (omega + kappa) ** 2)) / n
    factor = tau**2 / n * np.sum(omega * np.diagonal(product)) / gap
    return vectors @ (product + np.diag(m * omega * m * factor)) @ vectors.T


def expected_quadratic_form(
    second_moment: ArrayLike,
    moment: ArrayLike,
    target_second_moment: float,
    matrix: ArrayLike,
    n_samples: float,
    alpha: float,
) -> float:
    """Return E ŵᵀAŵ = w_κᵀAw_κ + (R/n) tr[AΩ(Ω+κ)⁻²] with w_κ = (Ω+κ)⁻¹ψ.

    A = I is the squared norm; A = Ω the second moment of the predictions on new samples; for A the
    second moment of shifted features it is what covariate shift needs.

    Parameters
    ----------
    second_moment : array-like of shape (n_features, n_features)
        Ω = E φφᵀ.
    moment : array-like of shape (n_features,)
        ψ = E φ y, one output.
    target_second_moment : float
        ρ = E y².
    matrix : array-like of shape (n_features, n_features)
        A, symmetric.
    n_samples, alpha : float
        Number of samples (at least 1) and the positive ridge.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import expected_quadratic_form
    >>> round(expected_quadratic_form(np.eye(2), [0.5, 0.0], 1.0, np.eye(2), 4, 1.0), 4)
    0.3979
    """
    n, a = _single(n_samples, alpha)
    between = check_symmetric(matrix, "matrix")
    omega, vectors = eigh_psd(second_moment, "second_moment")
    psi = real_array(moment, "moment")
    second = real_number(target_second_moment, "target_second_moment")
    if psi.shape != (omega.size,) or between.shape != (omega.size, omega.size):
        raise ValueError(
            f"moment and matrix must fit second_moment of width {omega.size}; got shapes "
            f"{psi.shape} and {between.shape}."
        )
    kappa = _kappa(omega, n, a)
    rotated = vectors.T @ between @ vectors
    target_coefs = vectors.T @ psi
    expected_coefs = target_coefs / (omega + kappa)
    bias_and_noise = second - np.sum(target_coefs**2 * (omega + 2 * kappa) / (omega + kappa) ** 2)
    gap = (a / kappa + kappa * np.sum(omega / (omega + kappa) ** 2)) / n
    test_error = max(bias_and_noise, 0.0) / gap
    trace = np.sum(np.diagonal(rotated) * omega / (omega + kappa) ** 2)  # tr[AΩ(Ω+κ)⁻²]
    return float(expected_coefs @ rotated @ expected_coefs + test_error / n * trace)
