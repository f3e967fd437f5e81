"""Mathematics: arrays in, arrays or NamedTuples out; numpy and scipy alone.

Three rooms, each for one way to the error of ridge regression:

* ``equivalents``: from a known population, through deterministic equivalents;
* ``one_sample``: from one training set, through leave-one-out residuals and leverages;
* ``networks``: the population of Gaussian rainbow networks, from their weights.

What they share stands beside them: the record of an answer, checks of arguments and of matrices,
interpolation and searches.

Conventions of the whole room. Ridge is scikit-learn's, min_w ||y - Fw||² + alpha ||w||², with
features F of shape (n_samples, n_features). A population is known by the eigenvalues ω_j of the
features' second moment Ω = E φφᵀ (their covariance when an intercept is fitted), the target
coefficients u_j·ψ with ψ = E φ y, and the target second moment ρ = E y².
"""

import warnings
from typing import Any

from sk_deepfeat.theory.answer import ErrorAnswer, ErrorDecomposition, TargetVariance
from sk_deepfeat.theory.class_answer import ClassAnswer
from sk_deepfeat.theory.equivalents import (
    GaussianMixtureRisk,
    RidgeRisk,
    alpha_from_kappa,
    degrees_of_freedom,
    expected_quadratic_form,
    gaussian_mixture_risk,
    optimal_alpha,
    optimal_slope,
    resolvent_equivalent,
    resolvent_product_equivalent,
    ridge_risk,
    solve_kappa,
)
from sk_deepfeat.theory.networks import (
    ActivationMoments,
    AnnealedConstants,
    AnnealedCross,
    RainbowCovariances,
    activation_moments,
    annealed_constants,
    annealed_cross_constants,
    annealed_spectrum,
    bivariate_covariance,
    hermite_coefficients,
    rainbow_covariances,
)
from sk_deepfeat.theory.one_sample import (
    Calibration,
    CalibrationSize,
    ClassSurface,
    CurveRisk,
    ErrorSurface,
    GramAccumulator,
    KappaCurve,
    Loss,
    RidgeFactorization,
    RowClasses,
    RowGroups,
    SampledFactorization,
    SubsetErrors,
    UnfactorizedRows,
    calibrate,
    curve_risk,
    factorize_sums,
    gcv_curve,
    leave_group_out_residuals,
    leave_one_out_curve,
    leave_one_out_curves,
    leave_one_out_residuals,
    ridge_factorization,
    subset_errors,
    unfactorized_rows,
)
from sk_deepfeat.theory.search import minimize_on_log_scale, smallest_sufficient

__all__ = [
    "ActivationMoments",
    "AnnealedConstants",
    "AnnealedCross",
    "Calibration",
    "CalibrationSize",
    "ClassAnswer",
    "ClassSurface",
    "CurveRisk",
    "ErrorAnswer",
    "ErrorDecomposition",
    "ErrorSurface",
    "GaussianMixtureRisk",
    "GramAccumulator",
    "KappaCurve",
    "Loss",
    "RainbowCovariances",
    "RidgeFactorization",
    "RidgeRisk",
    "RowClasses",
    "RowGroups",
    "SampledFactorization",
    "SubsetErrors",
    "TargetVariance",
    "UnfactorizedRows",
    "activation_moments",
    "alpha_from_kappa",
    "annealed_constants",
    "annealed_cross_constants",
    "annealed_spectrum",
    "bivariate_covariance",
    "calibrate",
    "curve_risk",
    "degrees_of_freedom",
    "expected_quadratic_form",
    "factorize_sums",
    "gaussian_mixture_risk",
    "gcv_curve",
    "hermite_coefficients",
    "leave_group_out_residuals",
    "leave_one_out_curve",
    "leave_one_out_curves",
    "leave_one_out_residuals",
    "minimize_on_log_scale",
    "optimal_alpha",
    "optimal_slope",
    "rainbow_covariances",
    "resolvent_equivalent",
    "resolvent_product_equivalent",
    "ridge_factorization",
    "ridge_risk",
    "smallest_sufficient",
    "solve_kappa",
    "subset_errors",
    "unfactorized_rows",
]

_RENAMED = {
    "CalibrationLevel": "CalibrationSize",
    "RidgePath": "RidgeFactorization",
    "TransferCurve": "KappaCurve",
    "TransferRisk": "CurveRisk",
    "transfer_risk": "curve_risk",
}


def __getattr__(name: str) -> Any:
    """Return what an old name stands for; it goes with the next release."""
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(
        f"sk_deepfeat.theory.{name} is now called {_RENAMED[name]}; the old name goes with the "
        "next release.",
        FutureWarning,
        stacklevel=2,
    )
    return globals()[_RENAMED[name]]
