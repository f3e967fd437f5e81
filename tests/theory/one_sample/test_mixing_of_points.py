"""Values between the points of a curve: cubics, held among what the points have."""

import numpy as np
import pytest
from scipy.interpolate import BarycentricInterpolator

from sk_deepfeat.theory.one_sample.ridgeless_end import _Mixing

GRID = np.array([0.0, 1.0, 2.5, 3.0, 4.0, 5.5, 7.0])


def mixing(x):
    """Of two curves side by side, of four points and of three more; x lie on the first five."""
    x = np.asarray(x)
    piece = np.clip(np.searchsorted(GRID, x) - 1, 0, 3)
    return _Mixing(GRID, x, piece, np.zeros_like(piece), np.full_like(piece, 5))


def test_cubics_are_mixed_exactly_and_never_below_zero():
    x = np.array([0.0, 0.3, 1.7, 2.9, 3.5, 4.0])
    cubic = np.polynomial.Polynomial([1.0, -1.2, 0.1, 0.05])
    values = cubic(GRID)
    values[5:] = 1e9  # another curve's
    found = mixing(x).mixed(values[:, None] * [1.0, -1.0])
    np.testing.assert_allclose(found[:, 0], np.maximum(cubic(x), 0.0), atol=1e-12)
    np.testing.assert_allclose(found[:, 1], np.maximum(-cubic(x), 0.0), atol=1e-12)
    assert np.any(cubic(x) < 0) and np.any(cubic(x) > 0)


@pytest.mark.parametrize("seed", range(5))
def test_ratios_stay_among_those_of_the_points_that_have_any(seed):
    rng = np.random.default_rng(seed)
    x, ratios = rng.uniform(0.0, 4.0, size=20), rng.uniform(2.0, 3.0, size=(7, 3))
    base = rng.uniform(0.0, 5.0, size=(7, 3)) * (rng.random((7, 3)) < 0.7)
    mixed_base = rng.uniform(0.5, 2.0, size=(20, 3))
    values = ratios * base
    found = mixing(x).mixed_within(values, base, mixed_base)
    for at, k in np.ndindex(20, 3):
        first = int(np.clip(np.searchsorted(GRID, x[at]) - 2, 0, 1))
        points = np.arange(first, first + 4)
        plain = max(float(BarycentricInterpolator(GRID[points], values[points, k])(x[at])), 0.0)
        known = ratios[points, k][base[points, k] > 0]
        low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
        expected = min(max(plain, low * mixed_base[at, k]), high * mixed_base[at, k])
        assert found[at, k] == pytest.approx(expected, rel=1e-6, abs=1e-9)
