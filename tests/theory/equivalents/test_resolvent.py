import numpy as np
import pytest

from sk_deepfeat.theory import (
    expected_quadratic_form,
    resolvent_equivalent,
    resolvent_product_equivalent,
    ridge_risk,
)

P, N, ALPHA = 80, 120, 5.0
RNG = np.random.default_rng(0)
BASIS, _ = np.linalg.qr(RNG.normal(size=(P, P)))
EIGENVALUES = np.arange(1, P + 1) ** -0.5
OMEGA = (BASIS * EIGENVALUES) @ BASIS.T
ROOT = (BASIS * np.sqrt(EIGENVALUES)) @ BASIS.T
OTHER = BASIS[:, :5] @ BASIS[:, :5].T + 0.1 * np.eye(P)


def mean_over_samples(function, repeats=300):
    rng = np.random.default_rng(1)
    total = 0.0
    for _ in range(repeats):
        F = rng.normal(size=(N, P)) @ ROOT
        total = total + function(np.linalg.inv(F.T @ F + ALPHA * np.eye(P)), F)
    return total / repeats


def test_resolvent_agrees_with_monte_carlo():
    mean = mean_over_samples(lambda G, F: G)
    found = resolvent_equivalent(OMEGA, N, ALPHA)
    assert abs(np.trace(found) / np.trace(mean) - 1) < 1 / N  # the equivalents' own error
    assert np.linalg.norm(found - mean) < 0.05 * np.linalg.norm(mean)  # Monte Carlo: 0.037


def test_product_agrees_with_monte_carlo():
    mean = mean_over_samples(lambda G, F: G @ OTHER @ G)
    found = resolvent_product_equivalent(OMEGA, OTHER, N, ALPHA)
    assert abs(np.trace(found) / np.trace(mean) - 1) < 2 / N
    assert np.linalg.norm(found - mean) < 0.1 * np.linalg.norm(mean)  # Monte Carlo: 0.073
    naive = resolvent_equivalent(OMEGA, N, ALPHA)
    naive = naive @ OTHER @ naive
    assert abs(np.trace(naive) / np.trace(mean) - 1) > 5e-2, "the second term must matter"


def test_derivative_identity():
    """G² = -dG/dalpha, for the equivalents as for the matrices."""
    step = 1e-4
    difference = resolvent_equivalent(OMEGA, N, ALPHA - step) - resolvent_equivalent(
        OMEGA, N, ALPHA + step
    )
    found = resolvent_product_equivalent(OMEGA, np.eye(P), N, ALPHA)
    np.testing.assert_allclose(found, difference / (2 * step), atol=1e-7 * np.abs(found).max())


def test_quadratic_form_gives_norm_and_error():
    beta = RNG.normal(size=P)
    psi, noise = OMEGA @ beta, 0.7
    rho = float(beta @ psi + noise)
    risk = ridge_risk(EIGENVALUES, BASIS.T @ psi, rho, N, ALPHA)
    norm = expected_quadratic_form(OMEGA, psi, rho, np.eye(P), N, ALPHA)
    assert norm == pytest.approx(float(risk.coef_norm2), rel=1e-10)
    # R = ρ - 2 E ŵ·ψ + E ŵᵀΩŵ, with E ŵ = (Ω+κ)⁻¹ψ
    mean = np.linalg.solve(OMEGA + risk.kappa * np.eye(P), psi)
    error = rho - 2 * mean @ psi + expected_quadratic_form(OMEGA, psi, rho, OMEGA, N, ALPHA)
    assert error == pytest.approx(float(risk.test_error), rel=1e-10)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_quadratic_form_has_the_units_of_the_target(scale):
    psi = OMEGA @ RNG.normal(size=P)
    rho = float(psi @ np.linalg.solve(OMEGA, psi) + 0.3)
    expected = expected_quadratic_form(OMEGA, psi, rho, OTHER, N, ALPHA)
    found = expected_quadratic_form(OMEGA, scale * psi, scale**2 * rho, OTHER, N, ALPHA)
    assert found == pytest.approx(scale**2 * expected, rel=1e-9)


@pytest.mark.parametrize("widths", [(P, 3), (3, P)])
def test_moments_of_another_width_are_refused(widths):
    with pytest.raises(ValueError, match=f"must fit second_moment of width {P}"):
        expected_quadratic_form(OMEGA, np.ones(widths[0]), 1.0, np.eye(widths[1]), N, ALPHA)
    with pytest.raises(ValueError, match="matrix must have the shape of second_moment"):
        resolvent_product_equivalent(OMEGA, np.eye(3), N, ALPHA)


def test_quadratic_form_agrees_with_monte_carlo():
    beta = np.random.default_rng(5).normal(size=P)
    psi = OMEGA @ beta
    rng = np.random.default_rng(6)

    def form(G, F):
        w = G @ (F.T @ (F @ beta + rng.normal(size=N)))
        return w @ OTHER @ w

    mean = mean_over_samples(form, repeats=400)
    found = expected_quadratic_form(OMEGA, psi, float(beta @ psi + 1.0), OTHER, N, ALPHA)
    assert found == pytest.approx(mean, rel=0.03)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((2, 3)), "square"),
        (np.array([[1.0, 2.0], [0.0, 1.0]]), "symmetric"),
        (np.diag([1.0, -1.0]), "positive semi-definite"),
        (np.array([[np.nan]]), "finite"),
    ],
)
def test_bad_matrix(matrix, message):
    with pytest.raises(ValueError, match=message):
        resolvent_equivalent(matrix, 3, 1.0)


def test_bad_alpha():
    with pytest.raises(ValueError, match=r"alpha=0\.0 must be positive"):
        resolvent_equivalent(np.eye(2), 3, 0.0)
    with pytest.raises(ValueError, match="single numbers"):
        resolvent_equivalent(np.eye(2), [3, 4], 1.0)
