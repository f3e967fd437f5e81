"""``--task``: what y is taken for, and error rates where it holds classes."""

import numpy as np
import pytest

FAST = ["--features", "random", "--hidden-layer-sizes", "20"]
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(450, 8))
NUMBER = np.digitize(ROWS[:, 0] + 0.5 * RNG.normal(size=450), [-0.5, 0.7])
KINDS = {
    "strings": np.array(["low", "middle", "high"])[NUMBER],
    "bytes": np.array([b"low", b"middle", b"high"])[NUMBER],
    "booleans": NUMBER == 1,
    "integers": NUMBER,
    "two": np.where(NUMBER == 1, -1, 1),
    "whole floats": NUMBER * 1.0,
    "counts": np.arange(450) % 21,
    "gap": NUMBER**2,
    "continuous": ROWS[:, 0],
    "columns": np.c_[NUMBER, NUMBER],
    "constant": np.full(450, "a"),
}


@pytest.fixture
def classes(tmp_path):
    def file(kind):
        path = tmp_path / "data.npz"
        np.savez(path, X=ROWS, y=KINDS[kind], site=np.arange(450) // 3)
        return str(path)

    return file


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "constant"])
def test_what_is_taken_for_classes(classes, loaded, kind):
    data = loaded(classes(kind))
    assert data.of_classes == (kind in ("strings", "bytes", "booleans", "integers", "two"))
    if not data.of_classes:
        assert data.y.dtype == np.float64


@pytest.mark.parametrize("kind", ["bytes", "whole floats", "counts", "gap"])
def test_a_task_that_is_named_decides(classes, loaded, kind):
    data = loaded(classes(kind), "--task", "classification")
    assert data.of_classes and data.y.dtype.kind in "iU"
    if kind != "bytes":
        np.testing.assert_array_equal(data.y, KINDS[kind])
        data = loaded(classes(kind), "--task", "regression")
        assert not data.of_classes and data.y.dtype == np.float64


def test_parity_of_digits_is_classes_where_that_is_asked(loaded):
    numbers, labels = loaded("digits"), loaded("digits", "--task", "classification")
    assert not numbers.of_classes and labels.of_classes
    np.testing.assert_array_equal(labels.y == "even", numbers.y == 1.0)


@pytest.mark.parametrize("kind", ["strings", "two"])
def test_curve_of_classes(run, classes, tmp_path, kind):
    pandas = pytest.importorskip("pandas", reason="the command line writes a table")
    arguments = ["curve", "--data", classes(kind), *FAST, "--alphas", "1", "10", "--repeats", "5"]
    status, out, err = run(*arguments, "--train-sizes", "50", "200", "--output", str(tmp_path))
    assert (status, err) == (0, "")
    told = "of 3 classes from high to middle" if kind == "strings" else "of 2 classes from -1 to 1"
    assert f"errors are error rates: shares of rows misclassified, {told}" in out
    frame = pandas.read_csv(tmp_path / "learning_curve.csv")
    assert frame.measured.between(0.1, 0.5).all() and frame.relative_error.abs().median() < 0.3


def test_regression_of_integers_is_as_of_floats(run, classes, tmp_path):
    pytest.importorskip("pandas", reason="the command line writes a table")
    arguments = [*FAST, "--repeats", "1", "--train-sizes", "50", "--output", str(tmp_path)]
    _, numbers, _ = run("--data", classes("whole floats"), *arguments)
    _, named, _ = run("--data", classes("integers"), "--task", "regression", *arguments)
    assert named == numbers and "error rates" not in named


@pytest.mark.parametrize(("features", "groups"), [("none", []), ("trained", ["--groups", "site"])])
def test_report_of_classes(run, classes, tmp_path, features, groups):
    pytest.importorskip("matplotlib", reason="a report holds pictures")
    if features == "trained":
        pytest.importorskip("torch", reason="the features are trained with torch")
    page = tmp_path / "page.html"
    arguments = ["--features", features, "--hidden-layer-sizes", "10", "--epochs", "2", *groups]
    arguments += ["--targets", "0.6", "--output", str(page)]
    status, out, err = run("report", classes("strings"), *arguments)
    assert (status, out, err) == (0, f"{page}\n", "")
    source = page.read_text(encoding="utf-8")
    of_groups = " on new groups (site)" if groups else ""
    assert f"<title>Predicted error rate{of_groups}: data.npz</title>" in source
    assert "y, 3 classes: high, low, middle" in source and "it misclassifies" in source
    assert "DeterministicEquivalentRidgeClassifier(alpha=&#x27;optimal&#x27;)" in source
    assert ("for the ridge" in source) == (features == "trained")


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("continuous", ["--task", "classification"], "needs labels, but it holds numbers"),
        ("columns", ["--task", "classification"], "y of shape (450, 2) must have one axis"),
        ("strings", ["--task", "regression"], "y must be real numbers for --task regression"),
        ("strings", ["--task", "ranking"], "invalid choice: 'ranking'"),
        ("strings", ["--population", "gcv"], "gcv does not tell error rates of classes"),
    ],
)
@pytest.mark.parametrize("command", ["curve", "report"])
def test_bad_tasks(run, classes, tmp_path, command, kind, arguments, message):
    data = [classes(kind)] if command == "report" else ["--data", classes(kind)]
    status, out, err = run(command, *data, *arguments, "--output", str(tmp_path / "out"))
    assert status == 2 and out == "" and message in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("command", ["curve", "report"])
def test_one_class_alone(run, classes, tmp_path, command):
    pytest.importorskip("matplotlib", reason="the command line draws")
    output = tmp_path / "out"
    status, _, err = run(command, classes("constant"), "--output", str(output))
    assert status == 2 and "y is constant, a; there is nothing to predict" in err
    assert not output.exists()
