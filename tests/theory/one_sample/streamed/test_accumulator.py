"""Sums over blocks against sums over all rows, and what a reservoir keeps."""

from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare

from sk_deepfeat.theory import GramAccumulator

N, P, T = 900, 7, 2


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, P)) * np.geomspace(1.0, 1e-2, P)
    return X, rng.normal(size=(N, T)), rng.random(N) * (rng.random(N) > 0.2)


def direct(X, y, weights, fit_intercept):
    """ΦᵀΦ, Φᵀy and Σ y² in extended precision."""
    X, y, weights = (values.astype(np.longdouble) for values in (X, y, weights))
    if fit_intercept:
        X, y = (values - weights @ values / weights.sum() for values in (X, y))
    scaled = X * weights[:, None]
    return X.T @ scaled, scaled.T @ y, weights @ np.square(y)


def assert_moments(sums, expected, fit_intercept, rtol=1e-13):
    gram, *others = sums.moments(fit_intercept=fit_intercept)
    found = np.tril(gram), *others
    expected = np.tril(expected[0]), *expected[1:]
    for mine, theirs in zip(found, expected, strict=True):
        assert_allclose(mine, theirs.astype(float), rtol=rtol, atol=rtol * np.abs(theirs).max())


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("step", [1, 100, N])
def test_sums_of_blocks_are_those_of_all_rows(rows, step, fit_intercept):
    X, y, weights = rows
    sums = GramAccumulator()
    for start in range(0, N, step):
        part = slice(start, start + step)
        sums.add(X[part], y[part], weights[part])
    assert_moments(sums, direct(*rows, fit_intercept), fit_intercept)
    assert sums.n_rows == np.count_nonzero(weights)
    assert_allclose(sums.weight_sum, weights.sum())
    assert_allclose(sums.feature_mean, np.average(X, axis=0, weights=weights), atol=1e-15)
    assert_allclose(sums.target_mean, np.average(y, axis=0, weights=weights), atol=1e-15)
    assert_allclose(sums.feature_covariance, np.cov(X.T, aweights=weights, ddof=0), atol=1e-15)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_merging_in_any_order_is_the_same(rows, order):
    X, y, weights = rows
    parts = [
        GramAccumulator(reservoir_size=50, random_state=k).add(
            X[k::3] + 100.0, y[k::3], weights[k::3]
        )
        for k in range(3)
    ]
    sums = GramAccumulator(reservoir_size=50, random_state=9)
    for k in order:
        sums.merge(parts[k])
    assert_moments(sums, direct(X + 100.0, y, weights, True), True)
    kept = sums.reservoir.copies()[0]
    expected = GramAccumulator(reservoir_size=50, random_state=9)
    for part in parts:
        expected.merge(part)
    assert_array_equal(kept, expected.reservoir.copies()[0])
    assert parts[0].n_rows == np.count_nonzero(weights[::3]), "what is merged stays as it is"


def test_a_mean_of_1e6_costs_no_digits(rows):
    X, y, weights = rows
    X = X + 1e6  # rounded: what comes in is compared
    sums = GramAccumulator()
    for start in range(0, N, 130):
        part = slice(start, start + 130)
        sums.add(X[part], y[part], weights[part])
    assert_moments(sums, direct(X, y, weights, True), True, rtol=1e-12)


def test_blocks_far_from_those_before_cost_no_digits(rows):
    X, y, weights = rows
    X = X.copy()
    X[3:] += 1e6
    sums = GramAccumulator().add(X[:3], y[:3], weights[:3] + 1.0)
    sums.add(X[3:], y[3:], weights[3:])
    weights = np.r_[weights[:3] + 1.0, weights[3:]]
    expected = np.cov(X.T, aweights=weights, ddof=0)
    assert_allclose(sums.feature_covariance, expected, rtol=1e-12)
    apart = GramAccumulator(random_state=1).add(X[3:], y[3:], weights[3:])
    apart.merge(GramAccumulator(random_state=2).add(X[:3], y[:3], weights[:3]))
    assert_allclose(apart.feature_covariance, expected, rtol=1e-12)


def test_a_constant_column_has_no_variance(rows):
    X, y, _ = rows
    X = np.column_stack([X, np.full(N, 1000.0 / 3.0)])
    sums = GramAccumulator()
    for start in range(0, N, 100):
        sums.add(X[start : start + 100], y[start : start + 100])
    assert_array_equal(sums.feature_covariance[-1], 0.0)


@pytest.mark.parametrize("dtype", [np.float32, np.int16, bool])
def test_sums_are_in_double_precision_whatever_comes_in(dtype):
    rng = np.random.default_rng(0)
    X = (10.0 * rng.normal(size=(5000, 3))).astype(dtype)
    y = rng.normal(size=5000)
    sums = GramAccumulator().add(X, y)
    assert_allclose(sums.feature_covariance, np.cov(X.astype(float).T, ddof=0), rtol=1e-12)


