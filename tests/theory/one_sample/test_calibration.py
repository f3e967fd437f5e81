from functools import partial

import numpy as np
import pytest
from samples import (
    LinearPopulation,
    clustered_rows,
    elliptical_rows,
    gaussian_rows,
    near_duplicate_rows,
    power_law,
)
from scipy.stats import norm

from sk_deepfeat.theory import (
    Calibration,
    CalibrationSize,
    RowGroups,
    calibrate,
    leave_one_out_curve,
    leave_one_out_curves,
    ridge_factorization,
    subset_errors,
)
from sk_deepfeat.theory.interpolation import interp_log
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.measured_surface import MeasuredSurface
from sk_deepfeat.theory.one_sample.subset_costs import factorization_cost, subset_cost
from sk_deepfeat.theory.one_sample.subset_plan import plan_subsets, subset_sizes

P = 60
COEFS = np.random.default_rng(7).normal(size=P)
ROWS = {
    "gaussian": gaussian_rows,
    "unequal": partial(elliptical_rows, tail=0.5),
    "clusters": partial(clustered_rows, n_clusters=50),
    "near-duplicates": near_duplicate_rows,
}


def sample(n, kind, seed=0):
    return LinearPopulation(power_law(P, 0.5), COEFS, 0.5, rows=ROWS[kind]).sample(n, seed)


def calibrated(n, kind, seed=0):
    path = ridge_factorization(*sample(n, kind, seed))
    curve = leave_one_out_curve(path)
    return curve, calibrate(path, curve)


@pytest.mark.parametrize("kind", ["gaussian", "unequal"])
@pytest.mark.parametrize("n", [100, 400])
def test_check_is_silent_where_the_theory_holds(kind, n):
    assert [calibrated(n, kind, seed)[1].disagreement for seed in range(5)] == [0.0] * 5


@pytest.mark.parametrize("kind", ["clusters", "near-duplicates"])
def test_check_fires_where_rows_come_in_groups(kind):
    assert all(calibrated(400, kind, seed)[1].disagreement > 0.1 for seed in range(5))


def test_standard_errors_are_those_of_repetition():
    """The spread of C over training sets, Gaussian rows: it is noise, and as large as it says."""
    found = [calibrated(400, "gaussian", seed)[1] for seed in range(12)]
    z = [
        (at_size.log_ratio / at_size.standard_error).ravel()
        for calibration in found
        for at_size in calibration.sizes
    ]
    assert 0.4 < np.sqrt(np.mean(np.square(np.concatenate(z)))) < 1.3


@pytest.mark.parametrize(
    ("n_rows", "rank", "sizes"),
    [
        (1000, 100, [25, 50, 100, 200, 500, 800]),
        (1000, 700, [21, 43, 87, 175, 350, 700, 850]),
        (1000, 950, [15, 31, 62, 125, 250, 500]),
        (40, 40, [20]),
        (20, 5, []),
    ],
)
def test_subset_sizes(n_rows, rank, sizes):
    assert subset_sizes(n_rows, rank) == sizes


@pytest.mark.parametrize(
    ("n_rows", "rank", "sizes"),
    [
        (1000, 100, [12, 17, 25, 35, 50, 59, 70, 84, 100, 118, 141, 200, 282, 400, 500, 800, 900]),
        (1000, 950, [22, 31, 44, 62, 88, 125, 176, 250, 353, 500, 707, 900]),
        (40, 40, [14, 20, 28, 36]),
    ],
)
def test_sizes_of_a_correction_are_half_as_far_apart_and_come_near_all_rows(n_rows, rank, sizes):
    assert subset_sizes(n_rows, rank, fine=True) == sizes


