"""What counts as a spectrum, a number of samples, an alpha, a flag, a level."""

import numpy as np
import pytest

from sk_deepfeat.theory.sparse import is_sparse, sparse_rows_of
from sk_deepfeat.theory.validation import (
    MOST_ALPHA,
    alpha_of_mean_weight,
    any_array,
    check_alpha,
    check_callable,
    check_cells,
    check_eigenvalues,
    check_flag,
    check_level,
    check_n_samples,
    is_finite,
    is_real,
    is_whole,
    numeric_targets,
    real_array,
    whole_number,
)
from sk_deepfeat.theory.weight_spectra import power_law_spectrum


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
def test_rounding_below_nought_is_nought(unit):
    given = unit * np.array([-1.9e-13, 0.0, 1.0])
    np.testing.assert_array_equal(check_eigenvalues(given), unit * np.array([0.0, 0.0, 1.0]))
    assert given[0] < 0.0, "the caller's array stays"
    with pytest.raises(ValueError, match="cannot be negative; the lowest is"):
        check_eigenvalues(unit * np.array([-3.1e-13, 0.0, 1.0]))


def test_a_spectrum_of_nothing_is_one():
    np.testing.assert_array_equal(check_eigenvalues([0, 0]), [0.0, 0.0])


def test_an_activation_can_be_called():
    check_callable(np.tanh)
    with pytest.raises(TypeError, match="gate='relu' must be an activation object or a function"):
        check_callable("relu", "gate")


@pytest.mark.parametrize(
    ("values", "message"),
    [([], "non-empty 1-d"), (1.0, "non-empty 1-d"), ([[1.0]], "1-d"), ([1.0, np.inf], "finite")],
)
def test_no_spectrum(values, message):
    with pytest.raises(ValueError, match=message):
        check_eigenvalues(values)


@pytest.mark.parametrize(
    ("check", "least", "message"),
    [(check_n_samples, 1.0, "finite and at least 1"), (check_alpha, 0.0, "finite and not neg")],
)
def test_cells_are_numbers_from_their_least_on(check, least, message):
    found = check([[least, 7.0]])
    assert found.dtype == np.float64 and found.shape == (1, 2)
    assert check(np.float32(least)) == least and check(7) == 7.0
    below = np.nextafter(least, -1.0)
    for wrong in (below, np.inf, np.nan):
        with pytest.raises(ValueError, match=message) as caught:
            check([[7.0, wrong], [below - 3.0, 7.0]])
        assert str(caught.value).endswith(f"got {float(wrong)!r}."), "the first wrong one is told"
    with pytest.raises(ValueError, match=r"^size must be"):
        check([np.nan], "size")
    for wrong in (True, "1", None, 1j):
        with pytest.raises(TypeError, match="must be numeric"):
            check(wrong)


