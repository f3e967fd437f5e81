import copy
import functools
import pickle
import pickletools
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.utils.parallel import Parallel, delayed

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

import networks  # noqa: E402

from sk_deepfeat.activations.piecewise_linear import LeakyReLU  # noqa: E402
from sk_deepfeat.feature_maps import TrainedDeepFeatures  # noqa: E402
from sk_deepfeat.plugins.lookup import BUILT_IN  # noqa: E402


def inputs(n=60, d=6, seed=0):
    X = np.random.default_rng(seed).standard_normal((n, d))
    return X, np.tanh(X @ np.linspace(-1, 1, d))


def images(n=40, seed=0, size=8):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 3, size, size)).astype(np.float32), rng.integers(0, 3, n)


def small(**params):
    return TrainedDeepFeatures(
        **{"hidden_layer_sizes": (8, 5), "max_epochs": 2, "batch_size": 16, "random_state": 0}
        | params
    )


def fit_and_transform(estimator, X, y):
    fitted = clone(estimator).fit(X, y)
    return fitted.transform(X), fitted.history_


# ---- what is learnt


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


# ---- targets


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


# ---- the same numbers everywhere


@pytest.mark.parametrize(
    ("estimator", "data"),
    [
        (small(activation="gelu"), inputs(300)),
        (small(module=networks.Convolutional, layer="relu_1", batch_size=20), images(41)),
    ],
    ids=["perceptron", "convolutional"],
)
def test_parent_and_workers_agree_to_the_bit(estimator, data):
    X, y = data
    if y.dtype.kind == "i":
        estimator = clone(estimator).set_params(module_params={"out_features": 3})
    here, history = fit_and_transform(estimator, X, y)
    fitted = clone(estimator).fit(X, y)
    with Parallel(n_jobs=2, backend="loky") as parallel:
        there = parallel(delayed(fit_and_transform)(estimator, X, y) for _ in range(2))
        carried = parallel(delayed(fitted.transform)(X) for _ in range(2))
    for features, other_history in there:
        np.testing.assert_array_equal(features, here)
        assert other_history == history
    for features in carried:
        np.testing.assert_array_equal(features, here)
    with Parallel(n_jobs=2, backend="threading") as parallel:
        there = parallel(delayed(fit_and_transform)(estimator, X, y) for _ in range(3))
    for features, _ in there:
        np.testing.assert_array_equal(features, here)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_global_state_of_torch_is_neither_used_nor_changed(n_threads):
    X, y = inputs()
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        torch.manual_seed(n_threads)
        state = torch.get_rng_state()
        features, _ = fit_and_transform(small(), X, y)
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.get_num_threads() == n_threads
        with pytest.raises(ValueError, match="layer='nothing'"):
            small(layer="nothing").fit(X, y)
        assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(features, fit_and_transform(small(), X, y)[0])


def test_seeds():
    X, y = inputs()
    same = fit_and_transform(small(random_state=1), X, y)[0]
    np.testing.assert_array_equal(same, fit_and_transform(small(random_state=1), X, y)[0])
    assert not np.allclose(same, fit_and_transform(small(random_state=2), X, y)[0])
    rng = np.random.RandomState(0)
    first, second = (small(random_state=rng).fit(X, y).transform(X) for _ in range(2))
    assert not np.allclose(first, second)


# ---- checkpoints


def test_checkpoints_are_the_states_of_shorter_trainings():
    X, y = inputs()
    feature_map = small(max_epochs=3, checkpoints=(0, 0.5, 1, 3)).fit(X, y)
    stages = list(feature_map.staged_transform(X))
    np.testing.assert_array_equal(stages[0], small(max_epochs=0).fit(X).transform(X))
    np.testing.assert_array_equal(stages[2], small(max_epochs=1).fit(X, y).transform(X))
    np.testing.assert_array_equal(stages[3], feature_map.transform(X))
    assert not np.allclose(stages[1], stages[0])
    assert not np.allclose(stages[1], stages[2])
    without = small(max_epochs=3).fit(X, y)
    np.testing.assert_array_equal(stages[3], without.transform(X))
    with pytest.raises(ValueError, match="checkpoints="):
        without.staged_transform(X)


def test_checkpoints_at_one_step_are_both_kept():
    X, y = inputs()
    feature_map = small(checkpoints=[0.01, 0.02, 1.99]).fit(X, y)
    first, second, last = feature_map.staged_transform(X)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(last, feature_map.transform(X))


# ---- networks and layers


