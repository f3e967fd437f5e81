"""Rows that are no independent draws are noticed where a population learns from them."""

import warnings

import numpy as np
import pytest

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import GCVPopulation, LeaveOneOutPopulation

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 20))
Y = X[:, 0] + RNG.normal(size=120)


def grouped(seed=0):
    rng = np.random.default_rng(seed)
    site = rng.permutation(np.repeat(np.arange(100), 6))
    rows = rng.normal(size=(100, 200))[site] + 0.5 * rng.normal(size=(600, 200))
    return rows, rows[:, 0] + rng.normal(size=100)[site] + rng.normal(size=600), site


@pytest.mark.parametrize("population", ["leave-one-out", "gcv"])
def test_rows_in_groups_are_noticed(population):
    rows, y, site = grouped()
    ridge = DeterministicEquivalentRidge(1.0, population=population)
    with pytest.warns(PopulationWarning, match=r"too low by \d+ %. Pass groups="):
        ridge.fit(rows, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DeterministicEquivalentRidge(1.0).fit(rows, y, groups=site)


@pytest.mark.parametrize("population", [LeaveOneOutPopulation(), GCVPopulation()])
def test_independent_rows_are_left_in_peace(population):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        population.fit(X, Y)


def test_exact_copies_are_one_draw():
    rows, y = np.r_[X, X[:30]], np.r_[Y, Y[:30]]
    labels = np.r_[np.arange(120), np.arange(30)]
    with pytest.warns(PopulationWarning, match="30 of 150 rows are exact copies of others"):
        found = DeterministicEquivalentRidge(5.0).fit(rows, y)
    named = DeterministicEquivalentRidge(5.0).fit(rows, y, groups=labels)
    assert found.test_error_ == pytest.approx(named.test_error_, rel=1e-12)
    assert found.n_groups_ is None, "the user named none"


def test_copies_without_weight_are_none():
    rows, y = np.r_[X, X[:30]], np.r_[Y, Y[:30]]
    weights = np.r_[np.ones(120), np.zeros(30)]
    found = DeterministicEquivalentRidge(5.0).fit(rows, y, sample_weight=weights)
    once = DeterministicEquivalentRidge(5.0).fit(X, Y)
    assert found.test_error_ == pytest.approx(once.test_error_, rel=1e-10)


def test_a_population_without_groups_says_what_copies_do():
    with pytest.warns(PopulationWarning, match="errors are too low .* Drop the copies"):
        GCVPopulation().fit(np.r_[X, X[:30]], np.r_[Y, Y[:30]])


def test_copies_in_discrete_tables_are_draws():
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 2, size=(400, 6)).astype(float)
    y = rows[:, 0] + rng.integers(0, 2, size=400)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ridge = DeterministicEquivalentRidge(1.0).fit(rows, y)
    assert np.isfinite(ridge.predict_test_error(1))
