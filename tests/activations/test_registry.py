"""Every activation of the registry against slow definitions, finite differences and torch."""

import importlib.util
import math

import numpy as np
import pytest

from sk_deepfeat.plugins import available, lookup, resolve

NAMES = available("activations")
TORCH_IS_THERE = importlib.util.find_spec("torch") is not None


def logistic(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


# One number at a time, with the math module alone.
DEFINITIONS = {
    "relu": lambda x: max(x, 0.0),
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "identity": lambda x: x,
    "sign": lambda x: 0.0 if x == 0 else math.copysign(1.0, x),
    "tanh": math.tanh,
    "erf": math.erf,
    "sigmoid": logistic,
    "gelu": lambda x: 0.5 * x * math.erfc(-x / math.sqrt(2)),
    "softplus": lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "sin": math.sin,
    "cos": math.cos,
}
POINTS = np.r_[np.linspace(-12.0, 12.0, 241), -1e-30, 1e-30, 1e-8, -1e-8, 37.0, -37.0]
EXTREMES = np.array([-1e4, -1000.0, -100.0, 100.0, 1000.0, 1e4])


def definition(name):
    if name not in DEFINITIONS:
        pytest.skip(f"{name} comes from another package: no definition to compare with")
    return DEFINITIONS[name]


def test_every_built_in_has_a_definition_here():
    assert set(lookup.BUILT_IN["activations"]) == set(DEFINITIONS)


@pytest.mark.parametrize("name", NAMES)
def test_value(name):
    expected = [definition(name)(float(x)) for x in POINTS]
    np.testing.assert_allclose(resolve("activations", name)(POINTS), expected, 1e-13, 1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_value_in_single_precision(name):
    x = POINTS.astype(np.float32)
    value = resolve("activations", name)(x)
    assert value.dtype == np.float32
    expected = [definition(name)(float(number)) for number in x]
    np.testing.assert_allclose(value, expected, rtol=1e-6, atol=5e-7)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_extreme_values_stay_finite_and_right(name, dtype):
    # Warnings are errors in this project, so an overflow on the way would show.
    x = EXTREMES.astype(dtype)
    activation = resolve("activations", name)
    expected = [definition(name)(float(number)) for number in x]
    np.testing.assert_allclose(activation(x), expected, rtol=1e-6, atol=5e-7)
    assert np.all(np.isfinite(activation.derivative(x)))


def test_known_limits():
    # The negative limit of the logistic function is not exactly zero in double precision.
    assert resolve("activations", "softplus")(np.array([1000.0]))[0] == 1000.0
    assert resolve("activations", "softplus")(np.array([-1000.0]))[0] == 0.0
    assert resolve("activations", "sigmoid")(np.array([-1000.0]))[0] == 0.0
    assert resolve("activations", "gelu")(np.array([-1000.0]))[0] == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_derivative_equals_finite_differences_away_from_kinks(name):
    activation = resolve("activations", name)
    x = np.linspace(-5.0, 5.0, 100)  # an even number of points: none at the kink
    h = 1e-4
    # Five-point rule: error of order h⁴ times the fifth derivative.
    steps = activation(x - 2 * h) - 8 * activation(x - h) + 8 * activation(x + h)
    slope = (steps - activation(x + 2 * h)) / (12 * h)
    np.testing.assert_allclose(activation.derivative(x), slope, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "F"])
def test_out_is_filled_and_may_be_the_input(name, dtype, order):
    activation = resolve("activations", name)
    x = np.asarray(POINTS[:240].reshape(12, 20).astype(dtype), order=order)
    before = x.copy()
    value = activation(x)
    np.testing.assert_array_equal(x, before)
    assert not np.shares_memory(value, x)
    assert value.dtype == dtype
    out = np.full_like(x, np.nan)
    assert activation(x, out=out) is out
    np.testing.assert_array_equal(out, value)
    assert activation(x, out=x) is x
    np.testing.assert_array_equal(x, value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_shape_is_kept(name, shape):
    activation = resolve("activations", name)
    x = np.full(shape, 0.5)
    assert np.shape(activation(x)) == np.shape(activation.derivative(x)) == shape


@pytest.mark.parametrize("name", NAMES)
def test_blocks_of_rows_give_the_same_numbers(name):
    activation = resolve("activations", name)
    x = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    np.testing.assert_array_equal(activation(x)[10:20], activation(x[10:20].copy()))


@pytest.mark.skipif(not TORCH_IS_THERE, reason="torch is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_torch_name_names_the_same_function(name):
    import torch

    activation = resolve("activations", name)
    torch_name = getattr(activation, "torch_name", None)
    if torch_name is None:
        pytest.skip(f"{name} has no torch counterpart")
    if hasattr(torch.nn, torch_name):
        function = getattr(torch.nn, torch_name)(**getattr(activation, "torch_params", {}))
    else:
        function = getattr(torch, torch_name)
    other = function(torch.tensor(POINTS)).numpy()
    # torch's softplus is linear beyond 20, where it differs by exp(-20).
    np.testing.assert_allclose(activation(POINTS), other, rtol=1e-10, atol=3e-9)
