"""Columns whose variance few rows carry: levels of a factor, bits of a fingerprint, rare words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.row_leverages import (
    RowLeverages,
    largest_rows,
    leverage_shares,
)

# Of values that are equal, centring and weights leave differences of rounding.
_EQUAL = 1e-9
_ROWS_OF_MEDIAN = 25


class RareColumns(NamedTuple):
    """What `rare_columns` found."""

    columns: NDArray[np.intp]
    """Those that are rare, the rarest first, shape (k,)."""
    n_rows: NDArray[np.intp]
    """Rows in which they differ from their most common value, shape (k,)."""
    share: float
    """Of the leverages of all rows, in these columns."""
    share_of_largest: float
    """Of the leverages of the rows that have the largest ones."""

    @property
    def named(self) -> bool:
        """Whether they matter to the fit."""
        return self.share >= tuning.RARE_LEVERAGE or self.explains

    @property
    def explains(self) -> bool:
        """Whether rows of large leverage have it from these columns."""
        return self.share_of_largest >= tuning.RARE_EXPLAINS


def rare_columns(factorization: RidgeFactorization, leverages: RowLeverages) -> RareColumns:
    """Find columns that differ from their most common value in few rows.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set.
    leverages : RowLeverages
        Of its rows.

    Returns
    -------
    RareColumns

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import ridge_factorization
    >>> from sk_deepfeat.theory.one_sample.rare_columns import rare_columns
    >>> from sk_deepfeat.theory.one_sample.row_leverages import row_leverages
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> X[:, 1] = np.arange(100) < 4
    >>> factorization = ridge_factorization(X, X[:, 0])
    >>> found = rare_columns(factorization, row_leverages(factorization))
    >>> found.columns, found.n_rows, found.explains
    (array([1]), array([4]), True)
    """
    count = _differing(factorization)
    few = np.flatnonzero((count > 0) & (count <= tuning.RARE_SHARE * factorization.n_rows))
    few = few[np.argsort(count[few], kind="stable")]
    if few.size == 0:
        return RareColumns(few, count[few], 0.0, 0.0)
    every = np.arange(factorization.n_rows)
    if every.size > tuning.LARGEST_ROWS:
        every = np.random.default_rng(0).choice(every, tuning.LARGEST_ROWS, replace=False)
    shares = (
        leverage_shares(factorization, leverages.ridge, rows, few)
        for rows in (every, largest_rows(leverages.q))
    )
    return RareColumns(few, count[few], *(float(share.mean()) for share in shares))


def _differing(factorization: RidgeFactorization) -> NDArray[np.intp]:
    """Return in how many rows each column differs from its most common value, if that is common.

    Where nine rows of ten have it, it is the median of any 25 rows: 13 others among them come once
    in ten million times.
    """
    some = np.random.default_rng(0).permutation(factorization.n_rows)[:_ROWS_OF_MEDIAN]
    return factorization.features.differing(some, _EQUAL)
