"""Validation of the rows that a population is fitted on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, validate_data

from sk_deepfeat.theory.validation import numeric_targets

FloatArray = NDArray[np.float64]


def check_rows(
    estimator: BaseEstimator, X: Any, y: Any, sample_weight: Any
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Return validated float64 features, targets and weights of at least two kept rows."""
    if y is None:  # scikit-learn has no words for it where y is no requirement of the estimator
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but it is None.")
    X, y = validate_data(
        estimator,
        X,
        y,
        dtype=[np.float64, np.float32],
        multi_output=True,
        y_numeric=True,
        ensure_min_samples=2,
    )
    if sample_weight is not None:
        sample_weight = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        if np.count_nonzero(sample_weight) < 2:
            raise ValueError("sample_weight must be positive for at least two rows.")
    return X, numeric_targets(y), sample_weight
