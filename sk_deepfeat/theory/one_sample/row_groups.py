"""Which rows of a training set belong together: draws come by groups, not by rows."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory.validation import FloatArray, any_array

IndexArray = NDArray[np.intp]


class RowGroups:
    """A partition of rows into groups.

    Parameters
    ----------
    labels : array-like of shape (n_rows,)
        Integers, or others that can be sorted; rows of one label are a group.

    Attributes
    ----------
    number : ndarray of shape (n_rows,)
        Which group each row is in, from 0 on.
    sizes : ndarray of shape (n_groups,)
        Rows of each.

    Raises
    ------
    TypeError
        If the labels cannot be sorted, or are no array.
    """

    def __init__(self, labels: ArrayLike) -> None:
        given = any_array(labels, "labels")
        try:
            self.number = np.unique(given, return_inverse=True)[1].ravel()
        except TypeError as error:
            raise TypeError(f"labels must be of one kind; got {reprlib.repr(labels)}.") from error
        self.sizes = np.bincount(self.number)

    @property
    def n_groups(self) -> int:
        """How many there are."""
        return self.sizes.size

    @property
    def mean_size(self) -> float:
        """Rows of a group, on average."""
        return float(self.number.size / self.n_groups)

    @cached_property
    def _order(self) -> IndexArray:
        return np.argsort(self.number, kind="stable")

    @cached_property
    def _starts(self) -> IndexArray:
        return np.r_[0, np.cumsum(self.sizes)[:-1]]

    def rows(self, groups: ArrayLike) -> IndexArray:
        """Return the rows of some groups, group by group."""
        wanted = np.atleast_1d(np.asarray(groups))
        return np.concatenate([self._rows_of(g) for g in wanted])

    def _rows_of(self, group: int) -> IndexArray:
        start = self._starts[group]
        return self._order[start : start + self.sizes[group]]

    def batches(self, most_groups: dict[int, int]) -> Iterator[tuple[IndexArray, IndexArray]]:
        """Yield groups of one size together: their numbers (B,), and their rows (B, size).

        Parameters
        ----------
        most_groups : dict
            For each size, how many groups a batch may hold.
        """
        for size in np.unique(self.sizes):
            same = np.flatnonzero(self.sizes == size)
            step = max(1, most_groups[int(size)])
            for first in range(0, same.size, step):
                some = same[first : first + step]
                yield some, self._order[self._starts[some][:, None] + np.arange(size)]

    def blocks(self, n_blocks: int) -> IndexArray:
        """Deal the groups to blocks of nearly as many rows each; return the block of each group.

        From the largest group down, each goes to the block with the fewest rows so far.
        """
        block, load = np.zeros(self.n_groups, dtype=np.intp), np.zeros(n_blocks)
        for group in np.argsort(-self.sizes, kind="stable"):
            emptiest = int(np.argmin(load))
            block[group] = emptiest
            load[emptiest] += self.sizes[group]
        return block

    def sums(self, values: FloatArray) -> FloatArray:
        """Return the sum of `values` (n_rows, ...) over the rows of each group, (n_groups, ...)."""
        return np.asarray(np.add.reduceat(values[self._order], self._starts))


def check_labels(groups: ArrayLike, n_rows: int) -> NDArray[Any]:
    """Return one integer for each row, of two groups at least, or raise ValueError."""
    labels = any_array(groups, "groups")
    if labels.shape != (n_rows,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"groups must hold one integer per row; got {labels.dtype} of shape {labels.shape} for "
            f"{n_rows} rows."
        )
    if np.all(labels == labels[0]):
        raise ValueError(
            "groups must hold at least two different groups of positive weight; got one: without "
            "another group nothing shows the error on a new one."
        )
    return labels
