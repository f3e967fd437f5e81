"""The two arguments that describe a multilayer perceptron: widths and activation."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np

from sk_deepfeat.activations import as_activation
from sk_deepfeat.theory.validation import MOST_UNITS, is_whole


def check_hidden_layer_sizes(hidden_layer_sizes: Any) -> tuple[int, ...]:
    """Return the widths of the hidden layers as a tuple of positive ints.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        One width, or the widths from the first layer to the last.

    Returns
    -------
    tuple of int

    Raises
    ------
    TypeError
        If an entry is no integer.
    ValueError
        If there is no entry, or one is not positive, or too large for any memory.
    """
    remedy = "give a positive int or a sequence of them, such as (500, 200)."
    if isinstance(hidden_layer_sizes, list | tuple | range):
        sizes = list(hidden_layer_sizes)
    elif isinstance(hidden_layer_sizes, np.ndarray) and hidden_layer_sizes.ndim == 1:
        sizes = list(hidden_layer_sizes)
    else:
        sizes = [hidden_layer_sizes]
    for size in sizes:
        if not is_whole(size):
            raise TypeError(
                f"hidden_layer_sizes={hidden_layer_sizes!r} holds {size!r}, which is no integer; "
                f"{remedy}"
            )
        if size < 1:
            raise ValueError(
                f"hidden_layer_sizes={hidden_layer_sizes!r} holds {size!r}, but a layer needs at "
                f"least one unit; {remedy}"
            )
        if int(size) > MOST_UNITS:
            raise ValueError(
                f"hidden_layer_sizes={reprlib.repr(hidden_layer_sizes)} holds a number above "
                f"{MOST_UNITS:,}; {remedy}"
            )
    if not sizes:
        raise ValueError(f"hidden_layer_sizes={hidden_layer_sizes!r} is empty; {remedy}")
    return tuple(int(size) for size in sizes)


def check_activation(activation: Any) -> Any:
    """Return the activation object that the argument `activation` names, or say what is wrong.

    Parameters
    ----------
    activation : str, activation object or callable
        What the user gave.

    Returns
    -------
    object
        Keeps `sk_deepfeat.plugins.Activation`.

    Raises
    ------
    ValueError
        If a name is unknown; the known ones are listed.
    TypeError
        If it is neither a name nor callable.
    """
    try:
        return as_activation(activation)
    except ValueError as error:
        raise ValueError(f"activation={activation!r} cannot be used: {error}") from error
