"""What every ridge that predicts its own error does to be fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.linear_model._arguments import (
    alpha_of_outputs,
    exact_alphas,
    is_optimal,
)
from sk_deepfeat.linear_model._device_rows import DeviceRows
from sk_deepfeat.linear_model._population import (
    AskedPopulation,
    fit_population,
    is_matrix_free,
)
from sk_deepfeat.linear_model.error_predictor import ErrorPredictor
from sk_deepfeat.rows import ArrayPlace, check_groups
from sk_deepfeat.theory import (
    RidgeFactorization,
    RowClasses,
    TargetVariance,
    UnfactorizedRows,
    ridge_factorization,
    unfactorized_rows,
)
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.blocks import block_groups, block_length
from sk_deepfeat.theory.validation import FloatArray, alpha_of_mean_weight


class RidgeFitMixin:
    """Factorise rows, fit the population, and tell coefficients.

    A subclass has the parameters of `DeterministicEquivalentRidge`.
    """

    alpha: Any
    fit_intercept: bool
    population: Any
    block_length: int | None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = True
        tags.array_api_support = True
        return tags

    def _fit_population(
        self,
        X: Any,
        y: FloatArray,
        sample_weight: FloatArray | None,
        groups: Any,
        *,
        fit_intercept: bool,
        classes: RowClasses | None = None,
        device: DeviceRows | None = None,
    ) -> tuple[RidgeFactorization | UnfactorizedRows, ErrorPredictor]:
        """Return the factorised rows, and what answers questions at the parameter alpha.

        Parameters
        ----------
        X : ndarray or CSR
            Validated rows.
        y, sample_weight : ndarray
            Their targets and weights.
        groups : array-like or "blocks" or None
            As users give them.
        fit_intercept : bool
            Whether to fit an intercept.
        classes : RowClasses, optional
            Of all rows, where `y` holds their codes.
        device : DeviceRows, optional
            What multiplies and decomposes the rows; None is NumPy and SciPy.
        """
        blocks = isinstance(groups, str) and groups == "blocks"
        if is_matrix_free(self.population):
            self._refuse_matrix_free(groups, classes)
            rows = unfactorized_rows(
                X,
                y,
                sample_weight,
                fit_intercept=fit_intercept,
                exact_at=exact_alphas(self.alpha),
                rows_elsewhere=device,
            )
            return rows, self._learn_population(rows, X, y, sample_weight, None)
        codes = None if groups is None or blocks else check_groups(groups, X.shape[0])
        factorization = ridge_factorization(
            X,
            y,
            sample_weight,
            fit_intercept=fit_intercept,
            exact_at=exact_alphas(self.alpha),
            groups=codes,
            rows_elsewhere=device,
        )
        kept = slice(None) if sample_weight is None else sample_weight > 0
        if blocks:
            codes = self._blocks(factorization, X.shape[0])
            factorization = factorization.with_groups(codes[kept])
        if classes is not None:
            factorization = factorization.with_classes(classes.some(kept))
        return factorization, self._learn_population(
            factorization, X, y, sample_weight, codes, classes=classes
        )

    def _refuse_matrix_free(self, groups: Any, classes: RowClasses | None) -> None:
        """Raise ValueError for what a population without a factorisation cannot use."""
        for given, what in ((groups, "groups"), (classes, "classes")):
            if given is not None:
                raise ValueError(
                    f"population={self.population!r} works without a factorisation and cannot use "
                    f"{what}; population='leave-one-out' does."
                )
        if not is_optimal(self.alpha) and np.min(self.alpha) == 0.0:
            raise ValueError(
                f"alpha={self.alpha!r} must be positive for population={self.population!r}: the "
                "solution of minimum norm needs a factorisation, as of "
                "population='leave-one-out'."
            )

    def _learn_population(
        self,
        factorization: RidgeFactorization | UnfactorizedRows,
        X: FloatArray,
        y: FloatArray,
        sample_weight: FloatArray | None,
        codes: NDArray[np.intp] | None,
        *,
        classes: RowClasses | None = None,
    ) -> ErrorPredictor:
        """Fit the population on factorised rows, and return what answers questions."""
        alpha = alpha_of_outputs(self.alpha, factorization.targets.shape[1])
        self.n_samples_ = factorization.n_rows
        self.__dict__.pop("eigenvalues_", None)
        if isinstance(factorization, RidgeFactorization):
            self.eigenvalues_ = np.sort(factorization.eigenvalues / factorization.n_rows)[::-1]
        self.n_groups_ = factorization.n_groups
        self.population_ = fit_population(
            self.population,
            X,
            y,
            sample_weight,
            groups=codes,
            labels=None if classes is None else classes.number,
            fit_intercept=factorization.fit_intercept,
            path=factorization,
        )
        return ErrorPredictor(
            AskedPopulation(
                self.population_,
                self.population,
                factorization.fit_intercept,
                factorization.mean_weight,
                y.ndim == 1,
                getattr(self, "feature_names_in_", None),
            ),
            factorization.n_rows,
            alpha,
            factorization.trace / factorization.n_rows * factorization.mean_weight,
            factorization.group_size,
            target_variance=_target_variance(self.population_, factorization),
            alpha_per_target=bool(getattr(self, "alpha_per_target", False)),
        )

    def _settle(self, place: ArrayPlace | None, device: DeviceRows | None) -> None:
        """Put fitted arrays where the rows are, as scikit-learn does, and leave the device."""
        if device is not None:
            device.release()
        if place is not None:
            for name in {"coef_", "intercept_", "eigenvalues_"} & set(vars(self)):
                if name != "intercept_" or self.fit_intercept:
                    setattr(self, name, place.array(getattr(self, name)))

    def _blocks(self, factorization: RidgeFactorization, n_rows: int) -> NDArray[np.intp]:
        """Return which stretch of the series each row is in."""
        length = self.block_length
        if length is None:
            length = block_length(factorization)
            if length > 1 and length == factorization.n_rows // tuning.FEWEST_BLOCKS:
                warn_caller(
                    f"Rows are correlated over so long that blocks of {length} rows are cut short: "
                    f"longer ones would be fewer than {tuning.FEWEST_BLOCKS}. The error on new "
                    "stretches is probably higher than predicted; pass more rows, or a larger "
                    "block_length."
                )
        self.block_length_ = length
        return block_groups(n_rows, length)


def _target_variance(
    population: Any, factorization: RidgeFactorization | UnfactorizedRows
) -> TargetVariance:
    """Return that of the population, which may know other rows, or else of the training rows."""
    known = getattr(population, "target_variance_", None)
    return factorization.target_variance if known is None else known


def coefs_and_intercept(
    factorization: RidgeFactorization | UnfactorizedRows, alpha: Any
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return coefficients (p, t), intercepts (t,) and training errors (t,).

    They are those at one alpha, or of each output at its own; outputs of one alpha go together.
    """
    if np.ndim(alpha) == 0:
        return _at_one_alpha(factorization, float(alpha))
    if isinstance(factorization, RidgeFactorization) and not np.any(np.isnan(alpha)):
        own = alpha_of_mean_weight(alpha, factorization.mean_weight)
        coefs = factorization.coefs_of_outputs(own)
        return _with_intercept(factorization, own, coefs)
    coefs = np.empty((factorization.n_features, alpha.size))
    intercept, train_error = np.empty(alpha.size), np.empty(alpha.size)
    for each in np.unique(alpha):
        outputs = np.flatnonzero(alpha == each)
        part = factorization.with_outputs(outputs)
        coefs[:, outputs], intercept[outputs], train_error[outputs] = _at_one_alpha(part, each)
    unknown = np.isnan(alpha)  # where the best one is not known
    coefs[:, unknown], intercept[unknown], train_error[unknown] = np.nan, np.nan, np.nan
    return coefs, intercept, train_error


