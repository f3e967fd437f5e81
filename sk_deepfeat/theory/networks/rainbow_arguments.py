"""Checks of the arguments of `rainbow_covariances`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.plugins import resolve
from sk_deepfeat.theory.matrices import check_covariance
from sk_deepfeat.theory.networks.gaussian_moments import MAX_ORDER
from sk_deepfeat.theory.validation import FloatArray, is_whole, real_array

METHODS = ("per-unit", "averaged", "hermite", "closed-form")


class Layer(NamedTuple):
    """One checked layer x -> activation(weights @ x + bias); a missing bias is zeros."""

    weights: FloatArray
    bias: FloatArray
    activation: Any


def check_method(method: Any, order: Any) -> None:
    """Raise ValueError unless the method is known and the order an integer in range."""
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"method={method!r} must be one of {', '.join(map(repr, METHODS))}.")
    whole = is_whole(order)
    if not whole or not 1 <= order <= MAX_ORDER:
        raise ValueError(f"order={order!r} must be a positive integer, at most {MAX_ORDER}.")


def check_input(
    input_covariance: ArrayLike, input_mean: ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    """Return the covariance of the inputs (a matrix or a diagonal) and their mean."""
    covariance = check_covariance(input_covariance, "input_covariance")
    if input_mean is None:
        return covariance, np.zeros(len(covariance))
    mean = real_array(input_mean, "input_mean")
    if mean.shape != (len(covariance),) or not np.all(np.isfinite(mean)):
        raise ValueError(
            f"input_mean must be finite, of shape ({len(covariance)},) as input_covariance has it; "
            f"got shape {mean.shape}."
        )
    return covariance, mean


def check_layers(
    weights: Any, activations: Any, biases: Any, width: int, prefix: str
) -> list[Layer]:
    """Return the layers of a network; `prefix` is that of the arguments in messages.

    Raises
    ------
    ValueError
        If widths do not chain, counts differ, or an array is not finite.
    TypeError
        If an activation is neither a name nor callable.
    """
    if not isinstance(weights, Sequence) or not len(weights):
        raise ValueError(
            f"{prefix}weights must be a list of one array for each layer; got "
            f"{type(weights).__name__}{' of length 0' if isinstance(weights, Sequence) else ''}."
        )
    functions = one_per_layer(activations, len(weights), f"{prefix}activations")
    several = isinstance(biases, Sequence) or (isinstance(biases, np.ndarray) and biases.ndim > 0)
    if biases is not None and not several:
        raise TypeError(
            f"{prefix}biases={biases!r} must be a list of one array, or None, for each layer."
        )
    offsets = [None] * len(weights) if biases is None else list(biases)
    if len(offsets) != len(weights):
        raise ValueError(
            f"{prefix}biases has {len(offsets)} entries, but {prefix}weights has {len(weights)} "
            "layers; give one array, or None, for each."
        )
    layers = []
    for number, (matrix, function, offset) in enumerate(
        zip(weights, functions, offsets, strict=True)
    ):
        name = f"{prefix}weights[{number}]"
        values = real_array(matrix, name)
        if values.ndim != 2 or values.shape[1] != width or not len(values):
            raise ValueError(
                f"{name} must have shape (units, {width}), as wide as what comes before it; got "
                f"{values.shape}."
            )
        bias = np.zeros(len(values))
        if offset is not None:
            bias = real_array(offset, f"{prefix}biases[{number}]")
        if bias.shape != (len(values),):
            raise ValueError(
                f"{prefix}biases[{number}] must have shape ({len(values)},), one entry for each "
                f"row of {name}; got {bias.shape}."
            )
        if not np.all(np.isfinite(values)) or not np.all(np.isfinite(bias)):
            raise ValueError(f"{name} and its biases must be finite; got NaN or infinity.")
        layers.append(Layer(values, bias, function))
        width = len(values)
    return layers


def one_per_layer(activations: Any, depth: int, name: str) -> list[Any]:
    """Return one activation for each layer, names looked up."""
    given = list(activations) if isinstance(activations, list | tuple) else [activations] * depth
    if len(given) != depth:
        raise ValueError(
            f"{name} has {len(given)} entries for {depth} layers; give one for each, or a single "
            "activation for all."
        )
    found = [resolve("activations", item) for item in given]
    for item, function in zip(given, found, strict=True):
        if isinstance(function, type) or not callable(function):
            raise TypeError(
                f"{name} holds {item!r}, which is neither the name of an activation nor a function "
                "of an array."
            )
    return found


def check_paired_rows(paired_rows: Any, layers: list[Layer], teacher: list[Layer]) -> list[int]:
    """Return the number of paired rows of each layer that both networks have."""
    most = [min(len(a.weights), len(b.weights)) for a, b in zip(layers, teacher, strict=False)]
    if paired_rows is None:
        return most
    if not teacher:
        raise ValueError(
            f"paired_rows={paired_rows!r} needs teacher_weights: pairs are of rows of weights and "
            "rows of teacher_weights."
        )
    single = paired_rows
    if isinstance(paired_rows, np.ndarray) and paired_rows.ndim == 0:
        single = paired_rows.item()
    several = isinstance(single, (Sequence, np.ndarray)) and not isinstance(single, str)
    given = list(single) if several else [single] * len(most)
    if len(given) != len(most):
        raise ValueError(
            f"paired_rows has {len(given)} entries, but {len(most)} layers are common to weights "
            "and teacher_weights; give one for each, or a single int."
        )
    for number, (count, limit) in enumerate(zip(given, most, strict=True)):
        if not isinstance(count, (int, np.integer)) or isinstance(count, bool):
            raise TypeError(f"paired_rows={paired_rows!r} must be an int, or a sequence of ints.")
        if not 0 <= count <= limit:
            raise ValueError(
                f"paired_rows={paired_rows!r} pairs {count} rows in layer {number}, but "
                f"weights[{number}] has {len(layers[number].weights)} rows and "
                f"teacher_weights[{number}] has {len(teacher[number].weights)}; the count must lie "
                f"between 0 and {limit}."
            )
    return [int(count) for count in given]
