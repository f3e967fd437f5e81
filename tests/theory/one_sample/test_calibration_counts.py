"""What a calibration counts, number by number: degrees of freedom, pooled scatter, noise."""

from types import SimpleNamespace

import numpy as np
import pytest
from samples import LinearPopulation, power_law
from scipy import stats

from sk_deepfeat.theory import (
    Calibration,
    CalibrationSize,
    calibrate,
    leave_one_out_curve,
    ridge_factorization,
    subset_errors,
)
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.calibration import _compare, _pooled_scatter
from sk_deepfeat.theory.one_sample.classes.row_classes import RowClasses
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.subset_plan import PlannedSize, df_ratio_grid
from sk_deepfeat.theory.one_sample.subsets import SubsetErrors


def size_of(size, ratio, error, n_subsets=4, noise=None, measured=None, log_alpha=None):
    """A size at which C and its standard error are given, both of shape (A, t)."""
    ratio, error = np.asarray(ratio, float), np.asarray(error, float)
    noise = error if noise is None else np.asarray(noise, float)
    measured = np.ones_like(ratio) if measured is None else np.asarray(measured, float)
    log_alpha = np.zeros(len(ratio)) if log_alpha is None else np.log(log_alpha)
    no = np.zeros(len(ratio), dtype=bool)
    each = measured, measured, ratio, error, noise, noise, no
    return CalibrationSize(size, n_subsets, log_alpha, *each)


def test_few_subsets_need_as_many_errors_more_as_students_t():
    """Of K subsets K - 1 degrees; the scatter is a part of the error: Welch's fourth power."""
    for n_subsets in (2, 4, 9):
        found = size_of(
            50, np.ones((3, 1)), [[2.0], [3.0], [5.0]], n_subsets, [[2.0], [1.5], [0.0]]
        )
        sure = stats.norm.isf(stats.norm.sf(3.0))
        degrees = (n_subsets - 1) * np.array([1.0, 16.0, 1e4])
        expected = stats.t.isf(stats.norm.sf(3.0), degrees) / sure
        np.testing.assert_allclose(found.few_subsets[:, 0], expected, rtol=1e-9)


def test_the_best_alpha_of_each_output_says_which_are_of_use():
    alpha = np.array([1e-9, 1e-5, 1e-3, 1.0])
    measured = np.array([[np.nan, 4.0], [2.0, 1.0], [1.5, 2.0], [1.0, 3.0]])
    found = size_of(50, np.ones((4, 2)), np.ones((4, 2)), measured=measured, log_alpha=alpha)
    expected = [[False, True], [False, True], [True, True], [True, True]]
    np.testing.assert_array_equal(found.of_use, expected)
    assert size_of(50, [[1.0]], [[1.0]], measured=[[np.nan]]).of_use.all()


def calibration_of(*sizes, t=1):
    return Calibration(tuple(sizes), 1000, 100, np.array([0.5]), np.ones((1, t)))


def test_the_largest_ratio_beyond_noise_counts_of_any_alpha_and_output():
    """Four per cent never counts, whatever its error; of what counts, the largest does."""
    ratio = np.array([[0.04, -0.3], [0.2, 0.9]])
    error = np.array([[1e-6, 0.01], [0.01, 0.5]])
    for two in (True, False):
        sizes = [size_of(400.0, ratio, error)] + [size_of(200.0, ratio, error)] * two
        assert calibration_of(*sizes, t=2).disagreement == pytest.approx(0.3)
    assert calibration_of(size_of(400.0, [[0.04]], [[1e-6]])).disagreement == 0.0
    assert not calibration_of(size_of(400.0, [[0.04]], [[1e-6]])).suspicious
    assert calibration_of().disagreement == 0.0 and not calibration_of().suspicious


