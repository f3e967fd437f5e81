"""Leverages and squared leave-one-out errors of all rows, summed by classes of relative leverage.

The sums are additive over rows. A replicate of the jackknife is what is left without one group.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.leave_one_out import LeftOutRows, left_out_rows
from sk_deepfeat.theory.validation import FloatArray

# Up to this many rows, each is a class of its own. More are binned by relative leverage,
# s = Q/mean Q, on a logarithmic scale; a class keeps the sums of s, e² and s e², so that what is
# lost is of second order in the width of a bin.
_MOST_CLASSES = 512
_LOG_LOW, _LOG_WIDTH = -11.0, 0.04
# The groups of a jackknife, whose differences alone count, are tabulated more coarsely.
_GROUP_STRIDE, _GROUP_CLASSES, _GROUP_WIDTH = 3, 64, 0.32


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


class _Sums:
    """Additive sums over rows along a grid of ridges, by class of relative leverage."""

    def __init__(self, grid: FloatArray, classes: int, outputs: int, width: float) -> None:
        self.grid, self.classes, self.width = grid, classes, width
        size = grid.size * classes
        self.rows = 0
        self.count, self.leverage = np.zeros(size), np.zeros(size)
        self.error, self.leverage_weighted_error = (
            np.zeros((outputs, size)),
            np.zeros((outputs, size)),
        )
        self.growth = np.zeros(grid.size)

    def add(self, block: LeftOutRows, first: int | None, origin: FloatArray) -> None:
        """Add rows; with `first` each row is a class of its own, from that number on."""
        if first is None:
            index = _bin(block.q, origin, self.classes, self.width)
        else:
            numbers = np.arange(first, first + len(block.q))
            index = np.broadcast_to(numbers[:, None], block.q.shape)
        flat = (index + np.arange(self.grid.size) * self.classes).ravel()
        size = self.count.size
        self.rows += len(block.q)
        self.count += np.bincount(flat, minlength=size)
        self.leverage += np.bincount(flat, weights=block.q.ravel(), minlength=size)
        for k in range(len(self.error)):
            squares = np.square(block.residual[:, :, k])
            self.error[k] += np.bincount(flat, weights=squares.ravel(), minlength=size)
            self.leverage_weighted_error[k] += np.bincount(
                flat, weights=(block.q * squares).ravel(), minlength=size
            )
        self.growth += block.growth.sum(axis=0)

    def without(self, part: _Sums) -> _Sums:
        """Return the sums over the rows that are not in `part`."""
        rest = _Sums(self.grid, self.classes, len(self.error), self.width)
        rest.rows = self.rows - part.rows
        for name in ("count", "leverage", "error", "leverage_weighted_error", "growth"):
            setattr(rest, name, getattr(self, name) - getattr(part, name))
        for values in (rest.count, rest.leverage, rest.error, rest.leverage_weighted_error):
            values[..., rest.count < 0.5] = 0.0  # rounding where a class has lost its last row
        return rest

    def moments(self) -> LeverageMoments:
        """Return means over the rows, for the classes that have any."""
        shape = (self.grid.size, self.classes)
        filled = (self.count.reshape(shape) > 0).any(axis=0)
        total = self.leverage.reshape(shape).sum(axis=1)

        def by_class(sums: FloatArray) -> FloatArray:
            return np.ascontiguousarray(sums.reshape(-1, *shape)[:, :, filled].transpose(1, 2, 0))

        return LeverageMoments(
            self.grid,
            by_class(self.count)[..., 0] / self.rows,
            by_class(self.leverage)[..., 0] / total[:, None],
            by_class(self.error) / self.rows,
            by_class(self.leverage_weighted_error) / total[:, None, None],
            self.growth / total,
        )


def leverage_moments(
    factorization: RidgeFactorization, grid: FloatArray, *, n_groups: int = 0
) -> tuple[LeverageMoments, list[LeverageMoments]]:
    """Sum leverages and leave-one-out errors along a grid of ridges, in blocks of rows.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set, with at least one direction.
    grid : ndarray of shape (G,)
        Positive ridges, ascending, for weights of mean one.
    n_groups : int, default=0
        Rows fall into so many groups, in turn, for a delete-group jackknife.

    Returns
    -------
    moments : LeverageMoments
        Of all rows.
    replicates : list of LeverageMoments
        Of the rows outside each group, leverages and residuals as they are with all rows; on a
        third of the grid and in wider classes.
    """
    outputs = factorization.targets.shape[1]
    classes = min(factorization.n_rows, _MOST_CLASSES)
    alone = classes == factorization.n_rows
    total = _Sums(grid, classes, outputs, _LOG_WIDTH)
    some = np.unique(np.r_[np.arange(0, grid.size, _GROUP_STRIDE), grid.size - 1])
    groups = [_Sums(grid[some], _GROUP_CLASSES, outputs, _GROUP_WIDTH) for _ in range(n_groups)]
    origin: FloatArray | None = None
    for start, block in left_out_rows(factorization, grid):
        if origin is None:  # classes lie about the first rows' mean, and keep their own means
            origin = np.log(np.maximum(block.q.mean(axis=0), np.finfo(float).tiny))
        total.add(block, start if alone else None, origin)
        for g, sums in enumerate(groups):
            mine = slice((g - start) % n_groups, None, n_groups)
            part = LeftOutRows(*(values[mine][:, some] for values in block))
            sums.add(part, None, origin[some])
    replicates = []
    if groups:
        everything = _Sums(grid[some], _GROUP_CLASSES, outputs, _GROUP_WIDTH)
        for name in ("rows", "count", "leverage", "error", "leverage_weighted_error", "growth"):
            setattr(everything, name, sum(getattr(sums, name) for sums in groups))
        replicates = [everything.without(sums).moments() for sums in groups]
    return total.moments(), replicates


def _bin(q: FloatArray, origin: FloatArray, classes: int, width: float) -> NDArray[np.intp]:
    log_s = np.log(np.maximum(q, np.finfo(float).tiny)) - origin
    return np.clip((log_s - _LOG_LOW) / width, 0, classes - 1).astype(np.intp)
