"""Covariances of functions of two normal variables that are known exactly."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import norm

from sk_deepfeat.activations import erf, relu, softplus, tanh
from sk_deepfeat.theory import activation_moments, bivariate_covariance, hermite_coefficients
from sk_deepfeat.theory.networks.bivariate_moments import strong_covariances


def line(x):
    return 1.0 * x


def jump(x):
    return np.where(x > 0.7, 2.0, -1.0)


def step(x):
    return np.heaviside(x, 0.5)


@pytest.mark.parametrize("rho", [0.3, 0.99, 0.9999, -0.9999, 1 - 1e-9, -1.0])
@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (1.5, 0.6), (-0.4, 30.0)])
def test_stein(rho, mean, std):
    """Cov(X, g(Y)) = Cov(X, Y) E g′(Y), whichever comes first."""
    expected = rho * 0.5 * 3.0 * norm.pdf((0.7 - mean) / std)
    first = bivariate_covariance(line, -0.2, 0.5, jump, mean, std, rho * 0.5 * std)
    other = bivariate_covariance(jump, mean, std, line, -0.2, 0.5, rho * 0.5 * std)
    assert float(first) == pytest.approx(expected, rel=1e-6)
    assert float(other) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("rho", [0.2, 0.999, -0.999, 1 - 1e-7])
def test_quadrants(rho):
    """P(X > 0, Y > 0) = 1/4 + arcsin(ρ)/2π."""
    found = bivariate_covariance(step, 0.0, 2.0, step, 0.0, 0.3, 0.6 * rho)
    assert float(found) == pytest.approx(np.arcsin(rho) / (2 * np.pi), abs=1e-5)


RHO = np.array([0.9, -0.95, 0.9999, 1.0, -1.0, 0.2])


@pytest.mark.parametrize("pair", [(tanh, softplus), (relu, relu), (relu, tanh), (erf, jump)])
def test_chosen_pairs_are_each_as_alone(pair):
    mean, std = np.array([0.3, -0.5, 0.0]), np.array([1.0, 0.4, 2.0])
    other_mean, other_std = np.array([-0.2, 0.6]), np.array([0.7, 1.3])
    i, j = np.array([0, 1, 2, 0, 2, 1]), np.array([0, 1, 0, 1, 1, 0])
    found = strong_covariances(pair[0], mean, std, pair[1], other_mean, other_std, i, j, RHO)
    for k, rho in enumerate(RHO):
        a, b = i[k], j[k]
        alone = bivariate_covariance(
            pair[0],
            mean[a],
            std[a],
            pair[1],
            other_mean[b],
            other_std[b],
            rho * std[a] * other_std[b],
        )
        assert found[k] == pytest.approx(float(alone), rel=1e-7, abs=1e-8)
    none = np.zeros(0, dtype=int)
    assert strong_covariances(*pair[:1], mean, std, pair[1], mean, std, none, none, none).size == 0


def test_functions_that_answer_yes_or_no():
    moments = activation_moments(lambda x: x > 0.5, 0.2, 0.8)
    share = ndtr(-0.3 / 0.8)
    np.testing.assert_allclose(moments.mean, share, rtol=1e-10)
    np.testing.assert_allclose(moments.variance, share * (1 - share), rtol=1e-10)
    np.testing.assert_allclose(moments.slope, norm.pdf(0.3 / 0.8) / 0.8, rtol=1e-10)
    found = hermite_coefficients(lambda x: x > 0.5, 6, 0.2, 0.8)
    expected = hermite_coefficients(lambda x: np.where(x > 0.5, 1.0, 0.0), 6, 0.2, 0.8)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
