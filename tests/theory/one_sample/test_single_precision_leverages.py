"""Large problems in single precision, against all of it in double precision."""

import numpy as np
import pytest

from sk_deepfeat.theory import (
    curve_risk,
    leave_one_out_curves,
    leave_one_out_residuals,
    ridge_factorization,
)
from sk_deepfeat.theory.one_sample import leave_one_out
from sk_deepfeat.theory.one_sample.few_ridges import few_columns
from sk_deepfeat.theory.one_sample.leave_one_out import _Tables, left_out_rows
from sk_deepfeat.theory.one_sample.residuals import Residuals

N, P = 3000, 150


def plain(rng):
    return rng.normal(size=(N, P)) * np.arange(1, P + 1) ** -1.0


def near_one(rng):
    """Leverages up to .999999 beside ordinary ones."""
    X = plain(rng)
    X[:5, -5:] *= np.geomspace(1e2, 1e5, 5)[:, None]
    return X


def ten_decades(rng):
    turned = np.linalg.qr(rng.normal(size=(P, P)))[0]
    return (rng.normal(size=(N, P)) * np.geomspace(1.0, 1e-5, P)) @ turned


def spikes(rng):
    return rng.normal(size=(N, P)) * np.r_[1e3, 3e2, 1e2, np.ones(P - 3)] + 50.0


def rounded(rng):
    return plain(rng).astype(np.float32)


def long_rows(rng):
    X = spikes(rng)
    X[:20] *= 30.0
    return X


MAKERS = [plain, near_one, ten_decades, spikes, rounded, long_rows]


def both(monkeypatch, make, outputs=3):
    """Return the factorisation and a function that switches to single precision or back."""
    rng = np.random.default_rng(0)
    X = make(rng)
    weights = rng.normal(size=(P, outputs)) / X.std(axis=0)[:, None]
    y = X @ weights + rng.normal(size=(N, outputs))
    y[:, 1] = X @ weights[:, 1]  # fitted exactly
    monkeypatch.setattr(leave_one_out, "_LARGE", np.inf)
    path = ridge_factorization(X, y)
    return path, lambda large: monkeypatch.setattr(leave_one_out, "_LARGE", large)


def rows_of(path, grid):
    residuals = Residuals(path, grid)
    found = []
    for block in left_out_rows(path, grid):
        residual = np.empty((grid.size, block.q.shape[1], path.targets.shape[1]))
        for outputs, some in residuals.chunks(block):
            residual[:, :, outputs] = some
        error = residual / block.distance[:, :, None]
        found.append((block.q, block.distance, block.growth, error))
    return [np.concatenate(parts, axis=1) for parts in zip(*found, strict=True)], block.left.dtype


@pytest.mark.parametrize("make", MAKERS)
def test_leverages_and_residuals(make, monkeypatch):
    path, set_large = both(monkeypatch, make)
    lam = path.eigenvalues
    grid = np.geomspace(1e-6 * lam[0], 1e6 * lam.sum(), 60)
    (q, distance, growth, error), dtype = rows_of(path, grid)
    assert dtype == np.float64
    assert distance.min() < (1e-5 if make is near_one else 1.0)
    set_large(0.0)
    (q_single, distance_single, growth_single, error_single), dtype = rows_of(path, grid)
    assert dtype == np.float32
    np.testing.assert_allclose(distance_single, distance, rtol=1e-5)
    scale = q.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(q_single / scale, q / scale, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        growth_single.sum(axis=1) / q.sum(axis=1), growth.sum(axis=1) / q.sum(axis=1), atol=1e-6
    )
    mean = np.sqrt(np.mean(error**2, axis=1, keepdims=True))
    np.testing.assert_allclose(error_single / mean, error / mean, rtol=1e-4, atol=1e-3)
    of_mean = np.mean(error_single**2, axis=1) / mean[:, 0] ** 2
    np.testing.assert_allclose(of_mean, 1.0, rtol=1e-5)


@pytest.mark.parametrize("make", MAKERS)
def test_errors(make, monkeypatch):
    path, set_large = both(monkeypatch, make)
    lam = path.eigenvalues
    n, alpha = np.array([[100], [1000], [N]]), np.geomspace(lam[0], lam[-1], 13)
    found = []
    for large in (np.inf, 0.0):
        set_large(large)
        curve, replicates = leave_one_out_curves(path, n_blocks=3)
        found.append(
            [
                curve_risk(one, n, alpha, fit_intercept=True).test_error
                for one in (curve, replicates[1])
            ]
        )
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-4)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-4)


def test_double_precision_where_rows_hardly_outnumber_columns(monkeypatch):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(P + 4, P))
    path = ridge_factorization(X, rng.normal(size=P + 4))
    monkeypatch.setattr(leave_one_out, "_LARGE", 0.0)
    blocks = list(left_out_rows(path, np.array([1e-6, 1.0])))
    assert {block.left.dtype for block in blocks} == {np.dtype(np.float64)}


@pytest.mark.parametrize("lam", [np.geomspace(1e-9, 1.0, 300), np.r_[1e-8, np.ones(90), 1e3, 1e8]])
def test_few_columns_stand_for_all(lam):
    grid = np.geomspace(1e-6 * lam[0], 1e6 * lam.sum(), 120)
    table = (grid / (lam[:, None] + grid)) ** 2
    basis, weights = few_columns(lam, table, 1e-9)
    assert basis.shape[1] < 80
    error = np.abs(basis @ weights - table) / table.max(axis=0)
    assert error.max() < 3e-8


def test_lengths_of_rows_are_told_beside_their_sums():
    """Over their mean, whatever the scale of the features; sums are those of double precision."""
    rng = np.random.default_rng(0)
    eigenvalues, grid = np.geomspace(1e-3, 1e5, 30), np.geomspace(1e-4, 1e6, 25)
    squares = rng.random((50, 30)).astype(np.float32)
    tables = _Tables(eigenvalues, grid)
    sums, lengths = tables.few(squares)
    expected = squares.astype(float) @ eigenvalues
    np.testing.assert_allclose(lengths, expected / expected.mean(), rtol=1e-5)
    np.testing.assert_allclose(sums, tables.all(squares.astype(float)), rtol=1e-4)


def test_residuals_at_one_ridge_are_never_in_single_precision(monkeypatch):
    monkeypatch.setattr(leave_one_out, "_LARGE", 0.0)
    X, y = np.random.default_rng(0).normal(size=(60, 20)), np.arange(60.0)
    path = ridge_factorization(X, y, fit_intercept=False)
    hat = X @ np.linalg.solve(X.T @ X + 2.0 * np.eye(20), X.T)
    expected = (y - hat @ y) / (1.0 - np.diag(hat))
    found = leave_one_out_residuals(path, 2.0)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-10)
