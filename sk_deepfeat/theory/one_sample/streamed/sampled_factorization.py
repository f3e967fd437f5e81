"""A training set of which all moments are known, and a uniform sample of the rows.

With the Gram matrix of all n rows, the leverage and the left-out residual of any one row are exact:
h = uᵀ Λ/(Λ+α) u with u = Λ^-½ Vᵀ(x - mean), and e = (y - w·x)/(1 - h). Means of them over all rows
are replaced by means over the sample, of rows or of whole groups of them; degrees of freedom,
coefficients and the training error need no rows and are those of all.
"""

from __future__ import annotations

import copy
from functools import cached_property

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.progress import stage
from sk_deepfeat.theory.answer import TargetVariance
from sk_deepfeat.theory.one_sample.centred_rows import CentredRows
from sk_deepfeat.theory.one_sample.factorization import SPECTRUM_CUT, RidgeFactorization
from sk_deepfeat.theory.one_sample.factorize import ridge_factorization
from sk_deepfeat.theory.one_sample.row_groups import RowGroups
from sk_deepfeat.theory.one_sample.streamed.accumulator import GramAccumulator
from sk_deepfeat.theory.one_sample.target_spread import target_variance
from sk_deepfeat.theory.threads import threads_for
from sk_deepfeat.theory.validation import (
    FloatArray,
    alpha_of_mean_weight,
    check_flag,
    real_array,
)

_CORRECTIONS = 2
# What the left-out directions of a Gram matrix have in rows by rounding alone, over their length.
_MIXED = 1e-9


