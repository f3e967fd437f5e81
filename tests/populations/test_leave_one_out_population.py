import pickle
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from samples import LinearPopulation, clustered_rows, power_law
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures, TwoStageRegressor
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import LeaveOneOutPopulation
from sk_deepfeat.populations.left_out_errors import _whole_sizes
from sk_deepfeat.theory import leave_one_out_residuals, ridge_factorization

P = 80
# Rows in clusters are noticed, which is tested elsewhere; here their errors are what counts.
pytestmark = pytest.mark.filterwarnings("ignore:Rows look")

POPULATION = LinearPopulation(power_law(P, 0.5), np.repeat([1.0, 0.0], [5, P - 5]), 0.5)
CLUSTERS = replace(POPULATION, rows=partial(clustered_rows, n_clusters=40))


def known(values):
    return values[~np.isnan(values)]


N, ALPHA = np.array([[20], [100], [300], [3000]]), np.array([1e-3, 0.1, 10.0])


def test_is_the_exact_leave_one_out_error_at_the_training_size():
    X, y = POPULATION.sample(120)
    ridge = DeterministicEquivalentRidge(0.3).fit(X, y)
    exact = np.mean(leave_one_out_residuals(ridge_factorization(X, y), 0.3) ** 2)
    assert ridge.test_error_ == pytest.approx(exact, rel=1e-8)


def test_auto_corrects_where_the_check_fails_and_only_there():
    for law in (POPULATION, CLUSTERS):
        X, y = law.sample(300)
        path = ridge_factorization(X, y)
        auto, always, never = (
            LeaveOneOutPopulation(calibrate=calibrate).fit(X, y, path=path)
            for calibrate in ("auto", True, False)
        )
        small = N[:2]
        found = [p.test_error(small, ALPHA, fit_intercept=True) for p in (auto, always, never)]
        same = found[1] if law is CLUSTERS else found[2]
        np.testing.assert_allclose(found[0], same, rtol=1e-10)
        assert never.calibration_ is None and auto.calibration_.sizes
        if law is CLUSTERS:
            assert np.abs(np.log(found[0] / found[2])).max() > 0.3


def test_interval_holds_the_error_and_widens():
    X, y = POPULATION.sample(300)
    population = LeaveOneOutPopulation().fit(X, y)
    errors = population.test_error(N, ALPHA, fit_intercept=True)
    ends = population.interval(N, ALPHA, level=0.9, fit_intercept=True)
    wider = population.interval(N, ALPHA, level=0.99, fit_intercept=True)
    unknown = np.isnan(errors)
    assert np.array_equal(unknown, np.isnan(ends[0])) and np.array_equal(unknown, np.isnan(ends[1]))
    assert np.all(known(ends[0] - errors) < 0) and np.all(known(ends[1] - errors) > 0)
    assert np.all(known(wider[0] - ends[0]) < 0) and np.all(known(wider[1] - ends[1]) > 0)


def test_interval_of_the_ridge_has_the_shape_of_its_error():
    X, y = POPULATION.sample(200)
    ridge = DeterministicEquivalentRidge().fit(X, np.c_[y, -y])
    for multioutput in ("uniform_average", "raw_values"):
        parts = ridge.predict_test_error(N, ALPHA, return_interval=True, multioutput=multioutput)
        assert len({np.shape(part) for part in parts}) == 1 and len(parts) == 3
    error, lower, upper = ridge.predict_test_error(return_interval=True, level=0.5)
    assert lower < error < upper


def test_extrapolating_gives_numbers_beyond_reach():
    X, y = POPULATION.sample(60)
    plain = LeaveOneOutPopulation().fit(X, y)
    bold = LeaveOneOutPopulation(extrapolate=True).fit(X, y)
    asked = {"fit_intercept": True}
    errors = plain.test_error(N, ALPHA, **asked)
    beyond = np.isnan(errors)
    assert beyond.any() and not beyond[:1].any()
    numbers = bold.test_error(N, ALPHA, **asked)
    assert np.all(np.isfinite(numbers)) and np.all(numbers > 0)
    np.testing.assert_allclose(numbers[~beyond], errors[~beyond], rtol=1e-10)
    for population in (plain, bold):
        np.testing.assert_array_equal(population.reachable(N, ALPHA, **asked), ~beyond)


