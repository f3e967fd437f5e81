"""Appendix: inputs with MNIST's covariance, a tanh teacher, a student through training.

Normal inputs with the covariance of MNIST's pixels, target θᵀ tanh(W x) of width 800 with
W_ij ~ N(0, 1/d), student θ tanh(W_2 tanh(W_1 x)) of widths 1500 and 1400 without biases, trained
with Adam at its default rate in batches of 128 on 17,500 rows, as many as of MNIST. At each saved
epoch ridge on the features is measured, and predicted from the weights (linearised), from the
moments of 28,000 rows, and by leave-one-out transfer from 17,500; the last panel shows up to which
epoch the linearisation is right. The paper leaves the rate and the epochs open.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from drawing import ALPHA_STYLES, LINES, curve_panel, legend_of_kinds, panels
from mnist import load
from student import PREDICTORS, Task, curves, make_task
from study import Row, Study, print_accuracy, relative_errors, rows_of

from sk_deepfeat import TrainedDeepFeatures

ALPHAS = np.array([0.1, 1.0, 10.0, 100.0])
SIZES = (50, 150, 400, 1000, 1400, 2000, 4000, 8000)
EPOCHS = (0, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60)
DRAWN = (0, 0.1, 1, 10, 60)
SEED = 0


def make(teacher_width: int, data_home: Any) -> Task:
    """Return the task: the covariance of all images and a teacher."""
    X, _ = load(data_home, 70_000)
    values, vectors = np.linalg.eigh(np.cov(X, rowvar=False))
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return make_task(root, teacher_width, 1.0, SEED)


def train(
    widths: tuple[int, int], teacher_width: int, n_rows: int, epochs: Any, data_home: Any
) -> TrainedDeepFeatures:
    """Train the student, kept at the given epochs."""
    X, y = make(teacher_width, data_home).rows(n_rows, [SEED, 2])
    return TrainedDeepFeatures(
        widths,
        "tanh",
        bias=False,
        max_epochs=round(epochs[-1]),
        checkpoints=epochs,
        random_state=SEED,
    ).fit(X, y)


def medians_of(rows: list[Row]) -> list[Row]:
    """Return each predictor's median relative error, epoch by epoch."""
    return [
        {"panel": panel}
        | {name: np.median(relative_errors(rows, name, panel)) for name in PREDICTORS}
        for panel in dict.fromkeys(row["panel"] for row in rows)
    ]


def draw(rows: list[Row], medians: list[Row], drawn: Any) -> Any:
    """Draw a panel for each epoch, and the predictions' errors over epochs."""
    figure, axes = panels(
        len(drawn) + 1, "Inputs with MNIST's covariance, tanh teacher: a student through training"
    )
    for ax, epoch in zip(axes.flat, drawn, strict=False):
        mine = [row for row in rows if row["panel"] == f"epoch {epoch:g}"]
        for alpha, style in zip(ALPHAS, ALPHA_STYLES, strict=True):
            chosen = [row for row in mine if np.isclose(row["alpha"], alpha)]
            curve_panel(ax, chosen, style, f"alpha = {alpha:g}", PREDICTORS, [])
        ax.set_title(f"epoch {epoch:g}", fontsize=10)
    legend_of_kinds(figure, axes, PREDICTORS, False, None)
    axes.flat[len(drawn)].remove()
    last = figure.add_subplot(*axes.shape, len(drawn) + 1)
    places, names = range(len(medians)), [row["panel"].removeprefix("epoch ") for row in medians]
    for predictor in PREDICTORS:
        errors = [100 * row[predictor] for row in medians]
        last.plot(places, errors, LINES[predictor], marker=".", c="0.2")
    last.set_xticks(places, names)
    last.set(yscale="log", xlabel="epoch", ylabel="median relative error (%)")
    last.yaxis.set_major_formatter("{x:g}")
    last.yaxis.set_minor_formatter("")
    last.set_title("predicted against measured", fontsize=10)
    plt.setp(last.get_xticklabels(), fontsize=8)
    return figure


def main() -> None:
    """Train or load, measure and predict, write and draw."""
    study = Study("appendix", __doc__)
    arguments = study.parse()
    home, epochs, drawn, sizes = arguments.data_home, EPOCHS, DRAWN, SIZES
    training: tuple[Any, ...] = ((1500, 1400), 800, 17_500, epochs)
    if not study.full:
        epochs = drawn = (0, 0.1, 1, 2)
        training, sizes = ((150, 140), 80, 3000, epochs), (50, 150, 400, 1000)
    print(f"training the student for {epochs[-1]} epochs, unless that was done before", flush=True)
    student = study.cached(train, ignore=["data_home"])(*training, home)
    task = make(training[1], home)
    cached = study.cached(curves, ignore=["task", "feature_map"])
    share = 1.0 if study.full else 0.1
    tasks = [
        (cached, (epoch, training), task, student.at(epoch=epoch), sizes, ALPHAS, SEED, share)
        for epoch in epochs
    ]
    rows = []
    for epoch, found in zip(epochs, study.run(tasks, "epochs"), strict=True):
        fixed = {"panel": f"epoch {epoch:g}", "seed": SEED}
        rows += rows_of(fixed, sizes, ALPHAS, found, PREDICTORS)
    study.write(rows, {"training": training, "teacher scale": 1.0})
    medians = medians_of(rows)
    study.write(medians, {"training": training}, "appendix_medians")
    study.save(draw(rows, medians, drawn))
    report(rows)


def report(rows: list[Row]) -> None:
    """Print the accuracies."""
    print_accuracy(rows, PREDICTORS)


if __name__ == "__main__":
    main()
