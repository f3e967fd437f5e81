import numpy as np
import pytest

from sk_deepfeat.theory import (
    minimize_on_log_scale,
    optimal_alpha,
    optimal_slope,
    ridge_risk,
    smallest_sufficient,
)

P = 60
EIGENVALUES = np.arange(1, P + 1) ** -1.0
COEFS = np.random.default_rng(1).normal(size=P)
PSI = EIGENVALUES * COEFS
SIGNAL = float(np.sum(EIGENVALUES * COEFS**2))


@pytest.mark.parametrize("noise", [0.0, 0.1, 5.0])
@pytest.mark.parametrize("n", [1, 10, 60, 61, 5000])
def test_no_other_alpha_is_better(n, noise):
    rho = SIGNAL + noise
    best = float(optimal_alpha(EIGENVALUES, PSI, rho, n))
    error = ridge_risk(EIGENVALUES, PSI, rho, n, best).test_error
    others = ridge_risk(EIGENVALUES, PSI, rho, n, np.r_[0.0, np.geomspace(1e-10, 1e8, 2000)])
    assert error <= others.test_error.min() * (1 + 1e-10)


def test_isotropic_optimum_is_known():
    """p σ²/||b||², whatever n."""
    found = optimal_alpha(np.ones(P), np.full(P, 0.2), P * 0.04 + 0.3, [5, 60, 500])
    np.testing.assert_allclose(found, P * 0.3 / (P * 0.04), rtol=1e-5)


@pytest.mark.parametrize("omega", [0.3, 7.0])
def test_one_feature(omega):
    """σ²/b², at every scale of the feature."""
    found = optimal_alpha([omega], [0.5 * omega], 0.25 * omega + 0.6, [1, 2, 90])
    np.testing.assert_allclose(found, 2.4, rtol=1e-5)


def test_interior_optimum_is_stationary():
    """κ(1-γ) Σω²b²/(ω+κ)³ = ((B+σ²)/n) Σω²/(ω+κ)³ at the optimum."""
    rho, n = SIGNAL + 1.0, 40
    risk = ridge_risk(EIGENVALUES, PSI, rho, n, optimal_alpha(EIGENVALUES, PSI, rho, n))
    cubes = (EIGENVALUES + risk.kappa) ** 3
    left = risk.kappa * (1 - risk.df2 / n) * np.sum(EIGENVALUES**2 * COEFS**2 / cubes)
    right = (risk.bias + risk.noise) / n * np.sum(EIGENVALUES**2 / cubes)
    np.testing.assert_allclose(left, right, rtol=1e-5)


def test_optimum_at_the_boundaries():
    assert float(optimal_alpha(EIGENVALUES, PSI, SIGNAL, 100)) == 0.0
    assert np.isinf(optimal_alpha(EIGENVALUES, np.zeros(P), 1.0, 10))
    assert np.isinf(optimal_alpha(EIGENVALUES, PSI, SIGNAL + 1, 1, fit_intercept=True))


def test_intercept_moves_the_optimum_by_one_row():
    with_intercept = optimal_alpha(EIGENVALUES, PSI, SIGNAL + 1, 31, fit_intercept=True)
    np.testing.assert_allclose(
        with_intercept, optimal_alpha(EIGENVALUES, PSI, SIGNAL + 1, 30), rtol=1e-6
    )


def test_one_row_beside_the_intercept_has_an_optimum():
    with_intercept = optimal_alpha(EIGENVALUES, PSI, SIGNAL + 1, [1, 2], fit_intercept=True)
    assert np.isinf(with_intercept[0])
    expected = optimal_alpha(EIGENVALUES, PSI, SIGNAL + 1, 1)
    np.testing.assert_allclose(with_intercept[1], expected, rtol=1e-6)


