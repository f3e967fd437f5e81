"""What a notebook shows of the estimators."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageClassifier,
    TwoStageRegressor,
)

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


def test_inside_a_pipeline_and_as_text():
    ridge = DeterministicEquivalentRidge()
    pipeline = make_pipeline(StandardScaler(), ridge).fit(X, Y)
    for shown in (
        pipeline._repr_html_(),
        estimator_html_repr(pipeline),
        estimator_html_repr(ridge),
    ):
        assert "DeterministicEquivalentRidge" in shown
    fitted = pipeline[-1]
    with config_context(display="text"):
        assert not hasattr(fitted, "_repr_html_")
        assert set(fitted._repr_mimebundle_()) == {"text/plain"}
