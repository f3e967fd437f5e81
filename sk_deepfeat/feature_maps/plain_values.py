"""Parameters and fitted attributes as JSON and arrays, and back: values, and never code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat import activations
from sk_deepfeat.activations.piecewise_linear import LeakyReLU
from sk_deepfeat.plugins.lookup import BUILT_IN

_OBJECTS = {name: getattr(activations, name) for name in BUILT_IN["activations"]}
_RANDOM_STATE = "MT19937"
# What stands in JSON for values that it lacks, and what their content is there.
_KINDS: dict[str, Any] = {
    "tuple": list,
    "strings": list,
    "dict": dict,
    "array": str,
    "activation": str,
    "leaky_relu": (int, float),
    "random_state": list,
}


class NeedsCode(TypeError):
    """A value that only code could make again."""


def to_plain(value: Any, name: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """Return a value as JSON has it, and put its arrays aside.

    What JSON lacks is an object of one key that names what it is, such as ``{"tuple": [1, 2]}``.

    Parameters
    ----------
    value : object
        None, a truth value, number, string, array, built-in activation, RandomState, or a list,
        tuple or dict of these.
    name : str
        Of the arrays.
    arrays : dict
        Takes them.

    Raises
    ------
    NeedsCode
        If it is anything else.
    """
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        value = value.item()
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list):
        return [to_plain(item, f"{name}/{k}", arrays) for k, item in enumerate(value)]
    if isinstance(value, tuple | range):
        return {"tuple": to_plain(list(value), name, arrays)}
    if isinstance(value, dict) and all(type(key) is str for key in value):
        items = value.items()
        return {"dict": {key: to_plain(item, f"{name}/{key}", arrays) for key, item in items}}
    if isinstance(value, np.ndarray):
        return _array_to_plain(value, name, arrays)
    if isinstance(value, np.random.RandomState):
        state: Any = value.get_state(legacy=True)
        return {"random_state": to_plain(list(state[1:]), name, arrays)}
    if type(value) is LeakyReLU:
        return {"leaky_relu": to_plain(value.slope, name, arrays)}
    for known, activation in _OBJECTS.items():
        if type(value) is type(activation):
            return {"activation": known}
    raise NeedsCode(type(value).__name__)


def _array_to_plain(value: NDArray[Any], name: str, arrays: dict[str, NDArray[Any]]) -> Any:
    if value.dtype == object:
        if value.ndim != 1 or not all(type(item) is str for item in value):
            raise NeedsCode("array of Python's objects")
        return {"strings": value.tolist()}
    if value.dtype.kind not in "biufcSUmM":
        raise NeedsCode(f"array of {value.dtype}")
    arrays[name] = np.asarray(value)
    return {"array": name}


def from_plain(plain: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """Return the value that `to_plain` made JSON of.

    Parameters
    ----------
    plain : object
        From a file that anyone may have written.
    arrays : dict
        Its arrays by name.

    Raises
    ------
    ValueError
        If `to_plain` makes nothing like it.
    """
    if isinstance(plain, list):
        return [from_plain(item, arrays) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if len(plain) != 1:
        raise ValueError(f"no value has the keys {', '.join(plain)!r:.60}")
    kind: str
    content: Any
    ((kind, content),) = plain.items()
    if kind not in _KINDS or not isinstance(content, _KINDS[kind]):
        raise ValueError(f"{kind!r:.60} is no kind of value, or not made so")
    if kind == "leaky_relu":
        return LeakyReLU(float(content))
    if kind == "tuple":
        return tuple(from_plain(content, arrays))
    if kind == "strings":
        if not all(isinstance(item, str) for item in content):
            raise ValueError("strings must be strings")
        return np.array(content, dtype=object)
    if kind == "dict":
        return {key: from_plain(item, arrays) for key, item in content.items()}
    if kind == "random_state":
        state = np.random.RandomState()
        state.set_state((_RANDOM_STATE, *from_plain(content, arrays)))
        return state
    known: dict[str, Any] = arrays if kind == "array" else _OBJECTS
    if content not in known:
        raise ValueError(f"there is no {kind} {content!r:.60}")
    return known[content]
