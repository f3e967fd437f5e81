"""From a known population: fixed point, risk, resolvents and the best alpha.

The room imports the shared ground of ``theory`` and nothing else of ours.
"""

from sk_deepfeat.theory.equivalents.fixed_point import (
    alpha_from_kappa,
    degrees_of_freedom,
    solve_kappa,
)
from sk_deepfeat.theory.equivalents.optimum import optimal_alpha, optimal_slope
from sk_deepfeat.theory.equivalents.resolvent import (
    expected_quadratic_form,
    resolvent_equivalent,
    resolvent_product_equivalent,
)
from sk_deepfeat.theory.equivalents.risk import RidgeRisk, ridge_risk

__all__ = [
    "RidgeRisk",
    "alpha_from_kappa",
    "degrees_of_freedom",
    "expected_quadratic_form",
    "optimal_alpha",
    "optimal_slope",
    "resolvent_equivalent",
    "resolvent_product_equivalent",
    "ridge_risk",
    "solve_kappa",
]
