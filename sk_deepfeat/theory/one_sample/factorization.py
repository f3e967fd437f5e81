"""One factorisation of a training set, from which ridge at every alpha follows.

Rows are weighted to mean weight one, centred when an intercept is fitted, and multiplied by the
square roots of their weights. The smaller Gram matrix, FᵀF or FFᵀ, is decomposed once.
"""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory.answer import TargetVariance
from sk_deepfeat.theory.one_sample.centred_rows import add_products
from sk_deepfeat.theory.one_sample.classes.row_classes import RowClasses
from sk_deepfeat.theory.one_sample.half_grams import (
    AnyRows,
    HalfGrams,
    gram_by_halves,
    gram_of,
)
from sk_deepfeat.theory.one_sample.ridge_coefs import MOST_DUAL, RidgeCoefs
from sk_deepfeat.theory.one_sample.row_groups import RowGroups, check_labels
from sk_deepfeat.theory.one_sample.target_spread import target_variance
from sk_deepfeat.theory.units import check_feature_squares
from sk_deepfeat.theory.validation import FloatArray

# Below this share of the largest eigenvalue an estimated spectrum is rounding.
SPECTRUM_CUT = 1e-11
# What is in squared units of the targets.
_SQUARES = frozenset({"outside_squares", "_squares", "_mean_squares"})


