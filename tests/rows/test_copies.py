import numpy as np
import pytest
import scipy.sparse as sp

from sk_deepfeat.rows import copies
from sk_deepfeat.rows.copies import exact_copies


def draws(n=300, p=7, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, p)), rng.normal(size=n), rng


def same_partition(codes, other):
    """Say whether two labellings put the same rows together."""
    pairs = {(a, b) for a, b in zip(codes, other, strict=True)}
    return len(pairs) == len(set(codes)) == len(set(other))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("outputs", [1, 3])
def test_copies_of_continuous_rows_get_one_label(dtype, outputs):
    X, _, rng = draws()
    Y = rng.normal(size=(300, outputs))
    origin = rng.permutation(np.r_[np.arange(300), [4, 4, 17, 250]])
    found = exact_copies(X[origin].astype(dtype), Y[origin])
    assert found.n_copies == 4
    assert same_partition(found.codes, origin)


def test_labels_count_up_in_the_order_of_the_rows():
    X, y, _ = draws(5)
    found = exact_copies(X[[3, 0, 3, 1, 0]], y[[3, 0, 3, 1, 0]])
    np.testing.assert_array_equal(found.codes, [0, 1, 0, 2, 1])


def test_the_same_row_with_another_target_is_no_copy():
    X, y, _ = draws()
    assert exact_copies(X[[0, 1, 1]], np.array([0.0, 1.0, 2.0])) == (0, None)
    assert exact_copies(X, y) == (0, None)


def test_no_copy_where_one_bit_differs():
    X, y, _ = draws(4)
    X[3], y[3] = X[0], y[0]
    assert exact_copies(X, y).n_copies == 1
    X[3, 6] = np.nextafter(X[3, 6], 9.0)
    assert exact_copies(X, y).n_copies == 0


def test_zero_and_minus_zero_are_the_same():
    X, y, _ = draws(20)
    X[[2, 5]] = X[2]
    X[2, 1], X[5, 1] = 0.0, -0.0
    y[[2, 5]] = 0.0, -0.0
    found = exact_copies(X, y)
    assert found.n_copies == 1 and found.codes[2] == found.codes[5]


@pytest.mark.parametrize(
    "targets", ["of the row", "of two classes"], ids=["deterministic", "classes"]
)
def test_copies_in_discrete_tables_are_only_counted(targets):
    rng = np.random.default_rng(1)
    factors = rng.integers(5, size=(400, 4))
    X = np.hstack([np.eye(5)[factor] for factor in factors.T])
    y = factors.sum(axis=1) if targets == "of the row" else factors[:, 0] % 2
    found = exact_copies(X, y.astype(float))
    assert found.n_copies == 400 - len(np.unique(factors, axis=0)) > 50
    assert found.codes is None


def test_features_computed_from_a_discrete_table_are_only_counted():
    rng = np.random.default_rng(2)
    factors = rng.integers(4, size=(800, 3))
    table = np.hstack([np.eye(4)[factor] for factor in factors.T])
    X = np.maximum(table @ rng.normal(size=(12, 30)), 0.0)
    found = exact_copies(X, factors[:, 0].astype(float))
    assert found.n_copies == 800 - len(np.unique(factors, axis=0))
    assert found.codes is None


def test_one_continuous_column_among_discrete_ones_makes_copies_no_chance():
    rng = np.random.default_rng(3)
    X = np.column_stack([rng.integers(3, size=(500, 9)), rng.normal(size=500)]).astype(float)
    y = rng.integers(2, size=500).astype(float)
    origin = np.r_[np.arange(500), np.arange(40)]
    found = exact_copies(X[origin], y[origin])
    assert found.n_copies == 40 and same_partition(found.codes, origin)


def test_rows_resampled_with_replacement_are_copies():
    X, y, rng = draws()
    origin = rng.integers(300, size=300)
    found = exact_copies(X[origin], y[origin])
    assert found.n_copies == 300 - len(set(origin))
    assert same_partition(found.codes, origin)


def test_whole_numbers_do_not_collide():
    rng = np.random.default_rng(4)
    X = (rng.random((3000, 40)) < 0.5).astype(float)
    assert exact_copies(X, np.zeros(3000)).n_copies == 3000 - len(np.unique(X, axis=0)) == 0


def test_large_numbers_do_not_overflow_into_a_wrong_answer():
    X, y, _ = draws(50)
    X *= 1e307
    X[7], y[7] = X[3], y[3]
    found = exact_copies(X, y)
    assert found.n_copies == 1 and found.codes[7] == found.codes[3]


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"shapes \(3, 2\) and \(2, 1\)"):
        exact_copies(np.zeros((3, 2)), np.zeros(2))


def test_few_rows_of_whole_numbers_are_only_counted():
    few = np.array([[1, 3], [2, 5], [4, 1]])
    assert exact_copies(np.repeat(few, 4, axis=0), np.repeat([1, 2, 3], 4)) == (9, None)
    assert exact_copies(np.repeat(few + 0.25, 4, axis=0), np.repeat([1, 2, 3], 4)).codes is not None


@pytest.mark.parametrize("columns", [6, 7])
def test_sparse_rows_are_told_apart_as_dense_ones(columns):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, columns)) * (rng.random((40, columns)) < 0.4)
    X[30:] = X[:10]
    X[5, :] = -0.0
    y = np.r_[np.arange(30.0), np.arange(8.0), -1.0, -2.0]
    for given in (sp.csr_array(X), sp.coo_matrix(X)):
        found, expected = exact_copies(given, y), exact_copies(X, y)
        assert found.n_copies == expected.n_copies > 0
        np.testing.assert_array_equal(found.codes, expected.codes)
    pairs = (copies._hashes(x, y[:, None]) for x in (sp.csr_array(X), X))
    np.testing.assert_array_equal(*pairs)
