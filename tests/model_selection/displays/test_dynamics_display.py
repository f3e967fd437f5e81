"""The display of the predicted error while features are trained."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures, TrainedDeepFeatures
from sk_deepfeat.model_selection import TrainingDynamicsDisplay

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 6))
Y = X[:, 0] - X[:, 1] + 0.3 * rng.normal(size=120)


class Widening(TransformerMixin, BaseEstimator):
    """A feature map with stages and without torch: more and more of the columns."""

    def __init__(self, checkpoints=(0, 1, 10)):
        self.checkpoints = checkpoints

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X

    def staged_transform(self, X):
        return (X[:, : k + 1] for k in range(3))


FITTED = Widening().fit(X)


def test_draws_a_ridge_for_every_stage(pyplot):
    display = TrainingDynamicsDisplay.from_fitted(FITTED, X, Y, n_samples=[20, 100])
    assert display.test_error.shape == display.lower.shape == (3, 2)
    for k in range(3):
        ridge = DeterministicEquivalentRidge("optimal").fit(X[:, : k + 1], Y)
        error, low, high = ridge.predict_test_error([20, 100], "optimal", return_interval=True)
        np.testing.assert_allclose(display.test_error[k], error)
        np.testing.assert_allclose(display.lower[k], low)
        np.testing.assert_allclose(display.upper[k], high)
    for i, line in enumerate(display.lines_):
        np.testing.assert_array_equal(line.get_xdata(), [0, 1, 10])
        np.testing.assert_array_equal(line.get_ydata(), display.test_error[:, i])
    assert len(display.bands_) == 2
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["n = 20", "n = 100"]
    assert display.ax_.get_xlabel() == "training of the features (epochs)"
    display.figure_.canvas.draw()


def test_settings_of_the_readout_and_epochs(pyplot):
    readout = DeterministicEquivalentRidge(population="gcv", fit_intercept=False)
    _, ax = pyplot.subplots()
    display = TrainingDynamicsDisplay.from_fitted(
        FITTED, X, Y, epochs=[0.1, 2, 100], alpha=3.0, readout=readout, ax=ax
    )
    assert display.ax_ is ax and display.bands_ == [] and ax.get_xscale() == "log"
    np.testing.assert_array_equal(display.n_samples, [12, 120, 1200])
    expected = readout.fit(X[:, :1], Y).predict_test_error([12, 120, 1200], 3.0)
    np.testing.assert_allclose(display.test_error[0], expected)


def test_alpha_of_each_readout(pyplot):
    display = TrainingDynamicsDisplay.from_fitted(
        FITTED, X, Y, n_samples=50, alpha=None, readout=DeterministicEquivalentRidge(3.0)
    )
    expected = TrainingDynamicsDisplay.from_fitted(FITTED, X, Y, n_samples=50, alpha=3.0)
    np.testing.assert_allclose(display.test_error, expected.test_error)


def test_epochs_of_several_orders_keep_the_untrained_network(pyplot):
    epochs = np.r_[0, np.geomspace(0.1, 100, 12)]
    display = TrainingDynamicsDisplay.from_predictions(epochs, [5], np.full((13, 1), 2.0))
    low, high = display.ax_.get_xlim()
    assert display.ax_.get_xscale() == "symlog" and low < 0 < 100 < high
    assert len(display.ax_.get_xticks()) <= 9
    holes = np.where(epochs > 1, np.nan, 1.0)[:, None]
    display = TrainingDynamicsDisplay.from_predictions(epochs, [5], holes)
    assert "beyond reach" in display.ax_.get_legend().get_title().get_text()


def test_epochs_are_whole(pyplot):
    display = TrainingDynamicsDisplay.from_predictions([0, 1, 2], [30], np.full((3, 1), 0.5))
    assert np.all(display.ax_.get_xticks() % 1 == 0)
    half = TrainingDynamicsDisplay.from_predictions([0, 0.5, 1], [30], np.full((3, 1), 0.5))
    assert np.any(half.ax_.get_xticks() % 1 > 0)


def test_trained_features(pyplot):
    pytest.importorskip("torch", reason="the features are trained with torch")
    features = TrainedDeepFeatures((10,), max_epochs=2, checkpoints=(0, 2), random_state=0)
    features.fit(X[:60], Y[:60])
    display = TrainingDynamicsDisplay.from_fitted(features, X[60:], Y[60:], n_samples=60)
    np.testing.assert_array_equal(display.epochs, [0.0, 2.0])
    assert display.test_error.shape == (2, 1)
    plain = TrainedDeepFeatures((10,), max_epochs=1, random_state=0).fit(X[:60], Y[:60])
    with pytest.raises(ValueError, match="staged_transform needs checkpoints"):
        TrainingDynamicsDisplay.from_fitted(plain, X[60:], Y[60:])


@pytest.mark.parametrize(
    ("feature_map", "arguments", "error", "message"),
    [
        (RandomDeepFeatures((5,)).fit(X), {}, TypeError, "another transformer with staged_trans"),
        (Widening, {}, TypeError, "another transformer with staged_transform"),
        (Widening(), {}, NotFittedError, "not fitted"),
        (FITTED, {"epochs": [1, 2]}, ValueError, "one number for each of the 3 stages"),
        (FITTED, {"epochs": [3, 2, 1]}, ValueError, "epochs must be ascending"),
        (FITTED, {"n_samples": [0]}, ValueError, "n_samples must be finite and at least 1"),
        (FITTED, {"alpha": [1.0, 2.0]}, ValueError, "alpha must be one number, 'optimal' or"),
        (FITTED, {"alpha": "best"}, ValueError, "alpha='best' must be 'optimal'"),
        (FITTED, {"level": 2}, ValueError, "level=2 must lie between 0 and 1"),
    ],
)
def test_wrong_arguments(pyplot, feature_map, arguments, error, message):
    with pytest.raises(error, match=message):
        TrainingDynamicsDisplay.from_fitted(feature_map, X, Y, **arguments)


def test_numbers_of_another_shape(pyplot):
    with pytest.raises(
        ValueError, match=r"lower must have the shape \(epochs, n_samples\) = \(2, 1\)"
    ):
        TrainingDynamicsDisplay.from_predictions([0, 1], [5], np.ones((2, 1)), lower=[1.0])
