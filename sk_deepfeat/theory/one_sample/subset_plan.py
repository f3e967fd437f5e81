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
from sk_deepfeat.theory.one_sample.subset_costs import (
    factorization_cost,
    is_half,
    subset_cost,
)
from sk_deepfeat.theory.validation import FloatArray

# Sizes are whole numbers: an octave, and a little more. What is left of df1 at the ridgeless end.
_OCTAVE, _RIDGELESS = 2.1, 1.0 - 1e-4
_ROUNDING = 100.0 * np.finfo(float).eps
# A size that takes this part of what all may cost gets few alphas, in a check and in a correction.
_DEAR, _FEW_ALPHAS = 3.0, (4, 12)
_VARIANCE_NEAR_RANK, _FAULT_NEAR_RANK = 6.0, (25.0, 10.0)  # in a check, and in a correction


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
    all rows are added. What is nearest to half of the rows, but for the rank, is half of them.
    Where rows come in groups, sizes are rounded to whole groups, two at least.
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
    if groups is None and rank <= 0.5 * n_rows:  # the Gram matrices of two halves are at hand
        sizes = _with_half(sizes, 0.5 * n_rows, rank, log_step)
    sizes += [size for size in _near_all(n_rows, rank, fine) if _is_apart(size, sizes)]
    whole = {int(size + 1e-9) for size in sizes}
    if groups is not None:
        counts = {round(size / groups.mean_size) for size in whole}
        whole = {round(n * groups.mean_size) for n in counts if 2 <= n < groups.n_groups}
    return sorted(size for size in whole if tuning.SMALLEST_SUBSET <= size < n_rows - 1)


def _with_half(sizes: list[float], half: float, rank: int, log_step: float) -> list[float]:
    """Put half of the rows in place of what is nearest to it, but of the rank; else beside it."""
    nearest = min(sizes, key=lambda size: abs(np.log(half / size)))
    if abs(nearest - rank) > 0.5 and abs(np.log(half / nearest)) < 0.5 * log_step:
        return [half if size == nearest else size for size in sizes]
    return [*sizes, half] if _is_apart(half, sizes) else sizes


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


