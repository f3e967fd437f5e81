"""The best alpha for each n: where it is known, and what its error is beside that of others."""

import warnings

import numpy as np
import pytest
from samples import LinearPopulation, power_law
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import LeaveOneOutPopulation
from sk_deepfeat.theory import ErrorAnswer, ridge_risk

SIZES = np.array([400, 500, 600, 800, 1600, 4000])


def rare_columns(rng, n, coefs, value):
    """Two hundred features, and three that are not zero in one row of five hundred."""
    X = rng.normal(size=(n, 200)) * power_law(200, 0.75)
    y = X @ coefs + 0.3 * rng.normal(size=n)
    return np.hstack([X, (rng.random((n, 3)) < 0.002) * value]), y


def fitted(value, extrapolate):
    rng = np.random.default_rng(0)
    coefs = rng.normal(size=200)
    X = rng.normal(size=(400, 200)) * power_law(200, 0.75)
    X = np.hstack([X, (rng.random((400, 3)) < 0.002) * value])
    y = X[:, :200] @ coefs + 0.3 * rng.normal(size=400)
    population = LeaveOneOutPopulation(extrapolate=extrapolate)
    return DeterministicEquivalentRidge(population=population).fit(X, y), coefs


def refitted_error(coefs, value, n, alpha, draws=6):
    """Mean error of refits on fresh rows."""
    errors = []
    for seed in range(draws):
        rng = np.random.default_rng([seed, n])
        ridge = Ridge(alpha=alpha).fit(*rare_columns(rng, n, coefs, value))
        X, y = rare_columns(rng, 4000, coefs, value)
        errors.append(np.mean((ridge.predict(X) - y) ** 2))
    return np.mean(errors)


@pytest.fixture(scope="module", params=[10.0, 30.0])
def rare(request):
    return request.param, *fitted(request.param, False)


def least_refitted_error(coefs, value, n, draws):
    return min(refitted_error(coefs, value, n, alpha, draws) for alpha in (0.03, 0.1, 0.3, 1.0))


def test_a_best_alpha_beyond_reach_is_no_number_but_a_bound(rare):
    """Rare columns hide κ beyond n₀; the edge of reach, where errors rise, is no optimum."""
    value, ridge, coefs = rare
    with pytest.warns(PopulationWarning, match="best alpha lies beyond") as caught:
        error, lower, upper = ridge.predict_test_error(SIZES, "optimal", return_interval=True)
    assert len(caught) == 1, "one warning for all n"
    assert error[0] == pytest.approx(ridge.predict_test_error(400, ridge.optimal_alpha(400)))
    assert error[0] == pytest.approx(0.127, abs=2e-3) and lower[0] < 0.143 < upper[0]
    known = ~np.isnan(error)
    assert not known[-1] and np.all(np.diff(known.astype(int)) <= 0), "once beyond, for good"
    assert f"n_samples={SIZES[~known][0]}" in str(caught[0].message)
    assert np.all(np.diff(error[known]) < 0)
    np.testing.assert_array_equal(np.isnan(lower), ~known)
    np.testing.assert_array_equal(upper[~known], upper[0])
    for n in (600, 800, 1600):
        i, truth = list(SIZES).index(n), least_refitted_error(coefs, value, n, 6)
        assert truth < upper[i] and not lower[i] > truth
    with pytest.warns(PopulationWarning) as caught:
        np.testing.assert_array_equal(np.isnan(ridge.optimal_alpha(SIZES)), ~known)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        np.testing.assert_array_equal(ridge.reachable(SIZES, "optimal"), known)
        for question in (ridge.predict_train_error, ridge.predict_kappa):
            np.testing.assert_array_equal(np.isnan(question(SIZES, "optimal")), ~known)
        parts = ridge.predict_decomposition(SIZES, "optimal")
        raw = ridge.predict_test_error(
            SIZES, "optimal", multioutput="raw_values", return_interval=True
        )
    np.testing.assert_array_equal(np.isnan(parts.bias_and_noise), ~known)
    np.testing.assert_allclose([end[:, 0] for end in raw], [error, lower, upper])


@pytest.mark.parametrize("value", [10.0, 30.0])
def test_extrapolated_errors_of_the_best_alpha_fall(value):
    ridge, coefs = fitted(value, True)
    error, lower, upper = ridge.predict_test_error(SIZES, "optimal", return_interval=True)
    assert np.all(np.diff(error) < 0) and not np.isnan(error).any()
    assert not ridge.reachable(SIZES[-1:], "optimal").any()
    for n in (600, 800):
        i = list(SIZES).index(n)
        assert lower[i] < least_refitted_error(coefs, value, n, 6) < upper[i]


