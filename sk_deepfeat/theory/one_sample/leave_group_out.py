r"""Leverages and exact residuals of whole groups left out, for a whole grid of ridges.

For the m rows of a group of a `RidgeFactorization`, with H its block of the hat matrix at a ridge
α₀, w its weights (of mean one), n = √w/|√w| and η = I - (Σw/n₀) n nᵀ (the identity without an
intercept),

    X = η^-½ H η^-½ = Σ_k h_k u_k u_kᵀ,   Q_k = h_k/(1 - h_k),   e = η^-½ (I - X)^-1 η^-½ r,

where r are the training residuals and e those when the whole group is left out. A pair (group, k)
then takes the place of a row. With an intercept the mean of the other rows, which e holds, is
noisy by whole groups: its part is taken out, ê = (I + (m/n₀) n nᵀ)^-½ e, and kept beside it as
β = m (nᵀê)²; v_k = m (u_kᵀn)² is the share of the constant direction that each pair carries, of
sum n₀. One row a group gives v = 1 and the formulas of rows.

Nothing is subtracted where it would cancel: where 1 - h_k is small, it is an eigenvalue of
I - X = η^-½ [U diag(α₀/(λ+α₀)) Uᵀ + (η - UUᵀ)] η^-½, or a squared singular value of a root of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization, check_factorization
from sk_deepfeat.theory.one_sample.row_groups import IndexArray, RowGroups
from sk_deepfeat.theory.validation import FloatArray, real_number

_BLOCK_ENTRIES = 6_000_000
# From 1 - h below this on, it is taken without subtraction; its square root's singular values
# where a Gram matrix of this condition would lose it.
_NEAR_ONE, _MOST_CONDITION = 0.1, 1e6
_ROUNDING = 1e-13
# Up to this size, products of all pairs of rows go to one matrix product.
_MOST_PRODUCTS = 32


class LeftOutGroups(NamedTuple):
    """Some groups along a grid of G ridges, pair by pair; arrays (pairs, G), errors (pairs, G, t).

    The pairs of a group follow one another, as many as it has rows.
    """

    q: FloatArray  # Q_k
    growth: FloatArray  # Q_k + dQ_k/d log α₀
    residual: FloatArray  # ê, along u_k
    constant: FloatArray  # v_k
    mean_error: FloatArray  # β of each group, (groups, G, t)


def leave_group_out_residuals(factorization: RidgeFactorization, ridge: float) -> FloatArray:
    """Return the exact residuals of every row when its whole group is left out.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set, made with groups.
    ridge : float
        Positive, for weights of mean one.

    Returns
    -------
    ndarray of shape (n_rows, n_outputs)
        Multiplied by the square root of the row's weight.

    Raises
    ------
    ValueError
        If the rows have no groups or `ridge` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import leave_group_out_residuals, ridge_factorization
    >>> X, y = [[0.0], [1.0], [2.0], [4.0]], [1.0, 2.0, 3.0, 4.0]
    >>> factorization = ridge_factorization(X, y, groups=[0, 0, 1, 1])
    >>> leave_group_out_residuals(factorization, 0.1).round(2)  # lines through two points
    array([[-1.07],
           [-0.55],
           [ 0.25],
           [-0.42]])
    """
    check_factorization(factorization)
    groups = factorization.groups
    if groups is None:
        raise ValueError("leave_group_out_residuals needs groups: ridge_factorization(groups=...).")
    alpha = real_number(ridge, "ridge", positive=True)
    kept = alpha / (factorization.eigenvalues + alpha)
    residuals = np.empty_like(factorization.targets)
    for rows, left, blocks in left_out_blocks(factorization, np.array([alpha])):
        seen = left @ (kept[:, None] * factorization.target_components)
        residuals[rows] = np.linalg.solve(blocks[0], seen + factorization.outside[rows])
    return residuals


def left_out_blocks(
    factorization: RidgeFactorization, ridges: FloatArray
) -> Iterator[tuple[IndexArray, FloatArray, FloatArray]]:
    """Yield the rows of each group, their U, and their blocks of I - H, the intercept in H.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set, made with groups.
    ridges : ndarray of shape (G,)
        Positive.

    Yields
    ------
    rows : ndarray of shape (m,)
    left : ndarray of shape (m, rank)
    blocks : ndarray of shape (G, m, m)
        What multiplies residuals when the group is left out, to give those of the training set.
    """
    groups = factorization.groups
    assert groups is not None
    kept = ridges[:, None] / (factorization.eigenvalues + ridges[:, None])
    for group in range(groups.n_groups):
        rows = groups.rows(group)
        left = factorization.left_vectors(rows)
        outside = np.zeros((rows.size, rows.size))
        if _has_outside(factorization):
            outside = np.eye(rows.size) - left @ left.T
            if factorization.fit_intercept:
                root = np.sqrt(factorization.weights[rows])
                outside -= np.outer(root, root) / factorization.n_rows
        yield rows, left, np.stack([(left * k) @ left.T + outside for k in kept])


def left_out_groups(
    factorization: RidgeFactorization, groups: RowGroups, grid: FloatArray
) -> Iterator[tuple[IndexArray, LeftOutGroups]]:
    """Yield the numbers of some groups of one size, and what leaving them out shows.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set, with at least one direction.
    groups : RowGroups
        Of its rows, at least two.
    grid : ndarray of shape (G,)
        Positive ridges, ascending, for weights of mean one.
    """
    rank, tables = factorization.eigenvalues.size, _Tables(factorization.eigenvalues, grid)
    most = {}
    for size in np.unique(groups.sizes):
        short = min(size, rank)
        products = short * (short + 1) // 2 * rank if short <= _MOST_PRODUCTS else short * rank
        most[int(size)] = _BLOCK_ENTRIES // max(int(products), grid.size * int(short) ** 2)
    for some, rows in groups.batches(most):
        batch = _Batch(factorization, rows)
        step = max(1, _BLOCK_ENTRIES // (len(rows) * batch.span**2))
        parts = [
            batch.left_out(tables, slice(first, first + step))
            for first in range(0, grid.size, step)
        ]
        columns = zip(*parts, strict=True)
        yield some, LeftOutGroups(*(np.concatenate(part, axis=1) for part in columns))


def left_out_means(
    factorization: RidgeFactorization, groups: RowGroups
) -> tuple[FloatArray, FloatArray]:
    """Return ê² of rows and β of their groups where nothing but an intercept is fitted.

    Both have the shape (n_rows, t); β is divided by the rows of its group, so that means agree.
    """
    targets, n_rows = factorization.targets, factorization.n_rows
    root = np.sqrt(factorization.weights)[:, None]
    weight = groups.sums(np.square(root))[groups.number]
    unit, size = root / np.sqrt(weight), groups.sizes[groups.number][:, None]
    along = groups.sums(unit * targets)[groups.number]
    left_out = along / ((1.0 - weight / n_rows) * np.sqrt(1.0 + size / n_rows))
    return np.square(targets + unit * (left_out - along)), np.square(left_out)


def _has_outside(factorization: RidgeFactorization) -> bool:
    """Say whether rows have a part outside the span: not if every direction is there."""
    return factorization.eigenvalues.size < factorization.n_effective


class _Tables:
    """λ/(λ+α₀) along a grid of ridges, and its square, as combinations of a few vectors over λ."""

    def __init__(self, eigenvalues: FloatArray, grid: FloatArray) -> None:
        self.eigenvalues, self.grid = eigenvalues, grid
        shrunk = eigenvalues[:, None] / (eigenvalues[:, None] + grid)
        table = np.hstack([shrunk, np.square(shrunk)])
        largest = table.max(axis=0)
        basis, triangle, order = scipy.linalg.qr(table / largest, mode="economic", pivoting=True)
        diagonal = np.abs(np.diagonal(triangle))
        size = int(np.count_nonzero(diagonal > np.finfo(float).eps * diagonal[0]))
        coordinates = np.empty((size, table.shape[1]))
        coordinates[:, order] = triangle[:size]
        self.basis: FloatArray = np.ascontiguousarray(basis[:, :size])
        coordinates *= largest
        self.shrunk, self.squared = np.split(coordinates, 2, axis=1)

    def kept(self, ridges: slice | IndexArray) -> FloatArray:
        """Return α₀/(λ+α₀), shape (ridges, rank)."""
        at = self.grid[ridges][:, None]
        return np.asarray(at / (self.eigenvalues + at))


class _Batch:
    """Groups of one size, in an orthonormal basis of each: first its span, then what is beyond.

    Arrays over groups B, coordinates m and outputs t; `span` is the number of the former.
    The ridges are to be asked for in ascending order.
    """

    def __init__(self, factorization: RidgeFactorization, rows: IndexArray) -> None:
        size, n_rows = rows.shape[1], factorization.n_rows
        rank, outputs = factorization.eigenvalues.size, factorization.targets.shape[1]
        self.components = factorization.target_components
        self.full = not _has_outside(factorization)
        left = factorization.left_vectors(rows.ravel()).reshape(*rows.shape, rank)
        outside = np.zeros((*rows.shape, outputs)) if self.full else factorization.outside[rows]
        root = np.sqrt(factorization.weights[rows])
        length = np.sqrt(np.square(root).sum(axis=1))
        self.unit = root / length[:, None]
        intercept = float(factorization.fit_intercept)
        own_share = intercept * np.square(length) / n_rows
        stretch = 1.0 / np.sqrt(1.0 - own_share)  # of η^-½ along the unit vector
        self.size = float(size)
        self.middle = stretch / np.sqrt(1.0 + intercept * size / n_rows)
        self.left = self._along_unit(left, stretch)
        self.outside = self._along_unit(outside, stretch)
        self.span = min(size, rank)
        self.without_leverage: NDArray[np.bool_] | None = None
        if size > rank:
            basis, triangle = np.linalg.qr(self.left, mode="complete")
            turned = np.swapaxes(basis, 1, 2)
            self.left = triangle[:, :rank]
            self.outside = turned @ self.outside
            self.unit = (turned @ self.unit[:, :, None])[:, :, 0]

    def _along_unit(self, values: FloatArray, factor: FloatArray) -> FloatArray:
        """Multiply the part of values (B, m, c) along the unit vector by a factor (B,)."""
        along = np.matmul(self.unit[:, None, :], values)
        return values + (factor - 1.0)[:, None, None] * self.unit[:, :, None] * along

    def left_out(self, tables: _Tables, ridges: slice) -> LeftOutGroups:
        """Leave the groups out at some ridges of the grid."""
        pairs = self._direct(tables, ridges)
        near = 1.0 - pairs.leverage.max(axis=2) < _NEAR_ONE
        if np.any(near):
            self._without_subtraction(pairs, tables, np.arange(tables.grid.size)[ridges], near)
        if self.without_leverage is None:  # at the least ridge, where all directions count
            self.without_leverage = pairs.q[0] <= 0
        # What near copies leave is lost in rounding at large ridges alone: it stays above zero.
        least = _ROUNDING * pairs.q.max(axis=2, keepdims=True)
        pairs.q[...] = np.where(self.without_leverage, 0.0, np.maximum(pairs.q, least))
        span, idle = self.span, self.unit.shape[1] - self.span
        shape = (*pairs.q.shape[:2], idle)
        along = np.matmul(np.swapaxes(pairs.vectors, 2, 3), self.unit[:, :span, None])[..., 0]
        along = np.concatenate([along, np.broadcast_to(self.unit[:, span:], shape)], axis=2)
        beyond = np.broadcast_to(self.outside[:, span:], (*shape, self.outside.shape[2]))
        error = np.concatenate([pairs.error, beyond], axis=2)
        total = np.einsum("abk,abkt->abt", along, error)
        error += (self.middle - 1.0)[:, None, None] * along[..., None] * total[:, :, None, :]
        nothing = np.zeros(shape)

        def by_pair(values: FloatArray) -> FloatArray:
            flat = values.reshape(values.shape[0], -1, *values.shape[3:])
            return np.ascontiguousarray(np.swapaxes(flat, 0, 1))

        return LeftOutGroups(
            by_pair(np.concatenate([pairs.q, nothing], axis=2)),
            by_pair(np.concatenate([pairs.growth, nothing], axis=2)),
            by_pair(error),
            by_pair(self.size * np.square(along)),
            np.swapaxes(self.size * np.square(self.middle[:, None] * total), 0, 1),
        )

    def _direct(self, tables: _Tables, ridges: slice) -> _Pairs:
        """Take h as the eigenvalues of X: right while 1 - h is no small difference."""
        parts = _combinations(self.left, tables.basis)  # (B, k, k, basis)
        blocks, squared = (
            np.moveaxis(parts @ coordinates[:, ridges], 3, 0)
            for coordinates in (tables.shrunk, tables.squared)
        )
        leverage, vectors = np.linalg.eigh(blocks)
        own_square = np.einsum("abik,abik->abk", vectors, squared @ vectors)
        # Copies within a group leave directions without leverage; what is not zero is rounding.
        leverage = np.where(leverage > _ROUNDING * leverage[..., -1:], leverage, 0.0)
        distance = 1.0 - leverage
        scaled = tables.kept(ridges)[:, :, None] * self.components
        seen = np.matmul(self.left, scaled[:, None]) + self.outside[:, : self.span]
        with np.errstate(divide="ignore", invalid="ignore"):  # replaced where that happens
            return _Pairs(
                leverage,
                leverage / distance,
                (own_square - np.square(leverage)) / np.square(distance),
                (np.swapaxes(vectors, 2, 3) @ seen) / distance[..., None],
                vectors,
                seen,
            )

    def _without_subtraction(
        self, pairs: _Pairs, tables: _Tables, numbers: IndexArray, near: NDArray[np.bool_]
    ) -> None:
        """Replace the pairs of some groups (ridges, B) whose leverage is near one."""
        some = np.flatnonzero(near.any(axis=1))
        kept = tables.kept(numbers[some])
        outer_root, outer_components = self._outside_span
        outer = (outer_root @ np.swapaxes(outer_root, 1, 2))[..., None]
        # I - X and the same with squares, the grid last.
        distances, squared = (
            np.moveaxis(_combinations(self.left, table.T) + outer, 3, 0)
            for table in (kept, np.square(kept))
        )
        distance, vectors = np.linalg.eigh(distances)
        distance, vectors = distance[..., ::-1], vectors[..., ::-1]  # h ascending, as elsewhere
        safe = distance[..., -1] * _MOST_CONDITION > distance[..., 0]
        at = np.nonzero(near[some] & safe)
        mine = some[at[0]], at[1]
        own_square = np.einsum("nik,nik->nk", vectors[at], squared[at] @ vectors[at])
        along = np.swapaxes(vectors[at], 1, 2) @ pairs.seen[mine]
        pairs.put(mine, distance[at], own_square, along / distance[at][..., None], vectors[at])
        for i, b in zip(*np.nonzero(near[some] & ~safe), strict=True):
            root = np.hstack([self.left[b] * np.sqrt(kept[i]), outer_root[b]])
            sources = np.vstack([np.sqrt(kept[i])[:, None] * self.components, outer_components[b]])
            basis, triangle = np.linalg.qr(root.T)
            left, singular, right = scipy.linalg.svd(triangle.T, lapack_driver="gesvd")
            sides = right @ basis.T
            weights = np.r_[kept[i], np.ones(outer_root.shape[2])]
            squares = np.square(singular)
            pairs.put(
                (some[i], b),
                squares,
                squares * (np.square(sides) @ weights),
                (sides @ sources) / singular[:, None],
                left,
            )

    @property
    def _outside_span(self) -> tuple[FloatArray, FloatArray]:
        """A root of η^-½ (η - UUᵀ) η^-½ within the span, and the components of y along it."""
        if self.full:
            return np.zeros((len(self.left), self.span, 0)), np.zeros(
                (len(self.left), 0, self.outside.shape[2])
            )
        rest = np.eye(self.span) - self.left @ np.swapaxes(self.left, 1, 2)
        values, vectors = np.linalg.eigh(rest)
        root = np.sqrt(np.where(values > _ROUNDING * self.components.shape[0], values, 0.0))
        along = np.swapaxes(vectors, 1, 2) @ self.outside[:, : self.span]
        components = np.divide(
            along, root[..., None], out=np.zeros_like(along), where=root[..., None] > 0
        )
        return vectors * root[:, None, :], components


class _Pairs(NamedTuple):
    """Pairs of a batch within the spans: arrays (ridges, B, k), written in place."""

    leverage: FloatArray
    q: FloatArray
    growth: FloatArray
    error: FloatArray  # (I - X)^-1 η^-½ r along u, (ridges, B, k, t)
    vectors: FloatArray  # u, in columns
    seen: FloatArray  # η^-½ r

    def put(
        self,
        at: tuple[Any, Any],
        distance: FloatArray,
        own_square: FloatArray,
        error: FloatArray,
        vectors: FloatArray,
    ) -> None:
        """Write pairs known by 1 - h and uᵀ(I - X)₂u, in which the table is squared."""
        leverage = 1.0 - distance
        self.q[at] = np.where(leverage > _ROUNDING, leverage, 0.0) / distance
        self.growth[at] = own_square / np.square(distance) - 1.0
        self.error[at], self.vectors[at] = error, vectors


def _combinations(left: FloatArray, table: FloatArray) -> FloatArray:
    """Return Σ_j table_jc U_j U_jᵀ for each column c, shape (B, k, k, columns)."""
    count, size, rank = left.shape
    out = np.empty((count, size, size, table.shape[1]))
    if size <= _MOST_PRODUCTS:
        i, j = np.triu_indices(size)
        products = (left[:, i] * left[:, j]).reshape(-1, rank) @ table
        out[:, i, j] = out[:, j, i] = products.reshape(count, i.size, -1)
    else:
        for column in range(table.shape[1]):
            out[..., column] = (left * table[:, column]) @ np.swapaxes(left, 1, 2)
    return out
