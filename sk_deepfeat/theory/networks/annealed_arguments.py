"""Checks of the laws of weights: covariances of rows, and between paired rows of two networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sk_deepfeat.theory.matrices import check_covariance, check_definite
from sk_deepfeat.theory.networks.rainbow_arguments import one_per_layer
from sk_deepfeat.theory.validation import (
    MOST_UNITS,
    FloatArray,
    axes_of,
    is_real,
    is_whole,
    real_array,
)
from sk_deepfeat.theory.weight_spectra import power_law_spectrum

RowLaws = list[tuple[FloatArray, Any]]

_NO_PAIR = (
    "{name} is impossible: with the covariances of the rows of both networks it makes a matrix "
    "whose lowest eigenvalue is {lowest:.6g}; it must not be negative."
)


def check_row_laws(
    covariances: Any,
    activations: Any,
    width: int,
    prefix: str,
    hidden_layer_sizes: Sequence[int] | None = None,
) -> RowLaws:
    """Return (C_l, activation) of every layer, checked; `prefix` is that of the arguments.

    With the widths of the layers, C_l may be what `RandomDeepFeatures` takes.
    """
    name = f"{prefix}weight_covariances"
    if hidden_layer_sizes is not None:
        covariances = _written_out(covariances, [width, *hidden_layer_sizes[:-1]], name)
    if not isinstance(covariances, Sequence) or not len(covariances):
        raise ValueError(
            f"{name} must be a list of one array for each layer; None, an exponent, or one array "
            "for all layers needs hidden_layer_sizes, as of RandomDeepFeatures."
        )
    for number, entry in enumerate(covariances):
        if entry is None or axes_of(entry) == 0:
            raise ValueError(
                f"{name}[{number}]={entry!r} is no array: None and an exponent need the widths of "
                "the layers, hidden_layer_sizes."
            )
    checked = [check_covariance(c, f"{name}[{i}]") for i, c in enumerate(covariances)]
    if len(checked[0]) != width:
        raise ValueError(
            f"{name}[0] has {len(checked[0])} rows, but input_covariance has {width}; they must "
            "agree."
        )
    functions = one_per_layer(activations, len(checked), f"{prefix}activations")
    return list(zip(checked, functions, strict=True))


def check_hidden_layer_sizes(sizes: Any) -> list[int]:
    """Return the widths of the layers, one number standing for one layer."""
    try:
        given = [sizes] if axes_of(sizes) == 0 else list(sizes)
    except TypeError:  # of what is neither a number nor a sequence
        given = []
    whole = [is_whole(s) for s in given]
    if not given or not all(whole) or min(given) < 1:
        raise ValueError(
            f"hidden_layer_sizes={sizes!r} must be a positive integer or a sequence of them."
        )
    if max(given) > MOST_UNITS:
        raise ValueError(f"hidden_layer_sizes must be at most {MOST_UNITS:,}.")
    return [int(size) for size in given]


def _written_out(covariances: Any, fan_ins: list[int], name: str) -> list[FloatArray]:
    """Return the array that each entry of a shorthand stands for; one entry serves all layers."""
    each = isinstance(covariances, list | tuple)
    given = list(covariances) if each else [covariances] * len(fan_ins)
    if len(given) != len(fan_ins):
        raise ValueError(
            f"{name} is a list of {len(given)} entries, but hidden_layer_sizes describes "
            f"{len(fan_ins)} layers; give one entry per layer."
        )
    found = []
    for number, (entry, fan_in) in enumerate(zip(given, fan_ins, strict=True)):
        label = f"{name}[{number}]" if each else name
        if callable(entry):
            raise TypeError(
                f"{label} is a function of drawn weights, which there are none of here; give a "
                "covariance, or draw: RandomDeepFeatures and LinearizedPopulation."
            )
        if entry is None:
            entry = np.full(fan_in, 1.0 / fan_in)
        elif is_real(entry):
            entry = power_law_spectrum(float(entry), fan_in, label)
        array = real_array(entry, label)
        if array.ndim == 0 or array.shape not in {(fan_in,), (fan_in, fan_in)}:
            raise ValueError(
                f"{label} must be None, an exponent, or an array of shape ({fan_in},) or "
                f"({fan_in}, {fan_in}), as the layer has {fan_in} inputs; got {entry!r}."
            )
        found.append(array)
    return found


def check_cross_covariances(given: Any, laws: RowLaws, teacher_laws: RowLaws) -> list[FloatArray]:
    """Return Č_l of every layer as matrices that some pair of rows of these laws has."""
    if len(teacher_laws) != len(laws):
        raise ValueError(
            f"teacher_weight_covariances has {len(teacher_laws)} entries, but weight_covariances "
            f"has {len(laws)}; give as many."
        )
    pairs = [(row, other) for (row, _), (other, _) in zip(laws, teacher_laws, strict=True)]
    matrices = _cross_matrices(given, [(len(row), len(other)) for row, other in pairs])
    for number, ((row, other), cross) in enumerate(zip(pairs, matrices, strict=True)):
        _check_joint(row, other, cross, f"cross_weight_covariances[{number}]")
    return matrices


def _cross_matrices(given: Any, shapes: list[tuple[int, int]]) -> list[FloatArray]:
    several = isinstance(given, Sequence) or (isinstance(given, np.ndarray) and given.ndim > 0)
    if not several or isinstance(given, str):
        raise ValueError(
            "cross_weight_covariances must be a list of one array for each layer; got "
            f"{type(given).__name__}."
        )
    if len(given) != len(shapes):
        raise ValueError(
            f"cross_weight_covariances has {len(given)} entries for {len(shapes)} layers."
        )
    matrices = []
    for number, (matrix, shape) in enumerate(zip(given, shapes, strict=True)):
        values = real_array(matrix, f"cross_weight_covariances[{number}]")
        values = np.diag(values) if values.ndim == 1 else values
        if values.shape != shape or not np.all(np.isfinite(values)):
            raise ValueError(
                f"cross_weight_covariances[{number}] must be finite, of shape {shape}; got "
                f"{values.shape}."
            )
        matrices.append(values)
    return matrices


def _check_joint(covariance: FloatArray, other: FloatArray, cross: FloatArray, name: str) -> None:
    """Raise unless [[C, Č], [Čᵀ, C̃]] is positive semi-definite."""
    first, second = (np.diag(c) if c.ndim == 1 else c for c in (covariance, other))
    joint = np.block([[first, cross], [cross.T, second]])
    tolerance = 1e-10 * max(np.abs(first).max(), np.abs(second).max())
    check_definite(joint, tolerance, name, _NO_PAIR)
