"""Rows as real tables have them, each the smallest of its kind, with errors of refits beside."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.datasets import load_mnist_parity
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection import four_way_split
from sk_deepfeat.theory import ridge_factorization


def quietly(fitted, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        return fitted(*args, **kwargs)


def refitted(draw, n, alpha, repeats, *, fit_intercept=True, seed=1):
    """Mean test error over training sets of n rows and its standard error."""
    rng = np.random.default_rng(seed)
    X_test, y_test = draw(rng, 20_000)
    errors = []
    for _ in range(repeats):
        ridge = Ridge(alpha=alpha, fit_intercept=fit_intercept).fit(*draw(rng, n))
        errors.append(np.mean((ridge.predict(X_test) - y_test) ** 2))
    return np.mean(errors), np.std(errors) / np.sqrt(repeats)


def rare_columns(rng, n):
    X = np.hstack([rng.normal(size=(n, 10)), rng.random((n, 30)) < 0.002])
    return X, X[:, 0] + 0.5 * rng.normal(size=n)


def test_rare_columns():
    """Directions that few rows carry do not concentrate: the theory is off by e⁹ below n₀."""
    ridge = DeterministicEquivalentRidge(1.0).fit(*rare_columns(np.random.default_rng(0), 1000))
    n = np.array([50, 100, 200, 500, 900, 999, 1000])
    error, lower, upper = ridge.predict_test_error(n, 1e-8, return_interval=True)
    for size, value, low, high in zip(n, error, lower, upper, strict=True):
        truth, _ = refitted(rare_columns, size, 1e-8, 40)
        assert low < truth < high and value == pytest.approx(truth, rel=0.1)
    assert error[3:] == pytest.approx([0.27] * 4, rel=0.05)


def test_every_row_twice():
    """Copies are one draw: the error is that on rows of which there is no copy, 1.3 and not 0.

    Ridge on every row twice is ridge at half of alpha on every row once; with fewer rows than
    features the leave-one-out error scatters by a third, as its interval knows.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 200))
    y = X[:, :20].sum(axis=1) / 4 + 0.5 * rng.normal(size=150)
    ridge = DeterministicEquivalentRidge(1.0)
    quietly(ridge.fit, np.repeat(X, 2, axis=0), np.repeat(y, 2))
    once = DeterministicEquivalentRidge(0.5).fit(X, y)
    assert ridge.test_error_ == pytest.approx(once.test_error_, rel=1e-8)

    def draw(rng, n):
        X = rng.normal(size=(n, 200))
        return X, X[:, :20].sum(axis=1) / 4 + 0.5 * rng.normal(size=n)

    truth, _ = refitted(draw, 150, 0.5, 30)
    assert truth == pytest.approx(1.34, rel=0.1)
    _, lower, upper = ridge.predict_test_error(return_interval=True)
    assert lower < truth < upper


@pytest.fixture(scope="module")
def echo_states():
    """States of a network of 400 units along the Lorenz system, and its next value with noise."""
    rng = np.random.default_rng(0)
    length, washout, step = 16_000, 500, 0.02

    def slope(s):
        return np.array([10 * (s[1] - s[0]), s[0] * (28 - s[2]) - s[1], s[0] * s[1] - 8 / 3 * s[2]])

    state, series = np.array([1.0, 1.0, 20.0]), np.empty(length + 1)
    for t in range(length + 1):
        a = slope(state)
        b = slope(state + step / 2 * a)
        c = slope(state + step / 2 * b)
        state = state + step / 6 * (a + 2 * b + 2 * c + slope(state + step * c))
        series[t] = state[0] / 8
    inner = rng.normal(size=(400, 400)) / 20 * 0.9
    drive, bias = rng.uniform(-1, 1, size=400), rng.uniform(-0.5, 0.5, size=400)
    units, states = np.zeros(400), np.empty((length, 400))
    for t in range(length):
        units = np.tanh(inner @ units + drive * series[t] + bias)
        states[t] = units
    order = rng.permutation(length - washout) + washout
    return states[order], series[order + 1] + 1e-3 * rng.normal(size=order.size)


def test_echo_states_beyond_the_training_size(echo_states):
    """A theory that failed its check does not carry the growth: right within a half, or silent."""
    X, y = echo_states
    n0, rest = 1500, np.arange(1500, len(y))
    ridge = DeterministicEquivalentRidge(1.0).fit(X[:n0], y[:n0])
    assert not quietly(ridge.calibration_check).passed
    alphas = np.logspace(-9, -1, 5)
    n = np.array([3000, 4500])
    error, lower, upper = ridge.predict_test_error(n[:, None], alphas, return_interval=True)
    reachable = ridge.reachable(n[:, None], alphas)
    np.testing.assert_array_equal(np.isnan(error), ~reachable)
    rng = np.random.default_rng(0)
    truth = np.zeros(error.shape)
    for i, size in enumerate(n):
        for _ in range(2):
            inside, left = np.split(rng.permutation(rest), [size])
            path = ridge_factorization(X[inside], y[inside])
            coefs = path.coefs(alphas)[..., 0].T
            predicted = (X[left] - path.feature_mean) @ coefs + path.target_mean
            truth[i] += np.mean((predicted - y[left, None]) ** 2, axis=0) / 2
    known = ~np.isnan(error)
    assert known.any(), "the largest alphas are known"
    assert np.all((lower[known] < truth[known]) & (truth[known] < upper[known]))
    assert np.all(np.abs(np.log(error[known] / truth[known])) < np.log(1.5))


def test_linear_regression_on_the_pixels_of_mnist(mnist_data_home):
    """Border pixels are rare columns; by every theory the peak is a third too low."""
    X, y = load_mnist_parity(data_home=mnist_data_home, return_X_y=True)
    test, _, readout, covariance = four_way_split(np.arange(len(y)), random_state=0)
    ridge = DeterministicEquivalentRidge(0.1, fit_intercept=False).fit(X[readout], y[readout])
    others = np.concatenate([test, covariance])
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(60):
        rows = rng.choice(others, 431, replace=False)
        fitted = Ridge(alpha=0.1, fit_intercept=False).fit(X[rows], y[rows])
        left = rng.choice(np.setdiff1d(others, rows), 10_000, replace=False)
        errors.append(np.mean((fitted.predict(X[left]) - y[left]) ** 2))
    assert ridge.predict_test_error(431, 0.1) == pytest.approx(np.mean(errors), rel=0.1)
