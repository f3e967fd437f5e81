"""Learning curves of classifiers: measured against explicit refits, predicted by the classifier."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelBinarizer, StandardScaler, scale
from sklearn.utils.extmath import softmax

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageClassifier,
)
from sk_deepfeat.model_selection import ridge_learning_curve
from sk_deepfeat.model_selection.curve_errors import ClassLosses
from sk_deepfeat.model_selection.refits import measure_subset

X, NUMBER = load_wine(return_X_y=True)
X = scale(X)[:, :6] + np.random.default_rng(0).normal(size=(178, 6))
THREE = np.array(["barolo", "grignolino", "barbera"])[NUMBER]
TWO = NUMBER == 1
SCORERS = {
    "error_rate": "accuracy",
    "balanced_error": "balanced_accuracy",
    "log_loss": "neg_log_loss",
    "mse": "neg_mean_squared_error",
}
ASKED = {"train_sizes": [4, 60], "alphas": [0.5, 20.0], "n_repeats": 3, "random_state": 0}


def loss(metric, fitted, rows, labels):
    """Independent slow measurement with scikit-learn alone."""
    scores, classes = fitted.decision_function(rows), fitted.classes_
    if metric == "error_rate":
        return 1.0 - accuracy_score(labels, fitted.predict(rows))
    if metric == "balanced_error":
        return 1.0 - balanced_accuracy_score(labels, fitted.predict(rows))
    if metric == "mse":
        codes = LabelBinarizer(neg_label=-1).fit(classes).transform(labels)
        return np.mean((scores.reshape(codes.shape) - codes) ** 2)
    if scores.ndim == 1:
        scores = np.c_[-scores, scores]
    return log_loss(labels, softmax(2.0 * scores), labels=classes)


@pytest.mark.parametrize("class_weight", [None, "balanced", "unequal"])
@pytest.mark.parametrize("metric", SCORERS)
@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_measured_equals_explicit_refits(y, metric, class_weight):
    if class_weight == "unequal":
        class_weight = {label: 0.5 + 2.0 * k for k, label in enumerate(np.unique(y))}
    ridge = RidgeClassifier(class_weight=class_weight)
    asked = {**ASKED, "train_sizes": [30, 60]}
    curve = ridge_learning_curve(ridge, X, y, scoring=SCORERS[metric], **asked)
    assert curve.metric == metric and curve.measured.shape == (2, 2, 3)
    for s, repeats in enumerate(curve.splits):
        for r, (train, test) in enumerate(repeats):
            for a, alpha in enumerate(curve.alphas):
                fitted = clone(ridge).set_params(alpha=alpha).fit(X[train], y[train])
                expected = loss(metric, fitted, X[test], y[test])
                assert curve.measured[s, a, r] == pytest.approx(expected, rel=1e-8), (s, r, a)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_weights_of_rows_and_classes(class_weight):
    weight = np.random.default_rng(1).uniform(0.1, 4.0, len(X))
    ridge = RidgeClassifier(class_weight=class_weight)
    asked = {**ASKED, "train_sizes": [30, 60], "sample_weight": weight}
    curve = ridge_learning_curve(ridge, X, THREE, **asked)
    balanced = ridge_learning_curve(ridge, X, THREE, scoring="balanced_accuracy", **asked)
    for s, r in ((0, 0), (1, 2)):
        train, test = curve.splits[s][r]
        for a, alpha in enumerate(curve.alphas):
            fitted = clone(ridge).set_params(alpha=alpha).fit(X[train], THREE[train], weight[train])
            expected = 1.0 - fitted.score(X[test], THREE[test], weight[test])
            assert curve.measured[s, a, r] == pytest.approx(expected)
            wrong = fitted.predict(X[test]) != THREE[test]
            of_class = [
                np.average(wrong[THREE[test] == k], weights=weight[test][THREE[test] == k])
                for k in np.unique(THREE)
            ]
            assert balanced.measured[s, a, r] == pytest.approx(np.mean(of_class))
    fitted = DeterministicEquivalentRidgeClassifier(class_weight=class_weight)
    fitted.fit(X, THREE, weight)
    predicted = fitted.predict_test_error([[30], [60]], ASKED["alphas"])
    np.testing.assert_allclose(curve.predicted, predicted)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_subset_predicts_the_classes_it_has(fit_intercept):
    """Ridge on the labels of the subset alone, or its one class."""
    ridge = RidgeClassifier(alpha=0.5, fit_intercept=fit_intercept)
    asked = {**ASKED, "n_repeats": 30, "train_sizes": [2, 4]}
    curve = ridge_learning_curve(ridge, X, THREE, **asked)
    seen = set()
    for s, repeats in enumerate(curve.splits):
        for r, (train, test) in enumerate(repeats):
            known = np.unique(THREE[train])
            seen.add(known.size)
            if known.size == 1:
                expected = np.mean(THREE[test] != known[0])
            else:
                fitted = clone(ridge).fit(X[train], THREE[train])
                expected = np.mean(fitted.predict(X[test]) != THREE[test])
            assert curve.measured[s, 0, r] == pytest.approx(expected)
    assert seen == {1, 2, 3}


@pytest.mark.parametrize("weight", [None, "balanced", {False: 0.0}])
def test_one_class_alone_is_predicted_everywhere(weight):
    train, test = np.flatnonzero(~TWO)[:5], np.flatnonzero(TWO)[:7]
    found = {
        metric: measure_subset(
            None, X, TWO, train, test, np.ones(2), True, ClassLosses(np.unique(TWO), metric, weight)
        )
        for metric in SCORERS
    }
    surely = {"error_rate": 1.0, "balanced_error": 1.0, "mse": 4.0, "log_loss": np.logaddexp(0, 4)}
    for metric, expected in surely.items():
        np.testing.assert_allclose(found[metric], [expected, expected])


@pytest.mark.parametrize("metric", SCORERS)
def test_predicted_is_the_classifiers(metric):
    ridge = DeterministicEquivalentRidgeClassifier(class_weight="balanced")
    curve = ridge_learning_curve(ridge, X, THREE, scoring=SCORERS[metric], **ASKED)
    fitted = ridge.fit(X, THREE)
    error, low, high = fitted.predict_test_error(
        [[4], [60]], ASKED["alphas"], metric=metric, return_interval=True
    )
    np.testing.assert_allclose(curve.predicted, error)
    np.testing.assert_allclose(curve.lower, low)
    np.testing.assert_allclose(curve.upper, high)
    assert curve.reachable.all()
    plain = ridge_learning_curve(
        RidgeClassifier(class_weight="balanced", random_state=0),
        X,
        THREE,
        scoring=SCORERS[metric],
        **ASKED,
    )
    np.testing.assert_array_equal(plain.predicted, curve.predicted)
    np.testing.assert_array_equal(plain.measured, curve.measured)


def test_predicted_and_measured_agree():
    asked = {**ASKED, "train_sizes": [40, 80, 140], "n_repeats": 20}
    curve = ridge_learning_curve(RidgeClassifier(), X, THREE, **asked)
    assert curve.metric == "error_rate"
    assert np.max(np.abs(curve.relative_error)) < 0.2


def test_squared_errors_of_two_classes_are_those_of_a_regression_of_codes():
    asked = {**ASKED, "scoring": "neg_mean_squared_error", "population": "gcv"}
    of_classes = ridge_learning_curve(RidgeClassifier(), X, TWO, **asked)
    of_numbers = ridge_learning_curve(Ridge(), X, np.where(TWO, 1.0, -1.0), **asked)
    np.testing.assert_allclose(of_classes.measured, of_numbers.measured)
    np.testing.assert_allclose(of_classes.predicted, of_numbers.predicted)
    assert of_classes.lower is None and of_numbers.metric == "mse"


def test_two_stages_and_pipelines():
    two = TwoStageClassifier(
        RandomDeepFeatures((20,), random_state=0), RidgeClassifier(), random_state=0
    )
    curve = ridge_learning_curve(two, X, THREE, **ASKED)
    fitted = two.fit(X, THREE)
    rows = fitted.readout_indices_
    features = fitted.feature_map_.transform(X)
    train, test = curve.splits[1][0]
    assert set(train) | set(test) == set(rows)
    readout = RidgeClassifier(0.5).fit(features[train], THREE[train])
    wrong = np.mean(readout.predict(features[test]) != THREE[test])
    assert curve.measured[1, 0, 0] == pytest.approx(wrong)
    pipeline = make_pipeline(StandardScaler(), RidgeClassifier(0.5))
    curve = ridge_learning_curve(pipeline, X, THREE, **ASKED)
    train, test = curve.splits[1][0]
    wrong = np.mean(pipeline.fit(X[train], THREE[train]).predict(X[test]) != THREE[test])
    assert curve.measured[1, 0, 0] == pytest.approx(wrong)


def test_groups_stay_whole():
    groups = np.arange(178) // 3
    asked = {**ASKED, "train_sizes": [10, 40]}
    curve = ridge_learning_curve(RidgeClassifier(), X, THREE, groups=groups, **asked)
    for repeats in curve.splits:
        assert not any(set(groups[train]) & set(groups[test]) for train, test in repeats)
    fitted = DeterministicEquivalentRidgeClassifier().fit(X, THREE, groups=groups)
    expected = fitted.predict_test_error(n_groups=[[10], [40]], alpha=ASKED["alphas"])
    np.testing.assert_allclose(curve.predicted, expected)


def test_numbers_do_not_depend_on_the_workers():
    alone = ridge_learning_curve(RidgeClassifier(), X, THREE, n_jobs=1, **ASKED)
    many = ridge_learning_curve(RidgeClassifier(), X, THREE, n_jobs=2, **ASKED)
    np.testing.assert_array_equal(alone.measured, many.measured)


@pytest.mark.parametrize(
    ("estimator", "y", "changed", "message"),
    [
        (RidgeClassifier(), THREE, {"scoring": "r2"}, "scoring='r2' must be one of None, 'accura"),
        (
            Ridge(),
            X[:, 0],
            {"scoring": "accuracy"},
            "scoring='accuracy' must be .* for a regressor",
        ),
        (RidgeClassifier(), THREE, {"population": "gcv"}, "'gcv' knows squared errors of classes"),
        (RidgeClassifier(), X[:, 0], {}, "Unknown label type: continuous"),
        (RidgeClassifier(positive=True), TWO, {}, "positive=True is not plain ridge"),
    ],
)
def test_bad_arguments(estimator, y, changed, message):
    with pytest.raises(ValueError, match=message):
        ridge_learning_curve(estimator, X, y, **{**ASKED, **changed})


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        TwoStageClassifier("random", LogisticRegression()),
        TwoStageClassifier("random", DeterministicEquivalentRidge()),
    ],
)
def test_only_ridges_of_classes(estimator):
    with pytest.raises(TypeError, match="must be a ridge"):
        ridge_learning_curve(estimator, X, THREE, **ASKED)


def test_what_was_never_wrong_has_no_relative_error():
    curve = ridge_learning_curve(RidgeClassifier(), 50.0 * np.c_[NUMBER == 0, TWO], THREE, **ASKED)
    assert np.all(curve.measured[1] == 0.0) and np.all(np.isnan(curve.relative_error[1]))
