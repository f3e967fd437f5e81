"""Checks of the arguments that every function of the room takes."""

from __future__ import annotations

import numbers
import reprlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
LARGEST = float(np.finfo(np.float64).max)
MOST_COUNTED = 2**60  # numbers that an array can hold
# Beyond these the products of the theory leave double precision.
MOST_SAMPLES, MOST_ALPHA = 1e100, 1e300
MOST_UNITS = 10**9  # of a layer: products of two such widths are still sizes of an array


def check_eigenvalues(eigenvalues: ArrayLike) -> FloatArray:
    """Return a float64 spectrum; rounding below zero, as eigh leaves it, becomes zero."""
    values = real_array(eigenvalues, "eigenvalues").copy()
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
    """Return `n_samples` as float64; every entry must be finite, at least 1 and at most 1e100."""
    values = _numeric(n_samples, name)
    if not np.all(np.isfinite(values)) or np.any(values < 1):
        raise ValueError(
            f"{name} must be finite and at least 1; got {_first(values, values < 1)!r}."
        )
    if np.any(values > MOST_SAMPLES):
        raise ValueError(f"{name} must be at most {MOST_SAMPLES:g}; got {float(values.max())!r}.")
    return values


def check_alpha(alpha: ArrayLike, name: str = "alpha") -> FloatArray:
    """Return `alpha` as float64; every entry must be finite, not negative and at most 1e300."""
    values = _numeric(alpha, name)
    if not np.all(np.isfinite(values)) or np.any(values < 0):
        raise ValueError(
            f"{name} must be finite and not negative; got {_first(values, values < 0)!r}."
        )
    if np.any(values > MOST_ALPHA):
        raise ValueError(f"{name} must be at most {MOST_ALPHA:g}; got {float(values.max())!r}.")
    return values


def alpha_of_mean_weight(alpha: Any, mean_weight: float) -> Any:
    """Return alpha in units of the mean weight, of which the largest stand for all beyond."""
    with np.errstate(over="ignore"):
        return np.minimum(alpha / np.float64(mean_weight), MOST_ALPHA)


def single_alpha(alpha: Any, name: str = "alpha") -> float:
    """Return one `alpha` as a float, or raise ValueError."""
    values = check_alpha(alpha, name)
    if values.ndim:
        raise ValueError(f"{name} must be one number; got {reprlib.repr(alpha)}.")
    return float(values)


def check_cells(n_samples: ArrayLike, alpha: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return both, checked and broadcast against each other."""
    return broadcast_cells(check_n_samples(n_samples), check_alpha(alpha))


def broadcast_cells(
    n_samples: FloatArray, alpha: FloatArray, name: str = "alpha"
) -> tuple[FloatArray, FloatArray]:
    """Return both, broadcast against each other, or raise ValueError."""
    try:
        n, a = np.broadcast_arrays(n_samples, alpha)
    except ValueError as error:
        raise ValueError(
            f"n_samples of shape {n_samples.shape} and {name} of shape {alpha.shape} do not "
            "broadcast; for every pair of them pass np.array(n_samples)[:, None]."
        ) from error
    return n, a


def check_flag(value: Any, name: str) -> bool:
    """Return `value` as a bool, or raise TypeError if it is none."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}={value!r} must be True or False.")
    return bool(value)


def check_level(level: Any) -> float:
    """Return a coverage, or raise ValueError unless it lies between 0 and 1."""
    if not is_finite(level) or not 0.0 < level < 1.0:
        raise ValueError(f"level={level!r} must lie between 0 and 1.")
    return float(level)


def is_real(value: Any) -> bool:
    """Say whether a value is one real number; booleans are none, nor are NumPy's durations."""
    return isinstance(value, numbers.Real) and not isinstance(value, (bool, np.timedelta64))


def is_whole(value: Any) -> bool:
    """Say whether a value is an integer; booleans are none, nor are NumPy's durations."""
    return isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.timedelta64))


def is_finite(value: Any) -> bool:
    """Say whether a value is a real number, and one that a float can hold."""
    if not is_real(value):
        return False
    # Beside a number in single precision the bound would be infinite, with a warning.
    number: Any = float(value) if isinstance(value, np.floating) else value
    return bool(abs(number) <= LARGEST)


def check_callable(activation: Any, name: str = "activation") -> None:
    """Raise TypeError unless `activation` is a function; names are looked up elsewhere."""
    if isinstance(activation, type) or not callable(activation):
        raise TypeError(
            f"{name}={activation!r} must be an activation object or a function of an array, such "
            "as sk_deepfeat.activations.relu; sk_deepfeat.plugins.resolve('activations', name) "
            "finds one by its name."
        )


def check_unmasked(values: Any, name: str) -> None:
    """Raise ValueError where entries are masked: NumPy would take the numbers below the mask."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{name} has masked entries; fill them, or leave them out.")


def any_array(values: Any, name: str) -> NDArray[Any]:
    """Return an array of anything, or raise TypeError where there is none, as of uneven lists."""
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array; got {reprlib.repr(values)}.") from error


def real_array(values: ArrayLike, name: str) -> FloatArray:
    """Return `values` as float64, or raise TypeError if they are no real numbers."""
    check_unmasked(values, name)
    try:
        array = np.asarray(values)
        if array.dtype.kind == "c":
            raise TypeError("complex numbers")
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{name} must be real numbers; got {reprlib.repr(values)}.") from error


def real_number(value: Any, name: str, *, positive: bool = False) -> float:
    """Return one finite number as a float, or raise TypeError or ValueError."""
    array = real_array(value, name)
    if array.ndim or not np.isfinite(array) or (positive and array <= 0):
        raise ValueError(
            f"{name}={reprlib.repr(value)} must be one finite number"
            f"{' above 0' if positive else ''}."
        )
    return float(array)


def whole_number(value: Any, name: str, least: int = 0, most: int = MOST_COUNTED) -> int:
    """Return an integer, or raise ValueError unless it is one between `least` and `most`."""
    if not is_whole(value) or value < least:
        raise ValueError(f"{name}={reprlib.repr(value)} must be at least {least}, and an integer.")
    if value > most:
        raise ValueError(f"{name}={reprlib.repr(value)} must be at most {most:,}.")
    return int(value)


def numeric_targets(y: Any) -> FloatArray:
    """Return targets as float64, or raise ValueError with the remedy for classes."""
    check_unmasked(y, "y")
    try:
        array = np.asarray(y)
        if array.dtype.kind == "c":
            raise TypeError("complex numbers")
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"y must hold numbers; got {_shown(y)}. Classes are for "
            "DeterministicEquivalentRidgeClassifier; or give them as numbers, such as -1.0 and "
            "1.0, or as one column of 0.0 and 1.0 for each class."
        ) from error


def _shown(y: Any) -> str:
    return reprlib.repr(np.ravel(y)[0] if axes_of(y) < 2 or hasattr(y, "shape") else y)


def axes_of(values: Any) -> int:
    """Return how many axes values have; lists of several lengths have two."""
    try:
        return int(np.ndim(values))
    except ValueError:
        return 2


def _numeric(values: ArrayLike, name: str) -> FloatArray:
    check_unmasked(values, name)
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be numeric; got {values!r}.") from error
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be numeric; got {values!r}.")
    return array.astype(np.float64)


def _first(values: FloatArray, wrong: Any) -> float:
    bad = values[wrong | ~np.isfinite(values)]
    return float(bad.ravel()[0])
