"""`ridge_risk` and `solve_kappa` from alpha 0 to 1e300 and one row to 1e9, against 260 digits."""

import mpmath
import numpy as np
import pytest
from edge_tables import ALPHAS, SIZES
from exact_ridge import DIGITS, population_risk

from sk_deepfeat.theory import degrees_of_freedom, ridge_risk, solve_kappa

SPECTRA = {
    "one direction": [2.0],
    "one of four": [3.0, 0.0, 0.0, 0.0],
    "as many as rows": [1.5, 1.0],
    "flat": np.ones(10),
    "ten decades of directions": np.logspace(0.0, -9.0, 10),
    "condition 1e16": np.logspace(0.0, -16.0, 9),
    "condition 1e30": np.logspace(0.0, -30.0, 3),
    "no direction": [0.0, 0.0],
}


def population(name):
    omega = np.array(SPECTRA[name])
    coefs = np.sqrt(omega) * np.linspace(0.5, 1.0, omega.size)  # of equal share in the target
    return omega, coefs, float(np.sum(np.linspace(0.5, 1.0, omega.size) ** 2) + 0.5)


@pytest.mark.parametrize("name", SPECTRA)
def test_every_size_and_alpha(name):
    omega, coefs, moment = population(name)
    risk = ridge_risk(omega, coefs, moment, SIZES[:, None], ALPHAS)
    kappa = solve_kappa(omega, SIZES[:, None], ALPHAS)
    with mpmath.workdps(DIGITS):
        cells = [[population_risk(omega, coefs, moment, n, a) for a in ALPHAS] for n in SIZES]
        exact = np.array([[[float(v) for v in cell] for cell in row] for row in cells])
    np.testing.assert_array_equal(kappa, risk.kappa)
    for found, wanted, tolerance in (
        (risk.kappa, exact[..., 0], 1e-12),
        (risk.test_error, exact[..., 1], 1e-9),
        (risk.train_error, exact[..., 2], 1e-9),
        (risk.bias, exact[..., 3], 1e-9),
    ):
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=1e-300)
    parts = risk.bias + risk.variance + risk.noise_variance + risk.noise
    np.testing.assert_allclose(parts, risk.test_error, rtol=1e-12)


@pytest.mark.parametrize("name", SPECTRA)
def test_with_an_intercept_one_row_less_counts(name):
    """R(n) = (1 + 1/n) R(n - 1); of one row there is the mean alone, which is off by as much."""
    omega, coefs, moment = population(name)
    n = SIZES[1:, None]
    found = ridge_risk(omega, coefs, moment, SIZES[:, None], ALPHAS, fit_intercept=True)
    without = ridge_risk(omega, coefs, moment, n - 1.0, ALPHAS)
    np.testing.assert_allclose(found.test_error[0], 2.0 * moment, rtol=1e-15)
    np.testing.assert_allclose(found.train_error[0], 0.0)
    np.testing.assert_allclose(found.test_error[1:], (1 + 1 / n) * without.test_error, rtol=1e-13)


def test_degrees_of_freedom_of_every_kappa():
    omega = np.array(SPECTRA["condition 1e16"])
    for kappa in (0.0, 5e-324, 1e-300, 1e-16, 1.0, 1e16, 1e300):
        with mpmath.workdps(DIGITS):
            exact = float(sum(mpmath.mpf(w) / (mpmath.mpf(w) + kappa) for w in omega))
        np.testing.assert_allclose(degrees_of_freedom(omega, kappa), exact, rtol=1e-14)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1e-300])
def test_alphas_that_are_none_are_named(wrong):
    with pytest.raises(ValueError, match="alpha must be finite and not negative; got"):
        solve_kappa([1.0], 10, wrong)


@pytest.mark.parametrize("wrong", [0, 0.5, np.inf, np.nan, -3])
def test_numbers_of_samples_that_are_none_are_named(wrong):
    with pytest.raises(ValueError, match="n_samples must be finite and at least 1; got"):
        solve_kappa([1.0], wrong, 1.0)
