import numpy as np
import pytest
from samples import LinearPopulation, power_law
from scipy.interpolate import CubicSpline

from sk_deepfeat.theory import (
    curve_risk,
    gcv_curve,
    leave_one_out_curve,
    ridge_factorization,
    ridge_risk,
)
from sk_deepfeat.theory.one_sample.bias_and_noise import bias_and_noise_along_kappa
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator

P = 200
POPULATION = LinearPopulation(power_law(P, 0.5), np.random.default_rng(7).normal(size=P))


def path_of(n, fit_intercept=False, **kwargs):
    return ridge_factorization(*POPULATION.sample(n, **kwargs), fit_intercept=fit_intercept)


def gcv(path, alpha):
    """GCV from an explicit hat matrix, with n less one where the rows are centred."""
    F, n = path.features.whole(), path.n_effective
    hat = F @ np.linalg.solve(F.T @ F + alpha * np.eye(P), F.T)
    residual = path.targets - hat @ path.targets
    return residual.T @ residual / n / (1 - np.trace(hat) / n) ** 2


@pytest.mark.parametrize("n0", [120, 200, 500])
def test_is_gcv_at_the_training_size(n0):
    path = path_of(n0, outputs=2)
    curve = gcv_curve(path)
    for alpha in (1e-3, 0.1, 10.0):
        found = curve_risk(curve, n0, alpha, fit_intercept=False).test_error
        np.testing.assert_allclose(found, np.diagonal(gcv(path, alpha)), rtol=1e-6)


@pytest.mark.parametrize("n0", [120, 500])
def test_is_gcv_at_the_training_size_with_intercept(n0):
    path = path_of(n0, fit_intercept=True)
    found = curve_risk(gcv_curve(path), n0, 0.5, fit_intercept=True).test_error
    np.testing.assert_allclose(found, (1 + 1 / n0) * gcv(path, 0.5)[0], rtol=1e-6)


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_without_noise_nothing_is_left_without_a_ridge(unit):
    """GCV falls as the square of alpha, from the grid's end at 1e-6 of the least eigenvalue on."""
    X = unit * np.random.default_rng(0).normal(size=(50, 5))
    path = ridge_factorization(X, X.sum(axis=1) / unit, fit_intercept=False)
    found = curve_risk(gcv_curve(path), 50, [0.0, 1e-12 * unit**2], fit_intercept=False)
    assert np.all(found.test_error < 1e-14)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize(("n0", "tolerance"), [(4000, 0.04), (400, 0.12)])
def test_agrees_with_the_population(n0, tolerance, fit_intercept):
    n = np.array([20, 60, 150, n0, 3 * n0])[:, None]
    alpha = np.array([0.01, 1.0, 100.0])
    exact = ridge_risk(*POPULATION.moments(), n, alpha, fit_intercept=fit_intercept)
    errors = []
    for seed in range(3):
        path = path_of(n0, fit_intercept, seed=seed)
        risk = curve_risk(gcv_curve(path), n, alpha, fit_intercept=fit_intercept)
        errors.append(risk.test_error[..., 0] / exact.test_error - 1)
        np.testing.assert_allclose(risk.kappa, exact.kappa, rtol=tolerance)
    assert np.abs(np.mean(errors, axis=0)).max() < tolerance


def test_interpolation_agrees_with_direct_evaluation():
    """Below 1e-4 relative, from a grid that is not the same, and for many cells."""
    curve, fine = gcv_curve(path_of(150)), gcv_curve(path_of(150), n_grid=20_000)
    n = np.array([5, 50, 149, 150])[:, None]
    alpha = np.geomspace(1e-9, 1e6, 301)
    coarse = curve_risk(curve, n, alpha, fit_intercept=False)
    dense = curve_risk(fine, n, alpha, fit_intercept=False)
    for name in ("test_error", "train_error", "kappa"):
        np.testing.assert_allclose(getattr(coarse, name), getattr(dense, name), rtol=1e-5)
    (x, moment), (fine_x, fine_moment) = map(bias_and_noise_along_kappa, (curve, fine))
    inside = fine_x[(fine_x > x[0]) & (fine_x < x[-1])]
    expected = CubicSpline(fine_x, fine_moment)(inside)
    np.testing.assert_allclose(CubicSpline(x, moment)(inside), expected, rtol=1e-5)
    # What is reported of it has corners where it is held and where it is made to rise.
    np.testing.assert_allclose(coarse.bias_and_noise, dense.bias_and_noise, rtol=0.01)


@pytest.mark.parametrize("n0", [60, 120, 200])
def test_bias_and_noise_rise_with_kappa(n0):
    curve = leave_one_out_curve(path_of(n0))
    alpha = np.geomspace(1e-9, 1e6, 200)
    for n in (20, n0):
        risk = curve_risk(curve, n, alpha, fit_intercept=False)
        assert np.all(np.diff(risk.kappa) >= 0)
        moment = risk.bias_and_noise[:, 0]
        assert np.all(np.diff(moment) >= -1e-12 * moment[1:])


