"""Rows of outsize leverage or residual, and heavy tails of either."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.row_leverages import RowLeverages
from sk_deepfeat.theory.one_sample.tails import Tail, chi_tail, hill_tail, standing_apart


class Sizes(NamedTuple):
    """What `row_sizes` and `residual_sizes` found; at most one of the two."""

    outsize: NDArray[np.intp]
    """Rows that stand apart from the others, the largest first; empty if there are none."""
    times: float
    """Median size of these rows over that of all; NaN if there are none."""
    tail: Tail | None
    """Of the rows, if it is heavy."""


NO_SIZES = Sizes(np.empty(0, dtype=np.intp), np.nan, None)


def row_sizes(factorization: RidgeFactorization, leverages: RowLeverages) -> Sizes:
    """Say whether some rows are much larger than the others, or all have a heavy-tailed size.

    The size of a row is the lesser of two, each over its median: √Q_i, and the root mean square
    of its columns in units of their standard deviations; of tails, too, the lighter one counts.
    Rows of a size of their own have both. Where features are functions of few numbers, rows at the
    edge have the first alone; rows of strongly correlated columns may have the second.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set.
    leverages : RowLeverages
        Of its rows.

    Returns
    -------
    Sizes

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import ridge_factorization
    >>> from sk_deepfeat.theory.one_sample.row_leverages import row_leverages
    >>> from sk_deepfeat.theory.one_sample.row_sizes import row_sizes
    >>> X = np.random.default_rng(0).normal(size=(100, 20))
    >>> X[7] *= 10.0
    >>> factorization = ridge_factorization(X, X[:, 0])
    >>> row_sizes(factorization, row_leverages(factorization)).outsize
    array([7])
    """
    if factorization.n_rows < tuning.CAUSE_FEWEST_ROWS:
        return NO_SIZES
    plain = factorization.features.lengths()
    both = [size / max(float(np.median(size)), 1e-300) for size in (np.sqrt(leverages.q), plain)]
    size = np.minimum(*both)
    outsize = standing_apart(size)
    if outsize.size:
        return Sizes(outsize, float(np.median(size[outsize])), None)
    tail = min((hill_tail(each) for each in both), key=lambda each: each.inverse_index)
    return NO_SIZES._replace(tail=tail) if _is_heavy(tail, leverages) else NO_SIZES


def residual_sizes(leverages: RowLeverages) -> Sizes:
    """Say the same of residuals of rows left out: outliers of the targets, or heavy tails.

    Where leverages have heavy tails, so have residuals, and tell nothing of the targets; outliers
    then do if most of them have no leverage out of the common.

    Parameters
    ----------
    leverages : RowLeverages
        With the residuals of the rows when they are left out.

    Returns
    -------
    Sizes
        Of the first output that has either.
    """
    residuals = np.abs(leverages.residuals)
    n = len(residuals)
    if n < tuning.CAUSE_FEWEST_ROWS:
        return NO_SIZES
    usual = chi_tail(1.0, n)
    errors = np.sqrt(tuning.RESIDUAL_TAIL_ERRORS**2 + 2.0 * np.log(residuals.shape[1]))
    far = np.argsort(-leverages.q, kind="stable")[: int(tuning.TAIL_SHARE * n)]
    far_tail = _is_heavy(hill_tail(np.sqrt(leverages.q)), leverages)
    for column in residuals.T:
        middle = float(np.median(column))
        if middle <= 0:
            continue
        outsize = standing_apart(column)
        n_far = np.count_nonzero(np.isin(outsize, far))
        of_rows = far_tail and n_far > tuning.FAR_OUTLIERS * outsize.size
        if outsize.size and not of_rows:
            return Sizes(outsize, float(np.median(column[outsize])) / middle, None)
        tail = hill_tail(column)
        heavy = tail.inverse_index > usual.inverse_index + errors * usual.standard_error
        if heavy and not far_tail:
            return NO_SIZES._replace(tail=tail)
    return NO_SIZES


def _is_heavy(tail: Tail, leverages: RowLeverages) -> bool:
    """Say whether sizes of rows have a heavy tail, heavier than those of Gaussian rows."""
    usual = chi_tail(leverages.freedom, leverages.q.size).inverse_index
    least = max(1.0 / tuning.HEAVIEST_INDEX, tuning.TAIL_EXCESS * usual)
    return bool(tail.inverse_index > least)
