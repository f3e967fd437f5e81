import mpmath as mp
import numpy as np
import pytest

from sk_deepfeat.theory import alpha_from_kappa, degrees_of_freedom, solve_kappa
from sk_deepfeat.theory.equivalents import fixed_point as module

P = 40
SPECTRA = {
    "flat": np.ones(P),
    "power-law": np.arange(1, P + 1) ** -2.0,
    "spiked": np.r_[1e6, 1e5, np.full(P - 2, 1e-3)],
    "rank-deficient": np.r_[np.ones(10), np.zeros(P - 10)],
    "two scales": np.r_[np.full(20, 1e8), np.full(20, 1e-8)],
}


def bisect_at_50_digits(eigenvalues, n, alpha):
    """Independent slow reference: bisection in 50 digits."""
    with mp.workdps(50):
        omega = [mp.mpf(float(value)) for value in eigenvalues if value > 0]
        n, alpha = mp.mpf(float(n)), mp.mpf(float(alpha))
        if alpha == 0 and n >= len(omega):
            return mp.mpf(0)

        def g(kappa):
            return alpha / kappa - n + mp.fsum(w / (w + kappa) for w in omega)

        high = (alpha + mp.fsum(omega)) / n
        low = high
        while g(low) <= 0:
            low /= 1024
        high = low * 1024
        for _ in range(80):
            middle = mp.sqrt(low * high)
            low, high = (middle, high) if g(middle) > 0 else (low, middle)
        return low


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_agrees_with_bisection_at_50_digits(name, scale):
    eigenvalues = SPECTRA[name] * scale
    for n in (1, 9, 10, 11, 20, 39, 40, 41, 1e6):
        for alpha in (0.0, 1e-12, 1.0, 1e12):
            expected = bisect_at_50_digits(eigenvalues, n, alpha)
            found = float(solve_kappa(eigenvalues, n, alpha))
            assert abs(found - expected) <= 1e-12 * expected, (n, alpha)


def test_plateau_where_subtracting_df1_loses_digits():
    p = 2352
    eigenvalues = np.full(p, 1e12)
    found = float(solve_kappa(eigenvalues, p, 1e-12))
    # alpha/κ = pκ/(ω+κ): p κ² = alpha (ω + κ)
    with mp.workdps(50):
        alpha, omega = mp.mpf(1e-12), mp.mpf(10) ** 12
        expected = (alpha + mp.sqrt(alpha**2 + 4 * p * alpha * omega)) / (2 * p)
    assert abs(found - expected) <= 1e-14 * expected


def test_fixed_point_holds_on_a_grid():
    rng = np.random.default_rng(0)
    eigenvalues = rng.lognormal(sigma=4.0, size=300)
    n = np.array([1, 50, 299, 300, 301, 5000])[:, None]
    alpha = np.geomspace(1e-6, 1e8, 40)
    kappa = solve_kappa(eigenvalues, n, alpha)
    assert kappa.shape == (6, 40)
    # alpha is a small difference where it tends to 0 below the rank: compared in units of κn
    residual = (alpha_from_kappa(eigenvalues, n, kappa) - alpha) / (kappa * n)
    np.testing.assert_allclose(residual, 0.0, atol=1e-12)
    assert np.all(np.diff(kappa, axis=0) < 0), "more samples, less effective regularisation"
    assert np.all(np.diff(kappa, axis=1) > 0)


def test_a_cell_does_not_depend_on_the_cells_beside_it():
    eigenvalues = SPECTRA["power-law"]
    n, alpha = np.meshgrid([1, 10, 39, 40, 100], np.geomspace(1e-9, 1e6, 60))
    together = solve_kappa(eigenvalues, n, alpha)
    alone = [float(solve_kappa(eigenvalues, i, a)) for i, a in zip(n.flat, alpha.flat, strict=True)]
    np.testing.assert_allclose(together.ravel(), alone, rtol=1e-13)


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
def test_scaling_law(scale):
    """(φ, alpha) -> (cφ, c²alpha) multiplies kappa by c²."""
    eigenvalues, alpha = SPECTRA["power-law"], np.r_[0.0, np.geomspace(1e-6, 1e3, 9)]
    kappa = solve_kappa(eigenvalues, 25, alpha)
    scaled = solve_kappa(scale**2 * eigenvalues, 25, scale**2 * alpha)
    np.testing.assert_allclose(scaled, scale**2 * kappa, rtol=1e-13)


