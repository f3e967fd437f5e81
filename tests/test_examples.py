"""Every example of the gallery runs, and shows what its text says."""

import runpy
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"

plt = pytest.importorskip("matplotlib.pyplot", reason="the examples draw")


def run(name):
    try:
        return runpy.run_path(str(EXAMPLES / name))
    finally:
        plt.close("all")


@pytest.fixture(autouse=True)
def nothing_is_shown(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: None)


def check_pipeline(seen):
    assert seen["errors"].shape == (5,)
    # far below 1, the second moment of the target
    assert np.all(seen["errors"] < 0.25)
    assert seen["curve"].predicted.shape == (5, 3)
    assert np.median(seen["relative_error"]) < 0.04
    assert seen["relative_error"].max() < 0.2


def check_grid_search(seen):
    best = seen["search"].best_index_
    ratio = seen["predicted"] / seen["searched"]
    # "Near the best alpha and above it the two agree within the spread of the folds."
    assert np.all(np.abs(ratio[best:] - 1) < 0.1)
    assert np.all(np.abs(ratio - 1) < 0.25)
    steps = np.log10(seen["best"][-1].alpha_ / seen["search"].best_params_["ridge__alpha"])
    assert abs(steps) <= 0.5, "one step of the grid"
    assert seen["best"][-1].test_error_ == pytest.approx(seen["error"], rel=0.15)


def check_structured_weights(seen):
    assert np.median(seen["relative_error"]) < 0.02
    assert seen["relative_error"].max() < 0.08


CHECKS = {
    "plot_pipeline.py": check_pipeline,
    "plot_grid_search.py": check_grid_search,
    "plot_structured_weights.py": check_structured_weights,
}


def test_every_example_has_a_check():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_example(name):
    if "TrainedDeepFeatures" in (EXAMPLES / name).read_text(encoding="utf-8"):
        pytest.importorskip("torch", reason="the features are trained with torch")
    CHECKS[name](run(name))
