"""Leverages and squared leave-one-out errors of all rows, summed by classes of relative leverage.

The sums are additive over rows. A replicate of the jackknife is what is left without one block of
them. Where rows come in groups, the pairs of `leave_group_out` take the place of rows, and whole
groups that of rows in the blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.leave_group_out import LeftOutGroups, left_out_groups
from sk_deepfeat.theory.one_sample.leave_one_out import left_out_rows
from sk_deepfeat.theory.one_sample.row_groups import IndexArray, RowGroups
from sk_deepfeat.theory.validation import FloatArray

# Up to this many rows, each is a class of its own. More are binned by relative leverage,
# s = Q/mean Q, on a logarithmic scale; a class keeps the sums of s, e² and s e², so that what is
# lost is of second order in the width of a bin.
_MOST_CLASSES = 512
_LOG_LOW, _LOG_WIDTH = -11.0, 0.04
# The blocks of a jackknife, whose differences alone count, are tabulated more coarsely.
_BLOCK_STRIDE, _BLOCK_CLASSES, _BLOCK_WIDTH = 3, 64, 0.32


class ConstantShare(NamedTuple):
    """Sums by class in which each pair (group, k) counts by v, its share of the constant direction.

    With v = 1, as for groups of one row, these are the plain sums.
    """

    row_share: FloatArray
    """Mean over pairs of v in the class, shape (G, K)."""
    leverage: FloatArray
    """Mean of v s, shape (G, K)."""
    error: FloatArray
    """Mean of v e², shape (G, K, t)."""
    leverage_weighted_error: FloatArray
    """Mean of v s e², shape (G, K, t)."""
    mean_error: FloatArray
    """Mean of β over rows: squared errors of the groups' means, times their rows; (G, t)."""


class LeverageMoments(NamedTuple):
    """Sums over rows along a grid of G ridges, in K classes of relative leverage.

    `row_share` sums to one over classes, `leverage` to one as well (the mean of s).
    """

    ridge: FloatArray
    """α₀, ascending, shape (G,)."""
    row_share: FloatArray
    """Share of the rows, shape (G, K)."""
    leverage: FloatArray
    """Mean over rows of s in the class, shape (G, K)."""
    error: FloatArray
    """Mean over rows of e² in the class, shape (G, K, t)."""
    leverage_weighted_error: FloatArray
    """Mean over rows of s e² in the class, shape (G, K, t)."""
    elasticity: FloatArray
    """d log q/d log α₀ + 1 for q = mean Q, shape (G,)."""
    scale_noise: FloatArray
    """Relative standard error of q as a mean over independent draws, shape (G,)."""
    constant: ConstantShare | None = None
    """With an intercept, where rows come in groups."""


class _Part(NamedTuple):
    """Rows, or pairs of groups, to be summed: arrays (rows, G) and (rows, G, t)."""

    q: FloatArray
    growth: FloatArray
    error: FloatArray  # squared
    draws: FloatArray  # q summed over each independent draw, (draws, G)
    constant: FloatArray | None = None  # v
    mean_error: FloatArray | None = None  # β of each draw, (draws, G, t)

    def some(
        self, ridges: IndexArray, mine: slice | IndexArray, draws: slice | IndexArray
    ) -> _Part:
        """Return some rows at some ridges, those of the draws that are named."""
        rows = (self.q, self.growth, self.error)
        q, growth, error = (values[mine][:, ridges] for values in rows)
        found = _Part(q, growth, error, self.draws[draws][:, ridges])
        if self.constant is None or self.mean_error is None:
            return found
        return found._replace(
            constant=self.constant[mine][:, ridges], mean_error=self.mean_error[draws][:, ridges]
        )


class _ClassSums:
    """Sums over rows along a grid of ridges, by class of relative leverage."""

    NAMES = ("count", "leverage", "error", "leverage_weighted_error")

    def __init__(self, shape: tuple[int, int], outputs: int) -> None:
        self.shape, size = shape, shape[0] * shape[1]
        self.count, self.leverage = np.zeros(size), np.zeros(size)
        self.error = np.zeros((outputs, size))
        self.leverage_weighted_error = np.zeros((outputs, size))

    def add(self, flat: IndexArray, part: _Part, weight: FloatArray | None) -> None:
        """Add rows, each to its class, counted by weights or once."""
        size = self.count.size

        def summed(values: FloatArray | None) -> FloatArray:
            if weight is not None:
                values = weight if values is None else values * weight
            weights = None if values is None else values.ravel()
            return np.asarray(np.bincount(flat, weights=weights, minlength=size), dtype=np.float64)

        self.count += summed(None)
        self.leverage += summed(part.q)
        for k in range(len(self.error)):
            squares = part.error[:, :, k]
            self.error[k] += summed(squares)
            self.leverage_weighted_error[k] += summed(part.q * squares)

    def by_class(self, filled: NDArray[np.bool_]) -> tuple[FloatArray, ...]:
        """Return the four sums, shapes (G, K) and (G, K, t), for the classes that are filled."""
        arrays = (getattr(self, name).reshape(-1, *self.shape) for name in self.NAMES)
        kept = [np.ascontiguousarray(a[:, :, filled].transpose(1, 2, 0)) for a in arrays]
        return kept[0][..., 0], kept[1][..., 0], kept[2], kept[3]


