"""The classifier: scikit-learn's conventions, `RidgeClassifier`'s numbers, and its questions."""

import pickle

import numpy as np
import pytest
from array_places import skip_without_cuda
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, make_classification
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import log_loss, zero_one_loss
from sklearn.model_selection import GridSearchCV, LeaveOneOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_deepfeat import DeterministicEquivalentRidgeClassifier
from sk_deepfeat.datasets import make_gaussian_classes
from sk_deepfeat.exceptions import PopulationWarning

X, Y, MIXTURE = make_gaussian_classes(300, n_features=25, n_classes=3, random_state=0)
NAMES = np.array(["ash", "birch", "cedar"])[Y]


@parametrize_with_checks(
    [
        DeterministicEquivalentRidgeClassifier(),
        DeterministicEquivalentRidgeClassifier("optimal", class_weight="balanced"),
    ]
)
@pytest.mark.filterwarnings("ignore::sk_deepfeat.exceptions.PopulationWarning")  # of odd rows
def test_sklearn_checks(estimator, check):
    skip_without_cuda(check)
    check(estimator)


@pytest.mark.parametrize("class_weight", [None, "balanced", {"ash": 3.0, "cedar": 0.5}])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_coefficients_and_predictions_of_ridge_classifier(class_weight, fit_intercept, weighted):
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 300) if weighted else None
    given = {"fit_intercept": fit_intercept, "class_weight": class_weight}
    ours = DeterministicEquivalentRidgeClassifier(4.0, **given).fit(X, NAMES, weights)
    theirs = RidgeClassifier(4.0, **given).fit(X, NAMES, weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-8, atol=1e-12)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-9)


@pytest.mark.parametrize("labels", [(0, 1), (-1, 1), (False, True), ("no", "yes"), (3.0, 7.0)])
def test_labels_of_any_type(labels):
    y = np.array(labels)[(Y == 0).astype(int)]
    ours = DeterministicEquivalentRidgeClassifier(2.0).fit(X, y)
    theirs = RidgeClassifier(2.0).fit(X, y)
    assert ours.classes_.dtype == y.dtype and ours.coef_.shape == theirs.coef_.shape
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize(
    ("y", "told"),
    [
        (np.eye(3, dtype=int)[Y], "several columns of labels"),
        (np.linspace(0.0, 1.0, 300), "Unknown label type"),
        (np.zeros(300, dtype=int), "one class"),
        (None, "requires y"),
    ],
)
def test_targets_that_are_no_classes_are_refused_by_name(y, told):
    with pytest.raises(ValueError, match=told):
        DeterministicEquivalentRidgeClassifier().fit(X, y)


def test_rows_of_weight_zero_may_leave_one_class():
    with pytest.raises(ValueError, match="one class alone, 'ash'"):
        DeterministicEquivalentRidgeClassifier().fit(X, NAMES, (Y == 0).astype(float))


def test_weights_of_unknown_classes_are_refused():
    with pytest.raises(ValueError, match="names \\['elm'\\], which y does not have"):
        DeterministicEquivalentRidgeClassifier(class_weight={"elm": 2.0}).fit(X, NAMES)


@pytest.fixture(scope="module")
def fitted():
    return DeterministicEquivalentRidgeClassifier(6.0).fit(X, NAMES)


@pytest.mark.parametrize("alpha", [6.0, 0.3])
def test_at_the_training_size_it_counts_leave_one_out(fitted, alpha):
    said = cross_val_predict(RidgeClassifier(alpha), X, NAMES, cv=LeaveOneOut())
    assert fitted.predict_test_error(alpha=alpha) == pytest.approx(zero_one_loss(NAMES, said))
    errors = fitted.predict_class_errors(alpha=alpha)
    for name, error in zip(fitted.classes_, errors.error, strict=True):
        assert error == pytest.approx(np.mean(said[name == NAMES] != name))
    mine = fitted.predict_test_error(alpha=alpha, metric="balanced_error")
    assert mine == pytest.approx(np.mean(errors.error))
    np.testing.assert_allclose(
        errors.floor, np.sqrt((1 - errors.error) / (errors.error * np.bincount(Y)))
    )


def test_attributes_are_error_rates(fitted):
    assert fitted.test_error_ == fitted.predict_test_error()
    assert fitted.train_error_ == pytest.approx(1.0 - fitted.score(X, NAMES))
    assert fitted.n_samples_ == 300 and fitted.classes_.tolist() == ["ash", "birch", "cedar"]


def test_other_sizes_are_those_of_the_known_mixture(fitted):
    n, alpha = np.array([[60], [150], [900]]), np.array([2.0, 6.0, 60.0])
    found, lower, upper = fitted.predict_test_error(n, alpha, return_interval=True)
    truth = MIXTURE.error_rate(n, alpha)
    assert found.shape == (3, 3)
    np.testing.assert_allclose(found, truth, rtol=0.25)
    assert np.all((lower <= found) & (found <= upper))
    assert np.mean((lower <= truth) & (truth <= upper)) > 0.8


def test_log_loss_is_that_of_the_softmax_of_scores(fitted):
    scores = cross_val_predict(
        RidgeClassifier(6.0), X, NAMES, cv=LeaveOneOut(), method="decision_function"
    )
    probabilities = np.exp(scores / 0.3)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    found = fitted.predict_test_error(metric="log_loss", temperature=0.3)
    assert found == pytest.approx(log_loss(NAMES, probabilities), rel=1e-5)
    with pytest.raises(ValueError, match="is for metric='log_loss'"):
        fitted.predict_test_error(temperature=0.3)
    with pytest.raises(ValueError, match="temperature=0 must be"):
        fitted.predict_test_error(metric="log_loss", temperature=0)


