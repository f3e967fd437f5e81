"""Both commands put the ridge on the same features: a table's columns standardised, images not."""

import pytest

from sk_deepfeat.command_line.arguments import parse
from sk_deepfeat.command_line.curve import fit_features
from sk_deepfeat.command_line.data import load
from sk_deepfeat.command_line.report import unfitted_model

WORDS = ["--hidden-layer-sizes", "6", "5", "--epochs", "1", "--seed", "3"]


def steps_of_curve(data, words):
    feature_map = fit_features(parse(["curve", *words]), data).feature_map
    return [repr(step) for step in feature_map.named_steps.values() if step != "passthrough"]


def steps_of_report(data, words):
    model = unfitted_model(parse(["report", "data.npz", *words]), is_table=data.is_table)
    feature_map = getattr(model, "feature_map", None) or model[:-1]
    return [repr(step) for _, step in feature_map.steps]


@pytest.mark.parametrize("kind", ["table", "images"])
@pytest.mark.parametrize("features", ["none", "random", "trained"])
def test_both_commands_build_the_same_features(save, features, kind):
    if features == "trained":
        pytest.importorskip("torch", reason="the features are trained with torch")
    data, words = load(save(kind), None), ["--features", features, *WORDS]
    steps = steps_of_curve(data, words)
    assert steps == steps_of_report(data, words)
    assert len(steps) == (kind == "table") + (features != "none")
    assert (steps[:1] == ["StandardScaler()"]) == (kind == "table")


def test_the_scaler_sees_the_rows_of_the_features_alone(save):
    data = load(save("table"), None)
    stages = fit_features(parse(["--features", "none"]), data)
    assert stages.feature_map[0].n_samples_seen_ == 75
    assert len(stages.targets) == 225


@pytest.mark.parametrize("kind", ["table", "images"])
def test_two_axes_are_a_table(save, kind):
    data = load(save(kind), None)
    assert data.X.shape == (300, 8)
    assert data.is_table == (kind == "table")


def test_digits_are_images():
    assert not load("digits", None).is_table


def test_mnist_is_images(mnist_data_home):
    pytest.importorskip("torchvision", reason="MNIST is read through torchvision")
    assert not load("mnist", str(mnist_data_home)).is_table


@pytest.mark.parametrize("command", ["curve", "report"])
def test_help_tells_what_is_standardised(run, capsys, command):
    with pytest.raises(SystemExit) as ended:
        run(command, "--help")
    assert ended.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "The columns of a table (X with two axes)" in said and "are standardised" in said
