"""What does not fit together is refused before a network is trained."""

import functools
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")
pytest.importorskip("torchvision")

import networks  # noqa: E402
from torch import nn  # noqa: E402
from trained_cases import images, inputs, small  # noqa: E402

from sk_deepfeat.feature_maps._torch import training  # noqa: E402
from sk_deepfeat.feature_maps.module_names import nearest, short_name  # noqa: E402


@pytest.fixture(autouse=True)
def no_training(request, monkeypatch):
    """Fail where a step of an optimiser would be made."""
    if "trains" not in request.fixturenames:
        monkeypatch.setattr(training.StateKeeper, "on_batch_end", pytest.fail)


@pytest.fixture
def trains():
    """Ask for training."""


def head(width):
    return lambda: nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, width))


LABELS = np.array(["ant", "bee", "cat"])[np.arange(60) % 3]


@pytest.mark.parametrize(
    ("width", "y", "params", "message"),
    [
        (2, LABELS, {}, r"has 2 outputs for each row, but y holds 3 classes; let.*out_features"),
        (
            1000,
            LABELS,
            {},
            r"has 1000 outputs .* y holds 3 classes.*num_classes=3.*one-hot",
        ),
        (
            1,
            np.arange(60) % 2 == 0,
            {},
            r"has 1 output for each row, but y holds 2 classes.*pass fl",
        ),
        (3, np.linspace(0, 1, 60), {}, r"has 3 outputs for each row, but y holds 1 target;.*integ"),
        (1, np.ones((60, 2)), {}, "has 1 output for each row, but y holds 2 targets;"),
        (4, np.eye(3)[np.arange(60) % 3], {"loss": "log_loss"}, "4 outputs.*3 classes"),
    ],
)
def test_heads(width, y, params, message):
    with pytest.raises(ValueError, match=message) as caught:
        small(module=head(width), layer="1", **params).fit(inputs()[0], y)
    assert len(str(caught.value)) < 300
    # Without training no output is asked for.
    small(module=head(width), layer="1", max_epochs=0, **params).fit(inputs()[0], y)


def test_class_names(trains):
    feature_map = small(module=head(3), layer="1").fit(inputs()[0], LABELS)
    assert list(feature_map.classes_) == ["ant", "bee", "cat"]
    X, _ = images(30)
    labels = np.array(["ant", "bee", "cat"], dtype=object)[np.arange(30) % 3]
    assert small(module=networks.Convolutional, layer="pool").fit(X, labels).n_iter_ == 2


class TwoOutputs(networks.Net):
    """Returns more than its output while it is trained, as GoogLeNet does."""

    def forward(self, x):
        output = super().forward(x)
        return (output, output) if self.training else output


