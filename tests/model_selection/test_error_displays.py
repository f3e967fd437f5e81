"""Displays of a fitted ridge: the surface and the decomposition of its predicted error."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures, TwoStageRegressor
from sk_deepfeat.model_selection import (
    ErrorDecompositionDisplay,
    ErrorSurfaceDisplay,
    SpectrumDisplay,
)
from sk_deepfeat.populations import ExactPopulation, LeaveOneOutPopulation

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 90)) * np.arange(1, 91) ** -0.5
Y = X[:, 0] + X[:, 3] + 0.3 * rng.normal(size=60)
RIDGE = DeterministicEquivalentRidge().fit(X, Y)
SIZES, ALPHAS = np.array([10.0, 30.0, 60.0, 600.0]), np.geomspace(1e-3, 1e3, 7)


@pytest.fixture
def pyplot():
    plt = pytest.importorskip("matplotlib.pyplot", reason="displays need matplotlib")
    yield plt
    plt.close("all")


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_surface_draws_what_the_estimator_answers(pyplot):
    display = ErrorSurfaceDisplay.from_estimator(RIDGE, n_samples=SIZES, alphas=ALPHAS)
    expected = RIDGE.predict_test_error(SIZES[:, None], ALPHAS)
    np.testing.assert_array_equal(display.test_error, expected)
    np.testing.assert_array_equal(display.reachable, np.isfinite(expected))
    np.testing.assert_allclose(display.optimal_alpha[:3], RIDGE.optimal_alpha(SIZES[:3]))
    drawn = display.mesh_.get_array().reshape(ALPHAS.size, SIZES.size).T
    np.testing.assert_array_equal(np.ma.filled(drawn, np.nan), expected)
    assert np.isnan(expected).any(), "the case has cells beyond reach"
    np.testing.assert_array_equal(display.line_.get_xdata(), SIZES)
    assert legend(display) == ["best alpha for each n", "beyond the reach of the training set"]
    assert display.colorbar_.ax.get_ylabel() == "test error (squared units of y)"
    assert display.ax_.get_xlabel() == "n (training samples)"
    assert display.ax_.patch.get_hatch()
    display.figure_.canvas.draw()


def test_surface_hatches_numbers_beyond_reach(pyplot):
    bold = DeterministicEquivalentRidge(population=LeaveOneOutPopulation(extrapolate=True))
    display = ErrorSurfaceDisplay.from_estimator(bold.fit(X, Y), n_samples=SIZES, alphas=ALPHAS)
    assert np.isfinite(display.test_error).all() and not display.reachable.all()
    hatched = [c for c in display.ax_.collections if c.get_hatch()]
    assert len(hatched) == 1
    assert np.ma.count(hatched[0].get_array()) == np.sum(~display.reachable)


def test_surface_of_a_known_population_is_reachable_everywhere(pyplot):
    exact = ExactPopulation(np.eye(90), np.full(90, 0.05), 1.0)
    ridge = DeterministicEquivalentRidge(population=exact).fit(X, Y)
    display = ErrorSurfaceDisplay.from_estimator(ridge)
    assert display.reachable.all() and legend(display) == ["best alpha for each n"]
    assert display.n_samples.max() == 600 and display.alphas.min() < ridge.optimal_alpha()
    assert display.contours_ is not None


@pytest.mark.parametrize("error", [1.0, 1e-9, 1e9])
def test_surface_of_a_constant(pyplot, error):
    display = ErrorSurfaceDisplay.from_predictions([1, 2], [1, 2], np.full((2, 2), error))
    assert display.contours_ is None and display.line_ is None
    display.figure_.canvas.draw()


def test_surface_without_an_optimum_above_zero(pyplot):
    """Without noise the best alpha is zero: the axis follows the strength of the features."""
    ridge = DeterministicEquivalentRidge(alpha=0).fit(X[:, :5], X[:, 0])
    display = ErrorSurfaceDisplay.from_predictions(
        [10, 20], [1e-3, 1.0], ridge.predict_test_error([[10], [20]], [1e-3, 1.0]), [0.0, 0.0]
    )
    assert np.isnan(display.line_.get_ydata()).all()
    display.figure_.canvas.draw()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([10, 20], [1.0, 2.0], np.ones((3, 2))), "one row for each of 2 n_samples"),
        (([20, 10], [1.0, 2.0], np.ones((2, 2))), "n_samples must be at least two ascending"),
        (([10, 20], [0.0, 2.0], np.ones((2, 2))), "alphas must be finite and above 0"),
        (([10, 20], ["a", "b"], np.ones((2, 2))), "alphas must be a non-empty 1-d array"),
        (([10, 20], [1.0, 2.0], np.full((2, 2), np.nan)), "nothing can be drawn"),
        (([10, 20], [1.0, 2.0], np.ones((2, 2)), [1.0]), "optimal_alpha must hold one number"),
        (([10, 20], [1.0, 2.0], np.ones((2, 2)), None, [True]), "reachable must have the shape"),
    ],
)
def test_surface_of_wrong_numbers(pyplot, arguments, message):
    with pytest.raises(ValueError, match=message):
        ErrorSurfaceDisplay.from_predictions(*arguments)


def test_what_ends_in_the_ridge_is_asked_for_it(pyplot):
    features, y = load_diabetes(return_X_y=True)
    ridge = DeterministicEquivalentRidge()
    pipeline = make_pipeline(StandardScaler(), ridge)
    two_stage = TwoStageRegressor(RandomDeepFeatures((20,), random_state=0), ridge, random_state=0)
    search = GridSearchCV(pipeline, {"deterministicequivalentridge__alpha": [1.0]}, cv=2)
    for estimator in (pipeline, two_stage, search):
        estimator.fit(features, y)
        display = ErrorSurfaceDisplay.from_estimator(estimator, n_samples=[50, 90], alphas=[1, 2])
        assert display.test_error.shape == (2, 2)


@pytest.mark.parametrize(
    "display", [ErrorSurfaceDisplay, ErrorDecompositionDisplay, SpectrumDisplay]
)
def test_wrong_estimators(pyplot, display):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(TypeError, match="must be a fitted DeterministicEquivalentRidge"):
        display.from_estimator(Ridge().fit(X, Y))
    with pytest.raises(TypeError, match="must be a fitted DeterministicEquivalentRidge"):
        display.from_estimator(DeterministicEquivalentRidge)
    with pytest.raises(NotFittedError):
        display.from_estimator(DeterministicEquivalentRidge())
    with pytest.raises(ValueError, match="n_samples must be finite and at least 1"):
        display.from_estimator(RIDGE, n_samples=[0, 10])


def test_decomposition_from_one_sample_draws_the_two_sums(pyplot):
    display = ErrorDecompositionDisplay.from_estimator(RIDGE, n_samples=[10, 30, 60, 90])
    assert list(display.lines_) == ["total", "bias_and_noise", "total_variance"]
    total = RIDGE.predict_test_error(display.n_samples)
    np.testing.assert_allclose(display.lines_["total"].get_ydata(), total)
    assert "two sums only" in display.ax_.get_legend().get_title().get_text()
    assert display.ax_.get_ylabel() == "test error (squared units of y)"


def test_decomposition_of_a_known_population_draws_all_parts(pyplot):
    exact = ExactPopulation(np.eye(90), np.full(90, 0.05), 1.0)
    ridge = DeterministicEquivalentRidge(alpha=2.0, population=exact).fit(X, Y)
    for alpha in (None, 5.0, "optimal"):
        display = ErrorDecompositionDisplay.from_estimator(ridge, alpha=alpha)
        assert list(display.lines_) == ["total", "bias", "variance", "noise_variance", "noise"]
        total = ridge.predict_test_error(display.n_samples, alpha)
        np.testing.assert_allclose(display.lines_["total"].get_ydata(), total)
        noise = display.lines_["noise"].get_ydata()
        np.testing.assert_allclose(noise, 1.0 - 90 * 0.05**2)
    assert display.ax_.get_legend().get_title().get_text() == "best alpha for each n"


def test_decomposition_of_wrong_numbers(pyplot):
    with pytest.raises(ValueError, match="alpha must be one number"):
        ErrorDecompositionDisplay.from_estimator(RIDGE, alpha=[1.0, 2.0])
    with pytest.raises(ValueError, match=r"decomposition.bias must hold one number"):
        ErrorDecompositionDisplay.from_predictions([1, 2], RIDGE.predict_decomposition([1, 2, 3]))


@pytest.mark.parametrize("population", ["leave-one-out", "gcv"])
def test_spectrum(pyplot, population):
    ridge = DeterministicEquivalentRidge(population=population).fit(X, Y)
    display = SpectrumDisplay.from_estimator(ridge, n_samples=[20, 60])
    assert list(display.lines_) == ["eigenvalues", "df1", "df2"]
    drawn = display.lines_["eigenvalues"].get_ydata()
    np.testing.assert_array_equal(drawn, ridge.eigenvalues_[: drawn.size])
    df1, df2 = ridge.degrees_of_freedom(display.kappa)
    np.testing.assert_array_equal(display.lines_["df1"].get_ydata(), df1)
    np.testing.assert_array_equal(display.lines_["df2"].get_ydata(), df2)
    left, right = display.axes_
    assert left.get_ylabel() == "eigenvalue (squared units of X)"
    labels = [text.get_text() for text in right.get_legend().get_texts()]
    assert labels[1:3] == ["κ at n = 20", "κ at n = 60"]
    marks = [line for line in right.lines if line.get_marker() in "os" and line.get_xdata()]
    for line, kappa in zip(marks, ridge.predict_kappa([20, 60]), strict=True):
        assert line.get_xdata()[0] == kappa
        at = float(ridge.degrees_of_freedom(kappa)[0])
        assert line.get_ydata()[0] == pytest.approx(at, rel=0.01)
    display.figure_.canvas.draw()


def test_spectrum_of_a_known_population(pyplot):
    exact = ExactPopulation(np.diag(np.arange(1.0, 91)), np.full(90, 0.05), 1.0)
    ridge = DeterministicEquivalentRidge(population=exact).fit(X, Y)
    _, axes = pyplot.subplots(1, 2)
    display = SpectrumDisplay.from_estimator(ridge, alpha="optimal", ax=axes)
    assert display.axes_[0] is axes[0] and display.axes_[1] is axes[1]
    known = display.lines_["population_eigenvalues"].get_ydata()
    np.testing.assert_allclose(known, np.arange(90.0, 0, -1))


def test_spectrum_of_what_has_none(pyplot):
    with pytest.raises(ValueError, match="All features are constant"):
        SpectrumDisplay.from_estimator(DeterministicEquivalentRidge().fit(np.ones((60, 3)), Y))
    with pytest.raises(ValueError, match="draws into two axes"):
        SpectrumDisplay.from_estimator(RIDGE, ax=pyplot.subplots()[1])
