"""Which groups a stream keeps: their labels alone decide, and all are counted."""

import pickle
import subprocess
import sys
from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import chisquare, kstest

from sk_deepfeat.theory import GramAccumulator
from sk_deepfeat.theory.one_sample.streamed.label_hashes import draws_of, label_hashes

N, SIZE = 1200, 130


@pytest.fixture
def stream():
    """Rows that carry their number and their group's, of 150 groups of very unequal sizes."""
    rng = np.random.default_rng(0)
    share = rng.exponential(size=150)
    groups = rng.choice(150, N, p=share / share.sum())
    return np.column_stack([np.arange(N), groups]).astype(float), groups


def kept_of(sums):
    rows = sums.reservoir.copies()[0].astype(int)
    return rows[np.argsort(rows[:, 0])]


def directly(X, groups, size):
    """Whole groups from the smallest number on, while there is room."""
    draws = {label: draws_of(label_hashes([label], 1))[0] for label in set(groups.tolist())}
    kept, rows = [], 0
    for label in sorted(draws, key=draws.get):
        rows += np.count_nonzero(groups == label)
        if rows > size:
            break
        kept.append(label)
    return X[np.isin(groups, kept)].astype(int)


@pytest.mark.parametrize("step", [1, 30, N])
@pytest.mark.parametrize("order", ["as they come", "sorted", "reversed"])
def test_whole_groups_of_the_smallest_numbers_are_kept(stream, step, order):
    X, groups = stream
    rows = {
        "as they come": np.arange(N),
        "sorted": np.argsort(groups),
        "reversed": np.arange(N)[::-1],
    }[order]
    sums = GramAccumulator(reservoir_size=SIZE)
    for start in range(0, N, step):
        some = rows[start : start + step]
        sums.add(X[some], X[some, 0], groups=groups[some])
    assert_array_equal(kept_of(sums), directly(X, groups, SIZE))
    assert 0.7 * SIZE < len(sums.reservoir) <= SIZE
    assert sums.n_groups == np.unique(groups).size
    first = sums.reservoir.copies()[0][:, 1]
    codes = sums.reservoir.codes()
    assert_array_equal(first[np.unique(codes, return_index=True)[1]][codes], first)
    assert codes[0] == 0 and codes.max() + 1 == np.unique(first).size


@pytest.mark.parametrize("ends", [(400, 800), (5, 600), (600, N - 5)])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_merging_in_any_order_keeps_the_same_groups(stream, order, ends):
    X, groups = stream
    parts = [
        GramAccumulator(reservoir_size=SIZE).add(X[some], X[some, 0], groups=groups[some])
        for some in np.split(np.arange(N), ends)
    ]
    sums = GramAccumulator(reservoir_size=SIZE)
    for k in order:
        sums.merge(pickle.loads(pickle.dumps(parts[k])))
    more = X[:5] + np.array([N, 0.0])
    sums.add(more, X[:5, 0], groups=groups[:5])
    assert_array_equal(
        kept_of(sums),
        directly(np.vstack([X, more]), np.r_[groups, groups[:5]], SIZE),
    )
    assert sums.n_groups == np.unique(groups).size
    assert sums.n_rows == N + 5


@pytest.mark.parametrize("swapped", [False, True])
def test_rows_of_a_group_that_has_gone_elsewhere_are_not_kept(swapped):
    names = sorted("abcdef", key=lambda label: label_hashes([label], 1)[0])
    one, other = GramAccumulator(reservoir_size=4), GramAccumulator(reservoir_size=4)
    one.add(np.zeros((6, 1)), np.zeros(6), groups=names[:1] * 3 + names[1:2] * 3)
    other.add(np.ones((1, 1)), np.ones(1), groups=names[1:2])
    both = other.merge(one) if swapped else one.merge(other)
    assert_array_equal(both.reservoir.copies()[0], np.zeros((3, 1)))
    both.add(np.ones((1, 1)), np.ones(1), groups=names[3:4])
    assert len(both.reservoir) == 3 and both.n_groups == 3


def test_all_rows_are_kept_in_order_while_there_is_room(stream):
    X, groups = stream
    weights = np.where(groups < 10, 0.0, 1.0)
    sums = GramAccumulator()
    for start in range(0, N, 100):
        part = slice(start, start + 100)
        sums.add(X[part], X[part, 0], weights[part], groups[part])
    assert_array_equal(sums.reservoir.copies()[0], X[weights > 0])
    assert sums.n_groups == np.unique(groups[weights > 0]).size, "no row, no group"


