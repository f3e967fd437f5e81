"""Labels of groups: of any kind, and what is wrong with them in words."""

import datetime
import warnings

import numpy as np
import pytest
from sklearn.exceptions import DataConversionWarning

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.rows import check_groups

MIXED = ["b", 2, ("a", 1), frozenset({1}), 1.5, None.__class__, b"b", datetime.date(2024, 1, 1)]
KINDS = {
    "integers": np.array([5, -3, 5, 9, -3, 9]),
    "floats": np.array([5.0, -3.0, 5.0, 0.5, -3.0, 0.5]),
    "booleans": np.array([True, False, True, False, False, True]),
    "strings": np.array(["b", "a", "b", "c", "a", "c"]),
    "objects": np.array(["b", 1, "b", ("c",), 1, ("c",)], dtype=object),
    "dates": np.array(["2024-01-02", "2023-01-01"] * 3, dtype="datetime64[D]"),
    "nanoseconds": np.array([7, 3, 7, 5, 3, 5], dtype="timedelta64[ns]"),
    "list": ["b", "a", "b", 3, "a", 3],
    "tuples": [(1, "x"), (1, "y"), (1, "x"), (2, "x"), (1, "y"), (2, "x")],
    "tuple of labels": ("b", "a", "b", "c", "a", "c"),
    "range": range(6),
}


def explicit(labels):
    """Return the codes by comparing every label with those before it."""
    seen = []
    for label in labels:
        if not any(label == other for other in seen):
            seen.append(label)
    return [next(i for i, other in enumerate(seen) if label == other) for label in labels]


@pytest.mark.parametrize("kind", KINDS)
def test_codes_count_in_order_of_first_appearance(kind):
    labels = KINDS[kind]
    codes = check_groups(labels, 6)
    assert codes.dtype == np.intp and codes.shape == (6,)
    np.testing.assert_array_equal(codes, explicit(list(labels)))


def test_labels_of_any_mixture():
    order = np.random.default_rng(0).integers(len(MIXED), size=40)
    labels = [MIXED[i] for i in order]
    np.testing.assert_array_equal(check_groups(labels, 40), explicit(labels))


def test_equal_as_keys_are():
    np.testing.assert_array_equal(check_groups([1, "1", 1.0, "1", True, 2], 6), [0, 1, 0, 1, 0, 2])


def test_structured_labels():
    labels = np.array([(1, "x"), (1, "y"), (1, "x")], dtype=[("site", int), ("day", "U1")])
    np.testing.assert_array_equal(check_groups(labels, 3, warn=False), [0, 1, 0])


@pytest.mark.parametrize("kind", ["category", "string", "Int64", "object"])
def test_pandas(kind):
    pandas = pytest.importorskip("pandas", reason="its labels need it")
    labels = [4, 1, 4, 2] if kind == "Int64" else ["d", "a", "d", "b"]
    series = pandas.Series(labels, dtype=kind, index=[7, 8, 9, 9])
    np.testing.assert_array_equal(check_groups(series, 4), [0, 1, 0, 2])
    series = pandas.Series([*labels[:3], None], dtype=kind)
    with pytest.raises(ValueError, match="1 missing labels, the first in row 3"):
        check_groups(series, 4)


def test_a_column_is_ravelled():
    with pytest.warns(DataConversionWarning, match=r"shape \(4, 1\)"):
        codes = check_groups(np.array([[1], [2], [1], [3]]), 4)
    np.testing.assert_array_equal(codes, [0, 1, 0, 2])


MASKED = np.ma.masked_array([1, 2, 1, 2], mask=[0, 0, 1, 0])


@pytest.mark.parametrize(
    ("groups", "count", "row"),
    [
        (np.array([1.0, np.nan, 2.0, np.nan]), 2, 1),
        (np.array(["2024", "NaT", "2025", "2025"], dtype="datetime64[D]"), 1, 1),
        (np.array([1, 1, 1, "NaT"], dtype="timedelta64[ns]"), 1, 3),
        (["a", None, None, None], 3, 1),
        (["a", "b", "c", float("nan")], 1, 3),
        ([("a", 1), ("a", None), ("a", float("nan")), ("b", 1)], 2, 1),
        (MASKED, 1, 2),
    ],
)
def test_missing_labels_are_counted(groups, count, row):
    with pytest.raises(ValueError, match=f"groups has {count} missing labels.* row {row}: .*Drop"):
        check_groups(groups, 4)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("patients", "groups='patients' must be an array of one label per row, or \"blocks\""),
        ("blocks", r'groups="blocks" is for .*pass a label.*block_groups\(n_rows, block_length'),
        (3, "groups=3 must be an array of one label per row"),
        (np.array(3), "must be an array of one label per row"),
        (np.array("blocks"), "must be an array of one label per row"),
        ({1: 2}, "must be an array of one label per row"),
        ({1, 2, 3, 4}, "must be an array of one label per row"),
        ((label for label in "abcd"), "must be an array of one label per row"),
        ([1, 2, 3], "groups has 3 labels for 4 rows; it needs one for each row"),
        ([], "groups has 0 labels for 4 rows"),
        (np.ones((4, 2)), r"groups has shape \(4, 2\); it must have one axis.*tuples"),
        (np.ones((1, 4)), r"groups has shape \(1, 4\)"),
        (["a"] * 4, "groups has one group, 'a'; at least two are needed"),
    ],
)
def test_what_is_no_grouping(groups, message):
    with pytest.raises(ValueError, match=message):
        check_groups(groups, 4)


@pytest.mark.parametrize("label", [[1, 2], {1: 2}, np.array([1, 2])])
def test_a_label_that_cannot_be_compared(label):
    with pytest.raises(TypeError, match=r"groups\[2\]=.*not hashable; name groups by"):
        check_groups(["a", "b", label, "a"], 4)


def test_a_group_of_more_than_half_the_rows_is_said():
    with pytest.warns(PopulationWarning, match="Group 'a' holds 3 of 5 rows") as caught:
        check_groups(list("aabac"), 5)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_groups(list("aabbab"), 6)  # half is not more
        check_groups(list("aabac"), 5, warn=False)
