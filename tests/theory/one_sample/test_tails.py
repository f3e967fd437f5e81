"""Tail indices of known distributions, and gaps that they do not have."""

import numpy as np
import pytest
from scipy.stats import chi, f

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.tails import Tail, chi_tail, hill_tail, standing_apart


@pytest.mark.parametrize("exponent", [1.0, 2.5, 6.0])
def test_index_of_a_power_law(exponent):
    """Within four of the standard errors that it states, and these are those of repetition."""
    rng = np.random.default_rng(0)
    tails = [hill_tail(rng.pareto(exponent, size=2000) + 1.0) for _ in range(300)]
    found = np.array([tail.inverse_index for tail in tails])
    assert found.mean() == pytest.approx(1.0 / exponent, rel=0.02)
    stated = np.mean([tail.standard_error for tail in tails])
    assert found.std() == pytest.approx(stated, rel=0.15)
    assert tails[0].exponent == pytest.approx(1.0 / found[0])


@pytest.mark.parametrize("freedom", [1.0, 10.0])
def test_tail_of_chi_is_that_of_draws(freedom):
    draws = chi.rvs(freedom, size=(200, 1000), random_state=0)
    measured = np.mean([hill_tail(row).inverse_index for row in draws])
    assert chi_tail(freedom, 1000).inverse_index == pytest.approx(measured, rel=0.02)


@pytest.mark.parametrize("count", [1, 3, 20])
def test_those_that_stand_apart_are_found(count):
    rng = np.random.default_rng(0)
    values = chi.rvs(30, size=1000, random_state=1)
    places = rng.choice(1000, count, replace=False)
    values[places] *= 10.0
    found = standing_apart(values)
    assert set(found) == set(places)
    assert np.all(np.diff(values[found]) <= 0)


def test_no_power_law_has_a_gap():
    rng = np.random.default_rng(0)
    for exponent in (1.0, 4.5):
        draws = rng.pareto(exponent, size=(500, 300)) + 1.0
        assert sum(standing_apart(row).size > 0 for row in draws) <= 1


def test_error_of_an_exponent_is_that_of_its_inverse():
    low, high = Tail(0.4 + 1e-6, 0.0).exponent, Tail(0.4 - 1e-6, 0.0).exponent
    assert Tail(0.4, 1e-6).exponent_error == pytest.approx(0.5 * (high - low), rel=1e-6)


@pytest.mark.parametrize(("values", "expected"), [([1.0, 9.0], 9.0), ([3.0, 5.0, 30.0, 1.0], 6.0)])
def test_of_few_numbers_the_largest_is_the_tail(values, expected):
    found = hill_tail(np.array(values))
    assert found == pytest.approx((np.log(expected), np.log(expected)))


@pytest.mark.parametrize("n", [5, 19, 20, 300])
def test_tail_of_chi_is_that_of_its_quantiles(n):
    quantiles = chi.isf((np.arange(n) + 0.5) / n, 4.0)
    assert chi_tail(4.0, n) == pytest.approx(hill_tail(quantiles), rel=1e-9)


def with_spacings(n, first, place):
    """Falling numbers whose log gaps times their rank are one, but for one of them."""
    spacings = np.ones(n - 1)
    spacings[place] = first
    return np.exp(-np.cumsum(np.r_[0.0, spacings / np.arange(1, n)]))


@pytest.mark.parametrize(("n", "place", "mean_of"), [(30, 0, 10), (39, 0, 10), (300, 2, 30)])
def test_a_gap_stands_out_where_chance_would_not_make_it(n, place, mean_of):
    """The ratio of an exponential to the mean of k others is F with 2 and 2k degrees of freedom."""
    bound = f.isf(np.exp(-tuning.OUTSIZE_SPACINGS), 2, 2 * mean_of)
    assert standing_apart(with_spacings(n, 0.999 * bound, place)).size == 0
    found = standing_apart(with_spacings(n, 1.001 * bound, place))
    np.testing.assert_array_equal(found, np.arange(place + 1))


def test_only_the_fewest_stand_apart():
    """A twentieth of them, or one; of two numbers none, which have no other gap."""
    assert standing_apart(np.array([1.0, 1e9])).size == 0
    for n, most in ((30, 1), (59, 2)):
        for count in (most, most + 1):
            values = np.exp(-1e-3 * np.arange(n))
            values[:count] *= 1e9
            assert standing_apart(values).size == (count if count <= most else 0)


def test_those_that_are_equally_large_stand_in_order():
    values = np.exp(-1e-3 * np.random.default_rng(0).permutation(1000))
    places = np.arange(5, 1000, 25)
    values[places] = 1e9
    np.testing.assert_array_equal(standing_apart(values), places)