def _at_one_alpha(
    factorization: RidgeFactorization | UnfactorizedRows, alpha: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    alpha_of_mean = alpha_of_mean_weight(alpha, factorization.mean_weight)
    if isinstance(factorization, RidgeFactorization):
        coefs = factorization.coefs(alpha_of_mean)
    else:
        coefs = _iterated_coefs(factorization, alpha)
    return _with_intercept(factorization, alpha_of_mean, coefs)


def _with_intercept(
    factorization: RidgeFactorization | UnfactorizedRows, alpha_of_mean: Any, coefs: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return coefficients with their intercepts and training errors."""
    intercept = factorization.target_mean - factorization.feature_mean @ coefs
    return coefs, intercept, factorization.training_error(alpha_of_mean, coefs)


def _iterated_coefs(rows: UnfactorizedRows, alpha: float) -> FloatArray:
    """Return coefficients by conjugate gradients, or what is best of them, with a warning."""
    if np.isnan(alpha):
        return np.full((rows.n_features, rows.targets.shape[1]), np.nan)
    found = rows.solution(alpha_of_mean_weight(alpha, rows.mean_weight))
    if not found.converged:
        warn_caller(
            f"Conjugate gradients at alpha={alpha:.3g} have not converged: coefficients are right "
            f"to {found.relative_error:.0e} of their norm. A larger alpha, or columns of X of more "
            "equal variances, help.",
            ConvergenceWarning,
        )
    return found.coefs
