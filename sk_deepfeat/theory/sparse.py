"""Sparse matrices of any format, as one format of one kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse


def is_sparse(values: Any) -> bool:
    """Say whether this is a sparse array or a sparse matrix of SciPy."""
    return bool(scipy.sparse.issparse(values))


def sparse_rows_of(values: Any, name: str) -> scipy.sparse.csr_array:
    """Return rows of sorted entries, none of them zero, none twice, in double precision.

    Parameters
    ----------
    values : sparse array or matrix
        Of any format. It stays as it is; where it has that form already, its memory is shared.
    name : str
        What messages call it.

    Returns
    -------
    csr_array

    Raises
    ------
    TypeError
        If entries are no real numbers.
    ValueError
        If it has not two axes.

    Examples
    --------
    >>> import scipy.sparse
    >>> from sk_deepfeat.theory.sparse import sparse_rows_of
    >>> twice = scipy.sparse.coo_array(([1, 2, 0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    >>> sparse_rows_of(twice, "X").data
    array([3.])
    """
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers; got {values.dtype} in a sparse matrix.")
    if values.ndim != 2:
        raise ValueError(f"{name} must have two axes; got shape {values.shape}.")
    if values.dtype != np.float64:  # before entries that come twice are added
        values = values.astype(np.float64)
    rows = scipy.sparse.csr_array(values)
    if not rows.has_canonical_format or not np.all(rows.data):
        rows = rows.copy()
        rows.sum_duplicates()
        rows.eliminate_zeros()
    return rows
