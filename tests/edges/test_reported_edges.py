"""Edges at which users' fits have failed."""

import warnings

import numpy as np
import pytest

from sk_deepfeat import DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.theory import solve_kappa


def normal(rows, columns):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, columns)), rng.normal(size=rows)


@pytest.mark.parametrize("alpha", [1e-8, 1e-30, 1e-300, 0.0])
def test_gcv_of_fewer_rows_than_columns_at_a_small_alpha(alpha):
    """κ stops falling with alpha, and points of one κ are no curve."""
    X, y = normal(20, 50)
    model = DeterministicEquivalentRidge(alpha, population="gcv").fit(255 * X, y)
    errors = model.predict_test_error([5, 10, 20, 40], alpha)
    assert np.all(errors[:3] > 0) and np.isnan(errors[3])
    limit = DeterministicEquivalentRidge(population="gcv").fit(255 * X, y)
    np.testing.assert_allclose(errors[:3], limit.predict_test_error([5, 10, 20], 0.0), rtol=1e-6)


def test_one_size_without_a_best_alpha_takes_nothing_from_the_others():
    X, y = normal(50, 10)
    model = DeterministicEquivalentRidge().fit(X, X[:, 0] + y)
    sizes = np.array([2, 10, 50, 1e9])
    with pytest.warns(PopulationWarning, match=r"n_samples=1e\+09 the best alpha lies beyond"):
        found = model.predict_test_error(sizes, "optimal"), model.optimal_alpha(sizes)
    alone = model.predict_test_error(sizes[:3], "optimal"), model.optimal_alpha(sizes[:3])
    for together, each in zip(found, alone, strict=True):
        assert np.isnan(together[3])
        np.testing.assert_array_equal(together[:3], each)


@pytest.mark.parametrize("alpha", [0.0, 5e-324, 1e-310, 1e-300, 1e-200])
def test_a_billion_samples_at_a_tiny_alpha(alpha):
    """κ = alpha/(n - rank), to the last digit that a float of its size has."""
    spectrum = np.linspace(1.0, 2.0, 10)
    np.testing.assert_array_equal(solve_kappa(spectrum, 1e9, alpha), alpha / (1e9 - 10))
    X, y = normal(50, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        model = DeterministicEquivalentRidge(population="plug-in").fit(X, y)
    error, floor = model.predict_test_error(1e9, alpha), model.predict_decomposition(1e9).noise
    np.testing.assert_allclose(error, floor * (1 + 1e-9) / (1 - 10 / (1e9 - 1)), rtol=1e-12)


def test_two_rows_and_one_of_them_zero():
    model = DeterministicEquivalentRidge(0.0, fit_intercept=False).fit([[0.0], [1.2]], [1.0, 2.0])
    error, lower, upper = model.predict_test_error(1, 1.0, return_interval=True)
    assert lower <= error <= upper
    np.testing.assert_allclose(error, (1.0 + 4.0) / 2)  # what is left of y where nothing is known


@pytest.mark.parametrize("shape", [(10, 20), (48, 6), (60, 8)])
@pytest.mark.parametrize("seed", [0, 3, 5])
def test_one_cell_of_1e12_is_answered_or_refused_by_name(shape, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=shape)
    y = X[:, 0] + rng.normal(size=shape[0])
    codes = (rng.normal(size=shape[0]) > 0).astype(int)
    X[3, 2] = 1e12
    for model, target in (
        (DeterministicEquivalentRidge(), y),
        (DeterministicEquivalentRidgeClassifier(), codes),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PopulationWarning)
            model.fit(X, target)
            value, low, high = model.predict_test_error(
                [5, 2 * shape[0]], 1.0, return_interval=True
            )
        known = np.isfinite(value)
        assert np.all((low <= value) & (value <= high) | ~known)


@pytest.mark.parametrize("alpha", [1e301, 1.7e308])
def test_alphas_and_sizes_beyond_double_precision_are_refused(alpha):
    X = np.random.default_rng(0).normal(size=(40, 3))
    ridge = DeterministicEquivalentRidge().fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"alpha=.* must be at most 1e\+300"):
        DeterministicEquivalentRidge(alpha).fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"alpha must be at most 1e\+300"):
        ridge.predict_test_error(50, alpha)
    with pytest.raises(ValueError, match=r"n_samples must be at most 1e\+100"):
        ridge.predict_test_error(alpha, 1.0)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("shape", [(6, 5), (30, 10), (40, 39)])
def test_fitted_without_regularisation_errors_are_left_out_errors(shape, intercept):
    X, y = normal(*shape)
    model = DeterministicEquivalentRidge(0.0, fit_intercept=intercept)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        found = model.fit(X, y).test_error_
    F = np.c_[X, np.ones(len(X))] if intercept else X
    residuals = [
        y[i] - F[i] @ np.linalg.pinv(np.delete(F, i, axis=0)) @ np.delete(y, i)
        for i in range(len(y))
    ]
    if F.shape[1] < len(y):  # else the least norm is that of all coefficients, or of some
        np.testing.assert_allclose(found, np.mean(np.square(residuals)), rtol=1e-5)
