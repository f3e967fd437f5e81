import subprocess
import sys
import warnings

import numpy as np
import pytest

from sk_deepfeat.__main__ import main

FAST = ["--features", "random", "--repeats", "2", "--train-sizes", "50", "400"]


def run(capsys, *arguments):
    status = main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize("word", [[], ["curve"]])
def test_table_and_picture(capsys, tmp_path, word):
    pandas = pytest.importorskip("pandas", reason="the command line writes a table")
    output = tmp_path / "new" / "folder"
    status, out, _ = run(capsys, *word, *FAST, "--output", str(output))
    assert status == 0
    last = out.strip().splitlines()[-1]
    assert last.startswith("relative error of the prediction: median ")
    assert sorted(path.name for path in output.iterdir()) == [
        "learning_curve.csv",
        "learning_curve.png",
    ]
    frame = pandas.read_csv(output / "learning_curve.csv")
    assert list(frame.columns) == [
        "n_samples",
        "alpha",
        "predicted",
        "measured",
        "measured_se",
        "relative_error",
    ]
    assert len(frame) == 10 and frame.relative_error.abs().median() < 0.05
    assert (output / "learning_curve.png").read_bytes().startswith(b"\x89PNG")


def test_only_its_two_files_are_replaced(capsys, tmp_path):
    pytest.importorskip("matplotlib", reason="the command line draws")
    (tmp_path / "learning_curve.csv").write_text("old")
    (tmp_path / "mine.txt").write_text("kept")
    assert run(capsys, *FAST, "--output", str(tmp_path))[0] == 0
    assert (tmp_path / "mine.txt").read_text() == "kept"
    assert (tmp_path / "learning_curve.csv").read_text() != "old"


@pytest.mark.parametrize("population", ["leave-one-out", "gcv", "plug-in"])
@pytest.mark.parametrize("features", ["random", "none"])
def test_own_data(capsys, tmp_path, population, features):
    pytest.importorskip("matplotlib", reason="the command line draws")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 4, 2))
    np.savez(tmp_path / "data.npz", X=X, y=X[:, 0, 0] + 0.1 * rng.normal(size=1200))
    arguments = ["--data", str(tmp_path / "data.npz"), "--features", features]
    arguments += ["--hidden-layer-sizes", "15", "--population", population, "--repeats", "2"]
    status, out, err = run(capsys, *arguments, "--output", str(tmp_path / "out"))
    assert status == 0, err
    assert "median" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "letters"], "'letters' is not 'digits', 'mnist' or an .npz file"),
        (["--data", "missing.npz"], "there is no such file"),
        (["--alphas", "-1"], "'-1' is not a finite number that is not negative"),
        (["--alphas", "nan"], "'nan' is not a finite number"),
        (["--repeats", "0"], "'0' is not a whole number of at least 1"),
        (["--train-sizes", "5000"], "the largest size is 1247"),
        (["--features", "magic"], "invalid choice: 'magic'"),
        (["--widths", "3"], "unrecognized arguments: --widths"),
        (["reports"], "unrecognized arguments: reports"),
        (["--data", "mnist", "--data-home", "nowhere"], "MNIST files are not in nowhere"),
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, tmp_path, arguments, message):
    if "mnist" in arguments:
        pytest.importorskip("torchvision", reason="MNIST is read through torchvision")
    if "--train-sizes" in arguments:
        pytest.importorskip("torch", reason="sizes are checked after training the features")
    output = tmp_path / "out"
    status, out, err = run(capsys, *arguments, "--output", str(output))
    assert status == 2 and out == ""
    assert message in err and len(err.strip().splitlines()) == 1
    assert not output.exists(), "nothing is left behind"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": np.ones((300, 2))}, "must hold arrays named X and y"),
        ({"X": np.ones((300, 2)), "y": np.ones(200)}, "one row per target"),
        ({"X": np.full((300, 2), np.nan), "y": np.ones(300)}, "must be finite"),
        ({"X": np.ones((30, 2)), "y": np.ones(30)}, "at least 200 are needed"),
        ({"X": np.full((300, 2), "a"), "y": np.ones(300)}, "must be real numbers"),
    ],
)
def test_bad_file(capsys, tmp_path, arrays, message):
    np.savez(tmp_path / "data.npz", **arrays)
    status, _, err = run(capsys, "--data", str(tmp_path / "data.npz"))
    assert status == 2 and message in err


