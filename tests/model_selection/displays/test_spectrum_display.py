"""The display of the spectrum and of the degrees of freedom."""

import numpy as np
import pytest

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.model_selection import SpectrumDisplay
from sk_deepfeat.populations import ExactPopulation


@pytest.mark.parametrize("population", ["leave-one-out", "gcv"])
def test_draws_spectrum_and_degrees_of_freedom(pyplot, rows, population):
    ridge = DeterministicEquivalentRidge(population=population).fit(*rows)
    display = SpectrumDisplay.from_fitted(ridge, n_samples=[20, 60])
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


def test_a_known_population(pyplot, rows):
    exact = ExactPopulation(np.diag(np.arange(1.0, 91)), np.full(90, 0.05), 1.0)
    ridge = DeterministicEquivalentRidge(population=exact).fit(*rows)
    _, axes = pyplot.subplots(1, 2)
    display = SpectrumDisplay.from_fitted(ridge, alpha="optimal", ax=axes)
    assert display.axes_[0] is axes[0] and display.axes_[1] is axes[1]
    known = display.lines_["population_eigenvalues"].get_ydata()
    np.testing.assert_allclose(known, np.arange(90.0, 0, -1))


def test_what_has_no_spectrum(pyplot, rows, ridge):
    _, y = rows
    with pytest.raises(ValueError, match="All features are constant"):
        SpectrumDisplay.from_fitted(DeterministicEquivalentRidge().fit(np.ones((60, 3)), y))
    with pytest.raises(ValueError, match="draws into 2 axes"):
        SpectrumDisplay.from_fitted(ridge, ax=pyplot.subplots()[1])
