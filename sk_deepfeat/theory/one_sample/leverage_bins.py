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
_BY_NUMBER, _FAR_BELOW = 0.25, 40.0


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
    """Few classes about the rows seen first, by their range in log q, and in part by their number.

    Rows without any leverage have a class of their own, the first, if there are any.

    Parameters
    ----------
    q : ndarray of shape (G, rows)
        Leverages of the rows seen first.
    count : int
        Classes of rows that have any.

    Attributes
    ----------
    count : int
        All classes, perhaps one more.
    centres : ndarray of shape (G, count)
        In log q.
    """

    def __init__(self, q: FloatArray, count: int) -> None:
        self._idle = int(np.any(q <= 0.0))
        self.count = count + self._idle
        least = np.finfo(float).tiny
        some = q[:, :: -(-q.shape[1] // _MOST_LOOKED_AT)]
        seen = np.sort(np.log(np.maximum(some, least)), axis=1)
        places, borders = np.linspace(0.0, 1.0, count + 1), np.empty((len(q), count + 1))
        for values, found in zip(seen, borders, strict=True):
            active = values[values > np.log(least)]
            if active.size < 2 or active[0] == active[-1]:
                active = values[-1] + np.array([-0.5, 0.5])
            by_number = np.linspace(0.0, 1.0, active.size)
            by_range = (active - active[0]) / (active[-1] - active[0])
            shares = _BY_NUMBER * by_number + (1.0 - _BY_NUMBER) * by_range
            found[...] = np.interp(places, shares, active)
        self._edges, self._borders = np.exp(borders[:, 1:-1]), borders
        nothing = np.full((len(q), self._idle), np.log(least))
        middles = 0.5 * (borders[:, 1:] + borders[:, :-1])
        self.centres: FloatArray = np.hstack([nothing, middles])

    def of(self, q: FloatArray) -> IndexArray:
        """Return the class of each row."""
        pairs = zip(self._edges, q, strict=True)
        found = np.array([np.searchsorted(edges, values) for edges, values in pairs])
        return np.where(q > 0, found + self._idle, 0)

    def offset(self, q: FloatArray, index: IndexArray) -> FloatArray:
        """Return log q less the centre of the row's class."""
        with np.errstate(divide="ignore"):
            found = np.log(q)
        first, last = self._borders[:, 0], self._borders[:, -1]
        apart = q <= 0 if self._idle else False
        np.minimum(first, np.where(apart, np.inf, found).min(axis=1), out=first)
        np.maximum(last, found.max(axis=1), out=last)
        found -= np.take_along_axis(self.centres, index, axis=1)
        if self._idle:
            found[index == 0] = 0.0
        return np.maximum(found, -_FAR_BELOW, out=found)

    def ends(self) -> tuple[FloatArray, FloatArray]:
        """Return the least and the largest offset that a row so far may have, (G, count) each."""
        middles, idle = self.centres[:, self._idle :], np.zeros((len(self.centres), self._idle))
        lower = np.maximum(self._borders[:, :-1] - middles, -_FAR_BELOW)
        return np.hstack([idle, lower]), np.hstack([idle, self._borders[:, 1:] - middles])
