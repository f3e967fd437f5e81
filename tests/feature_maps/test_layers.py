import functools
import pickle
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

import networks  # noqa: E402
from trained_cases import images, inputs, small  # noqa: E402

from sk_deepfeat.activations.piecewise_linear import LeakyReLU  # noqa: E402
from sk_deepfeat.plugins.lookup import BUILT_IN  # noqa: E402


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
    with pytest.raises(ValueError, match=r"has 1 output for each row.*2 targets.*out_features"):
        small(module=networks.make_sequential, layer="1").fit(X, np.c_[y, y])
    with pytest.raises(ValueError, match=r"has 1 output for each row.*2 classes.*out_features"):
        small(module=networks.make_sequential, layer="1").fit(X, y > 0)


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