def test_outputs_that_are_no_rows():
    X, y = inputs()
    with pytest.raises(TypeError, match="must return one tensor, but it returned a tuple"):
        small(module=TwoOutputs, layer="first").fit(X, y)
    maps = functools.partial(nn.Conv2d, 3, 3, 3)
    with pytest.raises(ValueError, match=r"outputs of shape \(2, 3, 6, 6\) for 2 rows.*3 classes"):
        small(module=lambda: nn.Sequential(maps()), layer="0").fit(*images())


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (lambda X: X.reshape(40, -1), r"rows of shape \(192,\).*X.reshape\(-1, 3, 8, 8\)"),
        (lambda X: X[:, 0], r"rows of shape \(8, 8\).*np.repeat\(X\[:, None\], 3, axis=1\)"),
        (lambda X: X[:, :1], r"rows of shape \(1, 8, 8\).*np.repeat\(X, 3, axis=1\)"),
        (lambda X: np.moveaxis(X, 1, -1), r"rows of shape \(8, 8, 3\).*np.moveaxis\(X, -1, 1\)"),
        (lambda X: X[:, :2], r"rows of shape \(2, 8, 8\).*'stem', takes.*3, height, width\)\.$"),
        (lambda X: X.reshape(40, -1)[:, :50], r"rows of shape \(50,\).*3, height, width\)\.$"),
    ],
)
@pytest.mark.parametrize("max_epochs", [0, 1])
def test_rows_that_a_convolution_does_not_take(change, remedy, max_epochs):
    X, y = images()
    with pytest.raises(ValueError, match=rf"module=Convolutional fails on {remedy}") as caught:
        small(module=networks.Convolutional, layer="relu", max_epochs=max_epochs).fit(change(X), y)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("module", "X", "message"),
    [
        (head(1), np.zeros((60, 5)), r"'0', takes 6 features, X has 5; let the module"),
        (head(1), np.zeros((60, 2, 3)), r"takes 6 features: X.reshape\(len\(X\), -1\)"),
        (head(1), np.zeros((60, 2, 4)), r"takes 6 features\. Give X the shape"),
        (lambda: nn.Sequential(nn.Conv1d(1, 2, 3)), np.zeros((60, 6)), r"X\[:, None\]"),
        (lambda: nn.Sequential(nn.MaxPool2d(2)), np.zeros((60, 6)), r"Give X the shape"),
        (lambda: nn.Sequential(nn.LazyConv2d(2, 3)), np.zeros((60, 6)), r"fails on rows of"),
    ],
)
def test_rows_that_another_module_does_not_take(module, X, message):
    with pytest.raises(ValueError, match=message):
        small(module=module, layer="0").fit(X, np.linspace(0, 1, 60))


class Failing(networks.Net):
    """A bug of the user's own."""

    def forward(self, x):
        return {}["missing"]


def test_other_errors_of_a_forward_pass_are_told():
    with pytest.raises(ValueError, match=r"module=Failing fails on rows .*: 'missing'"):
        small(module=Failing, layer="first").fit(*inputs())


def test_memory_that_is_short_is_not_blamed_on_the_shape():
    class Large(networks.Net):
        def forward(self, x):
            raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        small(module=Large, layer="first").fit(*inputs())


def message_of(**params):
    X, y = images(4, size=32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of torchvision's tracing
        with pytest.raises((ValueError, TypeError)) as caught:
            small(max_epochs=0, **params).fit(X, y)
    return str(caught.value)


def test_messages_name_few_layers_and_no_network():
    from torchvision.models import resnet18

    typo = message_of(module=resnet18, layer="layr2.0.relu")
    assert (
        "layer='layr2.0.relu' is not a layer of the network; the nearest are layer2.0.relu" in typo
    )
    assert "and there are 8" in typo
    far = message_of(module=resnet18, layer="embeddings")
    none = message_of(module=resnet18)
    assert "layer=None names no layer" in none
    assert "the last are layer4.1.conv2, layer4.1.bn2, avgpool, fc, and there are 63" in none
    assert "others, which network.named_modules() lists" in far
    instance = message_of(module=resnet18(), layer="fc")
    assert "an instance of ResNet" in instance
    returned = message_of(module=lambda: [resnet18()], layer="fc")
    assert "module=<lambda> must return a torch.nn.Module, but it returned a list" in returned
    for message in (typo, far, none, instance, returned):
        assert len(message) < 350
        assert "Conv2d(" not in message


class Returning(networks.Net):
    """A layer of its own that gives no tensor."""

    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        self.pair = Pair()

    def forward(self, x):
        return super().forward(self.pair(x)[0])


class Pair(nn.Module):
    def forward(self, x):
        if x.sum() > np.inf:  # keeps it from being traced
            return x
        return x, x


def test_layers_that_are_no_rows_or_are_not_used():
    X, y = inputs()
    with pytest.raises(ValueError, match=r"'pair' must give.*tuple; choose another: its layers"):
        small(module=Returning, layer="pair").fit(X, y)


def test_names_in_messages():
    assert nearest("b", ["a", "b"]) == "its layers are: a, b"
    assert nearest("", []) == "its layers are: (none)"
    assert [short_name(it) for it in (nn.Linear, nn.ReLU(), functools.partial(head, 3), "x")] == [
        *("Linear", "ReLU", "head", "str")
    ]