def test_cells_broadcast():
    n, alpha = check_cells([[1], [2]], [0.0, 1.0, 2.0])
    assert n.shape == alpha.shape == (2, 3)
    np.testing.assert_array_equal(n[:, 0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"n_samples of shape \(2,\) and alpha of shape \(3,\)"):
        check_cells([1, 2], [0.0, 1.0, 2.0])


def test_flags_and_levels():
    assert check_flag(np.True_, "flag") is True and check_flag(False, "flag") is False
    for wrong in (1, 0, None, "True"):
        with pytest.raises(TypeError, match=f"flag={wrong!r} must be True or False"):
            check_flag(wrong, "flag")
    assert check_level(np.float32(0.5)) == 0.5 and check_level(0.999) == 0.999
    for wrong in (0, 0.0, 1, 1.0, -0.1, np.nan, "0.9", None):
        with pytest.raises(ValueError, match="must lie between 0 and 1"):
            check_level(wrong)


def test_real_numbers_are_not_copied_without_need():
    values = np.ones(3)
    assert real_array(values, "X") is values and numeric_targets(values) is values
    assert real_array([True, 2], "X").dtype == numeric_targets([True, False]).dtype == np.float64
    for wrong in ([1j], ["a"], [{}], [[1], [1, 2]]):
        with pytest.raises(TypeError, match="X must be real numbers; got"):
            real_array(wrong, "X")
    with pytest.raises(ValueError, match=r"y must hold numbers; got .*'a'"):
        numeric_targets([["a", "b"]])


@pytest.mark.parametrize("kind", ["coo", "csc", "csr", "lil"])
def test_sparse_rows_have_one_form(kind):
    scipy_sparse = pytest.importorskip("scipy.sparse")
    twice = scipy_sparse.coo_array(
        (np.array([200, 100, 5, 0], dtype=np.uint8), ([0, 0, 1, 1], [2, 2, 1, 0])), shape=(2, 3)
    )
    # Formats that add entries do so in their own type; only the first keeps them apart.
    given = twice if kind == "coo" else twice.astype(float).asformat(kind)
    rows = sparse_rows_of(given, "X")
    assert is_sparse(rows) and rows.format == "csr" and rows.dtype == np.float64
    assert rows.has_canonical_format and np.all(rows.data)
    np.testing.assert_array_equal(rows.toarray(), [[0.0, 0.0, 300.0], [0.0, 5.0, 0.0]])
    assert not is_sparse(rows.toarray())
    assert np.shares_memory(sparse_rows_of(rows, "X").data, rows.data)
    with pytest.raises(TypeError, match="X must be real numbers; got complex128"):
        sparse_rows_of(given.astype(complex), "X")


@pytest.mark.parametrize("exponent", [-2.0, 0.0, 0.5, 3.0, 2000.0, -2000.0])
def test_a_power_law_has_trace_one(exponent):
    found = power_law_spectrum(exponent, 6, "weights")
    assert found.shape == (6,) and found.sum() == pytest.approx(1.0, rel=1e-14)
    assert np.all(np.isfinite(found))
    if abs(exponent) < 100:
        np.testing.assert_allclose(found / found[0], np.arange(1.0, 7.0) ** -exponent, rtol=1e-12)
    for wrong in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"weights is .*, but an exponent must be finite"):
            power_law_spectrum(wrong, 6, "weights")


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int8, int, float])
def test_finite_numbers_of_any_precision(kind):
    assert is_finite(kind(2)) and is_finite(kind(-2))
    if kind not in (np.int8, int):
        assert not is_finite(kind("inf")) and not is_finite(kind("nan"))
    assert not is_finite(10**400) and not is_finite(True) and not is_finite("2")


@pytest.mark.parametrize(
    ("check", "name"),
    [(numeric_targets, "y"), (check_alpha, "alpha"), (lambda v: real_array(v, "mean"), "mean")],
)
def test_masked_entries_are_refused_by_name(check, name):
    with pytest.raises(ValueError, match=f"^{name} has masked entries"):
        check(np.ma.masked_equal([1.0, 2.0], 2.0))
    whole = np.ma.masked_equal([1.0, 2.0], 3.0)
    np.testing.assert_array_equal(check(whole), [1.0, 2.0])


def test_alpha_in_units_of_a_weight_that_no_quotient_holds():
    found = alpha_of_mean_weight(np.array([0.0, 3.0, np.nan]), 2.0)
    np.testing.assert_array_equal(found, [0.0, 1.5, np.nan])
    assert alpha_of_mean_weight(1e-12, 5e-324) == MOST_ALPHA


def test_whole_numbers_have_an_end():
    assert whole_number(2**60, "n") == 2**60
    for wrong in (2**60 + 1, 10**400):
        with pytest.raises(ValueError, match=r"n=.* must be at most 1,152,921,504,606,846,976"):
            whole_number(wrong, "n")


def test_durations_are_no_numbers():
    """NumPy counts them among the integers."""
    duration = np.timedelta64(3, "D")
    assert not is_real(duration) and not is_whole(duration) and not is_finite(duration)
    assert is_real(3.5) and is_whole(3) and is_whole(np.int8(3)) and not is_whole(3.0)
    assert not is_real(True) and not is_whole(True)
    with pytest.raises(ValueError, match="n="):
        whole_number(duration, "n")


def test_arrays_of_anything():
    assert any_array(["a", 1], "labels").shape == (2,)
    with pytest.raises(TypeError, match="labels must be an array"):
        any_array([[1], [1, 2]], "labels")


def test_targets_in_uneven_lists():
    with pytest.raises(ValueError, match=r"y must hold numbers; got \[\[1\], \[1, 2\]\]"):
        numeric_targets([[1], [1, 2]])
