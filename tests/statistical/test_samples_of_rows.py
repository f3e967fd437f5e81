"""Intervals from a sample of the rows hold the error that ridge really has."""

import numpy as np
import pytest

from sk_deepfeat import DeterministicEquivalentRidge

pytestmark = pytest.mark.statistical

P, N, KEPT, REPEATS = 30, 6000, 400, 80
CELLS = [(100, 10.0), (1000, 10.0), (6000, 1.0), (6000, 3000.0), (20_000, 10.0)]


def heavy_rows(rng, n):
    """Student's t features, noise that depends on them, rows of unequal sizes."""
    X = rng.standard_t(6, size=(n, P)) * np.geomspace(1.0, 0.2, P)
    X *= np.exp(0.3 * rng.normal(size=(n, 1)))
    y = np.tanh(X[:, 0]) + X[:, 1:4].sum(axis=1)
    return X, y + rng.normal(size=n) * (0.5 + np.abs(X[:, 0]))


def gaussian_rows(rng, n):
    X = rng.normal(size=(n, P)) * np.geomspace(1.0, 0.1, P)
    return X, X.sum(axis=1) + rng.normal(size=n)


def true_error(draw, n, alpha):
    rng = np.random.default_rng(1)
    X_test, y_test = draw(rng, 600_000)
    errors = []
    for _ in range(max(8, min(300, 60_000 // n))):
        X, y = draw(rng, n)
        X_mean, y_mean = X.mean(axis=0), y.mean()
        F = X - X_mean
        coefs = np.linalg.solve(F.T @ F + alpha * np.eye(P), F.T @ (y - y_mean))
        errors.append(np.mean((y_test - y_mean - (X_test - X_mean) @ coefs) ** 2))
    return np.mean(errors)


# Of rows with such tails few tell how far all are off: fitted to all of them it is 82 %.
@pytest.mark.parametrize(("draw", "least"), [(gaussian_rows, 0.85), (heavy_rows, 0.75)])
def test_intervals_of_a_sample_cover(draw, least):
    truth = np.array([true_error(draw, *cell) for cell in CELLS])
    rng = np.random.default_rng(0)
    n, alpha = (np.array(values) for values in zip(*CELLS, strict=True))
    inside, widths, whole_widths = [], [], []
    for repeat in range(REPEATS):
        X, y = draw(rng, N)
        ridge = DeterministicEquivalentRidge(10.0, reservoir_size=KEPT)
        for start in range(0, N, 1000):
            ridge.partial_fit(X[start : start + 1000], y[start : start + 1000])
        _, lower, upper = ridge.predict_test_error(n, alpha, return_interval=True)
        inside.append((lower <= truth) & (truth <= upper))
        widths.append(upper - lower)
        if repeat < 20:
            whole = DeterministicEquivalentRidge(10.0).fit(X, y)
            _, lower, upper = whole.predict_test_error(n, alpha, return_interval=True)
            whole_widths.append(upper - lower)
    coverage = np.mean(inside, axis=0)
    assert np.all(coverage >= least), dict(zip(CELLS, coverage, strict=True))
    wider = np.median(widths, axis=0) / np.median(whole_widths, axis=0)
    assert np.all(wider[2:] < 1.5), "at all rows and beyond, the sample costs little"
