"""What a notebook shows of the estimators."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageClassifier,
    TwoStageRegressor,
    predict_test_error,
)
from sk_deepfeat.notebook import show

X, Y = load_diabetes(return_X_y=True)
FEATURES = RandomDeepFeatures((10,), random_state=0)


def test_a_fitted_ridge_shows_its_error():
    ridge = DeterministicEquivalentRidge().fit(X, Y)
    shown = ridge._repr_html_()
    error, low, high = ridge.predict_test_error(return_interval=True)
    assert f"<b>{error:.4g}</b> (90&nbsp;% interval {low:.4g} to {high:.4g})" in shown
    assert f"with 442 samples at alpha&nbsp;=&nbsp;1; {ridge.predict_test_error(4420):.4g}" in shown
    assert "sk-top-container" in shown, "scikit-learn's diagram stays"
    bundle = ridge._repr_mimebundle_()
    assert f"<b>{error:.4g}</b>" in bundle["text/html"]
    assert bundle["text/plain"] == "DeterministicEquivalentRidge()"


def test_what_is_not_known_is_left_out():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30, 50))
    shown = DeterministicEquivalentRidge(0, population="gcv").fit(rows, rows[:, 0])._repr_html_()
    assert "with 30 samples" in shown and "interval" not in shown and "300" not in shown
    assert "nan" not in shown.partition("Predicted test error")[2]


def test_two_stages_show_the_error_of_their_readout():
    model = TwoStageRegressor(FEATURES, DeterministicEquivalentRidge(), random_state=0).fit(X, Y)
    assert f"<b>{model.test_error_:.4g}</b>" in model._repr_html_()
    assert "with 221 samples" in model._repr_html_()
    plain = TwoStageRegressor(FEATURES, Ridge(), random_state=0).fit(X, Y)
    assert "Predicted test error" not in plain._repr_html_()


def test_errors_on_new_groups_are_named_so():
    groups = np.arange(len(Y)) // 13
    ridge = DeterministicEquivalentRidge().fit(X, Y, groups=groups)
    shown = ridge._repr_html_()
    assert f"Predicted test error on new groups <b>{ridge.test_error_:.4g}</b>" in shown
    assert "with 442 samples in 34 groups at" in shown
    model = TwoStageRegressor(FEATURES, DeterministicEquivalentRidge(), random_state=0)
    shown = model.fit(X, Y, groups=groups)._repr_html_()
    assert "on new groups" in shown and "with 221 samples in 17 groups" in shown


def test_a_classifier_shows_its_error_rate():
    labels = np.where(Y > 150, "high", "low")
    ridge = DeterministicEquivalentRidgeClassifier(0.1).fit(X, labels)
    shown = ridge._repr_html_()
    error, low, high = 100.0 * np.array(ridge.predict_test_error(return_interval=True))
    interval = f"(90&nbsp;% interval {low:.3g}&nbsp;% to {high:.3g}&nbsp;%)"
    assert f"Predicted error rate <b>{error:.3g}&nbsp;%</b> {interval} with 442 samples" in shown
    assert "Share of new rows that are misclassified." in shown and "squared" not in shown
    model = TwoStageClassifier(FEATURES, ridge, random_state=0).fit(X, labels)
    assert (
        f"Predicted error rate <b>{100 * model.test_error_:.3g}&nbsp;%</b>" in model._repr_html_()
    )


def test_a_classifier_without_error_rates_shows_what_it_knows():
    ridge = DeterministicEquivalentRidgeClassifier(0.1, population="gcv").fit(X, Y > 150)
    shown = ridge._repr_html_()
    assert f"Predicted test error <b>{ridge.predict_test_error(metric='mse'):.4g}</b>" in shown
    assert shown.endswith("Mean squared error of codes -1 and 1.</div>") and "interval" not in shown


@pytest.mark.parametrize(
    "estimator",
    [
        DeterministicEquivalentRidge(),
        TwoStageRegressor(FEATURES, DeterministicEquivalentRidge()),
    ],
)
def test_unfitted(estimator):
    assert "Predicted test error" not in estimator._repr_html_()
    assert type(estimator).__name__ in estimator._repr_html_()
    assert "Predicted test error" not in estimator._repr_mimebundle_()["text/html"]


def caption(ridge):
    return f">predicted test error {ridge.test_error_:.4g} (squared units of its y)</div>"


def test_inside_a_pipeline_and_as_text():
    pipeline = make_pipeline(StandardScaler(), DeterministicEquivalentRidge())
    assert "predicted" not in pipeline._repr_html_()
    fitted = pipeline.fit(X, Y)[-1]
    for shown in (pipeline._repr_html_(), estimator_html_repr(pipeline), fitted._repr_html_()):
        assert caption(fitted) in shown and "DeterministicEquivalentRidge" in shown
    assert "alpha" in estimator_html_repr(pipeline), "parameters are there as ever"
    search = GridSearchCV(pipeline, {"deterministicequivalentridge__alpha": [10.0]}, cv=2)
    assert caption(search.fit(X, Y).best_estimator_[-1]) in search._repr_html_()
    stages = TwoStageRegressor(FEATURES, DeterministicEquivalentRidge(), random_state=0).fit(X, Y)
    shown = estimator_html_repr(make_pipeline(FrozenEstimator(StandardScaler().fit(X)), stages))
    assert caption(stages.readout_) in shown and "feature_map: RandomDeepFeatures" in shown
    named = TwoStageRegressor("random", DeterministicEquivalentRidge())._repr_html_()
    assert "feature_map: str" not in named and "random" in named
    labels = np.where(Y > 150, "high", "low")
    classifier = make_pipeline(DeterministicEquivalentRidgeClassifier(0.1)).fit(X, labels)
    rate = 100 * classifier[-1].test_error_
    assert f">predicted error rate {rate:.3g}\xa0%</div>" in classifier._repr_html_()
    with config_context(display="text"):
        assert not hasattr(fitted, "_repr_html_")
        assert set(fitted._repr_mimebundle_()) == {"text/plain"}


def test_show_tells_the_error_of_the_whole():
    ridge = DeterministicEquivalentRidge().fit(X, Y)
    sentence = f"<b>{ridge.test_error_:.4g}</b>"
    pipeline = make_pipeline(StandardScaler(), DeterministicEquivalentRidge())
    scaled = TransformedTargetRegressor(
        DeterministicEquivalentRidge(), transformer=StandardScaler()
    )
    both = np.column_stack([Y, 3.0 * Y])
    each = MultiOutputRegressor(DeterministicEquivalentRidge("optimal"))
    for model in (pipeline, scaled.fit(X, Y), ridge):
        if model is pipeline:
            sentence = f"<b>{model.fit(X, Y)[-1].test_error_:.4g}</b>"
        else:
            sentence = f"<b>{ridge.test_error_:.4g}</b>"
        shown = show(model)._repr_html_()
        assert shown.count(sentence) == 1 and "sk-top-container" in shown
        assert repr(show(model)) == repr(model)
    shown = show(each.fit(X, both))._repr_html_()
    assert f"<b>{predict_test_error(each):.4g}</b>" in shown
    with pytest.raises(TypeError, match="must be a fitted Determ"):
        show(Ridge().fit(X, Y))


def test_show_says_what_to_beware_of():
    log = TransformedTargetRegressor(
        DeterministicEquivalentRidge(), func=np.log, inverse_func=np.exp
    ).fit(X, Y)
    assert "errors are those of the transformed targets" in show(log)._repr_html_()
    chosen = make_pipeline(SelectKBest(k=2), DeterministicEquivalentRidge()).fit(X, Y)
    assert "learned from the targets of the same rows" in show(chosen)._repr_html_()