class SampledFactorization(RidgeFactorization):
    """Ridge at every alpha on the rows of an accumulator; made by `factorize_sums`.

    What it has of rows is that of the reservoir: `n_sampled` of `n_rows`. Where these come in
    groups, `groups` are those of the reservoir, whole ones, and `n_groups` counts all.

    Parameters
    ----------
    sums : GramAccumulator
        Of at least two rows; read now, and not kept.
    fit_intercept : bool
        Whether to centre by the weighted means.
    exact_at : ndarray of shape (n_exact,)
        As in `ridge_factorization`, for the weights as given.
    """

    features: CentredRows
    _of_outputs = RidgeFactorization._of_outputs | {"_squares", "_mean_squares"}

    def __init__(self, sums: GramAccumulator, *, fit_intercept: bool, exact_at: FloatArray) -> None:
        gram, cross, squares = sums.moments(fit_intercept=fit_intercept)
        rows, targets, weights = sums.reservoir.copies()
        self.fit_intercept, self.n_rows = fit_intercept, sums.n_rows
        self.n_features, self.n_sampled = sums.n_features, len(rows)
        self.n_effective = self.n_rows - int(fit_intercept)
        self.mean_weight = sums.weight_sum / sums.n_rows
        self.feature_mean = sums.feature_mean if fit_intercept else np.zeros(sums.n_features)
        self.target_mean = sums.target_mean if fit_intercept else np.zeros(sums.n_outputs)
        self.weights = (np.ones(len(rows)) if weights is None else weights) / self.mean_weight
        self.intercept_share = np.zeros(len(rows))
        if fit_intercept:
            self.intercept_share = self.weights / self.n_rows
        self.exact_at = alpha_of_mean_weight(exact_at, self.mean_weight)
        codes = sums.reservoir.codes()
        self.groups = None if codes is None else RowGroups(codes)
        self._n_groups = sums.n_groups
        self.classes, self.halves = None, None
        root = None if np.all(self.weights == 1.0) else np.sqrt(self.weights)
        self.features = CentredRows(rows, self.feature_mean, root)
        targets = targets - self.target_mean
        self.targets = targets if root is None else targets * root[:, None]
        self.primal, self._left = True, None
        self._cross = cross / self.mean_weight
        self._squares = squares / self.mean_weight
        self._mean_squares = sums.moments(fit_intercept=True)[2] / sums.weight_sum
        gram = np.asfortranarray(gram)
        gram /= self.mean_weight
        self._gram: FloatArray | None = gram.copy(order="F")
        with threads_for(self.n_features):
            self._decompose(gram, by_numpy=False)
        surplus = max(self._all_eigenvalues.size - self.n_effective, 0)
        self._kept = slice(max(self._kept.start, surplus), self._kept.stop)
        self.eigenvalues = self._all_eigenvalues[self._kept]
        if not self._left_out_is_rounding():
            self.least_ridge = SPECTRUM_CUT * float(self._all_eigenvalues[-1])

    def _left_out_is_rounding(self) -> bool:
        """Say whether the sampled rows have nothing along directions that the sums do not tell."""
        cut = SPECTRUM_CUT * max(float(self._all_eigenvalues[-1]), 0.0)
        out = self._vectors[:, : int(np.count_nonzero(self._all_eigenvalues <= cut))]
        if not 0 < out.shape[1] < len(self._vectors) or not self.n_sampled:
            return True
        probes = out @ np.random.default_rng(0).normal(size=(out.shape[1], 8))
        along = np.linalg.norm(self.features.times(probes)) / np.linalg.norm(probes)
        single = self.features.given.dtype == np.float32
        rounding = 8.0 * np.sqrt(self.n_features) * np.finfo(np.float32 if single else float).eps
        length = np.sqrt(self._all_eigenvalues[-1] * self.n_sampled / self.n_rows)
        # Along each direction, as the probes are spread over all of them.
        return bool(along * np.sqrt(out.shape[1]) <= max(_MIXED, float(rounding)) * length)

    @cached_property
    def sample(self) -> RidgeFactorization:
        """The rows of the reservoir as a training set of its own, weights in their proportion."""
        given, root = self.features.given, self.features.root
        targets = self.targets if root is None else self.targets / root[:, None]
        weights = None if root is None else self.weights
        return ridge_factorization(
            given,
            targets + self.target_mean,
            weights,
            fit_intercept=self.fit_intercept,
            groups=None if self.groups is None else self.groups.number,
        )

    @property
    def n_groups(self) -> int | None:
        """How many groups there are in all rows."""
        return self._n_groups

    def with_groups(self, groups: ArrayLike) -> RidgeFactorization:
        """Raise ValueError: an accumulator is told which rows belong together as they come."""
        raise ValueError(
            f"Of {self.n_rows} rows {self.n_sampled} are at hand, not whole groups; pass the "
            "groups to GramAccumulator.add."
        )

    @cached_property
    def target_variance(self) -> TargetVariance:
        """Variance of the targets: that of all rows, corrected as the sample's own is."""
        draws, sampled = self.n_rows, self.n_sampled
        if self.groups is not None and self.n_groups is not None:
            draws, sampled = self.n_groups, self.groups.n_groups
        if sampled < 2:
            return TargetVariance(self._mean_squares, np.full(self._mean_squares.shape, np.nan))
        number = None if self.groups is None else self.groups.number
        of_sample = target_variance(self.targets, self.weights, number)
        mean = np.sqrt(self.weights) @ self.targets / self.weights.sum()
        squares = np.square(self.targets).sum(axis=0) / self.weights.sum() - np.square(mean)
        with np.errstate(divide="ignore", invalid="ignore"):
            excess = np.where(squares > 0, of_sample.variance / squares - 1.0, 0.0)
        corrected = self._mean_squares * (1.0 + excess * (sampled - 1) / (draws - 1))
        return TargetVariance(corrected, of_sample.log_variance * sampled / draws)

    @cached_property
    def outside_squares(self) -> FloatArray:
        """Sums over all rows of the squares of what no coefficients reach, shape (t,)."""
        inside = np.square(self.target_components).sum(axis=0)
        if self.eigenvalues.size == self.n_effective:  # what is left is rounding
            return np.zeros_like(inside)
        return np.asarray(np.maximum(self._squares - inside, 0.0))

    def without_halves(self) -> RidgeFactorization:
        """Return the same without the Gram matrix, which takes memory."""
        other = copy.copy(self)
        other._gram = None
        return other

    def coefs(self, alpha: ArrayLike) -> FloatArray:
        """Return what `RidgeFactorization.coefs` does, from the sums alone."""
        alphas = np.atleast_1d(real_array(alpha, "alpha"))
        if np.any(alphas < self.least_ridge):
            raise ValueError(
                f"alpha={alphas.min() * self.mean_weight:.3g} is too small for rows of which sums "
                f"are known: below {self.least_ridge * self.mean_weight:.3g} there count "
                "directions that their Gram matrix does not tell. Scale the columns and fit an "
                "intercept, pass a larger alpha, or keep all rows with reservoir_size=None."
            )
        coefs = np.stack([self._coefs_at(float(each)) for each in alphas])
        return coefs if np.ndim(alpha) else coefs[0]

    def coefs_of_outputs(self, alphas: FloatArray) -> FloatArray:
        """Return what `RidgeFactorization.coefs_of_outputs` does, from the sums alone."""
        coefs = np.zeros((self.n_features, alphas.size))
        for each in np.unique(alphas):
            outputs = np.flatnonzero(alphas == each)
            coefs[:, outputs] = self.with_outputs(outputs).coefs(float(each))
        return coefs

    def _coefs_at(self, alpha: float) -> FloatArray:
        # Directions that are rounding count where alpha is more than that.
        least = SPECTRUM_CUT * max(float(self._all_eigenvalues[-1]), 0.0)
        some = slice(0, None) if alpha > least else self._kept
        vectors, shrunk = self._vectors[:, some], self._all_eigenvalues[some] + alpha
        coefs = np.zeros_like(self._cross)
        for _ in range(_CORRECTIONS if shrunk.size else 0):
            missing = self._cross - self._gram_times(coefs) - alpha * coefs
            coefs = coefs + vectors @ ((vectors.T @ missing) / shrunk[:, None])
        return coefs

    def _gram_times(self, right: FloatArray) -> FloatArray:
        if self._gram is None:
            kept = self._vectors[:, self._kept]
            return np.asarray(kept @ (self.eigenvalues[:, None] * (kept.T @ right)))
        product = scipy.linalg.blas.dsymm(1.0, self._gram, right, lower=True)
        return np.asarray(product)

    def training_error(self, alpha: float | FloatArray, coefs: FloatArray) -> FloatArray:
        """Return the mean squared residual of every output on all rows."""
        inside = 2.0 * (coefs * self._cross).sum(axis=0) - (coefs * self._gram_times(coefs)).sum(0)
        return np.asarray(np.maximum(self._squares - inside, 0.0) / self.n_rows)


