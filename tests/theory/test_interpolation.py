"""Interpolants at their points, between them, beyond them, and where numbers are not finite."""

import numpy as np
import pytest

from sk_deepfeat.theory.interpolation import interp_columns, interp_log, log_spline

X = np.array([0.5, 2.0, 3.0, 40.0])
INF = np.inf


def test_a_power_law_is_a_line_on_logarithmic_scales():
    at = np.geomspace(0.5, 40.0, 30).reshape(5, 6)
    np.testing.assert_allclose(interp_log(at, X, 7.0 * X**-1.5), 7.0 * at**-1.5, rtol=1e-13)
    line = 2.0 - 3.0 * np.log(X)
    found = interp_log(at, X, line, log_values=False)
    np.testing.assert_allclose(found, 2.0 - 3.0 * np.log(at), rtol=1e-12, atol=1e-13)


def test_beyond_its_points_and_at_nought_it_is_constant():
    values = np.array([4.0, 1.0, 2.0, 0.0])
    np.testing.assert_allclose(interp_log([0.0, 0.1, 0.5], X, values), 4.0, rtol=1e-15)
    last = interp_log([40.0, 1e9], X, values)
    assert np.all((last > 0.0) & (last < 1e-300)), "nought has no logarithm"
    np.testing.assert_array_equal(interp_log([0.0, 1e9], X, values, log_values=False), [4.0, 0.0])


@pytest.mark.parametrize("left", [None, -5.0])
def test_columns_are_interpolated_as_each_is(left):
    columns = np.random.default_rng(0).normal(size=(4, 3))
    at = np.array([-1.0, 0.49, 0.5, 0.6, 2.0, 2.7, 3.0, 39.0, 40.0, 41.0])
    found = interp_columns(at, X, columns, left=left)
    expected = np.stack([np.interp(at, X, column, left=left) for column in columns.T], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("left", [None, -5.0])
def test_one_point_stands_for_all(left):
    columns = np.array([[1.0, 2.0]])
    found = interp_columns(np.array([0.0, 3.0, 9.0]), np.array([3.0]), columns, left=left)
    first = columns[0] if left is None else [left, left]
    np.testing.assert_array_equal(found, [first, columns[0], columns[0]])
    found[0] = 7.0
    assert columns[0, 0] == 1.0, "it is no view"


def test_two_points_make_a_line():
    found = interp_columns(
        np.array([1.0, 1.25, 3.0]), np.array([1.0, 2.0]), np.array([[2.0], [6.0]])
    )
    np.testing.assert_array_equal(found, [[2.0], [3.0], [6.0]])


def test_of_equal_places_the_last_counts():
    x, columns = np.array([1.0, 2.0, 2.0, 3.0]), np.array([[0.0], [1.0], [5.0], [6.0]])
    np.testing.assert_array_equal(
        interp_columns(np.array([1.0, 1.5, 2.0, 2.5]), x, columns).ravel(), [0.0, 0.5, 5.0, 5.5]
    )
    ends = np.array([1.0, 2.0, 2.0])
    assert interp_columns(np.array([2.0]), ends, columns[:3]).item() == 5.0


def test_between_a_number_and_an_infinite_one():
    """The points themselves are exact; half-way to infinity is infinity, whichever comes first."""
    x = np.array([0.0, 1.0, 2.0])
    columns = np.array([[1.0, INF, INF, -INF], [INF, 2.0, INF, -INF], [3.0, INF, INF, 4.0]])
    found = interp_columns(np.array([0.0, 0.25, 1.0, 1.75, 2.0]), x, columns)
    np.testing.assert_array_equal(
        found,
        [
            [1.0, INF, INF, -INF],
            [INF, INF, INF, -INF],
            [INF, 2.0, INF, -INF],
            [INF, INF, INF, -INF],
            [3.0, INF, INF, 4.0],
        ],
    )


def test_between_infinities_of_both_signs_nothing_is_known():
    columns = np.array([[INF, -INF], [-INF, INF]])
    found = interp_columns(np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0]), columns)
    np.testing.assert_array_equal(found, [[INF, -INF], [np.nan, np.nan], [-INF, INF]])


def test_what_is_not_known_stays_so():
    x, columns = np.array([0.0, 1.0, 2.0]), np.array([[1.0], [np.nan], [3.0]])
    found = interp_columns(np.array([0.0, 0.5, 1.5, 2.0]), x, columns).ravel()
    np.testing.assert_array_equal(found, [1.0, np.nan, np.nan, 3.0])


@pytest.mark.parametrize("monotone", [False, True])
def test_a_positive_column_is_splined_in_its_logarithm(monotone):
    x = np.linspace(0.0, 3.0, 9)
    at = np.linspace(0.0, 3.0, 41)
    law = np.exp(0.7 * x)
    np.testing.assert_allclose(log_spline(x, law, monotone=monotone)(at), np.exp(0.7 * at), 1e-12)
    both = np.stack([law, 1.0 - x], axis=1)
    found = log_spline(x, both, monotone=monotone)(at)
    np.testing.assert_allclose(found, np.stack([np.exp(0.7 * at), 1.0 - at], 1), 1e-11, 1e-12)
    touching = np.stack([law, x], axis=1)  # nought is not positive
    found = log_spline(x, touching, monotone=monotone)(at)
    np.testing.assert_allclose(found, np.stack([np.exp(0.7 * at), at], 1), 1e-11, 1e-12)


def test_a_monotone_spline_has_no_bump_of_its_own():
    x, steps = np.arange(6.0), np.array([1.0, 1.0, 1.0, 9.0, 9.0, 9.0])
    at = np.linspace(0.0, 5.0, 101)
    found = log_spline(x, steps, monotone=True)(at)
    assert np.all(np.diff(found) >= -1e-12) and found.max() <= 9.0 + 1e-12
    assert log_spline(x, steps)(at).max() > 9.1
