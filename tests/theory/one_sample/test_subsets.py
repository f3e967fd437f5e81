import numpy as np
import pytest
from samples import LinearPopulation
from sklearn.linear_model import Ridge

from sk_deepfeat.theory import ridge_factorization, subset_errors
from sk_deepfeat.theory.one_sample.shifted_systems import solve_shifted
from sk_deepfeat.theory.one_sample.spread import spread
from sk_deepfeat.theory.one_sample.subset_costs import by_weights


def sample(n, p):
    return LinearPopulation(np.ones(p), np.eye(p)[0], mean=2.0).sample(n, seed=n + p, outputs=2)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("alphas", [[0.1, 3.0], np.geomspace(1e-3, 10.0, 8)])
@pytest.mark.parametrize(
    ("p", "size", "n_subsets"),
    [(10, 20, 3), (80, 20, 4), (80, 45, 3), (10, 40, 2), (10, 30, 2), (10, 8, 4)],
)
def test_equals_refits(p, size, n_subsets, alphas, fit_intercept, weighted):
    """Explicit refits by scikit-learn, each row averaged over the fits that had not seen it.

    Sizes: rows more than features, most of them, halves, and fewer; few alphas, and many.
    """
    X, Y = sample(60, p)
    weights = np.random.default_rng(p).uniform(0.2, 3.0, size=60) if weighted else np.ones(60)
    weights = weights / weights.mean()
    path = ridge_factorization(X, Y, weights, fit_intercept=fit_intercept)
    found = subset_errors(path, size, alphas, n_subsets)
    total, times = np.zeros((60, len(alphas), 2)), np.zeros(60)
    for rows in spread(60, size, n_subsets, 0):
        outside = np.setdiff1d(np.arange(60), rows)
        times[outside] += 1
        for k, alpha in enumerate(alphas):
            ridge = Ridge(alpha=alpha * weights[rows].mean(), fit_intercept=fit_intercept)
            ridge.fit(X[rows], Y[rows], sample_weight=weights[rows])
            squares = np.square(Y[outside] - ridge.predict(X[outside]))
            total[outside, k] += weights[outside, None] * squares
    seen = times > 0
    expected = np.sum(total[seen] / times[seen, None, None], axis=0) / weights[seen].sum()
    np.testing.assert_allclose(found.error, expected, rtol=1e-9)


def test_subsets_arespread_evenly():
    subsets = spread(100, 20, 5, 0)
    np.testing.assert_array_equal(np.sort(np.concatenate(subsets)), np.arange(100))
    counts = np.bincount(np.concatenate(spread(100, 60, 5, 0)), minlength=100)
    assert counts.min() == counts.max() == 3


def test_a_gram_matrix_lost_in_rounding_is_unknown():
    X, Y = sample(60, 10)
    path = ridge_factorization(np.c_[X, X], Y)
    assert np.isnan(subset_errors(path, 40, [1e-30], 2).error).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, [1.0], 2), "size=1 must lie between 2 and 59"),
        ((60, [1.0], 2), "size=60 must lie between 2 and 59"),
        ((20, [1.0], 1), "n_subsets=1 must be at least 2"),
        ((20, [0.0], 2), "must be a 1-d array of positive numbers"),
    ],
)
def test_bad_arguments(arguments, message):
    X, Y = sample(60, 10)
    with pytest.raises(ValueError, match=message):
        subset_errors(ridge_factorization(X, Y), *arguments)


def test_subsets_of_whole_groups_are_measured_on_the_others():
    X, Y = sample(60, 10)
    groups = np.random.default_rng(0).permutation(np.repeat(np.arange(12), 5))
    path = ridge_factorization(X, Y, groups=groups)
    found = subset_errors(path, 21, [0.1, 3.0], 3)
    total, times = np.zeros((60, 2, 2)), np.zeros(60)
    for rows in spread(60, 21, 3, 0, path.groups):
        outside = np.setdiff1d(np.arange(60), rows)
        assert rows.size == 20 and not set(groups[rows]) & set(groups[outside])
        times[outside] += 1
        for k, alpha in enumerate([0.1, 3.0]):
            predicted = Ridge(alpha=alpha).fit(X[rows], Y[rows]).predict(X[outside])
            total[outside, k] += np.square(Y[outside] - predicted)
    assert found.size == 20.0
    np.testing.assert_allclose(found.error, (total / times[:, None, None]).mean(axis=0))


@pytest.mark.parametrize("n_ridges", [2, 9])
@pytest.mark.parametrize("lowest", [1e-20, 1e-3])
def test_shifted_systems(n_ridges, lowest):
    """By a dense solve; with directions of rounding, on the others alone."""
    rng = np.random.default_rng(0)
    F, b = rng.normal(size=(40, 25)), rng.normal(size=(25, 3))
    ridges = np.geomspace(lowest, 10.0, n_ridges)
    found = solve_shifted(np.asfortranarray(np.tril(F.T @ F)), b, ridges)
    for ridge, solution in zip(ridges, found, strict=True):
        np.testing.assert_allclose(F.T @ F @ solution + ridge * solution, b, rtol=1e-9)
    gram = np.asfortranarray(F @ F.T)  # of rank 25
    within = F @ b
    found = solve_shifted(gram, within, ridges)
    for ridge, solution in zip(ridges, found, strict=True):
        if n_ridges > 2 or ridge > 1e-10:
            np.testing.assert_allclose(F @ (F.T @ solution) + ridge * solution, within, atol=1e-8)


@pytest.mark.parametrize(("p", "size"), [(30, 8), (80, 20)])
def test_many_outputs_are_measured_as_each_alone(p, size):
    """Predictions of many outputs come from weights of the rows, of one from coefficients."""
    rng = np.random.default_rng(p)
    X, Y = rng.normal(size=(60, p)), rng.normal(size=(60, 40))
    weights, alphas = rng.uniform(0.5, 2.0, size=60), [0.5, 5.0]
    path = ridge_factorization(X, Y, weights)
    assert by_weights(path, size, 2)
    found = subset_errors(path, size, alphas, 3)
    for k in (0, 39):
        alone = ridge_factorization(X, Y[:, k], weights)
        assert not by_weights(alone, size, 2)
        expected = subset_errors(alone, size, alphas, 3)
        for name in ("error", "scatter", "row_noise"):
            mine, theirs = getattr(found, name)[:, k], getattr(expected, name)[:, 0]
            np.testing.assert_allclose(mine, theirs, rtol=1e-9)


def test_directions_of_rounding_are_left_out_of_many_ridges():
    """Beside eigenvalues a thousand million times apart; a ridge above the cut needs them all."""
    rng = np.random.default_rng(0)
    Q, _ = np.linalg.qr(rng.normal(size=(12, 12)))
    values = np.r_[np.geomspace(1e-6, 1e3, 9), [3e-13, 1e-13, 0.0]]
    gram, b = (Q * values) @ Q.T, rng.normal(size=(12, 2))
    ridges = np.r_[np.full(3, 1e-20), np.geomspace(1e-6, 10.0, 9)]
    found = solve_shifted(np.asfortranarray(np.tril(gram)), b, ridges)
    for ridge, solution in zip(ridges, found, strict=True):
        kept = slice(None, 9 if ridge < 1e-10 else None)
        expected = Q[:, kept] / (values[kept] + ridge) @ (Q[:, kept].T @ b)
        np.testing.assert_allclose(solution, expected, rtol=1e-4, atol=1e-4 * abs(expected).max())
