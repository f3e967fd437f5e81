"""The best alphas of several outputs, against a search for each of them alone."""

import numpy as np
import pytest

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.theory.alpha_search import AlphaSearch
from sk_deepfeat.theory.output_search import OutputSearch

N_ROWS = 100.0


def errors_of_outputs(n, alpha):
    """Four outputs: one known everywhere; one that has its best alpha at the edge of what is known
    for twice the rows, but not for four times; one that is then known everywhere; one always known
    from some alpha on."""
    n, alpha = np.broadcast_arrays(n, alpha)
    with np.errstate(divide="ignore"):
        log_alpha = np.log10(alpha)
    bowl = 1.0 + 10.0 / n + 0.01 * np.square(np.clip(log_alpha, -20.0, 20.0))
    slope = 1.05 + 0.02 * (np.clip(log_alpha, -20.0, 20.0) + 3.0)
    twice = (n > N_ROWS) & (n <= 2.0 * N_ROWS)
    at_edge = np.where(twice, np.where(alpha < 1e-3, np.nan, slope), bowl)
    beyond = np.where((n > 2.0 * N_ROWS) & (alpha < 1e-6), np.nan, at_edge)
    from_there = np.where((n > N_ROWS) & (alpha < 1e-4), np.nan, bowl)
    return np.stack([bowl, beyond, at_edge, from_there], axis=-1)


def test_each_output_has_the_alphas_of_a_search_of_its_own():
    sizes = N_ROWS * np.array([0.5, 1.0, 2.0, 4.0])

    def pair(n, alpha):
        return (errors_of_outputs(n, alpha),) * 2

    with pytest.warns(PopulationWarning):
        alpha, share = OutputSearch(pair, 4, 1.0, N_ROWS).best_of_outputs(sizes)
    for k in range(4):

        def alone(n, at, k=k):
            return (errors_of_outputs(n, at)[..., k],) * 2

        search = AlphaSearch(alone, 1.0, N_ROWS)
        if k in (1, 2):
            with pytest.warns(PopulationWarning):
                expected = [found.alpha for found in search.best(sizes)]
        else:
            expected = [found.alpha for found in search.best(sizes)]
        np.testing.assert_allclose(alpha[:, k], expected, rtol=0.03)
    known = ~np.isnan(alpha)
    assert np.all(share[known] == 1.0) and np.all(np.isnan(share[~known]))
    np.testing.assert_array_equal(known[-1], [True, False, True, True])
