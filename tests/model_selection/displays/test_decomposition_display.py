"""The display of bias, variance and noise over n."""

import numpy as np
import pytest

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.model_selection import ErrorDecompositionDisplay
from sk_deepfeat.populations import ExactPopulation


def test_one_sample_draws_the_two_sums(pyplot, ridge):
    display = ErrorDecompositionDisplay.from_fitted(ridge, n_samples=[10, 30, 60, 90])
    assert list(display.lines_) == ["total", "bias_and_noise", "total_variance"]
    total = ridge.predict_test_error(display.n_samples)
    np.testing.assert_allclose(display.lines_["total"].get_ydata(), total)
    assert "two sums only" in display.ax_.get_legend().get_title().get_text()
    assert display.ax_.get_ylabel() == "test error (squared units of y)"


def test_a_known_population_draws_all_parts(pyplot, rows):
    exact = ExactPopulation(np.eye(90), np.full(90, 0.05), 1.0)
    ridge = DeterministicEquivalentRidge(alpha=2.0, population=exact).fit(*rows)
    for alpha in (None, 5.0, "optimal"):
        display = ErrorDecompositionDisplay.from_fitted(ridge, alpha=alpha)
        assert list(display.lines_) == ["total", "bias", "variance", "noise_variance", "noise"]
        total = ridge.predict_test_error(display.n_samples, alpha)
        np.testing.assert_allclose(display.lines_["total"].get_ydata(), total)
        noise = display.lines_["noise"].get_ydata()
        np.testing.assert_allclose(noise, 1.0 - 90 * 0.05**2)
    assert display.ax_.get_legend().get_title().get_text() == "best alpha for each n"


def test_wrong_numbers(pyplot, ridge):
    with pytest.raises(ValueError, match="alpha must be one number"):
        ErrorDecompositionDisplay.from_fitted(ridge, alpha=[1.0, 2.0])
    with pytest.raises(ValueError, match=r"decomposition.bias must have the shape"):
        ErrorDecompositionDisplay.from_predictions([1, 2], ridge.predict_decomposition([1, 2, 3]))


def test_a_part_that_is_too_small_to_draw_is_said_to_be(pyplot, rows):
    exact = ExactPopulation(np.eye(90), np.full(90, 0.001), 1.0)
    ridge = DeterministicEquivalentRidge(alpha=2.0, population=exact).fit(*rows)
    display = ErrorDecompositionDisplay.from_fitted(ridge, n_samples=[200, 400])
    assert np.isnan(display.lines_["bias"].get_ydata()).all()
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == [
        "test error (the sum)",
        "squared bias,\ntoo small to draw",
        "variance without label noise,\ntoo small to draw",
        "variance from label noise",
        "noise",
    ]