@pytest.mark.parametrize("step", [1, 17, 400])
def test_every_row_is_as_likely_to_be_kept(step):
    n, size, draws = 400, 40, 300
    counts = np.zeros(n)
    for seed in range(draws):
        sums = GramAccumulator(reservoir_size=size, random_state=seed)
        for start in range(0, n, step):
            part = np.arange(start, min(start + step, n))
            sums.add(part[:, None], part)
        rows = sums.reservoir.copies()[1][:, 0].astype(int)
        assert np.unique(rows).size == size
        counts[rows] += 1
    by_tenth = counts.reshape(10, -1).sum(axis=1)
    assert chisquare(by_tenth).pvalue > 1e-4


def test_the_sample_does_not_depend_on_the_blocks():
    X = np.arange(1000.0)[:, None]
    kept = []
    for step in (1, 30, 1000):
        sums = GramAccumulator(reservoir_size=20)
        for start in range(0, 1000, step):
            sums.add(X[start : start + step], X[start : start + step, 0])
        kept.append(sums.reservoir.copies()[0])
    assert_array_equal(kept[0], kept[1])
    assert_array_equal(kept[0], kept[2])


def test_all_rows_are_kept_in_order_while_there_is_room(rows):
    X, y, weights = rows
    sums = (
        GramAccumulator().add(X[:100], y[:100], weights[:100]).add(X[100:], y[100:], weights[100:])
    )
    kept = weights > 0
    for mine, theirs in zip(sums.reservoir.copies(), (X, y, weights), strict=True):
        assert_array_equal(mine, theirs[kept])


def test_nothing_kept_is_nothing_kept(rows):
    X, y, _ = rows
    sums = GramAccumulator(reservoir_size=0).add(X, y)
    sums.merge(GramAccumulator(reservoir_size=0, random_state=1).add(X, y))
    assert len(sums.reservoir) == 0 and sums.n_rows == 2 * N


def wrong_blocks():
    good = np.ones((4, P)), np.ones((4, T))
    yield (np.ones((4, P + 1)), good[1]), "has 8 features, those before have 7"
    yield (good[0], np.ones((4, T + 1))), "has 3 outputs, those before have 2"
    yield (good[0].astype(np.float32), good[1]), "float32, those before of float64"
    yield (good[0][:3], good[1]), "one row per sample"
    yield (np.ones(4), good[1]), "one row per sample"
    with_nan = good[0].copy()
    with_nan[2, 5] = np.nan
    yield (with_nan, good[1]), "Block 1: X .*column 5 has NaN in row 2"
    with_inf = good[1].copy()
    with_inf[1, 1] = -np.inf
    yield (good[0], with_inf), "Block 1: y .*column 1 has infinity in row 1"
    yield (*good, -np.ones(4)), "sample_weight"
    yield (*good, np.ones(3)), "sample_weight"
    yield (*good, np.full(4, np.nan)), "sample_weight"


@pytest.mark.parametrize(("block", "message"), list(wrong_blocks()))
def test_a_wrong_block_is_refused_whole(rows, block, message):
    X, y, weights = rows
    sums = GramAccumulator().add(X, y, weights)
    with pytest.raises(ValueError, match=message):
        sums.add(*block)
    assert sums.n_blocks == 1
    assert_moments(sums, direct(*rows, True), True)


def test_accumulators_that_cannot_be_merged(rows):
    X, y, _ = rows
    sums = GramAccumulator().add(X, y)

    def other(X, y, size=10_000, seed=1):
        return GramAccumulator(reservoir_size=size, random_state=seed).add(X, y)

    with pytest.raises(ValueError, match="count every row twice"):
        sums.merge(sums)
    with pytest.raises(ValueError, match="has 6 features"):
        sums.merge(other(X[:, 1:], y))
    with pytest.raises(ValueError, match="float32"):
        sums.merge(other(X.astype(np.float32), y))
    with pytest.raises(ValueError, match="reservoir_size=10000 and 5"):
        sums.merge(other(X, y, size=5))
    with pytest.raises(ValueError, match="random_state=0"):
        sums.merge(other(X, y, seed=0))
    with pytest.raises(TypeError, match="ndarray"):
        sums.merge(X)
    assert sums.merge(GramAccumulator()).n_rows == N, "an empty one adds nothing"


@pytest.mark.parametrize("size", [-1, 1.5, "all", True])
def test_sizes_that_are_none(size):
    with pytest.raises(ValueError, match="reservoir_size"):
        GramAccumulator(reservoir_size=size)


def test_nothing_added_has_no_moments():
    with pytest.raises(ValueError, match="No rows"):
        GramAccumulator().moments(fit_intercept=True)
    with pytest.raises(ValueError, match="at least one column"):
        GramAccumulator().add(np.ones((3, 0)), np.ones(3))
