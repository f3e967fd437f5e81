"""Random populations of every scale against the identities of the theory."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from random_examples import examples_times

from sk_deepfeat.theory import ridge_risk, solve_kappa

pytestmark = pytest.mark.random_examples

settings = examples_times(40)
exponents = st.floats(-9.0, 9.0)
n_samples = st.integers(1, 10**6).map(float)


@st.composite
def spectra(draw):
    """Draw 1 to 60 eigenvalues over up to twelve decades, some of them exactly zero."""
    size = draw(st.integers(1, 60))
    powers = draw(st.lists(st.floats(-6.0, 6.0), min_size=size, max_size=size))
    zeros = draw(st.integers(0, size - 1))
    values = 10.0 ** np.array(powers)
    values[:zeros] = 0.0
    return 10.0 ** draw(exponents) * values


@st.composite
def populations(draw, outputs=()):
    """Draw a population whose target is partly explained by the features."""
    omega = draw(spectra())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    coefs = rng.normal(size=(omega.size, *outputs)) / np.sqrt(omega.sum())
    noise = draw(st.sampled_from([0.0, 1e-3, 1.0, 1e3]))
    weighted = (coefs.T * omega) @ coefs
    return omega, (coefs.T * omega).T, weighted + noise * np.eye(*outputs * 2 or (1,)).squeeze()


def alphas(draw, omega):
    """Draw alpha relative to the scale of the spectrum, zero included."""
    return (
        draw(st.one_of(st.just(0.0), st.floats(-12.0, 12.0).map(lambda e: 10.0**e))) * omega.max()
    )


def split_remaining(omega, n, kappa):
    """Return n - df1(κ), and the size of its largest term, without subtracting df1 from n."""
    large = omega[omega > kappa]
    small = omega[(omega <= kappa) & (omega > 0)]
    terms = np.r_[n - large.size, kappa / (large + kappa), -small / (small + kappa)]
    return terms.sum(), np.abs(terms).max()


@settings
@hypothesis.given(omega=spectra(), n=n_samples, data=st.data())
def test_kappa_solves_its_equation(omega, n, data):
    alpha = alphas(data.draw, omega)
    kappa = float(solve_kappa(omega, n, alpha))
    rank = np.count_nonzero(omega)
    assert np.isfinite(kappa) and kappa >= 0
    if alpha == 0.0 and n >= rank:
        assert kappa == 0.0
        return
    remaining, largest = split_remaining(omega, n, kappa)
    # Relative to the slope: a relative error e of κ moves the residual by e (α/κ + Σωκ/(ω+κ)²).
    slope = alpha / kappa + np.sum(omega * kappa / (omega + kappa) ** 2)
    assert abs(alpha / kappa - remaining) <= 1e-9 * slope + 1e-13 * largest


@settings
@hypothesis.given(population=populations(), n=n_samples, power=st.floats(-6.0, 6.0), data=st.data())
def test_scaling_the_features_changes_only_the_scale_of_kappa(population, n, power, data):
    omega, psi, rho = population
    alpha = alphas(data.draw, omega)
    square = 10.0 ** (2 * power)
    before = ridge_risk(omega, psi, rho, n, alpha)
    after = ridge_risk(square * omega, np.sqrt(square) * psi, rho, n, square * alpha)
    np.testing.assert_allclose(after.kappa, square * before.kappa, rtol=1e-8)
    np.testing.assert_allclose(after.df1, before.df1, rtol=1e-7, atol=1e-300)
    # Where nearly all rows are used up, 1 - df2/n is small and magnifies rounding.
    loose = 1e-8 * max(1.0, n / max(n - float(before.df2), 1e-9 * n))
    np.testing.assert_allclose(after.test_error, before.test_error, rtol=loose, atol=1e-12 * rho)


@settings
@hypothesis.given(population=populations(), n=n_samples, intercept=st.booleans(), data=st.data())
def test_the_test_error_is_the_sum_of_its_parts(population, n, intercept, data):
    omega, psi, rho = population
    alpha = alphas(data.draw, omega)
    risk = ridge_risk(omega, psi, rho, n, alpha, fit_intercept=intercept)
    parts = risk.bias + risk.variance + risk.noise_variance + risk.noise
    np.testing.assert_allclose(risk.test_error, parts, rtol=1e-9, atol=1e-12 * rho)
    assert min(risk.bias, risk.variance, risk.noise_variance, risk.noise) >= 0
    assert risk.test_error >= risk.noise
    rounded = 1 + 1e-9
    assert 0 <= risk.df2 <= risk.df1 * rounded <= min(n, omega.size) * rounded**2


@settings
@hypothesis.given(population=populations(outputs=(2,)), n=n_samples, data=st.data())
def test_outputs_do_not_see_each_other(population, n, data):
    omega, psi, rho = population
    alpha = alphas(data.draw, omega)
    both = ridge_risk(omega, psi, rho, n, alpha).test_error
    for i in range(2):
        alone = ridge_risk(omega, psi[:, i], rho[i, i], n, alpha).test_error
        np.testing.assert_allclose(both[i, i], alone, rtol=1e-9, atol=1e-12 * rho[i, i])
