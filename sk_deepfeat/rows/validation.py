"""Validation of the rows that an estimator or a population is fitted on."""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, validate_data

from sk_deepfeat.rows.namespaces import in_numpy
from sk_deepfeat.theory.validation import FloatArray, check_unmasked, numeric_targets, real_number

_LEAST_OTHERS = 1e-14  # share of the weight that all rows but one must have


def check_rows(
    estimator: BaseEstimator, X: Any, y: Any, sample_weight: Any
) -> tuple[Any, FloatArray, FloatArray | None]:
    """Return validated features, targets and weights of at least two kept rows.

    Parameters
    ----------
    estimator : estimator
        Gets ``n_features_in_`` and perhaps ``feature_names_in_``.
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Features, of any library; float32 stays, since a factorisation casts, and knows the
        rounding.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    sample_weight : float or array-like of shape (n_samples,), optional
        Not negative, positive for at least two rows.

    Returns
    -------
    X : ndarray or CSR
        Of float32 or float64.
    y : ndarray
        Of float64.
    sample_weight : ndarray of shape (n_samples,) or None
    """
    X, y, sample_weight = rows_in_numpy(estimator, X, y, sample_weight, y_numeric=True)
    y = numeric_targets(y)
    return X, y, check_weights(sample_weight, X)


def rows_in_numpy(
    estimator: BaseEstimator, X: Any, y: Any, sample_weight: Any, *, y_numeric: bool
) -> tuple[Any, Any, Any]:
    """Return features and targets as scikit-learn validates them, and weights as they are.

    Parameters
    ----------
    estimator : estimator
        Gets ``n_features_in_`` and perhaps ``feature_names_in_``.
    X, y, sample_weight
        At least two rows, of any library.
    y_numeric : bool
        Whether targets are numbers, or labels.

    Returns
    -------
    X, y, sample_weight
        Of NumPy; X of float32 or float64, perhaps CSR.
    """
    require_targets(estimator, y)
    X, y, sample_weight = map(in_numpy, (X, y, sample_weight))
    for values, name in ((X, "X"), (y, "y"), (sample_weight, "sample_weight")):
        check_unmasked(values, name)
    with _integers_in_range():
        X, y = validate_data(
            estimator,
            X,
            y,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            multi_output=True,
            y_numeric=y_numeric,
            ensure_min_samples=2,
        )
    return X, y, sample_weight


@contextmanager
def _integers_in_range() -> Iterator[None]:
    """Raise ValueError for integers of Python that no float holds, where numpy overflows."""
    try:
        yield
    except OverflowError as error:
        raise ValueError(
            "X or y holds integers too large for float64, of which the largest is 1.8e308; take "
            "their logarithms, or another unit."
        ) from error


def require_targets(estimator: BaseEstimator, y: Any) -> None:
    """Raise ValueError if there are none.

    scikit-learn has no words for it where y is no requirement of the estimator.
    """
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y "
            "is None."
        )


def check_weights(sample_weight: Any, X: Any) -> FloatArray | None:
    """Return validated weights of rows, of which two at least are positive; None if none are given.

    Parameters
    ----------
    sample_weight : float or array-like of shape (n_samples,) or None
        Not negative.
    X : ndarray or CSR of shape (n_samples, n_features)
        The rows.
    """
    if sample_weight is None:
        return None
    if isinstance(sample_weight, numbers.Number):
        sample_weight = real_number(sample_weight, "sample_weight")
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not np.isfinite(total):
        raise ValueError(
            f"sample_weight must be finite, and its sum; got {float(weights.max())!r}; divide "
            "weights and alpha by the same number."
        )
    if np.count_nonzero(weights) < 2:
        raise ValueError("sample_weight must be positive for at least two rows.")
    if total - weights.max() < _LEAST_OTHERS * total:
        raise ValueError(
            f"sample_weight gives row {int(weights.argmax())} so much that all others together are "
            f"lost in rounding beside it: {float(weights.max() / total)!r} of the sum."
        )
    return np.asarray(weights)
