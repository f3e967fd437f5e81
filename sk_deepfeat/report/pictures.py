"""The pictures of a report: displays as PNG in base64, each with words for those who listen."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np

from sk_deepfeat.model_selection import (
    CalibrationCheckDisplay,
    ErrorSurfaceDisplay,
    RidgeLearningCurveDisplay,
)
from sk_deepfeat.model_selection.fitted_ridge import asked_metric
from sk_deepfeat.report.answers import Answers
from sk_deepfeat.report.numbers import numbers

_SIZE = (5.4, 5.0)  # inches: letters stay readable on a phone
_DPI = 150


class Picture(NamedTuple):
    """One picture of the page."""

    title: str
    caption: str
    alt: str
    png: str
    """base64."""


def pictures(ridge: Any, answers: Answers) -> dict[str, Picture]:
    """Draw the ``curve``, the ``surface`` unless all errors are zero, and the ``check`` if any."""
    found = {"curve": _curve(ridge, answers)}
    if np.any(answers.curves["predicted"] > 0):
        found["surface"] = _surface(ridge, answers)
    if answers.check is not None and np.any(answers.check.ratio > 0):
        found["check"] = _check(ridge, answers)
    return found


def _axes() -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    return figure.subplots()


def _png(display: Any) -> str:
    """Put the legend below, where a narrow screen has room, and return the picture."""
    legend = display.ax_.get_legend()
    if legend is not None and legend.get_title().get_text():
        legend.set_loc("upper center")
        legend.set_bbox_to_anchor((0.5, -0.16), transform=display.ax_.transAxes)
    stream = BytesIO()
    display.figure_.savefig(stream, format="png", dpi=_DPI)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _curve(ridge: Any, answers: Answers) -> Picture:
    display = RidgeLearningCurveDisplay.from_fitted(ridge, ax=_axes())
    values = answers.curves["predicted"][:, -1]
    known = np.isfinite(values)
    error, show = answers.words.error, answers.words.show
    said = f"Predicted {error} over the number of training samples, with the best alpha."
    if np.any(known):
        first, last = np.flatnonzero(known)[[0, -1]]
        said += (
            f" It goes from {show(values[first])} at {answers.sizes[first]:,.0f} samples to "
            f"{show(values[last])} at {answers.sizes[last]:,.0f}."
        )
    caption = "Shaded: 90 % intervals of the prediction." if display.bands_ else ""
    return Picture("Learning curve", caption, said, _png(display))


def _surface(ridge: Any, answers: Answers) -> Picture:
    display = ErrorSurfaceDisplay.from_fitted(ridge, ax=_axes())
    beyond = not np.all(display.reachable)
    said = (
        f"Heat map of the predicted {answers.words.error} over the number of training samples and "
        f"the regularisation alpha; dashed, the best alpha, {numbers(answers.best_alpha)} at "
        f"{answers.n_samples:,} samples."
    )
    said += " Many samples with a small alpha are hatched: unknown." if beyond else ""
    caption = "Light is better." + (" Hatched: what your rows cannot tell." if beyond else "")
    return Picture("Error surface", caption, said, _png(display))


def _check(ridge: Any, answers: Answers) -> Picture:
    metric = asked_metric(ridge, None)
    display = CalibrationCheckDisplay.from_result(answers.check, metric=metric, ax=_axes())
    low, high = np.nanmin(display.ratio), np.nanmax(display.ratio)
    said = (
        f"Measured over predicted {answers.words.short} on random parts of the rows, for several "
        "sizes and alphas: "
        f"between {low:.2f} and {high:.2f}; the check is "
        f"{'passed' if answers.check.passed else 'failed'}."
    )
    caption = "At 1 measurement and prediction agree; a bar that holds 1 is explained by chance."
    return Picture("Calibration check", caption, said, _png(display))