def test_duplicated_features():
    """Every feature twice doubles the eigenvalues and leaves their number."""
    eigenvalues = SPECTRA["power-law"]
    doubled = np.r_[2 * eigenvalues, np.zeros(P)]
    np.testing.assert_allclose(
        solve_kappa(doubled, 30, 0.2), 2 * solve_kappa(eigenvalues, 30, 0.1), rtol=1e-13
    )


def test_ridgeless():
    eigenvalues = SPECTRA["power-law"]
    kappa = solve_kappa(eigenvalues, np.array([5, 39.5, 40, 41]), 0.0)
    np.testing.assert_allclose(degrees_of_freedom(eigenvalues, kappa[:2]), [5, 39.5], rtol=1e-13)
    assert kappa[2] == kappa[3] == 0.0


def test_no_eigenvalue():
    assert float(solve_kappa(np.zeros(3), 4, 2.0)) == 0.5


def test_limits():
    eigenvalues = SPECTRA["power-law"]
    np.testing.assert_allclose(solve_kappa(eigenvalues, 7, 1e14), 1e14 / 7, rtol=1e-12)
    np.testing.assert_allclose(solve_kappa(eigenvalues, 1e12, 3.0), 3e-12, rtol=1e-9)


@pytest.mark.parametrize("name", SPECTRA)
def test_the_table_of_starts_spares_steps(name, monkeypatch):
    """A step squares the relative error, and neighbours on the grid are close."""
    monkeypatch.setattr(module, "_MAX_NEWTON_STEPS", 4)
    eigenvalues = SPECTRA[name]
    n = np.array([1, 9, 11, 20, 39, 40, 41, 300])[:, None]
    found = solve_kappa(eigenvalues, n, np.geomspace(1e-4, 1e4, 50))
    assert np.all(np.isfinite(found))


@pytest.mark.parametrize("entries", [1, 3 * P, 5 * P + 1])
def test_blocks_of_cells_do_not_matter(entries, monkeypatch):
    n, kappa = np.array([[1], [20], [40], [90]]), np.geomspace(1e-5, 1e3, 30)[::-1]
    eigenvalues = SPECTRA["power-law"]
    df1 = degrees_of_freedom(eigenvalues, kappa)
    np.testing.assert_allclose(df1, [np.sum(eigenvalues / (eigenvalues + k)) for k in kappa])
    alpha = alpha_from_kappa(eigenvalues, n, kappa)
    np.testing.assert_allclose(alpha, kappa * (n - df1), rtol=1e-9, atol=1e-12)
    solved = solve_kappa(eigenvalues, n, kappa)
    monkeypatch.setattr(module, "_BLOCK_ENTRIES", entries)
    np.testing.assert_allclose(degrees_of_freedom(eigenvalues, kappa), df1, rtol=1e-13)
    np.testing.assert_allclose(alpha_from_kappa(eigenvalues, n, kappa), alpha, rtol=1e-12)
    np.testing.assert_allclose(solve_kappa(eigenvalues, n, kappa), solved, rtol=1e-12)


def test_raises_when_it_does_not_converge(monkeypatch):
    monkeypatch.setattr(module, "_MAX_NEWTON_STEPS", 1)
    with pytest.raises(RuntimeError, match="did not converge in 1 Newton steps"):
        solve_kappa(SPECTRA["two scales"], 30, 1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 1, 1.0), "non-empty 1-d"),
        (([[1.0]], 1, 1.0), "non-empty 1-d"),
        (([np.nan], 1, 1.0), "eigenvalues must be finite"),
        (([-1.0, 1.0], 1, 1.0), "cannot be negative"),
        (([1.0], 0, 1.0), "n_samples must be finite and at least 1; got 0.0"),
        (([1.0], np.nan, 1.0), "n_samples"),
        (([1.0], 1, -1.0), "alpha must be finite and not negative; got -1.0"),
        (([1.0], 1, np.inf), "alpha"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        solve_kappa(*arguments)


def test_wrong_type():
    with pytest.raises(TypeError, match="alpha must be numeric"):
        solve_kappa([1.0], 1, "small")
