"""What a learning curve refits of an estimator that wraps a ridge, and to which targets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection._search import BaseSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_array

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.linear_model.target_units import target_units


def unwrapped(estimator: Any, y: Any) -> tuple[Any, Any]:
    """Return an estimator whose refits make the same errors, without wrappers, and its targets.

    Ridge is linear in its targets: on targets that were scaled, each by itself, it makes the same
    errors in the original units as on the original ones. One ridge for each output is one ridge of
    all.

    Parameters
    ----------
    estimator : estimator
        As of `ridge_learning_curve`.
    y : array-like
        Targets.

    Returns
    -------
    estimator, targets
        Both as they came if nothing is wrapped.

    Raises
    ------
    TypeError
        If it is a search that is not fitted.
    """
    if hasattr(estimator, "best_estimator_"):
        return unwrapped(clone(estimator.best_estimator_), y)
    if isinstance(estimator, BaseSearchCV):
        raise TypeError(
            f"estimator={estimator!r} must be fitted: the learning curve of a search is that of "
            "its best_estimator_."
        )
    if isinstance(estimator, MultiOutputRegressor):
        return unwrapped(estimator.estimator, y)
    if isinstance(estimator, TransformedTargetRegressor):
        return unwrapped(estimator.regressor, _targets(estimator, y))
    if isinstance(estimator, Pipeline):
        *steps, (name, last) = estimator.steps
        inside, targets = unwrapped(last, y)
        if inside is last:
            return estimator, y
        if isinstance(inside, Pipeline):
            steps += [(f"{name}_{own}", step) for own, step in inside.steps]
        else:
            steps.append((name, inside))
        return Pipeline(steps), targets
    return estimator, y


def _targets(wrapper: Any, y: Any) -> NDArray[Any]:
    """Return targets in original units, or transformed ones if these are no linear function."""
    targets = check_array(y, ensure_2d=False, dtype=float, input_name="y")
    columns = targets.reshape(len(targets), -1)
    transformer = wrapper.transformer
    if transformer is None:
        transformer = FunctionTransformer(wrapper.func, wrapper.inverse_func, validate=True)
    transformer = clone(transformer).fit(columns)
    transformed = np.asarray(transformer.transform(columns), dtype=np.float64)
    transformed = transformed.reshape(len(targets), -1)
    units = target_units(transformer, transformed.shape[1])
    if units is not None:
        return np.asarray((columns - units.offset).reshape(targets.shape))
    warn_caller(
        f"The targets are transformed by {transformer!r}, which is not linear in each of them: "
        "errors are those of the transformed targets, in their squared units."
    )
    return transformed[:, 0] if targets.ndim == 1 and transformed.shape[1] == 1 else transformed
