"""What a network is trained to predict: numbers or classes, and with which loss."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets

LOSSES = ("auto", "squared_error", "log_loss")


class Targets(NamedTuple):
    """Targets in the form torch wants.

    Attributes
    ----------
    values : ndarray
        float32 of shape (n_samples, n_outputs) for numbers and class probabilities, int64 of shape
        (n_samples,) for the positions of classes in `classes`. Never 1-d for numbers: against an
        output of shape (n, 1) that would broadcast to (n, n).
    loss : {"squared_error", "log_loss"}
        Settled loss.
    n_outputs : int
        Outputs the network needs.
    classes : ndarray or None
        Sorted labels, for 1-d class targets.
    """

    values: NDArray[Any]
    loss: str
    n_outputs: int
    classes: NDArray[Any] | None


def encode_targets(y: NDArray[Any], loss: str) -> Targets:
    """Settle the loss and bring the targets into torch's form.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        1-d floats and 2-d numbers are numbers; 1-d strings, booleans and integers are classes.
    loss : {"auto", "squared_error", "log_loss"}
        "auto" decides by `y` as above; "squared_error" takes integers and booleans for numbers;
        "log_loss" takes 1-d whole numbers for classes and 2-d rows for class probabilities.

    Returns
    -------
    Targets

    Raises
    ------
    ValueError
        If `y` does not suit `loss`, or holds a single class.
    """
    y = _unboxed(y)
    loss = _settled(y, loss)
    numeric = y.dtype.kind in "biuf"
    if y.ndim == 2 and not numeric:
        raise ValueError(
            f"y of shape {y.shape} must be numeric, but has dtype {y.dtype}; give 1-d labels or "
            "one-hot columns."
        )
    if loss == "squared_error":
        return _numbers(y, numeric)
    return _probabilities(y) if y.ndim == 2 else _classes(y)


def encode_batch(y: NDArray[Any], targets: Targets) -> NDArray[Any]:
    """Bring the targets of some rows into the form of those of the whole.

    Parameters
    ----------
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Targets of a batch.
    targets : Targets
        Of all rows, by `encode_targets`.

    Returns
    -------
    ndarray
        As ``targets.values``.

    Raises
    ------
    ValueError
        If a label is none of the classes, or the number of outputs is another.
    """
    if targets.classes is not None and y.ndim == 1:
        positions = np.searchsorted(targets.classes, y).clip(max=len(targets.classes) - 1)
        unknown = targets.classes[positions] != y
        if unknown.any():
            raise ValueError(
                f"A batch has the target {y[unknown].tolist()[0]!r}, which is none of the "
                f"{len(targets.classes)} classes in the items of the data set."
            )
        return positions.astype(np.int64)
    values = y.astype(np.float32).reshape(len(y), -1)
    if targets.classes is not None or values.shape[1] != targets.n_outputs:
        raise ValueError(
            f"A batch has targets of shape {y.shape}, but the items of the data set have "
            f"{'labels' if targets.classes is not None else f'{targets.n_outputs} outputs'}."
        )
    return values


def are_classes(y: NDArray[Any], loss: str) -> bool:
    """Say whether `encode_targets` settles on cross-entropy; arguments as there."""
    return _settled(_unboxed(y), loss) == "log_loss"


def _unboxed(y: NDArray[Any]) -> NDArray[Any]:
    """Return floats in place of objects, unless there are strings among them."""
    if y.dtype.kind == "O" and not any(isinstance(value, str) for value in y.ravel()):
        try:
            return y.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Unknown label type: y holds objects of mixed kinds: {y!r}."
            ) from error
    return y


def _settled(y: NDArray[Any], loss: str) -> str:
    if loss != "auto":
        return loss
    return "squared_error" if y.ndim == 2 or y.dtype.kind == "f" else "log_loss"


def _numbers(y: NDArray[Any], numeric: bool) -> Targets:
    if not numeric:
        raise ValueError(
            f"loss='squared_error' needs numeric targets, but y has dtype {y.dtype}; "
            "use loss='log_loss' for labels."
        )
    with np.errstate(over="ignore"):
        values = y.astype(np.float32).reshape(len(y), -1)
    if np.any(np.isnan(values)):
        raise ValueError("Input y contains NaN or None; every row needs its target.")
    if not np.all(np.isfinite(values)):
        raise ValueError("y is too large for the float32 in which networks are trained; scale y.")
    return Targets(values, "squared_error", values.shape[1], None)


def _probabilities(y: NDArray[Any]) -> Targets:
    values = y.astype(np.float32)
    if values.min() < 0 or not np.allclose(values.sum(axis=1), 1.0, atol=1e-5):
        raise ValueError(
            "loss='log_loss' takes the rows of a 2-d y for class probabilities, but they are not "
            "all nonnegative with sum 1; use one-hot rows, 1-d labels or loss='squared_error'."
        )
    return Targets(values, "log_loss", values.shape[1], None)


def _classes(y: NDArray[Any]) -> Targets:
    check_classification_targets(y)
    classes, positions = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"y holds one class only, {classes.tolist()[0]!r}: there is nothing to learn. Give at "
            "least two classes, or max_epochs=0 for an untrained network."
        )
    return Targets(positions.astype(np.int64), "log_loss", len(classes), classes)
