"""Checks of the laws of weights: covariances of rows, and between paired rows of two networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sk_deepfeat.theory.matrices import check_covariance, check_definite
from sk_deepfeat.theory.networks.rainbow_arguments import one_per_layer
from sk_deepfeat.theory.validation import FloatArray

RowLaws = list[tuple[FloatArray, Any]]

_NO_PAIR = (
    "{name} is impossible: with the covariances of the rows of both networks it makes a matrix "
    "whose lowest eigenvalue is {lowest:.6g}; it must not be negative."
)


def check_row_laws(covariances: Any, activations: Any, width: int, prefix: str) -> RowLaws:
    """Return (C_l, activation) of every layer, checked; `prefix` is that of the arguments."""
    name = f"{prefix}weight_covariances"
    if not isinstance(covariances, Sequence) or not len(covariances):
        raise ValueError(f"{name} must be a list of one array for each layer.")
    checked = [check_covariance(c, f"{name}[{i}]") for i, c in enumerate(covariances)]
    if len(checked[0]) != width:
        raise ValueError(
            f"{name}[0] has {len(checked[0])} rows, but input_covariance has {width}; they must "
            "agree."
        )
    functions = one_per_layer(activations, len(checked), f"{prefix}activations")
    return list(zip(checked, functions, strict=True))


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
    if len(given) != len(shapes):
        raise ValueError(
            f"cross_weight_covariances has {len(given)} entries for {len(shapes)} layers."
        )
    matrices = []
    for number, (matrix, shape) in enumerate(zip(given, shapes, strict=True)):
        values = np.asarray(matrix, dtype=np.float64)
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
