"""Every example of the gallery runs, and shows what its text says."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from sk_deepfeat.plugins import lookup

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


def check_error_surface(seen):
    ratio = seen["ratio"]
    assert np.isnan(ratio[-1, 0]) and np.isfinite(ratio[:-1]).all(), "beyond reach, within reach"
    assert 0.9 < np.nanmedian(ratio) < 1.1
    assert np.nanmax(np.abs(np.log(ratio))) < 0.25


def check_double_descent(seen):
    small, best, sizes = seen["small"], seen["best"], seen["sizes"]
    peak = sizes[np.argmax(small)]
    assert abs(peak / seen["N_FEATURES"] - 1) < 0.1, "the peak is where n is the number of features"
    assert small.max() > 3 * best[np.argmax(small)]
    assert np.all(np.diff(best) < 0), "the best alpha removes the peak"
    assert np.all(np.abs(seen["measured_best"] / ridge_errors(seen) - 1) < 0.12)


def ridge_errors(seen):
    return seen["ridge"].predict_test_error(seen["measured_sizes"], seen["best_alphas"])


def check_required_samples(seen):
    required = seen["required"]
    assert np.all(np.diff(required) > 0) and required[0] > seen["N_TRAIN"]
    assert np.isnan(seen["impossible"]) and len(seen["caught"]) == 1
    errors = seen["ridge"].predict_test_error(seen["measured_sizes"], "optimal")
    assert np.all(np.abs(errors / seen["measured"] - 1) < 0.12)
    law = seen["power_law"](seen["measured_sizes"][-1], *seen["fitted"])
    assert abs(law / seen["measured"][-1] - 1) > 0.15, "the power law drifts"


def check_labels_needed(seen):
    assert seen["needed"] > seen["n_train"]
    here, n = seen["at_needed"], len(seen["digit"]) - seen["n_train"] - seen["needed"]
    noise = np.sqrt(here * (1 - here) / n)
    assert seen["low"] - 2 * noise < here < seen["high"] + 2 * noise
    sizes, measured = seen["measured_sizes"], seen["measured"]
    inside = sizes <= seen["n_train"]
    predicted = np.exp(np.interp(np.log(sizes), np.log(seen["sizes"]), np.log(seen["errors"])))
    assert np.all(np.abs(predicted / measured - 1)[inside] < 0.2)
    assert np.all(np.diff(measured) < 0) and not seen["known"][-1]


def check_sparse_text(seen):
    low, high, measured = (np.log(seen[name]) for name in ("low", "high", "measured"))
    sizes, at = np.log(seen["sizes"]), np.log(seen["measured_sizes"])
    assert np.isfinite(seen["error"]).all(), "twice as many documents are within reach"
    assert np.all(np.abs(measured - np.interp(at, sizes, np.log(seen["error"]))) < 0.2)
    inside = (np.interp(at, sizes, low) < measured) & (measured < np.interp(at, sizes, high))
    assert np.mean(inside) > 0.6
    assert seen["X"].nnz < 1e-3 * np.prod(seen["X"].shape)


def check_layers_and_epochs(seen):
    predicted = seen["predicted"]
    assert np.all(np.diff(predicted, axis=2) < 0), "more rows, less error"
    assert np.argmin(predicted[:, -1, 0]) == 2, "few rows, last epoch: the deepest layer"
    assert np.all(np.argmin(predicted[:, 0], axis=0) == 0), "untrained: the first layer"
    assert np.median(seen["relative_error"]) < 2.5 * seen["sampling_error"]


def check_transfer_backbone(seen):
    for name, ridge_curve in seen["predicted"].items():
        assert abs(ridge_curve[-1] / seen["measured"][name][-1] - 1) < 0.1
    if not seen["KNOWN"]:
        assert min(seen["measured"], key=lambda name: seen["measured"][name][-1]) == "layer1"


def check_kernel_limit(seen):
    last = [seen["predicted"][width][-1] for width in (*seen["WIDTHS"], np.inf)]
    assert np.all(np.diff(last) < 0), "wider is better, the kernel best"
    kernel = seen["ridges"][np.inf].predict_test_error(seen["kernel_sizes"], "optimal")
    assert np.all(np.abs(kernel / seen["kernel_errors"] - 1) < 0.15)
    fifty = np.searchsorted(seen["sizes"], 50)
    assert seen["predicted"][800][fifty] / seen["predicted"][np.inf][fifty] < 1.03


def check_phase_diagram(seen):
    assert np.all(np.abs(np.array(seen["ratios"]) - 1) < 0.05)
    worst = seen["sizes"][np.argmax(seen["without"], axis=1)]
    assert np.all(np.abs(np.log(worst / seen["widths"])) < 0.1), "the ridge lies on n = width"
    assert np.all(np.diff(seen["best"], axis=1) < 0)


def check_groups(seen):
    ratio = seen["error"] / seen["truth"]
    assert np.all(np.abs(ratio - 1) < 0.2)
    assert np.mean((seen["low"] < seen["truth"]) & (seen["truth"] < seen["high"])) > 0.6
    assert abs(seen["folds_of_groups"] / seen["by_groups"].test_error_ - 1) < 0.1
    now = seen["truth"][seen["sizes"] == seen["n_train"]]
    for by_rows in (seen["by_rows"].test_error_, seen["folds_of_rows"]):
        assert by_rows < 0.95 * now
    assert seen["needed"] > 1.5 * seen["thought"]


def check_check_theory(seen):
    assert [check.passed for check in seen["checks"].values()] == [True, False]
    sizes = seen["measured_sizes"][2:5]
    bare = seen["bare"].predict_test_error(sizes, 1.0) / seen["measured"][2:5] - 1
    corrected = seen["corrected"].predict_test_error(sizes, 1.0) / seen["measured"][2:5] - 1
    assert np.all(bare < -0.05) and np.all(np.abs(corrected) <= np.abs(bare))


def check_many_cores(seen):
    for curve in (seen["two"], seen["cluster"]):
        np.testing.assert_array_equal(curve.measured, seen["one"].measured)
    assert seen["search"].best_params_["feature_map__hidden_layer_sizes"] != (50,)


def check_two_workers(seen):
    assert seen["ridge"].n_samples_ == seen["N_FILES"] * seen["N_IN_FILE"]
    at = np.interp(np.log(seen["measured_sizes"]), np.log(seen["sizes"]), seen["predicted"])
    assert np.all(np.abs(at / seen["measured"] - 1) < 0.06)
    assert all(worker.returncode is not None for worker in seen["workers"])


def check_memory_limit(seen):
    printed = seen["ended"].stdout
    assert "Unable to allocate 763. MiB" in printed and "250000 rows" in printed
    assert np.all(np.diff(seen["errors"]) < 0) and seen["errors"][-1] > 0.98


def check_many_targets(seen):
    inside = (seen["lower"] <= seen["measured"]) & (seen["measured"] <= seen["upper"])
    assert inside.mean() >= 0.8, "the other rows have noise of their own"
    assert abs(seen["predicted"].mean() - seen["measured"].mean()) < 0.05
    assert seen["ridge"].test_error_ < seen["one_alpha"].test_error_
    assert np.diff(seen["curve"].predicted[:4, 0]).max() < 0


def check_plugins(seen):
    predicted = seen["predicted"]
    measured = seen["curve"].measured_mean[-1, 0]
    last = np.searchsorted(seen["sizes"], 800)
    assert predicted["plug-in"][last] / measured < 0.9
    for name in ("leave-one-out", "ledoit-wolf"):
        assert abs(predicted[name][last] / measured - 1) < 0.08
    scores = seen["search"].cv_results_["mean_test_score"]
    assert len(set(scores)) == len(scores), "three activations, three results at each alpha"


CHECKS = {
    "plot_check_theory.py": check_check_theory,
    "plot_double_descent.py": check_double_descent,
    "plot_error_surface.py": check_error_surface,
    "plot_grid_search.py": check_grid_search,
    "plot_groups.py": check_groups,
    "plot_kernel_limit.py": check_kernel_limit,
    "plot_labels_needed.py": check_labels_needed,
    "plot_layers_and_epochs.py": check_layers_and_epochs,
    "plot_many_cores.py": check_many_cores,
    "plot_many_targets.py": check_many_targets,
    "plot_memory_limit.py": check_memory_limit,
    "plot_phase_diagram.py": check_phase_diagram,
    "plot_pipeline.py": check_pipeline,
    "plot_plugins.py": check_plugins,
    "plot_reach_and_intervals.py": check_reach_and_intervals,
    "plot_required_samples.py": check_required_samples,
    "plot_sparse_text.py": check_sparse_text,
    "plot_structured_weights.py": check_structured_weights,
    "plot_transfer_backbone.py": check_transfer_backbone,
    "plot_two_workers.py": check_two_workers,
}

# What an example needs beyond the core, and the word in its text that says so.
EXTRAS = {"TrainedDeepFeatures": "torch", "torchvision": "torchvision", "dask": "dask"}


def test_every_example_has_a_check():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(CHECKS)


@pytest.fixture
def registrations_end(monkeypatch):
    monkeypatch.setattr(lookup, "_registered", {kind: {} for kind in lookup.KINDS})


# Those that take more than a few seconds; the site is built from all of them, whatever is run here.
LONG = {
    *("plot_check_theory.py", "plot_grid_search.py", "plot_groups.py", "plot_kernel_limit.py"),
    *("plot_labels_needed.py", "plot_layers_and_epochs.py", "plot_many_cores.py"),
    *("plot_phase_diagram.py", "plot_plugins.py", "plot_reach_and_intervals.py"),
    *("plot_sparse_text.py", "plot_structured_weights.py", "plot_transfer_backbone.py"),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.statistical) if name in LONG else name
        for name in CHECKS
    ],
)
@pytest.mark.usefixtures("registrations_end")
def test_example(name):
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    for word, package in EXTRAS.items():
        if word in text:
            pytest.importorskip(package, reason=f"the example needs {package}")
    CHECKS[name](run(name))
