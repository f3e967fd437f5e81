"""A sample of whole groups of rows that come in blocks, merged with others.

Every group has a number that its label gives it, and those with the smallest are kept, as many as
there is room for. Where there are too many rows, the group with the largest number goes, and later
rows of it are not kept either: which groups are there depends on neither blocks nor merges.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.streamed.label_hashes import Hashes, draws_of
from sk_deepfeat.theory.one_sample.streamed.reservoir import Reservoir
from sk_deepfeat.theory.validation import FloatArray


class GroupReservoir(Reservoir):
    """At most `size` rows of a stream, in whole groups.

    While there are no more rows than that, all are kept, in the order in which they came.

    Parameters
    ----------
    size : int
        Most rows that are kept.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size, 0)
        self._seen = [np.empty(0, dtype=np.uint64)]  # those of all before, then what came since
        self._n_since = 0

    @property
    def n_groups(self) -> int:
        """How many groups there are in all rows that have come."""
        self._gather()
        return self._seen[0].size

    def add_groups(
        self, rows: NDArray[Any], targets: FloatArray, weights: FloatArray, hashes: Hashes
    ) -> None:
        """Add a block of rows, of shapes (b, p), (b, t), (b,) and (b,)."""
        self._see(np.unique(hashes))
        self._put(draws_of(hashes), [rows, targets, weights, hashes])

    def merge(self, other: Reservoir) -> None:
        """Take over what another one keeps; it stays as it is."""
        assert isinstance(other, GroupReservoir)
        super().merge(other)
        for hashes in other._seen:
            self._see(hashes)

    def codes(self) -> NDArray[np.intp]:
        """Return the numbers of the groups of the rows in `copies`, by first appearance."""
        hashes = self._parts[3][self._order]
        _, first, number = np.unique(hashes, return_index=True, return_inverse=True)
        rank = np.empty(first.size, dtype=np.intp)
        rank[np.argsort(first)] = np.arange(first.size)
        return rank[number.ravel()]

    def _see(self, hashes: Hashes) -> None:
        """Remember groups; they are put in order when they have become twice as many."""
        self._seen.append(hashes)
        self._n_since += hashes.size
        if self._n_since > self._seen[0].size:
            self._gather()

    def _gather(self) -> None:
        if len(self._seen) > 1:
            self._seen, self._n_since = [np.unique(np.concatenate(self._seen))], 0

    def _put(self, draws: FloatArray, values: list[NDArray[Any]]) -> None:
        draws, values = self._below_limit(draws, values)
        start, stop = len(self), len(self) + draws.size
        self._grow(stop)
        self._draws = np.concatenate([self._draws, draws])
        self._write(np.arange(start, stop), values, np.arange(draws.size))
        if stop > self.size:
            numbers, counts = np.unique(self._draws, return_counts=True)
            self._lower(float(numbers[np.argmax(np.cumsum(counts) > self.size)]))
