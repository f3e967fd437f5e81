r"""The variance of the targets, of which an error is a share: R² = 1 - R/V.

V is that of a target drawn from the population, so that of two targets of different draws half the
mean squared difference. With weights w of rows, draws g (a row, or a group of rows) of weight
:math:`W_g`, and S, :math:`S_g` the weighted sums of squares about the mean of all and of a draw,

.. math:: V = \frac{W S - \sum_g W_g S_g}{W^2 - \sum_g W_g^2},

which is S/(n - 1) for rows of weight one: unbiased, where the draws are few, too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.answer import TargetVariance
from sk_deepfeat.theory.units import units_of
from sk_deepfeat.theory.validation import FloatArray

_BLOCK_ENTRIES = 1_000_000


def target_variance(
    targets: FloatArray, weights: FloatArray, groups: NDArray[np.intp] | None = None
) -> TargetVariance:
    """Return the variance of the targets of some rows.

    Parameters
    ----------
    targets : ndarray of shape (n_rows, t)
        Times the square roots of the weights, about any centre.
    weights : ndarray of shape (n_rows,)
        Positive.
    groups : ndarray of int of shape (n_rows,), optional
        Which group each row is in, from 0 on; None: every row is a draw.

    Returns
    -------
    TargetVariance
        NaN where there are fewer than two draws.
    """
    step = max(_BLOCK_ENTRIES // max(len(targets), 1), 1)
    starts = range(0, targets.shape[1], step)
    blocks = [_of_outputs(targets[:, k : k + step], weights, groups) for k in starts]
    return TargetVariance(*map(np.concatenate, zip(*blocks, strict=True)))


def _of_outputs(
    targets: FloatArray, weights: FloatArray, groups: NDArray[np.intp] | None
) -> TargetVariance:
    units = units_of(np.abs(targets).max(axis=0))
    targets = targets / units
    root = np.sqrt(weights)
    total = float(weights.sum())
    centred = targets - np.multiply.outer(root, root @ targets / total)
    squares = np.square(centred)
    of_rows = squares.sum(axis=0)
    if groups is None:
        own, within, of_draws = weights, np.zeros_like(of_rows), squares
    else:
        own = np.asarray(np.bincount(groups, weights), dtype=np.float64)
        sums, of_draws = (_by_group(groups, part) for part in (root[:, None] * centred, squares))
        within = own @ of_draws - np.square(sums).sum(axis=0)  # W_g S_g, about each draw's own mean
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (total * of_rows - within) / (total**2 - np.square(own).sum())
        scatter = np.square(of_draws - np.multiply.outer(own, of_rows / total)).sum(axis=0)
        log_variance = scatter / np.square(of_rows)
    constant = of_rows <= _rounding(targets)
    return TargetVariance(
        np.where(constant, 0.0, np.maximum(variance, 0.0)) * units * units,
        np.where(constant, 0.0, log_variance),
    )


def _by_group(groups: NDArray[np.intp], values: FloatArray) -> FloatArray:
    return np.stack([np.bincount(groups, column) for column in values.T], axis=1)


def _rounding(targets: FloatArray) -> FloatArray:
    """Return sums of squares about the mean that are no more than the rounding of the targets."""
    return len(targets) * np.square(np.finfo(np.float64).eps) * np.square(targets).sum(axis=0)
