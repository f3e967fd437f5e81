"""Where functions are cut for integrals: at kinks and jumps, and nowhere else."""

from itertools import pairwise

import numpy as np
import pytest

from sk_deepfeat.theory.networks import gaussian_quadrature
from sk_deepfeat.theory.networks.gaussian_quadrature import gaussian_nodes, smooth_breakpoints

OCTAVES = np.array([-2.0, -1.0, -0.5, -0.25, -0.125, 0.0, 0.125, 0.25, 0.5, 1.0, 2.0])


@pytest.mark.parametrize("ends", [(-4.0, 4.0), (-3.0, 4.0), (-4.0, 2.5)])
def test_smooth_functions_are_cut_at_powers_of_two_only(ends):
    for function in (np.sin, np.exp, np.zeros_like, lambda x: x**15):
        np.testing.assert_array_equal(smooth_breakpoints(function, *ends), OCTAVES)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
@pytest.mark.parametrize("place", [0.3, -1.7, 3.1])
def test_kinks_and_jumps_are_found_and_their_neighbourhoods_merged(place, scale):
    for function in (
        lambda x: scale * (np.abs(x - place) + np.sin(x)),
        lambda x: scale * (np.where(x > place, 1.0, 0.0) + np.sin(x)),
    ):
        found = smooth_breakpoints(function, -4.0, 4.0)
        cuts = np.setdiff1d(found, OCTAVES)
        assert cuts.size in (1, 2)
        np.testing.assert_allclose(cuts, place, rtol=1e-7)


def test_single_precision_is_smooth_up_to_its_rounding():
    found = smooth_breakpoints(lambda x: np.sin(np.asarray(x, dtype=np.float32)), -4.0, 4.0)
    np.testing.assert_array_equal(found, OCTAVES)


def test_too_many_pieces_are_refused():
    with pytest.raises(ValueError, match=r"more than 2048 pieces between -4 and 4"):
        smooth_breakpoints(lambda x: np.cos(1e5 * x), -4.0, 4.0)


@pytest.mark.parametrize("kind", [bool, np.int8, np.float16, object])
def test_values_of_any_kind(kind):
    found = smooth_breakpoints(lambda x: (x > 0.5).astype(kind), -4.0, 4.0)
    np.testing.assert_array_equal(found, OCTAVES)


def test_a_narrow_range_is_one_piece():
    assert smooth_breakpoints(np.tanh, 0.13, 0.2).size == 0


def test_fast_waves_are_cut_where_a_polynomial_ends():
    """Each piece is an interpolation of degree 15 within the tolerance."""
    edges = np.r_[-4.0, smooth_breakpoints(lambda x: np.cos(20 * x), -4.0, 4.0), 4.0]
    nodes = np.polynomial.legendre.leggauss(16)[0]
    for left, right in pairwise(edges):
        half, middle = 0.5 * (right - left), 0.5 * (right + left)
        coefs = np.polynomial.legendre.legfit(nodes, np.cos(20 * (middle + half * nodes)), 15)
        x = np.linspace(-1.0, 1.0, 41)
        miss = np.polynomial.legendre.legval(x, coefs) - np.cos(20 * (middle + half * x))
        assert np.abs(miss).max() < 1e-9
    assert edges.size < 40


def test_weights_of_units_with_other_cuts():
    """Moments of the normal law, whatever cuts, in a block of units."""
    cuts = np.array([[-3.0, 0.3], [0.3, 0.3], [-12.0, 12.0]])
    (nodes,) = gaussian_nodes(cuts)
    for power, moment in enumerate((1.0, 0.0, 1.0, 0.0, 3.0, 0.0, 15.0)):
        np.testing.assert_allclose(
            np.sum(nodes.weights * nodes.z**power, axis=1), moment, atol=1e-12
        )
    above = np.sum(nodes.weights * (nodes.z > 0.3), axis=1)
    np.testing.assert_allclose(above[:2], 0.3820885778110474, rtol=1e-12)


def test_coefficients_of_legendre_polynomials_are_unit_vectors():
    at_nodes = np.polynomial.legendre.legvander(gaussian_quadrature._NODES, 15)
    np.testing.assert_allclose(gaussian_quadrature._TO_COEFS @ at_nodes, np.eye(16), atol=1e-12)
