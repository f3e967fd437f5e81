"""The display of the error over n and alpha."""

import numpy as np
import pytest

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.model_selection import ErrorSurfaceDisplay
from sk_deepfeat.populations import ExactPopulation, LeaveOneOutPopulation

SIZES, ALPHAS = np.array([10.0, 30.0, 60.0, 600.0]), np.geomspace(1e-3, 1e3, 7)


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_draws_what_the_estimator_answers(pyplot, ridge):
    display = ErrorSurfaceDisplay.from_fitted(ridge, n_samples=SIZES, alphas=ALPHAS)
    expected = ridge.predict_test_error(SIZES[:, None], ALPHAS)
    np.testing.assert_array_equal(display.test_error, expected)
    np.testing.assert_array_equal(display.reachable, np.isfinite(expected))
    np.testing.assert_allclose(display.optimal_alpha[:3], ridge.optimal_alpha(SIZES[:3]))
    drawn = display.mesh_.get_array().reshape(ALPHAS.size, SIZES.size).T
    np.testing.assert_array_equal(np.ma.filled(drawn, np.nan), expected)
    assert np.isnan(expected).any(), "the case has cells beyond reach"
    np.testing.assert_array_equal(display.line_.get_xdata(), SIZES)
    assert legend(display) == ["best alpha for each n", "beyond the reach of the training set"]
    assert display.colorbar_.ax.get_ylabel() == "test error (squared units of y)"
    assert display.ax_.get_xlabel() == "n (training samples)"
    assert display.ax_.patch.get_hatch()
    display.figure_.canvas.draw()


def test_hatches_numbers_beyond_reach(pyplot, rows):
    bold = DeterministicEquivalentRidge(population=LeaveOneOutPopulation(extrapolate=True))
    display = ErrorSurfaceDisplay.from_fitted(bold.fit(*rows), n_samples=SIZES, alphas=ALPHAS)
    assert np.isfinite(display.test_error).all() and not display.reachable.all()
    hatched = [c for c in display.ax_.collections if c.get_hatch()]
    assert len(hatched) == 1
    assert np.ma.count(hatched[0].get_array()) == np.sum(~display.reachable)


def test_a_known_population_is_reachable_everywhere(pyplot, rows):
    exact = ExactPopulation(np.eye(90), np.full(90, 0.05), 1.0)
    ridge = DeterministicEquivalentRidge(population=exact).fit(*rows)
    display = ErrorSurfaceDisplay.from_fitted(ridge)
    assert display.reachable.all() and legend(display) == ["best alpha for each n"]
    assert display.n_samples.max() == 600 and display.alphas.min() < ridge.optimal_alpha()
    assert display.contours_ is not None


@pytest.mark.parametrize("error", [1.0, 1e-9, 1e9])
def test_a_constant(pyplot, error):
    display = ErrorSurfaceDisplay.from_predictions([1, 2], [1, 2], np.full((2, 2), error))
    assert display.contours_ is None and display.line_ is None
    display.figure_.canvas.draw()


def test_no_optimum_above_zero(pyplot, rows):
    """Without noise the best alpha is zero: the axis follows the strength of the features."""
    X, _ = rows
    ridge = DeterministicEquivalentRidge(alpha=0).fit(X[:, :5], X[:, 0])
    display = ErrorSurfaceDisplay.from_predictions(
        [10, 20], [1e-3, 1.0], ridge.predict_test_error([[10], [20]], [1e-3, 1.0]), [0.0, 0.0]
    )
    assert np.isnan(display.line_.get_ydata()).all()
    display.figure_.canvas.draw()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([10, 20], [1.0, 2.0], np.ones((3, 2))), r"test_error must have the shape .* = \(2, 2\)"),
        (([20, 10], [1.0, 2.0], np.ones((2, 2))), "n_samples must be at least two ascending"),
        (([10, 20], [0.0, 2.0], np.ones((2, 2))), "alphas must be finite and above 0"),
        (([10, 20], ["a", "b"], np.ones((2, 2))), "alphas must be a non-empty 1-d array"),
        (([10, 20], [1.0, 2.0], np.full((2, 2), np.nan)), "nothing can be drawn"),
        (([10, 20], [1.0, 2.0], np.ones((2, 2)), [1.0]), "optimal_alpha must have the shape"),
        (([10, 20], [1.0, 2.0], np.ones((2, 2)), None, [True]), "reachable must have the shape"),
    ],
)
def test_wrong_numbers(pyplot, arguments, message):
    with pytest.raises(ValueError, match=message):
        ErrorSurfaceDisplay.from_predictions(*arguments)
