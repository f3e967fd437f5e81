"""Rows that fits on subsets of a training set misclassify, counted on the rows outside them."""

from __future__ import annotations

import numpy as np

from sk_deepfeat.theory.one_sample.classes.row_classes import RowClasses
from sk_deepfeat.theory.validation import FloatArray


class CountedErrors:
    """Shares of misclassified rows, of K subsets at A alphas.

    Parameters
    ----------
    classes : RowClasses
        Of all rows.
    target_mean : ndarray of shape (t,)
        What was subtracted from the codes.
    outside : ndarray of shape (n_rows, K)
        One where a row is outside a subset, else zero.
    n_alphas : int
        A.
    """

    def __init__(
        self, classes: RowClasses, target_mean: FloatArray, outside: FloatArray, n_alphas: int
    ) -> None:
        self._classes, self._mean = classes, target_mean
        self._weights = outside * classes.weights[:, None]
        shape = (classes.n_classes, outside.shape[1])
        self._rows, self._wrong = np.zeros(shape), np.zeros((*shape, n_alphas))
        for label in range(classes.n_classes):
            self._rows[label] = self._weights[classes.number == label].sum(axis=0)

    def add(self, rows: slice, predictions: FloatArray) -> None:
        """Count some rows, whose centred codes the fits predict, shape (rows, K, A, t)."""
        wrong = self._classes.wrong(predictions + self._mean, rows)
        number = self._classes.number[rows]
        for label in np.unique(number):
            mine = number == label
            self._wrong[label] += np.einsum("ik,ika->ka", self._weights[rows][mine], wrong[mine])

    @property
    def rate(self) -> FloatArray:
        """Over all rows that some subset leaves outside, shape (A, n_classes + 2)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            by_class = self._wrong.sum(axis=1) / self._rows.sum(axis=1)[:, None]
        return self._columns(by_class[:, None])[0]

    @property
    def scatter(self) -> FloatArray:
        """Relative standard deviation from subset to subset, in the same shape."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found = self._columns(self._wrong / self._rows[..., None])
            scatter = found.std(axis=0, ddof=1) / found.mean(axis=0)
        return np.where(np.isfinite(scatter), scatter, 0.0)

    def _columns(self, by_class: FloatArray) -> FloatArray:
        """Put the mean over rows and that over classes beside each class, (K, A, n_classes + 2)."""
        there = self._classes.share > 0
        known = np.where(np.isnan(by_class), 0.0, by_class)[there]
        mean = np.einsum("c,cka->ka", self._classes.share[there], known)
        stacked = np.concatenate([by_class, mean[None], known.mean(axis=0)[None]])
        return np.moveaxis(stacked, 0, -1)
