r"""Leverages and exact leave-one-out residuals of one training set, for a whole grid of ridges.

For the rows of a `RidgePath`, left singular vectors U, z = Uᵀy, and a ridge α₀: the leverage is
h_i = Σ U_ij² λ_j/(λ_j+α₀), the residual of row i when it is left out is e_i = residual_i/D_i with
D_i = η_i - h_i, η_i = 1 - w_i/n₀ with an intercept and 1 without, and Q_i = h_i/D_i.

Nothing is subtracted where it would cancel. Small ridges use
D_i = Σ U_ij² α₀/(λ_j+α₀) + (η_i - Σ U_ij²), whose last term is the part of row i outside the
span, zero when the sample has no more rows than directions; large ridges use h_i as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.factorization import RidgePath, check_path
from sk_deepfeat.theory.validation import FloatArray, check_alpha

_BLOCK_ENTRIES = 6_000_000
# Up to this many rows, each is a class of its own. More are binned by relative leverage,
# s = Q/mean Q, on a logarithmic scale; a class keeps the sums of s, e² and s e², so that what is
# lost is of second order in the width of a bin.
_MOST_CLASSES = 512
_LOG_LOW, _LOG_WIDTH = -11.0, 0.04
# The groups of a jackknife, whose differences alone count, are tabulated more coarsely.
_GROUP_STRIDE, _GROUP_CLASSES, _GROUP_WIDTH = 3, 64, 0.32


class LeverageMoments(NamedTuple):
    """Sums over rows along a grid of G ridges, in K classes of relative leverage.

    `share` sums to one over classes, `leverage` to one as well (the mean of s).
    """

    ridge: FloatArray
    """α₀, ascending, shape (G,)."""
    share: FloatArray
    """Share of the rows, shape (G, K)."""
    leverage: FloatArray
    """Mean over rows of s in the class, shape (G, K)."""
    error: FloatArray
    """Mean over rows of e² in the class, shape (G, K, t)."""
    tilt: FloatArray
    """Mean over rows of s e² in the class, shape (G, K, t)."""
    elasticity: FloatArray
    """d log q/d log α₀ + 1 for q = mean Q, shape (G,)."""


def leave_one_out_residuals(path: RidgePath, ridge: float) -> FloatArray:
    """Return the exact residuals of every row when it is left out.

    Parameters
    ----------
    path : RidgePath
        The factorised training set.
    ridge : float
        Not negative, for weights of mean one; 0 is the limit.

    Returns
    -------
    ndarray of shape (n_rows, n_outputs)
        Multiplied by the square root of the row's weight.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import leave_one_out_residuals, ridge_factorization
    >>> path = ridge_factorization([[0.0], [1.0], [3.0]], [1.0, 2.0, 5.0])
    >>> leave_one_out_residuals(path, 0.0).round(3)
    array([[ 0.5  ],
           [-0.333],
           [ 1.   ]])
    """
    check_path(path)
    ridge = float(check_alpha(ridge, "ridge"))
    if path.eigenvalues.size == 0:
        return path.outside / (1.0 - path.intercept_share)[:, None]
    # At zero the quotient may be 0/0 where the rows are interpolated: its limit is taken.
    grid = np.array([max(float(ridge), 1e-10 * float(path.eigenvalues[0]))])
    blocks = _along_rows(path, grid)
    return np.concatenate([block.residual[:, 0] for _, block in blocks])


class _Block(NamedTuple):
    """Some rows along the grid: arrays of shape (rows, G) and (rows, G, t)."""

    q: FloatArray  # Q_i
    growth: FloatArray  # Q_i + dQ_i/d log α₀
    residual: FloatArray  # e_i


def _along_rows(path: RidgePath, grid: FloatArray) -> Iterator[tuple[int, _Block]]:
    """Yield the first row of each block and the block, of bounded memory.

    Two buffers serve all blocks: fresh pages for each would take as long as the products.
    """
    rank = path.eigenvalues.size
    step = min(path.n_rows, max(64, _BLOCK_ENTRIES // max(rank, 1)))
    buffers = np.empty((step, rank)), np.empty((step, rank))
    for start in range(0, path.n_rows, step):
        yield start, _block(path, slice(start, min(start + step, path.n_rows)), grid, buffers)


def _block(
    path: RidgePath, rows: slice, grid: FloatArray, buffers: tuple[FloatArray, FloatArray]
) -> _Block:
    lam = path.eigenvalues
    left = path.left_vectors(rows, out=buffers[0])
    squares = np.multiply(left, left, out=buffers[1][: len(left)])
    eta = 1.0 - path.intercept_share[rows]
    outside = eta - squares.sum(axis=1)
    if lam.size == path.n_effective:  # every direction is there: nothing lies outside the span
        outside = np.zeros_like(outside)
    outside = np.where(outside > 1e-13 * lam.size, outside, 0.0)[:, None]  # less is rounding
    eta = eta[:, None]
    kept = grid[:, None] / (lam + grid[:, None])  # α₀/(λ+α₀)
    shrunk = lam / (lam + grid[:, None])
    small = kept.sum(axis=1) < 0.5 * lam.size
    q = np.empty((left.shape[0], grid.size))
    growth = np.empty_like(q)
    distance = np.empty_like(q)
    if np.any(small):
        d = squares @ kept[small].T + outside
        d2 = squares @ np.square(kept[small]).T + outside
        q[:, small] = (eta - d) / d
        growth[:, small] = eta * d2 / np.square(d) - 1.0
        distance[:, small] = d
    if not np.all(small):
        h = squares @ shrunk[~small].T
        h2 = squares @ np.square(shrunk[~small]).T
        d = eta - h
        q[:, ~small] = h / d
        growth[:, ~small] = (eta * h2 - h * h) / np.square(d)
        distance[:, ~small] = d
    t = path.targets.shape[1]
    scaled = path.target_components[None] * kept[:, :, None]  # (G, r, t)
    residual = np.empty((left.shape[0], grid.size, t))
    for k in range(t):
        residual[:, :, k] = left @ scaled[:, :, k].T
        if lam.size < path.n_effective:
            residual[:, :, k] += path.outside[rows, k][:, None]
    return _Block(q, growth, residual / distance[:, :, None])


class _Sums:
    """Additive sums over rows along a grid of ridges, by class of relative leverage."""

    def __init__(self, grid: FloatArray, classes: int, outputs: int, width: float) -> None:
        self.grid, self.classes, self.width = grid, classes, width
        size = grid.size * classes
        self.rows = 0
        self.count, self.leverage = np.zeros(size), np.zeros(size)
        self.error, self.tilt = np.zeros((outputs, size)), np.zeros((outputs, size))
        self.growth = np.zeros(grid.size)

    def add(self, block: _Block, first: int | None, origin: FloatArray) -> None:
        """Add rows; with `first` each row is a class of its own, from that number on."""
        if first is None:
            index = _bin(block.q, origin, self.classes, self.width)
        else:
            own = np.arange(first, first + len(block.q))
            index = np.broadcast_to(own[:, None], block.q.shape)
        flat = (index + np.arange(self.grid.size) * self.classes).ravel()
        size = self.count.size
        self.rows += len(block.q)
        self.count += np.bincount(flat, minlength=size)
        self.leverage += np.bincount(flat, weights=block.q.ravel(), minlength=size)
        for k in range(len(self.error)):
            squares = np.square(block.residual[:, :, k])
            self.error[k] += np.bincount(flat, weights=squares.ravel(), minlength=size)
            self.tilt[k] += np.bincount(flat, weights=(block.q * squares).ravel(), minlength=size)
        self.growth += block.growth.sum(axis=0)

    def without(self, part: _Sums) -> _Sums:
        """Return the sums over the rows that are not in `part`."""
        left = _Sums(self.grid, self.classes, len(self.error), self.width)
        left.rows = self.rows - part.rows
        for name in ("count", "leverage", "error", "tilt", "growth"):
            setattr(left, name, getattr(self, name) - getattr(part, name))
        for values in (left.count, left.leverage, left.error, left.tilt):
            values[..., left.count < 0.5] = 0.0  # rounding where a class has lost its last row
        return left

    def moments(self) -> LeverageMoments:
        """Return means over the rows, for the classes that have any."""
        shape = (self.grid.size, self.classes)
        used = (self.count.reshape(shape) > 0).any(axis=0)
        total = self.leverage.reshape(shape).sum(axis=1)

        def by_class(sums: FloatArray) -> FloatArray:
            return np.ascontiguousarray(sums.reshape(-1, *shape)[:, :, used].transpose(1, 2, 0))

        return LeverageMoments(
            self.grid,
            by_class(self.count)[..., 0] / self.rows,
            by_class(self.leverage)[..., 0] / total[:, None],
            by_class(self.error) / self.rows,
            by_class(self.tilt) / total[:, None, None],
            self.growth / total,
        )


def leverage_moments(
    path: RidgePath, grid: FloatArray, *, n_groups: int = 0
) -> tuple[LeverageMoments, list[LeverageMoments]]:
    """Sum leverages and leave-one-out errors along a grid of ridges, in blocks of rows.

    Parameters
    ----------
    path : RidgePath
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
    outputs = path.targets.shape[1]
    classes = min(path.n_rows, _MOST_CLASSES)
    alone = classes == path.n_rows
    total = _Sums(grid, classes, outputs, _LOG_WIDTH)
    some = np.unique(np.r_[np.arange(0, grid.size, _GROUP_STRIDE), grid.size - 1])
    groups = [_Sums(grid[some], _GROUP_CLASSES, outputs, _GROUP_WIDTH) for _ in range(n_groups)]
    origin: FloatArray | None = None
    for start, block in _along_rows(path, grid):
        if origin is None:  # classes lie about the first rows' mean, and keep their own means
            origin = np.log(np.maximum(block.q.mean(axis=0), np.finfo(float).tiny))
        total.add(block, start if alone else None, origin)
        for g, sums in enumerate(groups):
            mine = slice((g - start) % n_groups, None, n_groups)
            part = _Block(*(values[mine][:, some] for values in block))
            sums.add(part, None, origin[some])
    replicates = []
    if groups:
        everything = _Sums(grid[some], _GROUP_CLASSES, outputs, _GROUP_WIDTH)
        for name in ("rows", "count", "leverage", "error", "tilt", "growth"):
            setattr(everything, name, sum(getattr(sums, name) for sums in groups))
        replicates = [everything.without(sums).moments() for sums in groups]
    return total.moments(), replicates


def _bin(q: FloatArray, origin: FloatArray, classes: int, width: float) -> NDArray[np.intp]:
    log_s = np.log(np.maximum(q, np.finfo(float).tiny)) - origin
    return np.clip((log_s - _LOG_LOW) / width, 0, classes - 1).astype(np.intp)