@pytest.mark.parametrize("extrapolate", [False, True])
def test_no_fixed_alpha_needs_fewer_samples_than_the_best(extrapolate):
    ridge, _ = fitted(10.0, extrapolate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        for target in (0.2, 0.12):
            best = ridge.required_samples(target)
            fixed = [ridge.required_samples(target, alpha) for alpha in (0.07, 0.1)]
            known = np.array(fixed)[~np.isnan(fixed)]
            assert known.size == 0 or best <= known.min()


POPULATION = LinearPopulation(power_law(100, 0.5), np.ones(100), 3.0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("p", [2, 40, 300])
def test_errors_of_the_best_alpha_fall_and_are_no_worse_than_others(seed, p):
    """What caution chose may be worse than what was less sure: the least plain error answers."""
    coefs = np.random.default_rng(3).normal(size=p)
    drawn = LinearPopulation(power_law(p, 0.75), coefs, 1.0)
    ridge = DeterministicEquivalentRidge().fit(*drawn.sample(200, seed))
    sizes = np.array([30, 100, 200, 220, 260, 320, 400, 560, 800, 1100, 1600, 4000])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        error = ridge.predict_test_error(sizes, "optimal")
    known = ~np.isnan(error)
    assert known[sizes <= 200].all()
    assert not known[np.argmin(known) :].any() or known.all(), "once beyond reach, for good"
    assert np.all(np.diff(error[known]) <= 1e-9 * error[0])
    within = ridge.predict_test_error(sizes[:3, None], np.geomspace(1e-3, 1e5, 60))
    assert np.all(error[:3, None] <= within * (1.0 + 1e-6))


def test_the_best_alpha_is_near_that_of_the_population():
    """Mean log error beyond n₀, against the exact equivalents of the population."""
    exact = ridge_risk(*POPULATION.moments(), 800, np.geomspace(1, 1e4, 200), fit_intercept=True)
    logs = []
    for seed in range(8):
        ridge = DeterministicEquivalentRidge().fit(*POPULATION.sample(200, seed))
        logs.append(np.log(ridge.predict_test_error(800, "optimal") / exact.test_error.min()))
    assert abs(np.mean(logs)) < 0.1


class Table:
    """Errors that fall in n and in alpha down to an edge, which rises with n, or are uncertain."""

    def __init__(self, edge=None, caution=None):
        self.edge, self.caution, self.n_features_in_ = edge, caution, 3

    def fit(self, X, y, sample_weight=None, *, fit_intercept=True, path=None):
        return self

    def answer(self, n_samples, alpha, *, fit_intercept, variance=False):
        n, alpha = np.broadcast_arrays(np.asarray(n_samples, float), np.asarray(alpha, float))
        log_alpha = np.log(np.maximum(alpha, 1e-30))
        error = 1.0 + log_alpha**2 + 5.0 / n
        if self.edge is not None:
            error = np.where(log_alpha < self.edge(n), np.nan, error)
        cautious = None if self.caution is None else error * np.exp(self.caution(log_alpha))
        cautious = None if cautious is None else cautious[..., None]
        reachable = ~np.isnan(error)
        kappa = np.where(reachable, alpha, np.nan)
        return ErrorAnswer(error[..., None], reachable, kappa, cautious_error=cautious)

    def test_error(self, n_samples, alpha, *, fit_intercept):
        return self.answer(n_samples, alpha, fit_intercept=fit_intercept).error[..., 0]

    def kappa(self, n_samples, alpha, *, fit_intercept):
        return self.answer(n_samples, alpha, fit_intercept=fit_intercept).kappa


ROWS = np.random.default_rng(0).normal(size=(100, 3))


def asked_of(**table):
    return DeterministicEquivalentRidge(population=Table(**table)).fit(ROWS, ROWS[:, 0])


def test_the_edge_of_reach_is_no_optimum():
    ridge = asked_of(edge=lambda n: np.where(n > 100, np.log(n / 300.0), -np.inf))
    assert ridge.optimal_alpha(150) == pytest.approx(1.0, rel=1e-3)
    with pytest.warns(PopulationWarning, match="n_samples=400 the best alpha lies beyond"):
        found = ridge.optimal_alpha([100, 200, 400])
    np.testing.assert_allclose(found, [1.0, 1.0, np.nan], rtol=1e-3)
    with pytest.warns(PopulationWarning, match="5 of them|… 1000"):
        ridge.optimal_alpha(np.arange(400, 1001, 100))


def test_caution_chooses_among_alphas_but_not_the_error():
    """Caution grows to the left of alpha 1, slowly: alphas that are as good answer plainly."""
    ridge = asked_of(caution=lambda log_alpha: 0.1 - 0.05 * np.tanh(log_alpha))
    assert ridge.optimal_alpha(300) == pytest.approx(1.0, rel=0.02)
    steep = asked_of(caution=lambda log_alpha: 5.0 * np.maximum(1.0 - log_alpha, 0.0))
    assert steep.optimal_alpha(300) == pytest.approx(np.e, rel=0.02)


@pytest.mark.parametrize("weight", [1e-6, 1e6])
def test_equal_weights_are_a_unit_of_alpha(weight):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 8)) / np.sqrt(np.arange(1, 9))
    y = X[:, 0] + rng.normal(size=60)
    plain = DeterministicEquivalentRidge("optimal").fit(X, y)
    weighted = DeterministicEquivalentRidge("optimal").fit(X, y, np.full(60, weight))
    assert weighted.alpha_ == pytest.approx(weight * plain.alpha_, rel=1e-6)
    np.testing.assert_allclose(weighted.coef_, plain.coef_, rtol=1e-6)
