"""Accumulators of parts of the rows: what they keep of the sample, and what they are as pickles."""

import copy
import pickle

import numpy as np
import pytest

from sk_deepfeat.theory import GramAccumulator

N, P, SIZE = 4000, 3, 100


@pytest.fixture
def numbered(rng):
    """Rows of which the first column is their number."""
    return np.c_[np.arange(N), rng.normal(size=(N, P))]


def parts(X, n_parts, n_expected, seed=0):
    found = []
    for number, rows in enumerate(np.array_split(X, n_parts)):
        part = GramAccumulator(
            reservoir_size=SIZE, random_state=seed * n_parts + number, n_expected=n_expected
        )
        found.append(part.add(rows, rows[:, 1]))
    return found


def merged(some):
    first, *others = some
    for other in others:
        first.merge(other)
    return first


def test_parts_keep_their_share_and_the_sample_is_the_same(numbered):
    free, few = (merged(parts(numbered, 8, n)) for n in (None, N))
    assert len(few.reservoir) == SIZE
    np.testing.assert_array_equal(
        np.sort(few.reservoir.rows[:, 0]), np.sort(free.reservoir.rows[:, 0])
    )
    share = [len(part.reservoir) for part in parts(numbered, 8, N)]
    assert sum(share) < 3.5 * SIZE and max(share) < SIZE
    assert sum(len(part.reservoir) for part in parts(numbered, 8, None)) == 8 * SIZE


def test_the_sample_is_uniform(numbered):
    kept = [merged(parts(numbered, 4, N, seed)).reservoir.rows[:, 0] for seed in range(200)]
    counts = np.histogram(np.concatenate(kept), bins=8, range=(0, N))[0]
    expected = 200 * SIZE / 8
    assert np.all(np.abs(counts - expected) < 5 * np.sqrt(expected))


def test_few_rows_are_all_kept(numbered):
    few = merged(parts(numbered[:90], 3, 90))
    np.testing.assert_array_equal(few.reservoir.rows, numbered[:90])


def test_a_limit_holds_for_what_comes_later(numbered):
    """Of twice the expected rows the sample is as uniform."""
    late = []
    for seed in range(200):
        sums = merged(parts(numbered[: N // 2], 4, N // 2, seed))
        sums.add(numbered[N // 2 :], numbered[N // 2 :, 1])
        late.append(np.mean(sums.reservoir.rows[:, 0] >= N // 2))
        assert len(sums.reservoir) == SIZE
    assert abs(np.mean(late) - 0.5) < 5 * 0.5 / np.sqrt(200 * SIZE)


def test_a_lower_limit_is_taken_over(numbered):
    """Of rows that came without a limit no more are kept than of the others."""
    wide, narrow = parts(numbered[:50], 1, None)[0], parts(numbered[50:], 1, 40 * N, seed=5)[0]
    assert len(wide.reservoir) == 50 and 0 < len(narrow.reservoir) < 20
    sample = wide.merge(narrow).reservoir
    assert np.mean(sample.rows[:, 0] < 50) < 0.5 and len(sample) < 25


@pytest.mark.parametrize("width", [1, 127, 128, 300])
def test_pickles_are_half_a_matrix(rng, width):
    X = rng.normal(size=(width + 50, width)) + 1e3
    sums = GramAccumulator(reservoir_size=20).add(X, X[:, 0])
    there = pickle.loads(pickle.dumps(sums))
    for one, other in zip(
        sums.moments(fit_intercept=True), there.moments(fit_intercept=True), strict=True
    ):
        np.testing.assert_array_equal(
            np.tril(one) if one.ndim == 2 else one, np.tril(other) if other.ndim == 2 else other
        )
    for each in (sums, there):
        each.add(2 * X, X[:, 0])
    np.testing.assert_array_equal(sums.reservoir.rows, there.reservoir.rows)
    np.testing.assert_array_equal(sums.feature_covariance, there.feature_covariance)
    least = GramAccumulator(reservoir_size=0).add(X, X[:, 0])
    assert len(pickle.dumps(least)) < 8 * (width + 2) * ((width + 2) / 2 + 128) + 2000


def test_an_empty_accumulator_travels(rng):
    X = rng.normal(size=(10, 2))
    empty = pickle.loads(pickle.dumps(GramAccumulator(random_state=3)))
    assert copy.deepcopy(empty).merge(GramAccumulator().add(X, X[:, 0])).n_rows == 10


def test_buffers_that_cannot_be_written_to(rng):
    """A network hands them over."""
    X = rng.normal(size=(50, 2))
    buffers = []
    sums = GramAccumulator(reservoir_size=20).add(X, X[:, 0])
    packed = pickle.dumps(sums, protocol=5, buffer_callback=buffers.append)
    frozen = [memoryview(bytes(buffer.raw())) for buffer in buffers]
    there = pickle.loads(packed, buffers=frozen)
    assert there.add(X, X[:, 0]).n_rows == 100
