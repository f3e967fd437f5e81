"""Arrays of other libraries than NumPy, as scikit-learn's array API support takes them.

Under ``sklearn.config_context(array_api_dispatch=True)`` an array says by itself which library it
is of (its namespace) and on which device it is. Without it nothing here does anything: arrays are
then read by `numpy.asarray` where they are validated.
"""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context, get_config
from sklearn.utils._array_api import get_namespace_and_device, move_to, supported_float_dtypes


class ArrayPlace(NamedTuple):
    """A library other than NumPy, and a device of its."""

    xp: Any
    device: Any

    @property
    def has_double(self) -> bool:
        """Whether the device computes in double precision."""
        return self.xp.float64 in supported_float_dtypes(self.xp, device=self.device)

    @property
    def float_dtype(self) -> Any:
        """Double precision, or single where the device has no other."""
        return self.xp.float64 if self.has_double else self.xp.float32

    def array(self, values: Any) -> Any:
        """Return a copy of a NumPy array here, floats in `float_dtype`."""
        found = np.asarray(values)
        if found.dtype.kind == "f" and not self.has_double:
            found = found.astype(np.float32)
        return self.xp.asarray(np.array(found, order="C"), device=self.device)


def place_of(values: Any) -> ArrayPlace | None:
    """Return where an array is; None for NumPy's, for what is no array, and without dispatch."""
    if not get_config()["array_api_dispatch"] or not hasattr(values, "dtype"):
        return None
    xp, is_array, device = get_namespace_and_device(values)
    if not is_array or xp.__name__.rpartition(".")[2] == "numpy":
        return None
    return ArrayPlace(xp, device)


def in_numpy(values: Any) -> Any:
    """Return an array of any library as NumPy's, in the same memory where that can be read.

    Floats that NumPy does not know, bfloat16, become single precision. What has no place of its own
    (see `place_of`) is returned as it is.
    """
    place = place_of(values)
    if place is None:
        return values
    xp = place.xp
    known = (xp.float64, xp.float32)
    if xp.isdtype(values.dtype, "real floating") and values.dtype not in known:
        values = xp.astype(values, xp.float32)
    return move_to(values, xp=np, device="cpu")


def in_main_memory(values: Any) -> bool:
    """Say whether NumPy reads an array where it is."""
    try:
        return np.asarray(values).shape == tuple(values.shape)
    except (TypeError, RuntimeError, ValueError, BufferError):  # as each library refuses it
        return False


def require_same_place(X: Any, estimator: Any, attribute: str, method: str) -> None:
    """Raise ValueError unless X is of the library, and on the device, of a fitted attribute."""
    if not get_config()["array_api_dispatch"]:
        return
    fitted, given = place_of(getattr(estimator, attribute)), place_of(X)
    if fitted != given:
        raise ValueError(
            f"Inputs passed to {type(estimator).__name__}.{method}() must use the same namespace "
            f"and the same device as those passed to fit(): it was fitted on {_words(fitted)} and "
            f"X is {_words(given)}. Convert X, or fit anew."
        )


def labels_at(classes: Any, indices: Any, place: ArrayPlace | None) -> Any:
    """Return labels of classes, in a place where there are such: strings stay in NumPy."""
    found: NDArray[Any] = np.asarray(in_numpy(classes))[np.asarray(in_numpy(indices))]
    return found if place is None or found.dtype.kind in "OUS" else place.array(found)


def with_numpy_attributes(estimator: Any) -> Any:
    """Return a fitted estimator, or a shallow copy whose fitted arrays are all NumPy's."""
    foreign = {
        name: value
        for name, value in vars(estimator).items()
        if name.endswith("_") and hasattr(value, "__dlpack__") and not isinstance(value, np.ndarray)
    }
    if not foreign:
        return estimator
    found = copy.copy(estimator)
    with config_context(array_api_dispatch=True):
        for name, value in foreign.items():
            setattr(found, name, in_numpy(value))
    return found


def _words(place: ArrayPlace | None) -> str:
    if place is None:
        return "numpy, or what it reads"
    return f"{place.xp.__name__.rpartition('.')[2]} on {place.device!s}"
