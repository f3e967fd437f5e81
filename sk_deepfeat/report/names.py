"""Estimators and their parameters by name, without addresses of memory."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np

_MOST_ITEMS = 6
_LONGEST = 60  # characters of what is neither an estimator nor a plain value
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


def named(value: Any) -> str:
    """Return an estimator with the parameters that are not its defaults, or another value.

    Parameters
    ----------
    value : object
        Functions and classes are named, random states and arrays described.

    Returns
    -------
    str
        On one line.
    """
    if hasattr(value, "get_params") and not isinstance(value, type):
        return f"{type(value).__name__}({', '.join(_changed(value))})"
    if isinstance(value, (np.random.RandomState, np.random.Generator)):
        return f"a {type(value).__name__}"
    if isinstance(value, np.ndarray) and value.ndim:
        return f"array of shape {value.shape}"
    if isinstance(value, dict):
        return "{" + _items([f"{named(key)}: {named(item)}" for key, item in value.items()]) + "}"
    if isinstance(value, (list, tuple)):
        one = len(value) == 1 and isinstance(value, tuple)
        inside = _items([named(item) for item in value]) + ("," if one else "")
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    name = getattr(value, "__name__", None)
    if callable(value) and isinstance(name, str):
        return "a lambda function" if name == "<lambda>" else name
    return _plain(value)


def _changed(estimator: Any) -> list[str]:
    """Return the parameters that differ from the defaults of the constructor."""
    defaults = inspect.signature(type(estimator).__init__).parameters
    found = []
    for name, value in estimator.get_params(deep=False).items():
        default = defaults[name].default if name in defaults else inspect.Parameter.empty
        if value is default or (type(value) is type(default) and repr(value) == repr(default)):
            continue
        found.append(f"{name}={named(value)}")
    return found


def _items(shown: list[str]) -> str:
    more = len(shown) - _MOST_ITEMS
    return ", ".join(shown[:_MOST_ITEMS]) + (f" and {more} more" if more > 0 else "")


def _plain(value: Any) -> str:
    text = " ".join(repr(value).split())
    if len(text) > _LONGEST and not isinstance(value, (str, bytes)):
        return type(value).__name__
    return type(value).__name__ if _ADDRESS.search(text) else text
