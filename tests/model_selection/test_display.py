import builtins

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.model_selection import (
    CalibrationCheckDisplay,
    RidgeLearningCurve,
    RidgeLearningCurveDisplay,
)

CURVE = RidgeLearningCurve(
    np.array([100, 10]),
    np.array([0.0, 1.0]),
    np.array([[1.0, 2.0], [np.nan, 3.0]]),
    np.array([[[1.1, 0.9], [2.1, 2.0]], [[4.0, 4.2], [3.0, 3.1]]]),
)


@pytest.fixture
def pyplot():
    plt = pytest.importorskip("matplotlib.pyplot", reason="displays need matplotlib")
    yield plt
    plt.close("all")


def test_draws_the_stored_numbers(pyplot):
    display = RidgeLearningCurveDisplay.from_result(CURVE)
    assert len(display.lines_) == len(display.errorbars_) == 2
    np.testing.assert_array_equal(display.lines_[1].get_xdata(), [10, 100])
    np.testing.assert_array_equal(display.lines_[1].get_ydata(), [3.0, 2.0])
    points = display.errorbars_[0].lines[0]
    np.testing.assert_allclose(points.get_ydata(), [4.1, 1.0])
    assert display.ax_.get_xscale() == display.ax_.get_yscale() == "log"
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["alpha = 0", "alpha = 1"]
    display.figure_.canvas.draw()


def test_draws_into_given_axes(pyplot):
    _, ax = pyplot.subplots()
    assert RidgeLearningCurveDisplay.from_result(CURVE, ax=ax).ax_ is ax


def test_from_estimator(pyplot):
    X, y = load_diabetes(return_X_y=True)
    display = RidgeLearningCurveDisplay.from_estimator(
        Ridge(), X, y, train_sizes=[50], alphas=[1.0], n_repeats=1, random_state=0
    )
    assert display.measured_mean.shape == (1, 1) and np.isnan(display.measured_se).all()
    assert display.ax_.get_ylabel() == "test error (squared units of y)"


def test_check_display_draws_the_ratios(pyplot):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 20))
    ridge = DeterministicEquivalentRidge().fit(X, X[:, 0] + rng.normal(size=200))
    check = ridge.calibration_check()
    display = CalibrationCheckDisplay.from_estimator(ridge)
    np.testing.assert_allclose(display.ratio, check.measured / check.predicted)
    assert len(display.errorbars_) == np.unique(check.n_samples).size
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == [f"n = {n:.0f}" for n in np.unique(check.n_samples)]
    first = check.n_samples == check.n_samples.min()
    points = display.errorbars_[0].lines[0]
    np.testing.assert_allclose(points.get_xdata(), check.alpha[first])
    _, ax = pyplot.subplots()
    assert CalibrationCheckDisplay.from_result(check, ax=ax).ax_ is ax
    display.figure_.canvas.draw()


def test_missing_matplotlib(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install \"sk-deepfeat\[plot\]\""):
        RidgeLearningCurveDisplay.from_result(CURVE)
