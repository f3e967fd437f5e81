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
    groups: Any = None
    """Labels of the rows' groups, shape (n_rows,); None where every row is a draw of its own."""


class RowSource:
    """Blocks of rows, in their order.

    Parameters
    ----------
    blocks : callable
        Called without arguments, returns an iterator of `RowBlock`.
    n_rows, n_features : int, optional
        As far as they are known before anything is read.
    parts : sequence, optional
        The same rows for workers: each a dask ``Delayed`` that computes to a block's parts, or a
        callable that can be pickled and returns an iterator of blocks.
        None if they can be read in this process alone.
    has_weights : bool, default=False
        Whether blocks bring weights, of which some may be zero.
    feature_names : sequence of str, optional
        Names of the columns.
    transform : callable, optional
        Applied to X of every block, where it is read.
    has_groups : bool, default=False
        Whether blocks are known to bring labels of groups.
    """

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
        has_groups: bool = False,
    ) -> None:
        self._blocks, self.n_rows, self.n_features = blocks, n_rows, n_features
        self.parts, self.has_weights = parts, has_weights
        self.feature_names, self.transform = feature_names, transform
        self.has_groups = has_groups

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
            has_groups=self.has_groups,
        )

    def with_groups(self, labels: Any) -> RowSource:
        """Return the same rows, each with a label of its group.

        Parameters
        ----------
        labels : array or list of shape (n_rows,)
            In the order of the rows.

        Returns
        -------
        RowSource

        Raises
        ------
        ValueError
            If there are more or fewer labels than rows; now, or when the rows have been read.
        """
        shape = np.shape(labels)[:1] if hasattr(labels, "shape") else (len(labels),)
        if not shape or (self.n_rows is not None and shape[0] != self.n_rows):
            raise ValueError(
                f"groups has {shape[0] if shape else 'no'} labels for {self.n_rows} rows; it needs "
                "one for each row."
            )

        def blocks() -> Iterator[RowBlock]:
            start = 0
            for block in self._blocks():
                stop = start + n_rows_of(block)
                if stop > shape[0]:
                    break
                yield block._replace(groups=labels[start:stop])
                start = stop
            else:
                stop = start
            if stop != shape[0]:
                more = "more" if stop > shape[0] else stop
                raise ValueError(f"groups has {shape[0]} labels, and there are {more} rows.")

        return RowSource(
            blocks,
            self.n_rows,
            self.n_features,
            parts=self.parts,
            has_weights=self.has_weights,
            feature_names=self.feature_names,
            transform=self.transform,
            has_groups=True,
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
                groups = None if block.groups is None else block.groups[part]
                yield RowBlock(transform(block.X[part]), block.y[part], weight, groups)
        except ValueError as error:
            raise ValueError(f"Block {number}: {error}") from error


def n_rows_of(block: RowBlock) -> int:
    """Return how many rows a block has; sparse ones have no length."""
    shape = getattr(block.X, "shape", None)
    return int(shape[0]) if shape else len(block.X)


def as_block(given: Any, what: str) -> RowBlock:
    """Return a block from (X, y), (X, y, sample_weight), or these and groups; or ValueError."""
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3, 4):
        raise ValueError(
            f"{what} must be (X, y) or (X, y, sample_weight), groups behind these; got "
            f"{type(given).__name__}."
        )
    return RowBlock(*given)
