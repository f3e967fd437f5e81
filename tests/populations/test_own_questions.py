"""Populations asked without a ridge: the best alpha, the samples needed, what is meant by it."""

import warnings

import numpy as np
import pytest
from samples import LinearPopulation, power_law
from scipy.optimize import brentq, minimize_scalar
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.plugins import resolve
from sk_deepfeat.populations import (
    ExactPopulation,
    GCVPopulation,
    LeaveOneOutPopulation,
    LinearizedPopulation,
)

OMEGA = power_law(60, 1.2)
SIGNAL = np.cos(np.arange(60.0))
NOISE = 0.3


def exact(coefs=SIGNAL, noise=NOISE, **means):
    psi = OMEGA * coefs
    return ExactPopulation(np.diag(OMEGA), psi, coefs @ psi + noise, **means)


def slow_error(n, alpha, coefs=SIGNAL, noise=NOISE):
    """R(n, alpha) by bisection and the textbook's formulas."""

    def excess(log_kappa):
        kappa = np.exp(log_kappa)
        return alpha / kappa - n + np.sum(OMEGA / (OMEGA + kappa))

    kappa = np.exp(brentq(excess, np.log(alpha / n) - 1e-9, np.log(alpha / n + OMEGA.sum()) + 1))
    shrunk = OMEGA + kappa
    bias = kappa**2 * np.sum(OMEGA * coefs**2 / shrunk**2)
    return (bias + noise) / (1.0 - np.sum(OMEGA**2 / shrunk**2) / n)


def slow_best(n):
    """The best alpha and its error, by a grid and a bounded search in its finest cell."""
    grid = np.linspace(np.log(1e-4), np.log(1e4), 121)
    errors = [slow_error(n, np.exp(x)) for x in grid]
    best = int(np.argmin(errors))
    found = minimize_scalar(
        lambda x: slow_error(n, np.exp(x)),
        bounds=(grid[best - 1], grid[best + 1]),
        method="bounded",
    )
    return np.exp(found.x), found.fun


def test_the_best_alpha_is_that_of_a_slow_search():
    sizes = np.array([10.0, 60.0, 300.0, 1e4, 1e6])
    population = exact().fit(fit_intercept=False)
    alphas, errors = np.transpose([slow_best(n) for n in sizes])
    np.testing.assert_allclose(population.optimal_alpha(sizes), alphas, rtol=1e-2)
    np.testing.assert_allclose(population.test_error(sizes, "optimal"), errors, rtol=1e-7)
    for question in ("train_error", "kappa"):
        ask = getattr(population, question)
        np.testing.assert_allclose(ask(sizes, "optimal"), ask(sizes, alphas), rtol=1e-2)
    parts = population.decomposition(sizes, "optimal")
    np.testing.assert_allclose(sum(parts), errors, rtol=1e-7)


@pytest.mark.parametrize("target", [1.0, 0.5, 0.31])
def test_the_samples_needed_are_those_of_a_slow_search(target):
    population = exact().fit(fit_intercept=False)
    needed = population.required_samples(target)
    assert slow_best(needed)[1] <= target < slow_best(needed - 1)[1]
    at_fixed = population.required_samples(target, alpha=2.0)
    assert slow_error(at_fixed, 2.0) <= target < slow_error(at_fixed - 1, 2.0)
    assert at_fixed >= needed


def test_an_intercept_costs_the_mean():
    """R(n) = (1 + 1/n) R(n - 1) for features and targets of mean zero."""
    population = exact().fit()
    n = np.array([2.0, 11.0, 101.0])
    expected = [(1 + 1 / m) * slow_error(m - 1, 3.0) for m in n]
    np.testing.assert_allclose(population.test_error(n, 3.0), expected, rtol=1e-9)
    best = [(1 + 1 / m) * slow_best(m - 1)[1] for m in n[1:]]
    np.testing.assert_allclose(population.test_error(n[1:], "optimal"), best, rtol=1e-6)
    needed = population.required_samples(0.5)
    slow = [(1 + 1 / m) * slow_best(m - 1)[1] for m in (needed - 1, needed)]
    assert slow[1] <= 0.5 < slow[0]


