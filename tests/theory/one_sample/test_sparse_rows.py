"""Sparse rows give what the same rows give when they are written out."""

import numpy as np
import pytest
import scipy.sparse as sp

from sk_deepfeat.theory import leave_one_out_residuals, ridge_factorization
from sk_deepfeat.theory.one_sample import sparse_rows
from sk_deepfeat.theory.one_sample.causes import find_causes
from sk_deepfeat.theory.one_sample.factorize import centred_rows
from sk_deepfeat.theory.sparse import sparse_rows_of

N, P = 130, 17


@pytest.fixture(params=["sparse", "dense, in blocks"])
def gram(request, monkeypatch):
    """Both ways to a Gram matrix, the second in small blocks."""
    cost = 0.0 if request.param == "sparse" else np.inf
    monkeypatch.setattr(sparse_rows, "_SPARSE_COST", cost)
    monkeypatch.setattr(sparse_rows, "_BLOCK_ENTRIES", 300)


def table(seed=0, n=N, p=P, density=0.2):
    """Mostly zeros; a constant column, one of large mean, an empty one, and an empty row."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * (rng.random((n, p)) < density)
    X[:, 0], X[:, 1] = 3.7, 1e6 + rng.normal(size=n)
    X[:, 2] = 0.0
    X[n // 4 :, 3] = rng.normal(5.0, 0.1, size=n - n // 4)
    X[5, 1:] = 0.0
    return X


def both(seed=0, weighted=False, centred=True, **shape):
    X = table(seed, **shape)
    weights = np.random.default_rng(1).uniform(0.2, 3.0, size=len(X)) if weighted else None
    if weights is not None:
        weights /= weights.mean()
    given = sparse_rows_of(sp.csr_array(X), "X")
    found, mean = centred_rows(given, weights, centred=centred)
    dense, expected = centred_rows(X, weights, centred=centred)
    np.testing.assert_allclose(mean, expected, rtol=1e-13, atol=1e-14)
    return found, dense


@pytest.mark.usefixtures("gram")
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_products_are_those_of_the_written_rows(weighted, centred):
    rows, dense = both(weighted=weighted, centred=centred)
    F = dense.whole()
    rng = np.random.default_rng(2)
    right, left = rng.normal(size=(P, 3)), rng.normal(size=(N, 3))
    some = rng.permutation(N)[:40]
    size = np.abs(F).max()

    def same(a, b, power=1):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-9 * (1.0 + (size / 1e3) ** power))

    assert rows.shape == F.shape and not rows.changed
    same(rows.whole(), F)
    same(rows.take(some), F[some])
    room = np.empty((60, P))
    assert np.shares_memory(rows.take(slice(3, 9), room), room)
    same(room[:6], F[3:9])
    same(rows.times(right), F @ right)
    same(rows.part(some) @ right, F[some] @ right)
    same(rows.rows_times(slice(3, 9), right, np.empty((8, 3))), F[3:9] @ right)
    same(rows.transposed_times(left), F.T @ left)
    same(rows.gradient(left, right), F.T @ (left - F @ right), power=2)
    same(np.tril(rows.products()), np.tril(F @ F.T), power=2)
    for which in (None, some):
        F_of, left_of = (F, left) if which is None else (F[which], left[which])
        gram, cross = rows.gram(left, which)
        same(np.tril(gram), np.tril(F_of.T @ F_of), power=2)
        same(cross, F_of.T @ left_of)
    for found, expected in zip(rows.column_sums(), (F.sum(0), np.square(F).sum(0)), strict=True):
        same(found, expected, power=2)
    others = rows.without(np.array([1, 4]))
    np.testing.assert_allclose(others.whole(), np.delete(F, [1, 4], axis=1), atol=1e-12)


def test_a_large_mean_costs_no_digits():
    rows, dense = both()
    F = np.longdouble(dense.given)
    F = F - F.mean(axis=0)
    exact = np.asarray(F.T @ F, dtype=float)
    gram, _ = rows.gram(np.zeros((N, 1)))
    scale = np.sqrt(np.outer(np.diag(exact), np.diag(exact))) + 1e-300
    assert np.max(np.abs(np.tril(gram - exact)) / scale) < 1e-12


@pytest.mark.parametrize("weighted", [False, True])
def test_what_causes_are_read_from(weighted):
    rows, dense = both(weighted=weighted)
    rng = np.random.default_rng(3)
    others, some = rng.permutation(N), rng.permutation(N)[:25]
    np.testing.assert_allclose(rows.apart(others), dense.apart(others), rtol=1e-9)
    np.testing.assert_array_equal(rows.differing(some, 1e-9), dense.differing(some, 1e-9))
    np.testing.assert_allclose(rows.lengths(), dense.lengths(), rtol=1e-9)


def test_equal_rows_have_equal_numbers():
    X = np.random.default_rng(0).poisson(0.3, size=(60, 4)).astype(float)
    (rows, _), (dense, _) = (centred_rows(x, None) for x in (sp.csr_array(X), X))
    pairs = [
        np.equal.outer(r.numbers_of_equal(1.0), r.numbers_of_equal(1.0)) for r in (rows, dense)
    ]
    np.testing.assert_array_equal(*pairs)


def ridge_of_repeated(X, y, alpha, fit_intercept):
    """Ridge on rows that come twice, whose first and last columns are equal, from one of each."""
    half = len(X) // 2
    rows, targets = (
        X[:half, :-1] * np.r_[np.sqrt(2.0), np.ones(X.shape[1] - 2)],
        y[:half] + y[half:],
    )
    if fit_intercept:
        rows, targets = rows - rows.mean(axis=0), targets - targets.mean(axis=0)
    left, singular, right = np.linalg.svd(rows, full_matrices=False)
    kept = singular > 1e-12 * singular[0]
    left, singular, right = left[:, kept], singular[kept], right[kept]
    shrunk = 0.5 * singular / (np.square(singular) + 0.5 * alpha)
    coefs = right.T @ (shrunk[:, None] * (left.T @ targets))
    return np.vstack([coefs[:1] / np.sqrt(2.0), coefs[1:], coefs[:1] / np.sqrt(2.0)])


@pytest.mark.parametrize("alpha", [0.0, 1e-9, 1e-3, 10.0])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("shape", [(60, 25), (40, 35), (30, 80)])
def test_coefficients_of_rows_that_repeat(shape, fit_intercept, alpha):
    """The Gram matrix has directions of rounding alone, in which small ridges must not move."""
    rng = np.random.default_rng(0)
    X = rng.poisson(0.4, size=shape).astype(float)
    X[shape[0] // 2 :] = X[: shape[0] // 2]
    X[:, -1] = X[:, 0]
    y = rng.normal(size=(shape[0], 2))
    found = ridge_factorization(sp.csc_array(X), y, fit_intercept=fit_intercept)
    expected = ridge_of_repeated(X, y, alpha, fit_intercept)
    np.testing.assert_allclose(found.coefs(alpha), expected, rtol=1e-9, atol=1e-11)


def test_columns_of_unequal_scale_are_decomposed_from_rows_while_these_are_few(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 5)) * [1e9, 1.0, 1.0, 1.0, 1e-3] * (rng.random((80, 5)) < 0.4)
    y = X[:, 1] + rng.normal(size=80)
    dense, found = (ridge_factorization(x, y).coefs(1e-6) for x in (X, sp.csr_array(X)))
    np.testing.assert_allclose(found, dense, rtol=1e-9)
    monkeypatch.setattr(sparse_rows, "_MOST_ENTRIES", 100)
    found = ridge_factorization(sp.csr_array(X), y, np.full(80, 2.0))
    with pytest.raises(ValueError, match=r"alpha=1 is too.*shape \(80, 5\): below .*MaxAbsScaler"):
        found.coefs(0.5)


def refitted_without_each(X, y, ridge):
    """Residuals of every row from ridge on all others."""
    residuals = []
    for row in range(len(X)):
        others, targets = np.delete(X, row, axis=0), np.delete(y, row)
        mean, offset = others.mean(axis=0), targets.mean()
        kernel = (others - mean) @ (others - mean).T + ridge * np.eye(len(others))
        coefs = (others - mean).T @ np.linalg.solve(kernel, targets - offset)
        residuals.append(y[row] - offset - (X[row] - mean) @ coefs)
    return residuals


@pytest.mark.parametrize("shape", [(60, 20), (40, 90)])
def test_rows_that_nearly_repeat(shape, monkeypatch):
    """Their difference is a direction that counts at alphas alone that are refused."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape) * (rng.random(shape) < 0.4)
    X[:, 2] = X[:, 3]
    X[1] = X[0]
    X[1, 3] = X[1, 2] + 1e-6
    y = rng.normal(size=shape[0])
    monkeypatch.setattr(sparse_rows, "_MOST_ENTRIES", 100)
    dense, found = (ridge_factorization(x, y) for x in (X, sp.csr_array(X)))
    assert 0.0 < found.least_ridge < 1e-4 and dense.least_ridge == 0.0
    for ridge in (1.001 * found.least_ridge, 1.0):
        np.testing.assert_allclose(found.coefs(ridge), dense.coefs(ridge), rtol=1e-7)
        left_out = leave_one_out_residuals(found, ridge)[:, 0]
        np.testing.assert_allclose(left_out, refitted_without_each(X, y, ridge), atol=1e-6)
    with pytest.raises(ValueError, match="rows nearly repeat, pass a larger alpha"):
        found.coefs(0.0)


