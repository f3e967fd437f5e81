"""All moments and some rows, against all rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge

from sk_deepfeat.theory import (
    GramAccumulator,
    RidgeFactorization,
    SampledFactorization,
    calibrate,
    factorize_sums,
    gcv_curve,
    leave_one_out_curves,
    leave_one_out_residuals,
    ridge_factorization,
)
from sk_deepfeat.theory.one_sample.leverage_classes import _of_all_rows, leverage_moments
from sk_deepfeat.theory.one_sample.streamed.sampled_means import SampledMeans

N, P, KEPT = 2500, 30, 400


@pytest.fixture(params=["plain", "weighted"])
def rows(request):
    rng = np.random.default_rng(1)
    # Rows of unequal sizes, so that leverages are unequal, too.
    X = rng.normal(size=(N, P)) * np.exp(0.3 * rng.normal(size=(N, 1))) + 2.0
    y = X @ rng.normal(size=(P, 2)) + rng.normal(size=(N, 2))
    return X, y, rng.random(N) + 0.5 if request.param == "weighted" else None


@pytest.fixture(params=[True, False], ids=["intercept", "no intercept"])
def both(request, rows):
    sums = GramAccumulator(reservoir_size=KEPT)
    for start in range(0, N, 300):
        sums.add(*(None if part is None else part[start : start + 300] for part in rows))
    of_all = ridge_factorization(*rows, fit_intercept=request.param)
    return factorize_sums(sums, fit_intercept=request.param), of_all


def test_what_needs_no_rows_is_that_of_all(both):
    found, of_all = both
    assert isinstance(found, SampledFactorization)
    assert (found.n_rows, found.n_sampled) == (N, KEPT)
    assert_allclose(found.eigenvalues, of_all.eigenvalues, rtol=1e-10)
    assert_allclose(found.mean_weight, of_all.mean_weight)
    assert_allclose(found.outside_squares, of_all.outside_squares, rtol=1e-10)
    for alpha in (0.0, 1e-3, 1.0, 1e4):
        coefs = of_all.coefs(alpha)
        assert_allclose(found.coefs(alpha), coefs, rtol=1e-9)
        errors = (each.training_error(alpha, coefs) for each in both)
        assert_allclose(*errors, rtol=1e-9)
    assert_allclose(found.coefs([1.0, 5.0]), of_all.coefs([1.0, 5.0]), rtol=1e-9)
    assert_allclose(gcv_curve(found).error, gcv_curve(of_all).error, rtol=1e-8)
    dropped = found.without_halves()
    assert_allclose(dropped.coefs(1.0), of_all.coefs(1.0), rtol=1e-9)


def test_a_row_left_out_is_left_out_of_all(both):
    found, of_all = both
    residuals = leave_one_out_residuals(of_all, 3.0)
    places = [
        int(np.flatnonzero((of_all.features.given == row).all(axis=1))[0])
        for row in found.features.given
    ]
    assert_allclose(leave_one_out_residuals(found, 3.0), residuals[places], rtol=1e-9)


def test_a_row_left_out_is_a_refit(rows):
    X, y, weights = rows
    sums = GramAccumulator(reservoir_size=5).add(X, y, weights)
    found = factorize_sums(sums)
    ridge = 3.0
    row = found.features.given[0]
    gone = int(np.flatnonzero((X == row).all(axis=1))[0])
    left = np.arange(N) != gone
    weights = np.ones(N) if weights is None else weights
    refit = Ridge(ridge * found.mean_weight).fit(X[left], y[left], weights[left])
    expected = (y[gone] - refit.predict(row[None])[0]) * np.sqrt(found.weights[0])
    assert_allclose(leave_one_out_residuals(found, ridge)[0], expected, rtol=1e-8)


def test_errors_of_a_sample_are_as_those_of_all(both):
    found, of_all = (leave_one_out_curves(each)[0].error.sum(axis=1) for each in both)
    # A sample of 400 tells a mean square of such rows to some ten per cent.
    assert_allclose(found, of_all, rtol=0.01)
    raw = np.square(leave_one_out_residuals(both[0], 100.0)).mean(axis=0)
    of_all = np.square(leave_one_out_residuals(both[1], 100.0)).mean(axis=0)
    assert np.abs(raw / of_all - 1.0).max() > 0.02, "the sample alone is worse"


def test_replicates_scatter_as_all_rows_do(both):
    logs = []
    for each in both:
        _, replicates = leave_one_out_curves(each)
        middle = len(replicates[0].kappa) // 2
        logs.append(np.log([part.error[middle].sum(axis=0) for part in replicates]).std(axis=0))
    assert np.all((logs[0] / logs[1] > 0.5) & (logs[0] / logs[1] < 2.0))


def test_subsets_are_drawn_from_the_sample(both):
    found, _ = both
    curve, _ = leave_one_out_curves(found)
    calibration = calibrate(found, curve)
    assert (calibration.n_rows, calibration.n_sampled) == (N, KEPT)
    assert max(each.size for each in calibration.sizes) < KEPT
    measured = np.concatenate([each.log_ratio / each.standard_error for each in calibration.sizes])
    assert np.median(np.abs(measured)) < 2.0


def test_all_rows_kept_are_the_ordinary_factorisation(rows):
    sums = GramAccumulator(reservoir_size=N).add(*rows)
    found = factorize_sums(sums, exact_at=[3.0])
    expected = ridge_factorization(*rows, exact_at=[3.0])
    assert type(found) is RidgeFactorization and found.sample is found
    assert_array_equal(found.eigenvalues, expected.eigenvalues)
    assert_array_equal(found.exact_at, expected.exact_at)


def test_directions_that_are_not_there_are_left_out():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 5))
    X = np.column_stack([X, X[:, 0], np.full(500, 1e3)])
    sums = GramAccumulator(reservoir_size=50).add(X, X[:, 1])
    found = factorize_sums(sums)
    assert found.eigenvalues.size == 5
    expected = ridge_factorization(X, X[:, 1]).coefs(0.0)
    assert_allclose(found.coefs(0.0), expected, atol=1e-12)
    assert_allclose(found.training_error(0.0, found.coefs(0.0)), 0.0, atol=1e-12)


@pytest.mark.parametrize("n_features", [40, 39, 60])
def test_nothing_is_outside_where_all_directions_are_there(n_features):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, n_features)), rng.normal(size=(40, 2))
    found = factorize_sums(GramAccumulator(reservoir_size=20).add(X, y))
    assert_array_equal(found.outside_squares, 0.0)
    of_all = gcv_curve(ridge_factorization(X, y))
    assert_allclose(gcv_curve(found).error[0], of_all.error[0], rtol=1e-6)


def test_targets_without_error_are_compared_without_a_warning():
    X = np.random.default_rng(0).normal(size=(60, 3))
    found = factorize_sums(GramAccumulator(reservoir_size=40).add(X, np.full((60, 2), 1.5)))
    curve, _ = leave_one_out_curves(found)
    for size in calibrate(found, curve).sizes:
        assert_array_equal(size.measured, 0.0)


def test_directions_that_sums_do_not_tell_are_not_passed_over():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4)) * [1.0, 1.0, 1e-6, 1e-6]
    X[:, 0] *= 10.0
    y = X[:, 2] * 1e6
    found = factorize_sums(GramAccumulator(reservoir_size=50).add(X, y))
    with pytest.raises(ValueError, match="does not tell"):
        found.coefs(0.0)
    alpha = 2.0 * found.least_ridge
    expected = ridge_factorization(X, y).coefs(alpha)
    assert_allclose(found.coefs(alpha), expected, atol=1e-3 * np.abs(expected).max())
    scaled = factorize_sums(GramAccumulator(reservoir_size=50).add(X / X.std(axis=0), y))
    assert scaled.least_ridge == 0.0


def test_one_row_is_too_few():
    with pytest.raises(ValueError, match="at least two rows"):
        factorize_sums(GramAccumulator().add([[1.0]], [1.0]))


def test_what_was_measured_is_compared_with_the_sample(both):
    found, _ = both
    curve, _ = leave_one_out_curves(found)
    sizes, of_sample = (calibrate(found, each).sizes for each in (curve, curve.of_sample))
    assert curve.of_sample.of_sample is not curve and curve.sample_factor is not None
    for size, own in zip(sizes, of_sample, strict=True):
        assert_allclose(size.log_ratio, own.log_ratio, atol=1e-12)
        assert_allclose(size.measured / size.predicted, own.measured / own.predicted)
        assert np.abs(size.measured / own.measured - 1.0).max() > 1e-3


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_means_over_all_are_those_of_all_rows(fit_intercept):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 5)), rng.normal(size=40)
    sums = GramAccumulator(reservoir_size=15).add(X, y)
    found = factorize_sums(sums, fit_intercept=fit_intercept)
    grid = np.array([0.3, 20.0])
    means = SampledMeans(found, grid, 3)
    block = np.arange(15) % 3
    kept = found.features.given
    squares = []
    for ridge in grid:
        model = Ridge(ridge, fit_intercept=fit_intercept).fit(X, y)
        of_all = np.mean(np.square(y - model.predict(X)))
        residual = np.square(found.targets[:, 0] + found.target_mean - model.predict(kept))
        squares.append((of_all, residual))
    means.add_rows(block)
    means.add(block, slice(None), np.stack([residual for _, residual in squares])[:, :, None])
    for position, (of_all, residual) in enumerate(squares):
        assert_allclose(means.factor()[position, 0], of_all / residual.mean(), rtol=1e-10)
        left = residual[block != 1].mean()
        own, other = np.full((1, 1), 0.9), np.full((1, 1), 1.2)
        without = means.factor_without(1, np.array([position]), own, other)
        # The mean of e² is then what follows, in units of that with all blocks.
        mean = 0.9 * without[0, 0] / (of_all / residual.mean())
        ratio = 0.9 * residual.mean() / left
        assert_allclose(mean, ratio ** np.sqrt(25 / 40) * 1.2 ** np.sqrt(15 / 40), rtol=1e-10)


def test_all_rows_vary_by_what_another_block_shows():
    error = np.arange(1.0, 5.0)[:, None, None, None] * np.ones((4, 2, 1, 1))
    some = leverage_moments(*small_rows(), n_blocks=0)[0]
    parts = [some._replace(error=values, leverage_weighted_error=values) for values in error]
    asked = []

    class Means:
        def factor(self):
            return np.ones((2, 1))

        def factor_without(self, block, ridges, own, other):
            asked.append((float(own[0, 0]) - block, float(other[0, 0])))
            return np.ones((2, 1))

    _of_all_rows(parts, Means(), np.arange(2))
    assert asked == [(2.0, 3.0), (2.0, 4.0), (2.0, 2.0)]


def small_rows():
    X = np.random.default_rng(0).normal(size=(20, 3))
    return ridge_factorization(X, X[:, 0]), np.array([1.0, 2.0])
