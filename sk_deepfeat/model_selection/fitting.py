"""Fit what a display is given."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.pipeline import Pipeline

from sk_deepfeat.linear_model import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
)

_HOLDERS = {"estimator", "regressor", "readout"}
"""Parameters under which wrappers hold what ends in a ridge."""


def fitted_clone(estimator: Any, X: Any, y: Any, groups: Any = None) -> Any:
    """Return a fitted clone of an estimator that answers questions about its error.

    Parameters
    ----------
    estimator : estimator
        As of `sk_deepfeat.predict_test_error`, fitted or not, or a plain ridge.
    X, y : array-like
        Rows.
    groups : array-like, optional
        Labels of their groups, passed to the last step of a pipeline.

    Returns
    -------
    estimator

    Raises
    ------
    TypeError
        If groups are given and it does not take them.
    """
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise TypeError(f"estimator must be an estimator with fit; got {estimator!r}.")
    unfitted = with_questions(clone(estimator))
    given = {} if groups is None else {groups_parameter(unfitted): groups}
    return unfitted.fit(X, y, **given)


def with_questions(estimator: Any) -> Any:
    """Return an unfitted estimator, with the ridge that predicts its error for a plain one."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        replaced = with_questions(last)
        return estimator if replaced is last else estimator.set_params(**{name: replaced})
    if isinstance(estimator, FrozenEstimator):
        return estimator
    for name in _HOLDERS & set(getattr(estimator, "get_params", dict)()):
        held = getattr(estimator, name)
        if held is not None and (replaced := with_questions(held)) is not held:
            return estimator.set_params(**{name: replaced})
    if isinstance(estimator, Ridge | RidgeClassifier) and estimator.positive:
        raise ValueError("positive=True is not plain ridge regression; set it to False.")
    if isinstance(estimator, Ridge):
        return DeterministicEquivalentRidge(estimator.alpha, fit_intercept=estimator.fit_intercept)
    if isinstance(estimator, RidgeClassifier):
        return DeterministicEquivalentRidgeClassifier(
            estimator.alpha,
            fit_intercept=estimator.fit_intercept,
            class_weight=estimator.class_weight,
        )
    return estimator


def groups_parameter(estimator: Any) -> str:
    """Return by what name ``fit`` of an estimator passes groups on to its ridge."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        return f"{name}__{groups_parameter(last)}"
    return "groups"
