"""Whole groups of rows dealt to parts of given sizes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sk_deepfeat.rows.groups import Codes


def deal_groups(
    codes: Codes, ends: Sequence[float], least: Sequence[int], rng: np.random.RandomState
) -> list[Codes]:
    """Deal whole groups in random order to parts, each of as nearly so many rows as they allow.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows,)
        From `check_groups`; there are at least as many groups as `least` sums up to.
    ends : sequence of P floats
        How many rows the first part has, the first two have together, and so on; ascending. What
        lies beyond the last is in no part.
    least : sequence of P ints
        Fewest groups of each part.
    rng : RandomState
        Draws the order.

    Returns
    -------
    list of P ndarrays of int
        Rows of each part, group after group; those of a group in their order.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.rows import deal_groups
    >>> codes = np.repeat([0, 1, 2, 3], 2)
    >>> [rows.size for rows in deal_groups(codes, (4, 8), (1, 2), np.random.RandomState(0))]
    [4, 4]
    """
    sizes = np.bincount(codes)
    order = rng.permutation(sizes.size)
    reached = np.r_[0, np.cumsum(sizes[order])]  # rows of the first 0, 1, … groups in that order
    places = np.argsort(order)[codes]
    rows = np.argsort(places, kind="stable")
    needed = np.append(np.cumsum(np.asarray(least)[::-1])[::-1], 0)
    cuts = [0]
    for k, end in enumerate(ends):
        first, last = cuts[-1] + least[k], sizes.size - needed[k + 1]
        nearest = int(np.argmin(np.abs(reached[first : last + 1] - end)))
        cuts.append(first + nearest)
    return [rows[reached[a] : reached[b]] for a, b in pairwise(cuts)]
