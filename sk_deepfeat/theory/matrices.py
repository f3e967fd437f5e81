"""Checks of matrices: square, symmetric, positive semi-definite."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.theory.validation import FloatArray, real_array

_LOWEST = "{name} must be positive semi-definite; its lowest eigenvalue is "
_INDEFINITE = _LOWEST + "{lowest:.6g}."


def check_symmetric(matrix: ArrayLike, name: str) -> FloatArray:
    """Return a finite, symmetric, square float64 matrix or raise ValueError naming it."""
    values = real_array(matrix, name)
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
    tolerance = max(1e-10 * np.abs(values).max(), rounding)
    check_lowest_eigenvalue(values[0], tolerance, name, _LOWEST + "{lowest!r}.")
    return np.where(values <= rounding, 0.0, values), vectors


def check_covariance(covariance: ArrayLike, name: str) -> FloatArray:
    """Return a symmetric positive semi-definite matrix, or a diagonal that is not negative."""
    values = real_array(covariance, name)
    if values.ndim == 1 and values.size:
        if not np.all(np.isfinite(values)) or values.min() < 0:
            raise ValueError(
                f"{name}, given as a diagonal, must be finite and not negative; its lowest entry "
                f"is {values.min()!r}."
            )
        return values
    if values.ndim == 0:
        raise ValueError(
            f"{name} must be a square matrix, or its diagonal, such as np.ones(n_features); got "
            f"the number {values}."
        )
    values = check_symmetric(values, name)
    check_definite(values, 1e-10 * np.abs(values).max(), name)
    return values


def check_definite(
    matrix: FloatArray, tolerance: float, name: str, message: str = _INDEFINITE
) -> None:
    """Raise ValueError if an eigenvalue of a symmetric matrix is below -tolerance.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        Symmetric.
    tolerance : float
        What rounding may leave below zero.
    name : str
        Of the argument.
    message : str, optional
        With fields ``name`` and ``lowest``.
    """
    if not has_cholesky(matrix, tolerance):
        check_lowest_eigenvalue(np.linalg.eigvalsh(matrix)[0], tolerance, name, message)


def check_lowest_eigenvalue(
    lowest: float, tolerance: float, name: str, message: str = _INDEFINITE
) -> None:
    """Raise ValueError as `check_definite` does, where the lowest eigenvalue is known."""
    if lowest < -tolerance:
        raise ValueError(message.format(name=name, lowest=lowest))


def has_cholesky(matrix: FloatArray, shift: float) -> bool:
    """Return whether matrix + shift I is positive definite, far cheaper than from eigenvalues."""
    try:
        np.linalg.cholesky(matrix + np.diag(np.full(len(matrix), shift)))
    except np.linalg.LinAlgError:
        return False
    return True
