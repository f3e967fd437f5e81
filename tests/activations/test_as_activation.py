"""Names, objects and plain functions as activations."""

import pickle

import numpy as np
import pytest

from sk_deepfeat.activations import CallableActivation, as_activation, relu
from sk_deepfeat.activations.piecewise_linear import LeakyReLU


def cube(x):
    return x**3


def test_names_and_objects_are_found():
    assert as_activation("relu") is relu
    assert as_activation(relu) is relu


def test_plain_function_is_wrapped():
    activation = as_activation(cube)
    x = np.linspace(-2, 2, 9)
    np.testing.assert_array_equal(activation(x), x**3)
    # central differences: relative error of the order of step² and rounding/step
    np.testing.assert_allclose(activation.derivative(x), 3 * x**2, rtol=1e-8, atol=1e-9)
    assert "cube" in repr(activation)
    assert isinstance(pickle.loads(pickle.dumps(activation)), CallableActivation)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_plain_function_keeps_the_dtype_and_fills_out(dtype):
    activation = as_activation(lambda x: np.float64(2.0) * np.asarray(x, dtype=np.float64))
    x = np.arange(6, dtype=dtype).reshape(2, 3)
    assert activation(x).dtype == dtype
    out = np.empty_like(x)
    assert activation(x, out=out) is out
    np.testing.assert_array_equal(out, 2 * x)
    expected = 2 * x
    assert activation(x, out=x) is x
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("function", [np.sum, lambda x: x[:1], lambda x: x[None]])
def test_function_that_changes_the_shape_is_refused(function):
    activation = as_activation(function)
    with pytest.raises(ValueError, match="must keep the shape"):
        activation(np.ones((2, 3)))


@pytest.mark.parametrize("value", [3.0, None, LeakyReLU, ["relu"]])
def test_what_cannot_be_called_is_refused(value):
    with pytest.raises(TypeError, match=r"activation=.* must be the name of an activation"):
        as_activation(value)


def test_unknown_name_is_refused():
    with pytest.raises(ValueError, match="known names"):
        as_activation("swoosh")


@pytest.mark.parametrize("slope", [-0.1, 1.1, float("nan")])
def test_slope_outside_its_range_is_refused(slope):
    with pytest.raises(ValueError, match="slope="):
        LeakyReLU(slope)


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
def test_slope(slope):
    activation = LeakyReLU(slope)
    np.testing.assert_allclose(activation(np.array([-2.0, 3.0])), [-2.0 * slope, 3.0])
    np.testing.assert_allclose(activation.derivative(np.array([-2.0, 3.0])), [slope, 1.0])


def test_what_cannot_be_called_is_refused_at_once():
    with pytest.raises(TypeError, match="function='relu' must be a function"):
        CallableActivation("relu")
