"""Searches along alpha for many sizes at once, and for the number of samples, against slow ones."""

import warnings

import numpy as np
import pytest
from searched_errors import curve, kinked, search_of

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.theory import minimize_on_log_scale, smallest_sufficient
from sk_deepfeat.theory.alpha_lattice import least_along_alpha
from sk_deepfeat.theory.alpha_search import AlphaSearch
from sk_deepfeat.theory.search import first_sufficient

SIZES = np.array([3.0, 50.0, 700.0, 1e5])


@pytest.mark.parametrize("sparing", [True, False])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("errors", [curve, kinked])
def test_rows_are_minimised_as_each_is(errors, shared, sparing):
    low, high = 1e-13 * SIZES, 1e6 * SIZES
    asked = []

    def rows(alphas):
        asked.append(alphas)
        return errors(SIZES[:, None], alphas)

    zooms = np.full(4, 6)
    found = least_along_alpha(rows, low, high, zooms=zooms, shared=shared, sparing=sparing)
    for k, n in enumerate(SIZES):
        alone = minimize_on_log_scale(lambda a, n=n: errors(n, a), low[k], high[k])
        assert found.value[k] == pytest.approx(alone.value, rel=1e-7)
        assert found.alpha[k] == pytest.approx(alone.argument, rel=1e-3)
    assert not found.at_high.any()
    distinct = np.unique(asked[0]).size
    assert distinct < 200 if shared else distinct > 500
    assert sum(each.shape[1] for each in asked[1:]) == 6 * (12 if sparing else 30)


def test_ends_and_rows_without_errors():
    sizes = np.array([10.0, 20.0, 30.0])

    def errors(alphas):
        found = 1.0 / (1.0 + alphas)
        found[1], found[2] = np.nan, alphas[2]
        return found

    found = least_along_alpha(errors, sizes, 1e4 * sizes, zooms=np.array([3, 3, 0]))
    np.testing.assert_array_equal(found.at_high, [True, False, False])
    assert np.isnan(found.alpha[1]) and np.isnan(found.value[1])
    assert found.alpha[2] == pytest.approx(30.0)
    assert found.alpha[0] >= 0.999e5


def test_no_error_stands_where_the_best_alpha_is_not_known():
    search = search_of(lambda n, alpha: np.where(n > 100, np.nan, curve(n, alpha)), n_rows=100.0)
    with pytest.warns(PopulationWarning, match="At n_samples=1000 the best alpha lies beyond"):
        alphas, share = search.best_cells(np.array([[50.0], [1000.0]]))
    assert alphas.shape == share.shape == (2, 1)
    assert alphas[0, 0] == search.best(np.array([50.0]))[0].alpha
    np.testing.assert_array_equal(share, [[1.0], [np.nan]])
    assert alphas[1, 0] == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_a_crossing_is_found_whatever_the_error_does(seed):
    """Smooth, rough, with gaps or infinite: n reaches the target and n - 1 does not."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=4000) * rng.choice([0.0, 0.01, 0.5])
    power, asked = rng.uniform(0.2, 3.0), []

    def error(n):
        asked.append(n.size)
        found = (n / 500.0) ** -power * np.exp(noise[n.astype(int)])
        found[(n % 7 == 3) & (seed % 4 == 1)] = np.nan
        found[(n < 700) & (seed % 4 == 2)] = np.inf
        return found

    below, reached = 100.0, 3000.0
    target = float(error(np.array([1300.0]))[0]) if seed % 4 != 1 else 0.3
    if not error(np.array([reached]))[0] <= target or error(np.array([below]))[0] <= target:
        return
    needed = first_sufficient(error, target, below, reached)
    assert error(np.array([needed]))[0] <= target
    assert not error(np.array([needed - 1.0]))[0] <= target
    assert len(asked) < 20


def test_an_optimum_does_not_depend_on_what_is_asked_beside_it():
    def pairs(n, alpha):
        n, alpha = np.broadcast_arrays(n, np.maximum(alpha, 1e-30))
        found = curve(n, alpha)
        return found, np.where(n > 500, found * (1.0 + 0.1 / alpha), found)

    together = AlphaSearch(pairs, 1.0, 1e3).best(SIZES[:3])
    alone = [AlphaSearch(pairs, 1.0, 1e3).best(SIZES[k : k + 1])[0] for k in range(3)]
    assert together == alone


@pytest.mark.parametrize("largest", [1.0, 7.0, 16.0, 1000.0, 1024.0])
def test_a_short_range_is_searched_from_above(largest):
    """To the same number as from below, and not beyond its end; NaN where that does not reach."""
    for needed in (1.0, 2.0, 3.0, 7.0, 8.0, 100.0, 513.0, 999.0, 1000.0, 1001.0, 2000.0):
        asked = []

        def error(n, needed=needed, asked=asked):
            asked.extend(n)
            return np.where(n < 2, np.nan, 1.0 / n) if needed > 1.0 else 1.0 / n

        found = smallest_sufficient(error, 1.0 / needed, monotone=True, largest=largest)
        assert found == needed if needed <= largest else np.isnan(found)
        assert max(asked) == largest


def beyond_a_bound(n, alpha):
    """Of more than 1000 rows caution wants larger alphas than what 1000 reach allows."""
    n, alpha = np.broadcast_arrays(n, np.maximum(alpha, 1e-30))
    x = np.log(alpha)
    found = np.where(n > 1e3, 0.99, 1.0) + 0.01 * x**2
    return found, np.where(n > 1e3, found * np.exp(2.0 * np.maximum(3.0 - x, 0.0)), found)


def of_noise(n, alpha):
    n, alpha = np.broadcast_arrays(n, np.maximum(alpha, 1e-30))
    found = 1.0 + 1.0 / (1.0 + alpha) + 1.0 / n
    return found, np.where(n > 1e3, found * (1.0 + 0.1 / (1.0 + alpha)), found)


def test_errors_that_a_bound_excludes_do_not_keep_falling():
    with warnings.catch_warnings():
        warnings.simplefilter("error", PopulationWarning)
        found = AlphaSearch(beyond_a_bound, 1.0, 1e3).best(np.array([2e3]))[0]
    assert not found.at_high
    assert found.error == pytest.approx(0.99, rel=1e-6)


@pytest.mark.parametrize("n", [500.0, 2e3])
def test_errors_of_noise_keep_falling(n):
    with pytest.warns(PopulationWarning, match="keeps falling up to"):
        assert AlphaSearch(of_noise, 1.0, 1e3).best(np.array([n]))[0].at_high


def test_features_of_nothing_have_a_scale():
    def level(n, alpha):
        found = np.ones(np.broadcast(n, alpha).shape)
        return found, found

    found = AlphaSearch(level, 0.0, np.inf).best(np.array([10.0]))[0]
    assert found.error == 1.0
