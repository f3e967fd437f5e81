"""When the weights are kept: epochs given by the user, steps of the optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def check_checkpoints(checkpoints: Any, max_epochs: int) -> tuple[float, ...]:
    """Return the checkpoints as floats.

    Parameters
    ----------
    checkpoints : None or sequence of float
        Epochs, fractions allowed, strictly increasing, in [0, max_epochs].
    max_epochs : int
        Length of the training.

    Returns
    -------
    tuple of float
        Empty for None.

    Raises
    ------
    TypeError
        If it is no sequence of numbers.
    ValueError
        If an epoch is out of range or not larger than the one before.
    """
    if checkpoints is None:
        return ()
    try:
        epochs = np.asarray(checkpoints)
    except ValueError:
        epochs = np.asarray(None)
    if epochs.ndim != 1 or (epochs.size and epochs.dtype.kind not in "iuf"):
        raise TypeError(
            f"checkpoints={checkpoints!r} must be None or a sequence of epochs, such as "
            "(0, 0.5, 1, 10)."
        )
    wrong = ~((epochs >= 0) & (epochs <= max_epochs))
    if wrong.any():
        raise ValueError(
            f"checkpoints={checkpoints!r} holds {epochs[wrong][0]!s}, which is not in "
            f"[0, max_epochs={max_epochs}]; raise max_epochs or drop it."
        )
    if np.any(np.diff(epochs.astype(np.float64)) <= 0):
        raise ValueError(f"checkpoints={checkpoints!r} must be strictly increasing; sort them.")
    return tuple(float(epoch) for epoch in epochs)


def nearest_steps(checkpoints: Sequence[float], steps_per_epoch: int) -> tuple[int, ...]:
    """Return the number of optimiser steps nearest to each checkpoint.

    Parameters
    ----------
    checkpoints : sequence of float
        Epochs.
    steps_per_epoch : int
        Optimiser steps in one epoch.

    Returns
    -------
    tuple of int

    Examples
    --------
    >>> from sk_deepfeat.feature_maps.checkpoints import nearest_steps
    >>> nearest_steps((0, 0.5, 2), steps_per_epoch=8)
    (0, 4, 16)
    """
    return tuple(int(np.floor(epoch * steps_per_epoch + 0.5)) for epoch in checkpoints)
