"""Random subsets of the rows, of one size, that lie evenly over them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.row_groups import RowGroups


def spread(
    n_rows: int, size: int, n_subsets: int, seed: int, groups: RowGroups | None = None
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

    Returns
    -------
    list of ndarray of int
        Rows of each subset, ascending.
    """
    n_draws = n_rows if groups is None else groups.n_groups
    circle = np.random.default_rng([seed, size]).permutation(n_draws)
    starts = (np.arange(n_subsets) * n_draws) // n_subsets
    if groups is None:
        return [np.sort(circle[(start + np.arange(size)) % n_draws]) for start in starts]
    count = int(np.clip(round(size / groups.mean_size), 1, n_draws - 1))
    return [np.sort(groups.rows(circle[(start + np.arange(count)) % n_draws])) for start in starts]
