"""Features written block by block into an array that is given, such as a memory map."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm import tqdm

# Entries of a block of rows and features: some tens of megabytes in double precision.
_BLOCK_ENTRIES = 4_000_000
_LEAST_ROWS = 64


def transform_into(
    transform: Callable[[Any], Any], X: Any, out: Any, n_features: int, verbose: int = 0
) -> Any:
    """Write the features of all rows into `out`, and return it.

    Parameters
    ----------
    transform : callable
        Returns features of some rows.
    X : array of shape (n_samples, ...)
        With ``shape`` and slices of rows; read block by block.
    out : array of shape (n_samples, n_features)
        Of float32 or float64, with slices that can be written to.
    n_features : int
        Columns that `transform` returns.
    verbose : int, default=0
        Above 0, a bar tells how many rows are done.

    Returns
    -------
    array
        `out`.
    """
    if not hasattr(X, "shape") or not hasattr(X, "__getitem__"):
        X = np.asarray(X)
    shape = tuple(int(size) for size in X.shape)
    check_out(out, (shape[0], n_features))
    width = max(int(np.prod(shape[1:])), n_features, 1)
    step = max(_LEAST_ROWS, _BLOCK_ENTRIES // width)
    with tqdm(
        total=shape[0], unit=" rows", desc="transform", unit_scale=True, disable=not verbose
    ) as bar:
        for start in range(0, shape[0], step):
            stop = min(start + step, shape[0])
            block = X[start:stop]
            block = block if hasattr(block, "columns") else np.asarray(block)
            if len(block) != stop - start:
                raise ValueError(f"X ends early: rows {start} to {stop - 1} are {len(block)}.")
            try:
                out[start:stop] = transform(block)
            except ValueError as error:
                raise ValueError(f"Rows {start} to {stop - 1}: {error}") from error
            bar.update(stop - start)
    return out


def check_out(out: Any, wanted: tuple[int, int]) -> None:
    """Raise unless features of that shape can be written into `out`.

    Parameters
    ----------
    out : object
        Of the user.
    wanted : tuple of int
        Rows and columns.

    Raises
    ------
    TypeError, ValueError
        If it cannot hold them.
    OSError
        If it maps a file that has no room on its disk.
    """
    if not hasattr(out, "shape") or not hasattr(out, "__setitem__"):
        raise TypeError(
            f"out must be an array with shape and slices, such as a memmap; got "
            f"{type(out).__name__}."
        )
    if tuple(out.shape) != wanted:
        raise ValueError(f"out has shape {tuple(out.shape)}; these rows need {wanted}.")
    if np.dtype(out.dtype) not in (np.float32, np.float64):
        raise ValueError(f"out holds {out.dtype}; features are float32 or float64.")
    if isinstance(out, np.ndarray) and not out.flags.writeable:
        raise ValueError("out cannot be written to; open a memmap with mode='r+' or 'w+'.")
    if isinstance(out, np.memmap) and out.mode in ("r+", "w+") and out.filename is not None:
        _reserve(out.filename)


def _reserve(path: Any) -> None:
    """Take room for a file that may have holes: a page without room would end the process."""
    if not hasattr(os, "posix_fallocate"):
        return
    with open(path, "r+b") as stream:
        size = os.fstat(stream.fileno()).st_size
        try:
            os.posix_fallocate(stream.fileno(), 0, size)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                return  # the file system does not know how
            what = f"{error.strerror}: out needs {size:,} bytes; map a file on another disk"
            raise OSError(error.errno, what, str(path)) from error
