r"""Leverages and exact leave-one-out residuals of one training set, for a whole grid of ridges.

For the rows of a `RidgeFactorization`, left singular vectors U, z = Uᵀy, and a ridge α₀: the
leverage is h_i = Σ U_ij² λ_j/(λ_j+α₀), the residual of row i when it is left out is
e_i = residual_i/D_i with D_i = η_i - h_i, η_i = 1 - w_i/n₀ with an intercept and 1 without, and
Q_i = h_i/D_i.

Nothing is subtracted where it would cancel. Small ridges use
D_i = Σ U_ij² α₀/(λ_j+α₀) + (η_i - Σ U_ij²), whose last term is the part of row i outside the
span, zero when the sample has no more rows than directions; large ridges use h_i as it stands.

Where U costs a long product with the features, it is taken in single precision, but for the rows
and columns that would lose by it (see `_SingleLeft`). D_i is then right to about 1e-6 of itself,
and to 1e-4 at worst; a mean of e_i² over many rows, to about 1e-6.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization, check_factorization
from sk_deepfeat.theory.one_sample.few_ridges import few_columns
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.validation import FloatArray, single_alpha

_BLOCK_ENTRIES, _GRID_ENTRIES = 6_000_000, 1_000_000
# Operations of a product with the features from which on single precision is worth its checks.
_LARGE = 2e9
# A column of U is off by ε √(Σλ/λ_j) of its own length, ε = 6e-8, with random signs: from 3e-4 of
# it on, at this share of Σλ, it is taken in double precision.
_LEAST_SHARE = 4e-8
# Rows for which η_i - Σ U_ij² cancels, and rows longer than the mean by this factor (squared).
_NEAR_ONE, _LONG = 0.05, 100.0
# Features beyond this factor of one may leave the range of single precision.
_RANGE = 1e15
_TOLERANCE = 1e-9
_ROUNDING = float(np.finfo(float).eps)
# A share of a row, or of a target, outside the span, for each direction: less is rounding.
_NOTHING_OUTSIDE = 1e-13

AnyFloats = NDArray[np.float64] | NDArray[np.float32]


def leave_one_out_residuals(factorization: RidgeFactorization, ridge: float) -> FloatArray:
    """Return the exact residuals of every row when it is left out.

    Parameters
    ----------
    factorization : RidgeFactorization
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
    >>> factorization = ridge_factorization([[0.0], [1.0], [3.0]], [1.0, 2.0, 5.0])
    >>> leave_one_out_residuals(factorization, 0.0).round(3)
    array([[ 0.5  ],
           [-0.333],
           [ 1.   ]])
    """
    check_factorization(factorization)
    ridge = single_alpha(ridge, "ridge")
    if factorization.eigenvalues.size == 0:
        return factorization.outside / (1.0 - factorization.intercept_share)[:, None]
    # At zero the quotient may be 0/0 where the rows are interpolated: its limit is taken.
    grid = np.array([max(float(ridge), 1e-10 * float(factorization.eigenvalues[0]))])
    blocks = left_out_rows(factorization, grid, single=False)
    return np.concatenate([block.residuals_at(factorization, grid[0], 0) for block in blocks])


class LeftOutRows(NamedTuple):
    """Some rows along a grid of ridges: arrays of shape (G, rows)."""

    rows: slice
    q: FloatArray
    """Q_i."""
    growth: FloatArray
    """Q_i + dQ_i/d log α₀."""
    distance: FloatArray
    """D_i."""
    within: NDArray[np.bool_]
    """Rows with nothing outside the span; (rows,)."""
    left: AnyFloats
    """U of these rows, (rows, rank), in a buffer of the next block as well."""
    exact: IndexArray
    """Those among them whose U is needed in double precision."""
    exact_left: FloatArray
    """U of those."""

    def outside(self, factorization: RidgeFactorization) -> FloatArray | None:
        """Return what no coefficients reach of the targets; None where all is in reach."""
        if factorization.eigenvalues.size == factorization.n_effective:
            return None
        outside = factorization.outside[self.rows]
        if not self.within.any():
            return outside
        # A direction that is cut off may hold next to nothing of a row, and more of its target.
        lengths = np.sqrt(np.square(factorization.targets).sum(axis=0))
        rounding = _NOTHING_OUTSIDE * factorization.eigenvalues.size * lengths
        return np.where(self.within[:, None] & (np.abs(outside) <= rounding), 0.0, outside)

    def residuals_at(
        self, factorization: RidgeFactorization, ridge: float, position: int
    ) -> FloatArray:
        """Return e_i at the ridge of that position in the grid, shape (rows, t)."""
        kept = ridge / (factorization.eigenvalues + ridge)
        scaled = kept[:, None] * factorization.target_components
        found = (self.left @ scaled.astype(self.left.dtype)).astype(np.float64)
        found[self.exact] = self.exact_left @ scaled
        outside = self.outside(factorization)
        if outside is not None:
            found += outside
        found /= self.distance[position][:, None]
        return found


def left_out_rows(
    factorization: RidgeFactorization,
    grid: FloatArray,
    *,
    single: bool = True,
    most_rows: int | None = None,
) -> Iterator[LeftOutRows]:
    """Yield rows, block by block, of bounded memory.

    Buffers serve all blocks: fresh pages for each would take as long as the products.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set, with at least one direction.
    grid : ndarray of shape (G,)
        Positive ridges.
    single : bool, default=True
        Whether large problems may be taken in single precision.
    most_rows : int, optional
        Of a block.
    """
    n_rows, rank = factorization.n_sampled, factorization.eigenvalues.size
    tables = _Tables(factorization.eigenvalues, grid)
    fast = _SingleLeft.of(factorization) if single else None
    most = _BLOCK_ENTRIES * (1 if fast is None else 2) // rank
    most = max(64, min(most, _GRID_ENTRIES // grid.size))
    most = most if most_rows is None else min(most, most_rows)
    step = -(-n_rows // -(-n_rows // most))
    nothing = np.empty(0, dtype=np.intp), np.empty((0, rank))
    buffers: tuple[FloatArray, FloatArray] | None = None
    for start in range(0, n_rows, step):
        rows = slice(start, min(start + step, n_rows))
        left: AnyFloats
        squares: AnyFloats
        if fast is not None:
            left, squares = fast.left(rows, step)
            sums, lengths = tables.few(squares)
            found = _leverages(factorization, rows, sums, tables)
            near = (found[2][np.argmin(grid)] < _NEAR_ONE) | (lengths > _LONG)
            exact = np.flatnonzero(near)
            if exact.size <= len(left) // 4:
                exact_left = factorization.left_vectors(start + exact)
                sums = tables.all(np.square(exact_left))
                again = _leverages(factorization, start + exact, sums, tables)
                for values, better in zip(found, again, strict=True):
                    values[..., exact] = better
                yield LeftOutRows(rows, *found, left, exact, exact_left)
                continue
            fast = None
        if buffers is None:
            buffers = np.empty((step, rank)), np.empty((step, rank))
        exact_left = factorization.left_vectors(rows, out=buffers[0])
        squares = np.square(exact_left, out=buffers[1][: len(exact_left)])
        found = _leverages(factorization, rows, tables.all(squares), tables)
        yield LeftOutRows(rows, *found, exact_left, *nothing)


def single_pays(factorization: RidgeFactorization, operations: float) -> bool:
    """Say whether a product is large, and rows and targets are in the range of single precision."""
    lengths = np.sqrt(np.square(factorization.target_components).sum(axis=0))
    sizes = np.r_[np.sqrt(factorization.eigenvalues[-1]), lengths[lengths > 0]]
    in_range = np.all((sizes > 1.0 / _RANGE) & (sizes < _RANGE))
    return bool(factorization.features.casts and operations >= _LARGE and in_range)


class _Tables:
    """α₀/(λ+α₀) and λ/(λ+α₀) along a grid, each where it is small, their squares, and ones."""

    def __init__(self, eigenvalues: FloatArray, grid: FloatArray) -> None:
        total = eigenvalues + grid[:, None]
        kept = grid[:, None] / total
        self.small: NDArray[np.bool_] = kept.sum(axis=1) < 0.5 * eigenvalues.size
        self.least = kept[:, -1]
        values = np.where(self.small[:, None], kept, eigenvalues / total)
        self._table = np.vstack([values, np.square(values), np.ones(eigenvalues.size)])
        self._eigenvalues = eigenvalues

    def all(self, squares: AnyFloats) -> FloatArray:
        """Return the sums over directions of U_ij² times each of them, shape (2G + 1, rows)."""
        return np.asarray(self._table @ squares.T, dtype=np.float64)

    def few(self, squares: AnyFloats) -> tuple[FloatArray, FloatArray]:
        """Return the same from sums in single precision, and Σ_j λ_j U_ij² over its mean."""
        basis, weights = self._few
        sums = basis @ squares.T
        lengths = sums[-1] * (squares.shape[0] / max(float(sums[-1].sum()), 1e-300))
        return weights.T @ sums[:-1].astype(np.float64), lengths

    @cached_property
    def _few(self) -> tuple[NDArray[np.float32], FloatArray]:
        basis, weights = few_columns(self._eigenvalues, self._table.T, _TOLERANCE)
        return np.vstack([basis.T, self._eigenvalues / self._eigenvalues[-1]]).astype(
            np.float32
        ), weights


def _leverages(
    factorization: RidgeFactorization,
    rows: slice | IndexArray,
    sums: FloatArray,
    tables: _Tables,
) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.bool_]]:
    """Return Q, its growth, D and whether nothing is outside the span, of some rows.

    `sums` are over directions.
    """
    eta = 1.0 - factorization.intercept_share[rows]
    rank = factorization.eigenvalues.size
    if rank == factorization.n_effective:  # every direction is there: nothing outside the span
        within, outside = np.ones(eta.size, dtype=bool), np.zeros_like(eta)
    else:
        outside = eta - sums[-1]
        within = outside <= _NOTHING_OUTSIDE * rank
        outside[within] = 0.0
    size = len(tables.small)
    q, distance, growth = np.empty((3, size, eta.size))
    for g in range(size):
        first, second = sums[g], sums[size + g]
        if tables.small[g]:
            d = np.add(first, outside, out=distance[g])
            # Where rounding has eaten a row, as beside a huge weight, Σ U_ij² need not be η.
            np.clip(d, 0.5 * tables.least[g] * eta, eta, out=d)
            np.divide(eta - d, d, out=q[g])
            np.divide(eta * (second + outside), np.square(d), out=growth[g])
            growth[g] -= 1.0
        else:
            d = np.subtract(eta, first, out=distance[g])
            np.maximum(d, _ROUNDING * eta, out=d)  # what is less is lost in the difference
            np.divide(first, d, out=q[g])
            np.divide(eta * second - np.square(first), np.square(d), out=growth[g])
    return q, growth, distance, within


class _SingleLeft:
    """U in single precision, from rows cast block by block.

    An entry of U is off by about ε |F_i|/√λ_j: columns of small eigenvalues stay double.
    """

    def __init__(self, factorization: RidgeFactorization, right: FloatArray, coarse: int) -> None:
        self._factorization = factorization
        self._double, self._single = right[:, :coarse], right[:, coarse:].astype(np.float32)
        self._buffers: list[NDArray[np.float32]] = []

    @classmethod
    def of(cls, factorization: RidgeFactorization) -> _SingleLeft | None:
        """Return it where it pays and keeps enough digits, or None."""
        lam = factorization.eigenvalues
        coarse = int(np.searchsorted(lam, _LEAST_SHARE * lam.sum()))
        operations = float(factorization.n_sampled) * factorization.n_features * lam.size
        if 2 * coarse >= lam.size or not single_pays(factorization, operations):
            return None
        right = factorization.left_from_features
        return None if right is None else cls(factorization, right, coarse)

    def left(self, rows: slice, most: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return U of some rows and its squares, in buffers for at most so many."""
        width, coarse = self._factorization.n_features, self._double.shape[1]
        rank = self._factorization.eigenvalues.size
        if not self._buffers:
            self._buffers = [np.empty((most, size), np.float32) for size in (width, rank, rank)]
        features: Any = self._factorization.features
        count = rows.stop - rows.start
        cast, left, squares = (buffer[:count] for buffer in self._buffers)
        features.cast_times(rows, self._single, left[:, coarse:], cast)
        if coarse:
            left[:, :coarse] = features.take(rows) @ self._double
        return left, np.multiply(left, left, out=squares)