class _Sums:
    """All additive sums over rows."""

    NAMES = (
        "rows",
        "draws",
        "draw_squares",
        "draw_by_size",
        "size_squares",
        "growth",
        "mean_error",
    )

    def __init__(
        self, grid: FloatArray, classes: int, outputs: int, width: float, *, constant: bool
    ) -> None:
        self.grid, self.classes, self.outputs, self.width = grid, classes, outputs, width
        shape = (grid.size, classes)
        self.plain = _ClassSums(shape, outputs)
        self.constant = _ClassSums(shape, outputs) if constant else None
        self.rows = self.draws = 0
        self.draw_squares, self.growth = np.zeros(grid.size), np.zeros(grid.size)
        self.draw_by_size, self.size_squares = np.zeros(grid.size), 0.0
        self.mean_error = np.zeros((grid.size, outputs))

    def add(self, part: _Part, first: int | None, origin: FloatArray) -> None:
        """Add rows; with `first` each row is a class of its own, from that number on."""
        if first is None:
            index = _bin(part.q, origin, self.classes, self.width)
        else:
            numbers = np.arange(first, first + len(part.q))
            index = np.broadcast_to(numbers[:, None], part.q.shape)
        flat = (index + np.arange(self.grid.size) * self.classes).ravel()
        self.rows += len(part.q)
        self.draws += len(part.draws)
        self.draw_squares += np.square(part.draws).sum(axis=0)
        size = len(part.q) // max(len(part.draws), 1)
        self.draw_by_size += size * part.draws.sum(axis=0)
        self.size_squares += len(part.draws) * size**2
        self.growth += part.growth.sum(axis=0)
        self.plain.add(flat, part, None)
        if self.constant is not None and part.mean_error is not None:
            self.constant.add(flat, part, part.constant)
            self.mean_error += part.mean_error.sum(axis=0)

    def plus(self, other: _Sums, sign: float) -> _Sums:
        """Return the sums over the rows of both, or with sign -1 over those not in the other."""
        both = _Sums(
            self.grid, self.classes, self.outputs, self.width, constant=self.constant is not None
        )
        for name in self.NAMES:
            setattr(both, name, getattr(self, name) + sign * getattr(other, name))
        pairs: list[Any] = [(both.plain, self.plain, other.plain)]
        if both.constant is not None:
            pairs.append((both.constant, self.constant, other.constant))
        empty = self.plain.count + sign * other.plain.count < 0.5
        for sums, mine, theirs in pairs:
            for name in _ClassSums.NAMES:
                values = getattr(mine, name) + sign * getattr(theirs, name)
                values[..., empty] = 0.0  # rounding where a class has lost its last row
                setattr(sums, name, values)
        return both

    def moments(self, intercept: bool) -> LeverageMoments:
        """Return means over the rows, for the classes that have any."""
        filled = np.any(self.plain.count.reshape(self.plain.shape) > 0, axis=0)
        total = self.plain.leverage.reshape(self.plain.shape).sum(axis=1)

        def means(sums: _ClassSums) -> Any:
            count, leverage, error, weighted = sums.by_class(filled)
            by_leverage = total[:, None]
            return (
                count / self.rows,
                leverage / by_leverage,
                error / self.rows,
                weighted / by_leverage[..., None],
            )

        share, leverage, error, weighted = means(self.plain)
        constant = None
        if self.constant is not None:
            constant = ConstantShare(*(*means(self.constant), self.mean_error / self.rows))
        # A draw's sum about what its rows would have at the mean leverage.
        per_row = total / self.rows
        squares = self.draw_squares - 2.0 * per_row * self.draw_by_size
        squares = squares + np.square(per_row) * self.size_squares
        spread = self.draws * squares / np.square(total)
        noise = np.sqrt(np.maximum(spread, 0.0) / max(self.draws - int(intercept), 1))
        growth = self.growth / total
        return LeverageMoments(self.grid, share, leverage, error, weighted, growth, noise, constant)


