import numpy as np
import pytest
from deepfeat_fourier import gaussian, silu

from sk_deepfeat.theory import activation_moments

X = np.linspace(-4.0, 4.0, 33)


@pytest.mark.parametrize("activation", [silu, gaussian])
def test_derivative_is_that_of_the_function(activation):
    difference = (activation(X + 1e-6) - activation(X - 1e-6)) / 2e-6
    np.testing.assert_allclose(activation.derivative(X), difference, atol=1e-8)


@pytest.mark.parametrize("activation", [silu, gaussian])
def test_writes_into_out(activation):
    x = X.copy()
    expected = activation(x)
    assert activation(x, out=x) is x
    np.testing.assert_array_equal(x, expected)


def test_torch_has_the_same_function():
    torch = pytest.importorskip("torch")
    theirs = getattr(torch.nn, silu.torch_name)()(torch.tensor(X)).numpy()
    np.testing.assert_allclose(silu(X), theirs, rtol=1e-12)


@pytest.mark.parametrize("std", [1e-3, 0.3, 2.0])
def test_closed_forms_are_the_integrals(std):
    mean = np.array([-1.0, 0.0, 0.4])
    integrated = activation_moments(lambda x: np.exp(-0.5 * x**2), mean, std)
    for closed, numeric in zip(gaussian.moments(mean, std), integrated, strict=True):
        np.testing.assert_allclose(closed, numeric, rtol=1e-6, atol=1e-12)