def test_several_outputs_need_more_errors_than_one():
    for t, n_subsets in ((1, 4), (30, 4), (30, 16)):
        degrees = n_subsets - 1 + tuning.POOLED_DEGREES
        share = stats.t.isf(stats.norm.sf(4.0) / t, degrees) / stats.t.isf(
            stats.norm.sf(4.0), degrees
        )
        for factor in (0.99, 1.01):
            error = np.full((1, t), 1.0)
            error[0, -1] = 0.1 / (4.0 * share * factor)
            found = size_of(400.0, np.full((1, t), 0.1), error, n_subsets)
            assert (calibration_of(found, t=t).disagreement > 0) == (factor > 1)


def test_scatter_is_pooled_by_degrees_of_freedom():
    """One point of the grid at a time, from the sizes that reach it; else from the nearest."""
    rng = np.random.default_rng(0)
    grid, n_rows = np.array([0.02, 0.1, 0.3, 0.5, 0.85, 0.98]), 300
    places = [np.array([0.28, 0.6, 0.97]), np.array([0.28, 0.5]), np.array([0.15, 0.3, 0.46])]
    sizes, counts = [40.0, 80.0, 150.0], [5, 3, 2]
    measured, scatters = [], []
    for place, size, count in zip(places, sizes, counts, strict=True):
        none = np.zeros((place.size, 2))
        measured.append(SubsetErrors(size, place, none, none, count, none))
        scatters.append(rng.uniform(0.1, 0.5, size=(place.size, 2)))
    down, up = tuning.SCATTER_REACH
    expected = np.full((grid.size, 2), np.nan)
    for g, at in enumerate(grid):
        total, degrees = np.zeros(2), 0.0
        for place, size, count, scatter in zip(places, sizes, counts, scatters, strict=True):
            if not down * place[0] <= at <= up * place[-1]:
                continue
            weight = (count - 1) * (
                1.0 if size <= n_rows / 3 else tuning.OVERLAPPING_SCATTER_WEIGHT
            )
            for k in range(2):
                squares = size * scatter[:, k] ** 2
                total[k] += weight * np.interp(np.log(at), np.log(place), squares)
            degrees += weight
        if degrees:
            expected[g] = np.sqrt(total / degrees)
    assert np.isnan(expected[:, 0]).tolist() == [True, False, False, False, False, False]
    expected[0] = expected[1]  # which an overlapping size alone tells
    found = _pooled_scatter(grid, places, measured, n_rows, scatters, 2)
    np.testing.assert_allclose(found, expected)
    np.testing.assert_array_equal(_pooled_scatter(grid, [], [], n_rows, [], 3), np.zeros((6, 3)))


