"""Rows from arrays with a shape and slices, and from the files that hold one."""

from __future__ import annotations

import mmap
import numbers
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.array_files import check_npy
from sk_deepfeat.rows.blocks import BLOCK_ENTRIES, LEAST_ROWS, RowBlock, RowSource
from sk_deepfeat.theory.sparse import is_sparse

# Entries of the part of a file that a worker reads by one task, unless that makes too many tasks.
PART_ENTRIES, MOST_PARTS = 32_000_000, 10_000
# Targets and weights in memory that travel with the tasks; dask warns beyond ten megabytes.
_MOST_TRAVELLING = 2**23


def array_source(X: Any, y: Any, sample_weight: Any) -> RowSource:
    """Return blocks of arrays, or of files by path, that have a shape and slices of rows.

    Parameters
    ----------
    X, y, sample_weight : array or path
        As in `row_source`.

    Returns
    -------
    RowSource
        Workers read it where X is a path.
    """
    arrays = _opened(X, "X"), _opened(y, "y"), _opened_weights(sample_weight)
    n_rows, n_features = _checked_shape(*arrays)
    step = _rows_at_once(arrays[0], n_features, BLOCK_ENTRIES)
    parts = None
    if is_path(X) and all(_travels(values) for values in (y, sample_weight)):
        rows = max(_rows_at_once(arrays[0], n_features, PART_ENTRIES), -(-n_rows // MOST_PARTS))
        others = [
            given if is_path(given) else opened
            for given, opened in zip((y, sample_weight), arrays[1:], strict=True)
        ]
        parts = [
            partial(_read_part, X, *_pieces(others, *part), *part, step)
            for part in _stretches(0, n_rows, rows)
        ]
    return RowSource(
        lambda: _blocks(*arrays, 0, n_rows, step),
        n_rows,
        n_features,
        parts=parts,
        has_weights=sample_weight is not None,
    )


def is_path(values: Any) -> bool:
    """Say whether it names a file."""
    return isinstance(values, (str, os.PathLike))


def _checked_shape(X: Any, y: Any, weights: Any) -> tuple[int, int]:
    if np.ndim(X) != 2:
        raise ValueError(f"X must have two dimensions; got shape {np.shape(X)}.")
    n_rows, n_features = (int(size) for size in np.shape(X))
    for name, values in (("y", y), ("sample_weight", weights)):
        scalar = values is None or (name == "sample_weight" and np.ndim(values) == 0)
        if not scalar and (np.ndim(values) == 0 or np.shape(values)[0] != n_rows):
            got = np.shape(values)[0] if np.ndim(values) else "none"
            raise ValueError(f"X has {n_rows} rows and {name} {got}; they must have as many.")
    if n_rows == 0 or n_features == 0:
        raise ValueError(f"X has no rows or no columns: its shape is {(n_rows, n_features)}.")
    return n_rows, n_features


def _rows_at_once(X: Any, n_features: int, entries: int) -> int:
    """Return how many rows have so many entries; whole chunks of a file that has chunks."""
    step = max(LEAST_ROWS, entries // n_features)
    chunk = getattr(X, "chunks", None)
    if isinstance(chunk, tuple) and chunk and isinstance(chunk[0], int):
        step = max(1, step // chunk[0]) * chunk[0]
    return step


def _stretches(start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    for first in range(start, stop, step):
        yield first, min(first + step, stop)


def _blocks(
    X: Any,
    y: Any,
    weights: Any,
    start: int,
    stop: int,
    step: int,
    behind: tuple[int, int] = (0, 0),
) -> Iterator[RowBlock]:
    """Yield rows `start` to `stop`; the first ones of y and of weights are `behind` those of X."""
    for first, last in _stretches(start, stop, step):
        near = [slice(first - less, last - less) for less in behind]
        weight = weights
        if weights is not None and np.ndim(weights):
            weight = _read(weights, near[1], "sample_weight")
        yield RowBlock(_read(X, slice(first, last), "X"), _read(y, near[0], "y"), weight)
        _release(X)


def _release(values: Any) -> None:
    """Let go of the pages of a file that have been read, which would count as memory of ours."""
    pages: Any = getattr(values, "_mmap", None) if isinstance(values, np.memmap) else None
    # Pages of copy-on-write are the only place where changes are.
    if hasattr(pages, "madvise") and getattr(values, "mode", "c") != "c":
        pages.madvise(mmap.MADV_DONTNEED)


def _pieces(others: list[Any], start: int, stop: int) -> tuple[Any, Any]:
    """Return what a part needs of targets and weights: their rows, or where all of them are."""
    y, weights = (
        values[start:stop] if isinstance(values, np.ndarray) and values.ndim else values
        for values in others
    )
    return y, weights


def _read_part(
    X: Any, y: Any, weights: Any, start: int, stop: int, step: int
) -> Iterator[RowBlock]:
    """Yield the blocks of a part, opened by path where this is called."""
    arrays = _opened(X, "X"), _opened(y, "y"), _opened_weights(weights)
    behind = [0 if is_path(values) else start for values in (y, weights)]
    return _blocks(*arrays, start, stop, step, (behind[0], behind[1]))


def _travels(values: Any) -> bool:
    """Say whether workers open it themselves, or it is small enough to be sent."""
    if values is None or is_path(values) or np.ndim(values) == 0:
        return True
    return isinstance(values, (np.ndarray, list)) and np.asarray(values).nbytes <= _MOST_TRAVELLING


def _read(values: Any, part: slice, name: str) -> NDArray[Any]:
    """Return some rows; what is computed when it is asked is asked now."""
    rows = np.asarray(values[part])
    if len(rows) != part.stop - part.start:
        raise ValueError(
            f"{name} ends early: of rows {part.start} to {part.stop - 1} it has {len(rows)}."
        )
    return rows


def _opened_weights(values: Any) -> Any:
    return None if values is None else _opened(values, "sample_weight")


def _opened(values: Any, name: str) -> Any:
    """Return something with shape and slices."""
    if is_path(values):
        return _opened_file(Path(values), name)
    if is_sparse(values):
        raise TypeError(
            f"{name} is sparse, and rows are read in blocks from arrays: pass {name}.toarray()"
            f"{', or blocks (X, y) that are sparse' if name == 'X' else ''}."
        )
    if hasattr(values, "iloc"):
        return values.to_numpy()
    if hasattr(values, "shape") and hasattr(values, "__getitem__"):
        _check_length(values, name)
        return values
    if isinstance(values, (list, tuple, numbers.Real)):
        try:
            return np.asarray(values)
        except ValueError as error:
            raise ValueError(f"{name} has rows of different lengths.") from error
    if hasattr(values, "to_numpy"):
        return values.to_numpy()
    raise TypeError(
        f"{name} must be an array with shape and slices of rows, a path, or an iterator of blocks; "
        f"got {type(values).__name__}."
    )


def _opened_file(path: Path, name: str) -> Any:
    if path.suffix not in (".npy", ".zarr"):
        raise ValueError(
            f"{name}={str(path)!r}: files that are read by path are .npy, .zarr and .parquet; open "
            "others and pass the array."
        )
    if not path.exists():
        raise FileNotFoundError(f"{name}={str(path)!r} does not exist.")
    if path.suffix == ".zarr":
        try:
            import zarr
        except ImportError as error:
            raise ImportError(f"{name}={str(path)!r} needs zarr: pip install zarr.") from error

        return zarr.open_array(str(path), mode="r")
    try:
        check_npy(path)
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{name}={str(path)!r} ends early, or is no .npy file: {error}") from error


def _check_length(values: Any, name: str) -> None:
    """Raise ValueError if the file that an array maps has been cut short meanwhile."""
    file: Any = getattr(values, "filename", None)
    if not isinstance(values, np.memmap) or not is_path(file) or not os.path.exists(file):
        return
    inside = values.base is None or not isinstance(values.base, np.memmap)
    needed, size = values.offset + values.nbytes, os.path.getsize(file)
    if inside and size < needed:
        raise ValueError(
            f"{name}: {os.fspath(file)!r} ends early: it has {size} bytes of {needed}."
        )
