"""The predicted side of a learning curve: errors, intervals and reach, from some rows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.linear_model import Ridge, RidgeClassifier

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.linear_model import DeterministicEquivalentRidgeClassifier, ErrorPredictor
from sk_deepfeat.linear_model._arguments import average_ends
from sk_deepfeat.linear_model._population import AskedPopulation, fit_population
from sk_deepfeat.model_selection.curve_errors import ClassLosses
from sk_deepfeat.theory.sparse import is_sparse
from sk_deepfeat.theory.validation import FloatArray

_ABOUT_BEST = (0.1, 1.0, 10.0)


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


def predictor_of_numbers(
    readout: Any,
    population: Any,
    X: Any,
    y: FloatArray,
    groups: NDArray[np.intp] | None,
    sample_weight: FloatArray | None,
) -> ErrorPredictor:
    """Return what answers for squared errors.

    Parameters
    ----------
    readout : estimator
        A ridge.
    population : str or population object, optional
        None is the readout's own, else "leave-one-out".
    X, y, groups, sample_weight : array-like
        Rows that the population is fitted on.
    """
    population = _population_of(readout, population)
    fit_intercept = ridge_intercept(readout, classes=False)
    fitted = fit_population(
        population, X, y, sample_weight, groups=groups, fit_intercept=fit_intercept, path=None
    )
    mean_weight = 1.0 if sample_weight is None else float(sample_weight.mean())
    asked = AskedPopulation(fitted, population, fit_intercept, mean_weight, np.ndim(y) == 1)
    scale = _feature_scale(X, centred=fit_intercept) * mean_weight
    return ErrorPredictor(asked, len(y), 1.0, scale)


def predictor_of_classes(
    readout: Any,
    population: Any,
    X: Any,
    y: NDArray[Any],
    groups: NDArray[np.intp] | None,
    sample_weight: FloatArray | None,
    losses: ClassLosses,
) -> ErrorPredictor:
    """Return what `predictor_of_numbers` does for the losses of classes, of labels y.

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
    return predictor.of(losses.metric)


def predictions(
    predictor: ErrorPredictor, n_samples: NDArray[Any], alphas: FloatArray, level: float
) -> dict[str, Any]:
    """Return errors, and their interval and reach if the population knows them.

    Parameters
    ----------
    predictor : ErrorPredictor
        Of the errors that are measured.
    n_samples, alphas : ndarray of shape (S,) and (A,)
        What is asked.
    level : float
        Nominal coverage of the interval.

    Returns
    -------
    dict
        ``predicted``, ``reachable``, and ``lower`` and ``upper`` if they are known, of shape
        (S, A).
    """
    cells = np.broadcast_arrays(n_samples[:, None].astype(float), alphas)
    answer = predictor.asked.answer(*cells, variance=True)
    found: dict[str, Any] = {"predicted": answer.error.mean(axis=-1), "reachable": answer.reachable}
    ends = average_ends(answer, level, "uniform_average")
    if ends is not None:
        found["lower"], found["upper"] = ends
    return found


def alphas_about_best(predictor: ErrorPredictor, n_samples: float) -> FloatArray:
    """Return three regularisations: about the best one for some number of samples, and that.

    Of numbers with two digits. Where the best is zero, or not known, it is about the strength of
    the features.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        best = float(predictor.optimal_alpha(n_samples))
    if not (np.isfinite(best) and best > 0.0):
        best = predictor.feature_scale or 1.0
    return np.array([float(f"{factor * best:.1e}") for factor in _ABOUT_BEST])


def _feature_scale(X: Any, *, centred: bool) -> float:
    """Return the mean squared norm of rows, about their mean with an intercept."""
    if is_sparse(X):
        squares = X.multiply(X).mean(axis=0)
        mean = np.asarray(X.mean(axis=0)).ravel()
        return float(np.sum(squares) - (np.square(mean).sum() if centred else 0.0))
    rows = np.asarray(X)
    return float(rows.var(axis=0).sum() if centred else np.square(rows).sum() / len(rows))


def _population_of(readout: Any, population: Any) -> Any:
    return getattr(readout, "population", "leave-one-out") if population is None else population
