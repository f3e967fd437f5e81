"""The estimate of squared bias and noise that rises with κ."""

from functools import partial

import numpy as np
import pytest
from samples import LinearPopulation, power_law

from sk_deepfeat.theory import leave_one_out_curve, ridge_factorization
from sk_deepfeat.theory.interpolation import log_spline
from sk_deepfeat.theory.one_sample.bias_and_noise import BiasAndNoise, rising_estimate
from sk_deepfeat.theory.one_sample.nodes import CurveNodes, nodes_at


def curve_of(n0):
    population = LinearPopulation(power_law(120, 0.5), np.ones(120))
    return leave_one_out_curve(ridge_factorization(*population.sample(n0)))


def nodes(moment, error):
    """Nodes a factor of e apart in κ, with mean a and mean e² as given; one output."""
    kappa = np.exp(np.arange(len(moment), dtype=float))
    columns = [np.array(values, float)[:, None] for values in (moment, error)]
    moment, error = columns
    return CurveNodes(kappa, kappa, error, error, moment, error, np.zeros_like(kappa))


def test_what_rises_stays():
    found = nodes([1.0, 2.0, 4.0, 5.0], [3.0, 3.0, 5.0, 6.0])
    np.testing.assert_array_equal(rising_estimate(found, 10**6), found.bias_and_noise)


def test_what_falls_is_averaged_by_the_inverse_square_of_its_noise():
    """Three and two, at a noise of one and two: weights one and a quarter, so that 2.8."""
    found = rising_estimate(nodes([1.0, 3.0, 2.0, 5.0], [4.0, 2.0, 4.0, 6.0]), 10**6)
    np.testing.assert_allclose(found[:, 0], [1.0, 2.8, 2.8, 5.0])


def test_steps_of_kappa_count():
    """The same with the first of the two standing for twice the length in log κ: 26/9."""
    given = nodes([1.0, 3.0, 2.0, 5.0], [4.0, 2.0, 4.0, 6.0])
    log_kappa = np.array([0.0, 3.0, 4.0, 5.0])  # half-distances of the neighbours: 2 and 1
    found = rising_estimate(given._replace(kappa=np.exp(log_kappa)), 10**6)
    first, second = np.gradient(log_kappa)[1:3] / np.array([2.0, 4.0]) ** 2
    expected = (3.0 * first + 2.0 * second) / (first + second)
    np.testing.assert_allclose(found[1:3, 0], expected)
    assert expected == pytest.approx(26.0 / 9.0)


def test_what_is_lost_in_noise_is_that_of_the_next_kappa():
    """With N = 100 the noise is a tenth of mean e²: below a fifth of it nothing is known."""
    found = rising_estimate(nodes([-3.0, 0.5, 2.1, 5.0], [10.0, 10.0, 10.0, 10.0]), 100)
    np.testing.assert_allclose(found[:, 0], [2.1, 2.1, 2.1, 5.0])
    # With more rows the same numbers are known, but the negative one.
    found = rising_estimate(nodes([-3.0, 0.5, 2.1, 5.0], [10.0, 10.0, 10.0, 10.0]), 10**6)
    np.testing.assert_allclose(found[:, 0], [0.5, 0.5, 2.1, 5.0])


def test_at_the_largest_kappa_it_is_known():
    found = rising_estimate(nodes([-1.0, -1.0, 0.1], [10.0, 10.0, 10.0]), 100)
    np.testing.assert_allclose(found[:, 0], 0.1)


def test_outputs_are_made_to_rise_one_by_one():
    first, second = nodes([1.0, 3.0, 2.0, 5.0], [4.0, 2.0, 4.0, 6.0]), nodes([1, 2, 3, 4], [6] * 4)
    both = first._replace(
        bias_and_noise=np.hstack([first.bias_and_noise, second.bias_and_noise]),
        error=np.hstack([first.error, second.error]),
    )
    found = rising_estimate(both, 10**6)
    np.testing.assert_allclose(found[:, 0], [1.0, 2.8, 2.8, 5.0])
    np.testing.assert_allclose(found[:, 1], [1.0, 2.0, 3.0, 4.0])


@pytest.mark.parametrize("power", [-7, 0, 5, 9])
def test_rounding_makes_no_corner(power):
    """Pooling may move a value by its last bit: it stays mean a for a spline through it."""
    values = 10.0**power * np.array([1.0, 1.0 + 4e-16, 1.0, 1.0 - 4e-16, 2.0, 3.0])
    at = nodes(values, 10.0**power * np.full(6, 0.4))
    estimate = BiasAndNoise(curve_of(50), at)
    assert np.any(rising_estimate(at, 10**6) != at.bias_and_noise)
    assert not estimate.at_nodes(at).differs
    assert (
        BiasAndNoise(curve_of(50), at._replace(bias_and_noise=at.bias_and_noise[::-1]))
        .at_nodes(at)
        .differs
    ), "what falls is moved"


def between(estimate, at, log_alpha):
    smooth = log_spline(np.log(at.alpha), at.bias_and_noise)(log_alpha)
    return estimate.at_nodes(at).between(np.exp(log_alpha), smooth)


@pytest.mark.parametrize("n0", [60, 120, 200])
def test_between_nodes_it_rises_and_meets_them(n0):
    curve = curve_of(n0)
    for n in (40.0, float(curve.n_effective)):
        at = nodes_at(curve, n)
        estimate = partial(between, BiasAndNoise(curve), at)
        fine = np.linspace(np.log(at.alpha[0]), np.log(at.alpha[-1]), 5001)
        values = estimate(fine)[:, 0]
        assert np.all(np.diff(values) >= -1e-12 * values[1:])
        met = estimate(np.log(at.alpha))[:, 0]
        assert np.all(np.diff(met) >= -1e-12 * met[1:])
        same = rising_estimate(at, curve.n_effective)[:, 0] == at.bias_and_noise[:, 0]
        if n == curve.n_effective:
            np.testing.assert_allclose(met[same], at.bias_and_noise[same, 0], rtol=1e-9)
