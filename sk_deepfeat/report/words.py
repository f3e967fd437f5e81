"""How a report speaks of errors: mean squared errors as numbers, error rates as percentages."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sk_deepfeat.report.numbers import number


class Words(NamedTuple):
    """Names of an error and of what it is compared with."""

    error: str
    """The predicted error, on its own."""
    short: str
    """The same inside a sentence."""
    show: Callable[[float], str]
    """Returns an error in figures."""
    lead: str
    """What the page is about; the second sentence of its head says what errors are."""
    constant: str
    """What a model that knows nothing of the features does."""
    train_error: str
    two_stages: str
    """What keeps the rows of features and ridge apart."""


def percent(value: float) -> str:
    """Return a share as a percentage: 12.3 %, 4.2 %, 0.42 %, 0 %."""
    if not np.isfinite(value):
        return f"{value:.3g}"
    hundredths = 100.0 * value
    figures = f"{hundredths:.1f}" if hundredths >= 0.95 else f"{hundredths:.2g}"
    return f"{figures}\N{NO-BREAK SPACE}%"


def accuracy(error: float) -> str:
    """Return what an error rate leaves, as a percentage."""
    if np.isnan(error):
        return "unknown"
    left = 100.0 - 100.0 * error
    return f"{left:.1f}\N{NO-BREAK SPACE}%" if error else "100\N{NO-BREAK SPACE}%"


def percentages(low: float, high: float) -> str:
    """Return both ends of an interval of shares."""
    return f"{percent(low)} to {percent(high)}"


_LEAD = (
    "What test error a ridge {what} on these features reaches, and what more data would change. "
    "Predicted from the rows at hand, without new ones. Errors are mean squared errors, {units}."
)
SQUARED_ERROR = Words(
    "test error",
    "error",
    number,
    _LEAD.format(what="regression", units="in squared units of the target"),
    "predicting the mean",
    "error on the training rows",
    "TwoStageRegressor",
)
SQUARED_ERROR_AND_SCORES = SQUARED_ERROR._replace(
    lead="What test error a ridge regression on these features reaches, and what more data would "
    "change. Predicted from the rows at hand, without new ones. R² is the share of the target's "
    "variance that is explained; the root of the mean squared error is in the target's own units."
)
SQUARED_ERROR_OF_CODES = SQUARED_ERROR._replace(
    lead=_LEAD.format(what="classifier", units="of codes -1 and 1 of the classes"),
    two_stages="TwoStageClassifier",
    train_error="squared error on the training rows",
)
ERROR_RATE = Words(
    "error rate",
    "error rate",
    percent,
    "What share of new rows a ridge classifier on these features misclassifies, and what more data "
    "would change. Predicted from the rows at hand, without new ones.",
    "predicting the most frequent class",
    "misclassified training rows",
    "TwoStageClassifier",
)
