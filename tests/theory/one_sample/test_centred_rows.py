import numpy as np
import pytest

from sk_deepfeat.theory import ridge_factorization
from sk_deepfeat.theory.one_sample import centred_rows
from sk_deepfeat.theory.one_sample.centred_rows import CentredRows, add_products


@pytest.fixture(params=["whole", "in blocks"])
def small_blocks(request, monkeypatch):
    """Rows are blocks of 64 where they are not kept as a whole."""
    if request.param == "in blocks":
        monkeypatch.setattr(centred_rows, "_FEW_ENTRIES", 0)
        monkeypatch.setattr(centred_rows, "_BLOCK_ENTRIES", 100)


def made(dtype, weighted):
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(200, 7)) + 5.0).astype(dtype)
    root = rng.uniform(0.5, 2.0, size=200) if weighted else None
    mean = X.mean(axis=0, dtype=float)
    F = X.astype(float) - mean
    return CentredRows(X, mean, root), F if root is None else F * root[:, None]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_are_those_of_the_centred_rows(dtype, weighted):
    rows, F = made(dtype, weighted)
    some = np.random.default_rng(1).permutation(200)[:50]
    np.testing.assert_allclose(rows.whole(), F, rtol=1e-14)
    np.testing.assert_allclose(rows.take(some), F[some], rtol=1e-14)
    room = np.empty((60, 7))
    assert np.shares_memory(rows.take(slice(3, 9), room), room)
    np.testing.assert_allclose(room[:6], F[3:9], rtol=1e-14)
    np.testing.assert_allclose(rows.columns(np.array([1, 3])), F[:, [1, 3]], rtol=1e-14)
    np.testing.assert_allclose(rows.times(F.T), F @ F.T, atol=1e-10)
    np.testing.assert_allclose(rows.transposed_times(F), F.T @ F, atol=1e-10)
    np.testing.assert_allclose(np.tril(rows.products()), np.tril(F @ F.T), atol=1e-10)
    gram = np.zeros((7, 7), order="F")
    for part, block in rows.blocks(some):
        np.testing.assert_allclose(block, F[part], rtol=1e-14)
        add_products(block, gram)
    np.testing.assert_allclose(np.tril(gram), np.tril(F[some].T @ F[some]), atol=1e-10)
    assert not np.triu(gram, 1).any()


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("n", [60, 61])
def test_halves_make_up_the_whole(n):
    rng = np.random.default_rng(n)
    X, y = rng.normal(size=(n, 8)) + 3.0, rng.normal(size=(n, 2))
    path = ridge_factorization(X, y, rng.uniform(0.5, 2.0, size=n))
    F, values = path.features.whole(), np.c_[path.targets, np.sqrt(path.weights)]
    for k, rows in enumerate(path.halves.rows):
        assert rows.size == n // 2
        gram = F[rows].T @ F[rows]
        np.testing.assert_allclose(np.tril(path.halves.gram(k)), np.tril(gram), atol=1e-10)
        np.testing.assert_allclose(path.halves.cross[k], F[rows].T @ values[rows], atol=1e-10)
    assert np.intersect1d(*path.halves.rows).size == 0
    np.testing.assert_allclose(path.eigenvalues, np.linalg.eigvalsh(F.T @ F), rtol=1e-10)
    np.testing.assert_allclose(np.tril(path.gram()), np.tril(F.T @ F), atol=1e-9)


def test_rows_are_not_copied_and_a_change_shows():
    X = np.random.default_rng(0).normal(size=(2000, 600))
    path = ridge_factorization(X, X[:, 0])
    assert path.features.given is X and not path.features.changed
    X[777, 5] += 1.0
    assert path.features.changed


def test_training_error_is_that_of_the_residuals():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(50, 20)), rng.normal(size=(50, 2))
    path = ridge_factorization(X, y, rng.uniform(0.5, 2.0, size=50))
    for alpha in (0.0, 3.0):
        residual = path.targets - path.features.whole() @ path.coefs(alpha)
        found = path.training_error(alpha, path.coefs(alpha))
        np.testing.assert_allclose(found, np.square(residual).mean(axis=0))


@pytest.mark.parametrize("alpha", [0.0, 1e-12, 1e-9])
def test_training_error_counts_directions_that_single_precision_blurs(alpha):
    """Coefficients have them, the spectrum has not."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(200, 60)) * np.geomspace(1.0, 1e-7, 60)).astype(np.float32)
    y = X.astype(float) @ np.geomspace(1.0, 1e7, 60) + 1e-3 * rng.normal(size=200)
    path = ridge_factorization(X, np.c_[y, -2.0 * y])
    assert path.eigenvalues.size < 60
    coefs = path.coefs(alpha)
    residual = path.targets - path.features.whole() @ coefs
    np.testing.assert_allclose(path.training_error(alpha, coefs), np.square(residual).mean(axis=0))
