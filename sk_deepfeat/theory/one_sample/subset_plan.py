"""Which subsets of a training set are worth measuring: sizes, values of df1/n, and how many.

The sizes halve from the rank of the features down, so that one of them is where ridge interpolates
for the first time, which is where the theory fails first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.row_groups import RowGroups
from sk_deepfeat.theory.validation import FloatArray


class PlannedSize(NamedTuple):
    """Subsets of one size, at A alphas."""

    size: int
    """Rows in each."""
    n_subsets: int
    df_ratio: FloatArray
    """df1/n that ridge leaves with so many rows, ascending, shape (A,)."""
    alpha: FloatArray
    """For weights of mean one, falling, shape (A,)."""


def subset_sizes(n_rows: int, rank: int, groups: RowGroups | None = None) -> list[int]:
    """Return the sizes of the subsets, ascending: rank times powers of two, or n_rows over them.

    Where rows come in groups, these are rounded to whole groups, two at least.
    """
    if rank == 0:
        return []
    largest = tuning.LARGEST_SUBSET_SHARE * n_rows
    if rank <= largest:
        top = rank * 2.0 ** np.floor(np.log2(largest / rank))
    else:
        top = n_rows / 2.0
    sizes = [int(top / 2**k) for k in range(tuning.SUBSET_SIZES_COUNT)]
    if groups is not None:
        counts = {round(size / groups.mean_size) for size in sizes}
        sizes = [round(n * groups.mean_size) for n in counts if 2 <= n < groups.n_groups]
    return sorted(size for size in sizes if size >= tuning.SMALLEST_SUBSET)


def is_near_rank(size: float, rank: int) -> bool:
    """Say whether subsets of that size interpolate for the first time."""
    return bool(abs(np.log(size / rank)) <= tuning.NEAR_RANK)


def plan_subsets(
    factorization: RidgeFactorization,
    evaluator: CurveEvaluator,
    sizes: list[int],
    *,
    fine: bool,
) -> list[PlannedSize]:
    """Return what to measure for each size.

    Parameters
    ----------
    factorization : RidgeFactorization
        The training set.
    evaluator : CurveEvaluator
        Of the same rows.
    sizes : list of int
        Rows in the subsets.
    fine : bool
        For a correction: twice as many alphas, without wide steps, and more subsets.

    Returns
    -------
    list of PlannedSize
    """
    rank = evaluator.curve.rank
    grid = df_ratio_grid(fine)
    planned = []
    for size in sizes:
        every = 1 if size <= tuning.FEW_DF_RATIOS_ABOVE_RANK * rank else 2
        df_ratio = grid[::-1][::every][::-1] * min(1.0, rank / size)
        alpha = evaluator.alpha_at_df_ratio(size, df_ratio)
        if fine:
            df_ratio, alpha = _fill_alpha_gaps(df_ratio, alpha)
        n_subsets = _worthwhile(factorization, rank, size, alpha.size, fine)
        planned.append(PlannedSize(size, n_subsets, df_ratio, alpha))
    return planned


def df_ratio_grid(fine: bool) -> FloatArray:
    """Return the values of df1/n of a check, or of a correction."""
    return np.array(tuning.SUBSET_DF_RATIOS_FINE if fine else tuning.SUBSET_DF_RATIOS)


def _fill_alpha_gaps(df_ratio: FloatArray, alpha: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Insert alphas, falling, until no step between neighbours is too wide; df1/n likewise.

    Where the spectrum has a gap, df1/n is the same over decades of alpha, while the theory's
    failure need not be: a line across the gap would carry it to where the theory holds.
    """
    known = np.log(alpha)[::-1]
    steps = np.ceil(np.diff(known) / np.log(tuning.WIDEST_ALPHA_STEP))
    pieces = [
        np.linspace(low, high, count, endpoint=False)
        for low, high, count in zip(
            known[:-1], known[1:], np.maximum(steps, 1.0).astype(int), strict=True
        )
    ]
    filled = np.concatenate([*pieces, known[-1:]])
    return np.interp(filled, known, df_ratio[::-1])[::-1], np.exp(filled)[::-1]


def _worthwhile(
    factorization: RidgeFactorization, rank: int, size: int, n_alphas: int, fine: bool
) -> int:
    """Return how many subsets of a size are worth their cost.

    Costs are counted as operations of matrix products, of which the slower parts take more.
    """
    small, large = sorted(factorization.features.shape)
    short, long = sorted((size, factorization.n_features))
    whole = 2.0 * small**2 * large + 11.0 * small**3
    one = 2.0 * short**2 * long + 0.75 * n_alphas * short**3
    one += tuning.SUBSET_ROW_COST * small * large
    large_for_least, large_for_most = (
        share * factorization.n_rows for share in tuning.LARGE_SUBSET_SHARES
    )
    of_large, near_rank, of_small = tuning.FEWEST_SUBSETS
    if is_near_rank(size, rank):
        least = near_rank
    else:
        least = of_large if size > large_for_least else of_small
    most = tuning.MOST_SUBSETS[int(size <= large_for_most)]
    share = 1.0 if fine else tuning.CHECK_COST_SHARE
    return int(np.clip(max(whole, tuning.CHEAP_OPERATIONS) * share / one, least + fine, most))
