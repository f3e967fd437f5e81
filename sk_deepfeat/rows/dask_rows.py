"""Rows from dask: arrays in chunks, and delayed partitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sk_deepfeat.rows.blocks import BLOCK_ENTRIES, RowBlock, RowSource, as_block


def is_dask_array(values: Any) -> bool:
    """Say whether it is an array of dask."""
    return type(values).__module__.startswith("dask.array")


def are_delayed(values: Any) -> bool:
    """Say whether it is a sequence of delayed partitions."""
    sequence = isinstance(values, (list, tuple)) and len(values) > 0
    return sequence and all(type(value).__module__ == "dask.delayed" for value in values)


def delayed_source(partitions: Sequence[Any], y: Any, sample_weight: Any) -> RowSource:
    """Return the blocks that delayed objects compute to.

    Parameters
    ----------
    partitions : sequence of dask Delayed
        Each computes to (X, y) or (X, y, sample_weight).
    y, sample_weight : None
        Partitions bring theirs.
    """
    if y is not None or sample_weight is not None:
        raise ValueError(
            "Delayed partitions are (X, y) or (X, y, sample_weight); y and sample_weight are not "
            "given beside them."
        )

    def blocks() -> Iterator[RowBlock]:
        for number, partition in enumerate(partitions):
            yield as_block(partition.compute(), f"Partition {number}")

    return RowSource(blocks, parts=list(partitions), has_weights=True)


def dask_source(X: Any, y: Any, sample_weight: Any) -> RowSource:
    """Return the row chunks of a dask array.

    Parameters
    ----------
    X : dask array of shape (n_samples, n_features)
        Chunks of columns are put together.
    y, sample_weight : dask array or array
        With the same chunks of rows, or to be cut in the same way; with as many chunks where their
        lengths are not known.

    Returns
    -------
    RowSource
    """
    if X.ndim != 2:
        raise ValueError(f"X must have two dimensions; got shape {X.shape}.")
    if np.isnan(X.shape[1]):
        raise ValueError("X has an unknown number of columns; call X.compute_chunk_sizes() before.")
    if X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    targets = _aligned(y, X, "y")
    weights = sample_weight
    if weights is not None and np.ndim(weights):
        weights = _aligned(weights, X, "sample_weight")
    n_rows = None if np.isnan(X.shape[0]) else int(X.shape[0])
    if n_rows == 0 or X.shape[1] == 0:
        raise ValueError(f"X has no rows or no columns: its shape is {X.shape}.")

    def blocks() -> Iterator[RowBlock]:
        import dask

        for first, last in _few_chunks(X.chunks[0], int(X.shape[1])):
            some = [values.blocks[first:last] for values in (X, targets)]
            if weights is not None and np.ndim(weights):
                some.append(weights.blocks[first:last])
            found = dask.compute(*some)
            yield RowBlock(found[0], found[1], found[2] if len(found) > 2 else weights)

    return RowSource(
        blocks,
        n_rows,
        int(X.shape[1]),
        parts=_parts(X, targets, weights),
        has_weights=weights is not None,
    )


def _aligned(values: Any, X: Any, name: str) -> Any:
    """Return targets or weights in the chunks of X."""
    import dask.array

    unknown = np.isnan(X.shape[0])
    if not is_dask_array(values):
        if unknown:
            raise ValueError(
                f"X has row chunks of unknown length, and {name} is no dask array with the same "
                "ones; call X.compute_chunk_sizes() before."
            )
        values = np.asarray(values)
        if values.shape[:1] != (X.shape[0],):
            raise ValueError(
                f"X has {X.shape[0]} rows and {name} {values.shape[0] if values.ndim else 'none'}; "
                "they must have as many."
            )
        return dask.array.from_array(values, chunks=(X.chunks[0], *values.shape[1:]))
    if unknown or np.isnan(values.shape[0]):
        if values.numblocks[0] != X.numblocks[0]:
            raise ValueError(
                f"X has {X.numblocks[0]} chunks of rows and {name} {values.numblocks[0]}, of "
                "unknown lengths; call compute_chunk_sizes() of both before."
            )
    elif values.shape[0] != X.shape[0]:
        raise ValueError(
            f"X has {X.shape[0]} rows and {name} {values.shape[0]}; they must have as many."
        )
    elif values.chunks[0] != X.chunks[0]:
        values = values.rechunk({0: X.chunks[0]})
    return values.rechunk({1: -1}) if values.ndim == 2 and values.numblocks[1] > 1 else values


def _few_chunks(lengths: Sequence[float], n_features: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of chunks that make a block together; one each where lengths are unknown."""
    first, rows = 0, 0.0
    for number, length in enumerate(lengths):
        full = not rows + length <= BLOCK_ENTRIES / n_features
        if number > first and full:
            yield first, number
            first, rows = number, 0.0
        rows += length
    yield first, len(lengths)


def _parts(X: Any, targets: Any, weights: Any) -> list[Any]:
    from dask import delayed

    columns = [X.to_delayed()[:, 0], targets.to_delayed().reshape(targets.numblocks[0], -1)[:, 0]]
    rows = list(zip(*columns, strict=True))
    if weights is not None and np.ndim(weights):
        rows = [(*row, weight) for row, weight in zip(rows, weights.to_delayed(), strict=True)]
    elif weights is not None:
        rows = [(*row, weights) for row in rows]
    return [delayed(row) for row in rows]
