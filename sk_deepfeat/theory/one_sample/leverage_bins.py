"""Which class of relative leverage a row belongs to, at every ridge of a grid.

A class keeps the sums of s, e² and s e², so that what is lost is of second order in its width. The
first class is of rows without any leverage.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.validation import FloatArray

_LOG_LOW = -11.0
_MOST_LOOKED_AT = 2048


class Bins(Protocol):
    """Classes of rows, numbered from zero."""

    count: int

    def of(self, q: FloatArray) -> IndexArray:
        """Return the class of each row from its leverages q, shape (G, rows)."""


class OwnBins:
    """Each row a class of its own, in the order in which they are asked for."""

    def __init__(self, count: int) -> None:
        self.count, self._next = count, 0

    def of(self, q: FloatArray) -> IndexArray:
        """Return the numbers of the next rows."""
        first = self._next
        self._next += q.shape[1]
        return np.broadcast_to(np.arange(first, self._next), q.shape)


class LogarithmicBins:
    """Classes of one width in log s, about the mean of the rows seen first."""

    def __init__(self, q: FloatArray, count: int, width: float) -> None:
        self.count, self._width = count, width
        self._origin = np.log(np.maximum(q.mean(axis=1), np.finfo(float).tiny))[:, None]

    def of(self, q: FloatArray) -> IndexArray:
        """Return the class of each row."""
        position = np.log(np.maximum(q, np.finfo(float).tiny))
        position -= self._origin + _LOG_LOW
        position /= self._width
        index = np.clip(position, 1, self.count - 1, out=position).astype(np.intp)
        index[q <= 0] = 0
        return index


class FewBins:
    """Few classes, where the rows seen first are: half by their number, half by their range.

    Of the rows without those of no leverage, in the logarithm.
    """

    def __init__(self, q: FloatArray, count: int) -> None:
        self.count = count
        step = -(-q.shape[1] // _MOST_LOOKED_AT)
        seen = np.sort(np.log(np.maximum(q[:, ::step], np.finfo(float).tiny)), axis=1)
        inner = np.arange(1, count - 1) / max(count - 1, 1)
        self._edges = np.empty((len(q), inner.size))
        for values, edges in zip(seen, self._edges, strict=True):
            active = values[values > np.log(np.finfo(float).tiny)]
            if active.size < 2:
                active = np.r_[values[-1] - 1.0, values[-1]]
            by_number = np.linspace(0.0, 1.0, active.size)
            by_range = (active - active[0]) / max(active[-1] - active[0], 1e-300)
            edges[...] = np.exp(np.interp(inner, 0.5 * (by_number + by_range), active))

    def of(self, q: FloatArray) -> IndexArray:
        """Return the class of each row."""
        index = np.empty(q.shape, dtype=np.intp)
        for values, edges, found in zip(q, self._edges, index, strict=True):
            found[...] = np.searchsorted(edges, values) + 1
        index[q <= 0] = 0
        return index
