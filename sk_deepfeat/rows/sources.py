"""Rows from anything with a shape and slices, from files, and from blocks: one way to read them.

A `RowSource` yields blocks of rows, their targets and weights, as often as it is asked, or once
where the blocks come from an iterator. It validates nothing but shapes: who adds blocks up does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Entries of a block that is read at once: of some tens of megabytes.
_BLOCK_ENTRIES = 4_000_000
_NUMBERS = "biuf"


class RowBlock(NamedTuple):
    """Rows that follow one another."""

    X: Any
    """Shape (n_rows, n_features)."""
    y: Any
    """Shape (n_rows,) or (n_rows, n_outputs)."""
    sample_weight: Any = None
    """Shape (n_rows,); None is one."""


class RowSource:
    """Blocks of rows, in their order.

    Parameters
    ----------
    blocks : callable
        Called without arguments, returns an iterator of `RowBlock`.
    n_rows, n_features : int, optional
        As far as they are known before anything is read.
    """

    def __init__(
        self, blocks: Any, n_rows: int | None = None, n_features: int | None = None
    ) -> None:
        self._blocks, self.n_rows, self.n_features = blocks, n_rows, n_features

    def __iter__(self) -> Iterator[RowBlock]:
        return iter(self._blocks())


def is_array(X: Any) -> bool:
    """Say whether rows are what scikit-learn reads as they are: arrays, data frames, lists."""
    if isinstance(X, (str, os.PathLike, Iterator)) or _is_of(X, "pyarrow"):
        return False
    return not (_is_of(X, "h5py", "zarr", "dask"))


def row_source(X: Any, y: Any = None, sample_weight: Any = None) -> RowSource:
    """Return rows as blocks.

    Parameters
    ----------
    X : array, path, table or iterator
        Anything two-dimensional with ``shape`` and slices of rows (ndarray, `numpy.memmap`, h5py,
        zarr, dask array); the path of a ``.npy`` file, of a ``.parquet`` file or a folder of them;
        a pyarrow data set or table; or an iterator of blocks (X, y) or (X, y, sample_weight).
    y : array or str or list of str, optional
        Targets, of any of these arrays, or a path of a ``.npy`` file; for Parquet the names of
        their columns. Blocks bring their own.
    sample_weight : array or str, optional
        Likewise, one column.

    Returns
    -------
    RowSource

    Raises
    ------
    ValueError
        If lengths differ, a file is shorter than it says, a column is missing, or `y` is.
    TypeError
        If X is nothing of these.
    """
    if isinstance(X, Iterator):
        return _blocks_of_iterator(X, y, sample_weight)
    if _is_of(X, "pyarrow") or _is_parquet(X):
        return _parquet_source(X, y, sample_weight)
    X = _opened(X, "X")
    if y is None:
        raise ValueError("y=None: targets are needed beside rows that are no blocks (X, y).")
    y = _opened(y, "y")
    weights = None if sample_weight is None else _opened(sample_weight, "sample_weight")
    if np.ndim(X) != 2:
        raise ValueError(f"X must have two dimensions; got shape {np.shape(X)}.")
    n_rows, n_features = (int(size) for size in np.shape(X))
    for name, values in (("y", y), ("sample_weight", weights)):
        if values is not None and np.ndim(values) and np.shape(values)[0] != n_rows:
            raise ValueError(
                f"X has {n_rows} rows and {name} {np.shape(values)[0]}; they must have as many."
            )
    if n_rows == 0 or n_features == 0:
        raise ValueError(f"X has no rows or no columns: its shape is {(n_rows, n_features)}.")
    step = max(64, _BLOCK_ENTRIES // n_features)
    chunk = getattr(X, "chunks", None)
    if isinstance(chunk, tuple) and chunk and isinstance(chunk[0], int):  # read whole chunks
        step = max(1, step // chunk[0]) * chunk[0]

    def blocks() -> Iterator[RowBlock]:
        for start in range(0, n_rows, step):
            part = slice(start, min(start + step, n_rows))
            weight = weights
            if weights is not None and np.ndim(weights):
                weight = _read(weights, part)
            yield RowBlock(_read(X, part), _read(y, part), weight)

    return RowSource(blocks, n_rows, n_features)


def _read(values: Any, part: slice) -> NDArray[Any]:
    """Return some rows; what is computed when it is asked is asked now."""
    rows = np.asarray(values[part])
    if len(rows) != part.stop - part.start:
        raise ValueError(
            f"Of rows {part.start} to {part.stop - 1} there are {len(rows)}: the data end early."
        )
    return rows


def _blocks_of_iterator(X: Iterator[Any], y: Any, sample_weight: Any) -> RowSource:
    if y is not None or sample_weight is not None:
        raise ValueError(
            "Where X is an iterator, its blocks are (X, y) or (X, y, sample_weight), and y and "
            "sample_weight are not given beside it."
        )

    def blocks() -> Iterator[RowBlock]:
        for number, block in enumerate(X):
            if not isinstance(block, (tuple, list)) or len(block) not in (2, 3):
                raise ValueError(
                    f"Block {number} must be (X, y) or (X, y, sample_weight); got "
                    f"{type(block).__name__}."
                )
            yield RowBlock(*block)

    return RowSource(blocks)


def _opened(values: Any, name: str) -> Any:
    """Return something with shape and slices."""
    if isinstance(values, (str, os.PathLike)):
        path = Path(values)
        if path.suffix == ".zarr":
            import zarr

            return zarr.open_array(str(path), mode="r")
        if path.suffix != ".npy":
            raise ValueError(
                f"{name}={str(path)!r}: files that are read by path are .npy, .zarr and .parquet; "
                "open others and pass the array."
            )
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    if hasattr(values, "shape") and hasattr(values, "__getitem__"):
        return _complete(values, name)
    if isinstance(values, (list, tuple)) or np.ndim(values) == 0:
        return np.asarray(values)
    if hasattr(values, "to_numpy"):
        return values.to_numpy()
    raise TypeError(
        f"{name} must be an array with shape and slices of rows, a path, or an iterator of blocks; "
        f"got {type(values).__name__}."
    )


def _complete(values: Any, name: str) -> Any:
    """Return an array, or raise ValueError if the file it maps has been cut short meanwhile."""
    if hasattr(values, "iloc"):
        return values.to_numpy()
    file = getattr(values, "filename", None)
    if isinstance(values, np.memmap) and isinstance(file, (str, os.PathLike)):
        needed = values.offset + values.nbytes
        if os.path.exists(file) and os.path.getsize(file) < needed and values.base is None:
            raise ValueError(
                f"{name}: {os.fspath(file)!r} has {os.path.getsize(file)} bytes of {needed}: the "
                "file ends early."
            )
    return values


def _is_of(values: Any, *packages: str) -> bool:
    return type(values).__module__.split(".")[0] in packages


def _is_parquet(values: Any) -> bool:
    if not isinstance(values, (str, os.PathLike)):
        return False
    path = Path(values)
    return path.suffix in (".parquet", ".pq") or (path.is_dir() and path.suffix != ".zarr")


def _parquet_source(X: Any, y: Any, sample_weight: Any) -> RowSource:
    try:
        import pyarrow
        import pyarrow.dataset
    except ImportError as error:
        raise ImportError(
            'Parquet needs pyarrow; install it with pip install "sk-deepfeat[tables]".'
        ) from error
    if isinstance(X, (str, os.PathLike)) and not Path(X).exists():
        raise FileNotFoundError(f"X={os.fspath(X)!r} does not exist.")
    if isinstance(X, (str, os.PathLike)):
        found = pyarrow.dataset.dataset(os.fspath(X), format="parquet")
    elif isinstance(X, pyarrow.Table):
        found = pyarrow.dataset.dataset(X)
    elif isinstance(X, pyarrow.dataset.Dataset):
        found = X
    else:
        raise TypeError(f"X must be a pyarrow Dataset or Table; got {type(X).__name__}.")
    single = isinstance(y, str)
    targets = [y] if single else list(y) if isinstance(y, (list, tuple)) else None
    if not targets or not all(isinstance(name, str) for name in targets):
        raise ValueError(f"y={y!r} must name the columns of the targets where X is a table.")
    if sample_weight is not None and not isinstance(sample_weight, str):
        raise ValueError("sample_weight must name its column where X is a table.")
    names = found.schema.names
    others = [*targets, *([] if sample_weight is None else [sample_weight])]
    for name in others:
        if name not in names:
            raise ValueError(f"There is no column {name!r}; the table has {', '.join(names[:10])}.")
    features = [name for name in names if name not in others]
    for name in features:
        kind = found.schema.field(name).type
        number = pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)
        if not (number or pyarrow.types.is_boolean(kind)):
            raise ValueError(
                f"Column {name!r} is of type {kind}, not a number; encode it, or leave it out."
            )
    step = max(64, _BLOCK_ENTRIES // max(len(features), 1))
    types = {found.schema.field(name).type for name in features}
    dtype = np.float32 if types == {pyarrow.float32()} else np.float64

    def columns(batch: Any, some: list[str], dtype: Any) -> NDArray[Any]:
        values = np.empty((batch.num_rows, len(some)), dtype)
        for k, name in enumerate(some):
            values[:, k] = batch.column(name).to_numpy(zero_copy_only=False)
        return values

    def blocks() -> Iterator[RowBlock]:
        for batch in found.to_batches(columns=[*features, *others], batch_size=step):
            if batch.num_rows:
                y_block = columns(batch, targets, np.float64)
                weight = None
                if sample_weight is not None:
                    weight = columns(batch, [sample_weight], np.float64)[:, 0]
                yield RowBlock(
                    columns(batch, features, dtype), y_block[:, 0] if single else y_block, weight
                )

    return RowSource(blocks, found.count_rows(), len(features))
