"""The ridge that answers for whatever it is inside of, in the units of the whole."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.linear_model.each_output import EachOutputPredictor
from sk_deepfeat.linear_model.target_units import TargetUnits, target_units
from sk_deepfeat.rows import with_numpy_attributes

# Of pipelines, unions and transformers of columns, whose own tags do not tell.
_LISTS_OF_STEPS = ("steps", "transformer_list", "transformers")


def fitted_ridge(estimator: Any) -> Any:
    """Return the fitted ridge that answers for `estimator`, in the units of its targets.

    Parameters
    ----------
    estimator : DeterministicEquivalentRidge or its classifier, or what ends in one
        Fitted. Two stages give their readout, a pipeline its last step, a search its best
        estimator, a frozen one what it froze; of a target transformer that is linear, errors are
        those in the original units; of one ridge for each output, answers are about all.

    Returns
    -------
    DeterministicEquivalentRidge
        Or another estimator with the same questions. What a wrapper changes is changed in a copy.

    Raises
    ------
    TypeError
        If there is none inside.
    NotFittedError
        If it is not fitted.

    Warns
    -----
    PopulationWarning
        If the targets are transformed otherwise: answers are then in transformed units.

    Notes
    -----
    Of a ridge fitted on arrays of another library a copy is returned, with NumPy's.
    """
    return _inside(estimator, estimator)


def _inside(found: Any, given: Any) -> Any:
    if isinstance(found, FrozenEstimator):
        return _inside(found.estimator, given)
    if hasattr(found, "best_estimator_"):
        return _inside(found.best_estimator_, given)
    if isinstance(found, Pipeline):
        return _inside(found[-1], given)
    if isinstance(found, TransformedTargetRegressor):
        check_is_fitted(found)
        return _in_original_units(_inside(found.regressor_, given), found.transformer_)
    if isinstance(found, MultiOutputRegressor):
        check_is_fitted(found)
        return _together([_inside(one, given) for one in found.estimators_])
    if hasattr(found, "readout_"):
        return _inside(found.readout_, given)
    if isinstance(found, type) or not hasattr(found, "predict_test_error"):
        _refuse(found, given)
    check_is_fitted(found)
    return with_numpy_attributes(found)


def _refuse(found: Any, given: Any) -> None:
    if isinstance(found, BaseSearchCV):
        if hasattr(found, "cv_results_"):
            raise TypeError(
                f"estimator={given!r} was fitted with refit={found.refit!r} and has no "
                "best_estimator_ to ask; set refit=True."
            )
        raise NotFittedError(f"estimator={given!r} is not fitted yet; call fit first.")
    if hasattr(found, "test_error") and hasattr(found, "required_samples"):
        raise TypeError(
            f"{type(found).__name__} is a population, and no fitted ridge: ask it for test_error, "
            "optimal_alpha or required_samples itself, or fit a ridge with population=..."
        )
    raise TypeError(
        "estimator must be a fitted DeterministicEquivalentRidge or "
        "DeterministicEquivalentRidgeClassifier, or two stages, a Pipeline, a "
        "TransformedTargetRegressor, a MultiOutputRegressor or a search that end in one; got "
        f"{given!r}."
    )


def _in_original_units(ridge: Any, transformer: Any) -> Any:
    units = target_units(transformer, n_outputs_of(ridge))
    if units is None:
        warn_caller(
            f"The targets were transformed by {transformer!r}, which is not linear in each of "
            "them: errors are those of the transformed targets, in their squared units."
        )
        return ridge
    return rescaled_ridge(ridge, units)


def rescaled_ridge(ridge: Any, units: TargetUnits) -> Any:
    """Return a copy of a fitted ridge that answers, and predicts, in other units of the targets.

    Parameters
    ----------
    ridge : DeterministicEquivalentRidge
        Fitted to ``(targets - offset) / scale``.
    units : TargetUnits
        Of the targets.

    Returns
    -------
    DeterministicEquivalentRidge
    """
    if np.all(units.scale == 1.0) and not np.any(units.offset):
        return ridge
    found = copy.copy(ridge)
    found.error_predictor_ = ridge.error_predictor_.rescaled(np.abs(units.scale))
    found.test_error_ = float(found.error_predictor_.test_error())
    if np.ptp(np.abs(units.scale)) == 0.0:
        found.train_error_ = ridge.train_error_ * float(units.scale[0]) ** 2
    else:
        found.train_error_ = float(found.error_predictor_.train_error())
    if hasattr(ridge, "coef_"):
        of_outputs = ridge.coef_.ndim == 2
        scale = units.scale if of_outputs else units.scale[0]
        found.coef_ = ridge.coef_ * (scale[:, None] if of_outputs else scale)
        found.intercept_ = ridge.intercept_ * scale + (
            units.offset if of_outputs else units.offset[0]
        )
    return found


def _together(ridges: Sequence[Any]) -> Any:
    """Return a copy of the first of some fitted ridges that answers for the outputs of all."""
    found = copy.copy(ridges[0])
    found.error_predictor_ = EachOutputPredictor.of([ridge.error_predictor_ for ridge in ridges])
    found.alpha_ = found.error_predictor_.alpha
    for name in ("test_error_", "train_error_"):
        setattr(found, name, float(np.mean([getattr(ridge, name) for ridge in ridges])))
    found.kappa_ = found.error_predictor_.kappa()
    found.__dict__.pop("coef_", None)
    found.__dict__.pop("intercept_", None)
    if len({ridge.n_features_in_ for ridge in ridges}) == 1:
        found.coef_ = np.concatenate([np.atleast_2d(ridge.coef_) for ridge in ridges])
        found.intercept_ = np.concatenate([np.atleast_1d(ridge.intercept_) for ridge in ridges])
    return found


def n_outputs_of(ridge: Any) -> int:
    """Return how many outputs a fitted ridge, or what `fitted_ridge` returned, answers for."""
    return int(np.size(ridge.error_predictor_.test_error(multioutput="raw_values")))


def steps_that_learned(estimator: Any) -> list[str]:
    """Return the names of pipeline steps that learned from the targets the ridge then saw.

    Parameters
    ----------
    estimator : estimator
        As of `fitted_ridge`.

    Returns
    -------
    list of str
        Empty if there is no pipeline, or nothing but the ridge looks at targets.
    """
    if isinstance(estimator, FrozenEstimator):
        return steps_that_learned(estimator.estimator)
    for name in ("best_estimator_", "regressor_", "readout_"):
        if hasattr(estimator, name):
            return steps_that_learned(getattr(estimator, name))
    if isinstance(estimator, MultiOutputRegressor) and hasattr(estimator, "estimators_"):
        return steps_that_learned(estimator.estimators_[0])
    if not isinstance(estimator, Pipeline):
        return []
    own = [name for name, step in estimator.steps[:-1] if _uses_targets(step)]
    return own + steps_that_learned(estimator[-1])


def _uses_targets(step: Any) -> bool:
    if isinstance(step, FrozenEstimator) or not hasattr(step, "__sklearn_tags__"):
        return False
    for name in _LISTS_OF_STEPS:
        if hasattr(step, name):
            return any(_uses_targets(part[1]) for part in getattr(step, name))
    tags = get_tags(step)
    predicts = tags.estimator_type in ("regressor", "classifier")
    return bool(tags.target_tags.required) or predicts or _selects_by_targets(step)


def _selects_by_targets(step: Any) -> bool:
    """Say what tags do not: selectors need targets, though some could do without."""
    from sklearn import feature_selection

    names = (
        *("SelectKBest", "SelectPercentile", "SelectFpr", "SelectFdr", "SelectFwe"),
        *("GenericUnivariateSelect", "SelectFromModel", "SequentialFeatureSelector"),
    )
    return isinstance(step, tuple(getattr(feature_selection, name) for name in names))
