"""Displays of a classifier: the error rate, or the metric that is asked for, and its name."""

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer

from sk_deepfeat import DeterministicEquivalentRidgeClassifier
from sk_deepfeat.model_selection import (
    CalibrationCheckDisplay,
    ErrorDecompositionDisplay,
    ErrorSurfaceDisplay,
    RidgeLearningCurveDisplay,
    SpectrumDisplay,
    TrainingDynamicsDisplay,
    ridge_learning_curve,
)

LABELS = {
    "error_rate": "error rate (share of new rows)",
    "balanced_error": "error rate (mean over classes)",
    "log_loss": "log-loss (nats)",
    "mse": "test error (squared units of y)",
}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 10))
Y = np.digitize(X[:, 0] + 0.5 * RNG.normal(size=150), [-0.5, 0.5])


@pytest.fixture(scope="module")
def classifier():
    return DeterministicEquivalentRidgeClassifier(5.0).fit(X, Y)


@pytest.mark.parametrize("metric", [None, *LABELS])
def test_curve_and_surface_show_the_metric(pyplot, classifier, metric):
    asked = {} if metric is None else {"metric": metric}
    name, sizes = metric or "error_rate", [20, 150]
    display = RidgeLearningCurveDisplay.from_fitted(classifier, n_samples=sizes, **asked)
    error, low, _ = classifier.predict_test_error(sizes, metric=name, return_interval=True)
    np.testing.assert_array_equal(display.predicted[:, 0], error)
    np.testing.assert_array_equal(display.lower[:, 0], low)
    best = classifier.predict_test_error(
        sizes, classifier.optimal_alpha(sizes, metric=name), **{"metric": name}
    )
    np.testing.assert_allclose(display.predicted[:, 1], best)
    assert display.ax_.get_ylabel() == LABELS[name]
    display = ErrorSurfaceDisplay.from_fitted(
        classifier, n_samples=sizes, alphas=[1.0, 5.0], **asked
    )
    np.testing.assert_array_equal(display.test_error[:, 1], error)
    assert display.colorbar_.ax.get_ylabel() == LABELS[name]
    display.figure_.canvas.draw()


def test_measured_error_rates_are_named(pyplot):
    curve = ridge_learning_curve(
        DeterministicEquivalentRidgeClassifier(),
        X,
        Y,
        train_sizes=[40],
        alphas=[1.0],
        scoring="balanced_accuracy",
        random_state=0,
    )
    display = RidgeLearningCurveDisplay.from_result(curve)
    assert display.ax_.get_ylabel() == LABELS["balanced_error"]


@pytest.mark.parametrize("metric", [None, "balanced_error", "mse"])
def test_the_check_is_of_the_metric(pyplot, classifier, metric):
    display = CalibrationCheckDisplay.from_fitted(classifier, metric=metric)
    check = classifier.calibration_check(metric=metric or "error_rate")
    np.testing.assert_array_equal(display.ratio, check.measured / check.predicted)
    expected = {None: "error rate", "balanced_error": "error rate, mean over classes"}
    wanted = f"measured / predicted {expected.get(metric, 'test error')}"
    assert display.ax_.get_ylabel() == wanted


def test_a_population_of_squared_errors_shows_these(pyplot):
    classifier = DeterministicEquivalentRidgeClassifier(population="gcv").fit(X, Y)
    display = RidgeLearningCurveDisplay.from_fitted(classifier, n_samples=[30, 150])
    assert display.metric == "mse" and display.ax_.get_ylabel() == LABELS["mse"]
    expected = classifier.predict_test_error([30, 150], metric="mse")
    np.testing.assert_array_equal(display.predicted[:, 0], expected)
    with pytest.raises(ValueError, match="metric='error_rate' is more than population='gcv' knows"):
        ErrorSurfaceDisplay.from_fitted(classifier, metric="error_rate")


def test_a_regressor_has_one_metric(pyplot, ridge):
    asked = {"n_samples": [20, 40], "metric": "mse"}
    assert RidgeLearningCurveDisplay.from_fitted(ridge, **asked).metric == "mse"
    with pytest.raises(ValueError, match="metric='error_rate' is for classifiers"):
        ErrorSurfaceDisplay.from_fitted(ridge, metric="error_rate")


def test_parts_and_spectrum_are_those_of_squared_errors(pyplot, classifier):
    display = ErrorDecompositionDisplay.from_fitted(classifier, n_samples=[50, 150])
    found = classifier.predict_decomposition([50, 150])
    np.testing.assert_array_equal(display.bias_and_noise, found.bias_and_noise)
    assert SpectrumDisplay.from_fitted(classifier).eigenvalues.size == 10


def test_errors_of_zero_are_drawn(pyplot):
    easy = DeterministicEquivalentRidgeClassifier().fit(np.eye(3)[Y] + 0.01 * X[:, :3], Y)
    display = RidgeLearningCurveDisplay.from_fitted(easy, n_samples=[50, 150])
    assert np.all(display.predicted == 0.0) and display.ax_.get_yscale() == "linear"
    display.figure_.canvas.draw()
    some = ErrorSurfaceDisplay.from_predictions([1, 2], [1, 2], [[0.0, 0.1], [0.2, 0.3]])
    assert some.mesh_.get_array().min() == 0.1
    with pytest.raises(ValueError, match="no positive finite number"):
        ErrorSurfaceDisplay.from_predictions([1, 2], [1, 2], np.zeros((2, 2)))


class Stages(FunctionTransformer):
    """Two checkpoints: few columns, and all."""

    checkpoints = (0, 1)

    def staged_transform(self, X):
        yield X[:, 1:]
        yield X


def test_dynamics_of_error_rates(pyplot, classifier):
    readout = DeterministicEquivalentRidgeClassifier(5.0)
    features, asked = Stages().fit(X), {"readout": readout, "alpha": None, "n_samples": [50, 150]}
    display = TrainingDynamicsDisplay.from_fitted(features, X, Y, **asked)
    np.testing.assert_array_equal(display.test_error[1], classifier.predict_test_error([50, 150]))
    assert np.all(display.test_error[1] < display.test_error[0])
    assert display.ax_.get_ylabel() == LABELS["error_rate"]
    display = TrainingDynamicsDisplay.from_fitted(features, X, Y, metric="log_loss", **asked)
    assert display.ax_.get_ylabel() == LABELS["log_loss"]
