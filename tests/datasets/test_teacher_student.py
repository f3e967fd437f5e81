import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sk_deepfeat import RandomDeepFeatures
from sk_deepfeat.datasets import make_rainbow_regression, make_teacher_student
from sk_deepfeat.plugins import resolve
from sk_deepfeat.populations import ExactPopulation

X0 = np.zeros((1, 100))
LEARNER = RandomDeepFeatures((150,), "tanh", random_state=0).fit(X0)
TEACHER = RandomDeepFeatures((80,), "relu", random_state=1).fit(X0)


def refits(X, y, n, alpha):
    """Mean error of a hundred refits on 10,000 other rows, which the theory averages over."""
    errors, rng = [], np.random.default_rng(0)
    test, train = slice(10_000), np.arange(10_000, len(X))
    for _ in range(100):
        rows = rng.choice(train, n, replace=False)
        ridge = Ridge(alpha).fit(X[rows], y[rows])
        errors.append(np.mean((ridge.predict(X[test]) - y[test]) ** 2))
    return np.mean(errors)


@pytest.mark.parametrize(("n", "alpha"), [(50, 1.0), (150, 3.0), (500, 10.0)])
def test_rainbow_population_predicts_refits(n, alpha):
    X, y, population = make_rainbow_regression(
        20_000,
        LEARNER,
        TEACHER,
        input_covariance=np.linspace(0.5, 1.5, 100),
        noise=0.1,
        random_state=0,
    )
    predicted = population.test_error(n, alpha, fit_intercept=True)
    assert predicted == pytest.approx(refits(X, y, n, alpha), rel=0.05)


@pytest.mark.parametrize(("n", "alpha"), [(30, 1.0), (60, 3.0), (300, 10.0)])
@pytest.mark.parametrize("activation", ["relu", "sign"])
def test_teacher_student_population_predicts_refits(activation, n, alpha):
    covariance = np.diag(np.linspace(0.5, 1.5, 60)) + 0.1
    X, y, population = make_teacher_student(
        30_000, 60, activation=activation, input_covariance=covariance, noise=0.1, random_state=0
    )
    predicted = population.test_error(n, alpha, fit_intercept=True)
    assert predicted == pytest.approx(refits(X, y, n, alpha), rel=0.05)


class Network:
    def __init__(self, weights, activation):
        self.weights, self.activation = weights, resolve("activations", activation)

    def linearization_layers(self):
        return [(self.weights, None, self.activation)]


@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus", "sign"])
@pytest.mark.parametrize("n_inputs", [1, 2, 3])
def test_population_of_units_of_other_index_that_are_alike(n_inputs, activation):
    """The teacher is the learner with its units in reverse: a target without noise."""
    rng = np.random.default_rng(0)
    weights, readout = rng.normal(size=(30, n_inputs)), rng.normal(size=30) / 30
    population = ExactPopulation.from_networks(
        Network(weights, activation), Network(weights[::-1], activation), readout, np.ones(n_inputs)
    )
    expected = population.Omega[:, ::-1] @ readout
    np.testing.assert_allclose(population.psi, expected, rtol=1e-6, atol=1e-7)
    assert population.rho == pytest.approx(float(readout[::-1] @ expected), rel=1e-5)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_second_moment_of_the_target_of_one_input(activation):
    """All units have correlation one or minus one; the target is a function of one variable."""
    _, _, population = make_rainbow_regression(
        4,
        learner := RandomDeepFeatures((20,), activation, random_state=0).fit(np.zeros((1, 1))),
        learner,
        readout=np.ones(20) / 20,
        random_state=0,
    )
    nodes, shares = np.polynomial.legendre.leggauss(200)
    z = np.r_[-6 + 6 * nodes, 6 + 6 * nodes] * 0.8
    weights = np.r_[shares, shares] * np.exp(-0.5 * z**2)
    target = learner.transform(z[:, None]).mean(axis=1)
    expected = np.sum(weights * target**2) / weights.sum()
    assert population.rho == pytest.approx(expected, rel=1e-6)


def test_moments_of_the_student():
    X, y, population = make_teacher_student(200_000, 20, activation="relu", random_state=0)
    np.testing.assert_allclose(X.T @ X / len(X), population.Omega, atol=0.02)
    np.testing.assert_allclose(X.T @ y / len(X), population.psi, atol=0.02)
    assert np.mean(y**2) == pytest.approx(float(population.rho), rel=0.02)
    assert np.mean(y) == pytest.approx(float(population.target_mean), abs=0.02)


def test_inputs_in_place_of_features():
    options = {"random_state": 3, "noise": 0.2}
    X, y, population = make_rainbow_regression(50, LEARNER, TEACHER, **options)
    inputs, same, _ = make_rainbow_regression(50, LEARNER, TEACHER, return_inputs=True, **options)
    assert inputs.shape == (50, 100)
    np.testing.assert_array_equal(LEARNER.transform(inputs), X)
    np.testing.assert_array_equal(same, y)
    assert population.n_features_in_ == X.shape[1] == 150


def test_a_given_readout_and_several_outputs():
    readout = np.ones((80, 2)) / 80
    _, y, population = make_rainbow_regression(40, LEARNER, TEACHER, readout=readout)
    assert y.shape == (40, 2)
    assert population.test_error(20, 1.0, fit_intercept=True).shape == (2,)
    inputs, y, _ = make_rainbow_regression(
        40, LEARNER, TEACHER, readout=readout, return_inputs=True
    )
    np.testing.assert_allclose(y, TEACHER.transform(inputs) @ readout)


def test_seeds():
    first, again, other = (make_teacher_student(random_state=seed)[:2] for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: make_teacher_student(0), ValueError, "n_samples=0 must be a positive integer"),
        (lambda: make_teacher_student(5, 2.5), ValueError, r"n_features=2\.5 must be"),
        (lambda: make_teacher_student(5, 3, teacher_size=-1), ValueError, "teacher_size=-1"),
        (lambda: make_teacher_student(5, 3, noise=-1.0), ValueError, r"noise=-1\.0"),
        (
            lambda: make_teacher_student(5, 3, input_covariance=np.eye(4)),
            ValueError,
            r"input_covariance of shape \(4, 4\) is not of n_features=3",
        ),
        (
            lambda: make_rainbow_regression(5, Ridge(), TEACHER),
            TypeError,
            "learner=Ridge.. has no linearization_layers",
        ),
        (
            lambda: make_rainbow_regression(5, LEARNER, Ridge()),
            TypeError,
            "teacher=Ridge.. has no linearization_layers",
        ),
        (
            lambda: make_rainbow_regression(5, LEARNER, TEACHER, readout=np.ones(3)),
            ValueError,
            r"readout must be finite, of shape \(80,\)",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
