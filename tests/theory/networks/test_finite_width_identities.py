"""Higher cumulants: networks written in two ways, and two layers put together by hand."""

import numpy as np
import pytest

from sk_deepfeat.activations import gelu, relu
from sk_deepfeat.theory import hermite_coefficients, rainbow_covariances
from sk_deepfeat.theory.networks.cumulants import Source, excess, gain, third_cumulants, unit_series
from sk_deepfeat.theory.networks.layer_covariances import preactivation

RNG = np.random.default_rng(0)


def rows(units, fan_in):
    return RNG.normal(size=(units, fan_in)) / np.sqrt(fan_in)


INPUTS = np.linspace(0.5, 1.5, 20)
LEARNER, TEACHER = [rows(30, 20), rows(16, 30)], [rows(24, 20), rows(12, 24)]
BIASES = [0.3 * RNG.normal(size=units) for units in (30, 16)]
TEACHER_BIASES = [0.3 * RNG.normal(size=units) for units in (24, 12)]
TEACHER[0][:10] = 0.6 * LEARNER[0][:10] + 0.8 * TEACHER[0][:10]


def close(found, expected, **tolerance):
    for name, a, b in zip(found._fields, found, expected, strict=True):
        np.testing.assert_allclose(a, b, err_msg=name, **({"atol": 1e-11} | tolerance))


def test_two_layers_by_hand():
    """Thirds and q of the second layer's pre-activations, and what the covariances gain."""
    options = {
        "teacher_weights": TEACHER,
        "teacher_activations": "gelu",
        "biases": BIASES,
        "teacher_biases": TEACHER_BIASES,
        "paired_rows": (10, 3),
    }
    found = rainbow_covariances(LEARNER, "relu", INPUTS, finite_width=True, **options)
    plain = rainbow_covariances(LEARNER, "relu", INPUTS, **options)
    nets = [(LEARNER, BIASES, relu), (TEACHER, TEACHER_BIASES, gelu)]
    first = rainbow_covariances(
        [LEARNER[0]],
        "relu",
        INPUTS,
        teacher_weights=[TEACHER[0]],
        teacher_activations="gelu",
        biases=BIASES[:1],
        teacher_biases=TEACHER_BIASES[:1],
        paired_rows=10,
    )
    features = {
        (0, 0): first.feature_covariance,
        (0, 1): first.cross_covariance,
        (1, 0): first.cross_covariance.T,
        (1, 1): first.teacher_covariance,
    }
    means = first.feature_mean, first.teacher_mean
    pre = {(i, j): (nets[i][0][0] * INPUTS) @ nets[j][0][0].T for i in range(2) for j in range(2)}
    series, outer = [], []
    for i, (weights, biases, f) in enumerate(nets):
        side = preactivation(f, biases[0], np.diagonal(pre[i, i]), "per-unit")
        series.append(unit_series(side))
        variance = np.einsum("ij,jk,ik->i", weights[1], features[i, i], weights[1])
        mean = weights[1] @ means[i] + biases[1]
        outer.append(preactivation(f, mean, variance, "per-unit"))
    thirds, q = {}, {}
    for i in range(2):
        for j in range(2):
            n = len(nets[i][0][0]) if i == j else 10
            maps = nets[i][0][1], nets[j][0][1]
            source = Source(series[i], series[j], pre[i, i], pre[i, j], n, *maps)
            thirds[i, j] = third_cumulants(source)
            sizes = [np.mean(outer[k].std ** 2) for k in (i, j)]
            q[i, j] = excess(source, features[i, j], None, 0.0) / np.prod(sizes)
    last = [unit_series(side) for side in outer]
    names = {(0, 0): "feature_covariance", (0, 1): "cross_covariance", (1, 1): "teacher_covariance"}
    for (i, j), name in names.items():
        expected = getattr(plain, name).copy()
        added = gain(last[i], last[j], (thirds[i, j], thirds[j, i]), q[i, j])
        assert np.linalg.norm(added) > 1e-3 * np.linalg.norm(expected)
        alike = np.arange(len(expected) if i == j else 3)
        added[alike, alike] = 0.0
        np.testing.assert_allclose(getattr(found, name), expected + added, atol=1e-11)
    np.testing.assert_array_equal(found.feature_mean, plain.feature_mean)


