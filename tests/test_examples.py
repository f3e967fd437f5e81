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
    ratio = seen["predicted"] / seen["searched"]
    assert np.all(np.abs(ratio - 1) < 0.05), "The two agree at every alpha."
    steps = np.log10(seen["best"][-1].alpha_ / seen["search"].best_params_["ridge__alpha"])
    assert abs(steps) <= 0.5, "one step of the grid"
    own = np.std((seen["best"].predict(seen["X_test"]) - seen["y_test"]) ** 2)
    spread = own / np.sqrt(len(seen["y_test"]))
    assert seen["low"] - 2 * spread < seen["error"] < seen["high"] + 2 * spread


def check_structured_weights(seen):
    assert np.median(seen["relative_error"]) < 0.02
    assert seen["relative_error"].max() < 0.08


def check_reach_and_intervals(seen):
    errors, small = seen["errors"], seen["sizes"] <= seen["n_train"]
    assert np.isfinite(errors[small]).all(), "every n up to the training size is within reach"
    assert np.isnan(errors[-1, 0]) and np.isfinite(errors[-1, -1])
    # 90 % intervals of one training set: their errors are not independent
    assert np.mean(seen["inside"]) > 0.6
    assert seen["check"].passed


CHECKS = {
    "plot_reach_and_intervals.py": check_reach_and_intervals,
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
