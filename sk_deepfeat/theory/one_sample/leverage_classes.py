"""Leverages and squared leave-one-out errors of all rows, summed by classes of relative leverage.

The sums are additive over rows. A replicate of the jackknife is what is left without one block of
them. Where rows come in groups, the pairs of `leave_group_out` take the place of rows, and whole
groups that of rows in the blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.one_sample.class_sums import BlockSums, ClassSums, Rows
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.leave_group_out import left_out_groups
from sk_deepfeat.theory.one_sample.leave_one_out import LeftOutRows, left_out_rows
from sk_deepfeat.theory.one_sample.leverage_bins import Bins, FewBins, LogarithmicBins, OwnBins
from sk_deepfeat.theory.one_sample.residuals import FEW_OUTPUTS, Residuals
from sk_deepfeat.theory.one_sample.row_groups import IndexArray, RowGroups
from sk_deepfeat.theory.validation import FloatArray

# Up to this many rows, each is a class of its own. More are binned by relative leverage,
# s = Q/mean Q, on a logarithmic scale.
_MOST_CLASSES, _WIDTH = 512, 0.04
# The blocks of a jackknife, whose differences alone count, are tabulated more coarsely.
_BLOCK_STRIDE, _BLOCK_CLASSES, _BLOCK_WIDTH = 3, 64, 0.32
# With more than a few outputs, classes are fewer, so that the tables stay as large.
_CLASSES_OUTPUTS, _FEWEST_CLASSES = 4096, 16
_BLOCK_CLASSES_OUTPUTS, _FEWEST_BLOCK_CLASSES = 5000, 3


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
    sums: list[BlockSums] = []
    for rows, errors in _parts(factorization, grid, n_blocks):
        if not sums:
            sums = _sums_like(factorization, rows, n_blocks)
        total = sums[0]
        total.add(
            rows._replace(
                block=np.zeros_like(rows.block), draw_block=np.zeros_like(rows.draw_block)
            )
        )
        for some in sums[1:]:
            some.add(rows)
        for outputs, first, squares in errors:
            for some in sums:
                some.add_errors(outputs, first, squares)
    intercept = factorization.fit_intercept
    found = [_moments(sums[0], grid, 0, intercept)]
    for blocks in sums[1:]:
        blocks.take_complements()
        found += [_moments(blocks, grid, b, intercept) for b in range(n_blocks)]
    return found[0], found[1:]


def _sums_like(factorization: RidgeFactorization, rows: Rows, n_blocks: int) -> list[BlockSums]:
    """Return empty sums over all rows and over the blocks, with bins for rows like these."""
    n_rows, outputs, size = factorization.n_rows, factorization.targets.shape[1], len(rows.q)
    many = outputs > FEW_OUTPUTS
    kinds = {
        "constant": factorization.fit_intercept and factorization.groups is not None,
        "by_product": many,
    }
    classes, block_classes = _MOST_CLASSES, _BLOCK_CLASSES
    if many:
        classes = max(_FEWEST_CLASSES, min(classes, _CLASSES_OUTPUTS // outputs))
        block_classes = int(
            np.clip(_BLOCK_CLASSES_OUTPUTS // outputs, _FEWEST_BLOCK_CLASSES, block_classes)
        )
    bins: Bins
    if n_rows <= classes:
        bins = OwnBins(n_rows)
    elif many:
        bins = FewBins(rows.q, classes)
    else:
        bins = LogarithmicBins(rows.q, classes, _WIDTH)
    sums = [BlockSums(np.arange(size), bins, 1, outputs, **kinds)]
    if n_blocks:
        some = np.unique(np.r_[np.arange(0, size, _BLOCK_STRIDE), size - 1])
        q = rows.q[some]
        coarse: Bins = LogarithmicBins(q, block_classes, _BLOCK_WIDTH)
        if many:
            coarse = FewBins(q, block_classes)
        sums.append(BlockSums(some, coarse, n_blocks, outputs, **kinds))
    return sums


def _moments(sums: BlockSums, grid: FloatArray, block: int, intercept: bool) -> LeverageMoments:
    """Return means over the rows of a block, for the classes that have any."""
    plain = sums.sets[0]
    filled = np.any(plain.rows[:, block] > 0, axis=0)
    total = plain.leverage[:, block].sum(axis=1)
    n_rows, draws = sums.rows[block], sums.draws[block]

    def means(some: ClassSums) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        count, leverage, error, weighted = (values[:, block][:, filled] for values in some)
        by_leverage = total[:, None]
        return (
            count / n_rows,
            leverage / by_leverage,
            error / n_rows,
            weighted / by_leverage[..., None],
        )

    constant = None
    if len(sums.sets) > 1:
        constant = ConstantShare(*(*means(sums.sets[1]), sums.mean_error[:, block] / n_rows))
    # A draw's sum about what its rows would have at the mean leverage.
    per_row = total / n_rows
    squares = sums.draw_squares[:, block] - 2.0 * per_row * sums.draw_by_size[:, block]
    squares = squares + np.square(per_row) * sums.size_squares[block]
    spread = draws * squares / np.square(total)
    noise = np.sqrt(np.maximum(spread, 0.0) / max(draws - int(intercept), 1))
    growth = sums.growth[:, block] / total
    ridge, by_class = grid[sums.ridges], means(plain)
    return LeverageMoments(ridge, *by_class, growth, noise, constant)


# Some rows, and their squared errors: which outputs, from which ridge on, (ridges, rows, outputs).
_Part = tuple[Rows, Iterator[tuple[IndexArray, int, FloatArray]]]


def _parts(factorization: RidgeFactorization, grid: FloatArray, n_blocks: int) -> Iterator[_Part]:
    """Yield all rows, or all pairs of groups, part by part."""
    groups = factorization.groups
    if groups is not None:
        yield from _parts_of_groups(factorization, groups, grid, n_blocks)
        return
    factor = 1.0 + 1.0 / factorization.n_rows if factorization.fit_intercept else 1.0
    residuals = Residuals(factorization, grid)
    block = np.arange(factorization.n_rows) % max(n_blocks, 1)
    for found in left_out_rows(factorization, grid):
        mine, scale = block[found.rows], 1.0 / (factor * np.square(found.distance))
        rows = Rows(found.q, found.growth, found.q, scale, None, None, mine, mine)
        yield rows, _squares(residuals, found)


def _squares(
    residuals: Residuals, found: LeftOutRows
) -> Iterator[tuple[IndexArray, int, FloatArray]]:
    for chunk in residuals.chunks(found):
        squares = np.square(chunk.residual, dtype=np.float64)
        yield chunk.outputs, chunk.ridges.start, squares


def _parts_of_groups(
    factorization: RidgeFactorization, groups: RowGroups, grid: FloatArray, n_blocks: int
) -> Iterator[_Part]:
    block_of = groups.blocks(max(n_blocks, 1))
    outputs = np.arange(factorization.targets.shape[1])
    for numbers, found in left_out_groups(factorization, groups, grid):
        size = len(found.q) // len(numbers)
        draws = found.q.reshape(len(numbers), size, -1).sum(axis=1)
        q, growth, draws, constant = (
            np.ascontiguousarray(values.T)
            for values in (found.q, found.growth, draws, found.constant)
        )
        mean_error = np.swapaxes(found.mean_error, 0, 1)
        mine = block_of[numbers]
        rows = Rows(q, growth, draws, None, constant, mean_error, np.repeat(mine, size), mine)
        squares = np.square(np.swapaxes(found.residual, 0, 1))
        yield rows, iter([(outputs, 0, squares)])
