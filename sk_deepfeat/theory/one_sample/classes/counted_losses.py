"""What fits on subsets of a training set lose on the rows outside them: errors and log-loss."""

from __future__ import annotations

import numpy as np

from sk_deepfeat.theory.one_sample.classes import tuning
from sk_deepfeat.theory.one_sample.classes.row_classes import RowClasses
from sk_deepfeat.theory.validation import FloatArray


class CountedLosses:
    """Shares of misclassified rows, and log-losses, of K subsets at A alphas.

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
        self._rows, self._sums = np.zeros(shape), np.zeros((2, *shape, n_alphas))
        for label in range(classes.n_classes):
            self._rows[label] = self._weights[classes.number == label].sum(axis=0)

    def add(self, rows: slice, predictions: FloatArray) -> None:
        """Count some rows, whose centred codes the fits predict, shape (rows, K, A, t)."""
        scores, number = predictions + self._mean, self._classes.number[rows]
        wrong = self._classes.wrong(scores, rows)
        if self._classes.n_outputs == 1:
            scores = np.concatenate([-scores, scores], axis=-1)
        own = np.take_along_axis(scores, number[:, None, None, None], axis=-1)
        margins = (scores - own) / tuning.LOG_LOSS_TEMPERATURE
        most = margins.max(axis=-1)
        log_loss = most + np.log(np.exp(margins - most[..., None]).sum(axis=-1))
        for label in np.unique(number):
            mine = number == label
            for sums, lost in zip(self._sums, (wrong, log_loss), strict=True):
                sums[label] += np.einsum("ik,ika->ka", self._weights[rows][mine], lost[mine])

    @property
    def means(self) -> FloatArray:
        """Over all rows that some subset leaves outside, shape (A, 2 (n_classes + 2))."""
        with np.errstate(invalid="ignore", divide="ignore"):
            by_class = self._sums.sum(axis=2) / self._rows.sum(axis=1)[:, None]
        return self._columns(by_class[:, :, None])[0]

    @property
    def scatter(self) -> FloatArray:
        """Relative standard deviation from subset to subset, in the same shape."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found = self._columns(self._sums / self._rows[..., None])
            scatter = found.std(axis=0, ddof=1) / found.mean(axis=0)
        return np.where(np.isfinite(scatter), scatter, 0.0)

    def _columns(self, by_class: FloatArray) -> FloatArray:
        """Put the mean over rows and that over classes beside each class, one loss after the other.

        From shape (2, n_classes, K, A) to (K, A, 2 (n_classes + 2)).
        """
        there = self._classes.share > 0
        known = np.where(np.isnan(by_class), 0.0, by_class)[:, there]
        mean = np.einsum("c,lcka->lka", self._classes.share[there], known)
        parts = [by_class, mean[:, None], known.mean(axis=1, keepdims=True)]
        stacked = np.concatenate(parts, axis=1)
        return np.moveaxis(stacked.reshape(-1, *stacked.shape[2:]), 0, -1)
