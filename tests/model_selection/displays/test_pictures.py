"""What pictures mark, whatever wraps the ridge, and that they are legible on a phone."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.multioutput import MultiOutputRegressor
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageRegressor,
)
from sk_deepfeat.model_selection import displays
from sk_deepfeat.model_selection.displays import (
    CalibrationCheckDisplay,
    ErrorDecompositionDisplay,
    ErrorSurfaceDisplay,
    RidgeLearningCurveDisplay,
    SpectrumDisplay,
    TrainingDynamicsDisplay,
)
from sk_deepfeat.model_selection.displays.drawing import plain_numbers

ASKING = [getattr(displays, name) for name in displays.__all__ if name != "TrainingDynamicsDisplay"]
PHONE = 390  # pixels


@pytest.fixture(scope="module")
def targets():
    """Return rows and sixty targets of rising noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 12))
    noise = np.geomspace(0.3, 30.0, 60)
    return X, X @ rng.normal(size=(12, 60)) + noise * rng.normal(size=(150, 60))


def marked(ax):
    """Return the sizes of the fit that axes mark, and what stands there."""
    lines = [line.get_xdata()[0] for line in ax.lines if line.get_gid() == "size of the fit"]
    return lines, [text.get_text() for text in ax.texts if "the fit" in text.get_text()]


def test_the_size_of_the_fit_and_the_best_alpha_are_marked(pyplot, ridge):
    n = ridge.n_samples_
    for display in (RidgeLearningCurveDisplay, ErrorDecompositionDisplay, ErrorSurfaceDisplay):
        assert marked(display.from_fitted(ridge).ax_) == ([n], [f"the fit: n = {n}"])
    legend = RidgeLearningCurveDisplay.from_fitted(ridge).ax_.get_legend()
    best = f"best alpha for each n ({ridge.optimal_alpha():.3g} at n = {n})"
    assert best in [text.get_text() for text in legend.get_texts()]
    without = RidgeLearningCurveDisplay.from_fitted(ridge, alphas=[1.0])
    assert without.best_alpha is None and marked(without.ax_)[0] == [n]
    surface = ErrorSurfaceDisplay.from_fitted(ridge, n_samples=[2 * n, 4 * n])
    assert marked(surface.ax_) == ([], []), "beyond the axis"


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (25, 200, [30, 50, 70, 100, 200]),
        (400, 1100, [400, 500, 600, 700, 800, 900, 1000]),
        (25, 2400, [50, 100, 200, 500, 1000, 2000]),
        (25, 30_000, [100, 1000, 10_000]),
    ],
)
def test_numbers_along_an_axis_do_not_touch(pyplot, low, high, shown):
    figure, ax = pyplot.subplots()
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    plain_numbers(ax.xaxis)
    figure.canvas.draw()
    labels = [
        label
        for label in (*ax.get_xticklabels(), *ax.get_xticklabels(minor=True))
        if label.get_text() and low <= label.get_position()[0] <= high
    ]
    labels.sort(key=lambda label: label.get_position()[0])
    assert [float(label.get_text()) for label in labels] == shown
    boxes = [label.get_window_extent() for label in labels]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_parts_over_alpha(pyplot, ridge):
    drawn = ErrorDecompositionDisplay.from_fitted(ridge, over="alpha", n_samples=40)
    assert drawn.n_samples == 40 and drawn.alphas.size == 60
    found = ridge.predict_decomposition(40, drawn.alphas)
    np.testing.assert_array_equal(drawn.total_variance, found.total_variance)
    total = drawn.lines_["total"]
    np.testing.assert_array_equal(total.get_xdata(), drawn.alphas)
    np.testing.assert_allclose(total.get_ydata(), ridge.predict_test_error(40, drawn.alphas))
    assert "alpha" in drawn.ax_.get_xlabel()
    assert "n = 40" in drawn.ax_.get_legend().get_title().get_text()
    given = ErrorDecompositionDisplay.from_fitted(ridge, over="alpha", alphas=[0.1, 1.0])
    np.testing.assert_array_equal(given.alphas, [0.1, 1.0])
    assert given.n_samples == ridge.n_samples_
    for wrong, message in (
        ({"over": "kappa"}, "must be 'n_samples' or 'alpha'"),
        ({"alphas": [1.0]}, "for over='alpha' alone"),
        ({"over": "alpha", "alpha": 1.0}, "pass alphas"),
        ({"over": "alpha", "n_samples": [10, 20]}, "n_samples must be one number"),
    ):
        with pytest.raises(ValueError, match=message):
            ErrorDecompositionDisplay.from_fitted(ridge, **wrong)


