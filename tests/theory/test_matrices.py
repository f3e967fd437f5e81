"""Which matrices are second moments, up to rounding."""

import numpy as np
import pytest

from sk_deepfeat.theory.matrices import (
    check_covariance,
    check_definite,
    check_lowest_eigenvalue,
    check_symmetric,
    eigh_psd,
    has_cholesky,
)

ROOT = np.random.default_rng(0).normal(size=(5, 3))
LOW_RANK = ROOT @ ROOT.T


def with_lowest(lowest):
    """A matrix whose largest eigenvalue is 100 and whose lowest is given."""
    vectors = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
    matrix = (vectors * [100.0, 30.0, 1.0, lowest]) @ vectors.T
    return 0.5 * (matrix + matrix.T)


@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e8])
def test_symmetric_is_up_to_rounding_of_the_largest_entry(unit):
    matrix = unit * LOW_RANK
    assert check_symmetric(matrix, "M") is matrix
    assert check_symmetric(np.eye(2, dtype=int), "M").dtype == np.float64
    size = np.abs(matrix).max()
    off = np.zeros((5, 5))
    off[0, 1] = 1.0
    np.testing.assert_array_equal(check_symmetric(matrix + 5e-11 * size * off, "M").shape, (5, 5))
    with pytest.raises(ValueError, match="M must be symmetric"):
        check_symmetric(matrix + 3e-8 * size * off, "M")


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones(3), r"M must be a square matrix; got shape \(3,\)"),
        (np.ones((2, 3)), r"got shape \(2, 3\)"),
        (np.ones((2, 2, 2)), "must be a square"),
        (np.ones((0, 0)), "must be a square"),
        ([[1.0, np.nan], [np.nan, 1.0]], "M must be finite"),
    ],
)
def test_no_symmetric_matrix(matrix, message):
    with pytest.raises(ValueError, match=message):
        check_symmetric(matrix, "M")


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_rounding_of_eigenvalues_is_nought(unit):
    values, vectors = eigh_psd(unit * LOW_RANK, "M")
    np.testing.assert_array_equal(values[:2], 0.0)
    np.testing.assert_allclose(values[2:], unit * np.linalg.eigvalsh(ROOT.T @ ROOT), rtol=1e-10)
    np.testing.assert_allclose((vectors * values) @ vectors.T, unit * LOW_RANK, atol=1e-12 * unit)
    # What is above rounding stays as it is.
    values, _ = eigh_psd(np.diag([1.0, 1e-13, 0.0]) * unit, "M")
    np.testing.assert_array_equal(values, [0.0, 1e-13 * unit, unit])


@pytest.mark.parametrize("check", [eigh_psd, check_covariance])
def test_what_is_below_nought_by_more_than_rounding_is_refused(check):
    check(with_lowest(-5e-9), "M")
    with pytest.raises(ValueError, match=r"its lowest eigenvalue is .*-(2\.|1\.99999)"):
        check(np.diag([1.0, -2.0]), "M")
    with pytest.raises(ValueError, match="M must be positive semi-definite; its lowest eig"):
        check(with_lowest(-5e-8), "M")


def test_a_matrix_of_nothing_but_nought():
    values, _ = eigh_psd(np.zeros((3, 3)), "M")
    np.testing.assert_array_equal(values, 0.0)


def test_a_covariance_may_be_a_diagonal():
    np.testing.assert_array_equal(check_covariance([2, 0, 1], "C"), [2.0, 0.0, 1.0])
    np.testing.assert_array_equal(check_covariance(LOW_RANK, "C"), LOW_RANK)
    for diagonal in ([1.0, -1e-300], [1.0, np.inf], [np.nan, 1.0]):
        with pytest.raises(ValueError, match="C, given as a diagonal, must be finite and not neg"):
            check_covariance(diagonal, "C")
    with pytest.raises(ValueError, match=r"or its diagonal, such as .*; got the number 1.0"):
        check_covariance(1.0, "C")
    with pytest.raises(ValueError, match="C must be a square matrix"):
        check_covariance([], "C")


def test_definite_is_up_to_a_tolerance():
    check_definite(with_lowest(-0.1), 0.11, "M")
    check_definite(with_lowest(0.0), 1e-9, "M")
    with pytest.raises(ValueError, match=r"M must be .*; its lowest eigenvalue is -0.1\."):
        check_definite(with_lowest(-0.1), 0.09, "M")
    with pytest.raises(ValueError, match=r"here -0\.1"):
        check_definite(with_lowest(-0.1), 0.09, "M", "{name}: here {lowest:.3g}")


def test_a_lowest_eigenvalue_may_be_the_bound():
    check_lowest_eigenvalue(-0.25, 0.25, "M")
    with pytest.raises(ValueError, match=r"is -0\.250001\."):
        check_lowest_eigenvalue(-0.250001, 0.25, "M")


def test_cholesky_of_a_shifted_matrix():
    assert has_cholesky(with_lowest(-0.1), 0.2) and not has_cholesky(with_lowest(-0.1), 0.05)
    assert has_cholesky(with_lowest(0.1), 0.0) and not has_cholesky(with_lowest(0.1), -0.2)
