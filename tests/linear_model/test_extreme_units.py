"""Targets and features in units so large, or so small, that their powers leave double precision."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.populations import LanczosPopulation, PlugInPopulation
from sk_deepfeat.theory import optimal_alpha, optimal_slope, ridge_risk

SCALES = [1e-150, 1e-78, 1e-20, 1e20, 1e77, 1e78, 1e150]
SIZES = [30, 100, 200, 300, 400, 800]


@pytest.fixture
def rows(rng):
    X = rng.normal(size=(300, 20))
    return X, X @ rng.normal(size=20) + rng.normal(size=300)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("population", ["plug-in", "gcv"])
def test_errors_go_with_the_square_of_the_targets(rows, population, scale):
    X, y = rows
    one, other = (
        DeterministicEquivalentRidge(population=population).fit(X, targets)
        for targets in (y, scale * y)
    )
    expected = one.predict_test_error(SIZES)
    found = other.predict_test_error(SIZES) / scale / scale
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(other.coef_ / scale, one.coef_, rtol=1e-12)
    np.testing.assert_allclose(other.predict_score(SIZES), one.predict_score(SIZES), rtol=1e-12)


@pytest.mark.parametrize("scale", SCALES)
def test_intervals_and_growth_go_with_the_square_of_the_targets(rows, scale):
    X, y = rows
    one, other = (DeterministicEquivalentRidge().fit(X, t) for t in (y, scale * y))
    expected = one.predict_test_error(SIZES, return_interval=True)
    found = other.predict_test_error(SIZES, return_interval=True)
    for part, known in zip(found, expected, strict=True):
        np.testing.assert_allclose(part / scale / scale, known, rtol=1e-9)
    score, expected = (r.predict_score(SIZES, return_interval=True) for r in (other, one))
    np.testing.assert_allclose(score, expected, rtol=1e-9)
    check, known = other.calibration_check(), one.calibration_check()
    np.testing.assert_allclose(check.measured / scale / scale, known.measured, rtol=1e-9)
    np.testing.assert_allclose(check.upper / scale / scale, known.upper, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-120, 1e120])
def test_outputs_keep_their_shares_of_all_variance(rows, scale):
    """Each output is counted in a power of two of its own; weights by variance know of it."""
    X, y = rows
    targets = np.column_stack([y, 30.0 * (X[:, 0] + y[::-1]), 7.0 * y[::-1]])
    one, other = (DeterministicEquivalentRidge().fit(X, t) for t in (targets, targets * scale))
    asked = {"multioutput": "variance_weighted", "return_interval": True}
    expected, found = (ridge.predict_score(SIZES, **asked) for ridge in (one, other))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    alone = [DeterministicEquivalentRidge().fit(X, t).predict_score(SIZES) for t in targets.T]
    assert not np.allclose(expected[0], np.mean(alone, axis=0), rtol=1e-2), "weights matter"


@pytest.mark.parametrize("multioutput", ["uniform_average", "variance_weighted"])
def test_scores_of_outputs_in_units_far_apart(rows, multioutput):
    X, y = rows
    scales = np.array([1e-120, 1.0, 1e90])
    targets = np.column_stack([y, y[::-1], X[:, 0]])
    one, other = (DeterministicEquivalentRidge().fit(X, t) for t in (targets, targets * scales))
    raw = {"multioutput": "raw_values", "return_interval": True}
    found, expected = (r.predict_test_error(SIZES, **raw) for r in (other, one))
    for part, known in zip(found, expected, strict=True):
        np.testing.assert_allclose(part / scales / scales, known, rtol=1e-9)
    if multioutput == "uniform_average":
        score, known = (r.predict_score(SIZES, return_interval=True) for r in (other, one))
        np.testing.assert_allclose(score, known, rtol=1e-9)
        return
    # By far the most of the variance is that of the last.
    score = other.predict_score(SIZES, multioutput=multioutput)
    known = one.predict_score(SIZES, multioutput="raw_values")[..., 2]
    np.testing.assert_allclose(score, known, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-140, 1e78, 1e140])
def test_sampled_and_unfactorised_rows(rows, scale):
    X, y = rows
    for options in (
        {"reservoir_size": 150},
        {"population": LanczosPopulation(n_sampled=150, n_folds=3)},
    ):
        one, other = (
            DeterministicEquivalentRidge(10.0, **options).fit(X, t) for t in (y, scale * y)
        )
        expected = one.predict_test_error(SIZES, return_interval=True)
        found = other.predict_test_error(SIZES, return_interval=True)
        for part, known in zip(found, expected, strict=True):
            np.testing.assert_allclose(part / scale / scale, known, rtol=1e-8)
        np.testing.assert_allclose(other.predict_score(SIZES), one.predict_score(SIZES), rtol=1e-8)


def test_a_frozen_population_of_large_targets(rows):
    X, y = 1e-3 * rows[0], 1e100 * rows[1]
    known = FrozenEstimator(PlugInPopulation().fit(X, y))
    ridge = DeterministicEquivalentRidge(1e-6, population=known).fit(X[:50], y[:50])
    plain = FrozenEstimator(PlugInPopulation().fit(*rows))
    expected = DeterministicEquivalentRidge(population=plain).fit(rows[0][:50], rows[1][:50])
    np.testing.assert_allclose(
        ridge.predict_test_error(SIZES) / 1e200, expected.predict_test_error(SIZES), rtol=1e-9
    )


def test_moments_of_outputs_in_units_far_apart(rng):
    omega = 1.0 / np.arange(1, 11)
    psi = omega[:, None] * rng.normal(size=(10, 2))
    rho = psi.T @ (psi / omega[:, None]) + np.eye(2)
    units = np.array([1e-140, 1e140])
    plain = ridge_risk(omega, psi, rho, [5, 50], 0.1)
    scaled = ridge_risk(omega, psi * units, rho * np.outer(units, units), [5, 50], 0.1)
    for name in ("test_error", "train_error", "bias", "variance", "noise_variance", "noise"):
        found = getattr(scaled, name) / units / units[:, None]
        np.testing.assert_allclose(found, getattr(plain, name), rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-140, 1e140])
def test_the_best_alpha_of_moments_knows_no_unit_of_the_targets(rng, scale):
    omega = 1.0 / np.arange(1, 11)
    psi = omega * rng.normal(size=10)
    rho = float(psi @ (psi / omega)) + 1.0
    moments, scaled = (omega, psi, rho), (omega, scale * psi, scale * rho * scale)
    np.testing.assert_allclose(optimal_alpha(*scaled, [5, 50]), optimal_alpha(*moments, [5, 50]))
    slope = optimal_slope(*scaled, [5, 50]) / scale / scale
    np.testing.assert_allclose(slope, optimal_slope(*moments, [5, 50]), rtol=1e-7)


@pytest.mark.parametrize("scale, size", [(1e-80, "small"), (1e80, "large"), (1e160, "large")])
@pytest.mark.parametrize("population", ["leave-one-out", "gcv", "plug-in", "lanczos"])
def test_features_whose_powers_leave_double_precision_are_an_error(rows, scale, size, population):
    X, y = rows
    ridge = DeterministicEquivalentRidge(population=population)
    with pytest.raises(ValueError, match=f"features are too {size}: .* StandardScaler"):
        ridge.fit(scale * X, y)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("population", ["leave-one-out", "gcv", "plug-in"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.filterwarnings("ignore:The plug-in population")
def test_a_constant_column_is_no_direction(rng, alpha, dtype, population, weighted):
    X = np.random.default_rng(0).normal(size=(150, 30)).astype(dtype)
    y = X[:, 0] + rng.normal(size=150)
    constant = np.c_[X, np.full((150, 2), 1000 / 3, dtype=dtype)]
    weights = rng.random(150) + 0.5 if weighted else None
    one, other = (
        DeterministicEquivalentRidge(alpha, population=population).fit(rows, y, weights)
        for rows in (X, constant)
    )
    assert other.eigenvalues_.size == 30
    expected = one.predict_test_error([20, 40, 100, 150, 300])
    found = other.predict_test_error([20, 40, 100, 150, 300])
    np.testing.assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize("scale", [1e-100, 1e60])
def test_scores_of_all_outputs_together_are_in_no_unit(rows, scale):
    X, y = rows
    Y = np.c_[y, X[:, 0] - y]
    one, other = (DeterministicEquivalentRidge().fit(X, targets) for targets in (Y, scale * Y))
    for average in ("variance_weighted", "uniform_average"):
        expected, found = (
            model.predict_score([100, 300], 1.0, return_interval=True, multioutput=average)
            for model in (one, other)
        )
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("scales", [(1e60, 1.0), (1e-60, 1e60)])
def test_outputs_in_units_of_their_own_count_alike(rows, scales):
    X, y = rows
    Y = np.c_[y, X[:, 0] - y]
    one, other = (DeterministicEquivalentRidge().fit(X, Y * np.array(s)) for s in ((1, 1), scales))
    expected, found = (
        model.predict_score([100, 300], 1.0, return_interval=True, multioutput="uniform_average")
        for model in (one, other)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-9)
