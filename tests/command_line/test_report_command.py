"""``python -m sk_deepfeat report``: its page, and bad input."""

import os

import numpy as np
import pytest

REPORT = ["--features", "none", "--population", "gcv"]


@pytest.mark.parametrize("kind", ["table", "images"])
@pytest.mark.parametrize("features", ["none", "random", "trained"])
def test_report(run, save, tmp_path, features, kind):
    pytest.importorskip("matplotlib", reason="a report holds pictures")
    if features == "trained":
        pytest.importorskip("torch", reason="the features are trained with torch")
    page = tmp_path / "page.html"
    arguments = [*REPORT, "--features", features, "--hidden-layer-sizes", "10", "--epochs", "2"]
    arguments += ["--targets", "0.5", "0.02", "--output", str(page)]
    status, out, err = run("report", save(kind), *arguments)
    assert (status, out, err) == (0, f"{page}\n", "")
    source = page.read_text(encoding="utf-8")
    assert "<title>Predicted test error: data.npz</title>" in source
    assert "<td>0.02</td>" in source
    known = {"none": "", "random": "RandomDeep", "trained": "TrainedDeep"}
    assert known[features] in source
    assert ("StandardScaler()" in source) == (kind == "table")
    assert ("the columns themselves" in source) == (kind == "images" and features == "none")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: data"),
        (["missing.npz"], "missing.npz: there is no such file"),
        (
            ["letters"],
            "'letters' is not 'digits', 'mnist' or a .csv, .tsv, .txt, .parquet or .npz file",
        ),
        (["digits", "--alpha", "best"], "'best' is not 'optimal' or a finite number"),
        (["digits", "--alpha", "-1"], "'-1' is not 'optimal' or a finite number"),
        (["digits", "--targets", "0"], "'0' is not a finite number above 0"),
        (["digits", "--population", "plug-in"], "invalid choice: 'plug-in'"),
        (["digits", "--output", "no/such/page.html"], "there is no folder no/such"),
        (["digits", "--output", "."], ". is a folder; name a file"),
    ],
)
def test_report_of_bad_input(run, arguments, message):
    status, out, err = run("report", *arguments)
    assert status == 2 and out == "" and message in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": np.ones((300, 2))}, "data.npz must hold arrays named X and y"),
        ({"X": np.full((300, 2), np.nan), "y": np.ones(300)}, "must be finite"),
        ({"X": np.ones((300, 2)), "y": np.ones(300)}, "y is constant, 1"),
        ({"X": np.ones((30, 2)), "y": np.ones(30)}, "too few; at least 50 are needed"),
    ],
)
def test_report_of_a_bad_file(run, tmp_path, arrays, message):
    pytest.importorskip("matplotlib", reason="a report holds pictures")
    np.savez(tmp_path / "data.npz", **arrays)
    page = tmp_path / "page.html"
    status, _, err = run("report", str(tmp_path / "data.npz"), "--output", str(page))
    assert status == 2 and message in err and "--data" not in err
    assert len(err.strip().splitlines()) == 1 and not page.exists()


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices have names")
def test_nothing_but_a_regular_file_is_replaced(run, save, tmp_path):
    for package in ("matplotlib", "pandas"):
        pytest.importorskip(package, reason="the report has pictures")
    pipe, page, link = tmp_path / "pipe", tmp_path / "page.html", tmp_path / "link.html"
    os.mkfifo(pipe)
    for output in (pipe, "/dev/null"):
        status, _, err = run("report", save("table"), *REPORT, "--output", str(output))
        assert status == 2 and f"{output} is no regular file, and is not replaced" in err
    page.write_text("old")
    link.symlink_to(page)
    status, out, _ = run("report", save("table"), *REPORT, "--output", str(link))
    assert (status, out) == (0, f"{page}\n") and link.is_symlink()
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
