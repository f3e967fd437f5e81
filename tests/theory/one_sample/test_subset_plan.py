"""Which subsets are planned for what they may cost: none, everything, and something between."""

from types import SimpleNamespace

import numpy as np
import pytest
from samples import LinearPopulation, power_law

from sk_deepfeat.theory import leave_one_out_curve, ridge_factorization
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.subset_costs import (
    factorization_cost,
    is_half,
    subset_cost,
)
from sk_deepfeat.theory.one_sample.subset_plan import (
    _affordable,
    is_near_rank,
    plan_subsets,
    subset_sizes,
)

P, ROWS = 60, 400
POPULATION = LinearPopulation(power_law(P, 0.5), np.random.default_rng(7).normal(size=P), 0.5)


@pytest.fixture(scope="module")
def given():
    path = ridge_factorization(*POPULATION.sample(ROWS))
    return path, CurveEvaluator(leave_one_out_curve(path), fit_intercept=True)


def planned(given, monkeypatch, fine, operations, sizes=None):
    """The plan if so many operations are never too many, and no share of the factorisation is."""
    monkeypatch.setattr(tuning, "CORRECTION_COST" if fine else "CHECK_COST", (0.0, operations))
    sizes = subset_sizes(ROWS, P, fine=fine) if sizes is None else sizes
    return plan_subsets(*given, sizes, fine=fine, droppable=False)


def fewest_and_most(path, size, fine):
    of_large, near_rank, of_small = tuning.FEWEST_SUBSETS
    fewest = of_large if size > 0.2 * ROWS else of_small
    if is_near_rank(size, P):
        fewest = near_rank
    if is_half(path, size):
        fewest = 2
    most = tuning.MOST_SUBSETS[1 if size <= ROWS / 3 else 0] * (2 if fine else 1)
    return fewest, max(most, round(ROWS / (ROWS - size)))


@pytest.mark.parametrize("fine", [False, True])
def test_at_no_cost_the_fewest_subsets_and_alphas_at_any_cost_the_most(given, monkeypatch, fine):
    cheap, dear = (planned(given, monkeypatch, fine, cost) for cost in (0.0, 1e18))
    for least, most in zip(cheap, dear, strict=True):
        assert (least.n_subsets, most.n_subsets) == fewest_and_most(given[0], most.size, fine)
        count = min(12 if fine else 4, most.alpha.size)
        # The ends, and what is nearest to values of df1/n that lie evenly between them.
        wanted = np.linspace(most.df_ratio[0], most.df_ratio[-1], count)
        nearest = np.abs(most.df_ratio[:, None] - wanted).argmin(axis=0)
        expected = np.unique(np.r_[0, nearest[1:-1], most.alpha.size - 1])
        np.testing.assert_array_equal(least.alpha, most.alpha[expected])
        np.testing.assert_allclose(least.df_ratio, most.df_ratio[expected])
        assert np.all(np.diff(most.alpha) < 0) and np.all(np.diff(most.df_ratio) > 0)
    assert any(least.alpha.size < most.alpha.size for least, most in zip(cheap, dear, strict=True))


@pytest.mark.parametrize("fine", [False, True])
def test_what_is_spare_goes_where_a_subset_tells_most_for_its_cost(given, monkeypatch, fine):
    """One at a time: of noise σ²/(n K) + σ²/n₀, in units of the faults that are to be expected."""
    path, _ = given
    dear = planned(given, monkeypatch, fine, 1e18)
    cost = [subset_cost(path, each.size, each.alpha.size) for each in dear]
    bounds = [fewest_and_most(path, each.size, fine) for each in dear]
    whole = sum(most * one for (_, most), one in zip(bounds, cost, strict=True))
    budget = 0.6 * whole
    assert max(least * one for (least, _), one in zip(bounds, cost, strict=True)) < budget / 3.0
    counts = [least for least, _ in bounds]
    steps = [2 if is_half(path, each.size) else 1 for each in dear]
    near = [is_near_rank(each.size, P) for each in dear]

    def information(k, count):
        variance = 6.0 if near[k] else 1.0
        fault = (10.0 if fine else 25.0) if near[k] else 1.0
        return fault / (variance / (dear[k].size * count) + 1.0 / ROWS)

    spare = budget - sum(c * one for c, one in zip(counts, cost, strict=True))
    while True:
        gains = [
            (information(k, counts[k] + steps[k]) - information(k, counts[k]))
            / (steps[k] * cost[k])
            if counts[k] + steps[k] <= bounds[k][1]
            else 0.0
            for k in range(len(dear))
        ]
        best = int(np.argmax(gains))
        spare -= steps[best] * cost[best]
        if spare < 0 or gains[best] == 0:
            break
        counts[best] += steps[best]
    found = planned(given, monkeypatch, fine, budget)
    assert [each.n_subsets for each in found] == counts
    assert counts != [most for _, most in bounds] and counts != [least for least, _ in bounds]