def test_what_a_check_and_a_correction_cost_is_bounded(monkeypatch):
    """Many rows: the dearest sizes go first, half of the rows stays."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 300))
    path = ridge_factorization(X, X[:, 0] + rng.normal(size=2000))
    evaluator = CurveEvaluator(leave_one_out_curve(path), fit_intercept=True)
    for fine in (False, True):
        share, _ = tuning.CORRECTION_COST if fine else tuning.CHECK_COST
        name = "CORRECTION_COST" if fine else "CHECK_COST"
        sizes = subset_sizes(2000, 300, fine=fine)
        costs, counts = [], []
        for floor in (0.0, 1e12):
            monkeypatch.setattr(tuning, name, (share, floor))
            plan = plan_subsets(path, evaluator, sizes, fine=fine)
            kept = [each.size for each in plan]
            assert kept == sorted(kept) and 1000 in kept
            one = [subset_cost(path, each.size, each.alpha.size) for each in plan]
            costs.append(sum(each.n_subsets * c for each, c in zip(plan, one, strict=True)))
            counts.append(len(kept))
            assert all(each.df_ratio.shape == each.alpha.shape for each in plan)
        assert kept == sizes and costs[0] < costs[1]
        assert costs[0] <= share * factorization_cost(path) or counts[0] == tuning.FEWEST_SIZES
        # Sizes that a user names are measured, whatever they cost.
        asked = plan_subsets(path, evaluator, [299, 301, 1700], fine=fine, droppable=False)
        assert [each.size for each in asked] == [299, 301, 1700]


@pytest.mark.parametrize(
    ("group_size", "sizes"),
    [(1, [12, 25, 50, 100]), (6, [12, 24, 47, 100]), (40, [80]), (100, [])],
)
def test_subsets_of_groups_are_two_groups_at_least(group_size, sizes):
    groups = RowGroups(np.arange(200) // group_size)  # of 6, 34 groups of 5.88 rows on average
    assert subset_sizes(200, 190, groups) == sizes


def test_too_few_rows_or_no_features_are_not_calibrated():
    path = ridge_factorization(*sample(12, "gaussian"))
    assert calibrate(path, leave_one_out_curve(path)).sizes == ()
    path = ridge_factorization(np.ones((50, 2)), np.arange(50.0))
    calibration = calibrate(path, leave_one_out_curve(path))
    assert calibration.sizes == () and calibration.disagreement == 0.0


def test_targets_without_noise():
    """Errors near rounding give no number that is not finite."""
    X, _ = sample(200, "gaussian")
    path = ridge_factorization(X, X @ COEFS)
    for at_size in calibrate(path, leave_one_out_curve(path)).sizes:
        assert np.isfinite(at_size.log_ratio).all() and np.isfinite(at_size.standard_error).all()


def test_a_correction_does_not_reach_across_a_gap_of_the_spectrum(monkeypatch):
    """Twenty strong directions and forty that few rows show: df1 is flat for decades of alpha.

    There the theory fails at the smallest alphas alone, and a line from there to the next value of
    df1 would correct by several per cent where nothing is wrong. Many subsets, for little noise.
    """
    monkeypatch.setattr(tuning, "CORRECTION_COST", (4.0, 5e10))
    rng = np.random.default_rng(2)
    strong = 30.0 * rng.normal(size=(800, 20))
    rare = 0.003 * rng.standard_t(2, size=(800, 40)) * (rng.random((800, 40)) < 0.02)
    X = np.hstack([strong, rare])
    y = 0.01 * strong.sum(axis=1) + 0.5 * rng.normal(size=800)
    path = ridge_factorization(X, y)
    curve, _ = leave_one_out_curves(path)
    calibration = calibrate(path, curve, fine=True)
    assert calibration.disagreement > 0.1
    for at_size in calibration.sizes:
        assert np.diff(at_size.log_alpha).max() < np.log(4.0) + 1e-9
    alpha = np.array([1e-2, 1.0, 100.0])
    evaluator = CurveEvaluator(curve, fit_intercept=True)
    size = np.full(3, 200.0)
    found = MeasuredSurface(calibration, evaluator).errors(size, alpha).log_error
    assert np.abs(found - np.log(evaluator.test_error(size, alpha))).max() < 0.005
    coarse = calibrate(path, curve)
    assert max(np.diff(at_size.log_alpha).max() for at_size in coarse.sizes) > np.log(100.0)


def test_the_check_looks_at_the_ridgeless_end():
    path = ridge_factorization(*sample(400, "clusters"))
    curve = leave_one_out_curve(path)
    evaluator = CurveEvaluator(curve, fit_intercept=True)
    for at_size in calibrate(path, curve).sizes:
        lowest = np.exp(at_size.log_alpha[0])
        if at_size.size > 0.6 * curve.rank:  # below, nearly all that can be learned is
            rounding = 100 * np.finfo(float).eps * path.eigenvalues[-1] * at_size.size / 400
            expected = max(evaluator.lowest_alpha(at_size.size), rounding)
            assert lowest == pytest.approx(expected, rel=1e-9)
        error, less = (
            evaluator.test_error(np.array([at_size.size]), np.array([alpha]))
            for alpha in (lowest, 1e-3 * lowest)
        )
        np.testing.assert_allclose(error, less, rtol=1e-3)


def failing(*sizes, z=5.0, rank=100):
    """A calibration of the given sizes, each a tenth off by z standard errors."""
    one, ratio = np.ones((1, 1)), np.full((1, 1), 0.1)
    error, no = ratio / z, np.zeros(1, dtype=bool)
    found = (
        CalibrationSize(size, 4, np.zeros(1), one, one, ratio, error, error, error, no)
        for size in sizes
    )
    return Calibration(tuple(found), 1000, rank, np.array([0.5]), one)


def test_one_size_at_four_standard_errors_or_two_at_three_fail_the_check():
    assert failing(400).disagreement == pytest.approx(0.1)
    assert failing(400, z=3.5).disagreement == 0.0
    assert failing(200, 400, z=3.5).disagreement == pytest.approx(0.1)
    assert failing(200, 400, z=2.5).disagreement == 0.0


def test_alphas_far_below_the_best_call_for_a_closer_look_alone():
    """A fault there is measured, and takes over; the verdict is on alphas that somebody may use."""
    alpha = np.array([1e-6, 1e-3, 1.0])
    measured = np.array([[2.0], [1.5], [1.0]])
    for place, failed in ((0, False), (1, True), (2, True)):
        ratio, error = np.zeros((3, 1)), np.full((3, 1), 0.01)
        ratio[place] = 0.5
        predicted = measured * np.exp(-ratio)
        each = (measured, predicted, ratio, error, error, error, np.zeros(3, dtype=bool))
        found = CalibrationSize(400, 4, np.log(alpha), *each)
        calibration = Calibration((found,), 1000, 100, np.array([0.5]), np.ones((1, 1)))
        assert calibration.suspicious
        assert calibration.disagreement == (0.5 if failed else 0.0)
        pole = found._replace(at_pole=np.ones(3, dtype=bool))
        assert calibration._replace(sizes=(pole,)).disagreement == 0.0


def test_the_size_of_the_rank_counts_beside_another_only():
    assert failing(100).disagreement == failing(130).disagreement == 0.0
    # Four subsets tell their scatter badly: Student's t has its quantile at three times as much.
    assert failing(100, z=12.0).suspicious and not failing(100, z=8.0).suspicious
    assert failing(400, z=3.5).suspicious and not failing(400, z=2.5).suspicious
    assert failing(100, 400).disagreement == pytest.approx(0.1)
    assert failing(170).disagreement == pytest.approx(0.1), "beyond a factor of e^0.5"


def test_scatter_of_groups_goes_by_how_near_the_error_is_to_its_pole():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 5)
    X = rng.normal(size=(40, 60))[groups] + rng.normal(size=(200, 60))
    factorization = ridge_factorization(X, X[:, 0] + rng.normal(size=200), groups=groups)
    curve = leave_one_out_curve(factorization)
    calibration = calibrate(factorization, curve)
    evaluator = CurveEvaluator(curve, fit_intercept=True)
    df_ratio = np.array([0.1, 0.25])
    at = evaluator.amplification(100.0, 100.0 * df_ratio)
    assert calibration.amplified and np.all(np.abs(at - df_ratio) > 0.05)
    expected = interp_log(at, calibration.df_ratio, calibration.scatter[:, 0], log_values=False)
    found = calibration.scatter_at(evaluator, 100.0, df_ratio)
    np.testing.assert_allclose(found[:, 0], expected)
    assert not calibrate(ridge_factorization(X, X[:, 0]), curve).amplified


def test_sizes_ascend_where_a_few_subsets_of_more_groups_hold_fewer_rows(monkeypatch):
    monkeypatch.setattr(tuning, "CORRECTION_COST", (0.0, 0.0))  # two to four subsets, as of many
    monkeypatch.setattr(tuning, "FEWEST_SIZES", 100)
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(34), np.r_[92, rng.integers(1, 5, size=33)])
    rows = rng.normal(size=(34, 5))[groups] + 0.3 * rng.normal(size=(groups.size, 5))
    path = ridge_factorization(rows, rows[:, 0] + rng.normal(size=groups.size), groups=groups)
    curve = leave_one_out_curve(path)
    planned = subset_sizes(path.n_rows, curve.rank, path.groups, fine=True)
    evaluator = CurveEvaluator(curve, fit_intercept=True)
    drawn = [
        subset_errors(path, each.size, [1.0], each.n_subsets).size
        for each in plan_subsets(path, evaluator, planned, fine=True)
    ]
    assert np.any(np.diff(drawn) < 0), "otherwise there is nothing to sort"
    sizes = [found.size for found in calibrate(path, curve, fine=True).sizes]
    assert sizes == sorted(drawn)


def test_the_largest_of_several_outputs_goes_further_as_students_t_does():
    (found,) = failing(400).sizes
    assert found.of_several(1, 3.0) == pytest.approx(1.0)
    draws = np.random.default_rng(0).standard_t(3 + tuning.POOLED_DEGREES, size=(200_000, 20))
    alone = np.quantile(draws, norm.cdf(2.0))
    largest = np.quantile(draws.max(axis=1), 1.0 - norm.sf(2.0))
    assert found.of_several(20, 2.0) == pytest.approx(largest / alone, rel=0.02)
    many = found._replace(n_subsets=10_000)
    assert many.of_several(100, 3.0) == pytest.approx(norm.isf(norm.sf(3.0) / 100) / 3.0, rel=1e-3)


def test_half_of_the_rows_stands_beside_the_rank_and_in_place_of_another_size():
    assert subset_sizes(1000, 430)[-4:] == [215, 430, 500, 715]
    assert subset_sizes(1200, 500)[-4:] == [250, 500, 600, 850]
    assert subset_sizes(1000, 500)[-3:] == [250, 500, 750]
    assert subset_sizes(2000, 300) == [37, 75, 150, 300, 600, 1000]
