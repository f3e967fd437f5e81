"""Ridges fitted on arrays of other libraries answer as those fitted on NumPy's."""

import pickle

import numpy as np
import pytest
import sklearn
from array_places import PLACES, place
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_array_api_input
from sklearn.utils.fixes import parse_version

from sk_deepfeat import DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier
from sk_deepfeat.linear_model import _device_rows
from sk_deepfeat.model_selection import SpectrumDisplay, ridge_learning_curve
from sk_deepfeat.model_selection.fitted_ridge import fitted_ridge

RNG = np.random.default_rng(0)
N, P = 150, 20
X = RNG.normal(size=(N, P)) * np.arange(1, P + 1) ** -0.5 + 1.0
Y = X @ RNG.normal(size=P) + RNG.normal(size=N)
Y2 = np.column_stack([Y, X[:, 0] + RNG.normal(size=N)])
LABELS = (Y > Y.mean()).astype(int) + (Y > Y.mean() + 1.5)
WEIGHTS = RNG.uniform(0.1, 3.0, size=N)
WEIGHTS[::7] = 0.0
SIZES, ALPHAS = np.array([15, 60, 600])[:, None], np.array([0.1, 10.0])


before_1_9 = pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.9"),
    reason="scikit-learn before 1.9 does less with array API inputs that it compares ours with",
)

# Rows in main memory are factorised by NumPy; here torch's are taken for those of a device.
FORCED = ("torch", "as a device")


@pytest.fixture(params=[*PLACES, FORCED], ids="-".join)
def somewhere(request, monkeypatch):
    return _place(request, monkeypatch)


@pytest.fixture(params=[("array_api_strict", "device1"), ("torch", "cuda"), FORCED], ids="-".join)
def elsewhere(request, monkeypatch):
    return _place(request, monkeypatch)


def _place(request, monkeypatch):
    if request.param == FORCED:
        monkeypatch.setattr(_device_rows, "in_main_memory", lambda values: False)
        return place("torch", "cpu")
    return place(*request.param)


def fitted_pair(estimator, somewhere, X, y, **given):
    """Return two fits of an estimator, by NumPy and somewhere."""
    here = clone(estimator).fit(X.astype(somewhere.dtype), y, **given)
    arrays = {name: somewhere.array(value) for name, value in given.items() if name != "groups"}
    groups = given.get("groups")
    arrays["groups"] = somewhere.array(groups) if isinstance(groups, np.ndarray) else groups
    with config_context(array_api_dispatch=True):
        return here, clone(estimator).fit(somewhere.array(X), somewhere.array(y), **arrays)


def assert_same_answers(here, there):
    for name in ("alpha_", "kappa_", "test_error_", "train_error_"):
        value = getattr(there, name)
        assert isinstance(value, float)
        assert value == pytest.approx(getattr(here, name), rel=1e-8)
    for ours, theirs in zip(
        there.predict_test_error(SIZES, ALPHAS, return_interval=True),
        here.predict_test_error(SIZES, ALPHAS, return_interval=True),
        strict=True,
    ):
        assert type(ours) is np.ndarray
        np.testing.assert_allclose(ours, theirs, rtol=1e-8)


@pytest.mark.parametrize(  # fewer rows than features, less than twice, more
    ("rows", "given"), [(18, "plain"), (32, "weighted"), (N, "weighted"), (N, "outputs")]
)
def test_regressor(somewhere, rows, given):
    y = (Y2 if given == "outputs" else Y)[:rows]
    more = {"sample_weight": WEIGHTS[:rows]} if given == "weighted" else {}
    y = y.astype(somewhere.dtype)  # what a device rounds, NumPy gets rounded
    more = {name: values.astype(somewhere.dtype) for name, values in more.items()}
    here, there = fitted_pair(DeterministicEquivalentRidge(2.0), somewhere, X[:rows], y, **more)
    assert_same_answers(here, there)
    tolerance = {"float64": 1e-9, "float32": 1e-6}[somewhere.dtype]
    for name in ("coef_", "intercept_", "eigenvalues_"):
        found = somewhere.numpy(getattr(there, name))
        assert found.dtype == somewhere.dtype
        np.testing.assert_allclose(found, getattr(here, name), rtol=tolerance, atol=tolerance)
    with config_context(array_api_dispatch=True):
        predicted = there.predict(somewhere.array(X))
    assert predicted.dtype == there.coef_.dtype
    np.testing.assert_allclose(
        somewhere.numpy(predicted), here.predict(X), rtol=tolerance, atol=10 * tolerance
    )


