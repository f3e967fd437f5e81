"""Pickling of functions and classes that pickle does not find by a name."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from typing import Any

from joblib import wrap_non_picklable_objects

from sk_deepfeat.feature_maps.module_names import short_name


class ByValue:
    """A stand-in that unpickles as the object itself, from its code.

    Parameters
    ----------
    parameter : str
        Whose value it is; for the message.
    value : object
        A lambda, a local function or class, or something that holds one.
    """

    def __init__(self, parameter: str, value: Any) -> None:
        self.parameter, self.value = parameter, value

    def __reduce__(self) -> Any:
        try:
            # In a tuple, because a bare class would be wrapped as its instances.
            wrapped = wrap_non_picklable_objects((self.value,), keep_wrapper=False)
            return _first, wrapped.__reduce__()
        except Exception as error:  # reduce methods of what it holds may raise anything
            raise pickle.PicklingError(
                f"{self.parameter}={short_name(self.value)} cannot be pickled: {error}. Define the "
                "network as a class or function at the top of a file that can be imported, and "
                "hand over what it needs by module_params."
            ) from error


def _first(loads: Any, arguments: tuple[Any, ...]) -> Any:
    return loads(*arguments)[0]


def picklable_values(values: dict[str, Any], parameters: Iterable[str]) -> dict[str, Any]:
    """Return parameters as they are, or where pickle cannot store them as their code.

    Parameters
    ----------
    values : dict
        Holds the parameters.
    parameters : iterable of str
        Their names.

    Returns
    -------
    dict
        Of the parameters alone.
    """
    return {name: _picklable(name, values[name]) for name in parameters}


def _picklable(parameter: str, value: Any) -> Any:
    try:
        pickle.dumps(value)
    except Exception:  # whatever the value raises: the stand-in tries another way
        return ByValue(parameter, value)
    return value
