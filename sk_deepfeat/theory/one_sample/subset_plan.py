"""Which subsets of a training set are worth measuring: sizes, values of df1/n, and how many.

The sizes halve from the rank of the features down, so that one of them is where ridge interpolates
for the first time, which is where the theory fails first.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.row_groups import RowGroups
from sk_deepfeat.theory.one_sample.shifted_systems import MOST_CHOLESKY
from sk_deepfeat.theory.validation import FloatArray

# A singular value decomposition takes as many operations, in units of the smaller side cubed.
_OF_ROWS = 30.0


class PlannedSize(NamedTuple):
    """Subsets of one size, at A alphas."""

    size: int
    """Rows in each."""
    n_subsets: int
    df_ratio: FloatArray
    """df1/n that ridge leaves with so many rows, ascending, shape (A,)."""
    alpha: FloatArray
    """For weights of mean one, falling, shape (A,)."""


def subset_sizes(
    n_rows: int, rank: int, groups: RowGroups | None = None, *, fine: bool = False
) -> list[int]:
    """Return the sizes of the subsets, ascending: rank times powers of two, or n_rows over them.

    Where the rank is more than two fifths of the rows, one lies midway between it and all rows, if
    that leaves rows to measure on. For a correction, `fine`, powers are of √2, and two shares near
    all rows are added. Where rows come in groups, sizes are rounded to whole groups, two at least.
    """
    if rank == 0:
        return []
    log_step = np.log(2.0) / (tuning.FINE_STEPS_PER_OCTAVE if fine else 1)
    top, octaves = n_rows / np.exp(log_step), tuning.SUBSET_SIZES_COUNT - 1.0
    if rank <= tuning.LARGEST_SUBSET_SHARE * n_rows:
        above_rank = np.log(tuning.LARGEST_SUBSET_SHARE * n_rows / rank)
        top = rank * np.exp(log_step * np.floor(above_rank / log_step))
        if fine:  # down to where next to nothing is learned of so many directions
            octaves += np.log2(top / rank)
    steps = np.arange(int(octaves * np.log(2.0) / log_step + 0.5) + 1)
    sizes = list(top * np.exp(-log_step * steps))
    if fine and rank <= top * 1.01:  # closer together about the peak, which moves with the rank
        sizes += [rank * np.exp(shift * log_step) for shift in (-1.5, -0.5, 0.5)]
    sizes += [size for size in _near_all(n_rows, rank, fine) if _is_apart(size, sizes)]
    whole = {int(size + 1e-9) for size in sizes}
    if groups is not None:
        counts = {round(size / groups.mean_size) for size in whole}
        whole = {round(n * groups.mean_size) for n in counts if 2 <= n < groups.n_groups}
    return sorted(size for size in whole if tuning.SMALLEST_SUBSET <= size < n_rows - 1)


def _near_all(n_rows: int, rank: int, fine: bool) -> list[float]:
    """Return sizes between the largest halving and all rows, the most important first."""
    share, last = tuning.SUBSET_SHARES_NEAR_ALL
    if fine:
        return [last * n_rows, share * n_rows]
    beyond_peak = 0.5 * tuning.LARGEST_SUBSET_SHARE < rank / n_rows < last
    return [0.5 * (rank + n_rows)] if beyond_peak else []


def _is_apart(size: float, sizes: list[float]) -> bool:
    """Say whether a size lies a quarter of an octave from the others, or beyond them all."""
    nearest = min(abs(np.log2(size / other)) for other in sizes)
    return bool(size > max(sizes) * 1.05 or nearest > 0.25)


def is_near_rank(size: float, rank: int) -> bool:
    """Say whether subsets of that size interpolate for the first time."""
    return bool(abs(np.log(size / rank)) <= tuning.NEAR_RANK)


def is_cheap(factorization: RidgeFactorization) -> bool:
    """Say whether a factorisation, and so a closer look, takes a time that nobody waits for."""
    return _cost(factorization) <= tuning.CHEAP_OPERATIONS


def _cost(factorization: RidgeFactorization) -> float:
    """Return the operations of the factorisation."""
    small, large = sorted(factorization.features.shape)
    return 2.0 * small**2 * large + 11.0 * small**3


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
        For a correction: more alphas, closer together, and more subsets.

    Returns
    -------
    list of PlannedSize
    """
    rank = evaluator.curve.rank
    planned = []
    for size in sizes:
        alpha = _alphas(factorization, evaluator, size, fine)
        df_ratio = evaluator.df_ratio_at_alpha(size, alpha)
        n_subsets = _worthwhile(factorization, rank, size, alpha.size, fine)
        planned.append(PlannedSize(size, n_subsets, df_ratio, alpha))
    return planned


def df_ratio_grid(fine: bool) -> FloatArray:
    """Return the values of df1/n of a check, or of a correction."""
    return np.array(tuning.SUBSET_DF_RATIOS_FINE if fine else tuning.SUBSET_DF_RATIOS)


def _alphas(
    factorization: RidgeFactorization, evaluator: CurveEvaluator, size: int, fine: bool
) -> FloatArray:
    """Return the alphas of one size, falling: from little learned down to the ridgeless end.

    Where the spectrum has a gap, df1/n is the same over decades of alpha, while the theory's
    failure need not be: no step between neighbours is too wide.
    """
    lam = factorization.eigenvalues
    alphas = evaluator.alpha_at_df_ratio(size, df_ratio_grid(fine) * min(1.0, lam.size / size))
    lowest = evaluator.lowest_alpha(size)
    highest = float(lam.sum()) * size / factorization.n_rows
    ends = [lowest, max(highest, 2.0 * lowest)] if fine else [lowest]
    inside = alphas[(alphas > lowest) & (alphas < ends[-1])] if fine else alphas[alphas > lowest]
    known = np.unique(np.log([*ends, *inside]))
    widest = np.log(tuning.WIDEST_ALPHA_STEPS[int(fine)])
    pieces = [
        np.linspace(low, high, max(int(np.ceil((high - low) / widest)), 1), endpoint=False)
        for low, high in pairwise(known)
    ]
    return np.exp(np.concatenate([*pieces, known[-1:]]))[::-1]


def _worthwhile(
    factorization: RidgeFactorization, rank: int, size: int, n_alphas: int, fine: bool
) -> int:
    """Return how many subsets of a size are worth their cost.

    Costs are counted as operations of matrix products, of which the slower parts take more.
    """
    small, large = sorted(factorization.features.shape)
    short, long = sorted((size, factorization.n_features))
    whole = _cost(factorization)
    solving = 0.75 * min(n_alphas, MOST_CHOLESKY + 1) if factorization.gram_is_enough else _OF_ROWS
    one = 2.0 * short**2 * long + solving * short**3
    one += tuning.SUBSET_ROW_COST * small * large
    large_for_least, large_for_most = (
        share * factorization.n_rows for share in tuning.LARGE_SUBSET_SHARES
    )
    of_large, near_rank, of_small = tuning.FEWEST_SUBSETS
    if is_near_rank(size, rank):
        least = near_rank
    else:
        least = of_large if size > large_for_least else of_small
    most = tuning.MOST_SUBSETS[int(size <= large_for_most)] * (2 if fine else 1)
    most = max(most, round(1.0 / (1.0 - size / factorization.n_rows)))  # all rows are outside once
    share = 1.0 if fine else tuning.CHECK_COST_SHARE
    return int(np.clip(max(whole, tuning.CHEAP_OPERATIONS) * share / one, least + fine, most))