@pytest.mark.parametrize("two", [True, False])
def test_classifier(somewhere, two):
    labels = np.minimum(LABELS, 1) if two else LABELS
    here, there = fitted_pair(
        DeterministicEquivalentRidgeClassifier(3.0, class_weight="balanced"),
        somewhere,
        X,
        labels,
        sample_weight=WEIGHTS.astype(somewhere.dtype),
    )
    assert_same_answers(here, there)
    assert there.optimal_alpha() == pytest.approx(here.optimal_alpha(), rel=1e-5)
    np.testing.assert_array_equal(somewhere.numpy(there.classes_), here.classes_)
    with config_context(array_api_dispatch=True):
        rows = somewhere.array(X)
        scores, predicted = there.decision_function(rows), there.predict(rows)
        if somewhere.dtype == "float64":  # scikit-learn's accuracy_score needs it
            accuracy = there.score(rows, somewhere.array(labels))
            assert accuracy == pytest.approx(here.score(X, labels), rel=1e-6)
    tolerance = {"float64": 1e-9, "float32": 1e-5}[somewhere.dtype]
    np.testing.assert_allclose(
        somewhere.numpy(scores), here.decision_function(X), rtol=tolerance, atol=tolerance
    )
    np.testing.assert_array_equal(somewhere.numpy(predicted), here.predict(X))


@before_1_9
def test_labels_that_are_strings_stay_in_numpy(elsewhere):
    names = np.array(["ash", "birch", "cedar"])[LABELS]
    with config_context(array_api_dispatch=True):
        rows = elsewhere.array(X)
        model = DeterministicEquivalentRidgeClassifier().fit(rows, names)
        predicted = model.predict(rows)
        theirs = RidgeClassifier(solver="svd").fit(rows, names).predict(rows)
    assert type(predicted) is type(theirs) is np.ndarray
    np.testing.assert_array_equal(predicted, theirs)


def test_single_precision_rows(somewhere):
    """They are read as they are, and factorised in double precision, as of NumPy."""
    rows = X.astype(np.float32)
    here = DeterministicEquivalentRidge().fit(rows, Y.astype(np.float32))
    with config_context(array_api_dispatch=True):
        single = somewhere.xp.asarray(rows, device=somewhere.device)
        y = somewhere.xp.asarray(Y.astype(np.float32), device=somewhere.device)
        there = DeterministicEquivalentRidge().fit(single, y)
        predicted = there.predict(single)
    assert_same_answers(here, there)
    assert str(predicted.dtype).endswith(somewhere.dtype)


def test_groups_and_blocks(elsewhere):
    groups = np.arange(N) // 3
    here, there = fitted_pair(DeterministicEquivalentRidge(), elsewhere, X, Y, groups=groups)
    assert there.n_groups_ == 50
    assert_same_answers(here, there)
    ridge = DeterministicEquivalentRidge(block_length=10)
    here, there = fitted_pair(ridge, elsewhere, X, Y, groups="blocks")
    assert_same_answers(here, there)


@pytest.mark.parametrize("population", ["gcv", "plug-in"])
def test_other_populations(elsewhere, population):
    ridge = DeterministicEquivalentRidge(population=population)
    here, there = fitted_pair(ridge, elsewhere, X[:, :10], Y)
    assert there.test_error_ == pytest.approx(here.test_error_, rel=1e-8)


def test_large_rows_in_single_precision(elsewhere, monkeypatch):
    """Where leave-one-out products are taken in single precision, a device takes them too."""
    monkeypatch.setattr("sk_deepfeat.theory.one_sample.leave_one_out._LARGE", 0.0)
    here, there = fitted_pair(DeterministicEquivalentRidge(), elsewhere, X, Y)
    assert there.test_error_ == pytest.approx(here.test_error_, rel=2e-6)


def test_targets_and_weights_of_another_library():
    """They follow X, as in scikit-learn's Ridge."""
    here = DeterministicEquivalentRidge().fit(X, Y, WEIGHTS)
    somewhere = place("array_api_strict", "device1")
    torch = pytest.importorskip("torch")
    for rows, y, weights in [
        (somewhere.array(X), Y, torch.from_numpy(WEIGHTS)),
        (X, somewhere.array(Y), torch.from_numpy(WEIGHTS)),
        (torch.from_numpy(X), list(Y), somewhere.array(WEIGHTS)),
    ]:
        with config_context(array_api_dispatch=True):
            there = DeterministicEquivalentRidge().fit(rows, y, weights)
            assert type(there.coef_) is type(rows) and type(there.predict(rows)) is type(rows)
        assert_same_answers(here, there)


