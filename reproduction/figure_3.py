"""Figure 3: ridge on the features of a network trained on MNIST parity, from epoch 0 to the end.

For five saved maps and for linear regression on the pixels: the error of ridge measured by refits,
predicted by the published protocol (moments of 40 % of the rows), and predicted by leave-one-out
transfer from the 25 % of the rows that ridge may see; at four alphas, and at the best alpha for
each n. ``--network paper`` has the paper's width 2352 and 120 epochs; ``--network authors`` that
of the authors' script, width 2000, three seeds, beside the published numbers.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from drawing import ALPHA_STYLES, curve_panel, legend_of_kinds, panels
from mnist import GRID, PREDICTORS, Network, measured_maps
from study import (
    Row,
    Study,
    best_alpha,
    compare_with_published,
    mean_over_seeds,
    print_accuracy,
    published,
    rows_of,
)

ALPHAS = (0.1, 1.0, 10.0, 100.0)
SIZES = (10, 21, 45, 95, 203, 431, 917, 1500, 2352, 3500, 5000, 10_000)
PUBLISHED_SIZES = (10, 21, 45, 95, 203, 431, 917, 1948, 4137, 8787)
PUBLISHED_EPOCHS = (0, 0.086, 0.712, 7.187, 51.784)

PAPER = [Network(2352, 120, (0, 0.1, 1, 10, 120), 0)]
AUTHORS = [Network(2000, 52, PUBLISHED_EPOCHS, seed) for seed in (0, 1, 2)]
QUICK_SIZES = (10, 45, 95, 203, 431, 917)
QUICK = [Network(200, 4, (0, 0.1, 0.5, 1, 4), 0, n_rows=8000)]


def panel(epoch: float | None) -> str:
    """Return the name of a saved map, as in the published table."""
    return "linear-regression" if epoch is None else f"epoch {epoch:g}"


def draw(rows: list[Row], marks: list[Row], title: str) -> Any:
    """Draw one panel for each saved map, a colour for each alpha."""
    names = list(dict.fromkeys(row["panel"] for row in rows))
    figure, axes = panels(len(names), title)
    for ax, name in zip(axes.flat, names, strict=True):
        mine = [row for row in rows if row["panel"] == name]
        for alpha, style in zip(ALPHAS, ALPHA_STYLES, strict=True):
            chosen = [row for row in mine if np.isclose(row["alpha"], alpha)]
            faint = [mark for mark in marks if mark["panel"] == name and mark["lambda"] == alpha]
            curve_panel(ax, chosen, style, f"alpha = {alpha:g}", PREDICTORS, faint)
        if np.isfinite(mine[0]["network"]):
            ax.axhline(mine[0]["network"], color="0.3", lw=1, ls="-.", zorder=1)
        ax.set_title("linear regression" if name == "linear-regression" else name, fontsize=10)
    legend_of_kinds(figure, axes, PREDICTORS, bool(marks), "the network's own test error")
    return figure


def draw_best(rows: list[Row], title: str) -> Any:
    """Draw all saved maps in one panel, each at its best alpha."""
    names = list(dict.fromkeys(row["panel"] for row in rows))
    figure, axes = panels(1, title)
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(names)))
    for name, colour, marker in zip(names, colours, "osD^vP", strict=True):
        chosen = [row for row in rows if row["panel"] == name]
        curve_panel(axes.flat[0], chosen, (colour, marker), name.replace("-", " "), PREDICTORS, [])
    legend_of_kinds(figure, axes, PREDICTORS, False, None)
    return figure


def report(rows: list[Row]) -> None:
    """Print the accuracies, of every seed by itself."""
    chosen = of_panels(rows)
    print(f"alpha in {ALPHAS}, measured on all rows that the features have not seen\n")
    print_accuracy(chosen, PREDICTORS)
    print("\nthe same, measured without the rows that the predictor was fitted on\n")
    print_accuracy(chosen, PREDICTORS, "measured_apart_{}")
    print("\nat the best alpha, means over seeds\n")
    print_accuracy(best_alpha(mean_over_seeds(rows, PREDICTORS), PREDICTORS), PREDICTORS)


def of_panels(rows: list[Row]) -> list[Row]:
    """Return the rows of the four alphas."""
    return [row for row in rows if np.any(np.isclose(row["alpha"], ALPHAS))]


def main() -> None:
    """Train or load, measure and predict, write and draw."""
    study = Study("figure_3", __doc__)
    study.parser.add_argument("--network", choices=("paper", "authors"), default="paper")
    arguments = study.parse()
    by_authors = arguments.network == "authors"
    networks, sizes = (AUTHORS, PUBLISHED_SIZES) if by_authors else (PAPER, SIZES)
    if not study.full:
        networks, sizes = QUICK, QUICK_SIZES
    name = "figure_3_authors" if by_authors else "figure_3"
    home = arguments.data_home
    rows = []
    for (network, epoch), found in measured_maps(study, networks, sizes, home)[1].items():
        fixed = {"panel": panel(epoch), "seed": network.seed}
        rows += rows_of(fixed, sizes, GRID, found, PREDICTORS)
    # Between the measured sizes, the other alphas are in no picture of the three seeds.
    kept = [row for row in rows if np.isfinite(row["measured"])] if by_authors else rows
    kept += [row for row in of_panels(rows) if by_authors and np.isnan(row["measured"])]
    study.write(kept, {"networks": networks}, name)
    marks = published(home, "mnist") if by_authors else []
    title = "MNIST, even against odd digits: ridge on the features of a trained network"
    cells = mean_over_seeds(rows, PREDICTORS)
    chosen = of_panels(cells)
    if by_authors:
        study.write(chosen, {"networks": networks}, f"{name}_means")
    study.save(draw(chosen, marks, title), name)
    lowest = best_alpha(cells, PREDICTORS)
    study.write(lowest, {"networks": networks}, f"{name}_best")
    study.save(draw_best(lowest, "The same at the best alpha for each n"), f"{name}_best")
    report(rows)
    if marks and study.full:
        key = "measured_on_test"
        compare_with_published(of_panels(rows), chosen, marks, key, PREDICTORS)


if __name__ == "__main__":
    main()
