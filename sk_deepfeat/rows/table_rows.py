"""Rows from tables with named columns: Parquet files, and what pyarrow has opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.rows.array_rows import PART_ENTRIES, is_path
from sk_deepfeat.rows.blocks import BLOCK_ENTRIES, LEAST_ROWS, RowBlock, RowSource

_NAMES_SHOWN = 10
_SUFFIXES = (".parquet", ".pq")


class _Columns(NamedTuple):
    """Which columns are what."""

    features: list[str]
    targets: list[str]
    single: bool
    weight: str | None
    group: str | None
    dtype: Any

    @property
    def all(self) -> list[str]:
        """Return every column that is read."""
        others = [name for name in (self.weight, self.group) if name is not None]
        return [*self.features, *self.targets, *others]

    def block(self, batch: Any) -> RowBlock:
        """Return a block from a batch of pyarrow."""
        y = _numbers(batch, self.targets, np.float64)
        weight = _numbers(batch, [self.weight], np.float64)[:, 0] if self.weight else None
        X = _numbers(batch, self.features, self.dtype)
        groups = None
        if self.group:
            groups = batch.column(self.group).to_numpy(zero_copy_only=False)
        return RowBlock(X, y[:, 0] if self.single else y, weight, groups)

    @property
    def n_rows_at_once(self) -> int:
        return max(LEAST_ROWS, BLOCK_ENTRIES // len(self.features))


def is_parquet(values: Any) -> bool:
    """Say whether a path names a Parquet file or a folder of them."""
    if not is_path(values):
        return False
    path = Path(values)
    return path.suffix in _SUFFIXES or (path.is_dir() and path.suffix != ".zarr")


def table_source(X: Any, y: Any, sample_weight: Any, groups: str | None = None) -> RowSource:
    """Return blocks of a table.

    Parameters
    ----------
    X : path, sequence of paths, pyarrow.Table or pyarrow.dataset.Dataset
        Parquet files, folders of them, or an open table.
    y : str or sequence of str
        Names of the columns of the targets.
    sample_weight : str, optional
        Name of the column of the weights.
    groups : str, optional
        Name of the column of the groups' labels, numbers or not.

    Returns
    -------
    RowSource
        Features are all other columns, in their order. Workers read files that are given by path.
    """
    try:
        import pyarrow
        import pyarrow.dataset
    except ImportError as error:
        raise ImportError(
            'Parquet needs pyarrow; install it with pip install "sk-deepfeat[tables]".'
        ) from error
    _check_names(y, sample_weight)
    if is_path(X) or isinstance(X, (list, tuple)):
        return _file_source([X] if is_path(X) else X, y, sample_weight, groups)
    if isinstance(X, pyarrow.Table):
        X = pyarrow.dataset.dataset(X)
    if not isinstance(X, pyarrow.dataset.Dataset):
        raise TypeError(f"X must be a pyarrow Dataset or Table; got {type(X).__name__}.")
    columns = _columns(X.schema, y, sample_weight, groups, "the table")

    def blocks() -> Iterator[RowBlock]:
        for batch in X.to_batches(columns=columns.all, batch_size=columns.n_rows_at_once):
            yield columns.block(batch)

    return _source(blocks, int(X.count_rows()), columns, None)


def _source(
    blocks: Callable[[], Iterable[RowBlock]],
    n_rows: int,
    columns: _Columns,
    parts: Sequence[Any] | None,
) -> RowSource:
    if n_rows == 0:
        raise ValueError("The table has no rows.")
    return RowSource(
        blocks,
        n_rows,
        len(columns.features),
        parts=parts,
        has_weights=columns.weight is not None,
        feature_names=columns.features,
        has_groups=columns.group is not None,
    )


def _file_source(given: Sequence[Any], y: Any, sample_weight: Any, groups: str | None) -> RowSource:
    files = [file for path in given for file in _files(Path(path))]
    columns: _Columns | None = None
    parts: list[Any] = []
    n_rows = 0
    for file in files:
        opened = _opened(file)
        found = _columns(opened.schema_arrow, y, sample_weight, groups, f"{str(file)!r}")
        if columns is None:
            columns = found
        elif set(found.features) != set(columns.features):
            odd = sorted(set(found.features) ^ set(columns.features))
            raise ValueError(
                f"{str(file)!r} and {str(files[0])!r} differ in columns: one alone has {odd[0]!r}."
            )
        elif found.dtype != columns.dtype:
            raise ValueError(
                f"{str(file)!r} has features of {np.dtype(found.dtype)}, {str(files[0])!r} of "
                f"{np.dtype(columns.dtype)}; cast all of them to one precision."
            )
        sizes = [opened.metadata.row_group(k).num_rows for k in range(opened.num_row_groups)]
        n_rows += sum(sizes)
        for some in _gathered(sizes, max(1, PART_ENTRIES // len(columns.features))):
            parts.append(partial(_read_part, str(file), some, columns))
    assert columns is not None  # a folder without files is refused

    def blocks() -> Iterator[RowBlock]:
        for part in parts:
            yield from part()

    return _source(blocks, n_rows, columns, parts)


def _read_part(file: str, groups: list[int], columns: _Columns) -> Iterator[RowBlock]:
    """Yield some row groups of a file, opened where this is called."""
    opened = _opened(Path(file))
    batches = opened.iter_batches(
        batch_size=columns.n_rows_at_once, row_groups=groups, columns=columns.all
    )
    for batch in batches:
        yield columns.block(batch)


def _gathered(sizes: list[int], most: int) -> Iterator[list[int]]:
    """Yield numbers of groups that follow one another and have about so many rows together."""
    some: list[int] = []
    rows = 0
    for number, size in enumerate(sizes):
        if some and rows + size > most:
            yield some
            some, rows = [], 0
        some.append(number)
        rows += size
    if some:
        yield some


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise FileNotFoundError(f"X={str(path)!r} does not exist.")
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
    if not found:
        raise ValueError(f"X={str(path)!r}: the folder has no .parquet files.")
    return found


def _opened(file: Path) -> Any:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(file)
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"{str(file)!r} ends early, or is no Parquet file: {error}") from error


def _check_names(y: Any, sample_weight: Any) -> None:
    named = [y] if isinstance(y, str) else y
    names = isinstance(named, (list, tuple)) and len(named) > 0
    if not names or not all(isinstance(name, str) for name in named):
        raise ValueError(f"y={y!r} must name the columns of the targets where X is a table.")
    if sample_weight is not None and not isinstance(sample_weight, str):
        raise ValueError("sample_weight must name its column where X is a table.")


def _columns(schema: Any, y: Any, sample_weight: Any, groups: str | None, what: str) -> _Columns:
    import pyarrow

    targets = [y] if isinstance(y, str) else list(y)
    others = [*targets, *([] if sample_weight is None else [sample_weight])]
    numeric = [*others]
    if groups is not None:
        others.append(groups)
    for name in others:
        if name not in schema.names:
            shown = ", ".join(schema.names[:_NAMES_SHOWN])
            raise ValueError(f"There is no column {name!r} in {what}, which has {shown}.")
    features = [name for name in schema.names if name not in others]
    if not features:
        raise ValueError(f"No columns of {what} are left for the features.")
    for name in (*features, *numeric):
        kind = schema.field(name).type
        number = pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)
        if not (number or pyarrow.types.is_boolean(kind)):
            raise ValueError(
                f"Column {name!r} of {what} is of type {kind}, not a number; encode it, or leave "
                "it out."
            )
    single = {schema.field(name).type for name in features} == {pyarrow.float32()}
    dtype = np.float32 if single else np.float64
    return _Columns(features, targets, isinstance(y, str), sample_weight, groups, dtype)


def _numbers(batch: Any, names: Sequence[str], dtype: Any) -> NDArray[Any]:
    """Return columns as numbers; what is missing is NaN."""
    values = np.empty((batch.num_rows, len(names)), dtype)
    for k, name in enumerate(names):
        values[:, k] = batch.column(name).to_numpy(zero_copy_only=False)
    return values