def test_required_samples_names_the_option():
    X, y = POPULATION.sample(60)
    ridge = DeterministicEquivalentRidge().fit(X, y)
    with pytest.warns(PopulationWarning, match=r"LeaveOneOutPopulation\(extrapolate=True\)"):
        assert np.isnan(ridge.required_samples(0.26, alpha=1e-3))
    bold = DeterministicEquivalentRidge(population=LeaveOneOutPopulation(extrapolate=True))
    needed = bold.fit(X, y).required_samples(0.5 * bold.test_error_)
    assert 60 < needed < np.inf and needed == int(needed)


@pytest.mark.parametrize("extrapolate", [True, False])
@pytest.mark.filterwarnings("ignore:.*edge of what the training set identifies")
def test_best_error_falls_with_n(extrapolate):
    """No minimum over alpha runs into a noisy edge of what is reachable; the noise is 0.25."""
    for seed in range(5):
        population = LeaveOneOutPopulation(extrapolate=extrapolate)
        ridge = DeterministicEquivalentRidge("optimal", population=population)
        ridge.fit(*POPULATION.sample(100, seed))
        best = ridge.predict_test_error([25, 50, 100, 200, 400, 1600], alpha="optimal")
        assert np.all(np.diff(best) < 0) and best[-1] > 0.15


def test_calibration_check_tells_clusters_from_gaussian_rows():
    ridge = DeterministicEquivalentRidge().fit(*POPULATION.sample(300))
    check = ridge.calibration_check()
    assert check.passed and check.disagreement == 0.0
    assert check.n_samples.shape == check.alpha.shape == check.measured.shape
    assert np.all((check.lower < check.predicted) & (check.predicted < check.upper))
    assert str(check).count("\n") == check.alpha.size + 1
    ridge.fit(*CLUSTERS.sample(300))
    with pytest.warns(PopulationWarning, match="Likely cause: rows look like near-dup"):
        check = ridge.calibration_check()
    assert not check.passed and check.disagreement > 0.3


def test_calibration_check_at_sizes_of_ones_own():
    X, y = POPULATION.sample(200)
    ridge = DeterministicEquivalentRidge().fit(X, y)
    check = ridge.calibration_check(sizes=[120, 40])
    assert set(check.n_samples) == {40.0, 120.0}
    weighted = DeterministicEquivalentRidge(7.0).fit(X, y, np.full(200, 7.0))
    scaled = weighted.calibration_check(sizes=[120, 40])
    np.testing.assert_allclose(scaled.alpha, 7.0 * check.alpha, rtol=1e-6)
    np.testing.assert_allclose(scaled.measured, check.measured, rtol=1e-6)


def test_calibration_check_where_fit_measured_nothing():
    X, y = POPULATION.sample(200)
    population = LeaveOneOutPopulation(calibrate=False).fit(X, y)
    assert population.calibration_check().n_samples.size > 0


@pytest.mark.parametrize("sizes", [1, [50, 200], [0.5], [50.0], [[50]], [[2], [2, 3]], [], "some"])
def test_bad_sizes(sizes):
    population = LeaveOneOutPopulation().fit(*POPULATION.sample(200))
    with pytest.raises(ValueError, match="must be whole numbers between 2 and 199"):
        population.calibration_check(sizes)


def test_the_fewest_and_the_most_rows_of_a_subset():
    assert _whole_sizes([199, 2, 2], 199) == [2, 199]


def test_pickles_without_the_rows():
    X, y = POPULATION.sample(200)
    population = LeaveOneOutPopulation().fit(X, y)
    copy = pickle.loads(pickle.dumps(population))
    asked = {"fit_intercept": True}
    for name in ("test_error", "interval", "kappa", "train_error"):
        left, right = (getattr(p, name)(N, ALPHA, **asked) for p in (population, copy))
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(
        copy.calibration_check().measured, population.calibration_check().measured
    )
    with pytest.raises(ValueError, match="training rows, which are not pickled"):
        copy.calibration_check([50])
    assert population.calibration_check([50]).n_samples.size > 0


def test_a_population_without_a_check_says_so():
    ridge = DeterministicEquivalentRidge(population="gcv").fit(*POPULATION.sample(100))
    with pytest.raises(ValueError, match="does not implement calibration_check"):
        ridge.calibration_check()