def plan_subsets(
    factorization: RidgeFactorization,
    evaluator: CurveEvaluator,
    sizes: list[int],
    *,
    fine: bool,
    droppable: bool = True,
) -> list[PlannedSize]:
    """Return what to measure for each size, within what it may cost.

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
    droppable : bool, default=True
        Whether sizes may be left out that cost too much.

    Returns
    -------
    list of PlannedSize
    """
    rank = evaluator.curve.rank
    share, floor = tuning.CORRECTION_COST if fine else tuning.CHECK_COST
    budget = share * factorization_cost(factorization) + floor
    wanted = [_Wanted(factorization, evaluator, rank, size, fine) for size in sizes]
    for each in wanted:
        if each.least * each.one > budget / _DEAR:
            each.thin(_FEW_ALPHAS[int(fine)])
    if droppable:
        wanted = _affordable(wanted, budget, rank, factorization.n_rows // 2)
    _spend(wanted, budget - _cost(wanted))
    return [each.planned() for each in wanted]


class _Wanted:
    """Subsets of one size before it is known how many there will be."""

    def __init__(
        self,
        factorization: RidgeFactorization,
        evaluator: CurveEvaluator,
        rank: int,
        size: int,
        fine: bool,
    ) -> None:
        self.size, self.factorization, self.evaluator = size, factorization, evaluator
        self.alpha = _alphas(factorization, evaluator, size, fine)
        n_rows = factorization.n_rows
        large_for_least, large_for_most = (n_rows * s for s in tuning.LARGE_SUBSET_SHARES)
        of_large, near_rank, of_small = tuning.FEWEST_SUBSETS
        self.least = of_large if size > large_for_least else of_small
        self.variance = self.fault = 1.0  # both squared
        if is_near_rank(size, rank):
            self.least = near_rank
            self.variance, self.fault = _VARIANCE_NEAR_RANK, _FAULT_NEAR_RANK[int(fine)]
        most = tuning.MOST_SUBSETS[int(size <= large_for_most)] * (2 if fine else 1)
        self.most = max(most, round(1.0 / (1.0 - size / n_rows)))  # all rows are outside once
        self.at_hand = 2 if is_half(factorization, size) else 0
        self.least = self.at_hand or self.least
        self.count = self.least

    @property
    def one(self) -> float:
        """What one subset costs."""
        return subset_cost(self.factorization, self.size, self.alpha.size)

    def thin(self, count: int) -> None:
        """Take so many alphas, both ends among them, where all of them would cost too much."""
        df_ratio = self.evaluator.df_ratio_at_alpha(self.size, self.alpha)
        wanted = np.linspace(df_ratio[0], df_ratio[-1], count)[1:-1]
        kept = {int(np.argmin(np.abs(df_ratio - value))) for value in wanted}
        self.alpha = self.alpha[sorted({0, *kept, self.alpha.size - 1})]

    @property
    def step(self) -> int:
        """How many subsets are added together: of an odd number, halves are none."""
        return 2 if self.at_hand else 1

    @property
    def gain(self) -> float:
        """What more subsets tell for each operation.

        A fault of the theory is seen in units of its noise: σ²/(n K) of K subsets of n rows, and
        σ²/n₀ of the theory, which rests on all of them. Near the rank σ is larger, and so are
        faults.
        """
        if self.count + self.step > self.most:
            return 0.0
        n_rows = self.factorization.n_rows
        seen = [1.0 / (self.variance / (self.size * k) + 1.0 / n_rows) for k in self._counts]
        return self.fault * (seen[1] - seen[0]) / (self.step * self.one)

    @property
    def _counts(self) -> tuple[int, int]:
        return self.count, self.count + self.step

    def planned(self) -> PlannedSize:
        """Return the plan."""
        df_ratio = self.evaluator.df_ratio_at_alpha(self.size, self.alpha)
        return PlannedSize(self.size, self.count, df_ratio, self.alpha)


def _spend(wanted: list[_Wanted], spare: float) -> None:
    """Add subsets where they tell most for what they cost."""
    while wanted:
        best = max(wanted, key=lambda each: each.gain)
        spare -= best.step * best.one
        if spare < 0.0 or best.gain <= 0.0:
            return
        best.count += best.step


def _cost(wanted: list[_Wanted]) -> float:
    return float(sum(each.count * each.one for each in wanted))


def _affordable(wanted: list[_Wanted], budget: float, rank: int, half: int) -> list[_Wanted]:
    """Leave out sizes while they cost too much.

    First those that lie within an octave between others, far from the rank, where errors bend
    little. Then the dearest go; never half of the rows, or without it the largest size.
    """
    kept = half if any(each.size == half for each in wanted) else wanted[-1].size if wanted else 0
    while len(wanted) > tuning.FEWEST_SIZES and _cost(wanted) > budget:
        inner = [each for each in wanted if each.size != kept]
        between = [
            each
            for below, each, above in zip(wanted, wanted[1:], wanted[2:], strict=False)
            if above.size <= _OCTAVE * below.size and each in inner
        ]
        between = [each for each in between if not is_near_rank(each.size, rank)]
        if between:
            least = max(between, key=lambda each: abs(np.log(each.size / rank)))
        else:
            least = max(inner, key=lambda each: each.least * each.one)
        wanted = [each for each in wanted if each is not least]
    return wanted


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
    most = min(1.0, lam.size / size)
    alphas = evaluator.alpha_at_df_ratio(size, df_ratio_grid(fine) * most)
    lowest = evaluator.lowest_alpha(size)
    if factorization.gram_is_enough:  # below the rounding of a Gram matrix alpha changes nothing
        lowest = max(lowest, _ROUNDING * float(lam[-1]) * size / factorization.n_rows)
    if not is_near_rank(size, lam.size) and size < lam.size:  # all that can be learned is
        lowest = max(lowest, float(evaluator.alpha_at_df_ratio(size, _RIDGELESS * most)))
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
