"""Checks of matrices: square, symmetric, positive semi-definite."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.theory.validation import FloatArray, real_array


def check_symmetric(matrix: ArrayLike, name: str) -> FloatArray:
    """Return a finite, symmetric, square float64 matrix or raise ValueError naming it."""
    values = np.asarray(matrix, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] != values.shape[1] or values.size == 0:
        raise ValueError(f"{name} must be a square matrix; got shape {values.shape}.")
    if not np.all(np.isfinite(values)):
        raise ValueError(f"{name} must be finite; got NaN or infinity.")
    if not np.allclose(values, values.T, rtol=1e-8, atol=1e-10 * np.abs(values).max()):
        raise ValueError(f"{name} must be symmetric.")
    return values


def eigh_psd(matrix: ArrayLike, name: str) -> tuple[FloatArray, FloatArray]:
    """Return ascending eigenvalues, rounding set to exact zeros, and eigenvectors.

    Raises ValueError if `matrix` is not symmetric, or indefinite beyond rounding.
    """
    values, vectors = np.linalg.eigh(check_symmetric(matrix, name))
    rounding = values.size * np.finfo(float).eps * np.abs(values).max()
    if values[0] < -max(1e-10 * np.abs(values).max(), rounding):
        raise ValueError(
            f"{name} must be positive semi-definite; its lowest eigenvalue is {values[0]!r}."
        )
    return np.where(values <= rounding, 0.0, values), vectors


def check_covariance(covariance: ArrayLike, name: str) -> FloatArray:
    """Return a symmetric positive semi-definite matrix, or a diagonal that is not negative."""
    values = real_array(covariance, "input_covariance")
    if values.ndim == 1 and values.size:
        if not np.all(np.isfinite(values)) or values.min() < 0:
            raise ValueError(
                f"{name}, given as a diagonal, must be finite and not negative; its lowest entry "
                f"is {values.min()!r}."
            )
        return values
    values = check_symmetric(values, name)
    # Far cheaper than eigenvalues; the shift is what rounding may leave below zero.
    shift = 1e-10 * np.abs(values).max()
    try:
        np.linalg.cholesky(values + np.diag(np.full(len(values), shift)))
    except np.linalg.LinAlgError:
        lowest = np.linalg.eigvalsh(values)[0]
        if lowest < -shift:
            raise ValueError(
                f"{name} must be positive semi-definite; its lowest eigenvalue is {lowest:.6g}."
            ) from None
    return values
