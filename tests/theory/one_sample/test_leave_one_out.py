from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from samples import LinearPopulation, elliptical_rows, power_law
from scipy.interpolate import CubicSpline
from sklearn.linear_model import Ridge

from sk_deepfeat.theory import (
    ErrorSurface,
    curve_risk,
    leave_one_out_curve,
    leave_one_out_curves,
    leave_one_out_residuals,
    ridge_factorization,
    ridge_risk,
)
from sk_deepfeat.theory.one_sample.bias_and_noise import bias_and_noise_along_kappa
from sk_deepfeat.theory.one_sample.leave_one_out import left_out_rows

P = 40
TAIL = 0.7
POPULATION = LinearPopulation(
    power_law(P, 0.5),
    np.random.default_rng(7).normal(size=P),
    rows=partial(elliptical_rows, tail=TAIL),
)


def refits_without_each_row(X, y, alpha, fit_intercept, weights):
    """Brute force: one refit for each row, with all the weight of that row gone."""
    residuals = np.empty_like(y)
    for i in range(len(X)):
        kept = np.arange(len(X)) != i
        ridge = Ridge(alpha=alpha, fit_intercept=fit_intercept, solver="svd")
        ridge.fit(X[kept], y[kept], sample_weight=None if weights is None else weights[kept])
        residuals[i] = y[i] - np.ravel(ridge.predict(X[i : i + 1]))
    return residuals


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("n", [25, 41, 90])
@pytest.mark.parametrize("alpha", [1e-5, 0.1, 10.0])
def test_residuals_equal_refits(n, alpha, fit_intercept, weighted):
    X, y = POPULATION.sample(n, outputs=2)
    X, y = X + 3.0, y - 1.0
    weights = np.random.default_rng(1).uniform(0.2, 3.0, size=n) if weighted else None
    path = ridge_factorization(X, y, weights, fit_intercept=fit_intercept)
    found = leave_one_out_residuals(path, alpha / path.mean_weight)
    expected = refits_without_each_row(X, y, alpha, fit_intercept, weights)
    if weighted:
        expected *= np.sqrt(weights / weights.mean())[:, None]
    np.testing.assert_allclose(found, expected, rtol=5e-6, atol=1e-7)


def test_residuals_at_tiny_ridges_keep_their_digits():
    """Below the interpolation threshold the residuals have a limit; 1 - h has none to spare."""
    path = ridge_factorization(*POPULATION.sample(30), fit_intercept=False)
    np.testing.assert_allclose(
        leave_one_out_residuals(path, 1e-13), leave_one_out_residuals(path, 1e-10), rtol=1e-7
    )


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("n", [25, 90])
def test_is_the_leave_one_out_error_at_the_training_size(n, fit_intercept):
    X, y = POPULATION.sample(n, outputs=2)
    alpha = np.array([1e-6, 0.03, 1.0, 50.0])
    path = ridge_factorization(X, y, fit_intercept=fit_intercept)
    exact = [np.mean(leave_one_out_residuals(path, a) ** 2, axis=0) for a in alpha]
    exact_at = ridge_factorization(X, y, fit_intercept=fit_intercept, exact_at=alpha)
    found = curve_risk(
        leave_one_out_curve(exact_at), n, alpha, fit_intercept=fit_intercept
    ).test_error
    np.testing.assert_allclose(found, exact, rtol=1e-12)
    plain = leave_one_out_curve(path)
    found = curve_risk(plain, n, alpha, fit_intercept=fit_intercept).test_error
    np.testing.assert_allclose(found, exact, rtol=1e-4)


@pytest.mark.parametrize("n", [25, 90])
def test_training_error_at_the_training_size_is_the_one_reached(n):
    X, y = POPULATION.sample(n)
    path = ridge_factorization(X, y, exact_at=[0.5])
    curve = leave_one_out_curve(path)
    reached = np.mean((path.targets - path.features.whole() @ path.coefs(0.5)) ** 2)
    found = curve_risk(curve, n, 0.5, fit_intercept=True).train_error
    assert found.item() == pytest.approx(reached, rel=1e-6)


