"""What a learning curve leaves behind: a table and a picture in a folder, and the table printed."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sk_deepfeat.command_line.data import Data
from sk_deepfeat.command_line.headline import Headline
from sk_deepfeat.model_selection import RidgeLearningCurve, RidgeLearningCurveDisplay
from sk_deepfeat.report.numbers import number
from sk_deepfeat.report.visible_text import visible
from sk_deepfeat.report.words import percent
from sk_deepfeat.whole_files import check_destination, replace_files

_TABLE, _PICTURE = "learning_curve.csv", "learning_curve.png"


def check_folder(output: Path) -> None:
    """Raise an error if the folder, or a file in it, can neither be written to nor made."""
    for folder in (output, *output.parents):
        if folder.exists():
            if not folder.is_dir():
                raise ValueError(f"--output {folder} is a file; name a folder.")
            if not os.access(folder, os.W_OK):
                raise ValueError(f"--output {output}: {folder} cannot be written to.")
            break
    if output.is_dir():
        _destinations(output)


def _destinations(output: Path) -> list[Path]:
    return [check_destination(output / name, name) for name in (_TABLE, _PICTURE)]


def write_curve(result: RidgeLearningCurve, output: Path) -> None:
    """Write both files, or none."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    table = result.to_frame().to_csv(index=False)
    picture = io.BytesIO()
    display = RidgeLearningCurveDisplay.from_result(result)
    display.figure_.savefig(picture, dpi=120, format="png")
    plt.close(display.figure_)
    output.mkdir(parents=True, exist_ok=True)
    contents = table.encode(), picture.getvalue()
    replace_files(dict(zip(_destinations(output), contents, strict=True)))


def as_mapping(result: RidgeLearningCurve, output: Path) -> dict[str, Any]:
    """Return the curve and where it was written; cells of sizes by alphas."""
    known = {
        "lower": result.lower,
        "upper": result.upper,
        "reachable": result.reachable,
        "curve_n_groups": result.n_groups,
    }
    return {
        "train_sizes": result.train_sizes,
        "alphas": result.alphas,
        "predicted": result.predicted,
        "measured": result.measured_mean,
        "measured_se": result.measured_se,
        "relative_error": result.relative_error,
        **{name: values for name, values in known.items() if values is not None},
        "files": [str(output / name) for name in (_TABLE, _PICTURE)],
    }


def print_curve(
    result: RidgeLearningCurve,
    headline: Headline,
    data: Data,
    groups: str | None = None,
) -> None:
    """Print the table, what its errors are of, the answers, and how far predictions are off."""
    frame = result.to_frame()
    print(frame.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    for line in (*_what(data, groups), *_answers(headline, data.target)):
        print(visible(line))
    relative = np.abs(frame["relative_error"].dropna())
    if relative.empty:
        print("relative error of the prediction: no cell is identifiable")
        return
    cells = f"{relative.size} cell{'' if relative.size == 1 else 's'}"
    print(
        f"relative error of the prediction: median {100 * np.median(relative):.1f} %, "
        f"worst {100 * relative.max():.1f} % over {cells}"
    )


def _what(data: Data, groups: str | None) -> Iterator[str]:
    """Yield what the errors are of."""
    if data.of_classes:
        classes = np.unique(data.y)
        yield (
            f"errors are error rates: shares of rows misclassified, of {classes.size} classes from "
            f"{classes[0]} to {classes[-1]}; --task regression takes {data.target} for numbers"
        )
    else:
        yield f"errors are mean squared errors of {data.target}"
    if groups is not None:
        yield f"errors are those of rows of new groups; {groups} names the group of each row"


def _answers(headline: Headline, target: str) -> Iterator[str]:
    """Yield what is known at all rows, and how many rows other errors need."""
    rows = f"{headline.n_samples:,} rows"
    if np.isnan(headline.best_alpha):
        yield f"best alpha with {rows}: unknown"
        return
    show = percent if headline.metric == "error_rate" else number
    ends = _interval(headline.lower, headline.upper, show)
    yield (
        f"best alpha with {rows}: {number(headline.alpha)}, predicted error "
        f"{show(headline.error)}{ends}"
    )
    if headline.metric == "mse":
        if not np.isnan(headline.root[0]):
            root, low, high = headline.root
            yield f"its root: {number(root)}{_interval(low, high)} in units of {target}"
        if not np.isnan(headline.r2[0]):
            r2, low, high = headline.r2
            yield f"R²: {_score(r2)}{_interval(low, high, _score)}"
        yield f"always predicting the mean: error {number(headline.baseline)}"
    else:
        yield f"always predicting the most frequent class: error {show(headline.baseline)}"
    wanted: dict[str, list[str]] = {}
    for goal, needed in headline.required:
        wanted.setdefault(_needs(needed), []).append(show(goal))
    for needs, goals in wanted.items():
        yield f"rows that an error of {' or '.join(goals)} needs: {needs}"


def _needs(needed: float) -> str:
    if np.isnan(needed):
        return "unknown, beyond what these rows can tell"
    return "never reached with these features" if np.isinf(needed) else f"{needed:,.0f}"


def _score(value: float) -> str:
    return f"{value:.2f}"


def _interval(lower: float, upper: float, show: Callable[[float], str] = number) -> str:
    if np.isnan(lower) or np.isnan(upper):
        return ""
    return f" (90 % interval {show(lower)} to {show(upper)})"
