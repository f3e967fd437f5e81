"""The variance of the targets, against pairs of rows counted one by one."""

import numpy as np
import pytest

from sk_deepfeat.theory import GramAccumulator, TargetVariance, factorize_sums, ridge_factorization
from sk_deepfeat.theory.one_sample.target_spread import target_variance


def of_pairs(y, weights, groups):
    """Half the mean squared difference of two rows of different draws."""
    halves = np.square(y[:, None] - y[None]) / 2
    pairs = np.outer(weights, weights) * (groups[:, None] != groups[None])
    return np.tensordot(pairs, halves, axes=2) / pairs.sum()


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 9, 120)
    y = rng.normal(size=(120, 2)) + rng.normal(size=(9, 2))[groups] + 30.0
    return rng.normal(size=(120, 4)), y, rng.uniform(0.5, 2.0, 120), groups


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_it_is_half_the_mean_squared_difference_of_two_draws(rows, grouped, fit_intercept):
    X, y, weights, groups = rows
    labels = groups if grouped else None
    found = ridge_factorization(X, y, weights, fit_intercept=fit_intercept, groups=labels)
    expected = of_pairs(y, weights, groups if grouped else np.arange(120))
    np.testing.assert_allclose(found.target_variance.variance, expected, rtol=1e-10)


def test_of_rows_of_weight_one_it_is_the_unbiased_variance(rows):
    y = rows[1]
    np.testing.assert_allclose(
        target_variance(y, np.ones(120)).variance, y.var(axis=0, ddof=1), rtol=1e-12
    )


def test_its_own_sampling_variance_is_that_over_samples():
    rng = np.random.default_rng(0)
    y = rng.standard_t(9, size=(400, 3000))
    found = target_variance(y, np.ones(400))
    scatter = np.log(found.variance).var()
    assert found.log_variance.mean() == pytest.approx(scatter, rel=0.1)


def test_groups_that_share_all_their_noise_count_once():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), 5)
    y = rng.normal(size=(40, 2000))[groups]
    found = target_variance(y, np.ones(200), groups)
    assert found.variance.mean() == pytest.approx(1.0, rel=0.02)  # of rows, 2 % too low
    scatter = np.log(found.variance).var()
    assert found.log_variance.mean() == pytest.approx(scatter, rel=0.15)


@pytest.mark.parametrize("offset", [0.0, 1.0 / 3.0, 1e9 / 3.0])
def test_targets_that_do_not_vary_have_none_and_it_is_known(offset):
    found = target_variance(np.full((20, 1), offset), np.ones(20))
    assert found == TargetVariance(np.zeros(1), np.zeros(1))


def test_one_block_of_outputs_is_as_several(rows, monkeypatch):
    y, weights, groups = rows[1], rows[2], rows[3]
    whole = target_variance(y, weights, groups)
    monkeypatch.setattr("sk_deepfeat.theory.one_sample.target_spread._BLOCK_ENTRIES", 100)
    np.testing.assert_allclose(target_variance(y, weights, groups), whole, rtol=1e-13)


@pytest.mark.parametrize("grouped", [False, True])
def test_of_sums_it_is_that_of_all_rows(rows, grouped):
    X, y, weights, groups = rows
    labels = groups if grouped else None
    kept, few = (GramAccumulator(reservoir_size=size) for size in (1000, 60))
    for sums in (kept, few):
        sums.add(X, y, weights, labels)
    expected = of_pairs(y, weights, groups if grouped else np.arange(120))
    for fit_intercept in (False, True):
        found = factorize_sums(kept, fit_intercept=fit_intercept).target_variance
        np.testing.assert_allclose(found.variance, expected, rtol=1e-9)
        sampled = factorize_sums(few, fit_intercept=fit_intercept).target_variance
        np.testing.assert_allclose(sampled.variance, expected, rtol=0.08 if grouped else 1e-3)


@pytest.mark.parametrize("grouped", [False, True])
def test_of_sums_it_is_as_well_known_as_of_all_rows(grouped):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4000, 2)), rng.normal(size=(4000, 3))
    sums = GramAccumulator(reservoir_size=1000)
    sums.add(X, y, None, np.arange(4000) // 4 if grouped else None)
    found = factorize_sums(sums, fit_intercept=True).target_variance
    expected = target_variance(y, np.ones(4000), np.arange(4000) // 4 if grouped else None)
    np.testing.assert_allclose(found.log_variance, expected.log_variance, rtol=0.25)