def factorize_sums(
    sums: GramAccumulator, *, fit_intercept: bool = True, exact_at: ArrayLike = ()
) -> RidgeFactorization:
    """Factorise what an accumulator knows: all rows if it has kept them, else their moments.

    Parameters
    ----------
    sums : GramAccumulator
        Of at least two rows of positive weight.
    fit_intercept : bool, default=True
        Whether to centre by the weighted means.
    exact_at : array-like of shape (n_exact,), default=()
        As in `ridge_factorization`.

    Returns
    -------
    RidgeFactorization
        The ordinary one if the reservoir holds all rows, else a `SampledFactorization`.

    Raises
    ------
    ValueError
        If there are fewer than two rows, or rows come in groups of which fewer than two are kept.
    """
    if not isinstance(sums, GramAccumulator):
        raise TypeError(f"sums must be a GramAccumulator; got {type(sums).__name__}.")
    check_flag(fit_intercept, "fit_intercept")
    if sums.n_rows < 2:
        raise ValueError(
            f"A ridge needs at least two rows whose weight is not zero; {sums.n_rows} came."
        )
    sums.require_whole()
    exact = np.ravel(real_array(exact_at, "exact_at"))
    codes = sums.reservoir.codes()
    if codes is None and not len(sums.reservoir):
        raise ValueError(
            f"reservoir_size={sums.reservoir_size} has kept none of {sums.n_rows} rows, from which "
            "errors are made; make the accumulator with a larger one."
        )
    if codes is not None:
        _check_groups(sums, codes)
    if len(sums.reservoir) < sums.n_rows:
        with stage("factorisation", side=sums.n_features):
            return SampledFactorization(sums, fit_intercept=fit_intercept, exact_at=exact)
    rows, targets, weights = sums.reservoir.copies()
    return ridge_factorization(
        rows, targets, weights, fit_intercept=fit_intercept, exact_at=exact, groups=codes
    )


def _check_groups(sums: GramAccumulator, codes: NDArray[np.intp]) -> None:
    """Raise ValueError unless whole groups are at hand, two at least."""
    if sums.n_groups == 1:
        raise ValueError(
            f"All {sums.n_rows} rows are of one group; at least two are needed to tell the error "
            "on new ones. Without groups every row is one by itself."
        )
    if np.unique(codes).size < 2:
        raise ValueError(
            f"Of {sums.n_groups} groups in {sums.n_rows} rows fewer than two fit into "
            f"reservoir_size={sums.reservoir_size}; a larger one keeps more, and those that are "
            "kept have to tell how much groups differ."
        )
