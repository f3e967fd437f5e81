"""Each way of growth by itself, against slow computations of one cell at a time."""

import numpy as np
import pytest
from scipy.optimize import nnls

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.growth import Growth, average, power_law_growth, theory_growth
from sk_deepfeat.theory.one_sample.jackknife import jackknife_variance, standardized_deviations

SIZES = np.array([40.0, 60.0, 100.0, 170.0, 250.0, 500.0, 800.0, 1000.0])


def law(sizes, logs, variances, exponents):
    """The logarithm of a + b n^-c with least weighted squares, by scipy for each c."""
    noise = variances + tuning.GROWTH_NOISE_FLOOR**2
    noise = noise + (tuning.POWER_LAW_FORM * np.log(sizes[-1] / sizes)) ** 2
    best = np.inf, np.nan, np.nan, np.nan
    for c in exponents:
        columns = np.stack([np.ones_like(sizes), sizes**-c], axis=1)
        scaled = columns / (np.exp(logs) * np.sqrt(noise))[:, None]
        (a, b), residual = nnls(scaled, 1.0 / np.sqrt(noise))
        best = min(best, (residual, a, b, c))
    _, a, b, c = best
    return lambda n: np.log(a + b * n**-c)


def growth_of_one(sizes, logs, variances, n):
    families = np.linspace(0.05, 2.0, 40), [1.0]
    laws = [law(sizes, logs, variances, family) for family in families]
    one, two = (law(n) - law(sizes[-1]) for law in laws)
    misses = []
    for share in tuning.POWER_LAW_CUTS:
        some = sizes <= share * sizes[-1]
        if some.sum() > 2:
            cut = [law(sizes[some], logs[some], variances[some], family) for family in families]
            miss = np.mean([law(sizes[-1]) for law in cut]) - logs[-1]
            misses.append(miss / np.log(sizes[-1] / sizes[some][-1]))
    log_n = np.log(n / sizes[-1])
    variance = (np.mean(np.square(misses)) + tuning.POWER_LAW_DRIFT**2) * log_n**2
    return 0.5 * (one + two), variance + (0.5 * (one - two)) ** 2


@pytest.mark.parametrize("first", [0, 2, 3])
def test_power_laws_and_their_errors_are_those_of_slow_fits(first):
    """With all sizes; with three below the first cut and two below the second; and the fewest."""
    rng = np.random.default_rng(first)
    sizes = SIZES[first:]
    logs = np.log(0.5 + 20.0 * sizes**-0.7)[:, None, None] + 0.1 * rng.normal(
        size=(sizes.size, 3, 2)
    )
    variances = rng.uniform(1e-4, 1e-2, size=logs.shape)
    n, which = np.array([1001.0, 3000.0, 1e5]), np.array([2, 0, 1])
    found = power_law_growth(sizes, logs, variances, n, which)
    for cell in range(3):
        for k in range(2):
            mine = logs[:, which[cell], k], variances[:, which[cell], k]
            ratio, variance = growth_of_one(sizes, *mine, n[cell])
            assert found.log_ratio[cell, k] == pytest.approx(ratio, rel=1e-6)
            assert found.variance[cell, k] == pytest.approx(variance, rel=1e-6)


def test_too_few_sizes_tell_no_power_law():
    for sizes in (SIZES[[0, 1, 2, 7]], np.array([40.0, 60.0, 700.0, 800.0, 1000.0])):
        logs = np.zeros((sizes.size, 1, 3))
        found = power_law_growth(sizes, logs, logs, np.array([2000.0, 3000.0]), np.zeros(2, int))
        assert found.log_ratio.shape == found.variance.shape == (2, 3)
        assert np.isnan(found.log_ratio).all() and np.isposinf(found.variance).all()


def test_an_error_that_is_not_known_tells_nothing_of_its_output_alone():
    logs = np.repeat(-0.3 * np.log(SIZES)[:, None, None], 3, axis=2)
    logs[3, 0, 1] = logs[0, 0, 2] = logs[-1, 0, 2] = -np.inf
    found = power_law_growth(SIZES, logs, np.full(logs.shape, 0.01), np.array([2000.0]))
    assert np.isfinite(found.log_ratio[0, 0]) and np.isfinite(found.variance[0, 0])
    assert np.isnan(found.log_ratio[0, 1:]).all() and np.isposinf(found.variance[0, 1:]).all()


