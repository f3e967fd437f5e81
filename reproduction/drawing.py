"""How the figures look: measured points, predicted lines, published marks."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator
from study import Row

LINES = {"leave_one_out": "-", "plug_in": "--", "closed_form": ":"}
NAMES = {
    "leave_one_out": "predicted, leave-one-out transfer",
    "plug_in": "predicted, covariances of other rows",
    "closed_form": "predicted, from the weights",
}
# Four alphas: told apart by colour, by marker and, in grey, by lightness.
ALPHA_STYLES = [
    (plt.get_cmap("viridis")(place), marker)
    for place, marker in zip(np.linspace(0, 0.85, 4), "osD^", strict=True)
]
Style = tuple[Any, str]


def panels(count: int, title: str, *, shared_y: bool = True) -> tuple[Any, Any]:
    """Return a figure with `count` panels that share their axes, and room for legends."""
    columns = min(count, 3)
    rows = -(-count // columns)
    size = (4.0 * columns + 0.4, 3.1 * rows + 1.3) if count > 1 else (7.0, 5.4)
    shared = {"sharex": True, "sharey": shared_y}
    figure, axes = plt.subplots(
        rows, columns, figsize=size, squeeze=False, layout="constrained", **shared
    )
    for ax in axes.flat:
        ax.set(xscale="log", yscale="log")
        ax.grid(True, which="major", color="0.92")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter("")
        ax.yaxis.set_major_formatter("{x:g}")
    for ax in axes.flat[count:]:
        ax.remove()
    for ax in axes[-1]:
        ax.set_xlabel("n (training samples)")
    for ax in axes[:, 0]:
        ax.set_ylabel("test error (mean squared error)")
    figure.suptitle(title, fontsize=12)
    return figure, axes


def number_axes(axes: Any) -> None:
    """Write plain numbers between the powers of ten where the errors span less than two decades."""
    for ax in axes.flat:
        low, high = ax.get_ylim()
        ax.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        ax.yaxis.set_minor_formatter("{x:g}" if high < 100 * low else "")


def curve_panel(
    ax: Any,
    rows: list[Row],
    style: Style,
    label: str,
    predictors: tuple[str, ...],
    marks: list[Row],
) -> None:
    """Draw one series: points with standard errors, a line for each predictor, faint marks."""
    colour, marker = style
    rows = sorted(rows, key=lambda row: row["n_samples"])
    sizes = [row["n_samples"] for row in rows]
    for predictor in predictors:
        ax.plot(sizes, [row[predictor] for row in rows], LINES[predictor], color=colour, lw=1.4)
    measured = [row for row in rows if np.isfinite(row["measured"])]
    ax.errorbar(
        [row["n_samples"] for row in measured],
        [row["measured"] for row in measured],
        yerr=[row.get("measured_se", 0.0) for row in measured],
        fmt=marker,
        color=colour,
        ms=4.5,
        capsize=2,
        label=label,
        zorder=3,
    )
    ax.plot(
        [mark["n_samples"] for mark in marks],
        [mark["measured"] for mark in marks],
        "x",
        color=colour,
        ms=7,
        alpha=0.55,
        zorder=4,
    )


def legend_of_kinds(
    figure: Any,
    axes: Any,
    predictors: tuple[str, ...],
    marks: bool,
    line: str | None,
    other_names: dict[str, str] | None = None,
) -> None:
    """Put a legend below: the series, and what points, lines and marks are."""
    kind_names = NAMES | (other_names or {})
    number_axes(axes)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    kinds = [Line2D([], [], color="0.2", marker="o", ls="", ms=4.5)]
    names = ["measured by refits"]
    for predictor in predictors:
        kinds.append(Line2D([], [], color="0.2", ls=LINES[predictor]))
        names.append(kind_names[predictor])
    if marks:
        kinds.append(Line2D([], [], color="0.2", marker="x", ls="", ms=7, alpha=0.55))
        names.append("published, measured")
    if line:
        kinds.append(Line2D([], [], color="0.3", ls="-."))
        names.append(line)
    place = {"loc": "outside lower center", "fontsize": 9, "frameon": False}
    figure.legend([*handles, *kinds], [*labels, *names], ncols=4 if axes.size > 1 else 2, **place)
