import copy
import pickle
import pickletools
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline

pytest.importorskip("torch")
pytest.importorskip("skorch")

import networks
from trained_cases import inputs, small

from sk_deepfeat.feature_maps import TrainedDeepFeatures


def test_training_reduces_the_loss_and_helps_ridge():
    X, y = inputs(400)
    feature_map = TrainedDeepFeatures(50, max_epochs=60, lr=5e-3, random_state=0).fit(X, y)
    losses = [row["train_loss"] for row in feature_map.history_]
    assert feature_map.n_iter_ == len(losses) == 60
    assert [row["epoch"] for row in feature_map.history_] == list(range(1, 61))
    assert losses[-1] < 0.1 * losses[0]
    X_test, y_test = inputs(400, seed=1)
    untrained = TrainedDeepFeatures(50, max_epochs=0, random_state=0).fit(X)
    trained_score, untrained_score = (
        Ridge(1e-3).fit(m.transform(X), y).score(m.transform(X_test), y_test)
        for m in (feature_map, untrained)
    )
    assert trained_score > 0.97
    assert trained_score > untrained_score


def test_first_adam_step_by_hand():
    """One full batch: each weight moves by lr against the sign of the gradient of the mean."""
    X, y = inputs()
    feature_map = small(
        hidden_layer_sizes=4, activation="tanh", max_epochs=1, batch_size=None, checkpoints=(0, 1)
    ).fit(X, y)
    before, after = feature_map._checkpoint_states
    hidden = np.tanh(X @ before["hidden_1.weight"].T + before["hidden_1.bias"])
    residual = (hidden @ before["output.weight"].T + before["output.bias"])[:, 0] - y
    np.testing.assert_allclose(feature_map.history_[0]["train_loss"], np.mean(residual**2), 1e-5)
    moved = after["output.weight"][0] - before["output.weight"][0]
    np.testing.assert_allclose(moved, -1e-3 * np.sign(residual @ hidden), rtol=1e-3)


def test_clone_carries_no_weights_to_pure_noise():
    """A net that keeps its weights through clone scores R² = +0.4 here."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 10)), rng.standard_normal(200)
    feature_map = TrainedDeepFeatures(30, max_epochs=30, lr=1e-2, random_state=0).fit(X, y)
    score = cross_val_score(Pipeline([("f", feature_map), ("r", Ridge(1.0))]), X, y, cv=5).mean()
    assert score < 0.05


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(np.float32, np.float32), (np.float64, np.float64), (np.int8, np.float64), (bool, np.float64)],
)
def test_dtype(dtype, expected):
    X, y = inputs()
    X = (3 * X).astype(dtype)
    assert small().fit(X, y).transform(X).dtype == expected


def test_precisions_agree():
    X, y = inputs(3000)
    X = X.astype(np.float32)
    feature_map = small().fit(X, y)
    single, double = feature_map.transform(X), feature_map.transform(X.astype(float))
    np.testing.assert_allclose(single, double, atol=1e-6)
    np.testing.assert_allclose(feature_map.transform(X[2990:]), single[2990:], atol=1e-6)


def test_read_only_memory_map(tmp_path):
    X, y = inputs()
    np.save(tmp_path / "X.npy", X.astype(np.float32))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    feature_map = small(module=networks.Net, layer="act").fit(mapped, y)
    in_memory = feature_map.transform(X.astype(np.float32))
    np.testing.assert_array_equal(feature_map.transform(mapped), in_memory)
    np.testing.assert_array_equal(mapped, X.astype(np.float32))


def modules_in(pickled):
    """Names of all modules that unpickling would import."""
    strings, found = [], set()
    for operation, argument, _ in pickletools.genops(pickled):
        if operation.name == "GLOBAL":
            found.add(argument.split(" ")[0])
        elif operation.name == "STACK_GLOBAL":
            found.add(strings[-2])
        if isinstance(argument, str):
            strings.append(argument)
    return found


def test_pickles_hold_arrays_and_no_torch():
    X, y = inputs()
    feature_map = small(checkpoints=(0, 1)).fit(X, y)
    pickled = pickle.dumps(feature_map, protocol=2)
    assert not any("torch" in name or "skorch" in name for name in modules_in(pickled))
    assert b"torch._utils" not in pickle.dumps(feature_map)
    for state in (feature_map._state, *feature_map._checkpoint_states):
        assert all(type(value) is np.ndarray for value in state.values())
    for other in (pickle.loads(pickled), copy.deepcopy(feature_map)):
        np.testing.assert_array_equal(other.transform(X), feature_map.transform(X))
    # Parameters set after fit do not disturb a fitted network.
    other.set_params(hidden_layer_sizes=3, activation="tanh")
    np.testing.assert_array_equal(other.transform(X), feature_map.transform(X))


def test_clone_of_a_fitted_map_is_as_good_as_new():
    X, y = inputs()
    feature_map = small().fit(X, y)
    with pytest.raises(NotFittedError):
        clone(feature_map).transform(X)
    np.testing.assert_array_equal(
        clone(feature_map).fit(X, y).transform(X), feature_map.transform(X)
    )


@pytest.mark.parametrize("missing", ["torch", "skorch"])
def test_missing_extra(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    feature_map = small()
    pickle.loads(pickle.dumps(clone(feature_map)))
    assert "TrainedDeepFeatures" in repr(feature_map)
    with pytest.raises(ImportError, match=rf"{missing}.*pip install \"sk-deepfeat\[torch\]\""):
        feature_map.fit(*inputs())


def test_missing_torchvision(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    assert small().fit(*inputs()).n_iter_ == 2
    with pytest.raises(ImportError, match=r"torchvision.*pip install \"sk-deepfeat\[torch\]\""):
        small(module=networks.Net, layer="act").fit(*inputs())


def test_import_is_light():
    code = (
        "import sys, pickle; from sklearn.base import clone;"
        "from sk_deepfeat.feature_maps import TrainedDeepFeatures as T;"
        "repr(pickle.loads(pickle.dumps(clone(T(3)))));"
        "print([m for m in ('torch', 'skorch', 'torchvision') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_grid_search_over_both_stages():
    X, y = inputs(120)
    pipeline = Pipeline([("feat", small()), ("ridge", Ridge())])
    grid = {"feat__hidden_layer_sizes": [(4,), (6, 3)], "ridge__alpha": [0.1, 10.0]}
    one, two = (GridSearchCV(pipeline, grid, cv=2, n_jobs=n).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )
    assert np.all(np.isfinite(one.cv_results_["mean_test_score"]))
    assert one.best_estimator_.predict(X).shape == (120,)
