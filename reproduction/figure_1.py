"""Figure 1: a Gaussian rainbow network of depth three that learns from a network of depth one.

Inputs are normal in d = 500 dimensions. W_s = Z diag(k^-0.15), W_1 = (Z diag(k^(-γ/2)) + W_s) / 2
and W_3 = Z C_3^(1/2) with C_3 = (W_1 W_1ᵀ + 1/2)⁻¹, each Z of independent N(0, 1/d) entries; the
features are tanh(W_3 tanh(W_1 tanh(W_1 x))), the target is θᵀ tanh(W_s x), alpha = 1e-3. The
measured error of ridge over n beside the predictions from the weights alone, from the moments of
10,000 rows as in the publication, and by leave-one-out transfer from one training set of 10,000 or
of 1000 rows. Three draws of the weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from drawing import ALPHA_STYLES, curve_panel, legend_of_kinds, panels
from measure import measure
from predict import leave_one_out, plug_in
from study import (
    Row,
    Study,
    compare_with_published,
    lines_between,
    mean_over_seeds,
    print_accuracy,
    published,
    rows_of,
)
from threadpoolctl import threadpool_limits

from sk_deepfeat.populations import ExactPopulation
from sk_deepfeat.theory import rainbow_covariances

GAMMAS = (0.01, 0.2, 0.5, 0.8)
ALPHA = np.array([1e-3])
SIZES = (50, 155, 261, 366, 472, 577, 683, 788, 894, 1000)
POPULATION_ROWS, TRAINING_ROWS, MEASURED_ROWS = 10_000, 1000, 40_000
PREDICTORS = ("closed_form", "plug_in", "leave_one_out")
ALL_PREDICTORS = (*PREDICTORS, "leave_one_out_1000")


def draw_weights(gamma: float, width: int, rng: Any) -> tuple[np.ndarray, ...]:
    """Return W_s, W_1, W_3 and the readout of the target."""

    def normal() -> np.ndarray:
        return rng.normal(size=(width, width)) / np.sqrt(width)

    order = np.arange(1.0, width + 1)
    target = normal() * order**-0.15
    first = normal() * order ** (-gamma / 2) / 2 + target / 2
    values, vectors = np.linalg.eigh(first @ first.T + np.eye(width) / 2)
    third = normal() @ (vectors / np.sqrt(values)) @ vectors.T
    return target, first, third, rng.normal(size=width) / np.sqrt(width)


def simulate(gamma: float, width: int, seed: int) -> dict[str, Any]:
    """Return what was measured and predicted for one draw of the weights."""
    rng = np.random.default_rng([seed, round(1000 * gamma)])
    target, first, third, readout = draw_weights(gamma, width, rng)
    sizes = scaled_sizes(width)
    scale = width / 500

    def rows(count: float) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(size=(round(count * scale), width))
        features = np.tanh(np.tanh(np.tanh(x @ first.T) @ first.T) @ third.T)
        return features, np.tanh(x @ target.T) @ readout

    found: dict[str, Any] = {}
    n_samples = lines_between(sizes)
    with threadpool_limits(limits=1):
        moments = rainbow_covariances(
            [first, first, third],
            "tanh",
            np.ones(width),
            teacher_weights=[target],
            teacher_activations="tanh",
            finite_width=True,
        )
        psi = moments.cross_covariance @ readout
        rho = readout @ moments.teacher_covariance @ readout
        exact = ExactPopulation(moments.feature_covariance, psi, rho).fit()
        found["closed_form"] = exact.test_error(n_samples[:, None], ALPHA, fit_intercept=False)
        many, few = rows(POPULATION_ROWS), rows(TRAINING_ROWS)
        found["plug_in"] = plug_in(many, n_samples, ALPHA)
        found["leave_one_out"] = leave_one_out(many, n_samples, ALPHA)
        found["leave_one_out_1000"] = leave_one_out(few, n_samples, ALPHA)
        measured = measure(*rows(MEASURED_ROWS), np.array(sizes), ALPHA, seed=seed, precision=0.01)
    return found | measured._asdict()


def scaled_sizes(width: int) -> tuple[int, ...]:
    """Return the published sizes, in proportion to the width."""
    return tuple(round(size * width / 500) for size in SIZES)


def draw(rows: list[Row], marks: list[Row], width: int) -> Any:
    """Draw one panel, a colour for each γ; bars are standard errors of the mean over seeds."""
    figure, axes = panels(1, f"Rainbow network of depth three, alpha = 0.001, p = {width}")
    axes.flat[0].set_xscale("linear")
    for gamma, style in zip(GAMMAS, ALPHA_STYLES, strict=True):
        chosen = [row for row in rows if row["panel"] == f"gamma {gamma:g}"]
        faint = [mark for mark in marks if mark["panel"] == f"gamma {gamma:g}"]
        curve_panel(axes.flat[0], chosen, style, f"γ = {gamma:g}", PREDICTORS, faint)
    names = {"leave_one_out": "predicted, leave-one-out transfer from 10,000 rows"}
    legend_of_kinds(figure, axes, PREDICTORS, bool(marks), None, names)
    return figure


def report(rows: list[Row]) -> None:
    """Print the accuracies."""
    print("each draw of the weights\n")
    print_accuracy(rows, ALL_PREDICTORS)
    print("\nmeans over the draws\n")
    print_accuracy(mean_over_seeds(rows, ALL_PREDICTORS), ALL_PREDICTORS)


def main() -> None:
    """Simulate, write and draw."""
    study = Study("figure_1", __doc__)
    arguments = study.parse()
    width, seeds = (500, (0, 1, 2)) if study.full else (100, (0,))
    cells = [(gamma, width, seed) for gamma in GAMMAS for seed in seeds]
    cached = study.cached(simulate)
    results = study.run([(cached, *cell) for cell in cells], "draws of the weights")
    rows = []
    for (gamma, _, seed), found in zip(cells, results, strict=True):
        fixed = {"panel": f"gamma {gamma:g}", "seed": seed}
        rows += rows_of(fixed, scaled_sizes(width), ALPHA, found, ALL_PREDICTORS)
    study.write(rows, {"width": width, "seeds": seeds})
    means = mean_over_seeds(rows, ALL_PREDICTORS)
    marks = published(arguments.data_home, "rainbow") if study.full else []
    study.write(means, {"seeds": seeds}, "figure_1_means")
    study.save(draw(means, marks, width))
    report(rows)
    if marks:
        compare_with_published(rows, means, marks, "measured", ALL_PREDICTORS)


if __name__ == "__main__":
    main()
