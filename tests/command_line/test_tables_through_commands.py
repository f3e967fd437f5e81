"""Both commands on a table of customers: the same error, weights, JSON, and a page."""

import json

import numpy as np
import pytest
from customers import N_ROWS, customers

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.command_line.arguments import parse
from sk_deepfeat.command_line.curve import default_alphas, fit_features
from sk_deepfeat.exceptions import PopulationWarning

pytest.importorskip("pandas", reason="tables are read through pandas")
pytest.importorskip("matplotlib", reason="the command line draws")

FAST = ["--target", "price", "--train-sizes", "100", "--repeats", "2", "--targets", "0.4"]
LEFT_OUT = ["--drop", "household", "weight"]


def strict(text):
    """Parse what any reader of JSON takes."""

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_both_commands_agree_on_the_error(run, write, tmp_path):
    words = [write(), "--target", "price", "--json", *LEFT_OUT]
    told = {}
    for command, more in (("curve", FAST), ("report", [])):
        status, out, _ = run(command, *words, *more, "--output", str(tmp_path / command))
        assert status == 0 and out.count("\n") == 1
        told[command] = strict(out)
    curve, report = told["curve"], told["report"]
    assert curve["columns"] == report["columns"] and curve["features"] == report["features"]
    low, high = report["interval"]
    assert low < curve["predicted_error"] < high
    assert curve["predicted_error"] == pytest.approx(report["predicted_error"], rel=0.1)
    assert curve["baseline_error"] == pytest.approx(report["baseline_error"], rel=0.1)
    assert np.shape(curve["predicted"]) == np.shape(curve["measured"]) == (1, 5)
    assert np.nanmedian(np.abs(curve["relative_error"])) < 0.15
    r2 = 1 - report["predicted_error"] / report["baseline_error"]
    assert report["r2"] == pytest.approx(r2, abs=0.01)
    assert report["r2_interval"][0] < r2 < report["r2_interval"][1]
    assert report["root_error"] == pytest.approx(report["predicted_error"] ** 0.5)
    assert [need["answer"] for need in report["required_samples"]][-1] in ("never", "unknown")
    assert report["required_samples"][-1]["n_samples"] is None
    assert (tmp_path / "report").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_default_alphas_follow_the_spectrum(write, loaded):
    """Columns a thousand times as large take alphas a million times as large."""
    data = loaded(write(), "--target", "price", "--drop", "household", "weight")
    stages = fit_features(parse(["curve"]), data)
    plain, large = (
        default_alphas(DeterministicEquivalentRidge("optimal").fit(X, stages.targets))
        for X in (stages.features, 1e3 * stages.features)
    )
    assert np.all(np.diff(np.log10(plain)) == pytest.approx(1.0)) and len(plain) == 5
    np.testing.assert_allclose(large, 1e6 * np.array(plain))
    best = DeterministicEquivalentRidge("optimal").fit(stages.features, stages.targets).alpha_
    assert plain[1] < best < plain[3]


def test_default_alphas_without_noise_and_without_signal():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5))
    exact = default_alphas(DeterministicEquivalentRidge("optimal").fit(X, X[:, 0]))
    assert np.all(np.isfinite(exact)) and exact[0] > 0
    with pytest.warns(PopulationWarning, match="the features seem to tell nothing"):
        ridge = DeterministicEquivalentRidge("optimal").fit(X, rng.normal(size=200))
    assert default_alphas(ridge) == [10.0, 100.0, 1e3, 1e4, 1e5]


def test_weights_are_those_of_the_ridge(run, write, loaded, tmp_path):
    weight = np.where(np.arange(N_ROWS) % 2 == 0, 0.01, 1.0)
    path = write(frame=customers().assign(weight=weight).drop(columns="household"))
    words = [path, "--weights", "weight", *FAST]
    status, out, _ = run("curve", *words, "--json", "--output", str(tmp_path))
    assert status == 0
    found = strict(out)
    stages = fit_features(parse(["curve", *words]), loaded(*words[:3], "--target", "price"))
    ridge = DeterministicEquivalentRidge("optimal").fit(
        stages.features, stages.targets, stages.weights
    )
    assert set(stages.weights) == {0.01, 1.0}
    assert found["alpha"] == pytest.approx(ridge.alpha_)
    predicted = ridge.predict_test_error(100, found["alphas"])
    np.testing.assert_allclose(found["predicted"][0], predicted)
    unweighted = DeterministicEquivalentRidge("optimal").fit(stages.features, stages.targets)
    assert unweighted.predict_test_error(100) < predicted.min()


@pytest.mark.parametrize("features", ["none", "trained"])
def test_page_of_a_table(run, write, tmp_path, features):
    if features == "trained":
        pytest.importorskip("torch", reason="the features are trained with torch")
    page = tmp_path / "page.html"
    words = ["--target", "price", "--features", features, "--hidden-layer-sizes", "5"]
    words += ["--epochs", "1", "--population", "gcv", *LEFT_OUT, "--output", str(page)]
    status, out, err = run("report", write(), *words)
    assert (status, out) == (0, f"{page}\n")
    assert "sk_deepfeat: country: left out: always EU\n" in err
    source = page.read_text(encoding="utf-8")
    assert "country" in source and "left out: always EU" in source
    assert "price, from " in source
    assert ("450 for the ridge, 150 others for the features" in source) == (features == "trained")


def test_what_a_curve_prints(run, write, tmp_path):
    words = [write(), *FAST, *LEFT_OUT, "--output", str(tmp_path)]
    status, out, err = run("curve", *words, "--targets", "50", "1")
    assert status == 0 and err.count("\n") == 9
    assert "errors are mean squared errors of price" in out
    assert "best alpha with 450 rows: " in out and " in units of price\nR²: 0." in out
    goals = [line for line in out.splitlines() if line.startswith("rows that an error of ")]
    assert [line.split()[5] for line in goals] == ["50", "1"]
    assert goals[0].split()[-1].isdigit() and not goals[1].split()[-1].isdigit()


def test_classes_as_json(run, write, tmp_path):
    frame = customers()[["age", "income", "letter", "price"]]
    words = ["curve", write(frame=frame), *FAST, "--target", "letter", "--json"]
    status, out, _ = run(*words, "--output", str(tmp_path))
    found = strict(out)
    assert status == 0 and found["metric"] == "error_rate" and found["classes"] == [False, True]
    assert found["r2"] is None and found["root_error"] is None
    assert 0.0 < found["predicted_error"] < found["baseline_error"] < 0.5
