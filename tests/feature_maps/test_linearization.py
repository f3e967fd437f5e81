"""Sequential networks as dense layers."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from sklearn.frozen import FrozenEstimator  # noqa: E402
from torch import nn  # noqa: E402
from trained_cases import images, inputs, small  # noqa: E402

from sk_deepfeat.activations import gelu, identity, relu, tanh  # noqa: E402
from sk_deepfeat.populations import LinearizedPopulation  # noqa: E402


def convolutional():
    act = nn.ReLU(inplace=True)  # one module for two places
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, stride=2),
        act,
        nn.AvgPool2d(2),
        nn.Conv2d(4, 5, 2, bias=False),
        nn.Flatten(),
        act,
        nn.Sequential(nn.Dropout(0.5), nn.Linear(5, 7), nn.GELU()),
        nn.LeakyReLU(0.2),
        nn.Linear(7, 1),
    )


def run(layers, X):
    features = X.reshape(len(X), -1).astype(np.float64)
    for weights, bias, activation in layers:
        assert weights.ndim == 2
        features = activation(features @ weights.T + (0.0 if bias is None else bias))
    return features


@pytest.mark.parametrize(
    ("layer", "n_layers", "last"),
    [
        ("0", 1, identity),
        ("1", 1, relu),
        ("2", 2, identity),
        ("4", 2, identity),
        ("5", 2, relu),
        ("6.1", 3, identity),
        ("6", 3, gelu),
        ("7", 4, None),
        ("8", 5, identity),
    ],
)
def test_dense_layers_reproduce_transform(layer, n_layers, last):
    X, y = images()
    y = y.astype(float)
    feature_map = small(module=convolutional, layer=layer, max_epochs=1).fit(X, y)
    layers = feature_map.linearization_layers()
    assert len(layers) == n_layers
    assert last is None or layers[-1][2] is last
    np.testing.assert_allclose(run(layers, X), feature_map.transform(X), atol=2e-6)


def test_leaky_relu_keeps_its_slope():
    X, y = images()
    y = y.astype(float)
    layers = small(module=convolutional, layer="7").fit(X, y).linearization_layers()
    assert layers[-1][2].slope == 0.2
    np.testing.assert_array_equal(layers[-1][0], np.eye(7))


def test_biases_that_are_absent():
    X, y = inputs()

    def make():
        return nn.Sequential(nn.Linear(6, 4, bias=False), nn.Tanh(), nn.Linear(4, 1))

    ((weights, bias, activation),) = small(module=make, layer="1").fit(X, y).linearization_layers()
    assert weights.shape == (4, 6)
    assert bias is None
    assert activation is tanh


def test_subclasses_that_compute_the_same_are_layers():
    X, y = inputs()

    def make():
        return nn.Sequential(NamedLinear(6, 4), nn.Tanh(), nn.Linear(4, 1))

    feature_map = small(module=make, layer="1").fit(X, y)
    np.testing.assert_allclose(
        run(feature_map.linearization_layers(), X), feature_map.transform(X), atol=1e-6
    )


def test_a_module_used_twice_is_applied_twice():
    def make():
        act = nn.Tanh()
        return nn.Sequential(nn.Linear(6, 4), act, nn.Linear(4, 4), act, nn.Linear(4, 1))

    X, y = inputs()
    feature_map = small(module=make, layer="4").fit(X, y)
    state = {name: value.astype(np.float64) for name, value in feature_map._state.items()}
    expected = X
    for name in ("0", "2"):
        expected = np.tanh(expected @ state[f"{name}.weight"].T + state[f"{name}.bias"])
    expected = expected @ state["4.weight"].T + state["4.bias"]
    np.testing.assert_allclose(feature_map.transform(X), expected, atol=1e-6)
    np.testing.assert_allclose(run(feature_map.linearization_layers(), X), expected, atol=1e-6)


class SquaredLinear(nn.Linear):
    def forward(self, x):
        return super().forward(x) ** 2


class AbsoluteConv(nn.Conv2d):
    def _conv_forward(self, *arguments):
        return super()._conv_forward(*arguments).abs()


class ScaledLeakyReLU(nn.LeakyReLU):
    def forward(self, x):
        return 3.0 * super().forward(x)


class NamedLinear(nn.Linear):
    """A subclass that changes nothing."""


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (lambda: nn.MaxPool2d(2), r"layer '1', MaxPool2d"),
        (lambda: nn.BatchNorm2d(4), r"layer '1', BatchNorm2d"),
        (lambda: nn.GELU(approximate="tanh"), r"layer '1', GELU"),
        (lambda: nn.Softplus(beta=2.0), r"layer '1', Softplus"),
        (lambda: SquaredLinear(6, 6), r"layer '1', SquaredLinear"),
        (lambda: AbsoluteConv(4, 4, 1), r"layer '1', AbsoluteConv"),
        (lambda: ScaledLeakyReLU(0.1), r"layer '1', ScaledLeakyReLU"),
        (lambda: nn.Sequential(nn.ReLU(), nn.Softmax(1)), r"layer '1\.1', Softmax"),
    ],
)
def test_unsupported_layers_are_named(part, name):
    def make():
        return nn.Sequential(
            nn.Conv2d(3, 4, 3), part(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1)
        )

    X, y = images()
    y = y.astype(float)
    feature_map = small(module=make, layer="1").fit(X, y)
    with pytest.raises(ValueError, match=f"does not support {name}.*supported: Sequential of"):
        feature_map.linearization_layers()


def test_a_trained_convolutional_network_as_population():
    """Predicted from the weights, and from many rows of the network's features."""
    X, y = images()
    y = y.astype(float)
    feature_map = small(module=convolutional, layer="6", max_epochs=1).fit(X, y)
    population = LinearizedPopulation(
        FrozenEstimator(feature_map), np.ones(X[0].size), (np.zeros(7), 1.0)
    ).fit()
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, *X.shape[1:])).astype(np.float32)
    features = feature_map.transform(rows)
    np.testing.assert_allclose(population.moments_.feature_mean, features.mean(axis=0), atol=0.01)
    # five narrow units before: normal pre-activations are a rough picture
    covariance = population.moments_.Omega - np.outer(*[population.moments_.feature_mean] * 2)
    spread = np.diagonal(np.cov(features.T))
    np.testing.assert_allclose(np.diagonal(covariance), spread, rtol=0.15)
