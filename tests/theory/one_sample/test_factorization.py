import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sk_deepfeat.theory import ridge_factorization

RNG = np.random.default_rng(0)


def conditioned(n, p, condition):
    """Rows whose Gram matrix has the given condition number."""
    r = min(n, p)
    U, _ = np.linalg.qr(RNG.normal(size=(n, r)))
    V, _ = np.linalg.qr(RNG.normal(size=(p, r)))
    return (U * np.geomspace(1, condition**-0.5, r)) @ V.T


@pytest.mark.parametrize("shape", [(30, 80), (80, 30), (40, 40)])
@pytest.mark.parametrize("condition", [1e2, 1e6, 9e7])
def test_coefs_equal_those_of_the_svd(shape, condition):
    X, y = conditioned(*shape, condition), RNG.normal(size=(shape[0], 2))
    path = ridge_factorization(X, y, fit_intercept=False)
    alphas = np.array([1e-10, 1e-4, 1.0])
    for alpha, coefs in zip(alphas, path.coefs(alphas), strict=True):
        expected = Ridge(alpha=alpha, solver="svd", fit_intercept=False).fit(X, y).coef_
        assert np.linalg.norm(coefs.T - expected) <= 1e-10 * np.linalg.norm(expected)


@pytest.mark.parametrize("shape", [(30, 80), (80, 30)])
@pytest.mark.parametrize("condition", [1e10, 1e13, 1e18])
def test_predictions_hold_beyond(shape, condition):
    X, y = conditioned(*shape, condition), RNG.normal(size=shape[0])
    path = ridge_factorization(X, y, fit_intercept=False)
    for alpha in (1e-16, 1e-12):
        ridge = Ridge(alpha=alpha, solver="svd", fit_intercept=False).fit(X, y)
        found = X @ path.coefs(alpha)[:, 0]
        assert np.abs(found - ridge.predict(X)).max() <= 1e-8 * np.linalg.norm(y)


@pytest.mark.parametrize("shape", [(30, 80), (80, 30)])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_minimum_norm_solution(shape, fit_intercept):
    X, y = RNG.normal(size=shape), RNG.normal(size=shape[0])
    X = np.c_[X, X[:, :3]]  # rank-deficient
    path = ridge_factorization(X, y, fit_intercept=fit_intercept)
    centred = X - X.mean(axis=0) * fit_intercept
    expected = np.linalg.lstsq(centred, y - y.mean() * fit_intercept, rcond=1e-12)[0]
    np.testing.assert_allclose(path.coefs(0.0)[:, 0], expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(30, 80), (80, 30)])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_factors(shape, fit_intercept):
    X, y = RNG.normal(size=shape) + 5.0, RNG.normal(size=(shape[0], 2)) + 3.0
    path = ridge_factorization(X, y, fit_intercept=fit_intercept)
    centred = X - X.mean(axis=0) if fit_intercept else X
    singular = np.linalg.svd(centred, compute_uv=False)
    rank = min(shape[0] - fit_intercept, shape[1])
    np.testing.assert_allclose(path.eigenvalues[::-1], singular[:rank] ** 2, rtol=1e-9)
    targets = y - y.mean(axis=0) if fit_intercept else y
    inside = np.square(path.target_components).sum() + np.square(path.outside).sum()
    assert inside == pytest.approx(np.square(targets).sum())
    np.testing.assert_allclose(centred.T @ path.outside, 0.0, atol=1e-9)
    assert path.n_effective == shape[0] - fit_intercept


