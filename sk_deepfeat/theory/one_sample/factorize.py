"""A training set made ready for its factorisation: checked, weighted, and known by its means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.progress import stage
from sk_deepfeat.theory.one_sample.centred_rows import CentredRows, column_means
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.half_grams import AnyRows
from sk_deepfeat.theory.one_sample.row_groups import RowGroups, check_labels
from sk_deepfeat.theory.one_sample.sparse_rows import MOST_FACTORISED, centred_sparse_rows
from sk_deepfeat.theory.sparse import is_sparse, sparse_rows_of
from sk_deepfeat.theory.validation import (
    FloatArray,
    alpha_of_mean_weight,
    check_flag,
    real_array,
)


class TrainingSet(NamedTuple):
    """Rows made ready; the arguments of `RidgeFactorization`, where they are told."""

    features: AnyRows
    targets: FloatArray
    feature_mean: FloatArray
    target_mean: FloatArray
    mean_weight: float
    fit_intercept: bool
    weights: FloatArray
    rounding: float
    exact_at: FloatArray
    groups: RowGroups | None


def ridge_factorization(
    features: ArrayLike,
    targets: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    fit_intercept: bool = True,
    exact_at: ArrayLike = (),
    groups: ArrayLike | None = None,
    rows_elsewhere: Callable[..., CentredRows] | None = None,
) -> RidgeFactorization:
    """Factorise a training set once, for ridge at every alpha.

    Parameters
    ----------
    features : array-like or sparse matrix of shape (n_samples, n_features)
        Rows of features, finite. Sparse ones are centred implicitly, and never written out.
    targets : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets, finite.
    sample_weight : array-like of shape (n_samples,), optional
        Not negative, not all zero. Rows of weight zero are dropped; the others are scaled to mean
        one, and the scale is kept as ``mean_weight``.
    fit_intercept : bool, default=True
        Whether to centre by the weighted means.
    exact_at : array-like of shape (n_exact,), default=()
        Alphas at which curves tabulated from this factorisation get a point of their own, so that
        their answers for the training size are exact there.
    groups : array-like of shape (n_samples,), optional
        Integers, two different ones at least; rows of one number belong together, and what is
        learned from the factorisation speaks of new groups. Groups without any row of positive
        weight are dropped.
    rows_elsewhere : callable, optional
        Called with rows of positive weight, their means, the roots of their weights or None, and
        which of `features` they are or None, makes `CentredRows` of them that multiply and
        decompose elsewhere.

    Returns
    -------
    RidgeFactorization

    Raises
    ------
    ValueError
        If shapes do not fit, weights are negative or all zero, there is one group alone, or sparse
        rows have so many rows and features that no Gram matrix of theirs is to be decomposed.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import ridge_factorization
    >>> X, y = [[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0]
    >>> factorization = ridge_factorization(X, y, fit_intercept=False)
    >>> factorization.coefs(14.0).round(3)
    array([[0.5]])
    """
    made = training_set(
        features,
        targets,
        sample_weight,
        fit_intercept=fit_intercept,
        exact_at=exact_at,
        groups=groups,
        rows_elsewhere=rows_elsewhere,
    )
    if is_sparse(features) and min(made.features.shape) > MOST_FACTORISED:
        raise ValueError(
            f"Sparse features of shape {made.features.shape} have more than {MOST_FACTORISED} rows "
            "and columns, too many to decompose a Gram matrix of theirs; population='lanczos' "
            "needs products with them alone."
        )
    with stage("factorisation", side=min(made.features.shape)):
        return RidgeFactorization(*made)


def training_set(
    features: ArrayLike,
    targets: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    fit_intercept: bool = True,
    exact_at: ArrayLike = (),
    groups: ArrayLike | None = None,
    rows_elsewhere: Callable[..., CentredRows] | None = None,
) -> TrainingSet:
    """Return checked, weighted and centred rows, for `ridge_factorization` and the like of it.

    Parameters
    ----------
    features, targets, sample_weight, fit_intercept, exact_at, groups, rows_elsewhere
        As there.
    """
    check_flag(fit_intercept, "fit_intercept")
    no_function = isinstance(rows_elsewhere, type) or not callable(rows_elsewhere)
    if rows_elsewhere is not None and no_function:
        raise TypeError(f"rows_elsewhere={rows_elsewhere!r} must be a function, or None.")
    try:
        given: Any = features if is_sparse(features) else np.asarray(features)
    except (TypeError, ValueError) as error:
        raise TypeError(f"features must be real numbers; got {features!r}.") from error
    single = given.dtype in (np.dtype(np.float32), np.dtype(np.float16))
    rounding = float(np.finfo(np.float32 if single else np.float64).eps)
    rows = given
    if is_sparse(given):
        rows = sparse_rows_of(given, "features")
    elif given.dtype != np.float32:
        rows = real_array(given, "features")
    values = real_array(targets, "targets")
    values = values.reshape(-1, 1) if values.ndim == 1 else values
    if rows.ndim != 2 or values.ndim != 2 or rows.shape[0] != values.shape[0]:
        raise ValueError(
            f"features and targets must have one row per sample; got shapes {rows.shape} and "
            f"{values.shape}."
        )
    if 0 in rows.shape:
        raise ValueError(
            f"features must have at least one row and one column; got shape {rows.shape}."
        )
    entries = rows.data if is_sparse(rows) else rows
    if not (np.all(np.isfinite(entries)) and np.all(np.isfinite(values))):
        raise ValueError("features and targets must be finite; got NaN or infinity.")
    exact = np.ravel(real_array(exact_at, "exact_at"))
    labels = None if groups is None else check_labels(groups, rows.shape[0])
    mean_weight, root, weights = 1.0, None, np.ones(rows.shape[0])
    kept = None
    if sample_weight is not None:
        weights = real_array(sample_weight, "sample_weight")
        if weights.shape != (rows.shape[0],) or np.any(weights < 0) or not np.any(weights > 0):
            raise ValueError(
                "sample_weight must hold one weight per row, not negative and not all zero; got "
                f"shape {weights.shape} for {rows.shape[0]} rows."
            )
        with np.errstate(over="ignore"):
            if not np.isfinite(weights.sum()):
                raise ValueError(
                    f"sample_weight must be finite, and its sum; got {float(weights.max())!r}."
                )
        kept = weights > 0
        if not np.all(kept):
            rows, values, weights = rows[kept], values[kept], weights[kept]
            labels = None if labels is None else check_labels(labels[kept], rows.shape[0])
        mean_weight = float(weights.mean())
        weights = weights / mean_weight
        root = np.sqrt(weights)
    scale = None if root is None else weights
    target_mean = np.zeros(values.shape[1])
    if fit_intercept:
        target_mean = column_means(values, scale)
        values = values - target_mean
    if root is not None:
        values = values * root[:, None]
    if values.base is not None or values is targets:  # they are not the caller's to write to
        values = values.copy()
    centred: AnyRows
    if rows_elsewhere is None:
        centred, feature_mean = centred_rows(rows, scale, centred=fit_intercept)
    else:
        feature_mean = column_means(rows, scale) if fit_intercept else np.zeros(rows.shape[1])
        centred = rows_elsewhere(rows, feature_mean, root, kept)
    return TrainingSet(
        centred,
        values,
        feature_mean,
        target_mean,
        mean_weight,
        fit_intercept,
        weights,
        rounding,
        alpha_of_mean_weight(exact, mean_weight),
        None if labels is None else RowGroups(labels),
    )


def centred_rows(
    rows: Any, weights: FloatArray | None, *, centred: bool = True
) -> tuple[AnyRows, FloatArray]:
    """Return rows less their weighted means, multiplied by roots of weights, and these means.

    Parameters
    ----------
    rows : ndarray or csr_array of shape (n_rows, n_features)
        Sparse ones from `sparse_rows_of`.
    weights : ndarray of shape (n_rows,) or None
        Positive; None is one.
    centred : bool, default=True
        Whether to subtract the means, which are else zero.
    """
    if is_sparse(rows):
        return centred_sparse_rows(rows, weights, centred=centred)
    mean = column_means(rows, weights) if centred else np.zeros(rows.shape[1])
    return CentredRows(rows, mean, None if weights is None else np.sqrt(weights)), mean
