"""What a population says, and does, about training rows that look like no independent draws."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.progress import stage
from sk_deepfeat.rows import exact_copies
from sk_deepfeat.theory import RidgeFactorization
from sk_deepfeat.theory.one_sample.causes import dependence_beyond
from sk_deepfeat.theory.one_sample.dependence import RowDependence, describe
from sk_deepfeat.theory.sparse import is_sparse, sparse_rows_of


def with_copies_together(
    factorization: RidgeFactorization, X: Any, y: Any, sample_weight: Any, *, takes_groups: bool
) -> tuple[RidgeFactorization, RowDependence | None]:
    """Return the factorisation with exact copies of rows in groups, and warn of dependent rows.

    Parameters
    ----------
    factorization : RidgeFactorization
        Of the rows, without groups.
    X : array-like or sparse matrix
        The rows as they were given.
    y : array-like
        Their targets.
    sample_weight : array-like or None
        Their weights; rows of weight zero are not in the factorisation.
    takes_groups : bool
        Whether the population can use groups.

    Returns
    -------
    factorization : RidgeFactorization
        The same one if no row is a copy of another, or if chance makes copies.
    dependence : RowDependence or None
        What was found of other dependence; None if it was not looked for, since rows are copies, or
        only a sample of them is at hand.
    """
    with stage("dependence of rows"):
        return _looked_through(factorization, X, y, sample_weight, takes_groups)


def _looked_through(
    factorization: RidgeFactorization, X: Any, y: Any, sample_weight: Any, takes_groups: bool
) -> tuple[RidgeFactorization, RowDependence | None]:
    if factorization.n_sampled < factorization.n_rows:
        _warn_of_copies_in(factorization)
        return factorization, None
    rows = sparse_rows_of(X, "X") if is_sparse(X) else np.asarray(X)
    targets, n_rows = np.asarray(y), factorization.n_rows
    if sample_weight is not None:
        kept = np.broadcast_to(sample_weight, rows.shape[0]) > 0
        rows, targets = (rows, targets) if kept.all() else (rows[kept], targets[kept])
    copies = exact_copies(rows, targets)
    if copies.codes is not None:
        found = f"{copies.n_copies} of {n_rows} rows are exact copies of others"
        if takes_groups and copies.n_copies < n_rows - 1:
            warn_caller(
                f"{found}, targets included. Copies are taken for one draw: predicted errors are "
                "those on rows of which there is no copy. Name the groups by groups= if there are "
                "more than these."
            )
            return factorization.with_groups(copies.codes), None
        warn_caller(
            f"{found}, targets included, and each is taken for a draw of its own: the predicted "
            "errors are too low for rows of which there is no copy. Drop the copies."
        )
        return factorization, None
    dependence = dependence_beyond(factorization)
    if dependence.dependent:
        warn_caller(describe(dependence))
    return factorization, dependence


def _warn_of_copies_in(factorization: RidgeFactorization) -> None:
    """Warn of exact copies among sampled rows, of which there are more among all.

    Other dependence does not show in a sample: few rows have their neighbours there.
    """
    sample = factorization.sample
    root = np.sqrt(sample.weights)[:, None]
    copies = exact_copies(sample.features.uncentred(slice(None)), sample.targets / root)
    if copies.codes is not None:
        warn_caller(
            f"{copies.n_copies} of {sample.n_rows} sampled rows are exact copies of others, "
            f"targets included; among all {factorization.n_rows} there are more. Each is taken for "
            "a draw of its own: the predicted errors are too low for rows of which there is no "
            "copy. Drop the copies."
        )
