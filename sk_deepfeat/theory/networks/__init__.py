"""Gaussian rainbow networks: moments of activations, covariances of layers, annealed spectra.

The room imports the shared ground of ``theory`` and nothing else of it; names of activations are
resolved at the door of `rainbow_covariances`.
"""

from sk_deepfeat.theory.networks.annealed_layers import (
    AnnealedConstants,
    AnnealedCross,
    annealed_constants,
    annealed_cross_constants,
)
from sk_deepfeat.theory.networks.annealed_spectra import annealed_spectrum
from sk_deepfeat.theory.networks.bivariate_moments import bivariate_covariance
from sk_deepfeat.theory.networks.gaussian_moments import (
    ActivationMoments,
    activation_moments,
    hermite_coefficients,
)
from sk_deepfeat.theory.networks.rainbow import RainbowCovariances, rainbow_covariances

__all__ = [
    "ActivationMoments",
    "AnnealedConstants",
    "AnnealedCross",
    "RainbowCovariances",
    "activation_moments",
    "annealed_constants",
    "annealed_cross_constants",
    "annealed_spectrum",
    "bivariate_covariance",
    "hermite_coefficients",
    "rainbow_covariances",
]
