"""Beyond the paper: the whole error surface from 2000 rows, and whose features win at which n.

The first picture is the error over n and alpha of ridge on features at an early and at the last
epoch of the network of figure 3, all from one training set of 2000 rows: the line of the best
alpha, and hatched what those rows do not identify. The second compares the saved maps, each at its
best alpha, with the best of them at every n. Measured errors are those of figure 3, whose saved
results are used if they are there.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from drawing import curve_panel, legend_of_kinds, panels
from figure_3 import PAPER, QUICK, QUICK_SIZES, SIZES, panel
from mnist import GRID, PREDICTORS, Network, load, measured_maps, split
from study import Row, Study, best_alpha, print_accuracy, rows_of

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.model_selection import ErrorSurfaceDisplay


def fit(network: Network, feature_map: Any, n_rows: int, data_home: Any) -> Any:
    """Fit the ridge on the first rows of the readout split."""
    X, y = load(data_home, network.n_rows)
    rows = split(network).readout[:n_rows]
    ridge = DeterministicEquivalentRidge(alpha="optimal", fit_intercept=False)
    return ridge.fit(feature_map.transform(X[rows]), y[rows])


def surface_rows(ridge: Any, name: str, sizes: Any, alphas: Any) -> list[Row]:
    """Return every number of one heat map."""
    errors = ridge.predict_test_error(sizes[:, None], alphas)
    reach, best = ridge.reachable(sizes[:, None], alphas), ridge.optimal_alpha(sizes)
    return [
        {
            "panel": name,
            "n_samples": float(size),
            "alpha": float(alpha),
            "test_error": errors[i, j],
            "reachable": bool(reach[i, j]),
            "optimal_alpha": best[i],
        }
        for i, size in enumerate(sizes)
        for j, alpha in enumerate(alphas)
    ]


def draw_surfaces(rows: list[Row], n_rows: int) -> Any:
    """Draw one heat map for each saved map, on one scale of colours."""
    names = list(dict.fromkeys(row["panel"] for row in rows))
    figure, axes = plt.subplots(1, len(names), figsize=(13, 5), layout="constrained")
    displays = []
    for ax, name in zip(axes, names, strict=True):
        mine = [row for row in rows if row["panel"] == name]
        sizes = np.unique([row["n_samples"] for row in mine])
        alphas = np.unique([row["alpha"] for row in mine])
        errors, reach, best = (
            np.array([row[key] for row in mine]).reshape(sizes.size, alphas.size)
            for key in ("test_error", "reachable", "optimal_alpha")
        )
        display = ErrorSurfaceDisplay.from_predictions(
            sizes, alphas, errors, best[:, 0], reach, ax=ax
        )
        displays.append(display)
        ax.axvline(n_rows, color="0.2", lw=1, ls=":")
        ax.annotate(
            "rows at hand", (n_rows, alphas[0]), (3, 4), textcoords="offset points", fontsize=8
        )
        ax.set_title(name, fontsize=11, pad=22)
    limits = np.array([display.mesh_.get_clim() for display in displays])
    for display in displays:
        display.mesh_.set_clim(limits[:, 0].min(), limits[:, 1].max())
    return figure


def relative_to_best(lowest: list[Row]) -> list[Row]:
    """Divide errors at each n by those of the best map there; measured and predicted apart."""
    found = []
    for row in lowest:
        same = [other for other in lowest if other["n_samples"] == row["n_samples"]]
        least = {key: min(other[key] for other in same) for key in ("measured", "leave_one_out")}
        relative = {key: row[key] / value for key, value in least.items()}
        relative["measured_se"] = row["measured_se"] / least["measured"]
        found.append({"panel": row["panel"], "n_samples": row["n_samples"], **relative})
    return found


def draw_epochs(relative: list[Row]) -> Any:
    """Draw each saved map's error at its best alpha over that of the best map."""
    figure, axes = panels(1, "Whose features win? Each saved map at its best alpha")
    ax, predictors = axes.flat[0], ("leave_one_out",)
    names = list(dict.fromkeys(row["panel"] for row in relative))
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(names)))
    for name, colour, marker in zip(names, colours, "osD^vP", strict=True):
        chosen = [row for row in relative if row["panel"] == name]
        curve_panel(ax, chosen, (colour, marker), name.replace("-", " "), predictors, [])
    ax.set_ylabel("test error over that of the best map")
    legend_of_kinds(figure, axes, predictors, False, None)
    return figure


def winners(relative: list[Row]) -> None:
    """Print the map with the least error at each measured n, predicted and measured."""
    print("\n| n | best measured | best predicted | second best measured, over the best |")
    print("|---|---|---|---|")
    measured = [row for row in relative if np.isfinite(row["measured"])]
    for size in dict.fromkeys(row["n_samples"] for row in measured):
        mine = [row for row in measured if row["n_samples"] == size]
        order = sorted(mine, key=lambda row: row["measured"])
        predicted = min(mine, key=lambda row: row["leave_one_out"])["panel"]
        second = order[1]["measured"]
        print(f"| {size:.0f} | {order[0]['panel']} | {predicted} | {second:.2f} |")


def report(cells: list[Row], n_rows: int = 2000) -> None:
    """Print the accuracies of the surfaces over all measured cells, and of n within the rows."""
    predictors = (*PREDICTORS, f"from_{n_rows}_rows")
    print_accuracy(cells, predictors)
    print(f"\nn up to {n_rows}\n")
    print_accuracy([row for row in cells if row["n_samples"] <= n_rows], predictors)


def main() -> None:
    """Fit, predict, compare with what figure 3 measured, write and draw."""
    study = Study("surface", __doc__)
    arguments = study.parse()
    home = arguments.data_home
    network, measured_sizes, n_rows = PAPER[0], SIZES, 2000
    if not study.full:
        network, measured_sizes, n_rows = QUICK[0], QUICK_SIZES, 500
    trained, measured = measured_maps(study, [network], measured_sizes, home)
    epochs = (None, *network.checkpoints)
    settings = {"network": network, "rows at hand": n_rows}
    sizes, alphas = np.geomspace(10, 20 * n_rows, 70).round(), np.logspace(-2, 5, 60)
    rows, cells = [], []
    for epoch in (network.checkpoints[1], network.checkpoints[-1]):
        ridge = fit(network, trained[network].at(epoch=epoch), n_rows, home)
        rows += surface_rows(ridge, panel(epoch), sizes, alphas)
        found = measured[network, epoch]
        found = rows_of({"panel": panel(epoch)}, measured_sizes, GRID, found, PREDICTORS)
        found = [row for row in found if np.isfinite(row["measured"])]
        n, alpha = (np.array([row[key] for row in found]) for key in ("n_samples", "alpha"))
        errors = ridge.predict_test_error(n, alpha)
        cells += [row | {f"from_{n_rows}_rows": e} for row, e in zip(found, errors, strict=True)]
    study.write(rows, settings)
    study.write(cells, settings, "surface_cells")
    study.save(draw_surfaces(rows, n_rows))
    report(cells, n_rows)
    all_maps = []
    for epoch in epochs:
        found = measured[network, epoch]
        all_maps += rows_of({"panel": panel(epoch)}, measured_sizes, GRID, found, PREDICTORS)
    lowest = best_alpha(all_maps, PREDICTORS)
    relative = relative_to_best(lowest)
    study.write(relative, settings, "surface_epochs")
    study.save(draw_epochs(relative), "surface_epochs")
    winners(relative)


if __name__ == "__main__":
    main()
