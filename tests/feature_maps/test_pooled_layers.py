"""Pooling of activations with more than two axes."""

import pickle
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")
pytest.importorskip("torchvision")

import networks  # noqa: E402
from torch import nn  # noqa: E402
from trained_cases import images, inputs, small  # noqa: E402

from sk_deepfeat.testing import check_feature_map  # noqa: E402

POOLS = {"mean": np.mean, "max": np.max}


def untrained(module, layer, X, **params):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of torchvision's tracing
        return small(module=module, layer=layer, max_epochs=0, **params).fit(X)


@pytest.mark.parametrize("pool", POOLS)
def test_convolutions_are_pooled_over_positions(pool):
    X, y = images()
    params = {"module": networks.Convolutional, "checkpoints": (0, 1.5), "layer": "relu_1"}
    flat = small(**params).fit(X, y)
    maps = flat.transform(X).reshape(40, 4, 64)
    feature_map = small(**params, pool=pool).fit(X, y)
    features = feature_map.transform(X)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, POOLS[pool](maps, axis=2), atol=1e-6)
    assert len(feature_map.get_feature_names_out()) == 4
    stages = zip(feature_map.staged_transform(X), flat.staged_transform(X), strict=True)
    for pooled, whole in stages:
        expected = POOLS[pool](whole.reshape(40, 4, 64), axis=2)
        np.testing.assert_allclose(pooled, expected, atol=1e-6)
    out = np.empty((40, 4))
    np.testing.assert_allclose(feature_map.transform(X, out=out), features)
    # The parameter of a fitted map may change without an effect, `at` shows another.
    other = pickle.loads(pickle.dumps(feature_map)).set_params(pool="flatten")
    np.testing.assert_array_equal(other.transform(X), features)
    np.testing.assert_array_equal(flat.at(pool=pool).transform(X), features)
    np.testing.assert_array_equal(feature_map.at(pool="flatten").transform(X), flat.transform(X))
    assert feature_map.at(layer="fc", epoch=1.5).transform(X).shape == (40, 3)
    with pytest.raises(ValueError, match="pool='sum'"):
        flat.at(pool="sum")


def test_two_axes_need_no_pooling():
    X, y = inputs()
    np.testing.assert_array_equal(
        small(pool="mean").fit(X, y).transform(X), small().fit(X, y).transform(X)
    )
    check_feature_map(small(pool="max"))


@pytest.mark.parametrize("pool", POOLS)
def test_batches_do_not_matter(pool, monkeypatch):
    from sk_deepfeat.feature_maps._torch import features

    X, y = images()
    feature_map = small(module=networks.Convolutional, layer="block", pool=pool).fit(X, y)
    whole = feature_map.transform(X)
    monkeypatch.setattr(features, "_MOST_ROWS", 7)
    np.testing.assert_allclose(feature_map.transform(X), whole, atol=1e-6)


class Tokens(nn.Module):
    """Eight tokens of width 6, or of a given width, through a transformer's layer."""

    def __init__(self, width=6):
        super().__init__()
        self.embed = nn.Conv1d(1, width, 4, stride=4)
        self.act = nn.ReLU()
        self.norm = nn.LayerNorm(width)
        self.encoder = nn.TransformerEncoderLayer(width, 2, 12, batch_first=True)
        self.last = nn.Identity()
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        tokens = self.act(self.embed(x[:, None])).transpose(1, 2)
        return self.head(self.last(self.encoder(self.norm(tokens))).mean(1))


@pytest.mark.parametrize(
    ("layer", "shape", "tokens_axis"),
    [
        ("embed", (6, 8), 2),
        ("act", (6, 8), 2),
        ("norm", (8, 6), 1),
        ("encoder", (8, 6), 1),
        ("encoder.linear1", (8, 12), 1),
        ("encoder.dropout", (8, 12), 1),
        ("last", (8, 6), 1),
    ],
)
def test_three_axes_are_told_by_the_modules(layer, shape, tokens_axis):
    X = np.random.default_rng(0).standard_normal((20, 32)).astype(np.float32)
    flat = untrained(Tokens, layer, X).transform(X).reshape(20, *shape)
    pooled = untrained(Tokens, layer, X, pool="mean").transform(X)
    np.testing.assert_allclose(pooled, flat.mean(axis=tokens_axis), atol=1e-6)


