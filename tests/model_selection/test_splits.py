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
