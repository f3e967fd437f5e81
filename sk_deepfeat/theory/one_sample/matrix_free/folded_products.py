r"""Products with the smaller Gram matrix, of all rows and of all rows but a fold, side by side.

Ridge without fold k is ridge on the rows P_k M_k F, M_k a mask and P_k the projection that centres
by the mean of what is left. For a vector v of the smaller dimension, z = F v or z = F Fᵀ v; masked
and centred it goes on to the next step, and its entries in the fold, centred likewise, are what a
fit along v predicts for the rows that are left out: they come for nothing.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.validation import FloatArray


class Rows(Protocol):
    """Rows that can be multiplied: `CentredRows` and its like."""

    shape: tuple[int, int]

    def times(self, right: FloatArray) -> Any:
        """Return F @ right."""

    def transposed_times(self, left: FloatArray) -> Any:
        """Return Fᵀ @ left."""


class FoldedProducts:
    """Products with FᵀF, or with F Fᵀ if that is smaller, without a fold in the first columns.

    Parameters
    ----------
    rows : CentredRows or its like
        F, centred by the mean of all rows if `fit_intercept`, and multiplied by roots of weights.
    root : ndarray of shape (n_rows,)
        Those roots.
    fold : ndarray of int of shape (n_rows,)
        The fold of each row, from 0 to K - 1.
    fit_intercept : bool
        Whether fits centre by the means of their rows.
    """

    def __init__(
        self, rows: Rows, root: FloatArray, fold: IndexArray, *, fit_intercept: bool
    ) -> None:
        self.rows, self.root, self.fold, self.fit_intercept = rows, root, fold, fit_intercept
        self.n_folds = int(fold.max()) + 1
        self.dual = rows.shape[0] <= rows.shape[1]
        self._number = np.arange(fold.size)
        weights = np.square(root)
        self._total = float(weights.sum())
        self._kept = self._total - np.bincount(fold, weights=weights, minlength=self.n_folds)

    @property
    def dimension(self) -> int:
        """Size of the matrix, less one where it is of rows and an intercept takes a direction."""
        n, p = self.rows.shape
        return n - int(self.fit_intercept) if self.dual else p

    def probes(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Return orthogonal random vectors, of norm one, in the space in which rows vary."""
        size = self.rows.shape[0] if self.dual else self.rows.shape[1]
        drawn = rng.normal(size=(size, min(count, self.dimension)))
        if self.dual and self.fit_intercept:
            drawn -= self.root[:, None] * ((self.root @ drawn) / self._total)
        return np.asarray(np.linalg.qr(drawn)[0])

    def starts(self, targets: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return a start without each fold and one with all rows, and what is left out.

        Parameters
        ----------
        targets : ndarray of shape (n_rows,)
            One output, weighted, and centred with an intercept.

        Returns
        -------
        start : ndarray of shape (dimension of the matrix, K + 1)
            From it (matrix + ridge)⁻¹ makes the coefficients, of rows or of features.
        left_out : ndarray of shape (n_rows,)
            Targets of each row about the mean of all rows but its fold's.
        """
        values = np.repeat(targets[:, None], self.n_folds + 1, axis=1)
        left_out = self._leave_out(values, self.n_folds)
        return (values if self.dual else self.rows.transposed_times(values)), left_out

    def __call__(self, vectors: FloatArray, n_folds: int) -> tuple[FloatArray, FloatArray]:
        """Return the products, and what each row is predicted by the vector without its fold.

        Parameters
        ----------
        vectors : ndarray of shape (dimension of the matrix, C)
            The first `n_folds` are those without a fold.
        n_folds : int
            K, or none.

        Returns
        -------
        products : ndarray of the shape of `vectors`
        predicted : ndarray of shape (n_rows,)
        """
        along = self.rows.transposed_times(vectors) if self.dual else vectors
        values = self.rows.times(along)
        predicted = self._leave_out(values, n_folds)
        return (values if self.dual else self.rows.transposed_times(values)), predicted

    def _leave_out(self, values: FloatArray, n_folds: int) -> FloatArray:
        """Centre and mask columns in place; return what they were, centred, where masked."""
        if self.fit_intercept:
            along = self.root @ values
            mean = along / self._total
            if n_folds:
                mine = self.root * values[self._number, self.fold]
                masked = np.bincount(self.fold, weights=mine, minlength=n_folds)
                mean[:n_folds] = (along[:n_folds] - masked) / self._kept
            values -= self.root[:, None] * mean
        if not n_folds:
            return np.empty(0)
        left_out = values[self._number, self.fold]
        values[self._number, self.fold] = 0.0
        return left_out