def test_many_targets_as_a_distribution(pyplot, targets):
    ridge = DeterministicEquivalentRidge(3.0).fit(*targets)
    sizes = [50, 150, 400]
    drawn = RidgeLearningCurveDisplay.from_fitted(
        ridge, n_samples=sizes, outputs="quantiles", level=0.8
    )
    for column, alpha in enumerate((3.0, "optimal")):
        raw = ridge.predict_test_error(sizes, alpha, multioutput="raw_values")
        expected = np.quantile(raw, [0.5, 0.1, 0.9], axis=-1)
        found = [drawn.predicted, drawn.lower, drawn.upper]
        np.testing.assert_allclose([part[:, column] for part in found], expected)
    title = drawn.ax_.get_legend().get_title().get_text()
    assert title == "median over outputs; shaded: 80 % of them"
    mean = RidgeLearningCurveDisplay.from_fitted(ridge, n_samples=sizes, alphas=[3.0])
    np.testing.assert_allclose(mean.predicted[:, 0], ridge.predict_test_error(sizes))
    with pytest.raises(ValueError, match="outputs='median' must be 'mean' or 'quantiles'"):
        RidgeLearningCurveDisplay.from_fitted(ridge, outputs="median")
    classifier = DeterministicEquivalentRidgeClassifier().fit(targets[0], targets[1][:, 0] > 0)
    with pytest.raises(ValueError, match="for regressors of several outputs"):
        RidgeLearningCurveDisplay.from_fitted(classifier, outputs="quantiles")


@pytest.mark.parametrize("display", ASKING)
def test_wrapped_ridges_are_drawn_in_the_units_of_the_whole(pyplot, rows, display):
    X, y = rows
    plain = DeterministicEquivalentRidge().fit(X, y)
    model = TransformedTargetRegressor(DeterministicEquivalentRidge(), transformer=StandardScaler())
    few = {} if display is CalibrationCheckDisplay else {"n_samples": [20, 40]}
    found, expected = (
        {name: value for name, value in vars(drawn).items() if not name.endswith("_")}
        for drawn in (
            display.from_fitted(model.fit(X, y), **few),
            display.from_fitted(plain, **few),
        )
    )
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            np.testing.assert_allclose(found[name], value, rtol=5e-3, err_msg=name)


@pytest.mark.parametrize("display", ASKING)
def test_every_output_with_an_alpha_of_its_own(pyplot, targets, display):
    X, y = targets[0], targets[1][:, ::25]
    alone = DeterministicEquivalentRidge("optimal")
    each = MultiOutputRegressor(alone).fit(X, y)
    together = DeterministicEquivalentRidge("optimal", alpha_per_target=True).fit(X, y)
    few = {} if display is CalibrationCheckDisplay else {"n_samples": [50, 150]}
    for model in (each, together):
        drawn = display.from_fitted(model, **few)
        drawn.figure_.canvas.draw()
    if display is RidgeLearningCurveDisplay:
        np.testing.assert_allclose(
            drawn.predicted[:, 0], together.predict_test_error([50, 150], "optimal")
        )
        fixed = DeterministicEquivalentRidge([1.0, 10.0, 100.0]).fit(X, y)
        drawn = display.from_fitted(fixed, **few)
        np.testing.assert_allclose(drawn.predicted[:, 0], fixed.predict_test_error([50, 150]))
        labels = [text.get_text() for text in drawn.ax_.get_legend().get_texts()]
        assert labels[0] == "the fitted alphas"


def test_dynamics_train_the_features_first(pyplot):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4))
    y = np.tanh(X[:, 0]) + 0.1 * rng.normal(size=120)

    class Staged(RandomDeepFeatures):
        def staged_transform(self, X):
            features = self.transform(X)
            yield from (features[:, :5], features)

    stages = TwoStageRegressor(
        Staged((12,), random_state=0), DeterministicEquivalentRidge("optimal"), random_state=0
    )
    drawn = TrainingDynamicsDisplay.from_estimator(stages, X, y, epochs=[0, 3], n_samples=[20])
    fitted = stages.fit(X, y)
    left = fitted.readout_indices_
    expected = TrainingDynamicsDisplay.from_fitted(
        fitted.feature_map_, X[left], y[left], epochs=[0, 3], n_samples=[20]
    )
    np.testing.assert_array_equal(drawn.test_error, expected.test_error)
    groups = np.arange(120) // 4
    grouped = TrainingDynamicsDisplay.from_estimator(
        stages, X, y, groups=groups, epochs=[0, 3], n_samples=[20]
    )
    assert not np.array_equal(grouped.test_error, drawn.test_error)
    with pytest.raises(TypeError, match="must be a TwoStageRegressor or TwoStageClassifier"):
        TrainingDynamicsDisplay.from_estimator(Staged(), X, y)


@pytest.mark.parametrize("display", ASKING)
def test_letters_are_legible_on_a_phone(pyplot, ridge, display):
    """A new figure, shrunk to the width of a phone, has letters of eight pixels at least."""
    drawn = display.from_fitted(ridge)
    figure = drawn.figure_
    figure.canvas.draw()
    dots_per_point = PHONE / figure.get_figwidth() / 72.0
    axes = drawn.axes_ if display is SpectrumDisplay else [drawn.ax_]
    for ax in axes:
        letters = [*ax.texts, ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels()]
        legend = ax.get_legend()
        if legend is not None:
            letters += [*legend.get_texts(), legend.get_title()]
            box = legend.get_window_extent()
            assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1, "the legend is cut off"
        sizes = [text.get_fontsize() for text in letters if text.get_text()]
        assert min(sizes) * dots_per_point >= 8.0