@pytest.mark.parametrize("activation", [*BUILT_IN["activations"], LeakyReLU(0.3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linearization_layers_reproduce_transform(activation, bias):
    X, y = inputs()
    feature_map = small(activation=activation, bias=bias).fit(X, y)
    features = X
    for weights, offset, function in feature_map.linearization_layers():
        assert (offset is not None) == bias
        features = function(features @ weights.T.astype(float) + (offset if bias else 0.0))
    np.testing.assert_allclose(feature_map.transform(X), features, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "width", "n_layers"),
    [
        ("hidden_1", 8, 1),
        ("activation_1", 8, 1),
        ("hidden_2", 5, 2),
        (None, 5, 2),
        ("output", 1, 3),
    ],
)
def test_layers_of_the_perceptron(layer, width, n_layers):
    X, y = inputs()
    feature_map = small(layer=layer).fit(X, y)
    features = feature_map.transform(X)
    assert features.shape == (60, width)
    assert len(feature_map.get_feature_names_out()) == width
    layers = feature_map.linearization_layers()
    assert len(layers) == n_layers
    expected = X
    for weights, offset, function in layers:
        expected = function(expected @ weights.T.astype(float) + offset)
    np.testing.assert_allclose(features, expected, atol=1e-12)


@pytest.mark.parametrize("module", [networks.Net, networks.Branching])
@pytest.mark.parametrize("layer", ["first", "second", "act"])
def test_layers_of_a_module(module, layer):
    X, y = inputs()
    feature_map = small(module=module, layer=layer, module_params={"width": 7}).fit(X, y)
    state = feature_map._state
    expected = X @ state["first.weight"].T + state["first.bias"]
    if layer != "first":
        expected = np.maximum(expected, 0)
    if layer == "second":
        expected = expected @ state["second.weight"].T + state["second.bias"]
    features = feature_map.transform(X)
    assert features.dtype == np.float64
    np.testing.assert_allclose(features, expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"linearization_layers.*module="):
        feature_map.linearization_layers()


def test_a_node_of_the_traced_computation():
    X, y = inputs()
    features = small(module=networks.Net, layer="act_1").fit(X, y).transform(X)
    before = small(module=networks.Net, layer="second").fit(X, y).transform(X)
    np.testing.assert_allclose(features, np.maximum(before, 0), atol=1e-6)


@pytest.mark.parametrize(
    ("module", "params", "layer"),
    [
        (networks.make_net, {}, "first"),
        (functools.partial(networks.Net, width=4), {}, "first"),
        (functools.partial(networks.Net, in_features=6), {}, "first"),
        (networks.make_sequential, {}, "1"),
        (networks.make_lazy, {}, "2"),
        (networks.Squeezing, {}, "act"),
    ],
)
def test_factories(module, params, layer):
    X, y = inputs()
    feature_map = small(module=module, module_params=params, layer=layer).fit(X, y)
    other = pickle.loads(pickle.dumps(feature_map))
    np.testing.assert_array_equal(other.transform(X), feature_map.transform(X))


@pytest.mark.parametrize("layer", [None, "nothing"])
@pytest.mark.parametrize("module", [networks.Net, networks.Branching])
def test_unknown_layers_list_the_known_ones(module, layer):
    with pytest.raises(ValueError, match=r"layer=.*first, act, second, out"):
        small(module=module, layer=layer).fit(*inputs())


def test_unknown_layer_of_the_perceptron():
    with pytest.raises(ValueError, match=r"layer='act'.*hidden_1, activation_1, hidden_2"):
        small(layer="act").fit(*inputs())


def test_instances_and_shared_networks_are_refused():
    X, y = inputs()
    with pytest.raises(TypeError, match=r"is an instance.*Pass the class"):
        small(module=networks.Net(6, 1), layer="first").fit(X, y)
    with pytest.raises(ValueError, match="twice"):
        small(module=networks.make_the_same, layer="first").fit(X, y)
    with pytest.raises(ValueError, match="twice"):
        small(
            module=networks.make_with_backbone,
            module_params={"backbone": torch.nn.Linear(6, 3)},
            layer="0",
        ).fit(X, y)
    with pytest.raises(TypeError, match=r"must return a torch.nn.Module"):
        small(module=dict, layer="0").fit(X, y)


def test_output_of_the_wrong_width_is_not_broadcast():
    X, y = inputs()
    with pytest.raises(ValueError, match=r"shape \(16, 1\).*out_features"):
        small(module=networks.make_sequential, layer="1").fit(X, np.c_[y, y])
    with pytest.raises(ValueError, match=r"shape \(16, 1\).*out_features"):
        small(module=networks.make_sequential, layer="1").fit(X, y > 0)


# ---- images


def test_images():
    X, y = images()
    feature_map = small(
        module=networks.Convolutional, module_params={"channels": 5}, layer="pool", batch_size=13
    ).fit(X, y)
    features = feature_map.transform(X)
    assert features.shape == (40, 5 * 4)
    assert features.dtype == np.float32
    assert feature_map._state["norm.num_batches_tracked"] == 6  # the fourth batch had one row
    assert feature_map._state["norm.num_batches_tracked"].dtype == np.int64
    np.testing.assert_allclose(features[3:4], feature_map.transform(X[3:4]), atol=1e-6)
    with pytest.raises(ValueError, match=r"\(3, 9, 8\).*\(3, 8, 8\)"):
        feature_map.transform(np.zeros((2, 3, 9, 8)))
    perceptron = small().fit(X, y)
    assert perceptron.transform(X).shape == (40, 5)
    flat = X.reshape(40, -1)
    np.testing.assert_array_equal(perceptron.transform(X), small().fit(flat, y).transform(flat))


def test_torchvision_resnet():
    models = pytest.importorskip("torchvision.models")
    X, y = images(5, size=32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torchvision itself
        feature_map = small(
            module=models.resnet18,
            module_params={"num_classes": 3},
            layer="layer1.0.relu_1",
            batch_size=4,
            max_epochs=1,
        ).fit(X, y % 3)
    assert feature_map.transform(X).shape == (5, 64 * 8 * 8)


# ---- dtypes and memory


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


# ---- what is kept


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


# ---- parameters


def no_torch_name(x):
    return np.sin(x)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"hidden_layer_sizes": 0}, ValueError, "hidden_layer_sizes=0"),
        ({"activation": "rleu"}, ValueError, r"activation='rleu'.*known names"),
        ({"activation": no_torch_name}, TypeError, r"no_torch_name.*has no torch_name"),
        ({"max_epochs": -1}, ValueError, "max_epochs == -1"),
        ({"max_epochs": 1.5}, TypeError, "max_epochs"),
        ({"max_epochs": True}, TypeError, "max_epochs=True"),
        ({"lr": 0.0}, ValueError, r"lr == 0.0"),
        ({"lr": np.inf}, ValueError, "lr=inf"),
        ({"batch_size": 0}, ValueError, "batch_size == 0"),
        ({"batch_size": "all"}, TypeError, "batch_size"),
        ({"weight_decay": -0.1}, ValueError, r"weight_decay == -0.1"),
        ({"loss": "mse"}, ValueError, "loss='mse'"),
        ({"bias": 1}, TypeError, "bias"),
        ({"layer": 3}, TypeError, "layer"),
        ({"device": None}, TypeError, "device"),
        ({"device": "gpu"}, ValueError, "device='gpu'"),
        ({"device": "meta"}, ValueError, "device='meta'"),
        ({"verbose": -1}, ValueError, "verbose"),
        ({"checkpoints": (1, 0)}, ValueError, "strictly increasing"),
        ({"checkpoints": (1, 1)}, ValueError, "strictly increasing"),
        ({"checkpoints": (0, 3)}, ValueError, r"checkpoints=\(0, 3\).*3.*max_epochs=2"),
        ({"checkpoints": (-1,)}, ValueError, "checkpoints="),
        ({"checkpoints": (np.nan,)}, ValueError, "checkpoints="),
        ({"checkpoints": 1}, TypeError, "checkpoints=1"),
        ({"checkpoints": "all"}, TypeError, "checkpoints='all'"),
        ({"module": "resnet18"}, TypeError, "module='resnet18'"),
        ({"module_params": {"width": 3}}, ValueError, r"module_params=.*no effect"),
        ({"module": networks.Net, "module_params": [1]}, TypeError, "module_params="),
        ({"lr": 1e30}, ValueError, r"lr=1e\+30.*smaller lr"),
    ],
)
def test_wrong_parameters_are_named(params, error, message):
    with pytest.raises(error, match=message):
        small(**params).fit(*inputs())


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without cuda")
def test_unavailable_cuda_is_named():
    with pytest.raises(ValueError, match="device='cuda'"):
        small(device="cuda").fit(*inputs())


def test_weight_decay_and_batch_size_matter():
    X, y = inputs()
    plain = small().fit(X, y).transform(X)
    assert not np.allclose(plain, small(weight_decay=1.0).fit(X, y).transform(X))
    assert not np.allclose(plain, small(batch_size=None).fit(X, y).transform(X))
    assert small(batch_size=1, max_epochs=1).fit(X, y).n_iter_ == 1


def test_verbose_prints_a_line_an_epoch(capsys):
    small(verbose=1).fit(*inputs())
    assert "train_loss" in capsys.readouterr().out
    small().fit(*inputs())
    assert capsys.readouterr().out == ""


def test_interruption_is_not_swallowed(monkeypatch):
    from sk_deepfeat.feature_maps._torch.training import StateKeeper

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(StateKeeper, "on_batch_end", interrupt)
    with pytest.raises(KeyboardInterrupt):
        small().fit(*inputs())


# ---- with scikit-learn


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
