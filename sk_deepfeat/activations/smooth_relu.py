"""gelu and softplus: smooth relatives of relu."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from sk_deepfeat.activations.gated_linear import Gate, GatedLinear
from sk_deepfeat.activations.single_precision import gelu_single, is_single


class GELU(GatedLinear):
    """x Φ(x), with the normal distribution function Φ (the exact form, as in torch)."""

    torch_name = "GELU"
    gate = Gate(gain=1.0, noise=1.0)

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return x Φ(x)."""
        if is_single(x, out):
            return gelu_single(x, out)
        return np.multiply(x, special.ndtr(x), out=out)

    def derivative(self, x: Any) -> Any:
        """Return Φ(x) + x Φ'(x)."""
        x = np.asarray(x)
        return special.ndtr(x) + x * np.exp(-0.5 * np.square(x)) / np.sqrt(2.0 * np.pi)


class Softplus:
    """log(1 + exp(x)), without overflow."""

    torch_name = "Softplus"

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))."""
        tail = np.abs(x)
        tail = np.log1p(np.exp(np.negative(tail)))
        return np.add(np.maximum(x, 0), tail, out=out)

    def derivative(self, x: Any) -> Any:
        """Return the logistic function of x."""
        return special.expit(x)


gelu = GELU()
softplus = Softplus()
