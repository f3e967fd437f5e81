"""Traces by stochastic quadrature, against eigenvalues."""

import numpy as np
import pytest

from sk_deepfeat.theory import ridge_factorization, unfactorized_rows
from sk_deepfeat.theory.one_sample.kappa_curve import _spectrum
from sk_deepfeat.theory.one_sample.matrix_free.folded_products import FoldedProducts
from sk_deepfeat.theory.one_sample.matrix_free.lanczos import LanczosRun
from sk_deepfeat.theory.one_sample.matrix_free.spectral_sums import ProbedSpectrum

RIDGES = np.array([1e-3, 1.0, 30.0, 1e3])


def probed(X, fit_intercept, n_probes, weights=None, steps=120):
    rows = unfactorized_rows(X, X[:, 0], weights, fit_intercept=fit_intercept)
    fold = np.arange(len(X)) % 2
    products = FoldedProducts(
        rows.features, np.sqrt(rows.weights), fold, fit_intercept=fit_intercept
    )
    probes = products.probes(n_probes, np.random.default_rng(0))
    run = LanczosRun(lambda vectors: products(vectors, 0)[0], probes)
    run.advance(steps)
    columns = range(probes.shape[1])
    return ProbedSpectrum(run, columns, products.dimension, rows.n_effective)


def rows_of(n, p, seed=0):
    rng = np.random.default_rng(seed)
    return 2.0 + rng.normal(size=(n, p)) * np.arange(1, p + 1) ** -0.5


@pytest.mark.parametrize("shape", [(90, 40), (40, 90), (50, 50)])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_as_many_probes_as_directions_give_the_sums_of_eigenvalues(shape, fit_intercept, weighted):
    X = rows_of(*shape)
    weights = np.random.default_rng(1).uniform(0.3, 2.0, len(X)) if weighted else None
    spectrum = probed(X, fit_intercept, 1000, weights)
    factorization = ridge_factorization(X, X[:, 0], weights, fit_intercept=fit_intercept)
    expected, found = _spectrum(factorization, RIDGES), spectrum.sums(RIDGES)
    for name in ("df1", "residual_df", "decay"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-6)
    # Fourth powers: the smallest eigenvalues count, which are known to the rounding of the largest.
    np.testing.assert_allclose(found.shared_noise, expected.shared_noise, rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(spectrum.trace, factorization.eigenvalues.sum(), rtol=1e-9)
    np.testing.assert_allclose(spectrum.largest, factorization.eigenvalues[-1], rtol=1e-9)


@pytest.mark.parametrize("shape", [(900, 300), (300, 900)])
def test_few_probes_are_right_within_their_standard_error(shape):
    X = rows_of(*shape)
    lam = ridge_factorization(X, X[:, 0]).eigenvalues
    shrunk = lam / (lam + RIDGES[:, None])
    df1 = shrunk.sum(axis=1)
    found = probed(X, True, 10).sums(RIDGES)
    spread = 2.0 * np.maximum(np.square(shrunk).sum(axis=1) - df1**2 / lam.size, 0.0)
    assert np.all(np.abs(found.df1 - df1) < 4.0 * np.sqrt(spread / 10) + 1e-6)
    np.testing.assert_allclose(found.df1 + found.residual_df, len(X) - 1, rtol=1e-9)
    assert np.all(found.residual_df - found.decay > 0)


def test_a_probe_left_out_is_not_counted():
    X = rows_of(60, 200)
    spectrum = probed(X, True, 4)
    alone = [spectrum.sums(RIDGES, np.array([b])).df1 for b in range(4)]
    np.testing.assert_allclose(
        spectrum.sums(RIDGES, spectrum.all_but(2)).df1, np.mean(alone[:2] + alone[3:], axis=0)
    )
    assert spectrum.all_but(7).size == 4
