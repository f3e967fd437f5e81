"""Intervals of error rates: Wilson's where rows are counted, and what bounds them."""

import numpy as np
import pytest
from scipy.special import stdtrit

from sk_deepfeat.theory import ClassAnswer

CELLS = np.array([[0.2, 0.05], [0.5, 0.4], [0.01, 0.9]])
ROWS = np.array([100.0, 40.0])


def answer(error=CELLS, log_variance=None, *, rows=ROWS, shares=True, degrees=19):
    error = np.asarray(error, dtype=float)
    cells = error.shape[:-1]
    return ClassAnswer(
        error,
        np.ones(cells, bool),
        np.full(cells, 3.0),
        1.1 * error,
        None if log_variance is None else np.broadcast_to(log_variance, error.shape),
        rows,
        shares,
        degrees,
    )


def wilson(error, rows, t):
    """Shares p at which |error - p| is t standard deviations of a mean over so many rows."""
    p = np.roots([1.0 + t * t / rows, -(2.0 * error + t * t / rows), error * error])
    return np.sort(p)


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_rows_that_are_counted_give_the_interval_of_wilson(level):
    rows = np.array([80.0, 30.0])
    found = answer(log_variance=(1.0 - CELLS) / (CELLS * rows), rows=np.full(2, 1000.0))
    lower, upper = found.interval(level)
    t = stdtrit(19, 0.5 + 0.5 * level)
    for i, k in np.ndindex(CELLS.shape):
        ends = wilson(CELLS[i, k], rows[k], t)
        np.testing.assert_allclose((lower[i, k], upper[i, k]), ends, rtol=1e-10)
    assert np.all((lower < CELLS) & (upper > CELLS))


@pytest.mark.parametrize("error", [0.0, 1.0])
def test_where_no_row_is_wrong_all_rows_count(error):
    lower, upper = answer([[error]], 0.0, rows=np.array([100.0])).interval(0.9)
    t = stdtrit(19, 0.95)
    found = np.ravel([lower, upper])
    np.testing.assert_allclose(found, wilson(error, 100.0, t), atol=1e-12)
    of_some = answer([[error]], 0.01, rows=np.array([100.0])).interval(0.9)
    np.testing.assert_array_equal(np.ravel(of_some), found)
    of_no_variance = answer([[0.2]], 0.0, rows=np.array([100.0])).interval(0.9)
    np.testing.assert_allclose(np.ravel(of_no_variance), wilson(0.2, 100.0, t), rtol=1e-10)


def test_shares_are_between_nought_and_one_to_the_last_digit():
    rows = np.arange(2.0, 3000.0)
    for error in (0.0, 1.0):
        lower, upper = answer(np.full((1, rows.size), error), 0.01, rows=rows).interval(0.9)
        assert np.all((lower >= 0.0) & (upper <= 1.0))
        assert np.all((lower <= error) & (upper >= error))


def test_few_errors_tell_no_more_than_all_rows_do():
    """Whatever the variance says: of 100 rows, five wrong ones are as few as none."""
    t = stdtrit(19, 0.95)
    for error, most in ((0.01, 100.0), (0.05, 100.0), (0.2, 400.0)):
        ends = answer([[error]], 1e-9, rows=np.array([100.0])).interval(0.9)
        np.testing.assert_allclose(np.ravel(ends), wilson(error, most, t), rtol=1e-10)


def test_what_is_not_known_has_no_interval_and_what_may_be_anything_the_widest():
    found = answer([[np.nan, 0.3]], [[1.0, np.inf]])
    lower, upper = found.interval(0.9)
    np.testing.assert_array_equal(lower, [[np.nan, 0.0]])
    np.testing.assert_array_equal(upper, [[np.nan, 1.0]])
    assert answer().interval(0.9) is None
    assert answer().average_interval(0.9, np.array([0.5, 0.5])) is None


def test_other_losses_have_the_interval_of_their_logarithm():
    found = answer(7.0 * CELLS, 0.04, shares=False, degrees=9)
    lower, upper = found.interval(0.8)
    np.testing.assert_allclose(np.log(upper / found.error), 0.2 * stdtrit(9, 0.9))
    np.testing.assert_allclose(lower * upper, found.error**2)


def test_a_mean_of_losses_has_the_mean_of_their_ends():
    found, weights = answer(log_variance=0.01), np.array([0.25, 0.75])
    ends = found.interval(0.9)
    for end, mean in zip(ends, found.average_interval(0.9, weights), strict=True):
        np.testing.assert_allclose(mean, 0.25 * end[:, 0] + 0.75 * end[:, 1])


def test_a_record_scaled_and_reshaped():
    share = np.array([1.0, 0.5, np.nan])
    found = answer(log_variance=0.01).scaled(share)
    np.testing.assert_allclose(found.error, CELLS * share[:, None])
    np.testing.assert_allclose(found.cautious_error, 1.1 * CELLS * share[:, None])
    np.testing.assert_array_equal(found.reachable, [True, True, False])
    np.testing.assert_array_equal(found.kappa, [3.0, 3.0, np.nan])
    for variance in (None, 0.01):
        column = answer(log_variance=variance).reshape((3, 1))
        assert column.error.shape == column.cautious_error.shape == (3, 1, 2)
        assert column.reachable.shape == column.kappa.shape == (3, 1)
        np.testing.assert_array_equal(column.error[:, 0], CELLS)
        assert (column.log_variance is None) is (variance is None)
        if variance is not None:
            assert column.log_variance.shape == (3, 1, 2)
    assert answer().decomposition() is None and answer().train_error is None
    assert ClassAnswer(*answer()[:7]).degrees == 1
