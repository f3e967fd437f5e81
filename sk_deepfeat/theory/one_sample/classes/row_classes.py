"""Which class each row of a training set is of, and how much it counts in an error rate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory.one_sample.row_groups import RowGroups
from sk_deepfeat.theory.validation import (
    FloatArray,
    any_array,
    check_flag,
    real_array,
    whole_number,
)

ALL_ROWS = slice(None)


class RowClasses:
    """Classes of rows.

    Ridge is fitted to codes of them: of two classes one column, -1 and 1, and of more one column
    each, 1 for its own rows and -1 for the others.

    Parameters
    ----------
    labels : array-like of int of shape (n_rows,)
        The class of each row, from 0 on.
    n_classes : int
        How many there are, two at least; some may have no rows.
    weights : array-like of shape (n_rows,), optional
        How much each row counts in an error rate; None is all alike. Weights that make up for rare
        classes in the fit do not belong here.
    balanced : bool, default=False
        Whether ridge gives all classes of a training set the same weight, whatever their numbers.

    Attributes
    ----------
    number : ndarray of shape (n_rows,)
        The class of each row.
    weights : ndarray of shape (n_rows,)
        Of sum one.
    share : ndarray of shape (n_classes,)
        Sum of the weights of each class.

    Examples
    --------
    >>> from sk_deepfeat.theory.one_sample.classes.row_classes import RowClasses
    >>> RowClasses([0, 1, 2, 1], 3).codes
    array([[ 1., -1., -1.],
           [-1.,  1., -1.],
           [-1., -1.,  1.],
           [-1.,  1., -1.]])
    """

    def __init__(
        self,
        labels: ArrayLike,
        n_classes: int,
        weights: ArrayLike | None = None,
        *,
        balanced: bool = False,
    ) -> None:
        n_classes = whole_number(n_classes, "n_classes", 2)
        given_labels = any_array(labels, "labels")
        if given_labels.ndim != 1 or given_labels.dtype.kind not in "iu":
            raise ValueError(f"labels={labels!r} must be one integer for each row.")
        self.number = given_labels.astype(np.intp)
        if self.number.size and not 0 <= self.number.min() <= self.number.max() < n_classes:
            raise ValueError(f"labels must lie between 0 and {n_classes - 1}.")
        given = np.ones(self.number.size) if weights is None else real_array(weights, "weights")
        positive = given.shape == self.number.shape and np.all((given >= 0) & np.isfinite(given))
        if not positive or not 0 < given.sum() < np.inf:
            raise ValueError("weights must be one for each row, finite and not negative.")
        self.weights: FloatArray = given / given.sum()
        self.n_classes, self.balanced = int(n_classes), check_flag(balanced, "balanced")
        self.share = self.sums(self.weights)
        self.counts: NDArray[np.intp] = np.bincount(self.number, minlength=self.n_classes)

    @property
    def n_outputs(self) -> int:
        """Columns of codes."""
        return 1 if self.n_classes == 2 else self.n_classes

    @property
    def codes(self) -> FloatArray:
        """What ridge is fitted to, shape (n_rows, n_outputs)."""
        codes = np.where(self.number[:, None] == np.arange(self.n_classes), 1.0, -1.0)
        return codes[:, 1:] if self.n_outputs == 1 else codes

    def sums(self, values: FloatArray) -> FloatArray:
        """Return the sums over the rows of each class, shape (n_classes,)."""
        return np.bincount(self.number, weights=values, minlength=self.n_classes).astype(np.float64)

    def means(self, values: FloatArray) -> FloatArray:
        """Return the weighted mean over the rows of each class, NaN of one without rows."""
        with np.errstate(invalid="ignore"):
            return self.sums(self.weights * values) / self.share

    def wrong(self, scores: FloatArray, rows: slice = ALL_ROWS) -> NDArray[np.bool_]:
        """Say which scores of some rows, (rows, ..., t), have another class than theirs predicted.

        As classifiers do: of two classes the second where its score is positive, of more the first
        of the largest scores.
        """
        number = self.number[rows].reshape(-1, *(1,) * (scores.ndim - 2))
        if self.n_outputs == 1:
            return np.asarray((scores[..., 0] > 0) != (number == 1))
        return np.asarray(scores.argmax(axis=-1) != number)

    def draws(self, groups: RowGroups | None) -> FloatArray:
        """Return how many draws of equal weight each class, all rows, and all rows again are.

        That is 1/Σ s² of the shares s that draws, rows or groups, have of the weight, (K + 2,).
        """
        shares = np.zeros((self.number.size, self.n_classes))
        shares[np.arange(self.number.size), self.number] = self.weights
        shares = shares if groups is None else groups.sums(shares)
        squares = np.r_[np.square(shares).sum(axis=0), *[np.square(shares.sum(axis=1)).sum()] * 2]
        total = np.r_[self.share, 1.0, 1.0]
        return np.divide(total**2, squares, out=np.zeros_like(squares), where=squares > 0)

    def some(self, rows: slice | NDArray[Any]) -> RowClasses:
        """Return the classes of some rows alone."""
        number, weights = self.number[rows], self.weights[rows]
        return RowClasses(number, self.n_classes, weights, balanced=self.balanced)