def test_growth_of_the_theory_is_as_uncertain_as_its_parts():
    rng = np.random.default_rng(0)
    at_n, at_n0, noise = rng.normal(size=(3, 4, 2))
    deviations, log_n = rng.normal(size=(20, 4, 2)), np.array([0.1, 1.0, 2.0, 5.0])
    at_n[1, 0], at_n[2, 1] = np.nan, -np.inf
    found = theory_growth(at_n, at_n0, deviations, noise, log_n)
    for cell, k in np.ndindex(4, 2):
        if not np.isfinite(at_n[cell, k]):
            assert np.isposinf(found.variance[cell, k])
            continue
        assert found.log_ratio[cell, k] == at_n[cell, k] - at_n0[cell, k]
        variance = 19 * np.var(deviations[:, cell, k]) + noise[cell, k] ** 2
        variance += (tuning.THEORY_DRIFT * log_n[cell]) ** 2
        assert found.variance[cell, k] == pytest.approx(variance)


def test_a_share_of_the_weight_is_a_multiple_of_the_variance():
    growth = Growth(np.ones((1, 3)), np.array([[2.0, 2.0, 3.0]]))
    found = growth.weighted(np.array([[0.5, 0.0, 1.0]]))
    np.testing.assert_array_equal(found.variance, [[4.0, np.inf, 3.0]])
    found = growth.drifting(np.array([[1.0, 2.0, 0.0]]), np.array([3.0]))
    np.testing.assert_array_equal(found.variance, [[11.0, 38.0, 3.0]])
    growth.put(np.array([True]), Growth(np.full((1, 3), 5.0), np.full((1, 3), 6.0)))
    assert np.all(growth.log_ratio == 5.0) and np.all(growth.variance == 6.0)


def test_an_average_of_growths_is_that_of_a_mixture():
    """Its variance: one over the sum of the weights, and that of the values by their weights."""
    rng = np.random.default_rng(1)
    values, variances = rng.normal(size=(3, 5, 2)), rng.uniform(0.5, 2.0, size=(3, 5, 2))
    values[0, 0], variances[1, 1], variances[2, 2] = np.nan, np.inf, 0.0
    values[2, 1], values[:, 4, 1] = np.inf, np.nan
    found = average([Growth(v, s) for v, s in zip(values, variances, strict=True)])
    for place in np.ndindex(5, 2):
        value, weight = values[:, *place], 1.0 / np.maximum(variances[:, *place], 1e-12)
        known = np.isfinite(value) & (weight > 0)
        if not known.any():
            assert np.isnan(found.log_ratio[place]) and np.isposinf(found.variance[place])
            continue
        mean = np.average(value[known], weights=weight[known])
        apart = np.average((value[known] - mean) ** 2, weights=weight[known])
        assert found.log_ratio[place] == pytest.approx(mean)
        assert found.variance[place] == pytest.approx(1.0 / weight[known].sum() + apart)


def test_a_jackknife_with_gaps_is_that_of_what_is_known():
    """Of three quarters and more of the replicates; of fewer its variance has no bound."""
    values = np.random.default_rng(2).normal(size=(20, 5))
    values[:5, 1], values[3:9, 2], values[:, 3], values[0, 4] = np.nan, np.inf, -np.inf, -np.inf
    found = jackknife_variance(values)
    assert found[0] == pytest.approx(19 * np.var(values[:, 0]))
    assert found[1] == pytest.approx(19 * np.var(values[5:, 1]))
    assert np.isposinf(found[2]) and found[3] == 0.0
    assert found[4] == pytest.approx(19 * np.var(values[1:, 4]))
    np.testing.assert_array_equal(jackknife_variance(values[:1]), np.full(5, np.inf))
    assert np.isposinf(jackknife_variance(np.full((2, 1), np.nan))), "of two none is known"
    two = np.array([[1.0], [4.0]])
    assert jackknife_variance(two) == pytest.approx(0.5 * 2 * 1.5**2)


def test_deviations_in_units_of_their_jackknife_correlate_as_the_values():
    values = np.random.default_rng(3).normal(size=(20, 4)) @ np.triu(np.ones((4, 4)))
    values = np.c_[values, np.ones(20), np.r_[np.nan, np.ones(19)], np.full(20, -np.inf)]
    found = standardized_deviations(values)
    np.testing.assert_allclose(found[:, :4].T @ found[:, :4], np.corrcoef(values[:, :4].T))
    assert np.isnan(found[:, 4:]).all()
