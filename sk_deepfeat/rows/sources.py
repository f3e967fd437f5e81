"""Rows from anything with a shape and slices, from files, and from blocks: one way to read them.

A `RowSource` yields blocks of rows, their targets and weights, as often as it is asked, or once
where the blocks come from an iterator. It validates nothing but shapes: who adds blocks up does.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sk_deepfeat.rows.array_rows import array_source, is_path
from sk_deepfeat.rows.blocks import RowBlock, RowSource, as_block
from sk_deepfeat.rows.dask_rows import are_delayed, dask_source, delayed_source, is_dask_array
from sk_deepfeat.rows.groups import row_labels
from sk_deepfeat.rows.table_rows import is_parquet, table_source


def is_array(X: Any) -> bool:
    """Say whether rows are what scikit-learn reads as they are: arrays, data frames, lists."""
    if isinstance(X, (Iterator, RowSource)) or is_path(X) or _is_blocks(X):
        return False
    if _are_paths(X) or are_delayed(X):
        return False
    return not _is_of(X, "h5py", "zarr", "dask", "pyarrow")


def row_source(X: Any, y: Any = None, sample_weight: Any = None, groups: Any = None) -> RowSource:
    """Return rows as blocks.

    Parameters
    ----------
    X : array, path, table, iterator or list of partitions
        Anything two-dimensional with ``shape`` and slices of rows (ndarray, `numpy.memmap`, h5py,
        zarr, dask array); the path of a ``.npy`` or ``.zarr`` file, of a ``.parquet`` file or a
        folder of them; a pyarrow data set or table; an iterator of blocks (X, y),
        (X, y, sample_weight) or (X, y, sample_weight, groups), read once, or a function without
        arguments that returns one, called for every pass; a list of paths, or of dask's delayed
        blocks, one after the other.
    y : array or str or list of str, optional
        Targets, of any of these arrays, or a path; for Parquet the names of their columns; for a
        list of paths of arrays a list of as many. Blocks bring their own.
    sample_weight : array or str, optional
        Likewise, one column.
    groups : array-like of shape (n_samples,) or str, optional
        Labels of the rows' groups, in memory or with slices; for Parquet also the name of their
        column. Blocks bring their own.

    Returns
    -------
    RowSource
        What dask holds, and files that are given by path, is also read by the workers of a cluster.

    Raises
    ------
    ValueError
        If lengths differ, a file is shorter than it says, a column is missing, or `y` is.
    TypeError
        If X is nothing of these.
    """
    if isinstance(X, RowSource):
        _check_alone("a source", y, sample_weight, groups)
        return X
    if isinstance(X, Iterator) or _is_blocks(X):
        _check_alone("an iterator", y, sample_weight, groups)
        return _once(X) if isinstance(X, Iterator) else RowSource(lambda: _read(_called(X)))
    if are_delayed(X):
        if groups is not None:
            _check_alone("a list of delayed blocks", None, None, groups)
        return delayed_source(X, y, sample_weight)
    of_table = _is_of(X, "pyarrow") or is_parquet(X) or (_are_paths(X) and is_parquet(X[0]))
    if isinstance(groups, str) and not of_table:
        raise ValueError(
            f"groups={groups!r} must be an array of one label per row; names of columns are for "
            "tables."
        )
    if isinstance(groups, str):
        return table_source(X, y, sample_weight, groups)
    source = _source_of_rows(X, y, sample_weight)
    return source if groups is None else source.with_groups(row_labels(groups))


def _source_of_rows(X: Any, y: Any, sample_weight: Any) -> RowSource:
    """Return rows without groups."""
    if _is_of(X, "pyarrow") or is_parquet(X):
        return table_source(X, y, sample_weight)
    if _are_paths(X):
        return _file_source(X, y, sample_weight)
    if _is_of(X, "dask") and not is_dask_array(X):
        raise TypeError(
            f"X={type(X).__name__} of dask must be an array, or a list of delayed (X, y); a data "
            "frame has to_dask_array(lengths=True)."
        )
    if y is None:
        raise ValueError("y=None: targets are needed beside rows that are no blocks (X, y).")
    if is_dask_array(X):
        return dask_source(X, y, sample_weight)
    return array_source(X, y, sample_weight)


def _file_source(X: Sequence[Any], y: Any, sample_weight: Any) -> RowSource:
    """Return the rows of several files."""
    if all(is_parquet(path) for path in X):
        return table_source(X, y, sample_weight)
    others = []
    for name, values in (("y", y), ("sample_weight", sample_weight)):
        if name == "sample_weight" and values is None:
            values = [None] * len(X)
        if not isinstance(values, (list, tuple)) or len(values) != len(X):
            raise ValueError(f"{name} must be a list of {len(X)} paths or arrays, as X is.")
        others.append(values)
    sources = [array_source(*each) for each in zip(X, *others, strict=True)]
    parts = None
    if all(source.parts is not None for source in sources):
        parts = [part for source in sources for part in source.parts or ()]

    def blocks() -> Iterator[RowBlock]:
        for source in sources:
            yield from source

    return RowSource(
        blocks,
        sum(source.n_rows or 0 for source in sources),
        sources[0].n_features,
        parts=parts,
        has_weights=any(source.has_weights for source in sources),
    )


def _once(X: Iterator[Any]) -> RowSource:
    """Return the blocks of an iterator, which an error says that it is read a second time."""
    passes: list[int] = []

    def blocks() -> Iterator[RowBlock]:
        if passes:
            raise ValueError(
                "An iterator of blocks is read once, and this needs them again: pass a function "
                "that returns an iterator."
            )
        passes.append(1)
        return _read(X)

    return RowSource(blocks, has_weights=True)


def _called(X: Any) -> Iterator[Any]:
    """Return the blocks of a function."""
    try:
        inspect.signature(X).bind()
    except TypeError as error:
        raise TypeError(
            f"X={X!r} must be a function without arguments that returns an iterator of blocks "
            f"(X, y): {error}"
        ) from error
    except ValueError:  # one in C need not have a signature
        pass
    blocks = X()
    if not isinstance(blocks, Iterable):
        raise TypeError(f"X={X!r} must return an iterator of blocks (X, y); got {blocks!r}.")
    return iter(blocks)


def _read(blocks: Any) -> Iterator[RowBlock]:
    for number, block in enumerate(blocks):
        yield as_block(block, f"Block {number}")


def _check_alone(what: str, y: Any, sample_weight: Any, groups: Any) -> None:
    if y is not None or sample_weight is not None or groups is not None:
        raise ValueError(
            f"Where X is {what}, its blocks are (X, y), (X, y, sample_weight) or "
            "(X, y, sample_weight, groups), and y, sample_weight and groups are not given beside "
            "it."
        )


def _are_paths(X: Any) -> bool:
    """Say whether it is a list of files; other strings are no rows, and scikit-learn says so."""
    if not isinstance(X, (list, tuple)) or not X or not all(is_path(path) for path in X):
        return False
    suffixes = (".npy", ".zarr", ".parquet", ".pq")
    return all(Path(path).suffix in suffixes or is_parquet(path) for path in X)


def _is_blocks(X: Any) -> bool:
    """Say whether it is a function that returns blocks."""
    return callable(X) and not hasattr(X, "shape") and not isinstance(X, type)


def _is_of(values: Any, *packages: str) -> bool:
    return type(values).__module__.split(".")[0] in packages
