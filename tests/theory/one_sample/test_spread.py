"""Random subsets: how many rows each has, and how evenly they lie."""

import numpy as np
import pytest

from sk_deepfeat.theory import RowClasses, RowGroups, ridge_factorization
from sk_deepfeat.theory.one_sample.spread import spread


def counts_of(subsets, n_rows):
    for rows in subsets:
        assert np.all(np.diff(rows) > 0), "ascending, none twice"
    return np.bincount(np.concatenate(subsets), minlength=n_rows)


@pytest.mark.parametrize(("size", "n_subsets"), [(7, 3), (20, 5), (33, 3), (70, 4), (99, 2)])
def test_rows_are_drawn_equally_often(size, n_subsets):
    subsets = spread(100, size, n_subsets, 0)
    assert [rows.size for rows in subsets] == [size] * n_subsets
    assert np.ptp(counts_of(subsets, 100)) <= 1
    again, other = spread(100, size, n_subsets, 0), spread(100, size, n_subsets, 1)
    assert all(map(np.array_equal, subsets, again)) and not all(map(np.array_equal, subsets, other))


def test_rows_that_are_neighbours_are_not_drawn_together():
    assert len(set(np.diff(spread(1000, 100, 2, 0)[0]))) > 10
    assert not np.array_equal(spread(1000, 100, 2, 0)[0], spread(1000, 101, 2, 0)[0][:100])


@pytest.mark.parametrize(("size", "count"), [(1, 1), (7, 1), (8, 2), (27, 5), (55, 11), (59, 11)])
@pytest.mark.parametrize("balanced", [False, True])
def test_groups_are_drawn_whole_and_at_least_one_is_left(size, count, balanced):
    number = np.random.default_rng(0).permutation(np.repeat(np.arange(12), 5))
    classes = RowClasses(number % 3, 3, balanced=balanced)
    subsets = spread(60, size, 4, 0, RowGroups(number), classes)
    drawn = counts_of(subsets, 60)
    for rows in subsets:
        assert np.unique(number[rows]).size == count and rows.size == 5 * count
    assert np.ptp(drawn) <= 1


@pytest.mark.parametrize(
    ("of_class", "size", "expected"),
    [
        ([50, 30, 20], 10, [5, 3, 2]),
        ([50, 30, 20], 11, [6, 3, 2]),  # 5.5, 3.3, 2.2
        ([50, 30, 20], 13, [6, 4, 3]),  # 6.5, 3.9, 2.6: the largest two of what is left
        ([90, 9, 1], 20, [18, 1, 1]),  # 18, 1.8, 0.2: one at least makes them twenty
        ([97, 2, 0, 1], 3, [2, 1, 0, 1]),  # 2.9: or one more than that
        ([5] * 40, 50, [2] * 10 + [1] * 30),  # of equal ones the first
        ([5, 6] * 20, 55, [1, 2] * 15 + [1, 1] * 5),
        ([3, 3], 5, [3, 2]),
    ],
)
def test_balanced_classes_have_their_own_share_of_each_subset(of_class, size, expected):
    label = np.random.default_rng(0).permutation(np.repeat(np.arange(len(of_class)), of_class))
    classes = RowClasses(label, len(of_class), balanced=True)
    subsets = spread(label.size, size, 3, 0, None, classes)
    for rows in subsets:
        np.testing.assert_array_equal(np.bincount(label[rows], minlength=len(of_class)), expected)
    drawn = counts_of(subsets, label.size)
    assert all(np.ptp(drawn[label == k]) <= 1 for k in range(len(of_class)) if of_class[k])
    plain = spread(label.size, size, 3, 0, None, RowClasses(label, len(of_class)))
    assert [rows.size for rows in plain] == [size] * 3


def test_classes_are_drawn_apart():
    """Of two classes in turn, different rows of their own."""
    classes = RowClasses(np.arange(100) % 2, 2, balanced=True)
    (rows, _) = spread(100, 20, 2, 0, None, classes)
    assert not np.array_equal(rows[rows % 2 == 0] // 2, rows[rows % 2 == 1] // 2)


def test_halves_that_are_at_hand_are_the_subsets_of_that_size():
    """Of the seed that is used unless another one is asked for."""
    X = np.random.default_rng(0).normal(size=(41, 3))
    halves = ridge_factorization(X, X[:, 0]).halves
    for mine, other in zip(halves.rows, spread(41, 20, 2, 0), strict=True):
        np.testing.assert_array_equal(mine, other)
