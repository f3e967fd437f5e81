"""Blocks of rows as an accumulator takes them: numbers, finite, of shapes that fit each other."""

from __future__ import annotations

import operator
import reprlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory.validation import MOST_SAMPLES, FloatArray, real_array


def checked_shapes(X: ArrayLike, y: ArrayLike, block: str) -> tuple[NDArray[Any], FloatArray]:
    """Return features, in single or double precision, and targets, or raise ValueError."""
    rows = X if getattr(X, "dtype", None) == np.float32 else real_array(X, "X")
    rows = np.asarray(rows)
    targets = real_array(y, "y")
    targets = targets.reshape(-1, 1) if targets.ndim == 1 else targets
    if rows.ndim != 2 or targets.ndim != 2 or len(rows) != len(targets):
        raise ValueError(
            f"{block}: X and y must have one row per sample; got shapes {rows.shape} and "
            f"{targets.shape}."
        )
    if rows.shape[1] == 0 or targets.shape[1] == 0:
        raise ValueError(f"{block}: X and y must have at least one column.")
    return rows, targets


def checked_weights(sample_weight: ArrayLike | None, n_rows: int, block: str) -> FloatArray | None:
    """Return one weight for every row, or raise ValueError."""
    if sample_weight is None:
        return None
    weights = real_array(sample_weight, "sample_weight")
    weights = np.full(n_rows, float(weights)) if weights.ndim == 0 else weights
    if weights.shape != (n_rows,) or not np.all(np.isfinite(weights)) or np.any(weights < 0):
        raise ValueError(
            f"{block}: sample_weight must hold one weight per row, finite and not negative; "
            f"got shape {weights.shape} for {n_rows} rows."
        )
    if np.any(weights > MOST_SAMPLES):
        raise ValueError(
            f"{block}: sample_weight must be at most {MOST_SAMPLES:g}; got "
            f"{float(weights.max())!r}; divide weights and alpha by the same number."
        )
    return weights


def check_finite(values: NDArray[Any], name: str) -> None:
    """Raise ValueError, naming the column, unless all is finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = values.sum()
    if np.isfinite(total):
        return
    wrong = ~np.isfinite(values).all(axis=0)
    if np.any(wrong):
        column = int(np.argmax(wrong))
        row = int(np.argmax(~np.isfinite(values[:, column])))
        what = "NaN" if np.isnan(values[row, column]) else "infinity"
        raise ValueError(
            f"{name} must be finite; column {column} has {what} in row {row} of the block."
        )


def check_count(value: Any, name: str) -> int:
    """Return a whole number that is not negative, or raise ValueError."""
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if not 0 <= number <= np.iinfo(np.intp).max or isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name}={reprlib.repr(value)} must be a whole number, not negative.")
    return number
