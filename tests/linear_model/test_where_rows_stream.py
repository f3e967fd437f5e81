"""Which arrays are summed in blocks, and how many rows of them are kept."""

import numpy as np
import pytest

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.linear_model import _streaming

pytestmark = pytest.mark.filterwarnings("ignore::sk_deepfeat.exceptions.PopulationWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5))
Y = X[:, 0] + RNG.normal(size=300)


def n_kept(X, y, groups=None, **options):
    """Return how many rows a ridge learned its population from."""
    population = options.pop("population", "leave-one-out")
    ridge = DeterministicEquivalentRidge(population=population, **options).fit(X, y, groups=groups)
    factorization = ridge.population_.factorization_
    assert factorization.n_rows == len(X)
    return factorization.sample.n_rows


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int16, np.uint8, bool])
def test_numbers_of_any_type_stream_beyond_the_reservoir(kind):
    rows = (10.0 * np.abs(X)).astype(kind) if kind is not bool else X > 0
    assert n_kept(rows, Y, reservoir_size=100) == 100


@pytest.mark.parametrize(
    ("size", "kept"), [(299, 299), (300, 300), (301, 300), (None, 300), ("auto", 300)]
)
def test_rows_that_fit_are_all_kept(size, kept):
    assert n_kept(X, Y, reservoir_size=size) == kept


def test_wide_rows_are_factorised_as_they_are():
    """Up to twice as many as columns the sums would cost more than they spare."""
    wide = RNG.normal(size=(301, 150))
    assert n_kept(wide[:300], Y, reservoir_size=100) == 300
    assert n_kept(wide, np.r_[Y, 1.0], reservoir_size=100) == 100


def test_by_default_only_huge_arrays_stream(monkeypatch):
    monkeypatch.setattr(_streaming, "RESERVOIR_SIZE", 100)
    groups = np.arange(300) % 60
    assert n_kept(X, Y) == 300
    monkeypatch.setattr(_streaming, "_MOST_ENTRIES", X.size)
    assert n_kept(X, Y) == 300
    monkeypatch.setattr(_streaming, "_MOST_ENTRIES", X.size - 1)
    assert n_kept(X, Y) == 100
    assert n_kept(X, Y, groups=groups) == 300, "with groups one asks for it"
    assert n_kept(X, Y, groups=groups, reservoir_size=100) == 100


def test_a_population_that_needs_all_rows_gets_them():
    assert n_kept(X, Y, reservoir_size=100, population="lanczos") == 300


@pytest.mark.parametrize("size", [1, 0, -5, True, 2.5, "ten", [100]])
def test_no_reservoir(size):
    with pytest.raises(ValueError, match="must be 'auto', None or a whole number of at least 2"):
        DeterministicEquivalentRidge(reservoir_size=size)._reservoir_size()


def test_reservoirs():
    for size, expected in ((2, 2), (np.int8(7), 7), ("auto", _streaming.RESERVOIR_SIZE)):
        assert DeterministicEquivalentRidge(reservoir_size=size)._reservoir_size() == expected
    assert DeterministicEquivalentRidge(reservoir_size=None)._reservoir_size() > 2**40