@pytest.mark.parametrize("alpha", ["optimal", 1e6])
def test_a_plateau_before_the_error_falls_is_no_limit(alpha):
    """Few samples do not see a target in directions of small variance, nor at a large alpha."""
    coefs = np.zeros(60)
    coefs[-1] = OMEGA[-1] ** -0.5
    population = exact(coefs, noise=1e-3).fit(fit_intercept=False)
    start = population.test_error(1, 1e6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        needed = population.required_samples(0.01, alpha)
    reached, before = population.test_error([needed, needed - 1], alpha)
    assert reached <= 0.01 < before
    assert abs(population.test_error(16, 1e6) / start - 1) < 1e-6


def test_a_target_just_above_the_noise_is_reached_far_out():
    population = exact().fit(fit_intercept=False)
    needed = population.required_samples(NOISE * (1 + 1e-8))
    assert needed == pytest.approx(60e8, rel=1e-3)  # σ²(1 + p/n), n far above p
    with pytest.warns(PopulationWarning, match=r"not above the floor 0\.3"):
        assert population.required_samples(NOISE) == np.inf
    with pytest.warns(PopulationWarning, match=r"up to 1\.1e\+15; the lowest error is 0\.3"):
        assert np.isnan(population.required_samples(NOISE + 1e-13, alpha=1e9))


@pytest.mark.parametrize("means", [{}, {"feature_mean": 0.1 * OMEGA, "target_mean": 0.3}])
def test_a_spectrum_stands_for_its_diagonal_matrix(means):
    psi, rho = OMEGA * SIGNAL, np.sum(OMEGA * SIGNAL**2) + NOISE
    spectrum = ExactPopulation(OMEGA, psi, rho, **means).fit()
    matrix = ExactPopulation(np.diag(OMEGA), psi, rho, **means).fit()
    n = np.array([5.0, 60.0, 1e5])
    for fit_intercept in (True, False):
        asked = {"fit_intercept": fit_intercept}
        np.testing.assert_allclose(
            spectrum.test_error(n, "optimal", **asked),
            matrix.test_error(n, "optimal", **asked),
            rtol=1e-10,
        )
    assert spectrum.n_features_in_ == 60


def test_a_long_spectrum_needs_no_matrix():
    omega = power_law(30_000, 1.5)
    population = ExactPopulation(omega, omega, omega.sum() + 0.01).fit(fit_intercept=False)
    needed = population.required_samples(0.02)
    reached, before = population.test_error([needed, needed - 1], "optimal")
    assert reached <= 0.02 < before


def test_the_best_alpha_can_be_zero():
    population = exact(noise=0.0).fit(fit_intercept=False)
    assert population.optimal_alpha(100) == 0.0
    assert population.test_error(100, "optimal") == pytest.approx(0.0, abs=1e-12)
    assert population.required_samples(1e-9) == 60


def test_outputs_share_the_alpha_of_their_mean():
    both = np.column_stack([SIGNAL, SIGNAL[::-1]])
    psi = OMEGA[:, None] * both
    population = ExactPopulation(np.diag(OMEGA), psi, both.T @ psi + 0.2 * np.eye(2))
    population.fit(fit_intercept=False)
    n, grid = 80.0, np.geomspace(1e-3, 1e3, 6001)
    errors = population.test_error(n, grid)
    assert errors.shape == (6001, 2)
    best = grid[np.argmin(errors.mean(axis=1))]
    assert population.optimal_alpha(n) == pytest.approx(best, rel=3e-3)
    assert population.test_error([n, 90.0], "optimal").shape == (2, 2)
    needed = population.required_samples(population.test_error(n, "optimal").mean())
    assert needed in (80.0, 81.0)


def rainbow(**options):
    learner = RandomDeepFeatures((80, 60), "tanh", weight_covariance=0.5, random_state=0).draw(40)
    teacher = RandomDeepFeatures((30,), "relu", random_state=1).draw(40)
    target = (FrozenEstimator(teacher), np.random.default_rng(0).normal(size=30) / np.sqrt(30))
    return LinearizedPopulation(
        FrozenEstimator(learner), power_law(40, 0.4), target, noise=0.2, **options
    )


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_network_on_paper_answers_as_the_ridge_around_it(fit_intercept):
    population = rainbow().fit(fit_intercept=fit_intercept)
    rows = np.zeros((30, 60)), np.zeros(30)
    ridge = DeterministicEquivalentRidge(
        "optimal", population=FrozenEstimator(population), fit_intercept=fit_intercept
    )
    ridge.fit(np.random.default_rng(0).normal(size=rows[0].shape), rows[1])
    sizes = np.array([10.0, 100.0, 1e4, 1e6])
    np.testing.assert_allclose(
        population.test_error(sizes, "optimal"), ridge.predict_test_error(sizes, "optimal"), 1e-9
    )
    target = float(population.test_error(200, "optimal"))
    assert population.required_samples(1.01 * target) == ridge.required_samples(1.01 * target)
    frozen = FrozenEstimator(population)
    assert frozen.required_samples(target) == population.required_samples(target)


@pytest.mark.filterwarnings("ignore::sk_deepfeat.exceptions.PopulationWarning")
@pytest.mark.parametrize("name", ["leave-one-out", "gcv", "plug-in", "lanczos"])
@pytest.mark.parametrize("outputs", [None, 2])
def test_a_training_set_answers_as_the_ridge_around_it(name, outputs):
    X, y = LinearPopulation(power_law(25, 0.5), np.ones(25), 1.0).sample(120, 0, outputs)
    ridge = DeterministicEquivalentRidge(population=name).fit(X, y)
    population = ridge.population_
    sizes = np.array([[30.0, 120.0], [200.0, 1000.0]])
    best = ridge.optimal_alpha(sizes)
    np.testing.assert_array_equal(population.optimal_alpha(sizes), best)
    raw = {"multioutput": "uniform_average" if outputs is None else "raw_values"}
    np.testing.assert_array_equal(
        population.test_error(sizes, "optimal"), ridge.predict_test_error(sizes, "optimal", **raw)
    )
    np.testing.assert_array_equal(
        population.kappa(sizes, "optimal"), ridge.predict_kappa(sizes, "optimal")
    )
    for target in (1.3 * ridge.test_error_, 0.97 * ridge.test_error_, -1.0):
        for alpha in ("optimal", 5.0):
            assert np.array_equal(
                population.required_samples(target, alpha),
                ridge.required_samples(target, alpha),
                equal_nan=True,
            )
    alone = clone(resolve("populations", name)).fit(X, y)
    np.testing.assert_allclose(alone.optimal_alpha(sizes), best, rtol=1e-4)


@pytest.mark.filterwarnings("ignore::sk_deepfeat.exceptions.PopulationWarning")
def test_intervals_at_the_best_alpha_end_where_the_ridge_has_them():
    """Beyond what rows show, more of them do no worse: the upper end alone is known."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, 80))
    y = X @ np.ones(80) + 0.05 * rng.normal(size=60)
    ridge = DeterministicEquivalentRidge().fit(X, y)
    sizes = np.array([20, 60, 70, 2000])
    error, *ends = ridge.predict_test_error(sizes, "optimal", return_interval=True)
    assert np.isnan(error[-1]) and np.isfinite(ends[1][-1])
    np.testing.assert_array_equal(ridge.population_.interval(sizes, "optimal"), ends)
    np.testing.assert_array_equal(
        ridge.population_.reachable(sizes, "optimal"), ridge.reachable(sizes, "optimal")
    )
    assert np.isnan(ridge.population_.optimal_alpha(2000))


POPULATIONS = {
    "exact": exact(feature_mean=np.full(60, 0.0), target_mean=0.2),
    "linearized": rainbow(),
    "plug-in": resolve("populations", "plug-in"),
    "gcv": GCVPopulation(),
    "leave-one-out": LeaveOneOutPopulation(calibrate=False),
}


@pytest.mark.parametrize("name", POPULATIONS)
def test_what_fit_was_told_is_meant_where_nothing_is_said(name):
    X, y = LinearPopulation(np.ones(60), np.ones(60), 1.0, mean=1.0, offset=3.0).sample(601)
    asked = {"test_error": (50, 2.0), "train_error": (50, 2.0), "kappa": (50, 2.0)}
    asked |= {"answer": (50, 2.0), "degrees_of_freedom": (0.3,), "optimal_alpha": (50,)}
    for told in (None, True, False):
        population = clone(POPULATIONS[name], safe=False)
        population.fit(X, y, **({} if told is None else {"fit_intercept": told}))
        meant = told is not False
        for question, cell in asked.items():
            ask = getattr(population, question)
            found, said = ask(*cell), ask(*cell, fit_intercept=meant)
            np.testing.assert_equal(found, said)
            if hasattr(population, "eigenvalues") and question == "test_error":
                assert found != ask(*cell, fit_intercept=not meant)
        target = float(population.test_error(300, 2.0))
        said = population.required_samples(target, fit_intercept=meant)
        assert population.required_samples(target) == said
        if not hasattr(population, "eigenvalues"):
            with pytest.raises(ValueError, match="cannot answer for fit_intercept"):
                population.required_samples(1.0, fit_intercept=not meant)


class Doubled(GCVPopulation):
    """A derived population means the errors that it gives."""

    def test_error(self, n_samples, alpha, *, fit_intercept=None):
        return 2.0 * super().test_error(n_samples, alpha, fit_intercept=fit_intercept)


def test_a_derived_population_is_searched_by_its_own_errors():
    X, y = LinearPopulation(power_law(25, 0.5), np.ones(25), 1.0).sample(120)
    plain, doubled = GCVPopulation().fit(X, y), Doubled().fit(X, y)
    assert doubled.required_samples(3.0) == plain.required_samples(1.5)
    assert doubled.optimal_alpha(100) == plain.optimal_alpha(100)
    assert doubled.test_error(100, "optimal") == 2.0 * plain.test_error(100, "optimal")


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda p: p.test_error(10, "best"), ValueError, "alpha='best' must be 'optimal'"),
        (lambda p: p.required_samples(0.5, "best"), ValueError, "alpha='best'"),
        (lambda p: p.required_samples(0.5, [1.0, 2.0]), ValueError, "must be one number"),
        (lambda p: p.required_samples(0.5, -1.0), ValueError, "alpha must be finite"),
        (lambda p: p.required_samples(np.nan), ValueError, "target_error=nan must be"),
        (lambda p: p.required_samples(True), ValueError, "target_error=True must be"),
        (lambda p: p.required_samples([0.5, 0.6]), ValueError, "must be a finite number"),
        (lambda p: p.optimal_alpha(0), ValueError, "n_samples must be finite and at least 1"),
        (lambda p: ExactPopulation(1.0, 1.0, 1.0).fit(), ValueError, "psi must have one or two"),
        (lambda p: ExactPopulation(1.0, [1.0], 1.0).fit(), ValueError, r"of shape \(\); got"),
        (lambda p: ExactPopulation([1, -1.0], [0, 0], 1.0).fit(), ValueError, "Omega, given as a"),
    ],
)
def test_what_is_no_question_is_refused(ask, error, message):
    with pytest.raises(error, match=message):
        ask(exact().fit())


@pytest.mark.parametrize("ask", ["optimal_alpha", "required_samples"])
def test_a_question_before_the_fit(ask):
    with pytest.raises(NotFittedError, match=r"or fit\(\) of one that is known on paper"):
        getattr(exact(), ask)(1.0)
