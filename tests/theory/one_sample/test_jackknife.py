import pickle
from functools import partial

import numpy as np
import pytest
from samples import LinearPopulation, elliptical_rows

from sk_deepfeat.theory import (
    curve_risk,
    leave_one_out_curve,
    leave_one_out_curves,
    leave_one_out_residuals,
    ridge_factorization,
)
from sk_deepfeat.theory.answer import ShareOfAll
from sk_deepfeat.theory.one_sample.jackknife import (
    JackknifeReplicates,
    jackknife_variance,
    standardized_deviations,
)

P = 40
POPULATION = LinearPopulation(np.ones(P), np.eye(P)[0], rows=partial(elliptical_rows, tail=0.4))


@pytest.mark.parametrize("n", [60, 700])
def test_curve_is_the_same_beside_replicates(n):
    path = ridge_factorization(*POPULATION.sample(n))
    curve, replicates = leave_one_out_curves(path, n_blocks=7)
    assert len(replicates) == 7
    for name in curve._fields[:8]:
        alone = getattr(leave_one_out_curve(path), name)
        np.testing.assert_allclose(getattr(curve, name), alone, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("n", [60, 700])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_replicate_is_the_mean_over_the_rows_outside_its_group(n, fit_intercept):
    path = ridge_factorization(*POPULATION.sample(n, outputs=2), fit_intercept=fit_intercept)
    _, replicates = leave_one_out_curves(path, n_blocks=5)
    for alpha in (0.1, 3.0):
        squares = leave_one_out_residuals(path, alpha) ** 2
        for g, curve in enumerate(replicates):
            expected = squares[np.arange(n) % 5 != g].mean(axis=0)
            found = curve_risk(curve, n, alpha, fit_intercept=fit_intercept).test_error
            np.testing.assert_allclose(found, expected, rtol=2e-3)


def test_variance_is_that_of_the_mean_of_squared_residuals():
    """Many groups: the jackknife of a mean is its textbook standard error."""
    n = 600
    path = ridge_factorization(*POPULATION.sample(n))
    _, replicates = leave_one_out_curves(path, n_blocks=n // 2)
    values = JackknifeReplicates(replicates, fit_intercept=True, n_outputs=1).log_errors(
        np.array([float(n)]), np.array([3.0])
    )
    squares = leave_one_out_residuals(path, 3.0) ** 2
    expected = squares.std() / squares.mean() / np.sqrt(n)
    assert np.sqrt(jackknife_variance(values)).item() == pytest.approx(expected, rel=0.15)


def test_variance_is_that_of_repeated_samples():
    """Log errors at n₀ and beyond over training sets, against the mean jackknife variance."""
    n0, cells = 300, (np.array([300.0, 1500.0]), np.array([10.0, 10.0]))
    values, variances = [], []
    for seed in range(60):
        curve, replicates = leave_one_out_curves(ridge_factorization(*POPULATION.sample(n0, seed)))
        values.append(np.log(curve_risk(curve, *cells, fit_intercept=True).test_error[:, 0]))
        jackknife = JackknifeReplicates(replicates, fit_intercept=True, n_outputs=1).log_errors(
            *cells
        )
        variances.append(jackknife_variance(jackknife)[:, 0])
    ratio = np.mean(variances, axis=0) / np.var(values, axis=0)
    assert np.all((ratio > 0.5) & (ratio < 2.0))


@pytest.mark.parametrize(
    ("n", "p", "alpha"), [(150, 200, 0.5), (150, 150, 5.0), (300, 200, 0.01), (200, 100, 10.0)]
)
def test_shared_noise_is_what_the_jackknife_does_not_see(n, p, alpha):
    """Near interpolation residuals share their noise: log mean e² over independent training sets.

    Against the spread of 60 sets; the jackknife alone is far too small there.
    """
    values, seen, both = [], [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n, p))
        path = ridge_factorization(X, X[:, :20].sum(axis=1) / 4 + 0.5 * rng.normal(size=n))
        curve, replicates = leave_one_out_curves(path)
        cell = np.array([float(n)]), np.array([alpha])
        risk = curve_risk(curve, *cell, fit_intercept=True)
        values.append(np.log(risk.test_error.item()))
        jackknife = JackknifeReplicates(replicates, fit_intercept=True, n_outputs=1)
        seen.append(jackknife_variance(jackknife.log_errors(*cell)).item())
        both.append(seen[-1] + curve.shared_noise_at(risk.kappa).item())
    alone, together = (np.sqrt(np.mean(v)) / np.std(values) for v in (seen, both))
    assert alone < 0.85 and 0.75 < together < 1.35
    assert abs(np.log(together)) < abs(np.log(alone))


def test_shared_noise_of_a_hat_matrix():
    """2 (Σ_{i≠j} A_ij²)/(Σ A_ii)² with A = (I - H)², for rows of equal leverage."""
    rng = np.random.default_rng(0)
    n, p = 64, 40
    left = np.linalg.qr(rng.choice([-1.0, 1.0], size=(n, n)))[0][:, :p]
    X = left * np.geomspace(0.1, 3.0, p)
    path = ridge_factorization(X, X[:, 0] + rng.normal(size=n), fit_intercept=False)
    curve = leave_one_out_curve(path)
    ridge = 0.3
    kept = np.eye(n) - X @ np.linalg.solve(X.T @ X + ridge * np.eye(p), X.T)
    covariance = kept @ kept
    total = np.square(covariance).sum() / np.trace(covariance) ** 2
    expected = 2.0 * (total - 1.0 / n)
    kappa = curve_risk(curve, float(n), ridge, fit_intercept=False).kappa
    assert curve.shared_noise_at(kappa) == pytest.approx(expected, rel=0.02)


def test_jackknife_variance_of_numbers():
    values = np.array([[1.0, np.nan], [2.0, 1.0], [3.0, 1.0]])
    np.testing.assert_allclose(jackknife_variance(values), [2.0 / 3.0 * 2.0, np.inf])
    assert np.isinf(jackknife_variance(values[:1])).all()


def test_jackknife_variance_with_few_unknown():
    values = np.random.default_rng(0).normal(size=(20, 1))
    whole = jackknife_variance(values).item()
    values[3:7] = np.nan
    assert 0.5 * whole < jackknife_variance(values).item() < 2.0 * whole
    values[7:9] = np.nan
    assert np.isinf(jackknife_variance(values)).all()
    assert jackknife_variance(np.full((20, 1), -np.inf)).item() == 0.0


def test_standardized_deviations_are_correlations():
    values = np.random.default_rng(0).normal(size=(20, 3)) @ np.array(
        [[1, 2, 0], [0, 1, 0], [0, 0, 1]]
    )
    z = standardized_deviations(values)
    np.testing.assert_allclose(z.T @ z, np.corrcoef(values.T))
    values[3, 0], values[:, 2] = np.nan, 7.0
    assert np.isnan(standardized_deviations(values)[:, [0, 2]]).all()


def test_where_nothing_is_learned_replicates_are_means_of_squares():
    """But for a factor that all share; together, outputs count in units of their own."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 3)), rng.standard_t(4, size=(40, 2))
    _, curves = leave_one_out_curves(ridge_factorization(X, Y), n_blocks=8)
    squares = np.square(Y - Y.mean(axis=0))
    means = np.stack([squares[np.arange(40) % 8 != g].mean(axis=0) for g in range(8)])
    replicates = JackknifeReplicates(curves, fit_intercept=True, n_outputs=2)
    units = np.array([1.0, 5.0])
    for share, expected in (
        ("relative", np.log(means)[:, None]),
        (ShareOfAll(units), np.log(means @ units)[:, None, None]),
    ):
        found = replicates.log_null_errors(40.0, share)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found - found[:1], expected - expected[:1], atol=1e-6)
    assert np.isneginf(
        JackknifeReplicates(
            leave_one_out_curves(ridge_factorization(X, 0.0 * Y), n_blocks=8)[1],
            fit_intercept=True,
            n_outputs=2,
        ).log_null_errors(40.0, ShareOfAll(units))
    ).all()


def test_replicates_travel_without_their_tables_and_none_say_nothing():
    path = ridge_factorization(*POPULATION.sample(60))
    cells = np.array([30.0, 60.0, 90.0]), np.ones(3)
    replicates = JackknifeReplicates(
        leave_one_out_curves(path, n_blocks=5)[1], fit_intercept=True, n_outputs=1
    )
    size, found = len(pickle.dumps(replicates)), replicates.log_errors(*cells)
    copy = pickle.dumps(replicates)
    assert len(copy) == size
    np.testing.assert_array_equal(pickle.loads(copy).log_errors(*cells), found)
    none = JackknifeReplicates([], fit_intercept=True, n_outputs=2).log_errors(*cells)
    assert none.shape == (0, 3, 2)


@pytest.mark.parametrize("grouped", [False, True])
def test_outputs_of_features_that_tell_nothing_are_each_alone(grouped):
    rng = np.random.default_rng(0)
    Y, labels = rng.normal(size=(40, 2)) * [1.0, 7.0], np.arange(40) // 3 if grouped else None
    both = leave_one_out_curves(ridge_factorization(np.ones((40, 3)), Y, groups=labels), n_blocks=4)
    for k in range(2):
        path = ridge_factorization(np.ones((40, 3)), Y[:, k], groups=labels)
        alone = leave_one_out_curves(path, n_blocks=4)
        for found, expected in zip((both[0], *both[1]), (alone[0], *alone[1]), strict=True):
            mine = found.of_output(k)
            np.testing.assert_allclose(mine.error, expected.error)
            if grouped:
                np.testing.assert_allclose(mine.constant.mean_error, expected.constant.mean_error)
