"""Sums over rows by classes of relative leverage, for all rows at once or for blocks of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse

from sk_deepfeat.theory.one_sample.leverage_bins import Bins, FewBins
from sk_deepfeat.theory.one_sample.residuals import Outputs
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
    """Sums by block and class."""

    rows: FloatArray
    """Rows, shape (G, B, K)."""
    leverage: FloatArray
    """Σ q, shape (G, B, K)."""
    error: FloatArray
    """Σ e² and Σ e² q, or Σ e² xᵖ for p = 0..3, shape (G, B, powers, C, t).

    x is log q less the centre of the class.
    """


class _Pending(NamedTuple):
    """Rows whose errors are still to come: their cells (ridge, block, class), and weights."""

    cells: IndexArray
    weights: list[FloatArray | None]
    product: scipy.sparse.csc_array | None


class BlockSums:
    """Additive sums of B blocks of rows at some ridges of a grid.

    Parameters
    ----------
    ridges : ndarray of int
        Which of the grid, ascending.
    bins : Bins
        Of these ridges, K classes.
    few : FewBins, optional
        C classes for errors, by four moments; None for the classes of rows, and two.
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
        few: FewBins | None,
        n_blocks: int,
        n_outputs: int,
        *,
        constant: bool,
        by_product: bool,
    ) -> None:
        self.ridges, self.bins, self.few, self.by_product = ridges, bins, few, by_product
        self.shape = (ridges.size, n_blocks, bins.count)
        self.error_shape = (*self.shape[:2], bins.count if few is None else few.count)
        self.powers = 2 if few is None else 4
        self.sets = [
            ClassSums(
                np.zeros(self.shape),
                np.zeros(self.shape),
                np.zeros((*self.shape[:2], self.powers, self.error_shape[2], n_outputs)),
            )
            for _ in range(1 + constant)
        ]
        self.rows, self.draws, self.size_squares = np.zeros((3, n_blocks))
        along = (ridges.size, n_blocks)
        self.growth, self.draw_squares, self.draw_by_size = np.zeros((3, *along))
        self.mean_error = np.zeros((*along, n_outputs if constant else 0))
        self._pending = _Pending(np.empty(0, dtype=np.intp), [], None)

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
        constant, scale = (
            values if whole or values is None else values[self.ridges]
            for values in (rows.constant, rows.scale)
        )
        if rows.mean_error is not None and len(self.sets) > 1:
            beta = rows.mean_error[self.ridges]
            self.mean_error += draw_mine.T @ beta
        cells = error_cells = _cells(self.bins.of(q), rows.block, self.shape)
        variable = q
        if self.few is not None:
            index = self.few.of(q)
            variable = self.few.offset(q, index)
            error_cells = _cells(index, rows.block, self.error_shape)
        weights: list[FloatArray | None] = []
        for sums, share in zip(self.sets, (None, constant), strict=False):
            sums.rows[...] += _counted(cells, share, self.shape)
            sums.leverage[...] += _counted(cells, _times(share, q), self.shape)
            weights.append(_times(scale, share))
            for _ in range(1, self.powers):
                weights.append(_times(weights[-1], variable))
        product = self._product(error_cells, weights, len(rows.q)) if self.by_product else None
        self._pending = _Pending(error_cells, weights, product)

    def add_errors(self, outputs: Outputs, squares: FloatArray) -> None:
        """Add squares of the rows added last, shape (G, rows, outputs)."""
        cells, weights, product = self._pending
        totals = [sums.error[:, :, power] for sums in self.sets for power in range(self.powers)]
        if product is not None:
            found = product @ squares.reshape(-1, squares.shape[2])
            parts = found.reshape(len(totals), *self.error_shape, -1)
            for total, part in zip(totals, parts, strict=True):
                total[..., outputs] += part
            return
        if len(squares) != self.ridges.size:
            squares = squares[self.ridges]
        for column, output in enumerate(np.arange(totals[0].shape[3])[outputs]):
            for total, weight in zip(totals, weights, strict=True):
                values = _times(weight, squares[..., column])
                total[..., output] += _counted(cells, values, self.error_shape)

    def _product(
        self, cells: IndexArray, weights: Sequence[FloatArray | None], n_ridges: int
    ) -> scipy.sparse.csc_array:
        """Return what multiplies squares (n_ridges * rows, t) to give their sums."""
        size, count, n_rows = int(np.prod(self.error_shape)), len(weights), cells.shape[1]
        at = cells.ravel()[:, None] + size * np.arange(count)
        values = [np.ones(cells.size) if each is None else each.ravel() for each in weights]
        entries = np.zeros((n_ridges, n_rows), dtype=np.intp)
        entries[self.ridges] = count
        pointers = np.r_[0, np.cumsum(entries)]
        data = np.stack(values, axis=1).ravel()
        shape = (size * count, entries.size)
        return scipy.sparse.csc_array((data, at.ravel(), pointers), shape=shape)

    def take_complements(self) -> None:
        """Turn the sums over each block into those over the rows that are not in it."""
        for sums in self.sets:
            for values in (sums.rows, sums.leverage, sums.error):
                _complement(values)
        if self.few is None:  # rounding where a class has lost its last row
            lost = self.sets[0].rows < 0.5
            for sums in self.sets:
                sums.rows[lost] = sums.leverage[lost] = 0.0
                np.moveaxis(sums.error, 2, 3)[lost] = 0.0
        for values in (self.growth, self.draw_squares, self.draw_by_size, self.mean_error):
            _complement(values)
        for values in (self.rows, self.draws, self.size_squares):
            np.subtract(values.sum(), values, out=values)


def _cells(index: IndexArray, block: IndexArray, shape: tuple[int, int, int]) -> IndexArray:
    """Return the number of (ridge, block, class) of each row at each ridge."""
    ridges, n_blocks, classes = shape
    return index + classes * (block + n_blocks * np.arange(ridges)[:, None])


def _counted(
    cells: IndexArray, values: FloatArray | None, shape: tuple[int, int, int]
) -> FloatArray:
    """Return the sums of values by cell."""
    weights = None if values is None else values.ravel()
    found = np.bincount(cells.ravel(), weights, minlength=int(np.prod(shape)))
    return found.astype(np.float64, copy=False).reshape(shape)


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
    for along in values:
        np.subtract(along.sum(axis=0), along, out=along)
