"""Arrays of an .npz file as rows: X and y, unless others are named."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.array_files import ArrayFileError, NpzFile
from sk_deepfeat.command_line.found_rows import FoundRows
from sk_deepfeat.command_line.names import listed, require_name

_INPUTS, _TARGETS = "X", "y"


def read_npz(path: Path, arguments: argparse.Namespace) -> FoundRows:
    """Read the arrays of rows.

    Parameters
    ----------
    path : Path
        An .npz file.
    arguments : Namespace
        ``target`` (None is "y"), ``groups`` and ``weights`` name arrays; ``drop`` must be empty.

    Raises
    ------
    ValueError
        If it cannot be read, lacks an array, or arrays do not fit each other.
    """
    if arguments.drop:
        raise ValueError(
            f"--drop {listed(arguments.drop)}: the columns of X in {path} have no names; save X "
            "without them, or a table (.csv, .parquet)."
        )
    target = arguments.target or _TARGETS
    try:
        with NpzFile(path) as arrays:
            keys = arrays.names
            wanted = (_INPUTS, _TARGETS) if arguments.target is None else (_INPUTS,)
            if missing := [name for name in wanted if name not in keys]:
                raise ValueError(
                    f"{path} must hold arrays named {' and '.join(wanted)}; there is no "
                    f"{' nor '.join(missing)}, but {listed(keys) or 'none at all'}."
                    + (" --target names another y." if missing == [_TARGETS] else "")
                )
            X = _array(arrays, _INPUTS, "", path)
            y = _array(arrays, target, "--target ", path)
            groups = _array(arrays, arguments.groups, "--groups ", path)
            weights = _array(arrays, arguments.weights, "--weights ", path)
    except (ArrayFileError, OSError) as error:
        raise ValueError(f"{path} cannot be read as an .npz file: {error}.") from error
    if X.ndim < 2 or y.ndim == 0 or len(X) != len(y):
        raise ValueError(f"{path}: X needs one row per target; got shapes {X.shape} and {y.shape}.")
    if 0 in X.shape[1:]:
        raise ValueError(f"{path}: X of shape {X.shape} has no feature to predict from.")
    if X.dtype.kind not in "biuf":
        raise ValueError(f"{path}: X must be real numbers; it holds {X.dtype}.")
    is_table = X.ndim == 2
    X = X.reshape(len(X), -1)
    notes = _check_finite(X, path, is_table)
    return FoundRows(X, y, is_table, target, groups, weights, [], notes)


def _array(arrays: NpzFile, name: str | None, option: str, path: Path) -> Any:
    if name is None:
        return None
    require_name(name, arrays.names, option.strip(), str(path), "array")
    try:
        return arrays.read(name)
    except ArrayFileError as error:
        raise ValueError(f"{path}: {option}{error}.") from error


def _check_finite(X: NDArray[Any], path: Path, is_table: bool) -> list[str]:
    """Refuse what is infinite, and in images what is missing; tell which columns are filled."""
    if X.dtype.kind != "f" or np.all(np.isfinite(X)):
        return []
    infinite, missing = np.isinf(X).sum(axis=0), np.isnan(X).sum(axis=0)
    wrong, what = (infinite, "infinite") if infinite.any() else (missing, "missing (NaN)")
    columns = np.flatnonzero(wrong)
    where = f"column {columns[0]} of X has {wrong[columns[0]]:,} {what} values"
    more = f", and so have {columns.size - 1} others" if columns.size > 1 else ""
    if infinite.any() or not is_table or np.all(np.isnan(X)):
        raise ValueError(f"{path}: X must be finite; {where}{more}.")
    return [f"{where}{more}: filled with the median, and marked by a column of its own"]