def test_reach_below_the_rank():
    """With n₀ ≤ p, n ≤ n₀ reaches every alpha; beyond it κ must stay above 1/Σ(1/λ)."""
    path = path_of(100)
    curve = gcv_curve(path)
    floor = 1 / np.sum(1 / path.eigenvalues)
    assert curve.kappa[0] == pytest.approx(floor, rel=1e-6)
    inside = curve_risk(curve, [1, 50, 100], 0.0, fit_intercept=False)
    assert np.all(np.isfinite(inside.test_error))
    edge = floor * 100  # κ_min (n - n₀) at n = 200
    outside = curve_risk(curve, 200, [0.9 * edge, 1.1 * edge], fit_intercept=False)
    assert np.isnan(outside.test_error[0]).all() and np.isfinite(outside.test_error[1]).all()
    assert np.isnan(outside.kappa[0])


def test_ridgeless_above_the_rank():
    curve = gcv_curve(path_of(1000))
    exact = ridge_risk(*POPULATION.moments(), [300, 5000], 0.0)
    found = curve_risk(curve, [200, 300, 5000], 0.0, fit_intercept=False)
    assert np.isinf(found.test_error[0, 0])
    np.testing.assert_allclose(found.test_error[1:, 0], exact.test_error, rtol=0.1)
    np.testing.assert_array_equal(found.kappa, 0.0)


def test_limits():
    path = path_of(300)
    curve = gcv_curve(path)
    huge = curve_risk(curve, [10, 1e6], 1e15, fit_intercept=False)
    np.testing.assert_allclose(huge.test_error[:, 0], np.mean(path.targets**2), rtol=1e-6)
    np.testing.assert_allclose(huge.kappa, [1e14, 1e9], rtol=1e-6)
    one = curve_risk(gcv_curve(path_of(300, True)), 1, 1.0, fit_intercept=True)
    assert one.test_error.item() == pytest.approx(2 * np.var(path.targets) * 300 / 299, rel=1e-6)


def test_features_that_tell_nothing():
    path = ridge_factorization(np.ones((10, 3)), np.arange(10.0))
    risk = curve_risk(gcv_curve(path), [2, 10], 1.0, fit_intercept=True)
    np.testing.assert_allclose(
        risk.test_error[:, 0], (1 + 1 / np.array([2, 10])) * np.var(np.arange(10.0), ddof=1)
    )


def test_scaling_law():
    X, y = POPULATION.sample(150)
    plain = gcv_curve(ridge_factorization(X, y, fit_intercept=False))
    scaled = gcv_curve(ridge_factorization(1e6 * X, y, fit_intercept=False))
    alpha = np.geomspace(1e-3, 1e3, 7)
    left = curve_risk(plain, 80, alpha, fit_intercept=False)
    right = curve_risk(scaled, 80, 1e12 * alpha, fit_intercept=False)
    np.testing.assert_allclose(left.test_error, right.test_error, rtol=1e-6)
    np.testing.assert_allclose(1e12 * left.kappa, right.kappa, rtol=1e-6)


@pytest.mark.parametrize("seed", [4, 8])
def test_training_error_lies_between_zero_and_the_test_error(seed):
    """Of a dozen rows it is a difference lost in noise: here bare ones are above the test error."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(12, 8))
    curve = leave_one_out_curve(ridge_factorization(X, X[:, 0] + rng.normal(size=12)))
    n, alpha = np.array([5, 12, 36, 360])[:, None], np.geomspace(1e-4, 1e3, 12)
    risk = curve_risk(curve, n, alpha, fit_intercept=True)
    known = ~np.isnan(risk.test_error)
    assert np.all(risk.train_error[known] >= 0.0)
    assert np.all(risk.train_error[known] <= risk.test_error[known])
    assert np.any(risk.train_error[known] == risk.test_error[known])


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_error_at_kappa_is_that_at_its_alpha(fit_intercept):
    """Both ways to name a cell, above and below the rank; beyond the curve's ends nothing moves."""
    path = path_of(500, fit_intercept)
    evaluator = CurveEvaluator(leave_one_out_curve(path), fit_intercept=fit_intercept)
    n, alpha = np.array([150.0, 500.0, 500.0, 3000.0]), np.array([3.0, 1.0, 300.0, 30.0])
    risk = evaluator.risk(n, alpha)
    found = evaluator.test_error_at(n, risk.kappa)
    np.testing.assert_allclose(found, risk.test_error, rtol=3e-3)
    low, high = evaluator.curve.kappa[[0, -1]]
    ends = evaluator.test_error_at(np.full(4, 800.0), np.array([low, 1e-6 * low, high, 1e6 * high]))
    np.testing.assert_allclose(ends[[1, 3]], ends[[0, 2]])
    hidden = CurveEvaluator(leave_one_out_curve(path_of(100)), fit_intercept=False)
    below = 0.5 * hidden.curve.kappa[:1]
    assert np.isnan(hidden.test_error_at(np.array([400.0]), below)).all()