@pytest.mark.parametrize("amplified", [False, True])
def test_noise_of_a_comparison_is_that_of_its_parts(amplified):
    """Subsets, rows outside, and the theory's own training set, each alpha by itself."""
    rng = np.random.default_rng(1)
    grid, scatter = np.array([0.1, 0.4, 0.9]), rng.uniform(1.0, 3.0, size=(3, 2))
    calibration = Calibration((), 1000, 110, grid, scatter, None, amplified, 800)

    def pooled(n, df_ratio, k):
        at = max((df_ratio * n / (n + 50.0)) ** 2, 1e-12) if amplified else df_ratio
        return np.interp(np.log(at), np.log(grid), scatter[:, k])

    evaluator = SimpleNamespace(amplification=lambda n, df1: (df1 / (n + 50.0)) ** 2)
    df_ratio, alpha = (
        np.array([0.0, 0.2, tuning.SUBSET_DF_RATIOS[-1], 0.995]),
        np.array([1e3, 10.0, 0.1, 1e-4]),
    )
    predicted, error = rng.uniform(1.0, 2.0, size=(2, 4, 2))
    predicted[1, 0] = error[2, 1] = 0.0
    own = np.array([0.01, 0.5, 0.01, 0.5])[:, None] * np.ones((1, 2))
    rows, losses = rng.uniform(0.05, 0.2, size=(4, 2)), rng.normal(size=(4, 8))
    for size, near in ((100.0, True), (500.0, False)):
        errors = SubsetErrors(size, alpha, error, own, 5, rows, 0.3, losses)
        if not amplified:
            df_ratio[0] = 0.05
        found = _compare(
            calibration, evaluator, PlannedSize(int(size), 5, df_ratio, alpha), errors, predicted
        )
        np.testing.assert_array_equal(found.log_alpha, np.log(alpha[::-1]))
        np.testing.assert_array_equal(found.at_pole, [near, False, False, False])
        for i, k in np.ndindex(4, 2):
            at = 3 - i
            with np.errstate(divide="ignore"):
                ratio = np.log(error[i, k]) - np.log(predicted[i, k])
            known = np.isfinite(ratio)
            of_one = max(pooled(size, df_ratio[i], k) / np.sqrt(size), own[i, k]) if known else 1.0
            noise = np.sqrt(of_one**2 / 5 + 0.3 * rows[i, k] ** 2)
            theory = pooled(1000, df_ratio[i] * size / 1000, k) / np.sqrt(1000)
            assert found.log_ratio[at, k] == pytest.approx(ratio if known else 0.0)
            assert found.noise[at, k] == pytest.approx(noise)
            assert found.standard_error[at, k] == pytest.approx(np.hypot(noise, theory))
            assert found.measured[at, k] == error[i, k] and found.row_noise[at, k] == rows[i, k]
            assert found.predicted[at, k] == predicted[i, k]
        np.testing.assert_array_equal(found.class_losses, losses[::-1])
        assert (found.size, found.n_subsets, found.unseen) == (size, 5, 0.3)
    of_classes = calibration._replace(scatter=np.zeros((3, 2)), class_scatter=scatter)
    expected = [[pooled(70.0, at, k) for k in range(2)] for at in df_ratio]
    np.testing.assert_allclose(of_classes.class_scatter_at(evaluator, 70.0, df_ratio), expected)


P = 30
POPULATION = LinearPopulation(power_law(P, 0.5), np.random.default_rng(7).normal(size=P), 0.5)


@pytest.mark.parametrize("grouped", [False, True])
def test_a_calibration_is_made_of_its_subsets(grouped):
    """From the sizes that are asked for: errors of the same subsets, and what the curve gives."""
    X, Y = POPULATION.sample(200, 0, 2)
    groups = np.arange(200) // 2 if grouped else None
    path = ridge_factorization(X, Y, groups=groups)
    curve = leave_one_out_curve(path)
    evaluator = CurveEvaluator(curve, fit_intercept=True)
    found = calibrate(path, curve, sizes=[120, 40], seed=3)
    assert [each.size for each in found.sizes] == [40.0, 120.0]
    assert (found.n_rows, found.rank, found.n_sampled) == (200, P, 200)
    assert found.amplified == grouped and found.class_scatter is None
    np.testing.assert_array_equal(found.df_ratio, df_ratio_grid(False))
    places, errors = [], []
    for each in found.sizes:
        alpha = np.exp(each.log_alpha)[::-1]
        again = subset_errors(path, int(each.size), alpha, each.n_subsets, seed=3)
        np.testing.assert_allclose(each.measured, again.error[::-1])
        predicted = evaluator.test_error(np.full(alpha.size, each.size), alpha)[::-1]
        np.testing.assert_allclose(each.predicted, predicted)
        np.testing.assert_allclose(each.log_ratio, np.log(each.measured / predicted))
        df_ratio = evaluator.df_ratio_at_alpha(each.size, alpha)
        if grouped:
            df_ratio = evaluator.amplification(each.size, df_ratio * each.size)
        places.append(df_ratio)
        errors.append(again)
    scatters = [each.scatter for each in errors]
    expected = _pooled_scatter(found.df_ratio, places, errors, 200, scatters, 2)
    np.testing.assert_allclose(found.scatter, expected)
    unseeded, seeded = (
        calibrate(path, curve, sizes=[40]),
        calibrate(path, curve, sizes=[40], seed=0),
    )
    np.testing.assert_array_equal(unseeded.scatter, seeded.scatter)
    other = calibrate(path, curve, sizes=[40], seed=4, fine=True)
    np.testing.assert_array_equal(other.df_ratio, df_ratio_grid(True))
    alpha = np.exp(other.sizes[0].log_alpha)[::-1]
    again = subset_errors(path, 40, alpha, other.sizes[0].n_subsets, seed=4)
    np.testing.assert_allclose(other.sizes[0].measured, again.error[::-1])


