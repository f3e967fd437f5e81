"""The display of predicted and measured learning curves."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.model_selection import (
    RidgeLearningCurve,
    RidgeLearningCurveDisplay,
    ridge_learning_curve,
)
from sk_deepfeat.populations import LeaveOneOutPopulation

CURVE = RidgeLearningCurve(
    np.array([100, 10]),
    np.array([0.0, 1.0]),
    np.array([[1.0, 2.0], [np.nan, 3.0]]),
    np.array([[[1.1, 0.9], [2.1, 2.0]], [[4.0, 4.2], [3.0, 3.1]]]),
)


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


def test_intervals_and_the_end_of_reach_are_drawn(pyplot):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 90)) * np.arange(1, 91) ** -0.5
    y = X[:, 0] + 0.3 * rng.normal(size=60)
    sizes, alphas = [20, 40, 60, 400, 600], [1e-3, 100.0, "optimal"]
    for extrapolate in (False, True):
        population = LeaveOneOutPopulation(extrapolate=extrapolate)
        ridge = DeterministicEquivalentRidge(population=population).fit(X, y)
        display = RidgeLearningCurveDisplay.from_fitted(
            ridge, n_samples=sizes, alphas=alphas, level=0.8
        )
        error, low, high = ridge.predict_test_error(
            np.array(sizes)[:, None], alphas[:2], return_interval=True, level=0.8
        )
        np.testing.assert_array_equal(display.predicted[:, :2], error)
        np.testing.assert_array_equal(display.lower[:, :2], low)
        np.testing.assert_array_equal(display.upper[:, :2], high)
        expected = ridge.predict_test_error(sizes[:3], "optimal")
        np.testing.assert_allclose(display.predicted[:3, 2], expected)
        assert len(display.bands_) == 3 and display.errorbars_ == []
        # in reach: a line; beyond: none, or a thin one from a bar on
        reach = ridge.reachable(sizes, 1e-3)
        np.testing.assert_array_equal(reach, [True, True, True, False, False])
        np.testing.assert_array_equal(np.isfinite(display.lines_[0].get_ydata()), reach)
        (bar,) = [
            line
            for line in display.ax_.lines
            if line.get_marker() == "|" and np.isclose(line.get_ydata()[0], error[2, 0])
        ]
        np.testing.assert_array_equal(bar.get_xdata(), [60])
        assert np.isfinite(error[3:, 0]).all() == extrapolate
        labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert labels == [
            "alpha = 0.001",
            "alpha = 100",
            f"best alpha for each n ({ridge.optimal_alpha():.3g} at n = 60)",
            "reach of the training set ends",
        ]
        assert "80 % intervals" in display.ax_.get_legend().get_title().get_text()
        display.figure_.canvas.draw()


def test_a_curve_with_refits_has_intervals_and_reach(pyplot):
    X, y = load_diabetes(return_X_y=True)
    arguments = {"train_sizes": [50, 200], "alphas": [0.1, 1.0], "random_state": 0}
    curve = ridge_learning_curve(DeterministicEquivalentRidge(), X, y, **arguments)
    assert np.all(curve.lower < curve.predicted) and np.all(curve.predicted < curve.upper)
    assert curve.reachable.all() and curve.reachable.shape == (2, 2)
    display = RidgeLearningCurveDisplay.from_result(curve)
    assert len(display.bands_) == len(display.errorbars_) == 2
    plain = ridge_learning_curve(Ridge(), X, np.c_[y, y], population="gcv", **arguments)
    assert plain.lower is None and plain.upper is None and plain.reachable.shape == (2, 2)
    assert RidgeLearningCurveDisplay.from_result(plain).bands_ == []


def test_fitted_curve_without_intervals_and_wrong_arguments(pyplot):
    X, y = load_diabetes(return_X_y=True)
    ridge = DeterministicEquivalentRidge("optimal", population="gcv").fit(X, y)
    display = RidgeLearningCurveDisplay.from_fitted(ridge)
    assert display.alphas == ["optimal"] and display.bands_ == []
    assert display.ax_.get_legend().get_title().get_text() == "predicted"
    assert RidgeLearningCurveDisplay.from_fitted(ridge, alphas=2).predicted.shape[1] == 1
    with pytest.raises(ValueError, match="alpha='best' must be 'optimal'"):
        RidgeLearningCurveDisplay.from_fitted(ridge, alphas=["best"])
    with pytest.raises(ValueError, match=r"alphas=.* must be finite and not negative"):
        RidgeLearningCurveDisplay.from_fitted(ridge, alphas=[-1.0])
    with pytest.raises(ValueError, match="n_samples must be a non-empty 1-d array"):
        RidgeLearningCurveDisplay.from_fitted(ridge, n_samples="many")


def test_draws_into_given_axes(pyplot):
    _, ax = pyplot.subplots()
    assert RidgeLearningCurveDisplay.from_result(CURVE, ax=ax).ax_ is ax


def test_the_old_name_of_the_sizes_warns(pyplot):
    display = RidgeLearningCurveDisplay.from_result(CURVE)
    with pytest.warns(FutureWarning, match=r"Display\.train_sizes is now called n_samples"):
        assert display.train_sizes is display.n_samples


def test_from_estimator(pyplot):
    X, y = load_diabetes(return_X_y=True)
    display = RidgeLearningCurveDisplay.from_estimator(
        Ridge(), X, y, train_sizes=[50], alphas=[1.0], n_repeats=1, random_state=0
    )
    assert display.measured_mean.shape == (1, 1) and np.isnan(display.measured_se).all()
    assert display.ax_.get_ylabel() == "test error (squared units of y)"
