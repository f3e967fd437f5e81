"""`ridge_learning_curve` with nothing but rows, and of estimators that wrap a ridge."""

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sk_deepfeat import DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection import ridge_learning_curve

X, Y = load_diabetes(return_X_y=True)


def curve_of(estimator, X=X, y=Y, **options):
    return ridge_learning_curve(estimator, X, y, n_repeats=2, random_state=0, **options)


def test_sizes_and_alphas_are_about_the_data():
    curve = curve_of(Ridge())
    np.testing.assert_array_equal(curve.train_sizes, [40, 71, 126, 223, 397])
    best = DeterministicEquivalentRidge().fit(X, Y).optimal_alpha(397)
    np.testing.assert_allclose(curve.alphas, [0.1 * best, best, 10.0 * best], rtol=0.05)
    assert all(float(f"{alpha:.1e}") == alpha for alpha in curve.alphas), "short to write"
    assert curve.predicted.shape == (5, 3) and curve.level == 0.9
    scaled = curve_of(Ridge(), 100.0 * X)
    np.testing.assert_allclose(scaled.alphas, 1e4 * curve.alphas, rtol=0.05)
    half = curve_of(Ridge(), train_sizes=[100], alphas=curve.alphas, level=0.5)
    assert half.level == 0.5
    wide = curve_of(Ridge(), train_sizes=[100], alphas=curve.alphas)
    assert np.all(half.lower > wide.lower) and np.all(half.upper < wide.upper)
    with pytest.raises(ValueError, match="level"):
        curve_of(Ridge(), level=2.0)


@pytest.mark.parametrize("n", [6, 12])
def test_few_rows(n):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n, 2))
    curve = curve_of(Ridge(), rows, rows[:, 0] + rng.normal(size=n))
    assert curve.train_sizes[0] == 2 and curve.train_sizes[-1] == n - max(1, -(-n // 10))
    assert np.all(np.diff(curve.train_sizes) > 0) and np.all(curve.alphas > 0)


def test_groups_and_classes():
    groups = np.arange(len(Y)) // 9
    curve = curve_of(Ridge(), groups=groups)
    np.testing.assert_array_equal(curve.n_groups, [4, 8, 14, 25, 45])
    rows, labels = load_iris(return_X_y=True)
    curve = curve_of(make_pipeline(StandardScaler(), RidgeClassifier()), rows, labels)
    assert curve.metric == "error_rate" and curve.predicted.shape == (5, 3)
    classifier = DeterministicEquivalentRidgeClassifier().fit(rows, labels)
    best = classifier.optimal_alpha(135)
    curve = curve_of(RidgeClassifier(), rows, labels, train_sizes=[135])
    np.testing.assert_allclose(curve.alphas[1], best, rtol=0.05)


def test_without_noise_alphas_are_about_the_features():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(80, 4))
    curve = curve_of(Ridge(), rows, rows @ np.ones(4), train_sizes=[40])
    assert 0.1 < curve.alphas[1] < 100.0
    flat = curve_of(Ridge(), np.zeros((30, 2)), rng.normal(size=30), train_sizes=[10])
    assert np.all(flat.alphas > 0.0)


LINEAR = {"transformer": StandardScaler()}


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_linear_targets_have_the_curve_of_the_original_ones(fit_intercept):
    options = {"train_sizes": [50, 200], "alphas": [0.1, 1.0]}
    ridge = Ridge(fit_intercept=fit_intercept)
    centred = Y if fit_intercept else Y - Y.mean()
    expected = curve_of(ridge, y=centred, **options)
    for transformer in (StandardScaler(), make_pipeline(StandardScaler(), StandardScaler())):
        found = curve_of(TransformedTargetRegressor(ridge, transformer=transformer), **options)
        np.testing.assert_allclose(found.measured, expected.measured)
        np.testing.assert_allclose(found.predicted, expected.predicted)


def test_measured_errors_are_those_of_the_wrapped_estimator():
    """By hand: the wrapper itself is fitted on a subset, and measured on the others."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(90, 5))
    targets = rows @ rng.normal(size=(5, 2)) * [1.0, 50.0] + rng.normal(size=(90, 2)) + 7.0
    inner = make_pipeline(StandardScaler(), MultiOutputRegressor(Ridge(3.0)))
    model = TransformedTargetRegressor(inner, transformer=MinMaxScaler())
    curve = curve_of(model, rows, targets, train_sizes=[30], alphas=[3.0])
    for repeat, (train, test) in enumerate(curve.splits[0]):
        fitted = model.fit(rows[train], targets[train])
        error = np.square(fitted.predict(rows[test]) - targets[test]).mean()
        np.testing.assert_allclose(curve.measured[0, 0, repeat], error)


def test_other_targets_are_measured_in_their_own_units():
    options = {"train_sizes": [100], "alphas": [0.1, 1.0]}
    model = TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp)
    with pytest.warns(PopulationWarning, match="which is not linear"):
        found = curve_of(model, **options)
    expected = curve_of(Ridge(), y=np.log(Y), **options)
    np.testing.assert_allclose(found.measured, expected.measured)


def test_wrappers_in_pipelines_and_searches():
    options = {"train_sizes": [100], "alphas": [0.1, 1.0]}
    expected = curve_of(make_pipeline(StandardScaler(), MinMaxScaler(), Ridge()), **options)
    inner = make_pipeline(MinMaxScaler(), Ridge())
    nested = make_pipeline(StandardScaler(), TransformedTargetRegressor(inner, **LINEAR))
    np.testing.assert_allclose(curve_of(nested, **options).measured, expected.measured)
    grid = {"transformedtargetregressor__check_inverse": [False]}
    search = GridSearchCV(nested, grid, cv=2)
    with pytest.raises(TypeError, match="must be fitted: the learning curve of a search"):
        curve_of(search, **options)
    np.testing.assert_allclose(curve_of(search.fit(X, Y), **options).measured, expected.measured)
    with pytest.raises(TypeError, match="estimator must be a ridge"):
        curve_of(TransformedTargetRegressor(), **options)
