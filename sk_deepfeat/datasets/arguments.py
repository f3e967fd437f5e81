"""Checks of the arguments that several generators take."""

from __future__ import annotations

import reprlib
from typing import Any

from sk_deepfeat.theory.validation import MOST_COUNTED, is_whole


def positive_int(value: Any, name: str) -> int:
    """Return a positive integer as int, or raise ValueError naming it."""
    if not is_whole(value) or value < 1:
        raise ValueError(f"{name}={value!r} must be a positive integer.")
    number = int(value)
    if number > MOST_COUNTED:
        raise ValueError(f"{name}={reprlib.repr(value)} is more than an array can hold.")
    return number
