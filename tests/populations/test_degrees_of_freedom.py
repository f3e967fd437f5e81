"""What populations tell of the spectrum: degrees of freedom and eigenvalues."""

import numpy as np
import pytest

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.populations import ExactPopulation, PlugInPopulation
from sk_deepfeat.theory import degrees_of_freedom

rng = np.random.default_rng(0)
P = 40
OMEGA = np.arange(1.0, P + 1) ** -1.0
X = rng.normal(size=(800, P)) * np.sqrt(OMEGA)
Y = X[:, 0] + 0.5 * rng.normal(size=800)
KAPPA = np.geomspace(1e-3, 1e2, 12).reshape(3, 4)


def ridge_of(population, rows=800, alpha=1.0):
    return DeterministicEquivalentRidge(alpha, population=population).fit(X[:rows], Y[:rows])


def test_a_known_spectrum():
    exact = ExactPopulation(np.diag(OMEGA), 0.0 * OMEGA, 1.0).fit()
    df1, df2 = exact.degrees_of_freedom(KAPPA, fit_intercept=False)
    np.testing.assert_allclose(df1, degrees_of_freedom(OMEGA, KAPPA), rtol=1e-12)
    shares = OMEGA / (OMEGA + KAPPA[..., None])
    np.testing.assert_allclose(df2, np.square(shares).sum(axis=-1), rtol=1e-12)
    np.testing.assert_allclose(exact.eigenvalues(fit_intercept=False), OMEGA)


@pytest.mark.parametrize("population", ["gcv", "plug-in"])
def test_kappa_solves_its_equation(population):
    """alpha/κ = n - df1(κ), where n counts one row less with an intercept."""
    ridge = ridge_of(population)
    for n, alpha in [(50, 3.0), (800, 0.1), (300, 20.0)]:
        kappa = ridge.predict_kappa(n, alpha)
        df1, _ = ridge.degrees_of_freedom(kappa)
        assert alpha / kappa + df1 == pytest.approx(n - 1, rel=2e-4)


@pytest.mark.parametrize("population", ["gcv", "leave-one-out"])
def test_one_sample_knows_those_of_the_population(population):
    ridge = ridge_of(population)
    df1, df2 = ridge.degrees_of_freedom(KAPPA)
    exact = ExactPopulation(np.diag(OMEGA), 0.0 * OMEGA, 1.0).fit()
    truth = exact.degrees_of_freedom(KAPPA, fit_intercept=True)
    np.testing.assert_allclose(df1, truth[0], rtol=0.06)
    np.testing.assert_allclose(df2, truth[1], rtol=0.12)
    far1, far2 = ridge.degrees_of_freedom(np.array([1e12, 1e13]))
    assert far1[0] / far1[1] == pytest.approx(10) and far2[0] / far2[1] == pytest.approx(100)
    near, _ = ridge.degrees_of_freedom(0.0)
    assert near == pytest.approx(P, rel=1e-3), "every direction is learned at κ = 0"


def test_unknown_below_the_smallest_identified_kappa():
    ridge = ridge_of("leave-one-out", rows=20)
    least = ridge.population_.kappa_min_
    assert least > 0
    df1, df2 = ridge.degrees_of_freedom([0.5 * least, 2 * least])
    np.testing.assert_array_equal(np.isnan(df1), [True, False])
    np.testing.assert_array_equal(np.isnan(df2), [True, False])


def test_kappa_and_eigenvalues_of_the_ridge():
    ridge = ridge_of("leave-one-out", alpha=5.0)
    assert ridge.predict_kappa() == ridge.kappa_
    assert ridge.predict_kappa([[10], [800]], [1.0, 5.0]).shape == (2, 2)
    expected = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]
    np.testing.assert_allclose(ridge.eigenvalues_, expected, rtol=1e-9)
    plug_in = PlugInPopulation().fit(X, Y)
    np.testing.assert_allclose(plug_in.eigenvalues(fit_intercept=True), expected, rtol=1e-9)
    weights = np.full(800, 3.0)
    heavy = DeterministicEquivalentRidge(15.0).fit(X, Y, weights)
    np.testing.assert_allclose(heavy.eigenvalues_, expected, rtol=1e-9)
    assert heavy.predict_kappa() == pytest.approx(ridge.kappa_, rel=1e-6)


def test_wrong_questions():
    ridge = ridge_of("gcv")
    with pytest.raises(ValueError, match="kappa must be finite and not negative"):
        ridge.degrees_of_freedom(-1.0)
    with pytest.raises(TypeError, match="kappa must be numeric"):
        ridge.degrees_of_freedom("large")


def test_of_one_column_and_of_none():
    """Features of one direction have some; those that never vary have none."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=40)
    for name in ("gcv", "leave-one-out"):
        one = DeterministicEquivalentRidge(population=name).fit(rng.normal(size=(40, 1)), y)
        df1, df2 = one.degrees_of_freedom([0.5, 5.0])
        assert np.all((df1 > 0.1) & (df1 < 1.0)) and np.all((df2 > 0.0) & (df2 < df1))
        none = DeterministicEquivalentRidge(population=name).fit(np.ones((40, 3)), y)
        np.testing.assert_array_equal(none.degrees_of_freedom([0.5, 5.0]), np.zeros((2, 2)))