@pytest.mark.parametrize("finite_width", [False, True])
def test_biases_are_weights_of_a_constant_unit(finite_width):
    with_unit = [
        np.r_[LEARNER[0], np.zeros((1, 20))],
        np.c_[LEARNER[1], BIASES[1]],
    ]
    options = {"finite_width": finite_width}
    found = rainbow_covariances(
        with_unit, "relu", INPUTS, biases=[np.r_[BIASES[0], 1.0], None], **options
    )
    expected = rainbow_covariances(LEARNER, "relu", INPUTS, biases=BIASES, **options)
    np.testing.assert_allclose(found.feature_covariance, expected.feature_covariance, atol=1e-11)
    np.testing.assert_allclose(found.feature_mean, expected.feature_mean, atol=1e-11)


def scaled(x):
    return 0.7 * np.asarray(x)


def test_cumulants_pass_through_linear_layers():
    """Between a unit and a linear one only thirds count: the layer between is part of the next."""
    middle, teacher_middle = rows(30, 30), rows(24, 24)
    learner = [LEARNER[0], middle, LEARNER[1]]
    teacher = [TEACHER[0], teacher_middle, TEACHER[1]]
    found = rainbow_covariances(
        learner,
        ["relu", scaled, "relu"],
        INPUTS,
        teacher_weights=teacher,
        teacher_activations=["gelu", scaled, "identity"],
        paired_rows=(10, 0, 12),
        finite_width=True,
    )
    options = {
        "teacher_weights": [TEACHER[0], 0.7 * TEACHER[1] @ teacher_middle],
        "teacher_activations": ["gelu", "identity"],
        "paired_rows": (10, 12),
    }
    short = [LEARNER[0], 0.7 * LEARNER[1] @ middle]
    expected = rainbow_covariances(short, "relu", INPUTS, finite_width=True, **options)
    plain = rainbow_covariances(short, "relu", INPUTS, **options)
    added = expected.cross_covariance - plain.cross_covariance
    assert np.abs(added).max() > 1e-3
    # the nearest covariances feel the fourth cumulants of the units
    missed = np.linalg.norm(found.cross_covariance - expected.cross_covariance)
    assert missed < 0.02 * np.linalg.norm(added)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_shorter_network_goes_on_as_the_identity(swapped):
    """No pairs are there in the layers that one network has alone."""
    first, second = LEARNER, [TEACHER[0][:8]]
    options = {"finite_width": True, "method": "hermite"}
    longer = [*second, np.eye(8)]
    if swapped:
        found = rainbow_covariances(second, "relu", INPUTS, teacher_weights=first, **options)
        expected = rainbow_covariances(
            longer,
            ["relu", "identity"],
            INPUTS,
            teacher_weights=first,
            teacher_activations="relu",
            paired_rows=(8, 0),
            **options,
        )
    else:
        found = rainbow_covariances(first, "relu", INPUTS, teacher_weights=second, **options)
        expected = rainbow_covariances(
            first,
            "relu",
            INPUTS,
            teacher_weights=longer,
            teacher_activations=["relu", "identity"],
            paired_rows=(8, 0),
            **options,
        )
    close(found, expected)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_narrow_networks_at_any_scale(scale):
    """The nearest covariances are taken at every scale, of one network and of two."""
    narrow, other = [rows(8, 20), rows(12, 8), rows(9, 12)], [rows(6, 20), rows(7, 6), rows(5, 7)]
    options = {"finite_width": True, "method": "hermite"}
    for teacher in (None, other):
        one, two = (
            rainbow_covariances(narrow, "relu", c * INPUTS, teacher_weights=teacher, **options)
            for c in (1.0, scale**2)
        )
        joint = two.feature_covariance
        if teacher is not None:
            cross = two.cross_covariance
            joint = np.block([[joint, cross], [cross.T, two.teacher_covariance]])
            np.testing.assert_allclose(cross / scale**2, one.cross_covariance, atol=1e-10)
        found = two.feature_covariance / scale**2
        np.testing.assert_allclose(found, one.feature_covariance, atol=1e-10)
        assert np.linalg.eigvalsh(joint)[0] > -1e-10 * np.trace(joint)


def test_series_of_squares():
    """Coefficients of (f - E f)², the constant one included; none where nothing varies."""
    mean, std = np.array([0.3, -1.0]), np.array([1.0, 0.4])
    side = preactivation(gelu, mean, std**2, "per-unit")
    for unit in range(2):
        centre = side.moments.mean[unit]
        expected = hermite_coefficients(
            lambda x, centre=centre: (gelu(x) - centre) ** 2, 16, mean[unit], std[unit]
        )
        found = unit_series(side).square[:, unit]
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)
    assert np.all(np.isnan(unit_series(side, squared=False).square))
    still = unit_series(preactivation(gelu, mean, np.array([1.0, 0.0]), "per-unit"))
    for k in (1, 2):
        for square in (False, True):
            assert still.derivative(k, square=square)[1] == 0.0
