import numpy as np
import pytest
from samples import LinearPopulation
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import ExactPopulation, GCVPopulation, PlugInPopulation
from sk_deepfeat.theory import ridge_factorization, ridge_risk

P = 20
RNG = np.random.default_rng(0)
ROOT = RNG.normal(size=(P, P)) / np.sqrt(P)
MEAN = RNG.normal(size=P)
BETA = RNG.normal(size=P)
OFFSET, NOISE = 2.0, 0.5
COVARIANCE = ROOT @ ROOT.T
POPULATION = LinearPopulation(ROOT, BETA, np.sqrt(NOISE), mean=MEAN, offset=OFFSET)


def exact(**kwargs):
    second = COVARIANCE + np.outer(MEAN, MEAN)
    target_mean = OFFSET + MEAN @ BETA
    psi = COVARIANCE @ BETA + MEAN * target_mean
    rho = BETA @ COVARIANCE @ BETA + target_mean**2 + NOISE
    return ExactPopulation(
        second, psi, rho, feature_mean=MEAN, target_mean=target_mean, **kwargs
    ).fit()


N, ALPHA = np.array([[30], [200]]), np.array([0.1, 10.0])


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_plug_in_tends_to_the_exact_population(fit_intercept):
    plug_in = PlugInPopulation().fit(*POPULATION.sample(200_000))
    asked = {"fit_intercept": fit_intercept}
    for name in ("test_error", "train_error", "kappa"):
        np.testing.assert_allclose(
            getattr(plug_in, name)(N, ALPHA, **asked),
            getattr(exact(), name)(N, ALPHA, **asked),
            rtol=0.02,
        )


def test_exact_population_centres_for_the_intercept():
    """Shifting the features and the target changes nothing when an intercept is fitted."""
    found = exact().test_error(N, ALPHA, fit_intercept=True)
    values, vectors = np.linalg.eigh(COVARIANCE)
    rho = BETA @ COVARIANCE @ BETA + NOISE
    expected = ridge_risk(
        values, vectors.T @ COVARIANCE @ BETA, rho, N, ALPHA, fit_intercept=True
    ).test_error
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    assert np.all(exact().test_error(N, ALPHA, fit_intercept=False) != found)


def test_exact_population_parts():
    parts = exact().decomposition(N, ALPHA, fit_intercept=True)
    np.testing.assert_allclose(parts.noise, NOISE, rtol=1e-6)
    np.testing.assert_allclose(sum(parts), exact().test_error(N, ALPHA, fit_intercept=True))


def test_exact_population_is_cloned_with_its_parameters():
    copy = clone(exact())
    with pytest.raises(NotFittedError):
        copy.test_error(10, 1.0, fit_intercept=True)
    assert copy.fit().n_features_in_ == P


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_plug_in_with_a_factorisation_and_frozen_for_either_intercept(fit_intercept):
    X, y = POPULATION.sample(500)
    alone = PlugInPopulation().fit(X, y)
    path = ridge_factorization(X, y, fit_intercept=fit_intercept)
    shared = PlugInPopulation().fit(X, y, fit_intercept=fit_intercept, path=path)
    for asked in (True, False):
        np.testing.assert_allclose(
            shared.test_error(N, ALPHA, fit_intercept=asked),
            alone.test_error(N, ALPHA, fit_intercept=asked),
            rtol=1e-8,
        )


def test_plug_in_weights_equal_repetition():
    X, y = POPULATION.sample(400)
    weights = RNG.integers(0, 3, size=400)
    weighted = PlugInPopulation().fit(X, y, weights)
    repeated = PlugInPopulation().fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(
        weighted.test_error(N, ALPHA, fit_intercept=True),
        repeated.test_error(N, ALPHA, fit_intercept=True),
        rtol=1e-8,
    )
    assert weighted.n_samples_ == np.count_nonzero(weights)


def test_plug_in_warns_below_ten_rows_per_feature():
    with pytest.warns(PopulationWarning, match="199 rows of 20 features; below 200 rows"):
        PlugInPopulation().fit(*POPULATION.sample(199))
    PlugInPopulation().fit(*POPULATION.sample(200))


def test_gcv_needs_no_second_sample():
    """From as many rows as features per output, where the plug-in is far off."""
    X, y = POPULATION.sample(60)
    fitted = [GCVPopulation().fit(*POPULATION.sample(60, seed)) for seed in range(40)]
    gcv = np.mean([gcv.test_error(60, 0.5, fit_intercept=True) for gcv in fitted])
    truth = exact().test_error(60, 0.5, fit_intercept=True)
    with pytest.warns(PopulationWarning):
        plug_in = PlugInPopulation().fit(X, y).test_error(60, 0.5, fit_intercept=True)
    assert abs(gcv / truth - 1) < 0.1
    assert plug_in < 0.75 * truth


def test_gcv_decomposition_knows_two_sums():
    population = GCVPopulation().fit(*POPULATION.sample(100))
    parts = population.decomposition(N, ALPHA, fit_intercept=True)
    assert all(np.all(np.isnan(part)) for part in parts)
    errors = population.test_error(N, ALPHA, fit_intercept=True)
    np.testing.assert_allclose(parts.bias_and_noise + parts.total_variance, errors)


def test_gcv_refuses_the_other_intercept():
    population = GCVPopulation().fit(*POPULATION.sample(50), fit_intercept=False)
    with pytest.raises(ValueError, match="fitted with fit_intercept=False"):
        population.test_error(10, 1.0, fit_intercept=True)


def test_gcv_grid_size():
    with pytest.raises(ValueError, match="n_grid=3 must be an integer"):
        GCVPopulation(n_grid=3).fit(*POPULATION.sample(50))


@pytest.mark.parametrize("population", [GCVPopulation(), PlugInPopulation()])
@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[np.nan], [1.0]], [1.0, 2.0], "NaN"),
        ([[1.0], [2.0]], [np.inf, 2.0], "infinity"),
        ([[1.0]], [1.0], "minimum of 2"),
        ([[1.0], [2.0]], [1.0, 2.0, 3.0], "inconsistent"),
    ],
)
def test_bad_rows(population, X, y, message):
    with pytest.raises(ValueError, match=message):
        clone(population).fit(X, y)


@pytest.mark.parametrize("population", [GCVPopulation(), PlugInPopulation()])
def test_unfitted(population):
    with pytest.raises(NotFittedError):
        clone(population).test_error(10, 1.0, fit_intercept=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.eye(3), np.ones(2), 9.0), "psi must have one row per feature"),
        ((np.eye(3)[:2], np.ones(2), 9.0), "Omega must be a square"),
        ((np.array([[1.0, 2.0], [0.0, 1.0]]), np.ones(2), 9.0), "Omega must be symmetric"),
        ((np.diag([1.0, -1.0]), np.ones(2), 9.0), "positive semi-definite"),
        ((np.eye(2), np.ones((2, 2)), 9.0), "target_second_moment must have shape"),
        ((np.eye(2), np.ones(2), 1.0), "explain more of the target"),
    ],
)
def test_bad_moments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ExactPopulation(*arguments).fit()


def test_bad_means():
    with pytest.raises(ValueError, match="feature_mean must have shape"):
        ExactPopulation(np.eye(2), np.zeros(2), 1.0, feature_mean=np.zeros(3)).fit().test_error(
            2, 1.0, fit_intercept=True
        )


def test_another_width_names_both():
    with pytest.raises(ValueError, match="2 features, but X has 3 features"):
        ExactPopulation(np.eye(2), np.zeros(2), 1.0).fit(np.eye(3))
