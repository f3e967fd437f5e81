"""A uniform sample of rows that come in blocks, kept in one place and merged with others.

Every row draws a number, and those with the smallest are kept: whatever comes later, in whatever
order blocks and samples are put together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.validation import FloatArray

# More rows than the sample is to have are below the limit, by so many standard deviations.
_DEVIATIONS = 8.0


class Reservoir:
    """At most `size` rows of a stream, each with the same chance.

    While there are no more rows than that, all are kept, in the order in which they came.

    Parameters
    ----------
    size : int
        Most rows that are kept.
    random_state : int
        Draws them. Reservoirs that are to be merged need different ones.
    n_expected : int, optional
        How many rows at least all those have together that are to be merged: no more is then kept
        than what comes into the sample of all of them, but for chance.
    """

    def __init__(self, size: int, random_state: int, n_expected: int | None = None) -> None:
        self.size = size
        self._limit = 1.0  # rows whose number is not below it are not kept
        if n_expected is not None and n_expected > size:
            most = size + _DEVIATIONS * np.sqrt(size) + np.square(_DEVIATIONS)
            self._limit = min(most / n_expected, 1.0)
        self._rng = np.random.default_rng(random_state)
        self._draws = np.empty(0)
        self._chosen = False
        self._parts: list[NDArray[Any]] = []

    def __len__(self) -> int:
        return self._draws.size

    @property
    def rows(self) -> NDArray[Any]:
        """Features, in the precision in which they came, (rows, p); not to be written to."""
        return self._parts[0][: len(self)]

    @property
    def targets(self) -> FloatArray:
        """Shape (rows, t); not to be written to."""
        return self._parts[1][: len(self)]

    @property
    def weights(self) -> FloatArray:
        """Shape (rows,); not to be written to."""
        return self._parts[2][: len(self)]

    def copies(self) -> tuple[NDArray[Any], FloatArray, FloatArray | None]:
        """Return copies of features, targets and weights; None for weights that are all one.

        In the order of their draws once rows have had to go, whatever the blocks were.
        """
        order = self._order
        rows, targets, weights = (part[order] for part in self._parts[:3])
        return rows, targets, None if np.all(weights == 1.0) else weights

    def codes(self) -> NDArray[np.intp] | None:
        """Return which group each row in `copies` is in; None where they come without."""
        return None

    @property
    def _order(self) -> NDArray[np.intp]:
        if self._chosen:
            return np.argsort(self._draws, kind="stable")
        return np.arange(len(self))

    def add(self, rows: NDArray[Any], targets: FloatArray, weights: FloatArray) -> None:
        """Draw for a block of rows, of shapes (b, p), (b, t) and (b,)."""
        self._put(self._rng.random(len(rows)), [rows, targets, weights])

    def merge(self, other: Reservoir) -> None:
        """Take over what another one keeps; it stays as it is."""
        if other._limit < self._limit:
            self._lower(other._limit)
        self._chosen |= other._chosen
        if len(other):
            self._put(other._draws, [part[: len(other)] for part in other._parts])

    def _lower(self, limit: float) -> None:
        """Let rows go whose numbers are not below a limit."""
        self._limit = limit
        kept = self._draws < limit
        self._chosen |= not np.all(kept)
        self._parts = [part[: len(self)][kept] for part in self._parts]
        self._draws = self._draws[kept]

    def __getstate__(self) -> dict[str, Any]:
        parts = [part[: len(self)] for part in self._parts]
        return {**self.__dict__, "_parts": parts}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # What came over a network may not be written to.
        self._draws = np.array(self._draws)
        self._parts = [np.array(part) for part in self._parts]

    def _put(self, draws: FloatArray, values: list[NDArray[Any]]) -> None:
        draws, values = self._below_limit(draws, values)
        free = min(self.size - len(self), draws.size)
        if free:
            self._grow(len(self) + free)
            at = np.arange(len(self), len(self) + free)
            self._draws = np.concatenate([self._draws, draws[:free]])
            self._write(at, values, np.arange(free))
        rest = np.arange(free, draws.size)
        self._chosen |= rest.size > 0
        if rest.size and len(self):
            rest = rest[draws[rest] < self._draws.max()]
        if rest.size and len(self):
            both = np.concatenate([self._draws, draws[rest]])
            kept = np.zeros(both.size, dtype=bool)
            kept[np.argsort(both, kind="stable")[: self.size]] = True
            gone = np.flatnonzero(~kept[: self.size])
            new = rest[kept[self.size :]]
            self._draws[gone] = draws[new]
            self._write(gone, values, new)

    def _below_limit(
        self, draws: FloatArray, values: list[NDArray[Any]]
    ) -> tuple[FloatArray, list[NDArray[Any]]]:
        """Return what of a block may be kept, and make place for the first."""
        if not self._parts:
            self._parts = [np.empty((0, *part.shape[1:]), part.dtype) for part in values]
        if self._limit < 1.0:
            low = draws < self._limit
            self._chosen |= not np.all(low)
            draws, values = draws[low], [part[low] for part in values]
        return draws, values

    def _grow(self, rows: int) -> None:
        """Make room for so many rows, doubling, so that adding few at a time costs no more."""
        room = len(self._parts[0])
        if rows > room:
            room = max(rows, min(self.size, 2 * room))
            for k, part in enumerate(self._parts):
                larger = np.empty((room, *part.shape[1:]), part.dtype)
                larger[: len(self)] = part[: len(self)]
                self._parts[k] = larger

    def _write(
        self, at: NDArray[np.intp], values: list[NDArray[Any]], rows: NDArray[np.intp]
    ) -> None:
        for part, value in zip(self._parts, values, strict=True):
            part[at] = value[rows]
