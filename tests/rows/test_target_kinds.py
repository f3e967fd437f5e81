"""What targets are given as, and which of them look like classes."""

import warnings

import numpy as np
import pytest

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.rows import target_kind, warn_of_classes


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        ([1, 2], "integers"),
        (np.array([1, 2], dtype=np.uint8), "integers"),
        (np.array([1, 2], dtype=object), "integers"),
        ([[1, 0], [0, 1]], "integers"),
        ([True, False], "booleans"),
        (np.array([True, 1], dtype=object), "booleans"),
        (["1", "2"], "strings"),
        ([b"a", b"b"], "strings"),
        (np.array(["a", 1.0, True], dtype=object), "strings"),
        ([1.0, 2.0], "numbers"),
        (np.array([1, 2.0], dtype=object), "numbers"),
        (np.array([]), "numbers"),
        (np.array([], dtype=object), "numbers"),
        (None, "numbers"),
    ],
)
def test_kinds(y, kind):
    assert target_kind(y) == kind


@pytest.mark.parametrize(
    ("values", "dtype", "kind"),
    [
        ([1, 2], "Int64", "integers"),
        ([1, None], "Int64", "integers"),
        ([True, False], "boolean", "booleans"),
        (["a", "b"], "string", "strings"),
        (["a", "b"], "category", "strings"),
        ([1, 2], "category", "integers"),
        ([1, 2], "Float64", "numbers"),
    ],
)
def test_kinds_of_columns(values, dtype, kind):
    pandas = pytest.importorskip("pandas")
    column = pandas.Series(values, dtype=dtype)
    assert target_kind(column) == kind
    assert target_kind(column.dropna().to_frame()) == kind


ROWS = np.arange(120)


@pytest.mark.parametrize(
    "y",
    [ROWS % 2, ROWS % 20, ROWS % 3 - 1, (ROWS % 3)[:100], (ROWS % 3)[:, None], ROWS % 2 == 0],
)
def test_what_looks_like_classes(y):
    values = np.unique(y).astype(int)
    told = f"{len(values)} distinct values, from {values[0]} to {values[-1]}.*RidgeClassifier"
    with pytest.warns(PopulationWarning, match=told):
        warn_of_classes(target_kind(y), y.astype(float))


@pytest.mark.parametrize(
    "y",
    [
        ROWS % 3 * 1.0,
        (ROWS % 3)[:99],  # too few rows
        ROWS % 21,  # too many values
        ROWS % 3 * 2,  # gaps
        np.where(ROWS % 2, 1, -1),
        np.ones(120, dtype=int),
        np.eye(3, dtype=int)[ROWS % 3],
        np.append(ROWS % 3, 10**15),
    ],
)
def test_what_does_not(y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_classes(target_kind(y), y.astype(float))
