r"""Exact residuals and leverages of rows when sets of rows around them are left out.

Row i stands first in its set S, the others follow by closeness. With M = η - H on S, where H is the
hat matrix at one ridge and η the identity, less √w√wᵀ/n₀ with an intercept, the residual of row i
when S is left out is the first component of M⁻¹r, and 1 + Q that of M⁻¹e₁, with the training
residuals r. One Cholesky factor M = LLᵀ answers for every leading part of the set: its triangular
inverse is nested, so that the components are running sums of (L⁻¹e₁)(L⁻¹r) and (L⁻¹e₁)².
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.centred_rows import CentredRows
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.half_grams import AnyRows
from sk_deepfeat.theory.validation import FloatArray

_SKETCH = 32
_SETS_AT_ONCE, _BLOCK_ENTRIES = 40, 2_000_000
_COPIED_ENTRIES = 20_000_000
# Beside M, whose largest eigenvalue is one: what single precision cannot tell from zero.
_ROUNDING = 1e-6
# Features up to this size, and down to its inverse, are fit for single precision as they are.
_LARGE = 1e15

Rows = NDArray[np.intp]
Floats = NDArray[Any]  # single precision, or double


class LeftOutSets(NamedTuple):
    """S rows with K others each."""

    error: FloatArray
    """Mean square over the outputs, each in units of its mean square over the rows' leave-one-out
    residuals, when the first k others are left out as well, k = 0 … K; shape (S, K+1)."""
    leverage: FloatArray
    """log Q at the same k."""
    similarity: FloatArray
    """Cosine of the rows' influences, H_ij/√(h_i h_j), shape (S, K+1)."""


def single_precision_unit(factorization: RidgeFactorization) -> float:
    """Return what to divide features by, so that single precision neither overflows nor is zero."""
    largest = float(np.sqrt(factorization.eigenvalues[-1]))
    return 1.0 if 1.0 / _LARGE < largest < _LARGE else largest


class _SingleRows:
    """The rows over a unit in single precision; a copy of few rows, of many a block at a time."""

    def __init__(self, rows: AnyRows, unit: float) -> None:
        self._given, self._unit = rows, unit
        self._copy: Floats | None = None
        if isinstance(rows, CentredRows) and rows.shape[0] * rows.shape[1] <= _COPIED_ENTRIES:
            self._copy = np.empty(rows.shape, dtype=np.float32)
            for some, block in rows.blocks():
                np.divide(block, unit, out=self._copy[some], casting="same_kind")

    def some_times(self, rows: slice | Rows, right: Floats) -> Floats:
        """Return the product of some rows with a matrix."""
        if self._copy is not None:
            return self._copy[rows] @ right
        if not isinstance(self._given, CentredRows):
            found = self._given.rows_times(rows, right / np.float64(self._unit))
            return found.astype(np.float32)
        return np.asarray(self._given.take(rows) / self._unit, dtype=np.float32) @ right

    def times(self, right: Floats) -> Floats:
        """Return the product of all rows with a matrix."""
        if self._copy is not None:
            return self._copy @ right
        if not isinstance(self._given, CentredRows):
            return self.some_times(slice(None), right)
        found = np.empty((self._given.shape[0], right.shape[1]), dtype=np.float32)
        for some, block in self._given.blocks():
            single = np.divide(block, self._unit, dtype=np.float32, casting="same_kind")
            np.matmul(single, right, out=found[some])
        return found


