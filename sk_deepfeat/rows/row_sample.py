"""A uniform sample of the rows of a source, for what cannot learn block by block."""

from __future__ import annotations

from functools import partial
from typing import Any

from sk_deepfeat.rows.blocks import RowSource
from sk_deepfeat.rows.on_workers import checked_arrays, current_client, sum_on_workers
from sk_deepfeat.rows.progress import told_rows
from sk_deepfeat.theory.one_sample.streamed.reservoir import Reservoir
from sk_deepfeat.theory.validation import FloatArray


class _RowSample:
    """What a pass over a source adds rows to."""

    def __init__(self, size: int, random_state: int, n_expected: int | None = None) -> None:
        self.reservoir = Reservoir(size, random_state, n_expected)

    def add(self, X: Any, y: Any, sample_weight: Any = None) -> None:
        """Add a block; weights play no part."""
        targets = y.reshape(-1, 1) if y.ndim == 1 else y
        self.reservoir.add(X, targets, targets[:, 0])

    def merge(self, other: _RowSample) -> None:
        """Take over what another one keeps."""
        self.reservoir.merge(other.reservoir)


def sample_rows(source: RowSource, size: int, random_state: int) -> tuple[Any, FloatArray]:
    """Return a uniform sample of rows, all of them if there are no more.

    Parameters
    ----------
    source : RowSource
        Read once, by the workers of a cluster if there is one.
    size : int
        Most rows.
    random_state : int
        Draws them.

    Returns
    -------
    X : ndarray of shape (n_sampled, n_features)
    y : ndarray of shape (n_sampled,) or (n_sampled, n_outputs)
    """
    client = None if source.parts is None else current_client()
    if client is not None:
        make = partial(_sample_of_part, size, random_state)
        found = sum_on_workers(client, source, make)
        sample, single = found.sums, found.single
    else:
        sample, single = _RowSample(size, _seed(random_state, 0)), None
        for block in told_rows(source, "sample"):
            X, y = checked_arrays(block)
            single = y.ndim == 1
            sample.add(X, y)
    kept = sample.reservoir
    if not len(kept):
        raise ValueError("No block of rows came: nothing can be learned from an empty stream.")
    return kept.rows.copy(), kept.targets[:, 0].copy() if single else kept.targets.copy()


def _sample_of_part(
    size: int, random_state: int, number: int, n_expected: int | None
) -> _RowSample:
    return _RowSample(size, _seed(random_state, number), n_expected)


def _seed(random_state: int, number: int) -> int:
    """Return different numbers for the parts of one draw, and of another."""
    return (random_state << 32) + number