def test_squared_errors_are_those_of_the_regressor_on_codes(fitted):
    from sk_deepfeat import DeterministicEquivalentRidge

    codes = np.where(Y[:, None] == np.arange(3), 1.0, -1.0)
    ridge = DeterministicEquivalentRidge(6.0).fit(X, codes)
    n = [50, 300, 900]
    found = fitted.predict_test_error(n, metric="mse")
    np.testing.assert_allclose(found, ridge.predict_test_error(n), rtol=1e-10)
    np.testing.assert_allclose(fitted.predict_train_error(n), ridge.predict_train_error(n))
    np.testing.assert_allclose(fitted.predict_kappa(n), ridge.predict_kappa(n))


@pytest.mark.parametrize("metric", ["error_rate", "balanced_error", "log_loss", "mse"])
def test_the_best_alpha_is_no_worse_than_others(fitted, metric):
    alphas = np.geomspace(0.1, 1e3, 25)
    for n in (100, 900):
        best = fitted.predict_test_error(n, "optimal", metric=metric)
        assert best <= np.nanmin(fitted.predict_test_error(n, alphas, metric=metric)) * 1.005
        at = fitted.optimal_alpha(n, metric=metric)
        assert fitted.predict_test_error(n, at, metric=metric) == pytest.approx(best, rel=0.01)


def test_required_samples_reach_the_target(fitted):
    error = float(fitted.predict_test_error(200))
    needed = fitted.required_samples(error, alpha=6.0)
    assert needed == int(needed) and 100 < needed <= 200
    assert fitted.predict_test_error(needed) <= error < fitted.predict_test_error(needed - 1)
    with pytest.warns(PopulationWarning, match="not reached"):
        assert np.isnan(fitted.required_samples(1e-4))


def test_unknown_metrics_and_populations_without_error_rates_are_named(fitted):
    with pytest.raises(ValueError, match="metric='auc' must be one of 'error_rate', 'mse'"):
        fitted.predict_test_error(metric="auc")
    with pytest.raises(ValueError, match="metric='log_loss' has no calibration_check"):
        fitted.calibration_check(metric="log_loss")
    other = DeterministicEquivalentRidgeClassifier(6.0, population="gcv").fit(X, NAMES)
    assert np.isnan(other.test_error_) and 0 < other.predict_test_error(metric="mse")
    with pytest.raises(ValueError, match="population='gcv' knows"):
        other.predict_test_error()


def test_the_check_compares_error_rates(fitted):
    check = fitted.calibration_check()
    assert check.passed and np.all(check.measured <= 1.0)
    squared = fitted.calibration_check(metric="mse")
    assert not np.allclose(check.measured, squared.measured)


def test_groups_and_weights_of_rows():
    groups = np.arange(300) // 3
    grouped = DeterministicEquivalentRidgeClassifier(6.0).fit(X, NAMES, groups=groups)
    said = np.empty(300, dtype=NAMES.dtype)
    for group in range(100):
        mine = groups == group
        said[mine] = RidgeClassifier(6.0).fit(X[~mine], NAMES[~mine]).predict(X[mine])
    assert grouped.test_error_ == pytest.approx(np.mean(said != NAMES))
    assert grouped.predict_test_error(n_groups=100) == pytest.approx(grouped.test_error_)
    heavy = np.where(Y == 1, 2.0, 1.0)
    weighted = DeterministicEquivalentRidgeClassifier(6.0).fit(X, NAMES, sample_weight=heavy)
    errors = weighted.predict_class_errors().error
    share = heavy[:, None] * (Y[:, None] == np.arange(3))
    assert weighted.test_error_ == pytest.approx(errors @ share.sum(axis=0) / heavy.sum())


def test_pickles_clones_searches_and_pipelines(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    n = [50, 300, 900]
    np.testing.assert_array_equal(again.predict_test_error(n), fitted.predict_test_error(n))
    assert clone(fitted).get_params() == fitted.get_params()
    features, labels = load_breast_cancer(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), DeterministicEquivalentRidgeClassifier())
    grid = {"deterministicequivalentridgeclassifier__alpha": [0.1, 10.0]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(features, labels)
    assert search.best_score_ > 0.9
    last = search.best_estimator_[-1]
    assert abs(last.predict_test_error(400) - (1.0 - search.best_score_)) < 0.03


def test_a_class_of_one_row_is_nan_and_the_others_are_not():
    features, labels = load_iris(return_X_y=True)
    kept = np.r_[0, 50:150]
    model = DeterministicEquivalentRidgeClassifier().fit(scale(features)[kept], labels[kept])
    errors = model.predict_class_errors()
    assert np.isnan(errors.error[0]) and np.all(np.isfinite(errors.error[1:]))
    assert 0 < model.test_error_ < 1


def test_every_alpha_is_counted_by_itself_at_the_training_size():
    X, y = make_classification(60, 6, n_informative=3, random_state=0)
    model = DeterministicEquivalentRidgeClassifier(1.0).fit(X, y)
    for alpha in (0.37, 5.3, 71.0):
        wrong = 60 * model.predict_test_error(60, alpha)
        left_out = [
            RidgeClassifier(alpha).fit(np.delete(X, i, 0), np.delete(y, i)).predict(X[[i]])[0]
            for i in range(60)
        ]
        assert wrong == pytest.approx(np.count_nonzero(left_out != y), abs=1e-9)
