"""Two activations: one that torch knows, one with closed forms."""

import numpy as np
from scipy.special import expit


class SiLU:
    """x times the logistic function of x, also called swish."""

    torch_name = "SiLU"  # a class of torch.nn: trained networks can use it

    def __call__(self, x, out=None):
        """Return f(x)."""
        return np.multiply(x, expit(x), out=out)

    def derivative(self, x):
        """Return f'(x)."""
        logistic = expit(x)
        return logistic * (1.0 + x * (1.0 - logistic))


class Gaussian:
    """exp(-x²/2), whose Gaussian moments are elementary."""

    def __call__(self, x, out=None):
        """Return f(x)."""
        return np.exp(-0.5 * np.square(x), out=out)

    def derivative(self, x):
        """Return f'(x)."""
        return -x * self(x)

    def moments(self, mean, std):
        """Return E f(X), E f'(X) and Var f(X) for X ~ N(mean, std²); arrays, broadcast."""
        mean, power = np.asarray(mean, np.float64), np.square(std)
        value = np.exp(-0.5 * mean**2 / (1.0 + power)) / np.sqrt(1.0 + power)
        # E f² / (E f)² - 1 without cancellation at small std
        excess = mean**2 * power / ((1.0 + power) * (1.0 + 2.0 * power)) + 0.5 * np.log1p(
            power**2 / (1.0 + 2.0 * power)
        )
        return value, -mean / (1.0 + power) * value, value**2 * np.expm1(excess)


silu = SiLU()
gaussian = Gaussian()
