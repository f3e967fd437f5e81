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
from sk_deepfeat.theory.one_sample.row_groups import RowGroups, check_labels
from sk_deepfeat.theory.one_sample.target_spread import target_variance
from sk_deepfeat.theory.validation import FloatArray

# Below this share of the largest eigenvalue an estimated spectrum is rounding.
SPECTRUM_CUT = 1e-11
# Beyond these condition numbers of Gram + alpha the Gram matrix has lost what the coefficients need
# and a singular value decomposition of the rows themselves takes over. The residual of the rows
# corrects the primal form, so it reaches further than the dual one.
_MOST_PRIMAL, _MOST_DUAL = 1e12, 1e7
# Condition numbers up to which none, one, two corrections leave coefficients as good as they get.
_REFINED = (1e2, 1e6, 1e9)
# Each multiplies the error of the kept directions, whose eigenvalues span less than 1e11, by 1e-5.
_CORRECTIONS = 4


class RidgeFactorization:
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
        if not self.primal:
            gram = features.products()
        elif self.n_rows < 2 * self.n_features:
            gram, self._cross = gram_of(features, targets)
        else:
            values = np.hstack([targets, np.sqrt(weights)[:, None]])
            gram, cross, self.halves = gram_by_halves(features, values)
            self._cross = cross[:, :-1]
        self._decompose(gram, by_numpy=features.is_one_block)  # the BLAS that has made the matrix
        enough = self._cut_is_rounding(rounding)
        if enough or not features.may_be_written:
            self.eigenvalues = self._all_eigenvalues[self._kept]
            self._left: FloatArray | None = None
            if not enough:
                self.least_ridge = float(self._all_eigenvalues[-1]) / _MOST_DUAL
        else:  # columns of very unequal scale: the Gram matrix has lost directions that count
            left, singular, _ = self._svd
            rank = min(int(np.sum(singular > self._rank_cut)), self.n_effective)
            self._left = np.ascontiguousarray(left[:, :rank][:, ::-1])
            self.eigenvalues = np.square(singular[:rank][::-1])

    def _decompose(self, gram: FloatArray, *, by_numpy: bool) -> None:
        """Take eigenvalues and vectors, and which of them are more than rounding."""
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

    def coefs(self, alpha: ArrayLike) -> FloatArray:
        """Return the ridge coefficients at one or several `alpha` (for mean weight one).

        Parameters
        ----------
        alpha : array-like of shape () or (n_alphas,)
            Not negative; 0 gives the solution of minimum norm.

        Returns
        -------
        ndarray of shape (n_features, n_outputs) or (n_alphas, n_features, n_outputs)

        Raises
        ------
        ValueError
            If an alpha is below `least_ridge`.
        """
        alphas = np.atleast_1d(np.asarray(alpha, dtype=np.float64))
        self._check_ridges(alphas)
        outputs = self.targets.shape[1]
        coefs = np.zeros((alphas.size, self.n_features, outputs))
        if self.has_directions:
            resolved = self._resolved(alphas)
            if np.any(resolved):
                some = alphas[resolved]
                found = self._coefs_from_gram(
                    np.repeat(some, outputs), np.tile(np.arange(outputs), some.size)
                )
                shape = (some.size, outputs, self.n_features)
                coefs[resolved] = found.T.reshape(shape).transpose(0, 2, 1)
            of_one = self._coefs_from_kept if self._by_kept else self._coefs_from_svd
            for i in np.flatnonzero(~resolved):
                coefs[i] = of_one(float(alphas[i]))
        return coefs if np.ndim(alpha) else coefs[0]

    def coefs_of_outputs(self, alphas: FloatArray) -> FloatArray:
        """Return the ridge coefficients of each output at an `alpha` of its own.

        Parameters
        ----------
        alphas : ndarray of shape (n_outputs,)
            For mean weight one.

        Returns
        -------
        ndarray of shape (n_features, n_outputs)
        """
        self._check_ridges(alphas)
        coefs = np.zeros((self.n_features, alphas.size))
        if not self.has_directions:
            return coefs
        resolved = self._resolved(alphas)
        if np.any(resolved):
            coefs[:, resolved] = self._coefs_from_gram(alphas[resolved], np.flatnonzero(resolved))
        for each in np.unique(alphas[~resolved]):
            outputs = np.flatnonzero(~resolved & (alphas == each))
            coefs[:, outputs] = self.with_outputs(outputs).coefs(float(each))
        return coefs

    @property
    def has_directions(self) -> bool:
        """Whether any direction of the rows is not zero."""
        spectrum = self._resolvable
        return bool(spectrum.size and spectrum[-1] > 0)

    @property
    def _resolvable(self) -> FloatArray:
        """All eigenvalues of the Gram matrix but those that centring makes zero."""
        return self._all_eigenvalues[max(self._vectors.shape[0] - self.n_effective, 0) :]

    @property
    def _by_kept(self) -> bool:
        return self.gram_is_enough and not self.features.casts

    def _resolved(self, alphas: FloatArray) -> NDArray[np.bool_]:
        """Say at which alphas the Gram matrix tells what the coefficients need."""
        spectrum = self._resolvable
        most = _MOST_PRIMAL if self.primal and not self._by_kept else _MOST_DUAL
        lowest = max(float(spectrum[0]), 0.0)
        return np.asarray((spectrum[-1] + alphas) <= most * (lowest + alphas))

    def _check_ridges(self, alphas: FloatArray) -> None:
        """Raise ValueError if there is an alpha below `least_ridge`."""
        if np.any(alphas < self.least_ridge):
            raise ValueError(
                f"alpha={alphas.min() * self.mean_weight:.3g} is too small for these sparse "
                f"features of shape {self.features.shape}: below "
                f"{self.least_ridge * self.mean_weight:.3g} there count directions that their Gram "
                "matrix does not tell. Where columns have very unequal scales, "
                "sklearn.preprocessing.MaxAbsScaler keeps zeros; where rows nearly repeat, pass a "
                "larger alpha."
            )

    def _coefs_from_gram(self, ridge: FloatArray, outputs: NDArray[np.intp]) -> FloatArray:
        """Coefficients of shape (n_features, C), one column for each pair (alpha, output).

        They are corrected by the residual of the normal equations, taken from the rows, which
        restores what forming the Gram matrix has lost.
        """
        targets = self.targets[:, outputs]
        shrunk = np.maximum(self._all_eigenvalues, 0.0)[:, None] + ridge
        kept = self._all_eigenvalues[self._kept][:, None]
        if self.primal:
            cross = (self._vectors.T @ self._cross)[:, outputs]
            coefs = self._vectors @ (cross / shrunk)
        else:
            floor = self.n_rows * np.finfo(float).eps * self._all_eigenvalues[-1]
            inverse = np.where(shrunk > floor, 1.0 / np.maximum(shrunk, floor), 0.0)
            dual = self._vectors @ ((self._vectors.T @ targets) * inverse)
            coefs = self.features.transposed_times(dual)
        lowest = max(float(self._all_eigenvalues[-min(self.n_effective, len(shrunk))]), 0.0)
        condition = (self._all_eigenvalues[-1] + ridge.min()) / (lowest + ridge.min())
        for _ in range(int(np.searchsorted(_REFINED, condition))):
            gradient = self.features.gradient(targets, coefs) - ridge * coefs
            if self.primal:
                coefs = coefs + self._vectors @ ((self._vectors.T @ gradient) / shrunk)
            else:
                vectors = self._vectors[:, self._kept]
                along = vectors.T @ self.features.times(gradient) / (kept * (kept + ridge))
                coefs = coefs + self.features.transposed_times(vectors @ along)
        return np.asarray(coefs)

    def _coefs_from_kept(self, alpha: float) -> FloatArray:
        """Coefficients from the kept directions, for rows that are not to be written out.

        What their eigenvectors have lost by rounding, corrections by the residual give back.
        """
        features, kept = self.features, self.eigenvalues[:, None]
        coefs = np.zeros((self.n_features, self.targets.shape[1]))
        for _ in range(_CORRECTIONS):
            gradient = features.gradient(self.targets, coefs) - alpha * coefs
            if self.primal:
                along = self._kept_vectors.T @ gradient / (kept + alpha)
                coefs = coefs + self._kept_vectors @ along
            else:
                vectors = self._vectors[:, self._kept]
                along = vectors.T @ features.times(gradient) / (kept * (kept + alpha))
                coefs = coefs + features.transposed_times(vectors @ along)
        return coefs

    def training_error(self, alpha: float | FloatArray, coefs: FloatArray) -> FloatArray:
        """Return the mean squared residual of every output on the rows.

        Parameters
        ----------
        alpha : float or ndarray of shape (n_outputs,)
            For weights of mean one.
        coefs : ndarray of shape (n_features, n_outputs)
            Those at alpha. They are asked where the kept directions are not all that they have.
        """
        structural = 0 if self.primal else self.n_rows - self.n_effective
        if self._kept.start > structural:
            residual = self.targets - self.features.times(coefs)
            return np.asarray(np.square(residual).mean(axis=0))
        ridge = np.atleast_1d(np.asarray(alpha, dtype=np.float64))
        shrunk = self.eigenvalues[:, None] + ridge
        kept = np.where(ridge > 0, np.ones_like(shrunk), 0.0)
        np.divide(ridge, shrunk, out=kept, where=shrunk > 0)
        inside = (np.square(kept) * np.square(self.target_components)).sum(axis=0)
        return np.asarray((inside + self.outside_squares) / self.n_rows)

    def gram(self) -> FloatArray:
        """Return the smaller Gram matrix once more, VΛVᵀ: its lower triangle, Fortran's order."""
        size = len(self._vectors)
        found = np.zeros((size, size), order="F")
        scaled = self._vectors[:, self._kept] * np.sqrt(self._all_eigenvalues[self._kept])
        add_products(scaled.T, found)
        return found

    @cached_property
    def _svd(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        left, singular, right = scipy.linalg.svd(
            self.features.whole(), full_matrices=False, check_finite=False
        )
        return left, singular, right

    @property
    def _rank_cut(self) -> float:
        return max(self.features.shape) * float(np.finfo(float).eps * self._svd[1][0])

    def _coefs_from_svd(self, alpha: float) -> FloatArray:
        left, singular, right = self._svd
        if alpha == 0:  # the solution of minimum norm; any ridge damps what is rounding by itself
            rank = min(int(np.sum(singular > self._rank_cut)), self.n_effective)
        else:
            rank = int(np.sum(singular > 0))
        left, singular, right = left[:, :rank], singular[:rank], right[:rank]
        # 1/(s + alpha/s) neither overflows nor divides by zero where s² underflows.
        return right.T @ ((left.T @ self.targets) / (singular + alpha / singular)[:, None])


def check_factorization(factorization: Any) -> None:
    """Raise TypeError unless it is a factorised training set."""
    if not isinstance(factorization, RidgeFactorization):
        raise TypeError(
            "factorization must be a RidgeFactorization, from ridge_factorization(X, y); got "
            f"{type(factorization).__name__}."
        )
