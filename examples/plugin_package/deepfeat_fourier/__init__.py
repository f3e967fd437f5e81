"""Fourier features of Matérn kernels and two activations, plugins of sk_deepfeat."""

from deepfeat_fourier.activations import gaussian, silu
from deepfeat_fourier.features import FourierFeatures

__all__ = ["FourierFeatures", "gaussian", "silu"]