class InfluenceMetric:
    """The rows as points a_i = √(λ/(λ+ridge)) U_i, whose products are the hat matrix.

    H_ij is what one unit of y_j adds to the fit at row i. Where U is not at hand but costs a
    product with the features, single precision is used, and the lengths of all rows are sketched.
    """

    def __init__(self, factorization: RidgeFactorization, ridge: float) -> None:
        self.factorization, self.ridge = factorization, ridge
        lam = factorization.eigenvalues
        self.shrunk = np.sqrt(lam / (lam + ridge))
        right = factorization.left_from_features
        if right is None:
            left = factorization.left_vectors(slice(0, factorization.n_rows)) * self.shrunk
            self._rows: FloatArray | _SingleRows = left
            self.lengths = np.sqrt(np.einsum("ij,ij->i", left, left))
        else:
            unit = single_precision_unit(factorization)
            self._rows = _SingleRows(factorization.features, unit)
            self._map = np.asarray(right * (self.shrunk * unit), dtype=np.float32)
            probes = np.random.default_rng(0).normal(size=(lam.size, _SKETCH))
            sketch = self._rows.times(self._map @ probes.astype(np.float32))
            self.lengths = np.sqrt(np.einsum("ij,ij->i", sketch, sketch) / _SKETCH)
        self.lengths = np.maximum(self.lengths, np.finfo(np.float32).tiny)

    def points(self, rows: Rows) -> Floats:
        """Return a_i of some rows."""
        if isinstance(self._rows, _SingleRows):
            return self._rows.some_times(rows, self._map)
        return self._rows[rows]

    def products(self, points: Floats) -> Floats:
        """Return points · a_j for all rows j."""
        if isinstance(self._rows, _SingleRows):
            return np.asarray(self._rows.times(self._map @ points.T).T)
        return points @ self._rows.T

    def nearest(self, rows: Rows, count: int, sharpenings: tuple[int, ...]) -> Rows:
        """Return each row and the `count` rows nearest to it by the cosine, shape (S, count+1).

        Each sharpening replaces the row by the mean of itself and so many nearest ones. None of
        these counts its own share of the mean, so that being one of them brings none nearer.
        """
        where = np.arange(rows.size)[:, None]
        cosine = self.products(self.points(rows)) / self.lengths  # but for a factor of each row
        cosine[where, rows[:, None]] = np.inf
        for others in sharpenings:
            near = np.argpartition(-cosine, others, axis=1)[:, : others + 1]
            members = self.points(near.ravel()).reshape(*near.shape, -1)
            norms = np.linalg.norm(members, axis=2)
            members = members / np.maximum(norms, 1e-30)[:, :, None]
            cosine = self.products(members.sum(axis=1)) / self.lengths
            inner = np.einsum("skr,slr->skl", members, members)
            cosine[where, near] = (inner.sum(axis=2) - 1.0) * (others + 1.0) / others
            cosine[where, rows[:, None]] = np.inf
        order = np.argpartition(-cosine, count, axis=1)[:, : count + 1]
        ranks = np.argsort(-np.take_along_axis(cosine, order, axis=1), axis=1, kind="stable")
        return np.take_along_axis(order, ranks, axis=1)

    def left_out(self, sets: Rows, ridges: tuple[float, ...]) -> list[LeftOutSets]:
        """Return what leaving out the sets does at some ridges."""
        f = self.factorization
        lam = f.eigenvalues
        distinct, inverse = np.unique(sets, return_inverse=True)
        position = inverse.reshape(sets.shape)
        points = self.points(distinct)
        unit = np.abs(f.targets).max(axis=0)  # errors are relative: targets of any size may come
        unit = np.where(unit > 0, unit, 1.0)
        components = [f.target_components / unit * (a / (lam + a))[:, None] for a in ridges]
        answers = []
        for ridge, kept in zip(ridges, components, strict=True):
            scale = (np.sqrt(lam / (lam + ridge)) / self.shrunk).astype(points.dtype)
            scaled = points if ridge == self.ridge else points * scale
            residual = points @ (kept / self.shrunk[:, None]).astype(points.dtype)
            if lam.size < f.n_effective:
                residual = residual + f.outside[distinct] / unit
            answers.append(self._at_ridge(scaled, np.asarray(residual, float), sets, position))
        return answers

    def _at_ridge(
        self, points: FloatArray, residual: FloatArray, sets: Rows, position: Rows
    ) -> LeftOutSets:
        f = self.factorization
        size, outputs = sets.shape[1], residual.shape[1]
        unit = self._unit_of_errors(points, residual, sets, position)
        residual = residual / unit
        most = min(outputs, size)
        errors, growth, cosines = (np.empty(sets.shape) for _ in range(3))
        step = max(1, min(_SETS_AT_ONCE, _BLOCK_ENTRIES // (size * outputs)))
        for start in range(0, len(sets), step):
            part = slice(start, start + step)
            near = points[position[part]]
            hat = np.matmul(near, near.transpose(0, 2, 1)).astype(float)
            h = np.sqrt(np.maximum(np.einsum("sii->si", hat), 1e-300))
            cosines[part] = hat[:, 0] / (h * h[:, :1])
            # M bordered by the residuals and by e₁: the factor's last rows are L⁻¹r and L⁻¹e₁.
            bordered = np.zeros((len(near), size + most + 1, size + most + 1))
            bordered[:, :size, :size] = -hat
            if f.fit_intercept:
                root = np.sqrt(f.weights[sets[part]])
                bordered[:, :size, :size] -= root[:, :, None] * root[:, None] / f.n_rows
            diagonal = np.arange(size)
            bordered[:, diagonal, diagonal] += 1.0 + _ROUNDING
            bordered[:, size:-1, :size] = _few_outputs(residual[position[part]])
            bordered[:, -1, 0] = 1.0
            rest = np.arange(size, size + most + 1)
            bound = np.square(bordered[:, size:, :size]).sum(axis=2) / _ROUNDING
            bordered[:, rest, rest] = 4.0 * bound + 1.0
            try:
                factor = np.linalg.cholesky(bordered)
            except np.linalg.LinAlgError:  # of rows that are rounding beside an offset or a weight
                bordered[:, :size, :size] = _positive(bordered[:, :size, :size])
                factor = np.linalg.cholesky(bordered)
            first = factor[:, -1, :size]
            growth[part] = np.cumsum(np.square(first), axis=1) - 1.0
            e = np.cumsum(factor[:, size:-1, :size] * first[:, None], axis=2)
            errors[part] = np.square(e).sum(axis=1) / outputs
        return LeftOutSets(errors, np.log(np.maximum(growth, _ROUNDING)), cosines)

    def _unit_of_errors(
        self, points: FloatArray, residual: FloatArray, sets: Rows, position: Rows
    ) -> FloatArray:
        """Return the root mean square over the rows of every output's leave-one-out residual."""
        f, rows = self.factorization, position[:, 0]
        distance = 1.0 + _ROUNDING - np.square(np.asarray(points[rows], float)).sum(axis=1)
        if f.fit_intercept:
            distance -= f.weights[sets[:, 0]] / f.n_rows
        errors = residual[rows] / np.maximum(distance, _ROUNDING)[:, None]
        return np.sqrt(np.maximum(np.square(errors).mean(axis=0), np.finfo(float).tiny))


def _positive(matrices: FloatArray) -> FloatArray:
    """Return symmetric matrices whose eigenvalues are no less than what can be told from zero."""
    values, vectors = np.linalg.eigh(matrices)
    values = np.maximum(values, _ROUNDING)
    return np.asarray((vectors * values[:, None]) @ vectors.transpose(0, 2, 1))


def _few_outputs(residual: FloatArray) -> FloatArray:
    """Return residuals of S sets, shape (S, outputs, k), or k that have the same squares.

    Sums over outputs of squares of linear combinations are all that counts.
    """
    if residual.shape[2] <= residual.shape[1]:
        return residual.transpose(0, 2, 1)
    values, vectors = np.linalg.eigh(residual @ residual.transpose(0, 2, 1))
    return np.sqrt(np.maximum(values, 0.0))[:, :, None] * vectors.transpose(0, 2, 1)
