"""Columns in units that make their scales lie orders of magnitude apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization

# Less, in units of the largest scale, is rounding of a constant column.
_CONSTANT = 1e-12


class ColumnScales(NamedTuple):
    """What `column_scales` found."""

    ratio: float
    """Of the largest to the smallest standard deviation."""
    largest: NDArray[np.intp]
    """Columns, the largest first; as many as lie above the steepest fall, at most half."""
    smallest: int
    """The column of smallest standard deviation."""
    apart: bool
    """Whether they are apart in a way that no power law of a spectrum is."""


def column_scales(factorization: RidgeFactorization) -> ColumnScales:
    """Say whether standard deviations of columns fall by a thousand where their rank grows tenfold.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set.

    Returns
    -------
    ColumnScales

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import ridge_factorization
    >>> from sk_deepfeat.theory.one_sample.column_scales import column_scales
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1.0, 5000.0, 2.0]
    >>> found = column_scales(ridge_factorization(X, X[:, 0]))
    >>> found.apart, found.largest, found.smallest
    (True, array([1]), 0)
    """
    mean, squares = (part / factorization.n_rows for part in factorization.features.column_sums())
    scale = np.sqrt(np.maximum(squares - np.square(mean), 0.0))
    centre = np.abs(factorization.feature_mean)
    varies = scale > _CONSTANT * np.maximum(scale.max(initial=0.0), centre)
    columns = np.flatnonzero(varies)
    nothing = np.empty(0, dtype=np.intp)
    if columns.size < 2:
        return ColumnScales(1.0, nothing, 0, False)
    columns = columns[np.argsort(-scale[columns], kind="stable")]
    fallen = scale[columns]
    rank = np.arange(1, columns.size)
    later = np.minimum(tuning.SCALE_RANKS * rank, columns.size) - 1
    fall = fallen[rank - 1] / fallen[later]
    apart = bool(fall.max() >= tuning.SCALES_APART)
    steps = fallen[:-1] / fallen[1:]
    steepest = int(np.argmax(steps[: max(columns.size // 2, 1)])) + 1
    return ColumnScales(float(fallen[0] / fallen[-1]), columns[:steepest], int(columns[-1]), apart)
