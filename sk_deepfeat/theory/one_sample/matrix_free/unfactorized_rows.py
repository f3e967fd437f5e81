"""A training set of which nothing is factorised but a sample: what a matrix-free fit is given."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.theory.answer import TargetVariance
from sk_deepfeat.theory.one_sample.centred_rows import CentredRows
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.factorize import ridge_factorization, training_set
from sk_deepfeat.theory.one_sample.matrix_free import tuning
from sk_deepfeat.theory.one_sample.matrix_free.conjugate_gradients import (
    Solution,
    leading_directions,
    solve_ridge,
)
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.one_sample.target_spread import target_variance
from sk_deepfeat.theory.validation import FloatArray, whole_number

_SEED = 0


class UnfactorizedRows:
    """Rows that are only multiplied; made by `unfactorized_rows`.

    It has what a `RidgeFactorization` has but for what a factorisation alone can tell.

    Attributes
    ----------
    features : CentredRows
        Rows weighted, and centred with an intercept.
    targets : ndarray of shape (n_rows, n_outputs)
        Likewise.
    feature_mean, target_mean, mean_weight, weights, fit_intercept, exact_at
        As of a `RidgeFactorization`.
    n_rows, n_effective, n_features : int
        Likewise.
    n_sampled : int
        Rows of the sample.
    groups, n_groups, group_size, classes : None
        Rows in groups, or of classes, need a factorisation.
    least_ridge : float
        Zero: curves end by themselves where ridges become too small.
    """

    groups = n_groups = group_size = None
    classes = None
    least_ridge = 0.0  # no Gram matrix loses anything

    def __init__(
        self,
        features: Any,
        targets: FloatArray,
        feature_mean: FloatArray,
        target_mean: FloatArray,
        mean_weight: float,
        fit_intercept: bool,
        weights: FloatArray,
        exact_at: FloatArray,
        n_sampled: int,
    ) -> None:
        self.features, self.targets = features, targets
        self.feature_mean, self.target_mean = feature_mean, target_mean
        self.mean_weight, self.fit_intercept = mean_weight, fit_intercept
        self.weights, self.exact_at = weights, exact_at
        self.n_rows, self.n_features = features.shape
        self.n_effective = self.n_rows - int(fit_intercept)
        self.n_sampled = min(n_sampled, self.n_rows)
        self._samples: dict[int, RidgeFactorization] = {}  # shared by copies

    def with_sample(self, n_sampled: int) -> UnfactorizedRows:
        """Return the same rows with a sample of another size."""
        if min(n_sampled, self.n_rows) == self.n_sampled:
            return self
        other = copy.copy(self)
        other.n_sampled = min(n_sampled, self.n_rows)
        return other

    def with_outputs(self, outputs: IndexArray) -> UnfactorizedRows:
        """Return the same rows with some of their targets."""
        other = copy.copy(self)
        other.targets, other.target_mean = self.targets[:, outputs], self.target_mean[outputs]
        return other

    def with_target_units(self, units: FloatArray) -> UnfactorizedRows:
        """Return the same rows with targets counted in other units, powers of two."""
        other = copy.copy(self)
        other.targets, other.target_mean = self.targets / units, self.target_mean / units
        other._samples = {}
        return other

    @property
    def sampled_rows(self) -> IndexArray:
        """Which rows are in the sample, ascending."""
        if self.n_sampled == self.n_rows:
            return np.arange(self.n_rows)
        rng = np.random.default_rng(_SEED)
        return np.sort(rng.choice(self.n_rows, self.n_sampled, replace=False))

    @property
    def sample(self) -> RidgeFactorization:
        """A uniform sample of the rows, factorised as a training set of its own."""
        if self.n_sampled not in self._samples:
            self._samples[self.n_sampled] = self._factorized_sample()
        return self._samples[self.n_sampled]

    def _factorized_sample(self) -> RidgeFactorization:
        rows = self.sampled_rows
        weights = self.weights[rows]
        targets = self.targets[rows] / np.sqrt(weights)[:, None] + self.target_mean
        return ridge_factorization(
            self.features.uncentred(rows),
            targets,
            None if np.all(weights == 1.0) else weights,
            fit_intercept=self.fit_intercept,
            exact_at=self.exact_at if self.n_sampled == self.n_rows else (),
        )

    @property
    def trace(self) -> float:
        """Σ λ of the Gram matrix, as a sample has it."""
        sample = next(iter(self._samples.values()), None) or self.sample
        return sample.trace * self.n_rows / sample.n_rows

    @property
    def target_variance(self) -> TargetVariance:
        """As of a `RidgeFactorization`."""
        return target_variance(self.targets, self.weights)

    def without_halves(self) -> UnfactorizedRows:
        """Return itself: there is no Gram matrix to be left out."""
        return self

    def solution(self, alpha: float) -> Solution:
        """Return the ridge coefficients at an alpha (for mean weight one), and their error.

        Raises
        ------
        ValueError
            If alpha is zero.
        """
        if not alpha > 0:
            raise ValueError(
                f"alpha={alpha!r} must be positive where nothing is factorised: the solution of "
                "minimum norm needs population='leave-one-out'."
            )
        sample = next(iter(self._samples.values()), None) or self.sample
        directions = leading_directions(sample, self.n_rows)
        return solve_ridge(self.features, self.targets, float(alpha), directions)

    def training_error(self, alpha: float, coefs: FloatArray) -> FloatArray:
        """Return the mean squared residual of every output on the rows."""
        residual = self.targets - self.features.times(coefs)
        return np.asarray(np.square(residual).mean(axis=0))


def unfactorized_rows(
    features: ArrayLike,
    targets: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    fit_intercept: bool = True,
    exact_at: ArrayLike = (),
    rows_elsewhere: Callable[..., CentredRows] | None = None,
    n_sampled: int = tuning.SAMPLED_ROWS,
) -> UnfactorizedRows:
    """Make a training set ready for products with its rows.

    Parameters
    ----------
    features, targets, sample_weight, fit_intercept, exact_at, rows_elsewhere
        As in `ridge_factorization`.
    n_sampled : int, default=2000
        Rows of the sample that is factorised when it is asked for.

    Returns
    -------
    UnfactorizedRows

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import unfactorized_rows
    >>> X, y = [[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0]
    >>> unfactorized_rows(X, y, fit_intercept=False).solution(14.0).coefs.round(3)
    array([[0.5]])
    """
    n_sampled = whole_number(n_sampled, "n_sampled", 2)
    made = training_set(
        features,
        targets,
        sample_weight,
        fit_intercept=fit_intercept,
        exact_at=exact_at,
        rows_elsewhere=rows_elsewhere,
    )
    return UnfactorizedRows(
        made.features,
        made.targets,
        made.feature_mean,
        made.target_mean,
        made.mean_weight,
        made.fit_intercept,
        made.weights,
        made.exact_at,
        n_sampled,
    )


def of_factorization(factorization: RidgeFactorization, n_sampled: int) -> UnfactorizedRows:
    """Return the rows of a factorisation that has all of them."""
    return UnfactorizedRows(
        factorization.features,
        factorization.targets,
        factorization.feature_mean,
        factorization.target_mean,
        factorization.mean_weight,
        factorization.fit_intercept,
        factorization.weights,
        factorization.exact_at,
        n_sampled,
    )