def test_two_stage_regressor_hands_the_check_on():
    model = TwoStageRegressor(
        RandomDeepFeatures((30,), random_state=0), DeterministicEquivalentRidge(), random_state=0
    ).fit(*POPULATION.sample(300))
    assert model.calibration_check().passed


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_grid": 3}, "n_grid=3 must be an integer"),
        ({"calibrate": "always"}, "calibrate='always' must be 'auto', True or False"),
        ({"calibrate": None}, "calibrate=None"),
        ({"extrapolate": "no"}, "extrapolate='no' must be True or False"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        LeaveOneOutPopulation(**parameters).fit(*POPULATION.sample(50))


@pytest.mark.parametrize("rows", [2, 3, 15, 40])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_few_rows(rows, fit_intercept):
    """Answers without an exception or a warning; NaN where nothing can be known."""
    population = LeaveOneOutPopulation(extrapolate=True)
    population.fit(*POPULATION.sample(rows), fit_intercept=fit_intercept)
    n = np.array([[1], [rows], [10 * rows]])
    errors = population.test_error(n, ALPHA, fit_intercept=fit_intercept)
    lower, upper = population.interval(n, ALPHA, fit_intercept=fit_intercept)
    assert np.isfinite(errors[:2]).all()
    assert not np.any(lower > errors) and not np.any(upper < errors)


def test_a_constant_output_beside_another():
    X, y = POPULATION.sample(100)
    ridge = DeterministicEquivalentRidge().fit(X, np.c_[y, np.full(100, 2.0)])
    alone = DeterministicEquivalentRidge().fit(X, y)
    n = [50, 100, 101, 400]
    errors = ridge.predict_test_error(n, 10.0, multioutput="raw_values")
    np.testing.assert_allclose(errors[:, 0], alone.predict_test_error(n, 10.0), rtol=0.05)
    np.testing.assert_array_equal(errors[:, 1], 0.0)
    assert np.all(ridge.reachable(n, 10.0))


@pytest.mark.parametrize("extrapolate", [False, True])
def test_features_that_tell_nothing(extrapolate):
    """The error is that of the mean, (1 + 1/n) var y, and its interval that of var y."""
    y = np.random.default_rng(0).normal(size=100)
    population = LeaveOneOutPopulation(extrapolate=extrapolate).fit(np.ones((100, 3)), y)
    n = np.array([50, 100, 1000])
    errors = population.test_error(n, 1.0, fit_intercept=True)
    np.testing.assert_allclose(errors, (1 + 1 / n) * y.var(ddof=1), rtol=1e-6)
    lower, upper = population.interval(n, 1.0, fit_intercept=True)
    half = 0.5 * np.log(upper / lower)
    assert np.all((half > 0.1) & (half < 0.6)), "1.73 times sqrt(2/100) = 0.24"
    assert population.calibration_check([50]).n_samples.size == 0


def test_extrapolation_without_alpha():
    """Numbers do not depend on the rounding of a root where alpha is zero."""
    X, y = POPULATION.sample(40)
    ridge = DeterministicEquivalentRidge(population=LeaveOneOutPopulation(extrapolate=True))
    errors = ridge.fit(X, y).predict_test_error(np.arange(41, 80), 0.0)
    assert np.isfinite(errors).all()
    assert np.all(errors >= np.nanmax(ridge.predict_test_error(79, alpha="optimal")) * 0.999)


def test_extrapolated_errors_are_not_below_the_best_alpha():
    """Noise 0.25 in the targets; a tiny alpha cannot bring the error below it."""
    for seed in range(4):
        X, y = POPULATION.sample(60, seed)
        population = LeaveOneOutPopulation(extrapolate=True)
        ridge = DeterministicEquivalentRidge(1.0, population=population).fit(X, y)
        alphas = np.geomspace(1e-4, 1e3, 60)
        for n in (600, 3000):
            errors, known = ridge.predict_test_error(n, alphas), ridge.reachable(n, alphas)
            best = int(np.argmin(np.where(known, errors, np.inf)))
            if known[best - 1]:  # the best alpha is not at the edge of the reach
                assert np.all(errors >= 0.97 * errors[best])


def test_extrapolation_follows_the_scale_of_the_features():
    X, y = POPULATION.sample(60)
    n, alpha = np.array([100.0, 3000.0]), np.array([1e-3, 10.0])
    left, right = (
        LeaveOneOutPopulation(extrapolate=True)
        .fit(c * X, y)
        .test_error(n, c**2 * alpha, fit_intercept=True)
        for c in (1.0, 1e-30)
    )
    np.testing.assert_allclose(left, right, rtol=1e-5)


def test_unknown_parts_of_an_extrapolated_error():
    X, y = POPULATION.sample(60)
    population = LeaveOneOutPopulation(extrapolate=True).fit(X, y)
    parts = population.decomposition(3000, 1e-3, fit_intercept=True)
    assert np.isnan(parts.bias_and_noise) and np.isnan(parts.total_variance)


def test_interval_of_an_infinite_error():
    X, y = POPULATION.sample(200)
    population = LeaveOneOutPopulation().fit(X, y)
    ends = population.interval(P + 1, 0.0, fit_intercept=True)
    assert np.isinf(population.test_error(P + 1, 0.0, fit_intercept=True))
    assert np.isinf(ends[0]) and np.isinf(ends[1])


def test_no_cells():
    population = LeaveOneOutPopulation().fit(*POPULATION.sample(60))
    assert population.test_error([], 1.0, fit_intercept=True).shape == (0,)


def test_a_target_out_of_reach_is_found_out_soon():
    """One octave beyond the reach is enough; not fifty."""
    X, y = POPULATION.sample(60)
    calls = []

    class Counting(LeaveOneOutPopulation):
        def test_error(self, n_samples, alpha, *, fit_intercept):
            calls.append(np.size(n_samples))
            return super().test_error(n_samples, alpha, fit_intercept=fit_intercept)

    ridge = DeterministicEquivalentRidge(population=Counting()).fit(X, y)
    with pytest.warns(PopulationWarning, match="lowest identifiable error"):
        assert np.isnan(ridge.required_samples(1e-6, alpha=1e-3))
    assert sum(calls) < 150


def test_corrected_errors_are_the_measured_ones_where_they_were_measured():
    population = LeaveOneOutPopulation().fit(*CLUSTERS.sample(300))
    off = []
    for at_size in population.calibration_.sizes:
        alpha = np.exp(at_size.log_alpha)
        errors = population.test_error(at_size.size, alpha, fit_intercept=True)
        sure = np.abs(at_size.log_ratio) > 4 * at_size.standard_error
        off.append(np.abs(errors / at_size.measured[:, 0] - 1)[sure[:, 0]])
    assert np.concatenate(off).size > 3 and np.concatenate(off).max() < 0.15


def test_interval_counts_the_scatter_over_training_sets():
    """It is known from the subsets alone, and comes on top of the sampling error of the rows."""
    X, y = POPULATION.sample(300)
    path = ridge_factorization(X, y)
    cell = {"n_samples": np.array([300.0]), "alpha": np.array([0.5])}
    found = [
        LeaveOneOutPopulation(calibrate=calibrate)
        .fit(X, y, path=path)
        .surface_.answer(**cell, variance=True)
        .log_variance.item()
        for calibrate in ("auto", False)
    ]
    assert 1e-5 < found[0] - found[1] < 0.5 * found[1]


@pytest.mark.parametrize("p", [2, 5])
def test_intervals_from_fifteen_rows_hold_the_error(p):
    """Mean exact error of refits at half, all and twice the rows; nominal 90 % of 60 draws."""
    rng, coefs, alpha = np.random.default_rng(0), np.full(p, p**-0.5), float(p)
    sizes, truth = np.array([8, 15, 30]), []
    for n in sizes:
        errors = []
        for _ in range(400):
            rows = rng.normal(size=(n, p))
            ridge = Ridge(alpha=alpha).fit(rows, rows @ coefs + rng.normal(size=n))
            errors.append(np.sum((ridge.coef_ - coefs) ** 2) + ridge.intercept_**2 + 1.0)
        truth.append(np.mean(errors))
    held = []
    for _ in range(60):
        rows = rng.normal(size=(15, p))
        population = LeaveOneOutPopulation().fit(rows, rows @ coefs + rng.normal(size=15))
        lower, upper = population.interval(sizes, alpha, fit_intercept=True)
        held.append(np.where(np.isnan(lower), np.nan, (lower < truth) & (truth < upper)))
    assert np.nanmean(held) > 0.8
    assert np.isnan(held).mean() < 0.05
