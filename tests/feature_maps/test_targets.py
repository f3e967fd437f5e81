import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import TwoStageRegressor

pytest.importorskip("torch")
pytest.importorskip("skorch")

from trained_cases import inputs, small


@pytest.mark.parametrize(
    ("y", "params", "n_outputs", "classes"),
    [
        (np.linspace(-1, 1, 60), {}, 1, None),
        (np.linspace(-1, 1, 120).reshape(60, 2), {}, 2, None),
        (np.linspace(-1, 1, 60)[:, None], {}, 1, None),
        (np.eye(3)[np.arange(60) % 3], {}, 3, None),
        (np.eye(3, dtype=int)[np.arange(60) % 3], {"loss": "log_loss"}, 3, None),
        (np.arange(60) % 4, {}, 4, [0, 1, 2, 3]),
        (np.array(["b", "a", "c"] * 20), {}, 3, ["a", "b", "c"]),
        (np.array(["b", "a", "c"] * 20, dtype=object), {}, 3, ["a", "b", "c"]),
        (np.arange(60) % 2 == 0, {}, 2, [False, True]),
        (np.arange(60) % 4, {"loss": "squared_error"}, 1, None),
        (np.arange(60) % 2 * 1.0, {"loss": "log_loss"}, 2, [0.0, 1.0]),
        (list(np.linspace(-1, 1, 60)), {}, 1, None),
    ],
)
def test_targets(y, params, n_outputs, classes):
    X, _ = inputs()
    feature_map = small(layer="output", **params).fit(X, y)
    assert feature_map.transform(X).shape == (60, n_outputs)
    assert hasattr(feature_map, "classes_") == (classes is not None)
    if classes is not None:
        assert list(feature_map.classes_) == classes
    start = small(layer="output", max_epochs=0, **params).fit(X, y).transform(X)
    if classes is None and "loss" not in params:
        first_loss = np.mean((start - np.reshape(y, (60, -1))) ** 2)
    elif classes is not None:
        log_sum = np.log(np.exp(start).sum(axis=1))
        first_loss = np.mean(log_sum - start[np.arange(60), np.searchsorted(classes, y)])
    else:
        return
    one_step = small(batch_size=None, max_epochs=1, **params).fit(X, y)
    np.testing.assert_allclose(one_step.history_[0]["train_loss"], first_loss, rtol=1e-4)


@pytest.mark.parametrize(
    ("y", "params", "expected"),
    [
        (np.arange(60) % 4, {}, True),
        (np.arange(60) % 2 == 0, {}, True),
        (np.array(["b", "a", "c"] * 20), {}, True),
        ((np.arange(60) % 4).astype(object), {}, False),
        (np.where(np.arange(60) % 2, -1.0, 1.0), {}, False),
        ((np.arange(60) % 4)[:, None], {}, False),
        (np.eye(3)[np.arange(60) % 3], {"loss": "log_loss"}, True),
        (np.arange(60) % 4, {"loss": "squared_error"}, False),
        (np.arange(60) % 2 * 1.0, {"loss": "log_loss"}, True),
        (np.arange(60) % 4, {"max_epochs": 0}, False),
    ],
)
def test_what_is_taken_for_classes_is_trained_on_as_classes(y, params, expected):
    feature_map = small(layer="output", **params)
    assert feature_map.takes_classes(y) is expected
    if feature_map.max_epochs and y.ndim == 1:
        assert hasattr(feature_map.fit(inputs()[0], y), "classes_") is expected


@pytest.mark.parametrize("parts", [[], [StandardScaler()]])
def test_two_stages_refuse_integers_that_a_network_takes_for_classes(parts):
    X, y = inputs()
    classes = np.arange(60) % 4
    network = small()
    for targets, told in ((classes, "feature_map=.*cross-entropy"), (y > 0, "booleans")):
        two_stages = TwoStageRegressor(make_pipeline(*parts, network), Ridge(), random_state=0)
        with pytest.raises(ValueError, match=f"(?s)y holds .*{told}.*TwoStageClassifier"):
            two_stages.fit(X, targets)
    network.set_params(loss="squared_error")
    assert two_stages.fit(X, classes).predict(X).shape == (60,)
    network.set_params(loss="auto")
    fitted = two_stages.fit(X, np.where(classes > 1, 1.0, -1.0))
    assert not hasattr(fitted.feature_map_[-1], "classes_")


def test_refit_forgets_the_classes():
    X, y = inputs()
    feature_map = small().fit(X, y > 0)
    assert list(feature_map.classes_) == [False, True]
    assert not hasattr(feature_map.fit(X, y), "classes_")


@pytest.mark.parametrize(
    ("y", "params", "message"),
    [
        (None, {}, "requires y to be passed"),
        (np.zeros(60, dtype=int), {}, "one class only"),
        (np.linspace(0, 1, 60), {"loss": "log_loss"}, "label type"),
        (np.array(["a", "b"] * 30), {"loss": "squared_error"}, "loss='squared_error'.*numeric"),
        (np.array([["a", "b"]] * 60), {}, "must be numeric"),
        (np.ones((60, 2)), {"loss": "log_loss"}, "sum 1"),
        (np.full(60, 1e39), {}, "y is too large"),
        (np.full(60, np.nan), {}, "NaN"),
        (np.full(60, None), {}, "NaN or None"),
        (np.zeros(59), {}, "inconsistent numbers of samples"),
    ],
)
def test_wrong_targets(y, params, message):
    with pytest.raises(ValueError, match=message):
        small(**params).fit(inputs()[0], y)


def test_no_target_is_needed_without_training():
    X, y = inputs()
    feature_map = small(max_epochs=0, checkpoints=(0,)).fit(X)
    assert (feature_map.history_, feature_map.n_iter_) == ([], 0)
    np.testing.assert_array_equal(feature_map.transform(X), next(feature_map.staged_transform(X)))
    np.testing.assert_array_equal(
        feature_map.transform(X), small(max_epochs=0).fit(X, y).transform(X)
    )
