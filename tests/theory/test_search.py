"""Searches for a least value and for a smallest sufficient number, against slow ones."""

from itertools import pairwise

import numpy as np
import pytest

from sk_deepfeat.theory import minimize_on_log_scale, smallest_sufficient
from sk_deepfeat.theory.search import LARGEST_N, first_sufficient


@pytest.mark.parametrize("least", [1e-5, 0.37, 2e6])
def test_the_least_of_a_bowl(least):
    asked = []

    def bowl(x):
        asked.append(x)
        return 3.0 + np.log(x / least) ** 2

    found = minimize_on_log_scale(bowl, 1e-6, 1e7)
    assert found.argument == pytest.approx(least, rel=1e-4)
    assert found.value == pytest.approx(3.0, abs=1e-8)
    assert not found.at_low and not found.at_high
    assert len(asked) == 7 and asked[0].size == 16 * 13 + 1
    np.testing.assert_allclose(asked[0][[0, -1]], [1e-6, 1e7], rtol=1e-12)
    assert all(each.size == 33 for each in asked[1:])
    # Each range is the two steps about the best point before.
    for before, after in pairwise(asked):
        step = np.diff(np.log(before))[0]
        assert np.ptp(np.log(after)) == pytest.approx(2.0 * step, rel=1e-6)


def test_few_points_and_no_zooms():
    asked = []

    def line(x):
        asked.append(x)
        return x

    found = minimize_on_log_scale(line, 1.0, 100.0, points_per_decade=2, zooms=0)
    assert found == (1.0, 1.0, True, False) and [x.size for x in asked] == [9]
    minimize_on_log_scale(line, 1.0, 1e4, points_per_decade=2, zooms=0)
    assert asked[-1].size == 9
    minimize_on_log_scale(line, 1.0, 1e5, points_per_decade=2, zooms=0)
    assert asked[-1].size == 11


@pytest.mark.parametrize(("sign", "low", "high"), [(1.0, True, False), (-1.0, False, True)])
def test_a_least_value_at_an_end(sign, low, high):
    found = minimize_on_log_scale(lambda x: sign * np.log(x), 0.1, 10.0)
    assert (found.at_low, found.at_high) == (low, high)
    assert found.argument == pytest.approx(0.1 if low else 10.0)
    # The ends are those of what is available.
    known = minimize_on_log_scale(
        lambda x: np.where((x > 0.5) & (x < 5.0), sign * np.log(x), np.nan), 0.1, 10.0
    )
    assert (known.at_low, known.at_high) == (low, high)
    assert known.argument == pytest.approx(0.5 if low else 5.0, rel=1e-3)


def test_nothing_available_has_no_least_value():
    found = minimize_on_log_scale(lambda x: np.full(x.shape, np.nan), 0.1, 10.0)
    assert np.isnan(found.argument) and np.isnan(found.value)
    assert not found.at_low and not found.at_high


def slow(error, target, largest):
    n = np.arange(1.0, largest + 1.0)
    reached = n[error(n) <= target]
    return reached[0] if reached.size else np.nan


@pytest.mark.parametrize("target", [5.0, 0.9, 0.5, 0.2, 0.11, 0.1001])
@pytest.mark.parametrize("largest", [1.0, 2.0, 60.0, 5000.0, 10.0**6])
def test_an_error_that_falls_is_searched_by_doubling(target, largest):
    def error(n):
        return 0.1 + 1.0 / n**0.8

    found = smallest_sufficient(error, target, monotone=True, largest=largest)
    np.testing.assert_equal(found, slow(error, target, largest))
    np.testing.assert_equal(
        smallest_sufficient(error, target, monotone=False, largest=largest), found
    )


@pytest.mark.parametrize("target", [0.9, 0.5, 0.35])
def test_the_first_crossing_of_an_error_that_rises_again(target):
    """Double descent: eight points an octave see a valley of a third of one."""

    def error(n):
        return 1.0 / n**0.3 + 3.0 * np.exp(-((np.log(n / 100.0) / 0.5) ** 2))

    found = smallest_sufficient(error, target, monotone=False, largest=5000.0)
    assert found == slow(error, target, 5000)


def test_a_search_begins_and_ends_where_it_is_told():
    asked = []

    def error(n):
        asked.extend(np.atleast_1d(n))
        return 100.0 / n

    assert smallest_sufficient(error, 0.5, monotone=True, smallest=30.0, largest=1e6) == 200.0
    assert min(asked) >= 30.0 or min(asked) >= 29.0
    asked.clear()
    assert np.isnan(smallest_sufficient(error, 1e-9, monotone=True, largest=3e4))
    assert max(asked) <= 3e4
    assert smallest_sufficient(lambda n: 1e12 / n, 1.0, monotone=True) == 1e12
    assert LARGEST_N > 1e15


def test_an_error_that_has_settled_ends_the_search_and_a_plateau_before_does_not():
    asked = []

    def settled(n):
        asked.append(np.max(n))
        return np.where(n < 1e5, 1.0, 0.5)

    assert np.isnan(smallest_sufficient(settled, 0.6, monotone=True))
    assert max(asked) < 100.0
    assert smallest_sufficient(settled, 0.6, monotone=True, settled_from=1e6) == 1e5
    slowly = smallest_sufficient(lambda n: 1.0 - 1e-4 * np.log2(n), 0.998, monotone=True)
    assert slowly == 2.0**20


