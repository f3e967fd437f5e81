"""What estimators show in a notebook beside scikit-learn's diagram: their predicted error."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

_BOX = "border-left: 3px solid; padding: 0.1em 0.6em; margin: 0.4em 0; font-size: 0.9em"


class PredictedErrorReprMixin(BaseEstimator):
    """Add the predicted test error, or error rate, to the diagram of a fitted estimator.

    The estimator has ``predict_test_error`` and, once fitted, ``test_error_``, ``alpha_``,
    ``error_predictor_`` and ``n_samples_``, itself or as attributes of its ``readout_``. The two
    methods that notebooks ask for add a sentence. Inside of a pipeline, which scikit-learn draws, a
    caption below its name says the error: ``_sk_visual_block_`` is where estimators say what stands
    for them, and scikit-learn draws them as any other should that fail.
    """

    def _sk_visual_block_(self) -> Any:
        from sklearn.utils._repr_html.estimator import _VisualBlock

        name = type(self).__name__
        caption = predicted_error_caption(self)
        return _VisualBlock(
            "single", self, names=name, name_details=str(self), name_caption=caption or None
        )

    @property
    def _repr_html_(self) -> Callable[[], str]:
        diagram = super()._repr_html_  # AttributeError under set_config(display="text")
        return lambda: diagram() + predicted_error_html(self)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        bundle: dict[str, str] = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] += predicted_error_html(self)
        return bundle


def predicted_error_html(estimator: Any, *doubts: str) -> str:
    """Return a sentence with the error at the training size and at ten times as many rows.

    Parameters
    ----------
    estimator : estimator
        With what `PredictedErrorReprMixin` asks for.
    *doubts : str
        Sentences to end with.

    Returns
    -------
    str
        HTML; empty if the estimator is not fitted or does not predict its error.
    """
    if not hasattr(estimator, "test_error_"):
        return ""
    ridge = getattr(estimator, "readout_", estimator)
    words = _words(ridge)
    n, n_groups, option, show = ridge.n_samples_, words.n_groups, words.option, words.show
    text = f"Predicted {words.error} <b>{show(ridge.predict_test_error(**option))}</b>"
    if ridge.error_predictor_.knows_intervals:
        _, low, high = ridge.predict_test_error(return_interval=True, **option)
        text += f" (90&nbsp;% interval {show(low)} to {show(high)})"
    groups = "" if n_groups is None else f" in {n_groups:,} groups"
    alpha = "an alpha for each output"
    if np.ndim(ridge.alpha_) == 0:
        alpha = f"alpha&nbsp;=&nbsp;{ridge.alpha_:.4g}"
    text += f" with {n:,} samples{groups} at {alpha}"
    later = float(ridge.predict_test_error(10 * n, **option))
    text += f"; {show(later)} with {10 * n:,}." if np.isfinite(later) else "."
    notes = " ".join((words.note, *map(escape, doubts)))
    return f'<div style="{_BOX}">{text} {notes}</div>'


def predicted_error_caption(estimator: Any) -> str:
    """Return a few words with the error at the training size, for a diagram.

    Parameters
    ----------
    estimator : estimator
        With what `PredictedErrorReprMixin` asks for.

    Returns
    -------
    str
        Empty if the estimator is not fitted.
    """
    if not hasattr(estimator, "test_error_"):
        return ""
    words = _words(estimator)
    error = words.show(estimator.predict_test_error(**words.option)).replace("&nbsp;", "\xa0")
    return f"predicted {words.error} {error}" + ("" if words.rates else " (squared units of its y)")


class _Words(NamedTuple):
    """How the error of a ridge is asked for and spoken of."""

    error: str
    note: str
    show: Callable[[float], str]
    option: dict[str, str]
    n_groups: int | None
    rates: bool


def _words(ridge: Any) -> _Words:
    rates = getattr(ridge.error_predictor_, "knows_error_rates", None)
    option = {} if rates is None else {"metric": "error_rate" if rates else "mse"}
    error, note, show = "test error", "Mean squared error.", _figure
    if rates:
        error, note, show = "error rate", "Share of new rows that are misclassified.", _percent
    elif rates is not None:
        note = "Mean squared error of codes -1 and 1."
    n_groups = getattr(ridge, "n_groups_", None)
    of_groups = "" if n_groups is None else " on new groups"
    return _Words(error + of_groups, note, show, option, n_groups, bool(rates))


def _figure(value: float) -> str:
    return f"{value:.4g}"


def _percent(value: float) -> str:
    return f"{100.0 * value:.3g}&nbsp;%"
