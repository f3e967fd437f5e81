"""``--groups NAME``: labels from the file, splits by groups, and what is said of it."""

import re

import numpy as np
import pytest

from sk_deepfeat.command_line.arguments import parse
from sk_deepfeat.command_line.curve import fit_features

FAST = ["--features", "random", "--hidden-layer-sizes", "15", "--groups", "site"]


@pytest.fixture
def grouped(tmp_path):
    """Save 1200 rows of 240 sites that share an effect in X and y, and bad labels beside them."""

    def file(n_groups=240, size=5):
        rng = np.random.default_rng(0)
        codes = np.repeat(np.arange(n_groups), size)
        X = rng.normal(size=(n_groups * size, 8)) + rng.normal(size=(n_groups, 8))[codes]
        y = X[:, 0] + rng.normal(size=n_groups)[codes] + 0.3 * rng.normal(size=n_groups * size)
        order = rng.permutation(len(y))
        site = np.array([f"site {code}" for code in codes])
        path = tmp_path / "data.npz"
        np.savez(
            path,
            X=X[order],
            y=y[order],
            site=site[order],
            number=codes[order],
            short=codes[:-1],
            one=np.zeros(len(y)),
            missing=np.where(codes == 3, np.nan, codes),
            table=np.ones((len(y), 2)),
            things=np.array([*site[:-1], 3], dtype=object),
        )
        return str(path)

    return file


@pytest.mark.parametrize("name", ["site", "number"])
def test_features_and_ridge_see_disjoint_groups(grouped, loaded, name):
    data = loaded(grouped(), "--groups", name)
    stages = fit_features(parse(["--features", "none", "--groups", name]), data)
    seen = stages.feature_map[0].n_samples_seen_
    assert seen + len(stages.targets) == 1200 and abs(seen - 300) <= 3
    assert len(stages.groups) == len(stages.targets)
    assert len(set(stages.groups)) == 240 - seen // 5, "no group is split"


def test_curve_of_groups(run, grouped, tmp_path):
    """Its errors agree with the prediction, which row-wise ones do not."""
    pandas = pytest.importorskip("pandas", reason="the command line writes a table")
    arguments = ["curve", "--data", grouped(), *FAST, "--repeats", "3", "--output", str(tmp_path)]
    status, out, err = run(*arguments, "--alphas", "1", "10")
    assert (status, err) == (0, "")
    assert "errors are those of rows of new groups; site names the group of each row" in out
    frame = pandas.read_csv(tmp_path / "learning_curve.csv")
    assert sorted(set(frame.n_groups)) == [5, 10, 20, 40, 80, 160]
    np.testing.assert_allclose(frame.n_samples, 5 * frame.n_groups)
    assert np.median(np.abs(frame.relative_error[frame.n_groups >= 20])) < 0.1


def test_sizes_count_groups(run, grouped, tmp_path):
    pandas = pytest.importorskip("pandas", reason="the command line writes a table")
    arguments = ["--data", grouped(), *FAST, "--repeats", "1", "--train-sizes", "30", "100"]
    status, _, err = run(*arguments, "--output", str(tmp_path))
    assert (status, err) == (0, "")
    assert set(pandas.read_csv(tmp_path / "learning_curve.csv").n_groups) == {30, 100}
    status, _, err = run(*arguments, "170", "--output", str(tmp_path))
    assert status == 2
    assert "go up to 170, but of the 180 groups that the features have not seen at least 20" in err


@pytest.mark.parametrize("features", ["none", "random", "trained"])
def test_report_of_groups(run, grouped, tmp_path, features):
    pytest.importorskip("matplotlib", reason="a report holds pictures")
    if features == "trained":
        pytest.importorskip("torch", reason="the features are trained with torch")
    page = tmp_path / "page.html"
    arguments = ["--features", features, "--hidden-layer-sizes", "10", "--epochs", "2"]
    status, out, err = run(
        "report", grouped(), *arguments, "--groups", "site", "--output", str(page)
    )
    assert (status, out) == (0, f"{page}\n"), err
    source = page.read_text(encoding="utf-8")
    assert "<title>Predicted test error on new groups (site): data.npz</title>" in source
    assert "<span>predicted test error on new groups, squared</span>" in source
    rows, groups = ("900", "180") if features == "trained" else ("1,200", "240")
    assert f"<dd>{rows} in {groups} groups" in source


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("patient", "--groups patient: .*data.npz holds no such array, but X, y, site, number, "),
        ("Sites", r"no such array, but X, y, .* Did you mean site\?"),
        ("short", "--groups short: groups has 1199 labels for 1200 rows"),
        ("one", "--groups one: groups has one group, 0.0"),
        ("missing", "--groups missing: groups has 5 missing labels, the first in row 15"),
        ("table", r"--groups table: groups has shape \(1200, 2\); it must have one axis"),
        (
            "things",
            "--groups things: the array holds Python's objects; save it as numbers or strings",
        ),
    ],
)
@pytest.mark.parametrize("command", ["curve", "report"])
def test_arrays_that_are_no_groups(run, grouped, tmp_path, command, name, message):
    pytest.importorskip("matplotlib", reason="a report holds pictures")
    data = [grouped()] if command == "report" else ["--data", grouped()]
    output = tmp_path / "out"
    status, out, err = run(command, *data, "--groups", name, "--output", str(output))
    assert status == 2 and out == "" and len(err.strip().splitlines()) == 1
    assert re.search(message, err)
    assert not output.exists()


@pytest.mark.parametrize("name", ["digits", "mnist"])
@pytest.mark.parametrize("command", ["curve", "report"])
def test_images_that_ship_have_no_groups(run, command, name):
    data = [name] if command == "report" else ["--data", name]
    status, _, err = run(command, *data, "--groups", "writer")
    assert status == 2
    assert f"--groups writer: {name} has no groups; groups name a column of a table, or an" in err


@pytest.mark.parametrize(
    ("command", "population"), [("curve", "gcv"), ("curve", "plug-in"), ("report", "gcv")]
)
def test_populations_that_take_rows_to_be_independent(run, grouped, command, population):
    data = [grouped()] if command == "report" else ["--data", grouped()]
    status, _, err = run(command, *data, "--groups", "site", "--population", population)
    assert status == 2
    assert f"--groups site: --population {population} takes rows to be independent" in err


def test_too_few_groups(run, grouped, tmp_path):
    pytest.importorskip("matplotlib", reason="the command line draws")
    arguments = ["--data", grouped(n_groups=3, size=100), *FAST, "--output", str(tmp_path / "out")]
    status, _, err = run(*arguments)
    assert status == 2 and "--groups site names 3 groups; at least 4 are needed" in err