def test_sizes_without_an_error():
    """Less than the rows of one group is not available, nor what is beyond reach."""
    few = smallest_sufficient(
        lambda n: np.where(n < 500, np.nan, 1000.0 / n), 0.5, monotone=True, largest=1e6
    )
    assert few == 2000.0
    beyond = smallest_sufficient(
        lambda n: np.where(n > 1000, np.nan, 1000.0 / n), 0.5, monotone=True, largest=1e6
    )
    assert np.isnan(beyond)


@pytest.mark.parametrize("needed", [1, 2, 7, 8, 99, 4097, 123_456])
@pytest.mark.parametrize("power", [0.1, 1.0, 4.0])
def test_a_number_between_two_is_found_with_few_questions(needed, power):
    asked = []

    def error(n):
        asked.append(n)
        assert np.all((n > 0) & (n < 2e5)) and np.all(np.diff(n) > 0)
        return (n / needed) ** -power

    assert first_sufficient(error, 1.0, 0.0, 2e5) == needed
    assert len(asked) <= 14
    known = {float(n): float((n / needed) ** -power) for n in (needed * 2, needed * 3, 2e5)}
    count = len(asked)
    assert first_sufficient(error, 1.0, 0.0, 2e5, known) == needed
    assert len(asked) - count <= 14
    assert first_sufficient(error, 1.0, needed - 1.0, float(needed)) == needed


@pytest.mark.parametrize("least", [1.07e-6, 1e7 / 1.07])
def test_the_least_of_a_bowl_beside_an_end(least):
    found = minimize_on_log_scale(lambda x: np.log(x / least) ** 2, 1e-6, 1e7)
    assert found.argument == pytest.approx(least, rel=1e-4)


def test_a_valley_of_an_eighth_of_an_octave_is_seen():
    def error(n):
        return np.where((n >= 1000) & (n <= 1095), 0.01, 1.0 / n**0.3)

    assert smallest_sufficient(error, 0.05, monotone=False, largest=5000.0) == 1000.0


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
def test_an_error_has_settled_by_its_share_of_itself(unit):
    asked = []

    def error(n):
        asked.append(np.max(n))
        return unit * (1.0 - 1e-7 * np.log2(n))

    assert np.isnan(smallest_sufficient(error, 0.5 * unit, monotone=True))
    assert max(asked) < 100.0
    steeper = [1.0 - 1e-6 * k for k in range(200)]
    found = smallest_sufficient(
        lambda n: unit * np.interp(np.log2(n), np.arange(200), steeper),
        unit * steeper[20],
        monotone=True,
    )
    assert found == 2.0**20


@pytest.mark.parametrize("needed", [99, 4097, 123_456])
@pytest.mark.parametrize("power", [0.1, 1.0, 4.0])
def test_where_an_error_is_a_power_of_n_two_known_ones_tell_where_it_reaches(needed, power):
    asked = []

    def error(n):
        asked.append(n)
        return ((n - 0.5) / needed) ** -power

    target, middle = float(error(np.array([needed]))[0]), np.sqrt(needed * 2e5)
    asked.clear()
    known = {n: float(((n - 0.5) / needed) ** -power) for n in (2.0, np.floor(middle), 2e5)}
    assert first_sufficient(error, target * (1 + 1e-12), 1.0, 2e5, known) == needed
    assert len(asked) <= 4


@pytest.mark.parametrize("target", [0.0, -1.0])
@pytest.mark.parametrize("monotone", [True, False])
def test_a_target_that_has_no_logarithm(target, monotone):
    """Nought, as of errors that vanish, or less, as of scores turned round."""

    def error(n):
        return np.maximum(target, 5.0 - n / 100.0)

    assert smallest_sufficient(error, target, monotone=monotone) == 500.0 - 100.0 * target


@pytest.mark.parametrize("beyond", [0.0, np.inf])
def test_errors_that_vanish_or_are_infinite_have_no_logarithm_either(beyond):
    def error(n):
        found = np.maximum(0.0, 1.0 - n / 2000.0)
        return np.where(n < 20, beyond, found) if beyond else found

    assert smallest_sufficient(error, 0.5, monotone=True) == 1000.0
    known = {20.0: 0.99, 2500.0: 0.0, 3000.0: 0.0}
    assert first_sufficient(error, 0.5, 20.0, 3000.0, known) == 1000.0


def test_an_infinite_error_has_not_settled():
    """As of a peak that a whole batch of sizes is on."""

    def error(n):
        return np.where(n < 3000, np.inf, 4000.0 / n)

    for monotone in (True, False):
        assert smallest_sufficient(error, 1.0, monotone=monotone) == 4000.0


@pytest.mark.parametrize("smallest", [0.0, -1.0])
def test_a_search_begins_above_zero(smallest):
    with pytest.raises(ValueError, match=r"smallest=.* must be one finite number above 0"):
        smallest_sufficient(lambda n: 1.0 / n, 0.5, monotone=True, smallest=smallest)
