"""Libraries and devices whose arrays tests fit on, and which of them this machine has."""

from __future__ import annotations

import importlib
import warnings
from typing import Any, NamedTuple

import pytest

# The last strict device stands for one without double precision, such as Apple's.
PLACES = [
    ("array_api_strict", "CPU_DEVICE"),
    ("array_api_strict", "device1"),
    ("array_api_strict", "no_float64"),
    ("torch", "cpu"),
    ("torch", "cuda"),
    ("torch", "mps"),
]


class Place(NamedTuple):
    """A library's namespace, a device of it, and the most precise floats there."""

    xp: Any
    device: Any
    dtype: str

    def array(self, values: Any) -> Any:
        """Return a copy of a NumPy array there."""
        values = values.astype(self.dtype) if values.dtype.kind == "f" else values
        return self.xp.asarray(values.copy(), device=self.device)

    def numpy(self, values: Any) -> Any:
        """Return a NumPy array of an array of this place, and fail for any other."""
        assert values.device == self.device_of_arrays, (values.device, self.device)
        if hasattr(values, "cpu"):
            return values.cpu().numpy()
        return values._array

    @property
    def device_of_arrays(self) -> Any:
        """What arrays there give as their device."""
        return self.xp.asarray(0, device=self.device).device


def place(namespace: str, device: str) -> Place:
    """Return a place, or skip the test with the reason why this machine has none."""
    xp = pytest.importorskip(namespace)
    if namespace == "array_api_strict":
        return Place(xp, xp.Device(device), "float32" if device == "no_float64" else "float64")
    if device == "cuda" and not has_cuda():
        pytest.skip("torch finds no CUDA device on this machine")
    if device == "mps" and not xp.backends.mps.is_available():
        pytest.skip("torch finds no MPS device on this machine")
    return Place(xp, xp.device(device), "float32" if device == "mps" else "float64")


def has_cuda() -> bool:
    """Say whether torch is there with a CUDA device that works."""
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return False
    with warnings.catch_warnings():  # of a driver that is too old
        warnings.simplefilter("ignore")
        return bool(torch.cuda.is_available())


def skip_without_cuda(check: Any) -> None:
    """Skip those of scikit-learn's checks that take a torch built with CUDA for a device."""
    given = getattr(check, "keywords", {})
    if "cuda" in repr(given) and not has_cuda():
        pytest.skip("torch finds no CUDA device on this machine")
