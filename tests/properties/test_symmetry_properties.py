"""What features are told in, and in which order, changes nothing."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from training_draws import answers, any_seed, assert_same, trainings, uncalibrated

pytestmark = pytest.mark.random_examples

# Coefficients and intercepts are those of other columns, and compared by themselves.
COEFS = ("coef_", "intercept_")
# Random subsets, and blocks of the jackknife, are other rows where rows come in another order.
BY_DRAWS = ("lower", "upper", "score", "least_score", "most_score", "required")

# Coordinates of features that no causes of failed checks, nor their scales, single out.
ROTATED = ("gaussian", "power law", "heavy tails", "clusters")


def rotation(rng, p):
    return np.linalg.qr(rng.normal(size=(p, p)))[0]


@hypothesis.given(training=trainings(kinds=ROTATED), seed=any_seed)
def test_rotated_features_are_the_same_features(training, seed):
    turned = rotation(np.random.default_rng(seed), training.X.shape[1])
    cells, one = training.cells(), training.fit()
    other = training.fit(X=training.X @ turned)
    assert_same(answers(other, cells), answers(one, cells), rtol=1e-8, atol=1e-10, but=COEFS)
    size = np.abs(one.coef_).max()
    np.testing.assert_allclose(turned @ other.coef_, one.coef_, rtol=1e-8, atol=1e-9 * size)


@hypothesis.given(training=trainings(), seed=any_seed)
def test_columns_may_come_in_any_order(training, seed):
    order = np.random.default_rng(seed).permutation(training.X.shape[1])
    cells, one = training.cells(), training.fit()
    other = training.fit(X=training.X[:, order])
    assert_same(answers(other, cells), answers(one, cells), rtol=1e-8, atol=1e-10, but=COEFS)
    np.testing.assert_allclose(other.coef_, one.coef_[order], rtol=1e-8, atol=1e-10)


@hypothesis.given(training=trainings(), seed=any_seed)
def test_rows_may_come_in_any_order(training, seed):
    order = np.random.default_rng(seed).permutation(training.n)
    population = uncalibrated(training.population)
    n, alpha, n_rows = training.cells()
    cells = n[n <= n_rows], alpha, n_rows  # beyond, growth is told by blocks of the jackknife
    one = answers(training.fit(population=population), cells)
    other = answers(
        training.fit(population=population, X=training.X[order], y=training.y[order]), cells
    )
    but = () if population in ("gcv", "plug-in") else BY_DRAWS
    assert_same(other, one, rtol=1e-8, atol=1e-10, but=but)


@hypothesis.given(training=trainings(), times=st.integers(2, 4))
def test_columns_told_several_times_are_columns_of_another_scale(training, times):
    cells, one = training.cells(), training.fit()
    n, alpha, n_rows = cells
    other = training.fit(X=np.tile(training.X, times), alpha=times * training.alpha)
    after = answers(other, (n, times * alpha, n_rows))
    root = np.sqrt(times)
    before = answers(one, cells)
    assert_same(after, before, of_X=root, rtol=1e-8, atol=1e-9, but=COEFS)
    np.testing.assert_allclose(
        other.coef_.reshape(times, -1).sum(axis=0), one.coef_, rtol=1e-7, atol=1e-9
    )


@hypothesis.given(training=trainings(), column=st.integers(0, 29))
def test_a_column_told_twice_is_one_of_another_scale(training, column):
    column %= training.X.shape[1]
    scaled = training.X.copy()
    scaled[:, column] *= np.sqrt(2.0)
    twice = np.column_stack([training.X, training.X[:, column]])
    one, other = training.fit(X=scaled), training.fit(X=twice)
    cells = training.cells()
    assert_same(answers(other, cells), answers(one, cells), rtol=1e-8, atol=1e-9, but=COEFS)


@hypothesis.given(
    training=trainings(), values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=70)
)
def test_columns_that_do_not_vary_tell_nothing(training, values):
    # Up to 70 of them: rows that were more than the features are then fewer, which is computed in
    # another way. Where both are nearly as many, 1 - h of the rows has lost some digits in one.
    if not training.fit_intercept:
        values = [0.0] * len(values)
    constant = np.tile(values, (training.n, 1))
    cells, one = training.cells(), training.fit()
    other = training.fit(X=np.column_stack([training.X, constant]))
    assert_same(answers(other, cells), answers(one, cells), rtol=1e-6, atol=1e-7, but=COEFS)
    p = training.X.shape[1]
    np.testing.assert_allclose(other.coef_[:p], one.coef_, rtol=1e-7, atol=1e-9)
    assert np.all(other.coef_[p:] == 0.0)


@hypothesis.given(
    training=trainings(rows=st.integers(8, 40)), more=st.sampled_from([-1, 0, 1]), seed=any_seed
)
def test_nothing_breaks_where_rows_are_as_many_as_features(training, more, seed):
    # Where p is n - 1, n or n + 1, columns of zeros change the way it is computed and nothing else.
    n = training.n
    X = np.random.default_rng(seed).normal(size=(n, n + more))
    one = training.fit(X=X)
    other = training.fit(X=np.column_stack([X, np.zeros((n, 3))]))
    cells = training.cells()
    assert_same(answers(other, cells), answers(one, cells), rtol=1e-6, atol=1e-7, but=COEFS)


@hypothesis.given(
    training=trainings(intercepts=st.just(False)), more=st.sampled_from([-1, 1]), seed=any_seed
)
def test_rows_and_features_exchanged_have_one_spectrum(training, more, seed):
    rng, n = np.random.default_rng(seed), training.n
    X = rng.normal(size=(n, n + more))
    other = training.fit(X=X.T, y=rng.normal(size=n + more))
    one = training.fit(X=X)
    if hasattr(one, "eigenvalues_"):
        expected = one.eigenvalues_ * n
        np.testing.assert_allclose(
            other.eigenvalues_ * (n + more), expected, rtol=1e-8, atol=1e-11 * expected.max()
        )
