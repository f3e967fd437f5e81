"""Mathematics: arrays in, arrays or NamedTuples out; numpy and scipy alone.

Conventions of the whole room. Ridge is scikit-learn's, min_w ||y - Fw||² + alpha ||w||², with
features F of shape (n_samples, n_features). A population is known by the eigenvalues ω_j of the
features' second moment Ω = E φφᵀ (their covariance when an intercept is fitted), the target
coefficients u_j·ψ with ψ = E φ y, and the target second moment ρ = E y².
"""

from sk_deepfeat.theory.annealed import (
    AnnealedConstants,
    AnnealedCross,
    annealed_constants,
    annealed_cross_constants,
)
from sk_deepfeat.theory.annealed_spectra import annealed_spectrum
from sk_deepfeat.theory.bivariate_moments import bivariate_covariance
from sk_deepfeat.theory.calibration import Calibration, CalibrationLevel, calibrate
from sk_deepfeat.theory.fixed_point import alpha_from_kappa, degrees_of_freedom, solve_kappa
from sk_deepfeat.theory.gaussian_moments import (
    ActivationMoments,
    activation_moments,
    hermite_coefficients,
)
from sk_deepfeat.theory.leave_one_out import leave_one_out_residuals
from sk_deepfeat.theory.optimum import (
    minimize_on_log_scale,
    optimal_alpha,
    optimal_slope,
    smallest_sufficient,
)
from sk_deepfeat.theory.rainbow import RainbowCovariances, rainbow_covariances
from sk_deepfeat.theory.resolvent import (
    expected_quadratic_form,
    resolvent_equivalent,
    resolvent_product_equivalent,
)
from sk_deepfeat.theory.ridge_path import RidgePath, ridge_factorization
from sk_deepfeat.theory.risk import ErrorDecomposition, RidgeRisk, ridge_risk
from sk_deepfeat.theory.subsets import SubsetErrors, subset_errors
from sk_deepfeat.theory.surface import ErrorSurface, SurfaceErrors
from sk_deepfeat.theory.transfer import TransferRisk, transfer_risk
from sk_deepfeat.theory.transfer_curve import (
    TransferCurve,
    gcv_curve,
    leave_one_out_curve,
    leave_one_out_curves,
)

__all__ = [
    "ActivationMoments",
    "AnnealedConstants",
    "AnnealedCross",
    "Calibration",
    "CalibrationLevel",
    "ErrorDecomposition",
    "ErrorSurface",
    "RainbowCovariances",
    "RidgePath",
    "RidgeRisk",
    "SubsetErrors",
    "SurfaceErrors",
    "TransferCurve",
    "TransferRisk",
    "activation_moments",
    "alpha_from_kappa",
    "annealed_constants",
    "annealed_cross_constants",
    "annealed_spectrum",
    "bivariate_covariance",
    "calibrate",
    "degrees_of_freedom",
    "expected_quadratic_form",
    "gcv_curve",
    "hermite_coefficients",
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
    "transfer_risk",
]
