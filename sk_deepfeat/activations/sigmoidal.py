"""tanh, erf and the logistic sigmoid."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from sk_deepfeat.activations.gated_linear import Gate, GatedLinear
from sk_deepfeat.activations.single_precision import erf_single, is_single, logistic_single


class Tanh:
    """The hyperbolic tangent."""

    torch_name = "Tanh"

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return tanh(x)."""
        return np.tanh(x, out=out)

    def derivative(self, x: Any) -> Any:
        """Return 1 - tanh(x)^2, without cancellation in the tails."""
        return 4.0 * special.expit(2.0 * np.asarray(x)) * special.expit(-2.0 * np.asarray(x))


class Erf(GatedLinear):
    """The error function erf(x) = (2/√π) ∫₀ˣ exp(-t²) dt."""

    torch_name = "erf"
    gate = Gate(constant=-1.0, jump=2.0, noise=0.5)

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return erf(x)."""
        return erf_single(x, out) if is_single(x, out) else special.erf(x, out=out)

    def derivative(self, x: Any) -> Any:
        """Return (2/√π) exp(-x²)."""
        return (2.0 / np.sqrt(np.pi)) * np.exp(-np.square(x))


class Sigmoid:
    """The logistic function 1/(1 + exp(-x))."""

    torch_name = "Sigmoid"

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return the logistic function of x."""
        return logistic_single(x, out) if is_single(x, out) else special.expit(x, out=out)

    def derivative(self, x: Any) -> Any:
        """Return s(x) s(-x)."""
        return special.expit(x) * special.expit(np.negative(x))


tanh = Tanh()
erf = Erf()
sigmoid = Sigmoid()
