"""Random subsets of the rows, of one size, that lie evenly over them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.classes.row_classes import RowClasses
from sk_deepfeat.theory.one_sample.row_groups import RowGroups


def spread(
    n_rows: int,
    size: int,
    n_subsets: int,
    seed: int,
    groups: RowGroups | None = None,
    classes: RowClasses | None = None,
) -> list[NDArray[np.intp]]:
    """Return subsets that lie evenly on a random circle of the rows, or of their groups.

    Parameters
    ----------
    n_rows : int
        Rows there are.
    size : int
        Rows of each subset; of groups, as many whole ones as hold nearly so many rows on average.
    n_subsets : int
        How many.
    seed : int
        With the size, it draws the circle.
    groups : RowGroups, optional
        Which rows belong together.
    classes : RowClasses, optional
        Of the rows. Where weights are balanced anew for every training set, each subset has the
        rows' own share of every class, so that the weights of all rows are its own; without groups.

    Returns
    -------
    list of ndarray of int
        Rows of each subset, ascending.
    """
    if classes is not None and classes.balanced and groups is None:
        return _stratified(classes, size, n_subsets, seed)
    n_draws = n_rows if groups is None else groups.n_groups
    circle = np.random.default_rng([seed, size]).permutation(n_draws)
    starts = (np.arange(n_subsets) * n_draws) // n_subsets
    if groups is None:
        return [np.sort(circle[(start + np.arange(size)) % n_draws]) for start in starts]
    count = int(np.clip(round(size / groups.mean_size), 1, n_draws - 1))
    return [np.sort(groups.rows(circle[(start + np.arange(count)) % n_draws])) for start in starts]


def _stratified(
    classes: RowClasses, size: int, n_subsets: int, seed: int
) -> list[NDArray[np.intp]]:
    """Return subsets of about so many rows, of which one row at least is of each class."""
    wanted = np.maximum(size * classes.counts / classes.counts.sum(), np.minimum(classes.counts, 1))
    counts = np.floor(wanted).astype(np.intp)
    missing = max(size - int(counts.sum()), 0)
    counts[np.argsort(counts - wanted, kind="stable")[:missing]] += 1
    parts: list[list[NDArray[np.intp]]] = [[] for _ in range(n_subsets)]
    for label, count in enumerate(np.minimum(counts, classes.counts)):
        rows = np.flatnonzero(classes.number == label)
        rows = rows[np.random.default_rng([seed, size, label]).permutation(rows.size)]
        starts = (np.arange(n_subsets) * rows.size) // n_subsets
        for part, start in zip(parts, starts, strict=True):
            part.append(rows[(start + np.arange(count)) % max(rows.size, 1)])
    return [np.sort(np.concatenate(part)) for part in parts]
