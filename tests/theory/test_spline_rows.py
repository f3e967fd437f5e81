"""Splines along many rows are those of scipy along each."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from sk_deepfeat.theory.interpolation import interp_columns, log_spline
from sk_deepfeat.theory.spline_rows import SplineRows

SIZES = np.array([5, 2, 3, 40, 4, 2, 3, 17])


def points(seed=0):
    rng = np.random.default_rng(seed)
    xs = [np.sort(5.0 * rng.normal(size=size)) for size in SIZES]
    return xs, [rng.normal(size=(size, 3)) for size in SIZES]


@pytest.mark.parametrize("seed", range(3))
def test_rows_are_splines_of_their_own(seed):
    xs, values = points(seed)
    splines = SplineRows(SIZES, np.concatenate(xs), np.concatenate(values))
    rows = np.repeat(np.arange(SIZES.size), 50)
    at = np.concatenate([np.linspace(x[0], x[-1], 50) for x in xs])
    order = np.random.default_rng(seed).permutation(rows.size)
    found = np.empty((rows.size, 3))
    found[order] = splines(rows[order], at[order])
    for row, (x, v) in enumerate(zip(xs, values, strict=True)):
        expected = CubicSpline(x, v)(at[rows == row])
        np.testing.assert_allclose(found[rows == row], expected, rtol=1e-9, atol=1e-10)
    np.testing.assert_array_equal(splines(rows, at, slice(1, 2)), splines(rows, at)[:, 1:2])


def test_pieces_are_their_polynomials():
    xs, values = points()
    splines = SplineRows(SIZES, np.concatenate(xs), np.concatenate(values))
    first = int(SIZES[:3].sum())
    expected = CubicSpline(xs[3], values[3]).c[:, 7]
    np.testing.assert_allclose(splines.pieces(np.array([first + 7])), expected[:, None], rtol=1e-8)


def test_positive_columns_go_in_their_logarithm():
    xs, values = points()
    values[3] = np.exp(values[3])
    values[3][5, 1] = -1.0
    splines = SplineRows(SIZES, np.concatenate(xs), np.concatenate(values), log=True)
    at = np.linspace(xs[3][0], xs[3][-1], 30)
    expected = log_spline(xs[3], values[3])(at)
    np.testing.assert_allclose(splines(np.full(30, 3), at), expected, rtol=1e-9)


def test_no_rows_have_no_values():
    nothing = np.empty(0)
    splines = SplineRows(np.empty(0, dtype=int), nothing, np.empty((0, 2)), log=True)
    assert splines(np.empty(0, dtype=int), nothing).shape == (0, 2)


def test_columns_are_interpolated_as_each_is():
    rng = np.random.default_rng(0)
    x, columns = np.sort(rng.normal(size=9)), rng.normal(size=(9, 3))
    columns[4, 1], columns[5:, 1] = np.inf, -np.inf
    columns[3, 2] = np.nan
    at = np.r_[x, rng.normal(size=30), -9.0, 9.0]
    for left in (None, np.nan):
        with np.errstate(invalid="ignore"):
            expected = [np.interp(at, x, column, left=left) for column in columns.T]
        found = interp_columns(at, x, columns, left=left)
        np.testing.assert_allclose(found, np.transpose(expected), rtol=1e-12)
    np.testing.assert_array_equal(interp_columns(at, x[:1], columns[:1])[:, 0], columns[0, 0])


def test_of_equal_places_the_last_counts():
    x, columns = np.array([0.0, 1.0, 1.0]), np.array([[0.0], [2.0], [4.0]])
    found = interp_columns(np.array([-1.0, 0.5, 1.0, 2.0]), x, columns)
    assert found[:, 0].tolist() == [0.0, 1.0, 4.0, 4.0]