def leverage_moments(
    factorization: RidgeFactorization, grid: FloatArray, *, n_blocks: int = 0
) -> tuple[LeverageMoments, list[LeverageMoments]]:
    """Sum leverages and leave-one-out errors along a grid of ridges, in blocks of rows.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set, with at least one direction.
    grid : ndarray of shape (G,)
        Positive ridges, ascending, for weights of mean one.
    n_blocks : int, default=0
        Rows, or whole groups of them, are dealt to so many blocks, for a delete-block jackknife.

    Returns
    -------
    moments : LeverageMoments
        Of all rows.
    replicates : list of LeverageMoments
        Of the rows outside each block, leverages and residuals as they are with all rows; on a
        third of the grid and in wider classes.
    """
    outputs, intercept = factorization.targets.shape[1], factorization.fit_intercept
    constant = intercept and factorization.groups is not None
    classes = min(factorization.n_rows, _MOST_CLASSES)
    alone = classes == factorization.n_rows
    total = _Sums(grid, classes, outputs, _LOG_WIDTH, constant=constant)
    some = np.unique(np.r_[np.arange(0, grid.size, _BLOCK_STRIDE), grid.size - 1])
    coarse = (grid[some], _BLOCK_CLASSES, outputs, _BLOCK_WIDTH)
    blocks = [_Sums(*coarse, constant=constant) for _ in range(n_blocks)]
    origin: FloatArray | None = None
    for part, members in _parts(factorization, grid, n_blocks):
        if origin is None:  # classes lie about the first rows' mean, and keep their own means
            origin = np.log(np.maximum(part.q.mean(axis=0), np.finfo(float).tiny))
        total.add(part, total.rows if alone else None, origin)
        for sums, (mine, draws) in zip(blocks, members, strict=True):
            sums.add(part.some(some, mine, draws), None, origin[some])
    replicates = []
    if blocks:
        everything = blocks[0]
        for sums in blocks[1:]:
            everything = everything.plus(sums, 1.0)
        replicates = [everything.plus(sums, -1.0).moments(intercept) for sums in blocks]
    return total.moments(intercept), replicates


# Which rows of a part a block of the jackknife gets, and which of its draws.
_Members = list[tuple[slice | IndexArray, slice | IndexArray]]


def _parts(
    factorization: RidgeFactorization, grid: FloatArray, n_blocks: int
) -> Iterator[tuple[_Part, _Members]]:
    """Yield all rows, or all pairs of groups, part by part, and who is in which block."""
    groups = factorization.groups
    if groups is None:
        factor = 1.0 + 1.0 / factorization.n_rows if factorization.fit_intercept else 1.0
        for start, block in left_out_rows(factorization, grid):
            turns = [slice((b - start) % n_blocks, None, n_blocks) for b in range(n_blocks)]
            error = np.square(block.residual) / factor
            part = _Part(block.q, block.growth, error, block.q)
            yield part, [(turn, turn) for turn in turns]
        return
    block_of = groups.blocks(n_blocks) if n_blocks else np.zeros(groups.n_groups, dtype=np.intp)
    for numbers, found in left_out_groups(factorization, groups, grid):
        yield (
            _part_of_groups(numbers, found),
            _members(groups, block_of[numbers], numbers, n_blocks),
        )


def _part_of_groups(numbers: IndexArray, found: LeftOutGroups) -> _Part:
    size = len(found.q) // len(numbers)
    draws = found.q.reshape(len(numbers), size, -1).sum(axis=1)
    error = np.square(found.residual)
    return _Part(found.q, found.growth, error, draws, found.constant, found.mean_error)


def _members(
    groups: RowGroups, block_of: IndexArray, numbers: IndexArray, n_blocks: int
) -> _Members:
    size = int(groups.sizes[numbers[0]])
    members: _Members = []
    for block in range(n_blocks):
        mine = np.flatnonzero(block_of == block)
        members.append(((mine[:, None] * size + np.arange(size)).ravel(), mine))
    return members


def _bin(q: FloatArray, origin: FloatArray, classes: int, width: float) -> IndexArray:
    """Return the class of each row; the first is of those without any leverage."""
    log_s = np.log(np.maximum(q, np.finfo(float).tiny)) - origin
    index = np.clip((log_s - _LOG_LOW) / width, 1, classes - 1).astype(np.intp)
    return np.where(q > 0, index, 0)
