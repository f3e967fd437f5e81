"""Both commands put the ridge on the same features: a table's columns as numbers, images as is."""

import pytest

from sk_deepfeat.command_line.arguments import parse
from sk_deepfeat.command_line.curve import fit_features
from sk_deepfeat.command_line.model import features_of, model_of

WORDS = ["--hidden-layer-sizes", "6", "5", "--epochs", "1", "--seed", "3"]


def steps_of_curve(data, words):
    feature_map = fit_features(parse(["curve", *words]), data).feature_map
    return [repr(step) for step in feature_map.named_steps.values() if step != "passthrough"]


def steps_of_report(data, words):
    model = model_of(parse(["report", "data.npz", *words]), data)
    feature_map = getattr(model, "feature_map", None) or model[:-1]
    return [repr(step) for _, step in feature_map.steps]


@pytest.mark.parametrize("kind", ["table", "images"])
@pytest.mark.parametrize("features", ["none", "random", "trained"])
def test_both_commands_build_the_same_features(save, loaded, features, kind):
    if features == "trained":
        pytest.importorskip("torch", reason="the features are trained with torch")
    data, words = loaded(save(kind)), ["--features", features, *WORDS]
    steps = steps_of_curve(data, words)
    assert steps == steps_of_report(data, words)
    assert len(steps) == (kind == "table") + (features != "none")
    assert (steps[:1] == ["StandardScaler()"]) == (kind == "table")


@pytest.mark.parametrize(("kind", "features"), [("table", "none"), ("images", "trained")])
def test_default_features(save, loaded, kind, features):
    assert features_of(parse(["curve"]), loaded(save(kind))) == features


def test_the_scaler_sees_the_rows_of_the_features_alone(save, loaded):
    stages = fit_features(parse(["--features", "none"]), loaded(save("table")))
    assert stages.feature_map[0].n_samples_seen_ == 75
    assert len(stages.targets) == 225


@pytest.mark.parametrize("kind", ["table", "images"])
def test_two_axes_are_a_table(save, loaded, kind):
    data = loaded(save(kind))
    assert data.X.shape == (300, 8)
    assert data.is_table == (kind == "table")


def test_digits_are_images(loaded):
    assert not loaded("digits").is_table


def test_mnist_is_images(loaded, mnist_data_home):
    assert not loaded("mnist", "--data-home", str(mnist_data_home)).is_table
