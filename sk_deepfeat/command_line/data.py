"""The data that a command is run on: digits, MNIST, or the user's own table or arrays."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from sk_deepfeat.command_line.column_kinds import Column
from sk_deepfeat.command_line.npz_arrays import read_npz
from sk_deepfeat.command_line.tables import is_table_file, read_table
from sk_deepfeat.command_line.targets import as_targets, check_targets
from sk_deepfeat.rows import check_groups

BUILT_IN = ("digits", "mnist")
LEAST_ROWS = 50
_KINDS_OF_FILES = "a .csv, .tsv, .txt, .parquet or .npz file"


@dataclass
class Data:
    """Rows as a model is fitted to them.

    The columns of a table have units of their own; the pixels of images share one.
    """

    X: Any
    """ndarray of shape (n, p), or a data frame of floats and strings."""
    y: NDArray[Any]
    """Numbers of shape (n,) or (n, t), or labels of shape (n,)."""
    is_table: bool
    groups: NDArray[Any] | None = None
    of_classes: bool = False
    weights: NDArray[np.float64] | None = None
    columns: list[Column] = field(default_factory=list)
    """Of a data frame, and what is done to each; those that are left out, too."""
    target: str = "y"
    notes: list[str] = field(default_factory=list)
    """What was done while reading that a user should know."""


def load(arguments: argparse.Namespace) -> Data:
    """Load what the user named.

    Parameters
    ----------
    arguments : Namespace
        ``data``: "digits", "mnist", or a file: a table (.csv, .tsv, .txt, .parquet), or .npz with
        arrays X and y, X of two axes for a table and of more for images. ``target``, ``groups``,
        ``weights`` and ``drop`` name columns or arrays of it. ``task`` says what the target is:
        "auto" takes strings, booleans, and integers of two values, or of at most 20 without a gap,
        for classes. The parity of digits is -1.0 and 1.0, or of classes "even" and "odd".
        ``data_home`` holds ``MNIST/raw``.

    Returns
    -------
    Data

    Raises
    ------
    ValueError
        If there is no such data, or it cannot be used; the message names it.
    """
    name = arguments.data
    if name in BUILT_IN:
        return _built_in(arguments)
    path = Path(name)
    if path.suffix != ".npz" and not is_table_file(path):
        raise ValueError(f"{name!r} is not 'digits', 'mnist' or {_KINDS_OF_FILES}.")
    if not path.is_file():
        raise ValueError(f"{name}: there is no such file.")
    if path.suffix == ".npz":
        found = read_npz(path, arguments)
    else:
        found = read_table(path, arguments)
    named = f"{name}: {found.target_name}"
    y, of_classes = as_targets(found.y, named, arguments.task)
    X, groups, weights = found.X, found.groups, found.weights
    if len(X) < LEAST_ROWS:
        raise ValueError(
            f"{name} has {len(X)} rows, which are too few; at least {LEAST_ROWS} are needed."
        )
    check_targets(y, named)
    if groups is not None:
        try:
            check_groups(groups, len(y), warn=False)
        except ValueError as error:
            raise ValueError(f"--groups {arguments.groups}: {error}") from error
    data = Data(
        X,
        y,
        found.is_table,
        groups,
        of_classes,
        weights,
        found.columns,
        found.target_name,
        found.notes,
    )
    return data if weights is None else _of_positive_weight(data, arguments.weights)


def _built_in(arguments: argparse.Namespace) -> Data:
    name = arguments.data
    given = {option: getattr(arguments, option) for option in ("target", "groups", "weights")}
    for option, value in given.items():
        if value is not None:
            has = "has its parity for a target" if option == "target" else f"has no {option}"
            raise ValueError(
                f"--{option} {value}: {name} {has}; {option} name a column of a table, or an "
                "array of an .npz file."
            )
    if name == "digits":
        digits = load_digits()
        return _of_parity(digits.data / 16.0, digits.target % 2 == 0, arguments.task)
    from sk_deepfeat.datasets import load_mnist_parity

    X, y = load_mnist_parity(data_home=arguments.data_home, return_X_y=True)
    return _of_parity(X, y > 0, arguments.task)


def _of_parity(X: NDArray[Any], even: NDArray[np.bool_], task: str) -> Data:
    if task == "classification":
        return Data(X, np.where(even, "even", "odd"), False, of_classes=True)
    return Data(X, np.where(even, 1.0, -1.0), False)


def _of_positive_weight(data: Data, name: str) -> Data:
    """Leave out rows of weight zero, which count for nothing, or refuse weights."""
    weights = np.asarray(data.weights)
    if weights.dtype.kind not in "biuf" or weights.shape != (len(data.y),):
        raise ValueError(f"--weights {name} must hold one number for each row.")
    weights = weights.astype(np.float64)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if wrong.size:
        raise ValueError(
            f"--weights {name} holds {wrong.size} values that are missing, infinite or negative, "
            f"the first in row {wrong[0] + 1}; weights are numbers of at least 0."
        )
    kept = weights > 0
    data.weights = weights
    if np.all(kept):
        return data
    if kept.sum() < LEAST_ROWS:
        raise ValueError(
            f"--weights {name}: {kept.sum()} rows have a weight above 0, which are too few; at "
            f"least {LEAST_ROWS} are needed."
        )
    data.X = data.X[kept]
    data.y, data.weights = data.y[kept], weights[kept]
    data.groups = None if data.groups is None else data.groups[kept]
    data.notes.append(f"{np.sum(~kept):,} rows of weight 0 are left out")
    check_targets(data.y, data.target)
    return data
