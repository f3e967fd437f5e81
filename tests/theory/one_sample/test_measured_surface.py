from functools import partial

import numpy as np
import pytest
from samples import LinearPopulation, clustered_rows, power_law
from sklearn.linear_model import Ridge

from sk_deepfeat.theory import (
    Calibration,
    CalibrationSize,
    ErrorSurface,
    calibrate,
    leave_one_out_curve,
    leave_one_out_residuals,
    ridge_factorization,
)
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.measured_surface import MeasuredSurface
from sk_deepfeat.theory.one_sample.nodes import NodesOfStack

P = 60
COEFS = np.random.default_rng(7).normal(size=P)
CLUSTERS = LinearPopulation(
    power_law(P, 0.5), COEFS, 0.5, rows=partial(clustered_rows, n_clusters=50)
)
ROWS = 400


def measured(population=CLUSTERS, seed=0):
    path = ridge_factorization(*population.sample(ROWS, seed))
    curve = leave_one_out_curve(path)
    evaluator = CurveEvaluator(curve, fit_intercept=True)
    return path, evaluator, MeasuredSurface(calibrate(path, curve, fine=True), evaluator)


def pretended(evaluator, log_ratios, noise=1e-3):
    """A calibration at 50, 100 and 200 rows, where C is as given whatever alpha."""
    alpha = np.geomspace(1e-3, 1e3, 30)
    sizes = []
    for size, ratio in zip((50.0, 100.0, 200.0), log_ratios, strict=True):
        predicted = evaluator.test_error(np.full(alpha.shape, size), alpha)
        c, error = np.full_like(predicted, ratio), np.full_like(predicted, noise)
        no = np.zeros(alpha.size, dtype=bool)
        each = (predicted * np.exp(c), predicted, c, error, error, error, no)
        sizes.append(CalibrationSize(size, 4, np.log(alpha), *each))
    return Calibration(tuple(sizes), ROWS, P, np.array([0.5]), np.ones((1, 1)))


def test_errors_are_those_of_refits_in_clusters():
    """At, between and below the sizes that were measured; near the peak the theory is far off."""
    _, evaluator, surface = measured()
    pool, target = CLUSTERS.sample(6000, seed=5)
    rng = np.random.default_rng(0)
    bare, found = [], []
    for n in (20, 45, 61, 70, 150, 330):
        for alpha in (1e-6, 0.01, 0.1, 1.0):
            errors = []
            for _ in range(60):
                order = rng.permutation(6000)
                ridge = Ridge(alpha=alpha).fit(pool[order[:n]], target[order[:n]])
                left = order[n:]
                errors.append(np.mean((ridge.predict(pool[left]) - target[left]) ** 2))
            cell, truth = (np.array([float(n)]), np.array([alpha])), np.log(np.mean(errors))
            bare.append(abs(np.log(evaluator.test_error(*cell)) - truth).item())
            found.append(abs(surface.errors(*cell).log_error - truth).item())
    assert max(bare) > 1.0, "otherwise there is nothing to mend"
    assert np.median(found) < 0.1 and max(found) < 0.35


def test_meets_what_was_measured_and_leave_one_out():
    path, _, surface = measured()
    at_size = surface.calibration.sizes[4]
    alpha = np.exp(at_size.log_alpha)
    knots = surface.knots(alpha, shrink=False)
    np.testing.assert_allclose(knots.log_error[4], np.log(at_size.measured))
    np.testing.assert_allclose(knots.variance[4], at_size.noise**2)
    shrunk = surface.knots(alpha)
    size = np.full(alpha.shape, at_size.size)
    found = surface.errors(size, alpha)
    np.testing.assert_allclose(found.log_error, shrunk.log_error[4], atol=1e-12)
    for value in (0.01, 1.0):
        found = surface.errors(np.array([float(ROWS)]), np.array([value]))
        expected = np.square(leave_one_out_residuals(path, value)).mean()
        assert np.exp(found.log_error).item() == pytest.approx(expected, rel=1e-4)
        assert found.variance.item() == found.row_variance.item() == 0.0
        assert found.at_n0_share.item() == 1.0


def test_is_the_theory_where_nothing_disagrees():
    _, evaluator, _ = measured()
    surface = MeasuredSurface(pretended(evaluator, [0.0, 0.0, 0.0]), evaluator)
    n, alpha = np.repeat([20.0, 60.0, 130.0, 300.0, 400.0], 4), np.tile([1e-6, 0.01, 1.0, 1e4], 5)
    found = surface.errors(n, alpha)
    np.testing.assert_allclose(np.exp(found.log_error), evaluator.test_error(n, alpha), rtol=1e-12)
    assert np.all(found.theory_weight == 1.0)


def test_a_constant_fault_leaves_the_shape_to_the_theory():
    """Between equal C the error is the theory's times exp C; below the sizes, too."""
    _, evaluator, _ = measured()
    surface = MeasuredSurface(pretended(evaluator, [0.7, 0.7, 0.7]), evaluator)
    n, alpha = np.array([30.0, 60.0, 75.0]), np.full(3, 0.1)
    found = surface.errors(n, alpha)
    np.testing.assert_allclose(
        found.log_error, np.log(evaluator.test_error(n, alpha)) + 0.7, atol=1e-5
    )


