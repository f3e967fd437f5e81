"""Checks of the arguments that several generators take."""

from __future__ import annotations

import numbers
import reprlib
from typing import Any

import numpy as np

_MOST = int(np.iinfo(np.intp).max) // 8


def positive_int(value: Any, name: str) -> int:
    """Return a positive integer as int, or raise ValueError naming it."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}={value!r} must be a positive integer.")
    number = int(value)
    if number > _MOST:
        raise ValueError(f"{name}={reprlib.repr(value)} is more than an array can hold.")
    return number
