"""The scripts of the figures measure rightly, and the README says what their tables say."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

FOLDER = Path(__file__).parents[1] / "reproduction"
RESULTS = FOLDER / "results"


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return FOLDER


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_measure_is_the_mean_over_explicit_refits(scripts, fit_intercept):
    from measure import measure

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 8)), rng.normal(size=300)
    parts = (np.arange(300) >= 100).astype(int)
    sizes, alphas = np.array([5, 40]), np.array([0.1, 10.0])
    options = {"seed": 3, "precision": 0.0, "fit_intercept": fit_intercept, "parts": parts}
    found = measure(X, y, sizes, alphas, **options)
    assert found.refits.tolist() == [200, 200]
    for i, size in enumerate(sizes):
        draws = np.random.default_rng([3, size])
        errors = np.empty((3, 200, 2))
        for k in range(200):
            rows = draws.choice(300, size, replace=False)
            outside = np.setdiff1d(np.arange(300), rows)
            for j, alpha in enumerate(alphas):
                ridge = Ridge(alpha, fit_intercept=fit_intercept).fit(X[rows], y[rows])
                squares = (ridge.predict(X[outside]) - y[outside]) ** 2
                of_parts = [squares[parts[outside] == part].mean() for part in (0, 1)]
                errors[:, k, j] = squares.mean(), *of_parts
        np.testing.assert_allclose(found.mean[i], errors[0].mean(axis=0), rtol=1e-9)
        np.testing.assert_allclose(found.of_parts[:, i], errors[1:].mean(axis=1), rtol=1e-9)
        scatter = errors[0].std(axis=0, ddof=1) / np.sqrt(200)
        np.testing.assert_allclose(found.standard_error[i], scatter, rtol=1e-9)


def test_quick_figure(scripts, tmp_path):
    pytest.importorskip("matplotlib", reason="the scripts draw")
    pytest.importorskip("torch", reason="the scripts name its version")
    command = [sys.executable, scripts / "figure_1.py", "--n-jobs", "1"]
    command += ["--output", tmp_path, "--cache", tmp_path / "cache"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    from study import read, relative_errors

    assert (tmp_path / "figure_1.png").stat().st_size > 10_000
    rows = read(tmp_path / "figure_1.csv")
    assert "| gamma 0.8 | 10 |" in printed
    for predictor in ("closed_form", "leave_one_out"):
        assert np.median(relative_errors(rows, predictor)) < 0.04


@pytest.mark.parametrize(
    "script, table",
    [
        ("figure_1", "figure_1"),
        ("figure_2", "figure_2"),
        ("figure_3", "figure_3"),
        ("figure_3", "figure_3_authors"),
        ("appendix", "appendix"),
        ("surface", "surface_cells"),
    ],
)
def test_readme_says_what_the_tables_say(scripts, script, table, capsys):
    pytest.importorskip("matplotlib", reason="the scripts draw")
    pytest.importorskip("torch", reason="the scripts import it")
    from importlib import import_module

    from study import read

    import_module(script).report(read(RESULTS / f"{table}.csv"))
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(lines) > 3
    assert [line for line in lines if line not in readme] == []


def test_every_table_is_of_the_full_size():
    tables = sorted(RESULTS.glob("*.csv"))
    assert len(tables) >= 6
    for path in tables:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == "# size: full", path.name
