"""sin and cos."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_deepfeat.activations.gated_linear import FloatArray


class Wave:
    """Closed Gaussian moments of sin(x + phase)."""

    phase = 0.0

    def moments(self, mean: Any, std: Any) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return E f(X), E f'(X) and Var f(X) for X ~ N(mean, std²); arrays, broadcast."""
        angle, std = np.asarray(mean, np.float64) + self.phase, np.asarray(std, np.float64)
        decay = np.exp(-0.5 * std**2)
        # Var = (1 - e)(1 + e cos 2 angle)/2 with e = exp(-std²): nothing cancels at small std
        variance = -0.5 * np.expm1(-(std**2)) * (1.0 + decay**2 * np.cos(2.0 * angle))
        return decay * np.sin(angle), decay * np.cos(angle), variance

    def hermite(self, k: int, mean: Any, std: Any) -> FloatArray:
        """Return E[f(mean + std Z) He_k(Z)]; arrays, broadcast."""
        angle, std = np.asarray(mean, np.float64) + self.phase, np.asarray(std, np.float64)
        return std**k * np.exp(-0.5 * std**2) * np.sin(angle + 0.5 * np.pi * k)

    def bivariate(
        self, other: Any, mean: Any, std: Any, other_mean: Any, other_std: Any, covariance: Any
    ) -> Any:
        """Return E f(X) g(Y) for X, Y jointly normal, or NotImplemented if g is no wave."""
        if not isinstance(other, Wave):
            return NotImplemented
        first = np.asarray(mean, np.float64) + self.phase
        second = np.asarray(other_mean, np.float64) + other.phase
        power = np.square(std) + np.square(other_std)
        twice = 2.0 * np.asarray(covariance, np.float64)
        difference = np.exp(-0.5 * np.maximum(power - twice, 0.0)) * np.cos(first - second)
        return 0.5 * (difference - np.exp(-0.5 * (power + twice)) * np.cos(first + second))


class Sin(Wave):
    """The sine."""

    torch_name = "sin"

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return sin(x)."""
        return np.sin(x, out=out)

    def derivative(self, x: Any) -> Any:
        """Return cos(x)."""
        return np.cos(x)


class Cos(Wave):
    """The cosine."""

    torch_name = "cos"
    phase = 0.5 * np.pi

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return cos(x)."""
        return np.cos(x, out=out)

    def derivative(self, x: Any) -> Any:
        """Return -sin(x)."""
        return -np.sin(x)


sin = Sin()
cos = Cos()
