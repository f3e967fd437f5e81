"""The numbers of a gate describe the function whose moments they give."""

import numpy as np
import pytest
from scipy import special

from sk_deepfeat.activations.gated_linear import Gate, GatedLinear
from sk_deepfeat.activations.piecewise_linear import LeakyReLU
from sk_deepfeat.plugins import available, resolve

ACTIVATIONS = [resolve("activations", name) for name in available("activations")]
GATED = [f for f in ACTIVATIONS if isinstance(f, GatedLinear)] + [LeakyReLU(0.3)]


@pytest.mark.parametrize("activation", GATED, ids=lambda f: type(f).__name__)
def test_gate_is_the_function(activation):
    x = np.linspace(-4.0, 4.0, 82)
    a, b, c, d, noise = activation.gate
    share = special.ndtr(x / np.sqrt(noise)) if noise else np.heaviside(x, 0.5)
    np.testing.assert_allclose(activation(x), a + b * x + (c + d * x) * share, atol=1e-14)


def test_which_activations_are_gated():
    names = {type(f).__name__ for f in GATED}
    assert names == {"ReLU", "LeakyReLU", "Identity", "Sign", "Erf", "GELU"}


def test_other_functions_are_not_implemented():
    relu, sin, tanh = (resolve("activations", name) for name in ("relu", "sin", "tanh"))
    assert relu.bivariate(tanh, 0.0, 1.0, 0.0, 1.0, 0.5) is NotImplemented
    assert relu.bivariate(sin, 0.0, 1.0, 0.0, 1.0, 0.5) is NotImplemented
    assert sin.bivariate(relu, 0.0, 1.0, 0.0, 1.0, 0.5) is NotImplemented


class Mixed(GatedLinear):
    """A gate with everything in it."""

    gate = Gate(0.3, -0.2, 0.7, 1.1, 0.4)

    def __call__(self, x):
        a, b, c, d, noise = self.gate
        return a + b * x + (c + d * x) * special.ndtr(x / np.sqrt(noise))


@pytest.mark.parametrize("mean", [-1.0, 0.0, 2.0])
@pytest.mark.parametrize("std", [1e-4, 0.5, 3.0])
def test_a_gate_of_ones_own(mean, std):
    z = np.linspace(-10.0, 10.0, 8001)  # a smooth function: the rule of equal steps is exact
    weights = np.exp(-0.5 * z**2)
    weights /= weights.sum()
    values = Mixed()(mean + std * z)
    first, slope, variance = Mixed().moments(mean, std)
    np.testing.assert_allclose(first, weights @ values, rtol=1e-12)
    np.testing.assert_allclose(slope, weights @ (values * z) / std, rtol=1e-10)
    np.testing.assert_allclose(variance, weights @ (values - first) ** 2, rtol=1e-9)
    for k in (2, 3):
        polynomial = np.polynomial.hermite_e.HermiteE.basis(k)(z)
        expected = weights @ (values * polynomial)
        np.testing.assert_allclose(Mixed().hermite(k, mean, std), expected, atol=1e-12)


def test_sign_of_the_correlation():
    """f(X) and f(-X) of a reflected mean are one variable: ρ = -1 is ρ = 1."""
    relu = resolve("activations", "relu")
    mean, std = np.array([0.0, 0.7, -0.4]), np.array([1.0, 0.5, 2.0])
    opposite = relu.bivariate(relu, mean, std, -mean, std, -(std**2))
    np.testing.assert_allclose(opposite, 0.0, atol=1e-15)