def test_a_fault_that_moves_as_the_error_does_leaves_a_straight_line():
    """Measured errors that do not depend on n at all: the theory's peak must not come through."""
    path, evaluator, _ = measured()
    alpha = np.array([1e-3])
    flat = np.log(np.square(leave_one_out_residuals(path, alpha.item())).mean())
    sizes = np.array([50.0, 100.0, 200.0])
    off = flat - np.log(evaluator.test_error(sizes, np.repeat(alpha, 3)))[:, 0]
    calibration = pretended(evaluator, off)
    for each in calibration.sizes:  # at all alphas: flat in n there, too
        each.log_ratio[...] = flat - np.log(each.predicted)
        each.measured[...] = np.exp(flat)
    n = np.array([61.0, 140.0])
    found = MeasuredSurface(calibration, evaluator).errors(n, np.repeat(alpha, 2))
    peak = np.log(evaluator.test_error(n, np.repeat(alpha, 2)))
    assert abs(peak[0] - flat) > 0.5, "the theory has a peak there"
    assert np.abs(found.log_error - flat).max() < 0.1
    assert found.theory_weight[0] < 0.1


def test_what_noise_could_make_is_shrunk_to_nothing():
    _, evaluator, _ = measured()
    small = MeasuredSurface(pretended(evaluator, [0.01, -0.01, 0.01], noise=0.011), evaluator)
    alpha = np.array([1.0])
    knots = small.knots(alpha)
    np.testing.assert_array_equal(knots.log_error, knots.log_theory)
    # z² of 4, 9 and 16: means with the neighbours 17/3, 29/3, 41/3.
    surface = MeasuredSurface(pretended(evaluator, [0.02, 0.03, 0.04], noise=0.01), evaluator)
    knots = surface.knots(alpha)
    kept = (knots.log_error - knots.log_theory)[:3, 0, 0] / [0.02, 0.03, 0.04]
    np.testing.assert_allclose(kept, 1.0 - 3.0 / np.array([17.0, 29.0, 41.0]))


def test_where_the_theory_says_nothing_the_measurement_stands():
    _, evaluator, surface = measured()

    class Silent(CurveEvaluator):
        def test_error(self, n_samples, alpha):
            error = super().test_error(n_samples, alpha)
            return np.where((n_samples < ROWS)[:, None], np.nan, error)

    silent = MeasuredSurface(surface.calibration, Silent(evaluator.curve, fit_intercept=True))
    at_size = surface.calibration.sizes[4]
    n = np.array([at_size.size, 1.1 * at_size.size])
    alpha = np.full(2, np.exp(at_size.log_alpha[3]))
    found = silent.errors(n, alpha)
    assert found.log_error[0, 0] == pytest.approx(np.log(at_size.measured[3, 0]))
    assert np.isfinite(found.log_error).all() and np.all(found.theory_weight == 0.0)


def test_a_pole_at_alpha_zero_is_one_point():
    """Rows equal to the rank, no ridge, no intercept: what lies beside is as at tiny alphas."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 30))
    path = ridge_factorization(X, X[:, 0] + rng.normal(size=120), fit_intercept=False)
    curve = leave_one_out_curve(path)
    evaluator = CurveEvaluator(curve, fit_intercept=False)
    surface = MeasuredSurface(calibrate(path, curve, fine=True), evaluator)
    assert 30.0 in surface.sizes
    n = np.array([*surface.sizes, 25.0, 34.0, 30.0])
    at_zero = surface.errors(n, np.zeros(n.size)).log_error
    assert np.all(np.isposinf(at_zero) == (n == 30.0)[:, None]), "as the theory has it"
    beside = surface.errors(n, np.full(n.size, 1e-30)).log_error
    np.testing.assert_allclose(at_zero[n != 30.0], beside[n != 30.0], rtol=1e-12)
    knots = surface.knots(np.zeros(1))
    assert np.all(np.isfinite(knots.log_error))


def test_errors_of_zero_stay_zero():
    """A target of zeros beside another one, from one row to all."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 20))
    path = ridge_factorization(X, np.c_[X[:, 0] + rng.normal(size=100), np.zeros(100)])
    curve = leave_one_out_curve(path)
    evaluator = CurveEvaluator(curve, fit_intercept=True)
    surface = MeasuredSurface(calibrate(path, curve, fine=True), evaluator)
    n = np.array([1.0, 3.0, *surface.sizes, *(1.1 * surface.sizes[:-1])])
    for alpha in (0.0, 1e-3, 1e6):
        found = surface.errors(n, np.full(n.size, alpha))
        assert np.all(np.exp(found.log_error[:, 1]) == 0.0)
        assert np.all(np.isfinite(found.log_error[:, 0]))
        assert not np.any(np.isnan(found.theory_weight))


def test_a_learning_curve_asked_again_builds_no_tables(monkeypatch):
    """Tables of sixty n and of the sizes are kept, and none of the curve is made twice."""
    path, _, measured_surface = measured()
    curve, calibration = leave_one_out_curve(path), measured_surface.calibration
    surface = ErrorSurface(curve, [], ROWS, True, calibration)
    n, alpha = np.linspace(20.0, ROWS, 60), np.full(60, 0.1)
    made = []

    seen_from = NodesOfStack.seen_from

    def counted(stack, rows):
        made.extend(rows)
        return seen_from(stack, rows)

    monkeypatch.setattr(NodesOfStack, "seen_from", counted)
    first = surface.answer(n, alpha)
    assert len(made) <= 60 + len(calibration.sizes) + 1
    again = surface.answer(n, alpha)
    assert len(made) <= 60 + len(calibration.sizes) + 1, "the cache holds them"
    np.testing.assert_array_equal(again.error, first.error)
    expected = measured_surface.errors(n, alpha).log_error
    np.testing.assert_allclose(np.log(first.error), expected, rtol=1e-9)
