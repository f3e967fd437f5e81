"""What is measured of a refitted ridge: squared errors of numbers, or what is lost on classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight

from sk_deepfeat.theory import RowClasses
from sk_deepfeat.theory.one_sample.classes import tuning
from sk_deepfeat.theory.validation import FloatArray

# By the names of scikit-learn's scorers, what the errors of a curve are.
OF_CLASSES = {
    None: "error_rate",
    "accuracy": "error_rate",
    "balanced_accuracy": "balanced_error",
    "neg_log_loss": "log_loss",
    "neg_mean_squared_error": "mse",
}
OF_NUMBERS = {None: "mse", "neg_mean_squared_error": "mse"}


def metric_of(scoring: Any, *, classes: bool) -> str:
    """Return what errors a scorer's name asks for, or raise ValueError."""
    known = OF_CLASSES if classes else OF_NUMBERS
    if scoring is None or (isinstance(scoring, str) and scoring in known):
        return known[scoring]
    names = ", ".join(repr(name) for name in known)
    kind = "a classifier" if classes else "a regressor"
    raise ValueError(f"scoring={scoring!r} must be one of {names} for {kind}.")


def scoring_of(metric: str | None) -> str | None:
    """Return the scorer's name of what errors are; None stands for the usual one."""
    if metric is None:
        return None
    names = {found: name for name, found in OF_CLASSES.items() if name is not None}
    if not isinstance(metric, str) or metric not in names:
        raise ValueError(f"metric={metric!r} must be one of {', '.join(map(repr, names))}.")
    return names[metric]


@dataclass(frozen=True)
class SquaredErrors:
    """Of numbers, averaged over outputs."""

    metric = "mse"

    def targets(self, y: NDArray[Any]) -> tuple[FloatArray, FloatArray | None]:
        """Return what ridge is fitted to, shape (rows, t), and weights of the rows or None."""
        return y.reshape(len(y), -1), None

    def sums(
        self,
        predicted: FloatArray,
        y: NDArray[Any],
        trained_on: NDArray[Any],
        weights: FloatArray | None = None,
    ) -> FloatArray:
        """Return sums over rows, to be added over blocks.

        Parameters
        ----------
        predicted : ndarray of shape (rows, alphas * t)
            Those of each alpha side by side.
        y : ndarray of shape (rows, ...)
            Targets.
        trained_on : ndarray
            Targets of the training rows.
        weights : ndarray of shape (rows,), optional
            What rows count.
        """
        targets = y.reshape(len(y), -1)
        wanted = np.tile(targets, predicted.shape[1] // targets.shape[1])
        squares = np.square(predicted - wanted)
        return np.asarray(squares.sum(axis=0) if weights is None else weights @ squares)

    def means(
        self, sums: FloatArray, y: NDArray[Any], n_alphas: int, weights: FloatArray | None = None
    ) -> FloatArray:
        """Return the error at each alpha from the sums over all rows, of targets y."""
        total = len(y) if weights is None else weights.sum()
        return np.asarray((sums / total).reshape(n_alphas, -1).mean(axis=1))


SQUARED_ERRORS = SquaredErrors()


@dataclass(frozen=True)
class ClassLosses:
    """Of labels, of which ridge is fitted to codes -1 and 1.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    metric : {"error_rate", "balanced_error", "log_loss", "mse"}
        As of `DeterministicEquivalentRidgeClassifier`.
    class_weight : dict, "balanced" or None
        As of `sklearn.linear_model.RidgeClassifier`.
    """

    classes: NDArray[Any]
    metric: str
    class_weight: Any = None

    def targets(self, y: NDArray[Any]) -> tuple[FloatArray, FloatArray | None]:
        """Return codes and weights, as `SquaredErrors` does."""
        codes = RowClasses(self._number(y), self.classes.size).codes
        if self.class_weight is None:
            return codes, None
        balanced = isinstance(self.class_weight, str)
        known = np.unique(y) if balanced else self.classes
        of_class = compute_class_weight(self.class_weight, classes=known, y=y)
        weights = of_class[np.searchsorted(known, y)]
        return codes, weights if np.any(weights) else None

    def sums(
        self,
        predicted: FloatArray,
        y: NDArray[Any],
        trained_on: NDArray[Any],
        weights: FloatArray | None = None,
    ) -> FloatArray:
        """Return sums over the rows of each class, shape (n_classes, alphas)."""
        number, outputs = self._number(y), 1 if self.classes.size == 2 else self.classes.size
        scores = predicted.reshape(len(y), -1, outputs)
        if self.metric == "mse":
            codes = RowClasses(number, self.classes.size).codes
            losses = np.square(scores - codes[:, None]).mean(axis=-1)
        else:
            if outputs == 1:
                scores = np.concatenate([-scores, scores], axis=-1)
            losses = self._losses(scores, number, np.isin(self.classes, trained_on))
        if weights is not None:
            losses = losses * weights[:, None]
        return np.stack([losses[number == k].sum(axis=0) for k in range(self.classes.size)])

    def _losses(
        self, scores: FloatArray, number: NDArray[np.intp], trained: NDArray[np.bool_]
    ) -> FloatArray:
        """Return what is lost on each row at each alpha; a class without rows is not predicted."""
        if self.metric != "log_loss":
            found = np.where(trained, scores, -np.inf).argmax(axis=-1)
            return np.not_equal(found, number[:, None]).astype(np.float64)
        scores = scores / tuning.LOG_LOSS_TEMPERATURE
        own = np.take_along_axis(scores, number[:, None, None], axis=-1)
        largest = scores.max(axis=-1, keepdims=True)
        others = np.log(np.exp(scores - largest).sum(axis=-1))
        return np.asarray(others + (largest - own)[..., 0])

    def means(
        self, sums: FloatArray, y: NDArray[Any], n_alphas: int, weights: FloatArray | None = None
    ) -> FloatArray:
        """Return the error at each alpha, as `SquaredErrors` does."""
        counts = np.bincount(self._number(y), weights, minlength=self.classes.size)
        if self.metric == "balanced_error":
            there = counts > 0
            return np.asarray((sums[there] / counts[there, None]).mean(axis=0))
        return np.asarray(sums.sum(axis=0) / counts.sum())

    def _number(self, y: NDArray[Any]) -> NDArray[np.intp]:
        return np.searchsorted(self.classes, y)


Errors = SquaredErrors | ClassLosses
