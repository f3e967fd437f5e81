"""Whether targets are numbers or look like classes, by the kind in which they are given."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.theory.validation import FloatArray

_KINDS = {"b": "booleans", "i": "integers", "u": "integers", "U": "strings", "S": "strings"}
_FEWEST_ROWS = 100  # of fewer, few distinct values are no sign of classes
_MOST_CLASSES = 20  # more, without a gap, are rather counts


def target_kind(y: Any) -> str:
    """Return what targets are given as, before a validation makes floats of them.

    Parameters
    ----------
    y : array-like
        Of any shape; columns of pandas included, whose integers and booleans may be nullable.

    Returns
    -------
    {"strings", "booleans", "integers", "numbers"}
        Of objects, strings where any is one, then booleans; integers where all are. What is none of
        these counts as numbers: whether it can be used is not asked here.

    Examples
    --------
    >>> from sk_deepfeat.rows import target_kind
    >>> target_kind([1, 2]), target_kind([1.0, 2.0]), target_kind([True, False])
    ('integers', 'numbers', 'booleans')
    """
    kind = getattr(getattr(y, "dtype", None), "kind", "O")
    if kind == "O":
        try:
            values = np.asarray(y)
        except ValueError as error:
            raise ValueError(
                "y must hold one number, or one row of as many numbers, for each row of X; its "
                "rows are of different lengths."
            ) from error
        kind = values.dtype.kind
        if kind == "O":
            return _kind_of_objects(values)
    return _KINDS.get(kind, "numbers")


def _kind_of_objects(values: Any) -> str:
    types = {type(value) for value in values.ravel()}
    if any(issubclass(kind, (str, bytes)) for kind in types):
        return "strings"
    if any(issubclass(kind, (bool, np.bool_)) for kind in types):
        return "booleans"
    whole = bool(types) and all(issubclass(kind, numbers.Integral) for kind in types)
    return "integers" if whole else "numbers"


def look_like_classes(kind: str, y: FloatArray) -> bool:
    """Say whether integers or booleans are few enough, and without a gap, to be classes.

    Parameters
    ----------
    kind : str
        From `target_kind`, of the targets as they were given.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        The same targets; several columns never do.
    """
    if kind not in ("integers", "booleans") or y.size != len(y) or y.size == 0:
        return False
    n_values = float(y.max()) - float(y.min()) + 1.0
    return bool(2 <= n_values <= _MOST_CLASSES and np.unique(y).size == n_values)


def warn_of_classes(kind: str, y: FloatArray) -> None:
    """Issue a `PopulationWarning` where a regressor is fitted on what looks like classes.

    That is a single column of at least 100 integers or booleans with 2 to 20 distinct values
    without a gap. Floats are always numbers.

    Parameters
    ----------
    kind : str
        From `target_kind`, of the targets as they were given.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        The same targets, validated, of the rows that count.
    """
    if len(y) < _FEWEST_ROWS or not look_like_classes(kind, y):
        return
    lowest, highest = y.min(), y.max()
    n_values = highest - lowest + 1.0
    warn_caller(
        f"y holds {kind} that look like classes: {int(n_values)} distinct values, from "
        f"{int(lowest)} to {int(highest)}. A regressor takes them for numbers, and predicts their "
        "squared error. For classes, and the rate of errors, take "
        "DeterministicEquivalentRidgeClassifier, or TwoStageClassifier where features are trained; "
        "if they are numbers, such as counts or grades, pass floats: y.astype(float)."
    )
