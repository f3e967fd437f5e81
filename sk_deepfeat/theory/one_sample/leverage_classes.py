"""Leverages and squared leave-one-out errors of all rows, summed by classes of relative leverage.

The sums are additive over rows. A replicate of the jackknife is what is left without one block of
them. Where rows come in groups, the pairs of `leave_group_out` take the place of rows, and whole
groups that of rows in the blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sk_deepfeat.progress import stage
from sk_deepfeat.theory.one_sample.class_sums import BlockSums, ClassSums, Rows
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.leave_group_out import left_out_groups
from sk_deepfeat.theory.one_sample.leave_one_out import LeftOutRows, left_out_rows
from sk_deepfeat.theory.one_sample.leverage_bins import Bins, FewBins, LogarithmicBins, OwnBins
from sk_deepfeat.theory.one_sample.residuals import FEW_OUTPUTS, Outputs, Residuals
from sk_deepfeat.theory.one_sample.row_groups import IndexArray, RowGroups
from sk_deepfeat.theory.one_sample.streamed.sampled_means import SampledMeans
from sk_deepfeat.theory.one_sample.two_points import two_points
from sk_deepfeat.theory.validation import FloatArray

# Up to this many rows, each is a class of its own. More are binned by relative leverage,
# s = Q/mean Q, on a logarithmic scale.
_MOST_CLASSES, _WIDTH = 512, 0.04
# The blocks of a jackknife, whose differences alone count, are tabulated more coarsely.
_BLOCK_STRIDE, _BLOCK_CLASSES, _BLOCK_WIDTH = 3, 64, 0.32
# Errors of more than a few outputs are summed in fewer classes, each of two points, so that the
# tables stay within some hundred megabytes: so many at this number of outputs, within these limits.
# Few rows keep a class each, up to this many times the outputs.
_OUTPUTS, _ERROR_CLASSES = 16_000, (6, 12)
_BLOCK_OUTPUTS, _BLOCK_ERROR_CLASSES = 4000, (1, 6)
_ROWS_OF_MANY_OUTPUTS = 512


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

    With many outputs, errors are in classes of their own, fewer than those of rows.

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
    sample_factor: FloatArray | None = None
    """Where rows are a sample: what errors were multiplied by for those of all rows, (G, t)."""


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
    sampled = None
    if factorization.n_sampled < factorization.n_rows and factorization.groups is None:
        sampled = SampledMeans(factorization, grid, n_blocks)
    with stage("leave-one-out errors", factorization.n_sampled, " rows") as told:
        for rows, errors in _parts(factorization, grid, n_blocks):
            if not sums:
                sums = _sums_like(factorization, rows, n_blocks)
            sums[0].add(
                rows._replace(
                    block=np.zeros_like(rows.block), draw_block=np.zeros_like(rows.draw_block)
                )
            )
            for some in sums[1:]:
                some.add(rows)
            if sampled is not None:
                sampled.add_rows(rows.block)
            for outputs, squares in errors:
                for some in sums:
                    some.add_errors(outputs, squares)
                if sampled is not None:
                    sampled.add(rows.block, outputs, squares)
            told.advance(rows.block.size)
    intercept = factorization.fit_intercept
    found = [_moments(sums[0], grid, 0, intercept)]
    for blocks in sums[1:]:
        blocks.take_complements()
        found += [_moments(blocks, grid, b, intercept) for b in range(n_blocks)]
    if sampled is not None:
        found = _of_all_rows(found, sampled, sums[-1].ridges)
    return found[0], found[1:]


def _of_all_rows(
    found: list[LeverageMoments], sampled: SampledMeans, ridges: IndexArray
) -> list[LeverageMoments]:
    """Return moments with errors of all rows where those at hand are a sample."""
    mean = found[0].error.sum(axis=1)
    scaled = [_times_errors(found[0], sampled.factor())]
    moved = [
        np.divide(without, mean[ridges], out=np.ones_like(without), where=mean[ridges] > 0)
        for without in (part.error.sum(axis=1) for part in found[1:])
    ]
    # All rows vary by themselves, not as the sample does: by what another block shows.
    turned = moved[len(moved) // 2 :] + moved[: len(moved) // 2]
    for block, (part, own, other) in enumerate(zip(found[1:], moved, turned, strict=True)):
        scaled.append(_times_errors(part, sampled.factor_without(block, ridges, own, other)))
    return scaled


def _times_errors(moments: LeverageMoments, factor: FloatArray) -> LeverageMoments:
    return moments._replace(
        sample_factor=factor,
        error=moments.error * factor[:, None],
        leverage_weighted_error=moments.leverage_weighted_error * factor[:, None],
    )


def _sums_like(factorization: RidgeFactorization, rows: Rows, n_blocks: int) -> list[BlockSums]:
    """Return empty sums over all rows and over the blocks, with bins for rows like these."""
    n_rows, outputs, size = factorization.n_sampled, factorization.targets.shape[1], len(rows.q)
    many = outputs > FEW_OUTPUTS
    constant = factorization.fit_intercept and factorization.groups is not None
    kinds = {"constant": constant, "by_product": many}
    bins: Bins = OwnBins(n_rows)
    if n_rows > _MOST_CLASSES:
        bins = LogarithmicBins(rows.q, _MOST_CLASSES, _WIDTH)
    few = None
    large = n_rows > _MOST_CLASSES or n_rows * outputs > _OUTPUTS
    if many and not constant and large and n_rows > 2 * _ERROR_CLASSES[1]:
        few = FewBins(rows.q, int(np.clip(_OUTPUTS // outputs, *_ERROR_CLASSES)))
    sums = [BlockSums(np.arange(size), bins, few, 1, outputs, **kinds)]
    if n_blocks:
        some = np.unique(np.r_[np.arange(0, size, _BLOCK_STRIDE), size - 1])
        q, few = rows.q[some], None
        bins = LogarithmicBins(q, _BLOCK_CLASSES, _BLOCK_WIDTH)
        if many and not constant:
            few = FewBins(q, int(np.clip(_BLOCK_OUTPUTS // outputs, *_BLOCK_ERROR_CLASSES)))
        sums.append(BlockSums(some, bins, few, n_blocks, outputs, **kinds))
    return sums


def _moments(sums: BlockSums, grid: FloatArray, block: int, intercept: bool) -> LeverageMoments:
    """Turn sums into means over the rows of a block, for the classes that have any."""
    plain = sums.sets[0]
    filled = _filled(plain.rows[:, block])
    total = plain.leverage[:, block].sum(axis=1)
    n_rows, draws = sums.rows[block], sums.draws[block]

    # Where no row at hand has any leverage, its mean is zero.
    divisor = np.where(total > 0, total, 1.0)

    def means(some: ClassSums) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        by_leverage = divisor[:, None]
        share = some.rows[:, block][:, filled] / n_rows
        leverage = some.leverage[:, block][:, filled] / by_leverage
        if sums.few is not None:
            error, weighted = two_points(some.error[:, block], sums.few.centres, sums.few.ends())
        else:
            error, weighted = np.swapaxes(some.error[:, block][:, :, filled], 0, 1)
        error /= n_rows
        weighted /= by_leverage[..., None]
        return share, leverage, error, weighted

    constant = None
    if len(sums.sets) > 1:
        constant = ConstantShare(*(*means(sums.sets[1]), sums.mean_error[:, block] / n_rows))
    # A draw's sum about what its rows would have at the mean leverage.
    per_row = total / n_rows
    squares = sums.draw_squares[:, block] - 2.0 * per_row * sums.draw_by_size[:, block]
    squares = squares + np.square(per_row) * sums.size_squares[block]
    spread = draws * squares / np.square(divisor)
    noise = np.sqrt(np.maximum(spread, 0.0) / max(draws - int(intercept), 1))
    growth = sums.growth[:, block] / divisor
    ridge, by_class = grid[sums.ridges], means(plain)
    return LeverageMoments(ridge, *by_class, growth, noise, constant)


def _filled(rows: FloatArray) -> slice | IndexArray:
    """Return the classes with any rows, as a slice where they follow one another."""
    some = np.flatnonzero(np.any(rows > 0, axis=0))
    if some[-1] - some[0] < some.size:
        return slice(int(some[0]), int(some[-1]) + 1)
    return some


# Squared errors (G, rows, outputs) of some outputs, one after the other.
_Errors = Iterator[tuple[Outputs, FloatArray]]


def _parts(
    factorization: RidgeFactorization, grid: FloatArray, n_blocks: int
) -> Iterator[tuple[Rows, _Errors]]:
    """Yield all rows, or all pairs of groups, part by part."""
    groups = factorization.groups
    if groups is not None:
        yield from _parts_of_groups(factorization, groups, grid, n_blocks)
        return
    factor = 1.0 + 1.0 / factorization.n_rows if factorization.fit_intercept else 1.0
    residuals = Residuals(factorization, grid)
    block = np.arange(factorization.n_sampled) % max(n_blocks, 1)
    most_rows = None if residuals.n_outputs <= FEW_OUTPUTS else _ROWS_OF_MANY_OUTPUTS
    for found in left_out_rows(factorization, grid, most_rows=most_rows):
        mine, scale = block[found.rows], 1.0 / (factor * np.square(found.distance))
        rows = Rows(found.q, found.growth, found.q, scale, None, None, mine, mine)
        yield rows, _squares(residuals, found)


def _squares(residuals: Residuals, found: LeftOutRows) -> _Errors:
    for outputs, residual in residuals.chunks(found):
        yield outputs, np.square(residual, dtype=np.float64)


def _parts_of_groups(
    factorization: RidgeFactorization, groups: RowGroups, grid: FloatArray, n_blocks: int
) -> Iterator[tuple[Rows, _Errors]]:
    block_of = groups.blocks(max(n_blocks, 1))
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
        yield rows, iter([(slice(None), squares)])