def test_as_many_tokens_as_features_are_ambiguous_after_both_kinds():
    X = np.zeros((20, 32), dtype=np.float32)
    params = {"module_params": {"width": 8}, "pool": "mean"}
    # Of a module that tells the axis itself, no other is asked.
    assert untrained(Tokens, "encoder.linear1", X, **params).transform(X).shape == (20, 12)
    assert untrained(Tokens, "norm", X, **params).transform(X).shape == (20, 8)
    with pytest.raises(ValueError, match=r"layer='last'.*\('n', 8, 8\).*both.*pool='flatten'"):
        untrained(Tokens, "last", X, **params)
    assert untrained(Tokens, "last", X, module_params={"width": 8}).transform(X).shape == (20, 64)


class Mixer(nn.Module):
    """A linear layer works along positions after the chosen one, and keeps it from being traced."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Conv1d(1, 8, 4, stride=2)
        self.act = nn.ReLU()
        self.mix = nn.Linear(5, 5)

    def forward(self, x):
        maps = nn.functional.max_pool1d(self.embed(x[:, None]), 3)
        return self.mix(self.act(maps)) if x.sum() < np.inf else x


def test_modules_after_the_layer_are_not_asked():
    X = np.random.default_rng(0).standard_normal((20, 32)).astype(np.float32)
    flat = untrained(Mixer, "act", X).transform(X).reshape(20, 8, 5)
    pooled = untrained(Mixer, "act", X, pool="mean").transform(X)
    np.testing.assert_allclose(pooled, flat.mean(axis=2), atol=1e-6)


def unflattened(*shape):
    return lambda: nn.Sequential(nn.Unflatten(1, shape), nn.ReLU(), nn.Flatten(), nn.Linear(48, 1))


def test_shapes_without_a_module_that_tells():
    X = np.random.default_rng(0).standard_normal((20, 48)).astype(np.float32)
    pooled = untrained(unflattened(3, 4, 4), "0", X, pool="max").transform(X)
    np.testing.assert_array_equal(pooled, X.reshape(20, 3, 16).max(axis=2))
    with pytest.raises(ValueError, match=r"layer='1'.*\('n', 6, 8\).*no convolution"):
        untrained(unflattened(6, 8), "1", X, pool="max")


def whole_norm():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.LayerNorm((4, 6, 6)), nn.Flatten())


class ChannelNorm(nn.LayerNorm):
    """A norm over channels that come first, as torchvision's LayerNorm2d."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


@pytest.mark.parametrize(
    "norm", [lambda: nn.LayerNorm((4, 6, 6)), lambda: ChannelNorm(4)], ids=["whole", "channels"]
)
def test_norms_that_tell_nothing(norm):
    X, _ = images()
    feature_map = untrained(
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), norm(), nn.Flatten()), "1", X, pool="mean"
    )
    assert feature_map.transform(X).shape == (40, 4)


@pytest.mark.parametrize(
    ("name", "layer", "width"),
    [
        ("resnet18", "layer2", 128),
        ("resnet18", "layer2.0.relu", 128),
        ("resnet18", "fc", 1000),
        ("swin_t", "features.1", 96),
        ("convnext_tiny", "features.1", 96),
    ],
)
def test_torchvision(name, layer, width):
    models = pytest.importorskip("torchvision.models")
    X, _ = images(3, size=32)
    features = untrained(getattr(models, name), layer, X, pool="mean").transform(X)
    assert features.shape == (3, width)


def test_linearization_of_pooled_maps_is_refused():
    X, y = images()

    def module(out_features):
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3))

    feature_map = small(module=module, layer="1", pool="mean").fit(X, y)
    with pytest.raises(ValueError, match=r"pool='mean'.*AvgPool2d"):
        feature_map.linearization_layers()
    assert len(feature_map.at(pool="flatten").linearization_layers()) == 1
    assert len(feature_map.at(layer="3").linearization_layers()) == 2