def test_not_an_npz_file(capsys, tmp_path):
    (tmp_path / "data.npz").write_text("no")
    status, _, err = run(capsys, "--data", str(tmp_path / "data.npz"))
    assert status == 2 and "cannot be read as an .npz file" in err


@pytest.mark.parametrize("below", ["file", "file/deeper/folder"])
def test_output_that_is_a_file(capsys, tmp_path, below):
    (tmp_path / "file").write_text("kept")
    status, _, err = run(capsys, *FAST, "--output", str(tmp_path / below))
    assert status == 2 and "is a file; name a folder" in err


def test_default_run_reaches_its_figures(tmp_path):
    """Trained features on digits, 10 repeats: median at most 4 %, worst at most 20 %."""
    pytest.importorskip("torch", reason="the default features are trained with torch")
    finished = subprocess.run(
        [sys.executable, "-m", "sk_deepfeat", "--output", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    words = finished.stdout.strip().splitlines()[-1].split()
    median, worst = float(words[words.index("median") + 1]), float(words[words.index("worst") + 1])
    assert median <= 4.0 and worst <= 20.0
    assert finished.stderr == ""


def test_warnings_are_one_line(capsys, tmp_path):
    pytest.importorskip("pandas", reason="the command line writes a table")
    arguments = ["--population", "plug-in", "--features", "random", "--repeats", "1"]
    arguments += ["--train-sizes", "100", "--hidden-layer-sizes", "100"]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        status, _, err = run(capsys, *arguments, "--output", str(tmp_path / "out"))
    assert status == 0
    assert "sk_deepfeat: warning: The plug-in population rests on 719 rows" in err
    assert len(err.strip().splitlines()) == 1


REPORT = ["--features", "none", "--population", "gcv"]


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4, 2))
    np.savez(tmp_path / "data.npz", X=X, y=X[:, 0, 0] + 0.1 * rng.normal(size=300))
    return str(tmp_path / "data.npz")


@pytest.mark.parametrize("features", ["none", "random", "trained"])
def test_report(capsys, tmp_path, data, features):
    pytest.importorskip("matplotlib", reason="a report holds pictures")
    if features == "trained":
        pytest.importorskip("torch", reason="the features are trained with torch")
    page = tmp_path / "page.html"
    arguments = [*REPORT, "--features", features, "--hidden-layer-sizes", "10", "--epochs", "2"]
    arguments += ["--targets", "0.5", "0.02", "--output", str(page)]
    status, out, err = run(capsys, "report", data, *arguments)
    assert (status, out, err) == (0, f"{page}\n", "")
    source = page.read_text(encoding="utf-8")
    assert "<title>Predicted test error: data.npz</title>" in source
    assert "<td>0.02</td>" in source
    known = {"none": "StandardScaler()", "random": "RandomDeep", "trained": "TrainedDeep"}
    assert known[features] in source


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: data"),
        (["missing.npz"], "missing.npz: there is no such file"),
        (["letters"], "'letters' is not 'digits', 'mnist' or an .npz file"),
        (["digits", "--alpha", "best"], "'best' is not 'optimal' or a finite number"),
        (["digits", "--alpha", "-1"], "'-1' is not 'optimal' or a finite number"),
        (["digits", "--targets", "0"], "'0' is not a finite number above 0"),
        (["digits", "--population", "plug-in"], "invalid choice: 'plug-in'"),
        (["digits", "--output", "no/such/page.html"], "there is no folder no/such"),
        (["digits", "--output", "."], ". is a folder; name a file"),
    ],
)
def test_report_of_bad_input(capsys, arguments, message):
    status, out, err = run(capsys, "report", *arguments)
    assert status == 2 and out == "" and message in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": np.ones((300, 2))}, "data.npz must hold arrays named X and y"),
        ({"X": np.full((300, 2), np.nan), "y": np.ones(300)}, "must be finite"),
        ({"X": np.ones((300, 2)), "y": np.ones(300)}, "y is constant"),
        ({"X": np.ones((30, 2)), "y": np.ones(30)}, "at least 200 are needed"),
    ],
)
def test_report_of_a_bad_file(capsys, tmp_path, arrays, message):
    pytest.importorskip("matplotlib", reason="a report holds pictures")
    np.savez(tmp_path / "data.npz", **arrays)
    page = tmp_path / "page.html"
    status, _, err = run(capsys, "report", str(tmp_path / "data.npz"), "--output", str(page))
    assert status == 2 and message in err and "--data" not in err
    assert len(err.strip().splitlines()) == 1 and not page.exists()