def slow_transfer(path, ridge, n):
    """Section by section from the formulas, one row a class, by bisection; no intercept."""
    U, lam = path.left_vectors(slice(None)), path.eigenvalues
    N = path.n_rows

    def at(alpha):
        h = (U**2) @ (lam / (lam + alpha))
        Q = h / (1 - h)
        return h, Q, Q.mean(), h.sum()

    _, Q, q, f = at(ridge)
    step = 1e-5
    (_, _, q_up, f_up), (_, _, q_down, f_down) = at(ridge * (1 + step)), at(ridge * (1 - step))
    d_log = np.log1p(step) - np.log1p(-step)
    log_kappa = [np.log(q_up / f_up), np.log(q_down / f_down)]
    slope = (f_up - f_down) / (d_log + log_kappa[0] - log_kappa[1])
    df2, tau, s = f + slope, f / q, Q / q
    error = leave_one_out_residuals(path, ridge)[:, 0] ** 2
    noise = N * df2 / tau**2 * np.mean(s * error / (1 + s * q) ** 2)
    a = error - s * noise
    low, high = 1e-12, 1e12
    for _ in range(200):
        middle = np.sqrt(low * high)
        low, high = (
            (middle, high) if n * np.mean(s * middle / (1 + s * middle)) < f else (low, middle)
        )
    tau_n = f / low
    c = n * df2 / tau_n**2
    variance = (
        c * np.mean(s * a / (1 + s * low) ** 2) / (1 - c * np.mean(s**2 / (1 + s * low) ** 2))
    )
    return ridge / tau * tau_n, ridge / tau, a.mean() + variance, a.mean()


@pytest.mark.parametrize(("rows", "tolerance"), [(35, 1e-5), (120, 1e-5), (900, 5e-4)])
@pytest.mark.parametrize("n", [20, 60, 500])
def test_agrees_with_the_formulas(rows, tolerance, n):
    path = ridge_factorization(*POPULATION.sample(rows), fit_intercept=False)
    curve = leave_one_out_curve(path)
    for ridge in (0.3, 3.0, 30.0):
        if n <= path.eigenvalues @ (1 / (path.eigenvalues + ridge)):
            continue  # df1 ≥ n: no such alpha
        alpha, kappa, error, bias_and_noise = slow_transfer(path, ridge, n)
        found = curve_risk(curve, n, alpha, fit_intercept=False)
        assert float(found.kappa) == pytest.approx(kappa, rel=tolerance)
        if error < 0:
            assert np.isnan(found.test_error).all(), "lost in noise"
            continue
        assert found.test_error.item() == pytest.approx(error, rel=tolerance)
        moment = CubicSpline(*bias_and_noise_along_kappa(curve))(np.log(kappa)).item()
        assert moment == pytest.approx(bias_and_noise, rel=tolerance)


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_unequal_leverages_against_refits(fit_intercept):
    """Mean of refits on elliptical rows; equal leverages would be up to three quarters off."""
    from sk_deepfeat.theory import gcv_curve

    n, alpha = 40, 0.01
    rng = np.random.default_rng(3)
    errors = []
    for seed in range(300):
        X, y = POPULATION.sample(n, seed=1000 + seed)
        ridge = Ridge(alpha=alpha, fit_intercept=fit_intercept, solver="svd").fit(X, y)
        shift = (ridge.coef_ - POPULATION.coefs) * POPULATION.root * np.exp(TAIL**2)
        errors.append(shift @ shift + 1.0 + ridge.intercept_**2)
    truth, se = np.mean(errors), np.std(errors) / np.sqrt(300)
    found = {leave_one_out_curve: [], gcv_curve: []}
    for seed in rng.integers(10_000, size=4):
        path = ridge_factorization(*POPULATION.sample(2000, seed=seed), fit_intercept=fit_intercept)
        for make, values in found.items():
            risk = curve_risk(make(path), n, alpha, fit_intercept=fit_intercept)
            values.append(risk.test_error.item())
    assert abs(np.mean(found[leave_one_out_curve]) - truth) < 4 * se + 0.1 * truth
    assert np.mean(found[gcv_curve]) < 0.6 * truth


def test_gaussian_rows_agree_with_the_population():
    population = replace(POPULATION, rows=partial(elliptical_rows, tail=0.0))
    X, y = population.sample(3000)
    n, alpha = np.array([[10], [50], [400], [10**6]]), np.array([0.05, 1.0, 30.0])
    for fit_intercept in (False, True):
        path = ridge_factorization(X, y, fit_intercept=fit_intercept)
        risk = curve_risk(leave_one_out_curve(path), n, alpha, fit_intercept=fit_intercept)
        exact = ridge_risk(*population.moments(), n, alpha, fit_intercept=fit_intercept)
        np.testing.assert_allclose(risk.test_error[..., 0], exact.test_error, rtol=0.08)
        np.testing.assert_allclose(risk.kappa, exact.kappa, rtol=0.04)


@pytest.mark.parametrize("rows", [30, 200])
def test_interpolation(rows):
    """Below 1e-4 relative against a table fifteen times as fine."""
    path = ridge_factorization(*POPULATION.sample(rows))
    n, alpha = np.array([5, 20, 29, rows])[:, None], np.geomspace(1e-6, 1e4, 101)
    coarse = curve_risk(leave_one_out_curve(path), n, alpha, fit_intercept=True)
    fine = curve_risk(leave_one_out_curve(path, n_grid=3000), n, alpha, fit_intercept=True)
    np.testing.assert_allclose(coarse.test_error, fine.test_error, rtol=1e-4)
    np.testing.assert_allclose(coarse.kappa, fine.kappa, rtol=1e-4)


