"""Sparse rows past a factorisation: the same numbers as of dense ones."""

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.populations import LanczosPopulation
from sk_deepfeat.theory.one_sample import factorize


@pytest.mark.parametrize("shift", [0.0, 3.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_rows_are_the_same_as_dense(shift, weighted):
    rng = np.random.default_rng(0)
    X = scipy.sparse.csr_array(scipy.sparse.random(900, 700, 0.02, random_state=rng))
    dense = X.toarray() * 10.0
    dense[:, 0] += shift  # a column without zeros has a mean of its own
    y = dense @ rng.normal(size=700) + rng.normal(size=900)
    weights = rng.random(900) + 0.5 if weighted else None
    ridge = DeterministicEquivalentRidge(30.0, population=LanczosPopulation(n_sampled=250))
    expected = ridge.fit(dense, y, weights)
    cells = np.array([200, 900, 1500])[:, None], [10.0, 30.0, 300.0]
    errors = expected.predict_test_error(*cells, return_interval=True)
    coefs, intercept = expected.coef_, expected.intercept_
    found = ridge.fit(scipy.sparse.csc_array(dense), y, weights)
    assert_allclose(found.coef_, coefs, rtol=1e-6, atol=1e-6 * np.abs(coefs).max())
    assert_allclose(found.intercept_, intercept, rtol=1e-5)
    # Subsets may differ in number, which the cost of sparse rows decides.
    assert_allclose(found.predict_test_error(*cells), errors[0], rtol=0.02)
    assert_allclose(found.predict(X[:5]), X[:5] @ found.coef_ + found.intercept_)


def test_rows_too_many_to_be_factorised_need_no_factorisation(monkeypatch):
    monkeypatch.setattr(factorize, "MOST_FACTORISED", 300)
    rng = np.random.default_rng(0)
    X = scipy.sparse.csr_array(scipy.sparse.random(800, 600, 0.05, random_state=rng))
    y = X @ rng.normal(size=600) + rng.normal(size=800)
    with pytest.raises(ValueError, match="population='lanczos'"):
        DeterministicEquivalentRidge().fit(X, y)
    population = LanczosPopulation(n_sampled=250)
    ridge = DeterministicEquivalentRidge(1.0, population=population).fit(X, y)
    assert np.isfinite(ridge.test_error_)
