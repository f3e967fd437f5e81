import numpy as np
import pytest

from sk_deepfeat.model_selection import four_way_split


def test_parts_are_disjoint_and_cover_all_rows():
    X, y = np.arange(200).reshape(100, 2), np.arange(100)
    parts = four_way_split(X, y, random_state=0)
    assert [len(part) for part in parts] == [10, 25, 25, 40] * 2
    np.testing.assert_array_equal(np.sort(np.concatenate(parts[4:])), y)
    for rows, labels in zip(parts[:4], parts[4:], strict=True):
        np.testing.assert_array_equal(rows[:, 0], 2 * labels)


def test_seed():
    left, right = (four_way_split(np.arange(50), random_state=seed) for seed in (1, 1))
    assert all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))
    other = four_way_split(np.arange(50), random_state=2)
    assert not np.array_equal(left[3], other[3])


def test_shares_may_leave_rows_over():
    parts = four_way_split(np.arange(100), sizes=(0.1, 0.1, 0.1, 0.1), random_state=0)
    assert [len(part) for part in parts] == [10] * 4


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((0.5, 0.5), "four positive shares"),
        ((0.5, 0.5, 0.5, 0.5), "sum to at most 1"),
        ((0.0, 0.3, 0.3, 0.4), "four positive shares"),
        ((0.001, 0.3, 0.3, 0.3), "every part needs at least one row"),
    ],
)
def test_bad_sizes(sizes, message):
    with pytest.raises(ValueError, match=message):
        four_way_split(np.arange(20), sizes=sizes)


def test_bad_arrays():
    with pytest.raises(ValueError, match="at least one array"):
        four_way_split()
    with pytest.raises(ValueError, match="inconsistent"):
        four_way_split(np.arange(20), np.arange(19))


def labels(n_groups=40, n_rows=400, seed=0):
    """Strings of groups of unequal sizes, in no order."""
    codes = np.random.default_rng(seed).integers(n_groups, size=n_rows)
    return np.array([f"site {code}" for code in codes])


def test_parts_hold_whole_groups():
    groups = labels()
    rows = np.arange(400)
    parts = four_way_split(rows, groups, groups=groups, random_state=0)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts[:4])), rows)
    held = [set(part) for part in parts[4:]]
    assert sum(map(len, held)) == len(set(groups)), "no group is in two parts"
    for part, own, size in zip(parts[:4], parts[4:], (40, 100, 100, 160), strict=True):
        np.testing.assert_array_equal(groups[part], own)
        assert abs(part.size - size) <= 15


def test_groups_of_one_row_split_as_rows_do():
    by_rows = four_way_split(np.arange(60), random_state=3)
    by_groups = four_way_split(np.arange(60), groups=np.arange(60), random_state=3)
    assert all(np.array_equal(a, b) for a, b in zip(by_rows, by_groups, strict=True))


def test_four_groups_are_one_for_each_part():
    groups = np.repeat(list("abcd"), [70, 10, 10, 10])
    parts = four_way_split(groups, groups=groups, random_state=0)
    assert sorted(set(part.tolist()).pop() for part in parts) == list("abcd")
    with pytest.raises(ValueError, match="groups has 3 groups of 100 rows: each of the four"):
        four_way_split(groups, groups=np.where(groups == "d", "a", groups))


def test_labels_that_do_not_fit_the_rows():
    with pytest.raises(ValueError, match="groups has 19 labels for 20 rows"):
        four_way_split(np.arange(20), groups=np.arange(19))
