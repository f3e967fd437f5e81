"""Labels of classes, as they come from outside, as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from sk_deepfeat.rows.validation import check_weights, rows_in_numpy
from sk_deepfeat.theory.validation import FloatArray

Codes = NDArray[np.intp]


def check_class_rows(
    estimator: BaseEstimator, X: Any, y: Any, sample_weight: Any
) -> tuple[Any, NDArray[Any], Codes, FloatArray | None]:
    """Return validated features, the classes, each row's number among them, and weights.

    Parameters
    ----------
    estimator : estimator
        Gets ``n_features_in_`` and perhaps ``feature_names_in_``.
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,)
        Labels of any type that sorts.
    sample_weight : float or array-like of shape (n_samples,), optional
        Not negative, positive for at least two rows.

    Returns
    -------
    X : ndarray or CSR of float32 or float64
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    number : ndarray of int of shape (n_samples,)
    sample_weight : ndarray of shape (n_samples,) or None

    Raises
    ------
    ValueError
        If y holds continuous numbers, several columns, or one class alone.
    """
    X, y, sample_weight = rows_in_numpy(estimator, X, y, sample_weight, y_numeric=False)
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind.startswith("multilabel") or kind == "multiclass-multioutput":
        raise ValueError(
            f"y of shape {np.shape(y)} has several columns of labels ({kind}), which "
            f"{type(estimator).__name__} does not support; fit one for each column, or "
            "DeterministicEquivalentRidge on the columns as numbers."
        )
    classes, number = np.unique(column_or_1d(y, warn=True), return_inverse=True)
    sample_weight = check_weights(sample_weight, X)
    counted = number if sample_weight is None else number[sample_weight > 0]
    if np.unique(counted).size < 2:
        raise ValueError(
            f"y has one class alone, {classes.tolist()[counted[0]]!r}, in rows of positive weight; "
            "a classifier needs rows of at least two classes."
        )
    return X, classes, number.astype(np.intp), sample_weight
