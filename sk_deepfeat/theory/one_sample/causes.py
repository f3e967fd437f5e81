"""Why measured errors may be off the theory's: every test for a cause, the likeliest first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory.one_sample.cause_sentences import (
    Cause,
    copies_cause,
    dependence_cause,
    rare_columns_cause,
    residuals_cause,
    rows_cause,
    scales_cause,
)
from sk_deepfeat.theory.one_sample.column_scales import column_scales
from sk_deepfeat.theory.one_sample.dependence import RowDependence, row_dependence
from sk_deepfeat.theory.one_sample.factorization import (
    RidgeFactorization,
    check_factorization,
)
from sk_deepfeat.theory.one_sample.rare_columns import RareColumns, rare_columns
from sk_deepfeat.theory.one_sample.row_leverages import RowLeverages, row_leverages
from sk_deepfeat.theory.one_sample.row_sizes import (
    NO_SIZES,
    Sizes,
    residual_sizes,
    row_sizes,
)

_NO_RARE = RareColumns(np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp), 0.0, 0.0)
_FEWEST_COLUMNS = 3
_EQUAL = 1e-9  # of values that are equal, centring and weights leave differences of rounding


class Labels(NamedTuple):
    """What a user calls columns and rows."""

    columns: NDArray[np.object_] | None
    """Names, shape (n_features,), or None for their numbers."""
    rows: NDArray[np.intp] | None
    """Numbers of the factorised rows among those that were given, or None if they are these."""


def find_causes(
    factorization: RidgeFactorization,
    *,
    feature_names: ArrayLike | None = None,
    row_numbers: ArrayLike | None = None,
    dependence: RowDependence | None = None,
) -> tuple[Cause, ...]:
    """Look for what makes rows other than the theory takes them to be.

    Copies come first, then dependence. Then comes what explains the largest leverages: rare columns
    where these hold more than half of them, else outsize rows, or heavy tails. What is left is
    looked for where nothing else accounts for it: scales of columns, and the residuals only if the
    rows show no cause.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set.
    feature_names : array-like of str, shape (n_features,), optional
        What columns are called; else by number, from zero.
    row_numbers : array-like of int, shape (n_rows,), optional
        What rows are called, where some that were given had weight zero.
    dependence : RowDependence, optional
        What `dependence_beyond` found, where it has been asked.

    Returns
    -------
    tuple of Cause
        Empty if no test found anything.

    Raises
    ------
    TypeError
        If `factorization` is none.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import ridge_factorization
    >>> from sk_deepfeat.theory.one_sample.causes import find_causes
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 30))
    >>> y = X[:, 0] + rng.normal(size=200)
    >>> find_causes(ridge_factorization(X, y))
    ()
    >>> X[[3, 50]] *= 10.0
    >>> [cause.kind for cause in find_causes(ridge_factorization(X, y))]
    ['outsize rows']
    """
    check_factorization(factorization)
    leverages = row_leverages(factorization)
    if leverages is None:
        return told_in_any_case(factorization, feature_names=feature_names)
    labels = Labels(_names(feature_names), None if row_numbers is None else np.asarray(row_numbers))
    found: list[Cause | None] = [_copies(factorization)]
    rare = rare_columns(factorization, leverages)
    if factorization.groups is None:
        found.append(dependence_cause(dependence or dependence_beyond(factorization, rare)))
    found += _of_leverages(factorization, leverages, rare, labels)
    found.append(scales_cause(column_scales(factorization), labels.columns))
    if not any(found):
        found.append(residuals_cause(residual_sizes(leverages), labels.rows))
    return tuple(cause for cause in found if cause)


def told_in_any_case(
    factorization: RidgeFactorization, *, feature_names: ArrayLike | None = None
) -> tuple[Cause, ...]:
    """Return those causes that are worth a word even where no error is off: copies, and scales.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set.
    feature_names : array-like of str, shape (n_features,), optional
        What columns are called; else by number, from zero.

    Returns
    -------
    tuple of Cause
    """
    scales = scales_cause(column_scales(factorization), _names(feature_names))
    return tuple(cause for cause in (_copies(factorization), scales) if cause)


def _names(feature_names: ArrayLike | None) -> NDArray[np.object_] | None:
    return None if feature_names is None else np.asarray(feature_names, dtype=object)


def _copies(factorization: RidgeFactorization) -> Cause | None:
    """Return what to say if groups are those of exact copies."""
    groups = factorization.groups
    if groups is None or groups.n_groups == factorization.n_rows:
        return None
    first = np.full(groups.n_groups, factorization.n_rows)
    np.minimum.at(first, groups.number, np.arange(factorization.n_rows))
    others = first[groups.number]
    targets = factorization.targets / np.sqrt(factorization.weights)[:, None]
    apart, largest = factorization.features.apart(others)
    apart = max(apart, float(np.abs(targets - targets[others]).max()))
    if apart > _EQUAL * max(largest, float(np.abs(targets).max())):
        return None
    return copies_cause(factorization.n_rows - groups.n_groups, factorization.n_rows)


def dependence_beyond(
    factorization: RidgeFactorization, rare: RareColumns | None = None
) -> RowDependence:
    """Return `row_dependence`, unless rare columns alone make rows look like groups.

    The few rows that share a rare column are each other's nearest. Where such columns hold the
    largest leverages, the other columns must show the dependence, too.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set.
    rare : RareColumns, optional
        Its rare columns; None looks for them where rows look dependent.

    Returns
    -------
    RowDependence
    """
    asked = factorization.exact_at
    ridge = float(asked[0]) if asked.size else 0.0
    found = row_dependence(factorization, ridge)
    if not found.dependent or found.by == "order":
        return found
    if rare is None:
        leverages = row_leverages(factorization)
        rare = _NO_RARE if leverages is None else rare_columns(factorization, leverages)
    if not rare.explains:
        return found
    if factorization.n_features - rare.columns.size < _FEWEST_COLUMNS:
        return RowDependence(False, "", 1.0, ridge, 0)
    return row_dependence(factorization.without_columns(rare.columns), ridge)


def _of_leverages(
    factorization: RidgeFactorization,
    leverages: RowLeverages,
    rare: RareColumns,
    labels: Labels,
) -> list[Cause | None]:
    """Return what explains the largest leverages, first, and what else there is of both."""
    columns = rare_columns_cause(rare, factorization.n_rows, labels.columns) if rare.named else None
    sizes: Sizes = NO_SIZES if rare.explains else row_sizes(factorization, leverages)
    return [rows_cause(sizes, labels.rows), columns]