def test_scatter_of_classes_is_pooled_like_that_of_errors():
    X, _ = POPULATION.sample(200)
    classes = RowClasses(np.digitize(X[:, 0], [-0.5, 0.5]), 3)
    path = ridge_factorization(X, classes.codes).with_classes(classes)
    curve = leave_one_out_curve(path)
    found = calibrate(path, curve, sizes=[40, 60])
    evaluator = CurveEvaluator(curve, fit_intercept=True)
    places, errors = [], []
    for each in found.sizes:
        alpha = np.exp(each.log_alpha)[::-1]
        errors.append(subset_errors(path, int(each.size), alpha, each.n_subsets))
        places.append(evaluator.df_ratio_at_alpha(each.size, alpha))
        np.testing.assert_allclose(each.class_losses, errors[-1].class_losses[::-1])
    scatters = [each.class_scatter for each in errors]
    expected = _pooled_scatter(found.df_ratio, places, errors, 200, scatters, 10)
    np.testing.assert_allclose(found.class_scatter, expected)
    assert calibrate(path, curve, sizes=[]).class_scatter.shape == (found.df_ratio.size, 10)


def test_errors_of_a_sample_are_taken_for_those_of_all_rows():
    """Twice as large and half as large; a target that is always zero stays so."""
    X, Y = POPULATION.sample(200, 0, 2)
    path = ridge_factorization(X, np.c_[Y, np.zeros(200)])
    curve, factor = leave_one_out_curve(path), np.array([2.0, 0.5, 3.0])
    of_all = curve._replace(
        error=curve.error * factor,
        leverage_weighted_error=curve.leverage_weighted_error * factor,
        sample_factor=np.broadcast_to(factor, (curve.kappa.size, 3)),
    )
    for own, found in zip(
        calibrate(path, curve, sizes=[40, 60]).sizes,
        calibrate(path, of_all, sizes=[40, 60]).sizes,
        strict=True,
    ):
        np.testing.assert_allclose(found.measured, own.measured * factor)
        np.testing.assert_allclose(found.predicted, own.predicted * factor)
        np.testing.assert_allclose(found.log_ratio, own.log_ratio, atol=1e-9)


def test_sizes_that_are_asked_for_are_measured_whatever_they_cost(monkeypatch):
    monkeypatch.setattr(tuning, "CHECK_COST", (0.0, 0.0))
    path = ridge_factorization(*POPULATION.sample(200))
    curve, asked = leave_one_out_curve(path), [15, 25, 30, 50, 60, 100]
    assert [each.size for each in calibrate(path, curve, sizes=asked).sizes] == asked
    assert len(calibrate(path, curve).sizes) == tuning.FEWEST_SIZES
    one = ridge_factorization(path.features.whole()[:, :1], path.targets)
    assert len(calibrate(one, leave_one_out_curve(one)).sizes) == tuning.FEWEST_SIZES


@pytest.mark.parametrize("size", [1, 200])
def test_sizes_that_leave_nothing_to_measure_on_are_refused(size):
    path = ridge_factorization(*POPULATION.sample(200))
    with pytest.raises(ValueError, match=f"size={size} must lie between 2 and 199"):
        calibrate(path, leave_one_out_curve(path), sizes=[size])
