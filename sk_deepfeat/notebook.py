"""What estimators show in a notebook beside scikit-learn's diagram: their predicted error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

_BOX = "border-left: 3px solid; padding: 0.1em 0.6em; margin: 0.4em 0; font-size: 0.9em"


class PredictedErrorReprMixin(BaseEstimator):
    """Add the predicted test error, or error rate, to the diagram of a fitted estimator.

    The estimator has ``predict_test_error`` and, once fitted, ``test_error_``, ``alpha_``,
    ``error_predictor_`` and ``n_samples_``, itself or as attributes of its ``readout_``. Only the
    two methods that notebooks ask for are extended; an estimator inside a pipeline is drawn by
    scikit-learn alone.
    """

    @property
    def _repr_html_(self) -> Callable[[], str]:
        diagram = super()._repr_html_  # AttributeError under set_config(display="text")
        return lambda: diagram() + predicted_error_html(self)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        bundle: dict[str, str] = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] += predicted_error_html(self)
        return bundle


def predicted_error_html(estimator: Any) -> str:
    """Return a sentence with the error at the training size and at ten times as many rows.

    Parameters
    ----------
    estimator : estimator
        With what `PredictedErrorReprMixin` asks for.

    Returns
    -------
    str
        HTML; empty if the estimator is not fitted or does not predict its error.
    """
    if not hasattr(estimator, "test_error_"):
        return ""
    ridge = getattr(estimator, "readout_", estimator)
    knows_rates = getattr(ridge.error_predictor_, "knows_error_rates", None)
    option = {} if knows_rates is None else {"metric": "error_rate" if knows_rates else "mse"}
    name, note, show = "test error", "Mean squared error.", _figure
    if knows_rates:
        name, note, show = "error rate", "Share of new rows that are misclassified.", _percent
    elif knows_rates is not None:
        note = "Mean squared error of codes -1 and 1."
    n, n_groups = ridge.n_samples_, getattr(ridge, "n_groups_", None)
    of_groups = "" if n_groups is None else " on new groups"
    text = f"Predicted {name}{of_groups} <b>{show(ridge.predict_test_error(**option))}</b>"
    if ridge.error_predictor_.knows_intervals:
        _, low, high = ridge.predict_test_error(return_interval=True, **option)
        text += f" (90&nbsp;% interval {show(low)} to {show(high)})"
    groups = "" if n_groups is None else f" in {n_groups:,} groups"
    text += f" with {n:,} samples{groups} at alpha&nbsp;=&nbsp;{ridge.alpha_:.4g}"
    later = float(ridge.predict_test_error(10 * n, **option))
    text += f"; {show(later)} with {10 * n:,}." if np.isfinite(later) else "."
    return f'<div style="{_BOX}">{text} {note}</div>'


def _figure(value: float) -> str:
    return f"{value:.4g}"


def _percent(value: float) -> str:
    return f"{100.0 * value:.3g}&nbsp;%"
