"""Coefficients by conjugate gradients, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sk_deepfeat.theory import unfactorized_rows
from sk_deepfeat.theory.one_sample.matrix_free import conjugate_gradients


def sample(n, p):
    rng = np.random.default_rng(n)
    X = 1.0 + rng.normal(size=(n, p)) * np.arange(1, p + 1) ** -1.0
    return X, np.column_stack([X[:, 0], 1e3 * X[:, 1]]) + rng.normal(size=(n, 2))


@pytest.mark.parametrize("shape", [(500, 200), (200, 500)])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e3])
def test_coefficients_are_those_of_ridge(shape, fit_intercept, alpha):
    X, y = sample(*shape)
    rows = unfactorized_rows(X, y, fit_intercept=fit_intercept, n_sampled=100)
    found = rows.solution(alpha)
    expected = Ridge(alpha=alpha, fit_intercept=fit_intercept, solver="svd").fit(X, y).coef_.T
    off = np.linalg.norm(found.coefs - expected, axis=0) / np.linalg.norm(expected, axis=0)
    assert found.converged and np.all(off <= found.relative_error)
    assert np.all(off < 1e-6)
    residual = y - y.mean(axis=0) * fit_intercept - rows.features.times(expected)
    np.testing.assert_allclose(
        rows.training_error(alpha, expected), np.square(residual).mean(axis=0), rtol=1e-9
    )


def test_leading_directions_save_steps(monkeypatch):
    X, y = sample(600, 300)
    rows = unfactorized_rows(X, y, n_sampled=200)
    directions = conjugate_gradients.leading_directions(rows.sample, rows.n_rows)
    none = conjugate_gradients.Directions(np.empty((300, 0)), np.empty(0))
    steps = []
    original = conjugate_gradients._gram_times

    def counted(*args):
        steps[-1] += 1
        return original(*args)

    monkeypatch.setattr(conjugate_gradients, "_gram_times", counted)
    for some in (directions, none):
        steps.append(0)
        conjugate_gradients.solve_ridge(rows.features, rows.targets, 0.01, some)
    assert steps[0] < 0.5 * steps[1]


def test_what_has_not_converged_says_how_far_off_it_is(monkeypatch):
    X, y = sample(300, 200)
    monkeypatch.setattr(conjugate_gradients, "_MOST_STEPS", 3)
    calls, original = [], conjugate_gradients._gram_times

    def counted(*args):
        calls.append(args)
        return original(*args)

    monkeypatch.setattr(conjugate_gradients, "_gram_times", counted)
    rows = unfactorized_rows(X, y, n_sampled=100)
    found = rows.solution(1e-3)
    assert not found.converged and found.relative_error > 1e-6
    assert len(calls) == 4, "a product for each step, and one for what is left"


def test_a_constant_target_has_coefficients_of_zero():
    X, _ = sample(300, 200)
    found = unfactorized_rows(X, np.ones(300), n_sampled=100).solution(1.0)
    assert found.converged and not found.coefs.any()


def test_no_ridge_is_refused():
    X, y = sample(300, 200)
    with pytest.raises(ValueError, match=r"alpha=0\.0 must be positive .*'leave-one-out'"):
        unfactorized_rows(X, y).solution(0.0)


def test_the_last_restart_says_how_far_off_it_is_as_well(monkeypatch):
    X, y = sample(300, 200)
    rows = unfactorized_rows(X, y, n_sampled=100)
    usual = rows.solution(0.5).coefs
    monkeypatch.setattr(conjugate_gradients, "_RESTARTS", 1)
    found = unfactorized_rows(X, y, n_sampled=100).solution(0.5)
    off = np.linalg.norm(found.coefs - usual, axis=0) / np.linalg.norm(usual, axis=0)
    assert off.max() <= 1.1 * found.relative_error + 1e-9 and found.relative_error < 1e-3
