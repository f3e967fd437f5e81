"""Rows on their way into torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from sk_deepfeat.feature_maps.targets import Targets


def to_tensor(block: NDArray[Any], dtype: Any) -> torch.Tensor:
    """Return a copy of `block` as a tensor.

    Always a copy: an in-place operation on a tensor that shares memory with a read-only memory map
    ends the process.

    Parameters
    ----------
    block : ndarray
        Any numeric dtype.
    dtype : numpy dtype
        Wanted.

    Returns
    -------
    torch.Tensor
    """
    return torch.from_numpy(np.array(block, dtype=dtype, order="C", copy=True))


class Rows(Protocol):
    """Rows that can be read in batches, from an array or from a data set."""

    shape: tuple[int, ...]
    """Number of rows, and the shape of one."""
    dtype: np.dtype[Any]

    def head(self, n_rows: int) -> NDArray[Any]:
        """Return the first rows."""

    def batches(self, n_rows: int) -> Iterator[NDArray[Any]]:
        """Yield all rows in their order, about `n_rows` at a time."""

    def training_batches(self, targets: Targets, batch_size: int | None) -> Any:
        """Return sized batches of tensors of rows and targets, in a new order each time."""


class ArrayRows:
    """The rows of an array.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        Any numeric dtype.
    """

    def __init__(self, X: NDArray[Any]) -> None:
        self.X, self.shape, self.dtype = X, X.shape, X.dtype

    def head(self, n_rows: int) -> NDArray[Any]:
        """Return the first rows."""
        return self.X[:n_rows]

    def batches(self, n_rows: int) -> Iterator[NDArray[Any]]:
        """Yield all rows in their order, `n_rows` at a time."""
        for start in range(0, len(self.X), n_rows):
            yield self.X[start : start + n_rows]

    def training_batches(self, targets: Targets, batch_size: int | None) -> ShuffledBatches:
        """Return sized batches of tensors of rows and targets, in a new order each time."""
        return ShuffledBatches(self.X, targets, batch_size)


class ShuffledBatches(torch.utils.data.Dataset):
    """Mini-batches in a new random order every epoch, gathered and cast whole.

    A last batch of one row joins the batch before: batch normalisation has no variance to divide
    one row by.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...), or the like
        Inputs: sized, and rows are got by an array of their numbers.
    targets : Targets
        Targets.
    batch_size : int or None
        Rows of a batch, None for all.
    """

    def __init__(self, X: Any, targets: Targets, batch_size: int | None) -> None:
        self.X, self.y = X, targets.values
        size = len(X) if batch_size is None else min(batch_size, len(X))
        self.starts = list(range(0, len(X), size))
        if len(self.starts) > 1 and size > 1 and len(X) - self.starts[-1] == 1:
            self.starts.pop()

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        order = torch.randperm(len(self.X)).numpy()
        for rows in np.split(order, self.starts[1:]):
            yield to_tensor(self.X[rows], np.float32), to_tensor(self.y[rows], self.y.dtype)
