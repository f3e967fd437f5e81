"""Blocks of ordered rows: the residuals they are chosen by, their length, their labels."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.signal import lfilter
from sklearn.linear_model import Ridge

from sk_deepfeat.theory import leave_one_out_residuals, ridge_factorization
from sk_deepfeat.theory.one_sample import blocks, tuning
from sk_deepfeat.theory.one_sample.blocks import block_groups, block_length


def autoregressive(rng, n, p, coefficient):
    """Columns x_t = c x_{t-1} + √(1-c²) noise, of variance one from the first row on."""
    noise = rng.normal(size=(n, p))
    noise[1:] *= np.sqrt(1.0 - coefficient**2)
    return lfilter([1.0], [1.0, -coefficient], noise, axis=0)


def series(seed, n, of_features, of_noise, p=20):
    rng = np.random.default_rng(seed)
    X = autoregressive(rng, n, p, of_features)
    return X, X @ np.full(p, p**-0.5) + autoregressive(rng, n, 1, of_noise)[:, 0]


@pytest.mark.parametrize("shape", [(60, 8), (60, 100)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_residuals_are_those_of_refits_without_the_stretch(shape, weighted, fit_intercept):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=shape) + 1.0, rng.normal(size=(60, 2)) + 3.0
    weights = rng.uniform(0.3, 2.0, size=60) if weighted else None
    path = ridge_factorization(X, y, weights, fit_intercept=fit_intercept)
    found = blocks._left_out_stretches(path, np.array([2.0]))[0]
    ridge = Ridge(alpha=2.0 * path.mean_weight, fit_intercept=fit_intercept, solver="svd")
    for start in range(0, 60, 12):
        out = np.arange(start, start + 12)
        kept = np.setdiff1d(np.arange(60), out)
        ridge.fit(X[kept], y[kept], sample_weight=None if weights is None else weights[kept])
        expected = (y[out] - ridge.predict(X[out])) * np.sqrt(path.weights[out])[:, None]
        np.testing.assert_allclose(found[out], expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("n", [100, 1000])
def test_independent_rows_are_blocks_of_one(n):
    lengths = [block_length(ridge_factorization(*series(seed, n, 0.0, 0.0))) for seed in range(20)]
    assert np.mean(np.array(lengths) > 1) <= 0.1


def test_blocks_grow_with_the_correlation():
    lengths = [
        np.median([block_length(ridge_factorization(*series(s, 1500, c, c))) for s in range(5)])
        for c in (0.5, 0.8, 0.95)
    ]
    assert 3 <= lengths[0] <= 15 < lengths[1] <= 60 < lengths[2] <= 150


def left_out_error(X, y, alpha, groups):
    """Error of scikit-learn's ridge on groups that are left out in turn."""
    squares = np.empty(len(y))
    for group in np.unique(groups):
        out = groups == group
        ridge = Ridge(alpha=alpha).fit(X[~out], y[~out])
        squares[out] = np.square(y[out] - ridge.predict(X[out]))
    return squares.mean()


@pytest.mark.parametrize(("coefficient", "n"), [(0.8, 500), (0.95, 1500)])
def test_errors_of_blocks_are_near_those_of_new_stretches(coefficient, n):
    """Row by row the error is a third too low and more; with blocks a tenth or so."""
    row_wise, block_wise = [], []
    for seed in range(6):
        X, y = series(seed, n, coefficient, coefficient, p=40)
        new_X, new_y = series(seed + 1000, 40_000, coefficient, coefficient, p=40)
        truth = np.mean(np.square(new_y - Ridge(alpha=50.0).fit(X, y).predict(new_X)))
        path = ridge_factorization(X, y)
        row_wise.append(np.mean(np.square(leave_one_out_residuals(path, 50.0))) / truth)
        groups = block_groups(n, block_length(path))
        block_wise.append(left_out_error(X, y, 50.0, groups) / truth)
    assert np.mean(row_wise) < 0.7
    assert abs(np.mean(block_wise) - 1.0) < 0.15


def test_what_neighbours_tell_does_not_hide_the_correlation():
    """Row by row the residuals look independent where new stretches are predicted much worse."""
    row_wise, lengths = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = autoregressive(rng, 500, 40, 0.95)
        y = np.sin(2.0 * X @ rng.normal(size=40) / 40**0.5) + rng.normal(size=500)
        path = ridge_factorization(X, y + X.mean(axis=1))
        row_wise.append(blocks._correlated_lags(leave_one_out_residuals(path, 10.0)))
        lengths.append(block_length(path))
    assert np.median(row_wise) == 0 and np.median(lengths) >= 10


def test_one_correlated_output_among_others_is_enough():
    X, y = series(0, 800, 0.0, 0.9)
    white = np.random.default_rng(1).normal(size=(800, 3))
    path = ridge_factorization(X, np.c_[white, y])
    assert block_length(path) > 10
    assert block_length(ridge_factorization(X, white)) == 1


def test_there_are_ten_blocks_at_least():
    X = np.random.default_rng(0).normal(size=(205, 4))
    walk = np.cumsum(np.random.default_rng(1).normal(size=205))
    assert block_length(ridge_factorization(X, walk)) == 205 // tuning.FEWEST_BLOCKS
    assert block_length(ridge_factorization(X[:19], walk[:19])) == 1


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_features_and_targets_that_do_not_vary(fit_intercept):
    walk = np.cumsum(np.random.default_rng(1).normal(size=300))
    nothing = ridge_factorization(np.zeros((300, 3)), walk, fit_intercept=fit_intercept)
    assert block_length(nothing) == 30
    constant = ridge_factorization(np.zeros((300, 3)), np.zeros(300), fit_intercept=fit_intercept)
    assert block_length(constant) == 1


@pytest.mark.parametrize(("n", "length"), [(10, 1), (10, 3), (10, 4), (10, 5), (1001, 77)])
def test_blocks_are_consecutive_and_nearly_equal(n, length):
    codes = block_groups(n, length)
    sizes = np.bincount(codes)
    assert codes.shape == (n,) and np.all(np.isin(np.diff(codes), [0, 1]))
    assert len(sizes) == n // length and sizes.min() >= length
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("length", [0, -1, 6, 2.5, "ten", True, None])
def test_lengths_that_make_no_blocks(length):
    with pytest.raises(ValueError, match=r"block_length=.* between 1 and 5, half of the 10 rows"):
        block_groups(10, length)


def test_only_a_factorization_has_residuals():
    with pytest.raises(TypeError, match="RidgeFactorization"):
        block_length(SimpleNamespace(n_rows=3))
