"""The data that a command is run on: digits, MNIST, or the user's own arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from sk_deepfeat.rows import check_groups, look_like_classes, target_kind

TASKS = ("auto", "classification", "regression")
_LEAST_ROWS = 200


class Data(NamedTuple):
    """Inputs of shape (n, p), numbers of shape (n,) or (n, t) or labels of shape (n,).

    The columns of a table have units of their own; the pixels of images share one. Groups are
    labels of shape (n,), or None.
    """

    X: NDArray[Any]
    y: NDArray[Any]
    is_table: bool
    groups: NDArray[Any] | None = None
    of_classes: bool = False


def load(
    name: str,
    data_home: str | None,
    option: str = "--data ",
    groups: str | None = None,
    task: str = "auto",
) -> Data:
    """Load what the user named.

    Parameters
    ----------
    name : str
        ``"digits"``, ``"mnist"``, or an .npz file with arrays X and y, X of two axes for a table
        and of more for images.
    data_home : str or None
        Folder that holds ``MNIST/raw``.
    option : str, default="--data "
        What stands before the name in messages.
    groups : str, optional
        Name of the array of the .npz file that holds a label for each row.
    task : {"auto", "classification", "regression"}, default="auto"
        What y is: "auto" takes strings, booleans, and integers of two values, or of at most 20
        without a gap, for classes. The parity of digits is -1.0 and 1.0, or of classes "even" and
        "odd".

    Returns
    -------
    Data

    Raises
    ------
    ValueError
        If there is no such data, or it cannot be used; the message names it.
    """
    if groups is not None and name in ("digits", "mnist"):
        raise ValueError(
            f"--groups {groups}: {name} has no groups; they are an array of an .npz file."
        )
    if name == "digits":
        digits = load_digits()
        return _of_parity(digits.data / 16.0, digits.target % 2 == 0, task)
    if name == "mnist":
        from sk_deepfeat.datasets import load_mnist_parity

        X, y = load_mnist_parity(data_home=data_home, return_X_y=True)
        return _of_parity(X, y > 0, task)
    path, named = Path(name), f"{option}{name}"
    if path.suffix != ".npz":
        raise ValueError(f"{option}{name!r} is not 'digits', 'mnist' or an .npz file.")
    X, y = _read(path, named)
    of_classes = task == "classification" or (task == "auto" and _are_classes(y))
    _check(X, y, named, of_classes)
    labels = None if groups is None else _read_groups(path, groups, len(X))
    targets = _as_labels(y, named) if of_classes else np.asarray(y, dtype=np.float64)
    return Data(X.reshape(len(X), -1), targets, X.ndim == 2, labels, of_classes)


def _of_parity(X: NDArray[Any], even: NDArray[np.bool_], task: str) -> Data:
    if task == "classification":
        return Data(X, np.where(even, "even", "odd"), False, of_classes=True)
    return Data(X, np.where(even, 1.0, -1.0), False)


def _are_classes(y: NDArray[Any]) -> bool:
    """Say whether targets are labels, or integers that look like them."""
    kind = target_kind(y)
    if y.ndim != 1 or kind == "numbers":
        return False
    if kind in ("strings", "booleans"):
        return True
    return np.unique(y).size == 2 or look_like_classes(kind, y)


def _as_labels(y: NDArray[Any], named: str) -> NDArray[Any]:
    """Return labels that no feature map takes for numbers."""
    if y.dtype.kind == "S":
        return y.astype(str)
    if y.dtype.kind != "f":
        return y
    if np.any(y != np.round(y)):
        raise ValueError(
            f"{named}: --task classification needs labels in y, but it holds numbers such as "
            f"{y[y != np.round(y)][0]:g}."
        )
    return y.astype(np.int64)


def _read(path: Path, named: str) -> tuple[NDArray[Any], NDArray[Any]]:
    if not path.is_file():
        raise ValueError(f"{named}: there is no such file.")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["X"], arrays["y"]
    except KeyError as error:
        raise ValueError(f"{named} must hold arrays named X and y.") from error
    except Exception as error:
        raise ValueError(f"{named} cannot be read as an .npz file: {error}") from error


def _read_groups(path: Path, name: str, n_rows: int) -> NDArray[Any]:
    """Return one label per row from a file that has been read before."""
    with np.load(path, allow_pickle=False) as arrays:
        if name not in arrays.files:
            raise ValueError(
                f"--groups {name}: {path} holds no such array, but {', '.join(arrays.files)}."
            )
        try:
            labels: NDArray[Any] = arrays[name]
        except ValueError as error:  # Python's objects are never unpickled
            raise ValueError(
                f"--groups {name}: the array holds Python's objects; save labels as numbers or "
                "strings, for example labels.astype(str)."
            ) from error
    try:
        check_groups(labels, n_rows, warn=False)
    except ValueError as error:
        raise ValueError(f"--groups {name}: {error}") from error
    return labels


def _check(X: NDArray[Any], y: NDArray[Any], named: str, of_classes: bool) -> None:
    if X.ndim < 2 or y.ndim not in ((1,) if of_classes else (1, 2)) or len(X) != len(y):
        raise ValueError(
            f"{named}: X needs one row per target; got shapes {X.shape} and {y.shape}."
        )
    kinds = "biufUS" if of_classes else "biuf"
    if X.dtype.kind not in "biuf" or y.dtype.kind not in kinds:
        raise ValueError(f"{named}: X and y must be real numbers.")
    if not (np.all(np.isfinite(X)) and (y.dtype.kind in "US" or np.all(np.isfinite(y)))):
        raise ValueError(f"{named}: X and y must be finite; there are NaN or infinite values.")
    if len(X) < _LEAST_ROWS:
        raise ValueError(f"{named} has {len(X)} rows; at least {_LEAST_ROWS} are needed.")
