"""Sums over rows by classes of relative leverage, for all rows at once or for blocks of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse

from sk_deepfeat.theory.one_sample.leverage_bins import Bins
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.validation import FloatArray


class Rows(NamedTuple):
    """Rows, or pairs of groups, to be summed along a grid of G ridges: arrays (G, rows)."""

    q: FloatArray
    growth: FloatArray
    draws: FloatArray
    """q summed over each independent draw, (G, draws)."""
    scale: FloatArray | None
    """What squared errors are to be multiplied by."""
    constant: FloatArray | None
    """v, the share of the constant direction."""
    mean_error: FloatArray | None
    """β of each draw, (G, draws, t)."""
    block: IndexArray
    """Of each row, (rows,)."""
    draw_block: IndexArray
    """Of each draw, (draws,)."""


class ClassSums(NamedTuple):
    """Sums by block and class, shapes (G, B, K) and (G, B, K, t)."""

    rows: FloatArray
    leverage: FloatArray
    error: FloatArray
    leverage_weighted_error: FloatArray


class _Pending(NamedTuple):
    """Rows whose errors are still to come: their cells (ridge, block, class), and weights."""

    cells: IndexArray
    weights: list[FloatArray | None]
    products: list[scipy.sparse.csc_array]


class BlockSums:
    """Additive sums of B blocks of rows at some ridges of a grid.

    Parameters
    ----------
    ridges : ndarray of int
        Which of the grid, ascending.
    bins : Bins
        Of these ridges, K classes.
    n_blocks, n_outputs : int
        B and t.
    constant : bool
        Whether sums by shares of the constant direction are kept beside the plain ones.
    by_product : bool
        Whether errors of many outputs come at a time.
    """

    def __init__(
        self,
        ridges: IndexArray,
        bins: Bins,
        n_blocks: int,
        n_outputs: int,
        *,
        constant: bool,
        by_product: bool,
    ) -> None:
        self.ridges, self.bins, self.by_product = ridges, bins, by_product
        self.shape = (ridges.size, n_blocks, bins.count)
        self.sets = [
            ClassSums(
                *(np.zeros(shape) for shape in (self.shape,) * 2 + ((*self.shape, n_outputs),) * 2)
            )
            for _ in range(1 + constant)
        ]
        self.rows, self.draws, self.size_squares = np.zeros((3, n_blocks))
        along = (ridges.size, n_blocks)
        self.growth, self.draw_squares, self.draw_by_size = np.zeros((3, *along))
        self.mean_error = np.zeros((*along, n_outputs if constant else 0))
        self._pending = _Pending(np.empty(0, dtype=np.intp), [], [])

    def add(self, rows: Rows) -> None:
        """Add rows, whose errors are to follow."""
        whole = self.ridges.size == len(rows.q)
        q, growth, draws = (
            values if whole else values[self.ridges] for values in (rows.q, rows.growth, rows.draws)
        )
        n_blocks = self.shape[1]
        mine = _indicator(rows.block, n_blocks)
        draw_mine = mine if draws.shape[1] == q.shape[1] else _indicator(rows.draw_block, n_blocks)
        count = draw_mine.sum(axis=0)
        size = q.shape[1] // max(draws.shape[1], 1)
        self.rows += mine.sum(axis=0)
        self.draws += count
        self.size_squares += count * size**2
        self.growth += growth @ mine
        self.draw_squares += np.square(draws) @ draw_mine
        self.draw_by_size += size * (draws @ draw_mine)
        constant = rows.constant if whole or rows.constant is None else rows.constant[self.ridges]
        if rows.mean_error is not None and len(self.sets) > 1:
            beta = rows.mean_error[self.ridges]
            self.mean_error += draw_mine.T @ beta
        cells = self.bins.of(q) + self.shape[2] * rows.block
        cells += np.arange(self.shape[0])[:, None] * (self.shape[1] * self.shape[2])
        scale = rows.scale if whole or rows.scale is None else rows.scale[self.ridges]
        weights: list[FloatArray | None] = []
        for sums, share in zip(self.sets, (None, constant), strict=False):
            by_share = q if share is None else q * share
            for total, values in zip(sums, (share, by_share), strict=False):
                total += self._counted(cells, values, self.shape)
            weights += [_times(scale, share), _times(scale, by_share)]
        self._pending = _Pending(cells, weights, [])
        if self.by_product:
            self._pending = self._pending._replace(products=self._products(cells, weights))

    def add_errors(self, outputs: IndexArray, first: int, squares: FloatArray) -> None:
        """Add squares (ridges, rows, outputs) of the rows added last, from ridge `first` on."""
        low, high = np.searchsorted(self.ridges, [first, first + len(squares)])
        where = self.ridges[low:high] - first
        totals = [total for sums in self.sets for total in sums[2:]]
        if self.by_product:
            for position, local in zip(where, range(low, high), strict=True):
                found = self._pending.products[local] @ squares[position]
                parts = found.reshape(len(totals), *self.shape[1:], -1)
                for total, part in zip(totals, parts, strict=True):
                    total[local][..., outputs] += part
            return
        cells, shape = self._pending.cells[low:high], (high - low, *self.shape[1:])
        chosen = squares if len(where) == len(squares) else squares[where]
        for total, weight in zip(totals, self._pending.weights, strict=True):
            mine = None if weight is None else weight[low:high]
            for column, output in enumerate(outputs):
                values = _times(mine, chosen[..., column])
                total[low:high, ..., output] += self._counted(cells, values, shape, low)

    def _counted(
        self,
        cells: IndexArray,
        values: FloatArray | None,
        shape: tuple[int, ...],
        first: int = 0,
    ) -> FloatArray:
        if first:
            cells = cells - first * (self.shape[1] * self.shape[2])
        weights = None if values is None else values.ravel()
        size = shape[0] * shape[1] * shape[2]
        found = np.bincount(cells.ravel(), weights, minlength=size).astype(np.float64, copy=False)
        return found.reshape(shape)

    def _products(
        self, cells: IndexArray, weights: Sequence[FloatArray | None]
    ) -> list[scipy.sparse.csc_array]:
        """Return for each ridge what multiplies squares (rows, t) to give their sums."""
        size, n_rows = self.shape[1] * self.shape[2], cells.shape[1]
        pointers = np.arange(n_rows + 1) * len(weights)
        found = []
        for position, numbers in enumerate(cells):
            at = (numbers - position * size)[:, None] + size * np.arange(len(weights))
            data = [np.ones(n_rows) if each is None else each[position] for each in weights]
            shape = (size * len(weights), n_rows)
            columns = np.stack(data, axis=1).ravel(), at.ravel(), pointers
            found.append(scipy.sparse.csc_array(columns, shape=shape))
        return found

    def take_complements(self) -> None:
        """Turn the sums over each block into those over the rows that are not in it."""
        for sums in self.sets:
            lost = self.sets[0].rows.sum(axis=1, keepdims=True) - self.sets[0].rows < 0.5
            for values in sums[1:]:
                _complement(values)
                values[lost] = 0.0  # rounding where a class has lost its last row
        for sums in self.sets:
            _complement(sums.rows)
        for values in (self.growth, self.draw_squares, self.draw_by_size, self.mean_error):
            _complement(values)
        for values in (self.rows, self.draws, self.size_squares):
            _complement(values[None])


def _indicator(block: IndexArray, n_blocks: int) -> FloatArray:
    """Return one where a row is in a block, shape (rows, B)."""
    return np.equal(block[:, None], np.arange(n_blocks)).astype(np.float64)


def _times(one: FloatArray | None, other: FloatArray | None) -> FloatArray | None:
    """Return the product; None stands for ones."""
    if one is None or other is None:
        return other if one is None else one
    return one * other


def _complement(values: FloatArray) -> None:
    """Subtract values of blocks, the second axis, from their sum."""
    np.subtract(values.sum(axis=1, keepdims=True), values, out=values)