@before_1_9
@pytest.mark.parametrize(
    ("ours", "theirs", "method"),
    [
        (DeterministicEquivalentRidge(), Ridge, "predict"),
        (DeterministicEquivalentRidgeClassifier(), RidgeClassifier, "predict"),
        (
            DeterministicEquivalentRidgeClassifier(),
            RidgeClassifier,
            "decision_function",
        ),
    ],
)
def test_rows_of_another_library_than_the_fit(ours, theirs, method):
    somewhere, other = place("array_api_strict", "CPU_DEVICE"), place("array_api_strict", "device1")
    said = "must use the same namespace"
    targets = LABELS if is_classifier(ours) else Y
    with config_context(array_api_dispatch=True):
        for model in (ours, theirs(solver="svd")):
            model.fit(somewhere.array(X), somewhere.array(targets))
            for rows in (X, other.array(X)):
                with pytest.raises(ValueError, match=said):
                    getattr(model, method)(rows)
            model.fit(X, targets)
            with pytest.raises(ValueError, match=said):
                getattr(model, method)(somewhere.array(X))


def test_without_dispatch_tensors_are_read_as_arrays():
    torch = pytest.importorskip("torch")
    rows, y = torch.from_numpy(X), torch.from_numpy(Y)
    model = DeterministicEquivalentRidge().fit(rows, y, torch.from_numpy(WEIGHTS))
    assert type(model.coef_) is type(model.predict(rows)) is np.ndarray
    assert_same_answers(DeterministicEquivalentRidge().fit(X, Y, WEIGHTS), model)
    labels = DeterministicEquivalentRidgeClassifier().fit(rows, torch.from_numpy(LABELS))
    assert type(labels.classes_) is type(labels.predict(rows)) is np.ndarray


def test_search_clone_and_pickle():
    torch = pytest.importorskip("torch")
    search = GridSearchCV(DeterministicEquivalentRidge(), {"alpha": [0.1, 10.0]}, cv=3)
    here = clone(search).fit(X, Y)
    with config_context(array_api_dispatch=True):
        rows, y = torch.from_numpy(X), torch.from_numpy(Y)
        there = clone(search).fit(rows, y)
        score = there.score(rows, y)
        again = pickle.loads(pickle.dumps(there.best_estimator_))
        np.testing.assert_array_equal(again.predict(rows), there.predict(rows))
    assert isinstance(score, float) and score == pytest.approx(here.score(X, Y), rel=1e-10)
    np.testing.assert_allclose(
        there.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"], rtol=1e-10
    )
    assert_same_answers(here.best_estimator_, again)


def test_a_pickle_holds_no_array_of_the_device(elsewhere):
    """But for the fitted attributes: what answers questions is in NumPy."""
    _, there = fitted_pair(DeterministicEquivalentRidge(), elsewhere, X, Y)
    told = pickle.dumps((there.population_, there.error_predictor_))
    assert b"torch" not in told and b"array_api_strict" not in told


def test_the_check_still_answers_after_the_rows_have_changed_there(elsewhere):
    here, there = fitted_pair(DeterministicEquivalentRidge(), elsewhere, X, Y)
    found, expected = (model.calibration_check([50, 100]) for model in (there, here))
    assert found.disagreement == pytest.approx(expected.disagreement, rel=1e-5)


def test_learning_curve(elsewhere):
    ridge, given = DeterministicEquivalentRidge(), {"train_sizes": [40, 100], "alphas": [1.0]}
    rows, y = X, Y
    here = ridge_learning_curve(ridge, rows, y, random_state=0, **given)
    with config_context(array_api_dispatch=True):
        there = ridge_learning_curve(
            ridge, elsewhere.array(X), elsewhere.array(Y), random_state=0, **given
        )
    np.testing.assert_array_equal(there.measured, here.measured)
    np.testing.assert_array_equal(there.predicted, here.predicted)


def test_pictures_and_reports_are_made_of_numpys_arrays(elsewhere):
    pytest.importorskip("matplotlib")
    _, there = fitted_pair(DeterministicEquivalentRidge(), elsewhere, X, Y)
    SpectrumDisplay.from_fitted(there)
    assert "Predicted" in there._repr_html_()
    _, there = fitted_pair(DeterministicEquivalentRidgeClassifier(), elsewhere, X, LABELS)
    found = fitted_ridge(there)  # what all of them ask
    assert found.classes_.tolist() == [0, 1, 2]
    assert type(found.coef_) is type(found.eigenvalues_) is np.ndarray
    elsewhere.numpy(there.coef_)


@before_1_9
def test_values_in_scikit_learns_own_check(elsewhere):
    """With weights and values, which its general checks leave out."""
    for estimator in (DeterministicEquivalentRidge(), DeterministicEquivalentRidgeClassifier()):
        check_array_api_input(
            type(estimator).__name__,
            estimator,
            elsewhere.xp.__name__,
            getattr(elsewhere.device, "_device", str(elsewhere.device)),
            check_values=True,
            check_sample_weight=True,
        )
