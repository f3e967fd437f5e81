"""Whole groups dealt to parts: none is split, sizes are near, every part has enough."""

import numpy as np
import pytest

from sk_deepfeat.rows import check_groups, deal_groups


def dealt(codes, ends, least, seed=0):
    return deal_groups(codes, ends, least, np.random.RandomState(seed))


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_split_and_no_row_is_lost(seed):
    rng = np.random.default_rng(seed)
    codes = check_groups(rng.integers(40, size=300), 300)
    parts = dealt(codes, (100, 180, 300), (1, 1, 1), seed)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(300))
    held = [set(codes[part]) for part in parts]
    assert not (held[0] & held[1] or held[0] & held[2] or held[1] & held[2])
    largest = np.bincount(codes).max()
    for end, size in zip((100, 180, 300), np.cumsum([part.size for part in parts]), strict=True):
        assert abs(size - end) <= largest / 2


def test_rows_of_a_group_stay_in_order():
    codes = np.array([0, 1, 0, 1, 0, 2, 3, 3])
    for part in dealt(codes, (4, 8), (1, 1)):
        for code in set(codes[part]):
            np.testing.assert_array_equal(part[codes[part] == code], np.flatnonzero(codes == code))


def test_groups_of_one_row_are_a_permutation():
    order = np.random.RandomState(3).permutation(20)
    parts = dealt(np.arange(20), (5, 12), (1, 1), seed=3)
    np.testing.assert_array_equal(np.concatenate(parts), order[:12])
    assert [part.size for part in parts] == [5, 7]


@pytest.mark.parametrize("seed", range(8))
def test_every_part_has_its_groups_however_large_one_is(seed):
    codes = np.repeat([0, 1, 2, 3], [97, 1, 1, 1])
    parts = dealt(codes, (10, 20, 100), (1, 1, 2), seed)
    assert [len(set(codes[part])) for part in parts] == [1, 1, 2]


def test_what_lies_beyond_the_last_end_is_in_no_part():
    (part,) = dealt(np.repeat(np.arange(50), 2), (30,), (1,))
    assert part.size == 30


def test_the_order_is_drawn():
    codes = np.repeat(np.arange(30), 2)
    first, again, other = (dealt(codes, (20,), (1,), seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)