@pytest.mark.parametrize("n", [60, 80])
def test_several_outputs_share_the_best_alpha(n):
    """Their errors are summed; outputs that mix keep the sum."""
    coefs = np.random.default_rng(2).normal(size=(P, 2)) * [1.0, 3.0]
    psi = EIGENVALUES[:, None] * coefs
    rho = psi.T @ coefs + np.diag([2.0, 0.1])
    best = float(optimal_alpha(EIGENVALUES, psi, rho, n))
    errors = ridge_risk(EIGENVALUES, psi, rho, n, best * np.array([0.97, 1.0, 1.03])).test_error
    sums = np.trace(errors, axis1=1, axis2=2)
    assert sums[1] < sums[0] and sums[1] < sums[2]
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = optimal_alpha(EIGENVALUES, psi @ turn, turn.T @ rho @ turn, n)
    np.testing.assert_allclose(turned, best, rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_optimum_in_any_units(scale):
    """Zeros in the spectrum, units of the features, and of the target, change nothing else."""
    n = [5, 40, 300]
    expected = optimal_alpha(EIGENVALUES, PSI, SIGNAL + 0.3, n)
    found = optimal_alpha(
        np.r_[0.0, scale * EIGENVALUES], np.r_[0.0, scale * PSI], scale * (SIGNAL + 0.3), n
    )
    np.testing.assert_allclose(found, scale * expected, rtol=1e-4)


def test_slope_where_nothing_is_left():
    """Without noise nothing is lost at the rank and above, whatever zeros the spectrum has."""
    n = np.array([P, P + 1, 500])
    for zeros in (0, 3):
        omega, psi = (np.r_[values, np.zeros(zeros)] for values in (EIGENVALUES, PSI))
        np.testing.assert_allclose(optimal_slope(omega, psi, SIGNAL, n), 0.0, atol=1e-12)


def test_slopes_of_nothing_and_of_two_outputs():
    n = np.array([[3.0], [70.0]])
    np.testing.assert_array_equal(optimal_slope(EIGENVALUES, np.zeros(P), 1.0, n), np.zeros((2, 1)))
    with pytest.raises(ValueError, match="must have one output; got 2"):
        optimal_slope(EIGENVALUES, np.c_[PSI, PSI], np.eye(2) * 1e3, 10)


@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("n", [8.0, 30.0, 50.0])
def test_slope_is_the_derivative_of_the_optimal_curve(n, noise):
    """Noiseless with n < p the optimum is ridgeless, so both forms are met."""
    psi = EIGENVALUES**1.2
    rho = float(np.sum(psi**2 / EIGENVALUES)) + noise

    def curve(size):
        return ridge_risk(
            EIGENVALUES, psi, rho, size, optimal_alpha(EIGENVALUES, psi, rho, size)
        ).test_error

    step = 0.01
    expected = (curve(n + step) - curve(n - step)) / (2 * step)
    np.testing.assert_allclose(optimal_slope(EIGENVALUES, psi, rho, n), expected, rtol=2e-4)
    assert expected < 0


def test_minimum_with_missing_values():
    found = minimize_on_log_scale(lambda x: np.where(x < 3.0, np.nan, x + 4 / x), 1e-3, 1e3)
    assert found.argument == pytest.approx(3.0, rel=1e-4)
    assert found.at_low and not found.at_high
    nothing = minimize_on_log_scale(lambda x: np.full_like(x, np.nan), 1e-3, 1e3)
    assert np.isnan(nothing.argument)


@pytest.mark.parametrize("target", [3.0, 0.71, 0.0313])
def test_smallest_sufficient_is_smallest(target):
    needed = smallest_sufficient(lambda n: 10.0 / n, target, monotone=True)
    assert 10.0 / needed <= target < 10.0 / (needed - 1)


def test_first_crossing_of_a_curve_that_rises_again():
    """Double descent: the first n below the target counts, not the one after the peak."""
    needed = smallest_sufficient(
        lambda n: 1 / n + 5 * np.exp(-((n - 1000.0) ** 2) / 1e4), 0.011, monotone=False
    )
    assert needed == 91.0


def test_target_out_of_reach():
    assert np.isnan(smallest_sufficient(lambda n: 1.0 + 1.0 / n, 0.5, monotone=True))


@pytest.mark.parametrize("monotone", [True, False])
def test_sizes_that_are_unknown_below_the_smallest_known_are_passed_over(monotone):
    """With groups of rows nothing is known below the rows of one group."""

    def known_from_100(n):
        return np.where(n < 100, np.nan, 10.0 / n)

    assert smallest_sufficient(known_from_100, 0.03, monotone=monotone) == 334
    assert smallest_sufficient(known_from_100, 1.0, monotone=monotone) == 100
    assert np.isnan(smallest_sufficient(lambda n: np.full(n.shape, np.nan), 1.0, monotone=monotone))


@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("n", [1.02, 1.5, 2.0, 2.8])
def test_slope_of_few_samples_of_few_directions(n, noise):
    """Less than one sample is left of what the directions use."""
    omega, psi = np.array([1.0, 0.5, 0.1]), np.array([0.9, 0.3, 0.05])
    rho = float(np.sum(psi**2 / omega)) + noise

    def curve(size):
        return ridge_risk(omega, psi, rho, size, optimal_alpha(omega, psi, rho, size)).test_error

    step = 1e-4 * n
    expected = (curve(n + step) - curve(n - step)) / (2 * step)
    np.testing.assert_allclose(optimal_slope(omega, psi, rho, n), expected, rtol=1e-6)