def test_weights_equal_repetition_for_coefs():
    X, y = RNG.normal(size=(40, 5)), RNG.normal(size=40)
    weights = RNG.integers(0, 4, size=40)
    path = ridge_factorization(X, y, weights)
    repeated = ridge_factorization(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(path.coefs(2.0 / path.mean_weight), repeated.coefs(2.0), rtol=1e-10)
    assert path.n_rows == np.count_nonzero(weights)


def test_one_row_with_intercept():
    path = ridge_factorization([[1.0, 2.0]], [3.0])
    np.testing.assert_array_equal(path.coefs(1.0), np.zeros((2, 1)))
    assert path.target_mean == 3.0


@pytest.mark.parametrize("weights", [[0.0, 0.0], [1.0, -1.0], [1.0]])
def test_bad_weights(weights):
    with pytest.raises(ValueError, match="sample_weight"):
        ridge_factorization(np.eye(2), [1.0, 2.0], weights)


def test_rows_must_match():
    with pytest.raises(ValueError, match="one row per sample"):
        ridge_factorization(np.eye(2), [1.0, 2.0, 3.0])


@pytest.mark.parametrize("shape", [(30, 80), (80, 30), (40, 40)])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_graded_spectra_keep_every_direction(shape, fit_intercept):
    """Far below the precision of the Gram matrix, coefficients and factors are those of the SVD."""
    X, y = conditioned(*shape, 1e16), RNG.normal(size=(shape[0], 2))
    path = ridge_factorization(X, y, fit_intercept=fit_intercept)
    centred = X - X.mean(axis=0) * fit_intercept
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    rank = min(shape[0] - fit_intercept, shape[1])
    np.testing.assert_allclose(path.eigenvalues[::-1], singular[:rank] ** 2, rtol=1e-5)
    components = np.abs(left[:, :rank].T @ (y - y.mean(axis=0) * fit_intercept))
    np.testing.assert_allclose(np.abs(path.target_components[::-1]), components, atol=1e-5)
    for alpha in (1e-3, 1.0):
        ridge = Ridge(alpha=alpha, solver="svd", fit_intercept=fit_intercept).fit(X, y)
        np.testing.assert_allclose(path.coefs(alpha).T, ridge.coef_, rtol=1e-7, atol=1e-9)


def test_single_precision_features_need_no_second_factorisation():
    """What their rounding blurs is left out: near-duplicates would cost an SVD for nothing."""
    X = RNG.normal(size=(200, 30)).astype(np.float32)
    X = np.c_[X, X * np.float32(1 / 3) * np.float32(3)]
    path = ridge_factorization(X, X[:, 0])
    assert path.eigenvalues.size == 30
    assert ridge_factorization(X.astype(np.float64), X[:, 0]).eigenvalues.size > 30


@pytest.mark.parametrize("weighted", [False, True])
def test_constant_columns_leave_no_rounding(weighted):
    weights = RNG.exponential(size=50) if weighted else None
    X, y = RNG.normal(size=(50, 3)), RNG.normal(size=(50, 3))
    X[:, 1], y[:, 0], y[:, 2] = 0.1, 1 / 3, 200.7
    path = ridge_factorization(X, y, weights)
    assert not path.features.whole()[:, 1].any() and not path.targets[:, [0, 2]].any()
    np.testing.assert_array_equal(path.target_mean[[0, 2]], [1 / 3, 200.7])
    np.testing.assert_allclose(path.target_mean[1], np.average(y[:, 1], weights=weights))
    assert ridge_factorization(np.full((50, 2), 0.1), y, weights).eigenvalues.size == 0


@pytest.mark.parametrize("shape", [(30, 80), (80, 30)])
@pytest.mark.parametrize("groups", [False, True])
def test_some_of_the_targets_have_what_they_would_have_alone(shape, groups):
    """Also where all of them have been asked before."""
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=shape), rng.normal(size=(shape[0], 4)) * [1.0, 2.0, 3.0, 4.0]
    labels = np.arange(shape[0]) // 2 if groups else None
    whole = ridge_factorization(X, Y, groups=labels)
    names = ("targets", "target_mean", "target_components", "outside_squares")
    before = [getattr(whole, name) for name in names], whole.target_variance, whole.coefs(1.0)
    some = np.array([3, 1])
    alone, part = ridge_factorization(X, Y[:, some], groups=labels), whole.with_outputs(some)
    for name in names:
        np.testing.assert_allclose(getattr(part, name), getattr(alone, name), atol=1e-9)
    np.testing.assert_allclose(part.target_variance, alone.target_variance)
    np.testing.assert_allclose(part.coefs(1.0), alone.coefs(1.0), atol=1e-9)
    for name, values in zip(names, before[0], strict=True):
        np.testing.assert_array_equal(getattr(whole, name), values)
    assert whole.target_variance is before[1]


@pytest.mark.parametrize("shape", [(40, 12), (12, 40)])
def test_each_output_at_an_alpha_of_its_own_is_that_of_all_at_it(shape):
    """Some alphas above the rounding of the Gram matrix and some below; some equal."""
    X, Y = conditioned(*shape, 1e16), RNG.normal(size=(shape[0], 6))
    path = ridge_factorization(X, Y)
    alphas = np.array([1e-12, 1.0, 1e-13, 1e-12, 1e-3, 0.0])
    found = path.coefs_of_outputs(alphas)
    for k, alpha in enumerate(alphas):
        expected = path.coefs(alpha)[:, k]
        assert np.linalg.norm(found[:, k] - expected) <= 1e-6 * np.linalg.norm(expected)
    nothing = ridge_factorization(np.ones(shape), Y).coefs_of_outputs(alphas)
    np.testing.assert_array_equal(nothing, np.zeros((shape[1], 6)))


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_one_direction_that_the_gram_matrix_does_not_tell_is_enough(fit_intercept):
    """Of eleven alike and one that is smaller by eight digits, which the coefficients need."""
    U, _ = np.linalg.qr(RNG.normal(size=(60, 12)))
    U = np.linalg.qr(U - U.mean(axis=0))[0]
    V, _ = np.linalg.qr(RNG.normal(size=(12, 12)))
    size = np.r_[np.ones(11), 1e-8]
    X, inside = (U * size) @ V.T, RNG.normal(size=12)
    path = ridge_factorization(X, U @ inside, fit_intercept=fit_intercept)
    for alpha in (0.0, 1e-17):
        expected = V @ (inside * size / (np.square(size) + alpha))
        found = path.coefs(alpha)[:, 0]
        assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)