class RidgeFactorization(RidgeCoefs):
    """Ridge on one training set at every alpha; made by `ridge_factorization`.

    Attributes
    ----------
    features : CentredRows or SparseRows
        Rows weighted, and centred with an intercept, without a copy of those that were given.
    targets : ndarray of shape (n_rows, n_outputs)
        Likewise.
    feature_mean, target_mean : ndarray
        What was subtracted; zeros without an intercept.
    n_rows : int
        Rows of positive weight.
    n_sampled : int
        Rows at hand, of which `features`, `targets`, `outside` and `weights` tell; all of them, but
        in a `SampledFactorization`.
    n_effective : int
        `n_rows`, less one with an intercept.
    mean_weight : float
        Ridge at alpha on the given weights is ridge at ``alpha / mean_weight`` here.
    eigenvalues : ndarray of shape (rank,)
        Nonzero eigenvalues of the Gram matrix, ascending.
    target_components : ndarray of shape (rank, n_outputs)
        Uᵀy, with the left singular vectors U of the rows.
    outside : ndarray of shape (n_rows, n_outputs)
        y - UUᵀy.
    weights : ndarray of shape (n_rows,)
        Weights of the rows, of mean one.
    intercept_share : ndarray of shape (n_rows,)
        Leverage that the intercept alone gives each row: weight/n_rows, or zero without one.
    exact_at : ndarray of shape (n_exact,)
        Ridges, for weights of mean one, at which what is learned from this factorisation answers
        exactly for the training size, where it else interpolates.
    groups : RowGroups or None
        Which rows belong together; None where every row is a draw of its own.
    classes : RowClasses or None
        What the rows' targets are codes of; None where they are numbers.
    least_ridge : float
        Below it directions count that the Gram matrix of sparse rows does not tell: columns have
        very unequal scales, or rows nearly repeat. Nothing is known there; mostly it is zero.
    halves : HalfGrams or None
        Gram matrices of two random halves, where the rows are twice as many as the features.
    """

    least_ridge = 0.0
    _of_outputs: ClassVar = frozenset({"target_components", "outside", "outside_squares", "_cross"})

    def __init__(
        self,
        features: AnyRows,
        targets: FloatArray,
        feature_mean: FloatArray,
        target_mean: FloatArray,
        mean_weight: float,
        fit_intercept: bool,
        weights: FloatArray,
        rounding: float,
        exact_at: FloatArray,
        groups: RowGroups | None = None,
    ) -> None:
        self.features, self.targets = features, targets
        self.feature_mean, self.target_mean = feature_mean, target_mean
        self.mean_weight, self.fit_intercept = mean_weight, fit_intercept
        self.n_rows, self.n_features = features.shape
        self.n_sampled = self.n_rows
        self.n_effective = self.n_rows - int(fit_intercept)
        self.weights = weights
        self.intercept_share = weights / self.n_rows if fit_intercept else np.zeros(self.n_rows)
        self.exact_at = exact_at
        self.groups = groups
        self.classes: RowClasses | None = None
        self.primal = self.n_rows > self.n_features
        self.halves: HalfGrams | None = None
        with np.errstate(over="ignore", invalid="ignore"):  # which `_decompose` tells
            gram = self._gram_matrix()
        self._decompose(gram, by_numpy=features.is_one_block)  # the BLAS that has made the matrix
        enough = self._cut_is_rounding(rounding)
        if enough or not features.may_be_written:
            self.eigenvalues = self._all_eigenvalues[self._kept]
            self._left: FloatArray | None = None
            if not enough:
                self.least_ridge = float(self._all_eigenvalues[-1]) / MOST_DUAL
        else:  # columns of very unequal scale: the Gram matrix has lost directions that count
            left, singular, _ = self._svd
            rank = min(int(np.sum(singular > self._rank_cut)), self.n_effective)
            self._left = np.ascontiguousarray(left[:, :rank][:, ::-1])
            self.eigenvalues = np.square(singular[:rank][::-1])

    def _gram_matrix(self) -> FloatArray:
        """Return the smaller Gram matrix, and keep what comes with it."""
        if not self.primal:
            return self.features.products()
        if self.n_rows < 2 * self.n_features:
            gram, self._cross = gram_of(self.features, self.targets)
            return gram
        values = np.hstack([self.targets, np.sqrt(self.weights)[:, None]])
        gram, cross, self.halves = gram_by_halves(self.features, values)
        self._cross = cross[:, :-1]
        return gram

    def _decompose(self, gram: FloatArray, *, by_numpy: bool) -> None:
        """Take eigenvalues and vectors, and which of them are more than rounding."""
        check_feature_squares(np.diagonal(gram))
        if self.features.eigh is not None:
            self._all_eigenvalues, self._vectors = self.features.eigh(gram)
        elif by_numpy:
            self._all_eigenvalues, self._vectors = np.linalg.eigh(gram)
        else:
            self._all_eigenvalues, self._vectors = scipy.linalg.eigh(
                gram, overwrite_a=True, check_finite=False, driver="evd"
            )
        if not self.features.casts:
            self._vectors = np.ascontiguousarray(self._vectors)
        largest = max(float(self._all_eigenvalues[-1]), 0.0)
        above = self._all_eigenvalues > max(SPECTRUM_CUT * largest, 0.0)
        # They ascend: a slice, of which numpy makes no copy.
        self._kept = slice(int(above.size - np.count_nonzero(above)), above.size)

    @property
    def trace(self) -> float:
        """Sum of the eigenvalues."""
        return float(self.eigenvalues.sum())

    @property
    def sample(self) -> RidgeFactorization:
        """What subsets are drawn from, and causes looked for in: the rows at hand, factorised."""
        return self

    @property
    def n_groups(self) -> int | None:
        """How many groups there are in all rows; `groups` are those of the rows at hand."""
        return None if self.groups is None else self.groups.n_groups

    @property
    def group_size(self) -> float | None:
        """Rows of a group, on average over all; None without groups."""
        return None if self.n_groups is None else self.n_rows / self.n_groups

    def with_groups(self, groups: ArrayLike) -> RidgeFactorization:
        """Return the same factorisation, of rows in groups: integers, two different at least."""
        other = copy.copy(self)
        other.groups = RowGroups(check_labels(groups, self.n_rows))
        return other

    def with_classes(self, classes: RowClasses) -> RidgeFactorization:
        """Return the same factorisation, of targets that are the codes of classes.

        Raises
        ------
        ValueError
            If there are not as many rows and outputs.
        """
        expected = self.targets.shape
        if (classes.number.size, classes.n_outputs) != expected:
            raise ValueError(
                f"classes of {classes.number.size} rows with {classes.n_outputs} columns of codes "
                f"do not fit targets of shape {expected}."
            )
        other = copy.copy(self)
        other.classes = classes
        return other

    def without_columns(self, columns: NDArray[np.intp]) -> RidgeFactorization:
        """Return the factorisation of the other columns of rows as they are, weighted, centred."""
        return RidgeFactorization(
            self.features.without(columns),
            self.targets,
            np.zeros(self.n_features - columns.size),
            np.zeros(self.targets.shape[1]),
            1.0,
            False,
            np.ones(self.n_rows),
            float(np.finfo(float).eps),
            np.empty(0),
        )

    def with_outputs(self, outputs: NDArray[np.intp]) -> RidgeFactorization:
        """Return the factorisation of the same rows with some of their targets."""
        other = copy.copy(self)
        other.targets, other.target_mean = self.targets[:, outputs], self.target_mean[outputs]
        other.__dict__.pop("target_variance", None)
        for name in self._of_outputs & set(self.__dict__):
            other.__dict__[name] = self.__dict__[name][..., outputs]
        return other

    def with_target_units(self, units: FloatArray) -> RidgeFactorization:
        """Return the factorisation of the same rows with targets counted in other units.

        Parameters
        ----------
        units : ndarray of shape (n_outputs,)
            Powers of two.
        """
        other = copy.copy(self)
        other.targets, other.target_mean = self.targets / units, self.target_mean / units
        for name in ("target_variance", "sample"):
            other.__dict__.pop(name, None)
        if self.halves is not None:
            cross = self.halves.cross / np.append(units, 1.0)  # the last are no targets
            other.halves = self.halves._replace(cross=cross)
        for name in self._of_outputs & set(self.__dict__):
            value = self.__dict__[name] / units
            other.__dict__[name] = value / units if name in _SQUARES else value
        return other

    def without_halves(self) -> RidgeFactorization:
        """Return the same factorisation without the halves' Gram matrices, which take memory."""
        other = copy.copy(self)
        other.halves = None
        return other

    @property
    def gram_is_enough(self) -> bool:
        """Whether the Gram matrix tells every direction that counts."""
        return self._left is None

    def _cut_is_rounding(self, rounding: float) -> bool:
        """Say whether what the cut leaves out is no more than the rounding of the features.

        Random combinations of the directions left out are freed from what is mixed into them of
        those kept, and applied to the rows.
        """
        out = self._vectors[:, : self._kept.start]
        if self._kept.start in (0, self._kept.stop):
            return True
        pair = (self.features.times, self.features.transposed_times)
        rows, back = pair if self.primal else pair[::-1]
        vectors, values = self._vectors[:, self._kept], self._all_eigenvalues[self._kept]
        probes = out @ np.random.default_rng(0).normal(size=(out.shape[1], 8))
        for _ in range(2):
            probes -= vectors @ ((vectors.T @ back(rows(probes))) / values[:, None])
        tail = np.linalg.norm(rows(probes)) / max(float(np.linalg.norm(probes)), 1e-300)
        noise = 8.0 * rounding * np.sqrt(max(self.features.shape) * values[-1])
        return bool(tail * np.sqrt(out.shape[1]) <= noise)

    @cached_property
    def target_components(self) -> FloatArray:
        """Uᵀy for the kept directions."""
        if self._left is not None:
            return self._left.T @ self.targets
        vectors = self._vectors[:, self._kept]
        if not self.primal:
            return vectors.T @ self.targets
        return (vectors.T @ self._cross) / np.sqrt(self.eigenvalues)[:, None]

    @cached_property
    def outside(self) -> FloatArray:
        """The part of the targets that no coefficients reach."""
        if self._left is not None:
            return self.targets - self._left @ self.target_components
        vectors = self._vectors[:, self._kept]
        if not self.primal:
            return self.targets - vectors @ self.target_components
        weights = self.target_components / np.sqrt(self.eigenvalues)[:, None]
        return self.targets - self.features.times(vectors @ weights)

    @cached_property
    def target_variance(self) -> TargetVariance:
        """Variance of the targets, of which errors are a share, for weights of mean one."""
        groups = None if self.groups is None else self.groups.number
        return target_variance(self.targets, self.weights, groups)

    @property
    def outside_squares(self) -> FloatArray:
        """Sums over all rows of the squares of `outside`, shape (t,)."""
        return np.asarray(np.square(self.outside).sum(axis=0))

    def left_vectors(
        self, rows: slice | NDArray[np.intp], out: FloatArray | None = None
    ) -> FloatArray:
        """Return some rows of the left singular vectors U, shape (rows, rank).

        They may be written into `out`, of at least as many rows.
        """
        if self._left is not None:
            return self._left[rows]
        if not self.primal:
            return self._vectors[rows, self._kept]
        left = self.features.rows_times(rows, self._kept_vectors, out)
        left /= np.sqrt(self.eigenvalues)
        return np.asarray(left)

    @cached_property
    def _kept_vectors(self) -> FloatArray:
        """Eigenvectors of the kept directions, as products with rows want them."""
        vectors = self._vectors[:, self._kept]
        return vectors if self.features.casts else np.ascontiguousarray(vectors)

    @property
    def left_from_features(self) -> FloatArray | None:
        """V/√λ, of which U = F V/√λ, shape (n_features, rank); None where U itself is at hand."""
        if self._left is not None or not self.primal:
            return None
        return np.asarray(self._vectors[:, self._kept] / np.sqrt(self.eigenvalues))

    @property
    def feature_components(self) -> FloatArray:
        """(Vᵀ Fᵀ y) for the kept directions: √λ Uᵀy."""
        return self.target_components * np.sqrt(self.eigenvalues)[:, None]

    def gram(self) -> FloatArray:
        """Return the smaller Gram matrix once more, VΛVᵀ: its lower triangle, Fortran's order."""
        size = len(self._vectors)
        found = np.zeros((size, size), order="F")
        scaled = self._vectors[:, self._kept] * np.sqrt(self._all_eigenvalues[self._kept])
        add_products(scaled.T, found)
        return found


def check_factorization(factorization: Any) -> None:
    """Raise TypeError unless it is a factorised training set."""
    if not isinstance(factorization, RidgeFactorization):
        raise TypeError(
            "factorization must be a RidgeFactorization, from ridge_factorization(X, y); got "
            f"{type(factorization).__name__}."
        )