def test_every_group_is_as_likely_to_be_kept():
    n, draws = 40, 400
    counts = np.zeros(n)
    for seed in range(draws):
        labels = np.repeat([f"{seed}/{k}" for k in range(n)], 3)
        number = np.repeat(np.arange(n), 3)
        sums = GramAccumulator(reservoir_size=25).add(number[:, None], number, groups=labels)
        found = np.unique(sums.reservoir.copies()[1]).astype(int)
        assert found.size == 8
        counts[found] += 1
    assert chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("labels", [np.arange(20_000), np.arange(20_000) * 2**40 - 3])
def test_numbers_of_groups_are_uniform(labels):
    draws = draws_of(label_hashes(labels, labels.size))
    assert kstest(draws, "uniform").pvalue > 1e-4
    assert draws.min() >= 0.0 and draws.max() < 1.0


def test_numbers_are_the_same_everywhere():
    labels = [3, "3", "Zürich", b"x"]
    assert label_hashes(labels, 4).tolist() == [
        11863395634415877798,
        13899000678610529611,
        11807146418295106190,
        10562433117234203970,
    ]
    code = (
        "from sk_deepfeat.theory.one_sample.streamed.label_hashes import label_hashes;"
        f"print(label_hashes({labels!r}, 4).tolist())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str(label_hashes(labels, 4).tolist())


def test_labels_are_equal_as_keys_are():
    def hashes(labels):
        return label_hashes(labels, len(labels)).tolist()

    expected = hashes([1, 2, 1])
    for same in (
        np.array([1, 2, 1], np.int8),
        np.array([1, 2, 1], np.uint64),
        np.array([1.0, 2.0, 1.0]),
        np.array([True, 2, 1], dtype=object),
        (np.int32(1), 2.0, True),
    ):
        assert hashes(same) == expected
    text = hashes(["1", "a", "1"])
    assert hashes(np.array(["1", "a", "1"])) == text
    assert hashes(np.array(["1", "a", "1"], dtype=object)) == text
    assert not set(text) & set(expected)
    assert hashes([-1, 2**70, 1])[2] == expected[0]


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([1, 2], ValueError, "one label per row"),
        (np.ones((3, 2)), ValueError, "one label per row"),
        ("abc", ValueError, "array of one label per row"),
        (5, ValueError, "array of one label per row"),
        ([1, None, 2], ValueError, "missing label, the first in row 1"),
        (np.array([1.0, 2.0, np.nan]), ValueError, "missing label, the first in row 2"),
        (np.ma.masked_array([1, 2, 3], [True, False, False]), ValueError, "first in row 0"),
        ([1, 2, 2.5], TypeError, r"groups\[2\]=2.5"),
        ([1, (1, 2), 3], TypeError, r"groups\[1\]=\(1, 2\)"),
        (np.array(["2020-01-01"] * 3, dtype="datetime64[D]"), TypeError, "astype"),
    ],
)
def test_labels_that_are_none(labels, error, message):
    sums = GramAccumulator().add(np.ones((3, 1)), np.ones(3), groups=[1, 2, 3])
    with pytest.raises(error, match=f"Block 1: .*{message}"):
        sums.add(np.ones((3, 1)), np.ones(3), groups=labels)
    assert (sums.n_rows, sums.n_blocks, sums.n_groups) == (3, 1, 3)


def test_all_blocks_have_groups_or_none():
    X, y = np.ones((3, 1)), np.ones(3)
    grouped = GramAccumulator().add(X, y, groups=[1, 2, 2])
    plain = GramAccumulator(random_state=1).add(X, y)
    with pytest.raises(ValueError, match="has no groups, those before have some"):
        grouped.add(X, y)
    with pytest.raises(ValueError, match="has groups, those before have none"):
        plain.add(X, y, groups=[1, 2, 2])
    for one, other in ((grouped, plain), (plain, grouped)):
        with pytest.raises(ValueError, match="The other accumulator has"):
            one.merge(other)
    assert plain.n_groups is None and plain.reservoir.codes() is None


@pytest.mark.parametrize("size", [0, 2])
def test_groups_that_do_not_fit_are_counted(size):
    sums = GramAccumulator(reservoir_size=size)
    for _ in range(3):
        sums.add(np.ones((4, 1)), np.ones(4), groups=["a", "b", "a", "b"])
    assert len(sums.reservoir) == 0
    assert (sums.n_groups, sums.n_rows) == (2, 12)
