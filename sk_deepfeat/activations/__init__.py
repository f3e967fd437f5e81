"""Point-wise nonlinearities: one object each, usable by name in every feature map."""

from sk_deepfeat.activations.callable import CallableActivation, as_activation
from sk_deepfeat.activations.periodic import cos, sin
from sk_deepfeat.activations.piecewise_linear import identity, leaky_relu, relu, sign
from sk_deepfeat.activations.sigmoidal import erf, sigmoid, tanh
from sk_deepfeat.activations.smooth_relu import gelu, softplus

__all__ = [
    "CallableActivation",
    "as_activation",
    "cos",
    "erf",
    "gelu",
    "identity",
    "leaky_relu",
    "relu",
    "sigmoid",
    "sign",
    "sin",
    "softplus",
    "tanh",
]
