"""Checks of the arguments that every function of the room takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def check_eigenvalues(eigenvalues: ArrayLike) -> FloatArray:
    """Return a float64 spectrum; rounding below zero, as eigh leaves it, becomes zero."""
    values = np.array(eigenvalues, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(
            f"eigenvalues must be a non-empty 1-d array; got an array of shape {values.shape}."
        )
    if not np.all(np.isfinite(values)):
        raise ValueError("eigenvalues must be finite; got NaN or infinity.")
    lowest = values.min()
    if lowest < -1e-13 * values.size * np.abs(values).max():
        raise ValueError(
            f"eigenvalues of a second moment cannot be negative; the lowest is {lowest!r}."
        )
    return np.maximum(values, 0.0)


def check_n_samples(n_samples: ArrayLike, name: str = "n_samples") -> FloatArray:
    """Return `n_samples` as float64; every entry must be finite and at least 1."""
    values = _numeric(n_samples, name)
    if not np.all(np.isfinite(values)) or np.any(values < 1):
        raise ValueError(
            f"{name} must be finite and at least 1; got {_first(values, values < 1)!r}."
        )
    return values


def check_alpha(alpha: ArrayLike, name: str = "alpha") -> FloatArray:
    """Return `alpha` as float64; every entry must be finite and not negative."""
    values = _numeric(alpha, name)
    if not np.all(np.isfinite(values)) or np.any(values < 0):
        raise ValueError(
            f"{name} must be finite and not negative; got {_first(values, values < 0)!r}."
        )
    return values


def _numeric(values: ArrayLike, name: str) -> FloatArray:
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be numeric; got {values!r}.")
    return array.astype(np.float64)


def _first(values: FloatArray, wrong: Any) -> float:
    bad = values[wrong | ~np.isfinite(values)]
    return float(bad.ravel()[0])
