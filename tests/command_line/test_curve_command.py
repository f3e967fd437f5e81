"""``python -m sk_deepfeat curve``: its table and picture, its words, and bad input."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

FAST = ["--features", "random", "--repeats", "2", "--train-sizes", "50", "400"]


@pytest.mark.parametrize("word", [[], ["curve"]])
def test_table_and_picture(run, tmp_path, word):
    pandas = pytest.importorskip("pandas", reason="the command line writes a table")
    output = tmp_path / "new" / "folder"
    status, out, _ = run(*word, *FAST, "--output", str(output))
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


def test_only_its_two_files_are_replaced(run, tmp_path):
    pytest.importorskip("matplotlib", reason="the command line draws")
    (tmp_path / "learning_curve.csv").write_text("old")
    (tmp_path / "mine.txt").write_text("kept")
    assert run(*FAST, "--output", str(tmp_path))[0] == 0
    assert (tmp_path / "mine.txt").read_text() == "kept"
    assert (tmp_path / "learning_curve.csv").read_text() != "old"


@pytest.mark.parametrize("population", ["leave-one-out", "gcv", "plug-in"])
@pytest.mark.parametrize("features", ["random", "none"])
def test_own_data(run, save, tmp_path, population, features):
    pytest.importorskip("matplotlib", reason="the command line draws")
    arguments = ["--data", save("images", n_rows=1200), "--features", features]
    arguments += ["--hidden-layer-sizes", "15", "--population", population, "--repeats", "2"]
    status, out, err = run(*arguments, "--output", str(tmp_path / "out"))
    assert status == 0, err
    assert "median" in out


@pytest.mark.parametrize("population", ["leave-one-out", "plug-in"])
@pytest.mark.parametrize("features", ["random", "none"])
def test_units_of_a_tables_columns_change_nothing(run, save, tmp_path, population, features):
    pandas = pytest.importorskip("pandas", reason="the command line writes a table")
    arguments = ["--features", features, "--hidden-layer-sizes", "15", "--population", population]
    arguments += [
        "--alphas",
        "0.1",
        "1",
        "10",
        "100",
        "--train-sizes",
        "50",
        "200",
        "--repeats",
        "2",
        "--output",
        str(tmp_path),
    ]

    def frame(scales):
        status, _, err = run("--data", save("table", n_rows=1200, scales=scales), *arguments)
        assert (status, err) == (0, "")
        return pandas.read_csv(tmp_path / "learning_curve.csv")

    plain = frame(scales=1.0)
    other = frame(scales=np.array([1.0, 1e3, 1e-3, 1.0, 1e3, 1e-3, 1.0, 1e3]))
    np.testing.assert_allclose(other, plain, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--data", "letters"],
            "'letters' is not 'digits', 'mnist' or a .csv, .tsv, .txt, .parquet",
        ),
        (["digits", "--data", "mnist"], "--data mnist: digits is named already"),
        (["digits", "--target", "x"], "--target x: digits has its parity for a target"),
        (["--data", "missing.npz"], "there is no such file"),
        (["--alphas", "-1"], "'-1' is not a finite number that is not negative"),
        (["--alphas", "nan"], "'nan' is not a finite number"),
        (["--repeats", "0"], "'0' is not a whole number of at least 1"),
        (["--train-sizes", "5000"], "the largest size is 1247"),
        (["--features", "magic"], "invalid choice: 'magic'"),
        (["--widths", "3"], "unrecognized arguments: --widths"),
        (["reports"], "'reports' is no command; there are curve and report"),
        (["--data", "mnist", "--data-home", "nowhere"], "MNIST files are not in nowhere"),
    ],
)
def test_bad_input_is_one_line_and_status_2(run, tmp_path, arguments, message):
    if "--train-sizes" in arguments:
        pytest.importorskip("torch", reason="sizes are checked after training the features")
    output = tmp_path / "out"
    status, out, err = run(*arguments, "--output", str(output))
    assert status == 2 and out == ""
    assert message in err and len(err.strip().splitlines()) == 1
    assert not output.exists(), "nothing is left behind"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"X": np.ones((300, 2))},
            "must hold arrays named X and y; there is no y, but X. --target",
        ),
        ({"a": np.ones(300)}, "must hold arrays named X and y; there is no X nor y, but a"),
        ({"X": np.ones((300, 2)), "y": np.ones(200)}, "one row per target"),
        (
            {"X": np.full((300, 2), np.nan), "y": np.ones(300)},
            "X must be finite; column 0 of X has 300 missing (NaN) values, and so have 1 others",
        ),
        (
            {"X": np.where(np.eye(300, 2) == 1, np.inf, 1.0), "y": np.ones(300)},
            "column 0 of X has 1 infinite values",
        ),
        (
            {"X": np.where(np.eye(300, 8) == 1, np.nan, 1.0).reshape(300, 4, 2), "y": np.ones(300)},
            "column 0 of X has 1 missing (NaN) values",
        ),
        ({"X": np.ones((30, 2)), "y": np.ones(30)}, "30 rows, which are too few; at least 50 are"),
        ({"X": np.full((300, 2), "a"), "y": np.ones(300)}, "X must be real numbers"),
        (
            {"X": np.ones((300, 2)), "y": np.where(np.arange(300) % 9 == 4, np.nan, 1.0)},
            "y is missing or infinite in 33 of 300 rows, the first in row 5; leave these rows out",
        ),
    ],
)
def test_bad_file(run, tmp_path, arrays, message):
    np.savez(tmp_path / "data.npz", **arrays)
    status, _, err = run("--data", str(tmp_path / "data.npz"))
    assert status == 2 and message in err


def test_not_an_npz_file(run, tmp_path):
    (tmp_path / "data.npz").write_text("no")
    status, _, err = run("--data", str(tmp_path / "data.npz"))
    assert status == 2 and "cannot be read as an .npz file" in err


@pytest.mark.parametrize("below", ["file", "file/deeper/folder"])
def test_output_that_is_a_file(run, tmp_path, below):
    (tmp_path / "file").write_text("kept")
    status, _, err = run(*FAST, "--output", str(tmp_path / below))
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


def test_warnings_are_one_line(run, tmp_path):
    pytest.importorskip("pandas", reason="the command line writes a table")
    arguments = ["--population", "plug-in", "--features", "random", "--repeats", "1"]
    arguments += ["--train-sizes", "100", "--hidden-layer-sizes", "100"]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        status, _, err = run(*arguments, "--output", str(tmp_path / "out"))
    assert status == 0
    assert "sk_deepfeat: warning: The plug-in population rests on 719 rows" in err
    assert len(err.strip().splitlines()) == 1
