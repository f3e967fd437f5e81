"""From a known population: fixed point, risk, resolvents, the best alpha, classes.

The room imports the shared ground of ``theory`` and nothing else of ours.
"""

from sk_deepfeat.theory.equivalents.fixed_point import (
    alpha_from_kappa,
    degrees_of_freedom,
    solve_kappa,
)
from sk_deepfeat.theory.equivalents.gaussian_mixture import (
    GaussianMixtureRisk,
    gaussian_mixture_risk,
)
from sk_deepfeat.theory.equivalents.optimum import optimal_alpha, optimal_slope
from sk_deepfeat.theory.equivalents.resolvent import (
    expected_quadratic_form,
    resolvent_equivalent,
    resolvent_product_equivalent,
)
from sk_deepfeat.theory.equivalents.risk import RidgeRisk, ridge_risk

__all__ = [
    "GaussianMixtureRisk",
    "RidgeRisk",
    "alpha_from_kappa",
    "degrees_of_freedom",
    "expected_quadratic_form",
    "gaussian_mixture_risk",
    "optimal_alpha",
    "optimal_slope",
    "resolvent_equivalent",
    "resolvent_product_equivalent",
    "ridge_risk",
    "solve_kappa",
]
