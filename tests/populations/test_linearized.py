"""The population of a network from its weights: predictions against refits, targets, refusals."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.populations import ExactPopulation, LinearizedPopulation, PlugInPopulation
from sk_deepfeat.testing import check_population
from sk_deepfeat.theory import rainbow_covariances

D, P, K = 150, 200, 120
X0 = np.zeros((1, D))
SIGMA = np.linspace(0.5, 1.5, D)


def fitted(sizes, activation, seed, **kwargs):
    return RandomDeepFeatures(sizes, activation, random_state=seed, **kwargs).fit(X0)


def pair(activation="tanh", depth=2, shared=False):
    learner = fitted((P,) * depth, activation, 0)
    teacher = fitted((K,) * depth, activation, 1)
    if shared:
        teacher.weights_[0] = learner.weights_[0][:K]
    readout = np.random.default_rng(2).normal(size=K) / np.sqrt(K)
    return learner, teacher, readout


def linearized(learner, teacher, readout, **kwargs):
    target = (FrozenEstimator(teacher), readout)
    return LinearizedPopulation(FrozenEstimator(learner), SIGMA, target, **kwargs)


def draw(learner, teacher, readout, n, rng, noise=0.2):
    x = rng.normal(size=(n, D)) * np.sqrt(SIGMA)
    y = teacher.transform(x) @ readout
    return learner.transform(x), y + noise * rng.normal(size=y.shape)


@pytest.mark.parametrize(
    ("activation", "depth", "shared", "tolerance"),
    [
        ("tanh", 1, True, 0.03),
        pytest.param("tanh", 2, False, 0.03, marks=pytest.mark.statistical),
        ("relu", 1, False, 0.03),
        # Pre-activations of the second layer are normal up to 1/width.
        pytest.param("relu", 2, True, 0.06, marks=pytest.mark.statistical),
    ],
)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_predictions_agree_with_refits(activation, depth, shared, tolerance, fit_intercept):
    learner, teacher, readout = pair(activation, depth, shared)
    population = linearized(learner, teacher, readout, noise=0.2).fit()
    rng = np.random.default_rng(3)
    features, target = draw(learner, teacher, readout, 15_000, rng)
    for n, alpha in ((60, 1.0), (200, 2.0), (600, 20.0)):
        errors = []
        for _ in range(40):
            ridge = Ridge(alpha, fit_intercept=fit_intercept)
            ridge.fit(*draw(learner, teacher, readout, n, rng))
            errors.append(np.mean((ridge.predict(features) - target) ** 2))
        predicted = population.test_error(n, alpha, fit_intercept=fit_intercept)
        standard_error = np.std(errors, ddof=1) / np.sqrt(40)
        assert predicted == pytest.approx(np.mean(errors), rel=tolerance, abs=3 * standard_error)


def test_the_ridge_predicts_with_it():
    learner, teacher, readout = pair()
    population = linearized(learner, teacher, readout, noise=0.2)
    X, y = draw(learner, teacher, readout, 300, np.random.default_rng(0))
    ridge = DeterministicEquivalentRidge(alpha=2.0, population=population).fit(X, y)
    expected = population.fit().test_error([50, 300], 2.0, fit_intercept=True)
    np.testing.assert_allclose(ridge.predict_test_error([50, 300]), expected)
    parts = ridge.predict_decomposition(300)
    assert parts.noise > 0.2**2  # label noise, and what is not linear in the features
    frozen = DeterministicEquivalentRidge(population=FrozenEstimator(population.fit()))
    assert frozen.fit(X, y).test_error_ > 0
    with pytest.raises(ValueError, match="200 features, but X has 199"):
        DeterministicEquivalentRidge(population=population).fit(X[:, 1:], y)


def test_grid_search_over_populations():
    learner, teacher, readout = pair()
    X, y = draw(learner, teacher, readout, 60, np.random.default_rng(0))
    population = linearized(learner, teacher, readout)
    search = GridSearchCV(
        DeterministicEquivalentRidge(population=population),
        {"population__method": ["per-unit", "averaged"], "alpha": [1.0]},
        cv=2,
        error_score="raise",
    )
    assert search.fit(X, y).best_score_ < 1


@pytest.mark.parametrize("method", ["per-unit", "hermite", "averaged"])
def test_moments_are_those_of_rainbow_covariances(method):
    learner, teacher, readout = pair("tanh", 2, shared=True)
    population = linearized(learner, teacher, readout, method=method, noise=0.5, order=3).fit()
    found = rainbow_covariances(
        learner.weights_,
        "tanh",
        SIGMA,
        teacher_weights=teacher.weights_,
        method=method,
        order=3,
    )
    moments = population.moments_
    np.testing.assert_allclose(moments.psi, found.cross_covariance @ readout, atol=1e-12)
    rho = readout @ found.teacher_covariance @ readout + 0.25
    np.testing.assert_allclose(moments.rho, rho)


def test_means_and_biases_and_several_outputs():
    learner = fitted((P,), "relu", 0, bias_scale=0.5)
    teacher = fitted((K,), "softplus", 1, bias_scale=0.5)
    readout = np.random.default_rng(2).normal(size=(K, 2)) / np.sqrt(K)
    mean = np.random.default_rng(3).normal(size=D)
    population = linearized(learner, teacher, readout, input_mean=mean, noise=0.3).fit()
    rng = np.random.default_rng(4)
    x = mean + rng.normal(size=(40_000, D)) * np.sqrt(SIGMA)
    y = teacher.transform(x) @ readout
    y += 0.3 * rng.normal(size=y.shape)
    sampled = PlugInPopulation().fit(learner.transform(x), y)
    n, alpha = np.array([[50], [200], [500]]), np.array([1.0, 30.0])
    for fit_intercept in (True, False):
        np.testing.assert_allclose(
            population.test_error(n, alpha, fit_intercept=fit_intercept),
            sampled.test_error(n, alpha, fit_intercept=fit_intercept),
            rtol=0.03,
        )
    np.testing.assert_allclose(population.moments_.target_mean, y.mean(axis=0), atol=0.02)


def test_target_by_its_moments():
    learner, teacher, readout = pair("relu", 1)
    by_teacher = linearized(learner, teacher, readout, noise=0.4).fit()
    moments = by_teacher.moments_
    by_moments = LinearizedPopulation(
        FrozenEstimator(learner),
        SIGMA,
        (moments.psi, moments.rho),
        target_mean=moments.target_mean,
    ).fit()
    for fit_intercept in (True, False):
        np.testing.assert_allclose(
            by_moments.test_error([30, 300], 1.0, fit_intercept=fit_intercept),
            by_teacher.test_error([30, 300], 1.0, fit_intercept=fit_intercept),
        )


def test_exact_population_from_networks():
    """One layer: the moments themselves, here against a large sample."""
    learner, teacher, readout = pair("sign", 1, shared=True)
    population = ExactPopulation.from_networks(learner, teacher, readout, SIGMA, noise=0.2).fit()
    rng = np.random.default_rng(0)
    sampled = PlugInPopulation().fit(*draw(learner, teacher, readout, 60_000, rng))
    n, alpha = np.array([[50], [200], [500]]), np.array([1.0, 30.0])
    np.testing.assert_allclose(
        population.test_error(n, alpha, fit_intercept=True),
        sampled.test_error(n, alpha, fit_intercept=True),
        rtol=0.02,
    )
    with pytest.raises(TypeError, match=r"learner=.*has no linearization_layers"):
        ExactPopulation.from_networks(Ridge(), teacher, readout, SIGMA)
    with pytest.raises(TypeError, match="paired_rows='all' must be an int"):
        ExactPopulation.from_networks(learner, teacher, readout, SIGMA, paired_rows="all")


def small(**kwargs):
    x = np.zeros((1, 7))
    learner = RandomDeepFeatures((6, 5), "relu", random_state=0).fit(x)
    teacher = RandomDeepFeatures((4,), "tanh", random_state=1).fit(x)
    target = (FrozenEstimator(teacher), np.ones(4))
    return LinearizedPopulation(FrozenEstimator(learner), np.ones(7), target, **kwargs)


def test_populations_that_learn_nothing_from_rows_get_along_with_a_sample():
    assert small().takes_samples
    assert ExactPopulation(np.ones(2), np.ones(2), 3.0).takes_samples


def test_contract():
    check_population(small(noise=0.5))
    check_population(small(noise=0.5, method="hermite", paired_rows=2))


def test_clone_keeps_the_weights():
    population = small().fit()
    copy = clone(population)
    with pytest.raises(NotFittedError):
        copy.test_error(10, 1.0, fit_intercept=True)
    asked = {"n_samples": [3, 30], "alpha": 1.0, "fit_intercept": True}
    np.testing.assert_array_equal(copy.fit().test_error(**asked), population.test_error(**asked))


@pytest.mark.parametrize("estimator", ["feature_map", "teacher"])
def test_unfrozen_maps_are_refused(estimator):
    learner, teacher, readout = pair()
    options = {
        "feature_map": learner if estimator == "feature_map" else FrozenEstimator(learner),
        "target": (teacher if estimator == "teacher" else FrozenEstimator(teacher), readout),
    }
    with pytest.raises(TypeError, match=rf"handed over as FrozenEstimator\({estimator}\)"):
        LinearizedPopulation(input_covariance=SIGMA, **options).fit()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": None}, "target=None must be a tuple of two"),
        ({"target": (np.ones(3), 1.0)}, "cross moment must have one row for each of the 200"),
        ({"target": (np.ones(P), 1.0), "noise": 0.1}, "noise=0.1 belongs to a target given by a t"),
        ({"target": (np.ones(P), 1.0), "paired_rows": 1}, "paired_rows=1 belongs to"),
        ({"target": (np.ones(P), 1e-9)}, "explain more of the target"),
        ({"noise": -1.0}, "noise=-1.0 must be a finite number"),
        ({"noise": np.nan}, "noise=nan must be a finite number"),
        ({"target_mean": 0.5}, "target_mean is that of the teacher here"),
        ({"input_covariance": np.eye(3)}, r"weights\[0\] must have shape \(units, 3\)"),
        ({"method": "other"}, "method='other' must be one of"),
    ],
)
def test_bad_input(options, message):
    learner, teacher, readout = pair()
    arguments = {"target": (FrozenEstimator(teacher), readout), "input_covariance": SIGMA}
    with pytest.raises(ValueError, match=message):
        LinearizedPopulation(FrozenEstimator(learner), **(arguments | options)).fit()


def test_readout_of_another_width():
    learner, teacher, _ = pair()
    with pytest.raises(ValueError, match=r"readout must be finite, of shape \(120,\)"):
        linearized(learner, teacher, np.ones(3)).fit()


def test_a_map_without_layers():
    with pytest.raises(TypeError, match="has no linearization_layers"):
        LinearizedPopulation(FrozenEstimator(Ridge()), SIGMA, (np.ones(P), 1.0)).fit()


@pytest.mark.parametrize("target_mean", [None, [0.3, -0.2]])
def test_two_targets_by_their_moments(target_mean):
    """Each is that of its own moments; where no mean is given, it is zero."""
    feature_map = FrozenEstimator(fitted((8,), "relu", 0))
    cross = 0.1 * np.random.default_rng(0).normal(size=(8, 2))
    second = np.array([[9.0, 0.5], [0.5, 7.0]])
    means = {"target_mean": target_mean}
    both = LinearizedPopulation(feature_map, SIGMA, (cross, second), **means).fit()
    cells = {"n_samples": [5.0, 50.0], "alpha": 2.0}
    assert both.test_error(**cells).shape == (2, 2)
    for k in range(2):
        mean = 0.0 if target_mean is None else target_mean[k]
        alone = LinearizedPopulation(
            feature_map, SIGMA, (cross[:, k], second[k, k]), target_mean=mean
        ).fit()
        for fit_intercept in (True, False):
            np.testing.assert_allclose(
                both.test_error(**cells, fit_intercept=fit_intercept)[:, k],
                alone.test_error(**cells, fit_intercept=fit_intercept),
                rtol=1e-10,
            )
    with pytest.raises(ValueError, match="one row for each of the 8 features"):
        LinearizedPopulation(feature_map, SIGMA, (np.ones((8, 2, 2)), second)).fit()
    with pytest.raises(ValueError, match="one row for each of the 8 features"):
        LinearizedPopulation(feature_map, SIGMA, (cross.T, second)).fit()
