"""Rows on their way into torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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


class ShuffledBatches(torch.utils.data.Dataset):
    """Mini-batches in a new random order every epoch, gathered and cast whole.

    A last batch of one row joins the batch before: batch normalisation has no variance to divide
    one row by.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        Inputs.
    targets : Targets or None
        Targets; None if no batch will be asked for.
    batch_size : int or None
        Rows of a batch, None for all.
    """

    def __init__(self, X: NDArray[Any], targets: Targets | None, batch_size: int | None) -> None:
        self.X, self.targets = X, targets
        size = len(X) if batch_size is None else min(batch_size, len(X))
        self.starts = list(range(0, len(X), size))
        if len(self.starts) > 1 and size > 1 and len(X) - self.starts[-1] == 1:
            self.starts.pop()

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        assert self.targets is not None
        order = torch.randperm(len(self.X)).numpy()
        y = self.targets.values
        for rows in np.split(order, self.starts[1:]):
            yield to_tensor(self.X[rows], np.float32), to_tensor(y[rows], y.dtype)