def test_reach():
    path = ridge_factorization(*POPULATION.sample(30), fit_intercept=False)
    curve = leave_one_out_curve(path)
    inside = curve_risk(curve, [1, 15, 30], 0.0, fit_intercept=False)
    assert np.all(np.isfinite(inside.test_error))
    beyond = curve_risk(curve, 300, [1e-6, 1e3], fit_intercept=False)
    assert np.isnan(beyond.test_error[0]).all() and np.isfinite(beyond.test_error[1]).all()


def test_scaling_law():
    X, y = POPULATION.sample(60)
    plain = leave_one_out_curve(ridge_factorization(X, y))
    scaled = leave_one_out_curve(ridge_factorization(1e6 * X, y))
    alpha = np.geomspace(1e-3, 1e3, 7)
    left = curve_risk(plain, 45, alpha, fit_intercept=True)
    right = curve_risk(scaled, 45, 1e12 * alpha, fit_intercept=True)
    np.testing.assert_allclose(left.test_error, right.test_error, rtol=1e-6)


@pytest.mark.parametrize("shape", [(100, 99), (100, 100), (100, 300), (60, 20)])
def test_extrapolation_is_never_negative(shape):
    """Near the interpolation peak mean a is a difference lost in noise: NaN, not a good error.

    What the curve says there is noise; the surface knows, and says nothing.
    """
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=shape)
        X[0] *= 30.0
        y = X @ rng.normal(size=shape[1]) / np.sqrt(shape[1]) + 0.3 * rng.normal(size=shape[0])
        curve, replicates = leave_one_out_curves(ridge_factorization(X, y))
        n, alpha = np.geomspace(2, 1e5, 25).round(), np.geomspace(1e-6, 1e3, 30)
        cells = np.repeat(n, alpha.size), np.tile(alpha, n.size)
        error = ErrorSurface(curve, replicates, len(X), True).answer(*cells).error
        assert not np.any(error < 0.02), "far below the label noise of 0.09"
        known = curve_risk(curve, [1e9, 1e12], 1e15, fit_intercept=True).kappa
        np.testing.assert_allclose(known, [1e6, 1e3], rtol=0.1)


def test_a_row_of_leverage_near_one():
    """Below the spectrum the leave-one-out error of such a row still moves with alpha."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 1))
    X[0] *= 1e5
    y = X[:, 0] + rng.normal(size=40)
    path = ridge_factorization(X, y, exact_at=[1.0])
    curve = leave_one_out_curve(path)
    found = curve_risk(curve, 40, 1.0, fit_intercept=True).test_error.item()
    assert found == pytest.approx(np.mean(leave_one_out_residuals(path, 1.0) ** 2), rel=1e-9)


@pytest.mark.parametrize("shape", [(10, 25), (30, 8)])
def test_residuals_without_a_ridge_are_the_limit(shape):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=shape), rng.normal(size=(shape[0], 1))
    path = ridge_factorization(X, y, fit_intercept=False)
    expected = refits_without_each_row(X, y, 1e-9, False, None)
    np.testing.assert_allclose(leave_one_out_residuals(path, 0.0), expected, rtol=1e-5, atol=1e-6)


def test_features_of_single_rows():
    """A unit that one row alone makes active gives it leverage one, and κ a lower end."""
    rng = np.random.default_rng(0)
    X = np.maximum(rng.normal(size=(300, 40)) - np.linspace(0, 3.5, 40), 0.0)
    y = X[:, 0] + rng.normal(size=300)
    for fit_intercept in (True, False):
        path = ridge_factorization(X, y, fit_intercept=fit_intercept)
        risk = curve_risk(
            leave_one_out_curve(path),
            np.array([2, 30, 300, 3000])[:, None],
            [1e-9, 0.01, 1.0],
            fit_intercept=fit_intercept,
        )
        exact = np.mean(leave_one_out_residuals(path, 0.01) ** 2)
        assert risk.test_error[2, 1, 0] == pytest.approx(exact, rel=1e-4)
        assert np.isfinite(risk.test_error[:3]).all()


@pytest.mark.parametrize("most", [1, 7, 50, 60, 1000])
def test_rows_left_out_come_in_blocks_of_no_more_than_was_asked(most):
    path = ridge_factorization(*POPULATION.sample(60))
    blocks = list(left_out_rows(path, np.array([0.5, 2.0]), most_rows=most))
    sizes = [block.rows.stop - block.rows.start for block in blocks]
    assert max(sizes) <= most and len(sizes) == -(-60 // most)
    np.testing.assert_array_equal(
        np.concatenate([np.arange(60)[block.rows] for block in blocks]), np.arange(60)
    )
