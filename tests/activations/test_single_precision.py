"""The float32 activations that replace those of scipy, against double precision."""

import numpy as np
import pytest

from sk_deepfeat import activations


@pytest.mark.parametrize(
    ("name", "relative"), [("erf", 3e-7), ("gelu", 3e-6), ("sigmoid", 3e-7), ("sign", 0.0)]
)
def test_accuracy(name, relative):
    activation = getattr(activations, name)
    x = np.linspace(-9, 9, 400_001).astype(np.float32)
    expected = activation(x.astype(np.float64))
    got = activation(x)
    assert got.dtype == np.float32
    error = np.abs(got - expected)
    assert np.all(error <= 2.5e-7 * np.maximum(1, np.abs(expected)))
    assert np.all(error <= relative * np.abs(expected) + 1e-38)
    in_place = x.copy()
    assert activation(in_place, out=in_place) is in_place
    np.testing.assert_array_equal(in_place, got)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("erf", [-1, 0, 1, np.nan]),
        ("gelu", [0, 0, np.inf, np.nan]),
        ("sigmoid", [0, 0.5, 1, np.nan]),
        ("sign", [-1, 0, 1, np.nan]),
    ],
)
def test_extreme_arguments(name, expected):
    x = np.array([-np.inf, 0, np.inf, np.nan], dtype=np.float32)
    np.testing.assert_array_equal(getattr(activations, name)(x), np.float32(expected))
    assert getattr(activations, name)(1.0) == getattr(activations, name)(np.array([1.0]))[0]
