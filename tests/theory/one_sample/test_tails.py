"""Tail indices of known distributions, and gaps that they do not have."""

import numpy as np
import pytest
from scipy.stats import chi

from sk_deepfeat.theory.one_sample.tails import chi_tail, hill_tail, standing_apart


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
