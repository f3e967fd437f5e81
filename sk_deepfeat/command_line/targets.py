"""Targets: numbers or classes, and which cannot be used."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.command_line.column_kinds import on_one_line
from sk_deepfeat.rows import look_like_classes, target_kind

_MOST_LABELS = 0.5  # different ones, of the rows


def as_targets(y: Any, named: str, task: str) -> tuple[NDArray[Any], bool]:
    """Return floats, or labels of classes, and whether they are classes.

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, t)
        As it was read.
    named : str
        What messages call it.
    task : {"auto", "classification", "regression"}
        "auto" takes strings, booleans, and integers of two values, or of at most 20 without a gap,
        for classes.

    Raises
    ------
    ValueError
        If they are no such targets, or any is missing or infinite.
    """
    y = np.asarray(y)
    of_classes = task == "classification" or (task == "auto" and _are_classes(y))
    if y.dtype.kind not in ("biufUS" if of_classes else "biuf"):
        texts = y.size and y.dtype.kind in "OUS"
        example = f" such as {on_one_line(np.ravel(y)[0])}" if texts else ""
        raise ValueError(
            f"{named} must be real numbers for --task {task}, but it holds text{example}; "
            "--task classification takes labels."
            if task == "regression"
            else f"{named} must be real numbers or labels, but it holds {y.dtype}{example}."
        )
    if y.ndim not in ((1,) if of_classes else (1, 2)):
        raise ValueError(
            f"{named} of shape {y.shape} must have one axis for classes, one or two for numbers."
        )
    if y.shape[1:] == (0,):
        raise ValueError(f"{named} of shape {y.shape} has no column; there is nothing to predict.")
    if y.dtype.kind == "f":
        wrong = ~np.isfinite(y)
        if np.any(wrong):
            rows = np.flatnonzero(wrong.reshape(len(y), -1).any(axis=1))
            raise ValueError(
                f"{named} is missing or infinite in {rows.size:,} of {len(y):,} rows, the first "
                f"in row {rows[0] + 1}; leave these rows out: they teach nothing."
            )
    if not of_classes:
        return y.astype(np.float64), False
    labels = _as_labels(y, named)
    different = np.unique(labels).size
    if different > _MOST_LABELS * len(labels):
        raise ValueError(
            f"{named} holds {different:,} different labels in {len(labels):,} rows, too many for "
            "an error rate: most have one row. If it is a number, pass --task regression."
        )
    return labels, True


def check_targets(y: NDArray[Any], named: str) -> None:
    """Raise ValueError if targets, or one column of them, have one value alone."""
    if np.any(np.all(y == y[:1], axis=0)):
        value = np.ravel(y[0])[0]
        raise ValueError(f"{named} is constant, {on_one_line(value)}; there is nothing to predict.")


def _are_classes(y: NDArray[Any]) -> bool:
    """Say whether targets are labels, or integers that look like them."""
    kind = target_kind(y)
    if y.ndim != 1 or kind == "numbers":
        return False
    if kind in ("strings", "booleans"):
        return True
    return np.unique(y).size == 2 or look_like_classes(kind, y)


def _as_labels(y: NDArray[Any], named: str) -> NDArray[Any]:
    """Return labels that no feature map takes for numbers."""
    if y.dtype.kind == "S":
        return y.astype(str)
    if y.dtype.kind != "f":
        return y
    if np.any(y != np.round(y)):
        raise ValueError(
            f"{named}: --task classification needs labels, but it holds numbers such as "
            f"{y[y != np.round(y)][0]:g}."
        )
    return y.astype(np.int64)
