"""Tables from files: CSV, TSV and Parquet, through pandas."""

from __future__ import annotations

import argparse
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from sk_deepfeat.array_files import most_bytes
from sk_deepfeat.command_line.column_kinds import (
    CATEGORY,
    LEFT_OUT,
    as_text,
    column_of,
    is_numeric,
    refuse_dates,
    refuse_mixed,
)
from sk_deepfeat.command_line.found_rows import FoundRows
from sk_deepfeat.command_line.names import listed, require_name
from sk_deepfeat.command_line.text_tables import read_text

_TEXT = tuple(f"{kind}{packed}" for kind in (".csv", ".tsv", ".txt") for packed in ("", ".gz"))
_PARQUET = (".parquet", ".pq")
_CELL = 8  # bytes
_SHEETS = (".xlsx", ".xls", ".ods")


def is_table_file(path: Path) -> bool:
    """Say whether a file's name is that of a table; refuse sheets, which must be saved as one."""
    if path.name.lower().endswith(_SHEETS):
        raise ValueError(f"{path}: sheets cannot be read; save the table as CSV.")
    return path.name.lower().endswith((*_TEXT, *_PARQUET))


def read_table(path: Path, arguments: argparse.Namespace) -> FoundRows:
    """Read the rows of a table.

    Parameters
    ----------
    path : Path
        A CSV, TSV or Parquet file.
    arguments : Namespace
        ``target``, ``groups``, ``weights`` and ``drop`` name columns.

    Raises
    ------
    ValueError
        If it cannot be read, lacks a column, or a column cannot be used.
    ImportError
        If pandas, or for Parquet pyarrow, is missing.
    """
    frame, notes = _read(path)
    names = [str(name) for name in frame.columns]
    frame.columns = names
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"{path} gives more than one column the same name: {listed(twice)}; give each its own."
        )
    if not len(frame):
        raise ValueError(f"{path} has a header, {listed(names)}, and no rows.")
    if arguments.target is None:
        raise ValueError(
            f"{path}: which column is to be predicted? --target NAME, one of {listed(names, 30)}."
        )
    roles = {"target": arguments.target, "groups": arguments.groups, "weights": arguments.weights}
    given = [(f"--{role}", name) for role, name in roles.items() if name is not None]
    for option, name in [*given, *(("--drop", name) for name in arguments.drop)]:
        require_name(name, names, option, str(path), "column")
    taken = [name for _, name in given]
    if len(set(taken)) < len(taken):
        raise ValueError(f"--target, --groups and --weights name a column twice: {listed(taken)}.")
    if arguments.target in arguments.drop:
        raise ValueError(f"--drop {arguments.target}: this column is the target.")
    y = _target(frame[arguments.target], path)
    columns = [column_of(frame[name]) for name in names if name not in {*taken, *arguments.drop}]
    used = {column.name: column.kind for column in columns if column.kind != LEFT_OUT}
    if not used:
        left = f" ({'; '.join(f'{c.name}: {c.treatment}' for c in columns)})" if columns else ""
        raise ValueError(
            f"{path} has no column to predict {arguments.target} from{left}; its columns are "
            f"{listed(names)}."
        )
    import pandas as pd

    X = pd.DataFrame(
        {
            name: as_text(frame[name]) if kind == CATEGORY else _floats(frame[name])
            for name, kind in used.items()
        }
    )
    return FoundRows(
        X,
        y,
        True,
        arguments.target,
        None if arguments.groups is None else _labels(frame[arguments.groups]),
        None if arguments.weights is None else _weights(frame[arguments.weights]),
        columns,
        notes,
    )


def _read(path: Path) -> tuple[Any, list[str]]:
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            f'{path}: tables need pandas and pyarrow: pip install "sk-deepfeat[tables]"'
        ) from error
    if not path.name.lower().endswith(_PARQUET):
        return read_text(path)
    try:
        from pyarrow import parquet

        claimed = parquet.read_metadata(path)
        needed = claimed.num_rows * claimed.num_columns * _CELL
        if needed <= most_bytes(path):
            frame = pd.read_parquet(path).reset_index(drop=True)
    except ImportError as error:
        raise ImportError(
            f'{path}: Parquet needs pyarrow: pip install "sk-deepfeat[tables]"'
        ) from error
    except Exception as error:
        raise ValueError(f"{path} cannot be read as Parquet: {error}") from error
    if needed > most_bytes(path):
        raise ValueError(
            f"{path} claims {claimed.num_rows:,} rows of {claimed.num_columns:,} columns, too many "
            "for a file of its size; write it with compression='none' if they are meant."
        )
    for name in [name for name in frame.columns if frame[name].dtype.kind == "O"]:
        present = frame[name].dropna()
        if len(present) and all(isinstance(value, Decimal) for value in present):
            frame[name] = frame[name].astype(np.float64)
    return frame, []


def _target(series: Any, path: Path) -> Any:
    """Return numbers, integers or strings; refuse missing ones, dates and mixtures."""
    from pandas.api import types

    name, missing = str(series.name), np.flatnonzero(series.isna())
    if missing.size:
        raise ValueError(
            f"{path}: the target {name!r} is missing in {missing.size:,} of {len(series):,} rows, "
            f"the first in row {missing[0] + 1}; leave these rows out: they teach nothing."
        )
    remedy = "predict a number in its place, such as days since a day"
    refuse_dates(series, name, f"{path}: the target", remedy)
    if types.is_bool_dtype(series):
        return series.to_numpy(dtype=bool)
    if is_numeric(series):
        whole = types.is_integer_dtype(series)
        return series.to_numpy(dtype=np.int64 if whole else np.float64)
    texts = as_text(series)
    refuse_mixed(texts, name, f"{path}: the target")
    if texts.nunique() == len(texts) > 1:
        raise ValueError(
            f"{path}: the target {name!r} holds text that is different in every row, such as "
            f"{texts.iloc[0]!r:.40}; a target is a number or one of several classes."
        )
    return texts.to_numpy(dtype=str)


def _floats(series: Any) -> Any:
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def _labels(series: Any) -> Any:
    """Return labels of groups; where any is missing as objects, which are refused later."""
    if is_numeric(series):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    texts = as_text(series)
    if texts.isna().any():
        return np.where(texts.isna(), np.nan, texts).astype(object)
    return texts.to_numpy(dtype=str)


def _weights(series: Any) -> Any:
    return _floats(series) if is_numeric(series) else as_text(series).to_numpy(dtype=object)
