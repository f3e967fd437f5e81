"""Figure 2: a three-layer student before and after training, beside linear regression.

Normal inputs in d = 30 dimensions, target θᵀ tanh(W x) of width 30 with W_ij ~ N(0, 9/d); the
student θ tanh(W_2 tanh(W_1 x)) has widths 1500 and 1400 and no biases, and is trained for 3000
epochs of full-batch Adam, learning rate 1e-4, weight decay 1e-3, on 1400 rows. The error of ridge
on the inputs, on the features at initialisation and on the trained ones: measured, and predicted
from the network's weights (linearised), from the moments of 28,000 rows, and by leave-one-out
transfer from 17,500. The paper leaves d and the teacher open; with d of the order of 1400, random
features can learn no more of the target than linear regression does.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from drawing import curve_panel, legend_of_kinds, panels
from student import PREDICTORS, Inputs, curves, make_task
from study import Row, Study, best_alpha, print_accuracy, rows_of

from sk_deepfeat import TrainedDeepFeatures

D, TEACHER_WIDTH, TEACHER_SCALE = 30, 30, 9.0
ALPHAS = (0.01, 1.0)
GRID = np.logspace(-4, 3, 15)  # holds ALPHAS; the best alpha is looked for in it
SIZES = (30, 60, 120, 250, 500, 800, 1100, 1400, 1800, 2500, 3500, 5000)
NAMES = ("linear regression", "features at initialisation", "trained features")


def train(widths: tuple[int, int], n_rows: int, max_epochs: int, lr: float, seed: int) -> Any:
    """Train the student; its first checkpoint is the initialisation."""
    X, y = make_task(np.eye(D), TEACHER_WIDTH, TEACHER_SCALE, seed).rows(n_rows, [seed, 2])
    return TrainedDeepFeatures(
        widths,
        "tanh",
        bias=False,
        max_epochs=max_epochs,
        lr=lr,
        weight_decay=1e-3,
        batch_size=None,
        checkpoints=(0,),
        random_state=seed,
    ).fit(X, y)


def draw(rows: list[Row], lowest: list[Row]) -> Any:
    """Draw a panel for each alpha and one for the best."""
    figure, axes = panels(3, "Ridge on the features of a student network", shared_y=False)
    colours = plt.get_cmap("viridis")([0.0, 0.5, 0.85])
    for alpha, ax in zip((*ALPHAS, None), axes.flat, strict=True):
        for name, colour, marker in zip(NAMES, colours, "osD", strict=True):
            chosen = [
                row
                for row in (lowest if alpha is None else rows)
                if row["panel"] == name and (alpha is None or np.isclose(row["alpha"], alpha))
            ]
            curve_panel(ax, chosen, (colour, marker), name, PREDICTORS, [])
        ax.axhline(rows[-1]["network"], color="0.3", lw=1, ls="-.", zorder=1)
        ax.set_title("best alpha for each n" if alpha is None else f"alpha = {alpha:g}")
    legend_of_kinds(figure, axes, PREDICTORS, False, "the trained network's own test error")
    return figure


def report(rows: list[Row]) -> None:
    """Print the accuracies."""
    print(f"alpha in {ALPHAS}\n")
    chosen = [row for row in rows if np.any(np.isclose(row["alpha"], ALPHAS))]
    print_accuracy(chosen, PREDICTORS)
    print("\nat the best alpha\n")
    print_accuracy(best_alpha(rows, PREDICTORS), PREDICTORS)


def main() -> None:
    """Train or load, measure and predict, write and draw."""
    study = Study("figure_2", __doc__)
    study.parse()
    seed, sizes = 0, SIZES
    training: tuple[Any, ...] = ((1500, 1400), 1400, 3000, 1e-4, seed)
    if not study.full:
        training, sizes = ((150, 140), 1400, 300, 1e-3, seed), (30, 60, 120, 250, 500)
    print(f"training the student for {training[2]} epochs, unless that was done before", flush=True)
    student = study.cached(train)(*training)
    task = make_task(np.eye(D), TEACHER_WIDTH, TEACHER_SCALE, seed)
    maps = (Inputs().fit(task.rows(1, 0)[0]), student.at(epoch=0), student)
    cached = study.cached(curves, ignore=["task", "feature_map"])
    tasks = [
        (cached, (name, training), task, feature_map, sizes, GRID, seed, 1.0 if study.full else 0.2)
        for name, feature_map in zip(NAMES, maps, strict=True)
    ]
    results = study.run(tasks, "maps")
    rows = []
    for name, found in zip(NAMES, results, strict=True):
        rows += rows_of({"panel": name, "seed": seed}, sizes, GRID, found, PREDICTORS)
    settings = {"d": D, "teacher": (TEACHER_WIDTH, TEACHER_SCALE), "training": training}
    study.write(rows, settings)
    lowest = best_alpha(rows, PREDICTORS)
    study.write(lowest, settings, "figure_2_best")
    study.save(draw(rows, lowest))
    report(rows)


if __name__ == "__main__":
    main()