def test_too_many_to_factorise(monkeypatch):
    monkeypatch.setattr("sk_deepfeat.theory.one_sample.factorize.MOST_FACTORISED", 10)
    X = sp.coo_array(sp.random(30, 12, 0.2, random_state=np.random.default_rng(0)))
    with pytest.raises(ValueError, match=r"shape \(30, 12\).*population='lanczos'"):
        ridge_factorization(X, np.ones(30))
    weights = np.r_[np.ones(9), np.zeros(21)]
    assert ridge_factorization(X, np.arange(30.0), weights).n_rows == 9


def test_the_callers_matrix_stays_as_it_is():
    data, indices, ends = np.array([1.0, 0.0, 2.0, 3.0]), np.array([2, 0, 1, 1]), [0, 2, 4, 4]
    X = sp.csr_array((data.copy(), indices.copy(), np.array(ends)), shape=(3, 3))
    rows = sparse_rows_of(X, "X")
    np.testing.assert_array_equal(rows.toarray(), [[0, 0, 1], [0, 5, 0], [0, 0, 0]])
    assert rows.nnz == 2
    for kept, given in ((X.data, data), (X.indices, indices), (X.indptr, ends)):
        np.testing.assert_array_equal(kept, given)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_entries_must_be_finite(bad):
    X = sp.csr_array([[1.0, 0.0], [bad, 2.0]])
    with pytest.raises(ValueError, match="must be finite"):
        ridge_factorization(X, np.ones(2))


def test_kinds_that_are_refused():
    with pytest.raises(TypeError, match="complex128 in a sparse matrix"):
        ridge_factorization(sp.csr_array([[1j, 0.0]]), np.ones(1))


@pytest.mark.parametrize("kind", ["outsize rows", "rare columns", "copies", "scales"])
def test_causes_are_those_of_the_written_rows(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 60)) * (rng.random((400, 60)) < 0.3)
    groups = None
    if kind == "outsize rows":
        X[[3, 50]] *= 20.0
    elif kind == "rare columns":
        X[:, 20:] = rng.random((400, 40)) < 0.01
    elif kind == "copies":
        groups = np.arange(400) % 200
        X[200:] = X[:200]
    else:
        X[:, 4] *= 1e5
    y = X[:, 0] + rng.normal(size=400)
    y[200:] = y[:200] if kind == "copies" else y[200:]
    dense, found = (
        find_causes(ridge_factorization(x, y, groups=groups)) for x in (X, sp.coo_array(X))
    )
    assert dense and [cause.kind for cause in found] == [cause.kind for cause in dense]
    assert [cause.sentence for cause in found] == [cause.sentence for cause in dense]
