"""The display of the calibration check."""

import numpy as np
import pytest

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection import CalibrationCheckDisplay


def test_draws_the_ratios(pyplot):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 20))
    ridge = DeterministicEquivalentRidge().fit(X, X[:, 0] + rng.normal(size=200))
    check = ridge.calibration_check()
    display = CalibrationCheckDisplay.from_fitted(ridge)
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
    assert display.ax_.get_title() == ""


def test_a_failed_check_says_where_and_why_above_the_axes(pyplot):
    rng = np.random.default_rng(0)
    X = np.hstack([rng.normal(size=(300, 10)), rng.random((300, 30)) < 0.01])
    y = X[:, 0] + X[:, 10:] @ rng.normal(scale=2.0, size=30) + 0.5 * rng.normal(size=300)
    with pytest.warns(PopulationWarning):
        check = DeterministicEquivalentRidge().fit(X, y).calibration_check()
    title = CalibrationCheckDisplay.from_result(check).ax_.get_title()
    assert " ".join(title.split()) == check.verdict
    assert check.where in check.verdict and check.verdict.endswith(": rare columns")
