"""Measured errors: ridge refitted on a subset of rows, for all alphas from one factorisation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import _safe_indexing
from threadpoolctl import threadpool_limits

from sk_deepfeat.model_selection.curve_errors import SQUARED_ERRORS, Errors
from sk_deepfeat.theory import ridge_factorization
from sk_deepfeat.theory.sparse import is_sparse
from sk_deepfeat.theory.validation import FloatArray, alpha_of_mean_weight

IndexArray = NDArray[np.intp]
_TEST_BLOCK = 2048


def measure_subset(
    features: Any,
    X: Any,
    y: NDArray[Any],
    train: IndexArray,
    test: IndexArray,
    alphas: FloatArray,
    fit_intercept: bool,
    errors: Errors = SQUARED_ERRORS,
    sample_weight: FloatArray | None = None,
) -> FloatArray:
    """Return the test errors of ridge fitted on the rows `train`, one for each alpha.

    The number of threads is held at one, since the last bits of linear algebra depend on it and
    results must not depend on how tasks are spread over processes.

    Parameters
    ----------
    features : transformer or None
        Refitted on the training rows before ridge; None takes X as the features.
    X : array-like or sparse matrix of shape (n_samples, ...)
        All rows.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        All targets, or labels.
    train, test : ndarray of int
        Rows to fit on and to measure on.
    alphas : ndarray of shape (n_alphas,)
        Regularisations.
    fit_intercept : bool
        Whether ridge fits an intercept.
    errors : SquaredErrors or ClassLosses, default=SQUARED_ERRORS
        What ridge is fitted to, and what is measured.
    sample_weight : ndarray of shape (n_samples,), optional
        Of all rows, positive; in the fit, and in the mean of what is measured.

    Returns
    -------
    ndarray of shape (n_alphas,)
    """
    with threadpool_limits(limits=1):
        rows = _safe_indexing(X, train)
        if features is not None:
            features = clone(features)
            rows = features.fit_transform(rows, y[train])
        targets, row_weights = errors.targets(y[train])
        if sample_weight is not None:
            given = sample_weight[train]
            row_weights = given if row_weights is None else given * row_weights
        path = ridge_factorization(rows, targets, row_weights, fit_intercept=fit_intercept)
        coefs = path.coefs(alpha_of_mean_weight(alphas, path.mean_weight))
        weights = coefs.transpose(1, 0, 2).reshape(path.n_features, -1)
        offset = np.tile(path.target_mean, alphas.size) - path.feature_mean @ weights
        total: Any = 0.0
        for start in range(0, test.size, _TEST_BLOCK):
            block = test[start : start + _TEST_BLOCK]
            rows = _safe_indexing(X, block)
            if features is not None:
                rows = features.transform(rows)
            rows = rows if is_sparse(rows) else np.asarray(rows, dtype=np.float64)
            predicted = rows @ weights + offset
            total = total + errors.sums(predicted, y[block], y[train], _some(sample_weight, block))
        return errors.means(total, y[test], alphas.size, _some(sample_weight, test))


def _some(weights: FloatArray | None, rows: IndexArray) -> FloatArray | None:
    return None if weights is None else weights[rows]
