"""The predicted side of a learning curve: errors, intervals and reach, from some rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.linear_model import Ridge, RidgeClassifier

from sk_deepfeat.linear_model import DeterministicEquivalentRidgeClassifier
from sk_deepfeat.linear_model._arguments import average_ends
from sk_deepfeat.linear_model._population import AskedPopulation, fit_population
from sk_deepfeat.model_selection.curve_errors import ClassLosses
from sk_deepfeat.theory.validation import FloatArray

_LEVEL = 0.9


def ridge_intercept(readout: Any, *, classes: bool) -> bool:
    """Return the readout's fit_intercept, or raise TypeError if it is no plain ridge."""
    plain = RidgeClassifier if classes else Ridge
    predicts = hasattr(readout, "predict_test_error") and is_classifier(readout) == classes
    if not (isinstance(readout, plain) or predicts):
        raise TypeError(
            "estimator must be a ridge, a Pipeline that ends in one, or a TwoStageRegressor with "
            "one as readout, or the same of ridge classifiers and TwoStageClassifier; got "
            f"{readout!r}."
        )
    params = readout.get_params() if isinstance(readout, BaseEstimator) else {}
    if "fit_intercept" not in params:
        raise TypeError(
            f"The last step must itself be a ridge with fit_intercept; got {readout!r}. A "
            "TwoStageRegressor or TwoStageClassifier is passed as the estimator, not inside a "
            "pipeline."
        )
    if params.get("positive"):
        raise ValueError("positive=True is not plain ridge regression; set it to False.")
    return bool(params["fit_intercept"])


def predict_numbers(
    readout: Any,
    population: Any,
    X: Any,
    y: FloatArray,
    groups: NDArray[np.intp] | None,
    sample_weight: FloatArray | None,
    n_samples: NDArray[Any],
    alphas: FloatArray,
) -> dict[str, Any]:
    """Return squared errors, and their interval and reach if the population knows them.

    Parameters
    ----------
    readout : estimator
        A ridge.
    population : str or population object, optional
        None is the readout's own, else "leave-one-out".
    X, y, groups, sample_weight : array-like
        Rows that the population is fitted on.
    n_samples, alphas : ndarray of shape (S,) and (A,)
        What is asked.

    Returns
    -------
    dict
        ``predicted``, ``reachable``, and ``lower`` and ``upper`` if they are known, of shape
        (S, A).
    """
    population = _population_of(readout, population)
    fit_intercept = ridge_intercept(readout, classes=False)
    fitted = fit_population(
        population, X, y, sample_weight, groups=groups, fit_intercept=fit_intercept, path=None
    )
    mean_weight = 1.0 if sample_weight is None else float(sample_weight.mean())
    asked = AskedPopulation(fitted, population, fit_intercept, mean_weight, np.ndim(y) == 1)
    cells = np.broadcast_arrays(n_samples[:, None].astype(float), alphas)
    answer = asked.answer(*cells, variance=True)
    found: dict[str, Any] = {"predicted": answer.error.mean(axis=-1), "reachable": answer.reachable}
    ends = average_ends(answer, _LEVEL, "uniform_average")
    if ends is not None:
        found["lower"], found["upper"] = ends
    return found


def predict_classes(
    readout: Any,
    population: Any,
    X: Any,
    y: NDArray[Any],
    groups: NDArray[np.intp] | None,
    sample_weight: FloatArray | None,
    n_samples: NDArray[Any],
    alphas: FloatArray,
    losses: ClassLosses,
) -> dict[str, Any]:
    """Return what `predict_numbers` does for the losses of classes, of labels y.

    Raises
    ------
    ValueError
        If the population knows squared errors alone and others are asked for.
    """
    population = _population_of(readout, population)
    classifier = DeterministicEquivalentRidgeClassifier(
        fit_intercept=ridge_intercept(readout, classes=True),
        class_weight=losses.class_weight,
        population=population,
    ).fit(X, y, sample_weight, groups=groups)
    predictor = classifier.error_predictor_
    if losses.metric != "mse" and not predictor.knows_error_rates:
        raise ValueError(
            f"population={population!r} knows squared errors of classes alone: "
            "scoring='neg_mean_squared_error'; population='leave-one-out' knows all of them."
        )
    of_metric = predictor.of(losses.metric)
    cells = n_samples[:, None].astype(float), alphas
    found = {"reachable": of_metric.reachable(*cells)}
    if not of_metric.knows_intervals:
        return {**found, "predicted": of_metric.test_error(*cells)}
    ends = of_metric.test_error(*cells, return_interval=True, level=_LEVEL)
    return {**found, **dict(zip(("predicted", "lower", "upper"), ends, strict=True))}


def _population_of(readout: Any, population: Any) -> Any:
    return getattr(readout, "population", "leave-one-out") if population is None else population
