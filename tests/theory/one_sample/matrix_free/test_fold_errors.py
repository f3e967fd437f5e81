"""Errors of left-out folds, against fits that leave them out."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sk_deepfeat.theory import unfactorized_rows
from sk_deepfeat.theory.one_sample.matrix_free.fold_errors import FoldErrors
from sk_deepfeat.theory.one_sample.matrix_free.folded_products import FoldedProducts

RIDGES = np.array([0.5, 20.0, 1e3])
SHAPES = [(120, 40), (60, 150), (80, 80)]


def sample(n, p, weighted=False):
    rng = np.random.default_rng(n + p)
    X = 3.0 + rng.normal(size=(n, p)) * np.arange(1, p + 1) ** -0.3
    y = 5.0 + X[:, 0] + rng.normal(size=n)
    return X, y, rng.uniform(0.2, 3.0, size=n) if weighted else None


def run(X, y, weights=None, *, fit_intercept=True, n_folds=5, steps=100, blocks=7):
    rows = unfactorized_rows(X, y, weights, fit_intercept=fit_intercept)
    fold = np.random.default_rng(1).permutation(len(X)) % n_folds
    products = FoldedProducts(
        rows.features, np.sqrt(rows.weights), fold, fit_intercept=fit_intercept
    )
    none = np.empty((min(X.shape), 0))
    errors = FoldErrors(products, rows.targets[:, 0], none, steps, blocks)
    errors.run.advance(steps)
    return rows, fold, errors


def squared_errors(X, y, weights, fold, ridge, fit_intercept):
    """Squared errors of refits, times weights, for rows in their order."""
    found = np.empty(len(X))
    for k in range(fold.max() + 1):
        out = fold == k
        one = Ridge(alpha=ridge, fit_intercept=fit_intercept, solver="svd")
        one.fit(X[~out], y[~out], sample_weight=weights[~out])
        found[out] = weights[out] * np.square(y[out] - one.predict(X[out]))
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_errors_are_those_of_refits_without_each_fold(shape, fit_intercept, weighted):
    X, y, weights = sample(*shape, weighted)
    rows, fold, errors = run(X, y, weights, fit_intercept=fit_intercept)
    expected = [
        squared_errors(X, y, rows.weights, fold, ridge, fit_intercept).mean() for ridge in RIDGES
    ]
    np.testing.assert_allclose(errors.means(RIDGES)[0], expected, rtol=1e-6)


def test_errors_without_a_block_leave_its_rows_out_of_the_mean():
    X, y, _ = sample(50, 20)
    rows, fold, errors = run(X, y, blocks=4)
    each = squared_errors(X, y, rows.weights, fold, RIDGES[0], True)[
        np.argsort(fold, kind="stable")
    ]
    ends = np.arange(5) * 50 // 4
    expected = [np.delete(each, np.r_[ends[b] : ends[b + 1]]).mean() for b in range(4)]
    np.testing.assert_allclose(errors.means(RIDGES)[1][:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_training_errors_are_those_of_all_rows(shape, fit_intercept):
    X, y, weights = sample(*shape, weighted=True)
    rows, _, errors = run(X, y, weights, fit_intercept=fit_intercept)
    expected = []
    for ridge in RIDGES:
        one = Ridge(alpha=ridge, fit_intercept=fit_intercept, solver="svd")
        one.fit(X, y, sample_weight=rows.weights)
        expected.append(np.sum(rows.weights * np.square(y - one.predict(X))))
    np.testing.assert_allclose(errors.training_error(RIDGES), expected, rtol=1e-6)


def test_what_is_called_settled_does_not_move_beyond_its_noise_any_more():
    X, _, _ = sample(400, 600)
    X *= np.arange(1, 601) ** -0.7
    y = X @ (np.random.default_rng(2).normal(size=600) * np.arange(1, 601) ** 0.5)
    ridges = np.geomspace(1e-6, 1e4, 40)
    _, _, early = run(X, y, steps=16)
    _, _, late = run(X, y, steps=300)
    told, truth = early.settled(ridges), late.settled(ridges)
    assert 5 < np.count_nonzero(told.known) < 35
    off = np.abs(told.error / truth.error - 1.0) / truth.noise
    assert np.max(off[told.known]) < 0.5
    assert np.max(off[~told.known]) > 0.5, "and what is not called so may"
    assert np.all(truth.known[told.known])


def test_many_predictions_are_kept_in_single_precision(monkeypatch):
    X, y, _ = sample(60, 150)
    _, _, double = run(X, y)
    monkeypatch.setattr("sk_deepfeat.theory.one_sample.matrix_free.fold_errors._MOST_DOUBLE", 0)
    _, _, single = run(X, y)
    assert single._predicted.dtype == np.float32
    np.testing.assert_allclose(single.means(RIDGES)[0], double.means(RIDGES)[0], rtol=1e-4)
