"""One seed for a generator and for a learner is a seed twice, not the same numbers twice."""

import warnings

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge

from sk_deepfeat import RandomDeepFeatures
from sk_deepfeat.datasets import (
    GaussianClasses,
    make_gaussian_classes,
    make_rainbow_regression,
    make_teacher_student,
)
from sk_deepfeat.datasets.streams import own_stream
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import ExactPopulation, LinearizedPopulation

D = 30
LEARNER = RandomDeepFeatures((200,), "tanh", random_state=0).draw(D)
TEACHER = RandomDeepFeatures((40,), "relu", random_state=1).draw(D)
MIXTURE = GaussianClasses(np.eye(2, D))
SEEDS = {"int": lambda: 0, "instance": lambda: np.random.RandomState(0)}
GENERATORS = {
    "teacher and student": lambda seed: make_teacher_student(60, D, random_state=seed)[0],
    "rainbow": lambda seed: make_rainbow_regression(
        60, LEARNER, TEACHER, return_inputs=True, random_state=seed
    )[0],
    "rainbow of a readout": lambda seed: make_rainbow_regression(
        60, LEARNER, TEACHER, readout=np.ones(40), return_inputs=True, random_state=seed
    )[0],
    "class means": lambda seed: (
        make_gaussian_classes(9, n_features=D, n_classes=20, random_state=seed)[2].means
    ),
    "rows of classes": lambda seed: make_gaussian_classes(60, n_features=D, random_state=seed)[0],
    "further rows": lambda seed: MIXTURE.sample(60, random_state=seed)[0],
}


def likeness(weights, rows):
    """The largest correlation of a stretch of the weights' entries with 500 entries of rows."""
    stretch = np.ravel(rows)[:500]
    windows = np.lib.stride_tricks.sliding_window_view(np.ravel(weights), stretch.size)
    lengths = np.linalg.norm(windows, axis=1) * np.linalg.norm(stretch)
    return np.abs(windows @ stretch / lengths).max()


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_rows_are_made_of_the_weights_of_the_same_seed(generator, seed):
    rows = GENERATORS[generator](SEEDS[seed]())
    assert likeness(LEARNER.weights_[0], rows) < 0.3
    assert likeness(LEARNER.weights_[0], LEARNER.weights_[0][5:]) == pytest.approx(1.0)


def test_generators_have_nothing_in_common_either():
    first, second = (
        GENERATORS[name](0).ravel()[:500] for name in ("teacher and student", "rows of classes")
    )
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.3
    X, _, mixture = make_gaussian_classes(60, n_features=D, random_state=0)
    assert abs(np.corrcoef(X.ravel(), mixture.sample(60, random_state=0)[0].ravel())[0, 1]) < 0.5


def test_a_stream_follows_from_seed_and_role():
    first = own_stream(0, "inputs").standard_normal(5)
    np.testing.assert_array_equal(own_stream(np.int64(0), "inputs").standard_normal(5), first)
    for seed, role in ((0, "weights"), (1, "inputs"), (None, "inputs")):
        assert not np.any(own_stream(seed, role).standard_normal(5) == first)


def test_a_learner_of_the_seed_of_the_data_does_not_know_the_teacher():
    """It did: of 100 units of the teacher all were among its own, and the error was 1e-11."""
    X, y, _ = make_teacher_student(1500, D, activation="relu", random_state=0)
    errors = []
    for seed in range(4):
        features = RandomDeepFeatures((300,), "relu", random_state=seed).fit_transform(X)
        ridge = Ridge(1e-3).fit(features[:1000], y[:1000])
        errors.append(np.mean((ridge.predict(features[1000:]) - y[1000:]) ** 2))
    assert errors[0] > 0.7 * np.mean(errors[1:])


def test_an_instance_moves_on():
    rng = np.random.RandomState(0)
    first, second = (make_teacher_student(20, 5, random_state=rng)[0] for _ in range(2))
    assert not np.array_equal(first, second)
    again = make_teacher_student(20, 5, random_state=np.random.RandomState(0))[0]
    np.testing.assert_array_equal(first, again)


def linearized(learner, teacher, **options):
    target = (FrozenEstimator(teacher), np.ones(len(teacher.weights_[-1])))
    return LinearizedPopulation(FrozenEstimator(learner), np.ones(D), target, **options).fit()


def exact(learner, teacher, **options):
    return ExactPopulation.from_networks(
        learner, teacher, np.ones(len(teacher.weights_[-1])), np.ones(D), **options
    )


@pytest.mark.parametrize("population", [linearized, exact])
@pytest.mark.parametrize("exponent", [None, 1.0])
def test_a_learner_and_a_teacher_of_one_seed_are_told_of(population, exponent):
    teacher = RandomDeepFeatures((40,), "tanh", weight_covariance=exponent, random_state=0).draw(D)
    with pytest.warns(PopulationWarning, match="both drawn with random_state=0") as said:
        population(LEARNER, teacher)
    assert "paired_rows=40" in str(said[0].message)
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        population(LEARNER, teacher, paired_rows=40)
        population(LEARNER, LEARNER)  # an autoencoder is meant
        population(LEARNER, TEACHER)
        for seed in (None, np.random.RandomState(0)):
            population(LEARNER, RandomDeepFeatures((40,), random_state=seed).draw(D))


def test_weights_of_ones_own_are_no_accident():
    """The seed alone says nothing: weights may have been replaced since."""
    other, shared = (RandomDeepFeatures((40,), "tanh", random_state=s).draw(D) for s in (0, 1))
    other.weights_[0] = np.random.default_rng(1).normal(size=(40, D))
    shared.weights_[0] = LEARNER.weights_[0][:40].copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exact(LEARNER, other)
        exact(LEARNER, shared)
