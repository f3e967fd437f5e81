"""Answers by blocks of cells are those of all cells at once."""

import numpy as np
import pytest

from sk_deepfeat.populations import LeaveOneOutPopulation
from sk_deepfeat.theory.one_sample import cells


@pytest.mark.parametrize("variance", [True, False])
@pytest.mark.parametrize("extrapolate", [True, False])
def test_blocks_change_nothing(variance, extrapolate, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 40))
    Y = X[:, :3] + rng.normal(size=(120, 3))
    surface = LeaveOneOutPopulation().fit(X, Y).surface_
    asked = np.meshgrid([20.0, 120.0, 400.0], np.r_[0.0, np.geomspace(0.1, 1e3, 7)])
    n, alpha = (part.ravel() for part in asked)
    whole = surface.answer(n, alpha, extrapolate=extrapolate, variance=variance)
    monkeypatch.setattr(cells, "_BLOCK_ENTRIES", 15)
    parts = surface.answer(n, alpha, extrapolate=extrapolate, variance=variance)
    for name, expected in whole._asdict().items():
        found = getattr(parts, name)
        if expected is None:
            assert found is None
        else:
            assert np.shape(found) == np.shape(expected)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_a_weight_of_zero_hides_what_is_not_known():
    weight, bad = np.array([0.0, 1.0, 0.25, 0.5]), np.array([np.inf, np.nan])
    found = cells.mixed(weight, np.r_[bad[0], 2.0, 4.0, np.inf], np.r_[3.0, bad[1], 8.0, 1.0])
    np.testing.assert_array_equal(found, [3.0, 2.0, 7.0, np.inf])
