"""Blocks of rows, and where they come from: read here, or by workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

# Entries of a block that is read at once: of some tens of megabytes.
BLOCK_ENTRIES = 4_000_000
LEAST_ROWS = 64


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
    parts : sequence, optional
        The same rows for workers: each a dask ``Delayed`` that computes to (X, y) or
        (X, y, sample_weight), or a callable that can be pickled and returns an iterator of blocks.
        None if they can be read in this process alone.
    has_weights : bool, default=False
        Whether blocks bring weights, of which some may be zero.
    feature_names : sequence of str, optional
        Names of the columns.
    transform : callable, optional
        Applied to X of every block, where it is read.

    Attributes
    ----------
    verbose : bool
        Whether who reads it shows how many rows have come, whatever else it is told.
    """

    verbose = False

    def __init__(
        self,
        blocks: Callable[[], Iterable[RowBlock]],
        n_rows: int | None = None,
        n_features: int | None = None,
        *,
        parts: Sequence[Any] | None = None,
        has_weights: bool = False,
        feature_names: Sequence[str] | None = None,
        transform: Callable[[Any], Any] | None = None,
    ) -> None:
        self._blocks, self.n_rows, self.n_features = blocks, n_rows, n_features
        self.parts, self.has_weights = parts, has_weights
        self.feature_names, self.transform = feature_names, transform

    def __iter__(self) -> Iterator[RowBlock]:
        return transformed(self._blocks(), self.transform)

    def map(self, transform: Callable[[Any], Any]) -> RowSource:
        """Return the rows of this source with other features.

        Parameters
        ----------
        transform : callable
            Takes X of a block, which this source has not transformed itself, and returns as many
            rows; for workers it can be pickled.

        Returns
        -------
        RowSource
        """
        return RowSource(
            self._blocks,
            self.n_rows,
            parts=self.parts,
            has_weights=self.has_weights,
            transform=transform,
        )


def transformed(
    blocks: Iterable[RowBlock], transform: Callable[[Any], Any] | None
) -> Iterator[RowBlock]:
    """Yield blocks that have rows, transformed, cut where the transform makes them large.

    Errors say which block it was.
    """
    width: int | None = None
    for number, block in enumerate(blocks):
        n_rows = n_rows_of(block)
        if transform is None and n_rows:
            yield block
        if transform is None or not n_rows:
            continue
        try:
            if width is None:
                width = int(transform(block.X[:LEAST_ROWS]).shape[1])
            step = max(LEAST_ROWS, BLOCK_ENTRIES // width)
            for start in range(0, n_rows, step):
                part = slice(start, start + step)
                weight = block.sample_weight
                weight = weight[part] if np.ndim(weight) else weight
                yield RowBlock(transform(block.X[part]), block.y[part], weight)
        except ValueError as error:
            raise ValueError(f"Block {number}: {error}") from error


def n_rows_of(block: RowBlock) -> int:
    """Return how many rows a block has; sparse ones have no length."""
    shape = getattr(block.X, "shape", None)
    return int(shape[0]) if shape else len(block.X)


def as_block(given: Any, what: str) -> RowBlock:
    """Return a block from (X, y) or (X, y, sample_weight), or raise ValueError."""
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        raise ValueError(
            f"{what} must be (X, y) or (X, y, sample_weight); got {type(given).__name__}."
        )
    return RowBlock(*given)
