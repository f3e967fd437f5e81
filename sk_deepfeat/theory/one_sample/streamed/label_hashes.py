"""Labels of groups as numbers that every process and every machine gives them alike."""

from __future__ import annotations

import numbers
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

# Changes which groups are kept, and that for everybody.
_SEED = b"sk_deepfeat"
_BYTES, _BITS_OF_FLOAT = 8, 53


def label_hashes(labels: Any, n_rows: int) -> Hashes:
    """Return 64 bits for every row, which depend on its label alone.

    As keys of a dictionary, 1 and 1.0 are one label, 1 and "1" are two.

    Parameters
    ----------
    labels : array-like of shape (n_rows,)
        Integers, strings or bytes, none of them missing.
    n_rows : int
        How many there must be.

    Returns
    -------
    ndarray of uint64 of shape (n_rows,)

    Raises
    ------
    ValueError
        If labels are missing, or not one for each row.
    TypeError
        If one is no integer, string or bytes.
    """
    array = _array(labels)
    if array.shape != (n_rows,):
        raise ValueError(
            f"groups must hold one label per row; got shape {array.shape} for {n_rows} rows."
        )
    if array.dtype.kind in "iubUS":
        distinct, number = np.unique(array, return_inverse=True)
        found = [_hash(label) for label in distinct.tolist()]
        return np.array(found, dtype=np.uint64)[number.ravel()]
    known: dict[Any, int] = {}
    found = []
    for row, label in enumerate(array.tolist()):
        whole = _whole(label, row)
        if whole not in known:
            known[whole] = _hash(whole)
        found.append(known[whole])
    return np.array(found, dtype=np.uint64)


def draws_of(hashes: Hashes) -> NDArray[np.float64]:
    """Return numbers in [0, 1) from hashes, uniform over labels."""
    high = hashes >> np.uint64(8 * _BYTES - _BITS_OF_FLOAT)
    return high.astype(np.float64) * 2.0**-_BITS_OF_FLOAT


def _array(labels: Any) -> NDArray[Any]:
    if isinstance(labels, (str, bytes)) or not hasattr(labels, "__len__"):
        raise ValueError(f"groups={labels!r} must be an array of one label per row.")
    if isinstance(labels, (list, tuple)):  # numpy would make strings of all, and axes of tuples
        array = np.empty(len(labels), dtype=object)
        for row, label in enumerate(labels):
            array[row] = label
        return array
    if isinstance(labels, np.ma.MaskedArray):
        return np.array(labels.tolist(), dtype=object)
    array = np.asarray(labels)
    if array.dtype.kind in "mM":
        raise TypeError(
            f"groups of {array.dtype} must be integers or strings where rows come in blocks: name "
            "groups by groups.astype(str)."
        )
    return array


def _whole(label: Any, row: int) -> Any:
    """Return a label as an integer, a string or bytes."""
    if isinstance(label, (str, bytes)):
        return label
    if isinstance(label, numbers.Integral):
        return int(label)
    if label is None or label is np.ma.masked or not _is_itself(label):
        raise ValueError(
            f"groups has a missing label, the first in row {row}: {label!r}. Drop these rows, or "
            "give each a label of its own if it is a group by itself."
        )
    if isinstance(label, float) and label.is_integer():
        return int(label)
    raise TypeError(
        f"groups[{row}]={label!r} must be an integer or a string where rows come in blocks: name "
        "groups by str(label)."
    )


def _is_itself(label: Any) -> bool:
    """Say whether a label is equal to itself, as NaN is not."""
    try:
        return bool(np.all(label == label))
    except (TypeError, ValueError):  # pandas' NA is neither
        return False


def _hash(label: Any) -> int:
    if isinstance(label, str):
        text = b"s" + label.encode("utf-8", "surrogatepass")
    else:
        text = b"b" + label if isinstance(label, bytes) else b"i%d" % label
    return int.from_bytes(blake2b(text, digest_size=_BYTES, person=_SEED).digest(), "big")