def test_costs_rise_with_all_that_is_to_be_done():
    """Of rows, features, outputs and alphas; each alpha costs a factorisation of the subset's."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(300, 80)), rng.normal(size=(300, 40))
    path, of_one = ridge_factorization(X, Y), ridge_factorization(X, Y[:, 0])
    fewer = ridge_factorization(X[:200, :40], Y[:200, 0])
    for size in (20, 70, 120):
        costs = [subset_cost(of_one, size, count) for count in (1, 2, 4)]
        assert np.all(np.diff(costs) > 0)
        side = min(size, 80)
        assert costs[1] - costs[0] >= 0.5 * side**3
        assert subset_cost(path, size, 2) > subset_cost(of_one, size, 2)
        assert subset_cost(of_one, size, 2) > subset_cost(fewer, size, 2)
        assert subset_cost(of_one, size + 20, 2) > subset_cost(of_one, size, 2)
    assert factorization_cost(of_one) > factorization_cost(fewer)
    assert factorization_cost(of_one) >= 80**2 * 300
    blurred = ridge_factorization(X * np.geomspace(1.0, 1e-9, 80), Y[:, 0])
    assert subset_cost(blurred, 70, 2) > tuning.SUBSET_FIXED_COST + 30.0 * 70**2 * 80
    few = ridge_factorization(X, Y[:, :8])
    assert subset_cost(few, 70, 2) == subset_cost(of_one, 70, 2), "a few are measured alike"
    grouped = ridge_factorization(X, Y[:, 0], groups=np.arange(300) // 3)
    assert is_half(of_one, 150) and not is_half(of_one, 149) and not is_half(grouped, 150)
    assert subset_cost(of_one, 150, 2) < subset_cost(of_one, 149, 2) < subset_cost(grouped, 150, 2)


def of_sizes(*sizes):
    """Sizes of which each costs its square, however many subsets it has."""
    return [SimpleNamespace(size=n, least=2, count=2, one=0.5 * n**2) for n in sizes]


@pytest.mark.parametrize(
    ("sizes", "rank", "half", "gone"),
    [
        # Within an octave of its neighbours' sizes, furthest from the rank first; then the dearest.
        ([50, 70, 100, 141, 200, 400, 800], 300, 400, [70, 141, 800]),
        # Not half of the rows, nor what is near the rank, while there are others.
        ([50, 300, 400, 500, 650, 800], 900, 400, [500, 800]),
        ([50, 90, 130, 190, 400, 800], 120, 401, [400, 190]),
        # Without half of the rows the largest stays.
        ([10, 100, 1000, 10_000, 100_000], 3, 7, [10_000]),
    ],
)
def test_sizes_that_cost_too_much_go_one_by_one(sizes, rank, half, gone):
    left = list(sizes)
    for size in gone:
        cost = float(np.sum(np.square(left)))
        left.remove(size)
        found = _affordable(of_sizes(*sizes), cost - 1.0, rank, half)
        assert [each.size for each in found] == left
        assert [each.size for each in _affordable(of_sizes(*left), cost, rank, half)] == left
    if len(left) == tuning.FEWEST_SIZES:
        assert [each.size for each in _affordable(of_sizes(*sizes), 0.0, rank, half)] == left
    assert _affordable([], 0.0, rank, half) == []
