"""Each cause is found in rows that have it, in no others, and by the user's names."""

import numpy as np
import pytest
from samples import gaussian_rows, power_law

from sk_deepfeat.theory import ridge_factorization
from sk_deepfeat.theory.one_sample.causes import (
    dependence_beyond,
    find_causes,
    told_in_any_case,
)
from sk_deepfeat.theory.one_sample.column_scales import column_scales
from sk_deepfeat.theory.one_sample.dependence import row_dependence
from sk_deepfeat.theory.one_sample.rare_columns import rare_columns
from sk_deepfeat.theory.one_sample.row_leverages import leverage_shares, row_leverages
from sk_deepfeat.theory.one_sample.row_sizes import row_sizes
from sk_deepfeat.theory.one_sample.tails import standing_apart


def target(X, rng):
    signal = X @ rng.normal(size=X.shape[1])
    return signal + 0.5 * signal.std() * rng.normal(size=len(X))


def kinds(X, y, **given):
    return [cause.kind for cause in find_causes(ridge_factorization(X, y), **given)]


def rare_table(rng, n=400, rate=0.01):
    X = np.hstack([rng.normal(size=(n, 10)), rng.random((n, 30)) < rate])
    return X, X[:, 0] + X[:, 10:] @ rng.normal(scale=2.0, size=30) + 0.5 * rng.normal(size=n)


def in_groups(rng, n=600, p=60):
    site = rng.permutation(np.arange(n) // 6)
    X = rng.normal(size=(n // 6, p))[site] + 0.5 * rng.normal(size=(n, p))
    return X, X[:, 0] + rng.normal(size=n // 6)[site] + 0.3 * rng.normal(size=n)


@pytest.mark.parametrize("p", [2, 40, 300])
@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_nothing_is_named_in_gaussian_rows(p, exponent):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = gaussian_rows(rng, 200, power_law(p, exponent))
        assert kinds(X, target(X, rng)) == []


@pytest.mark.parametrize("seed", range(5))
class TestEachCauseIsFound:
    def test_rare_columns(self, seed):
        assert kinds(*rare_table(np.random.default_rng(seed))) == ["rare columns"]

    def test_outsize_rows(self, seed):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(300, 50))
        y = target(X, rng)
        X[[5, 17, 200]] *= 10.0
        assert kinds(X, y) == ["outsize rows"]

    def test_heavy_tails(self, seed):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(600, 50)) / np.sqrt(rng.chisquare(4.5, size=(600, 1)) / 4.5)
        assert kinds(X, target(X, rng)) == ["heavy-tailed rows"]

    def test_scales(self, seed):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(300, 50)) * np.exp(3.0 * rng.normal(size=50))
        assert kinds(X, target(X, rng)) == ["column scales"]

    def test_residuals(self, seed):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(1000, 20))
        assert kinds(X, X[:, 0] + rng.standard_t(2, size=1000)) == ["heavy-tailed residuals"]
        y = X[:, 0] + rng.normal(size=1000)
        y[[3, 77]] += 40.0
        assert kinds(X, y) == ["outsize residuals"]

    def test_dependence(self, seed):
        rng = np.random.default_rng(seed)
        assert kinds(*in_groups(rng)) == ["groups"]
        X, y = np.repeat(rng.normal(size=(75, 50)), 4, axis=0), np.repeat(rng.normal(size=75), 4)
        order = rng.permutation(300)
        assert kinds(X[order] + 1e-2 * rng.normal(size=X.shape), y[order]) == ["near copies"]
        walk = np.cumsum(rng.normal(size=(400, 61)), axis=0)
        assert kinds(walk[:, :60], walk[:, 60]) == ["order"]


def test_leverage_shares_are_those_of_the_hat_matrix():
    rng = np.random.default_rng(0)
    for n, p in ((40, 15), (15, 40)):
        path = ridge_factorization(rng.normal(size=(n, p)), rng.normal(size=n))
        rows, columns = np.array([3, 7, 11]), np.array([0, 4, 9])
        F = path.features.whole()
        inverse = np.linalg.inv(F.T @ F + 2.0 * np.eye(p))
        parts = F[:, columns] @ inverse[columns] @ F.T
        expected = np.diag(parts)[rows] / np.diag(F @ inverse @ F.T)[rows]
        found = leverage_shares(path, 2.0, rows, columns)
        np.testing.assert_allclose(found, np.clip(expected, 0, 1), rtol=1e-9)


def test_leverages_are_those_of_refits():
    rng = np.random.default_rng(1)
    X, weights = rng.normal(size=(60, 8)), rng.uniform(0.5, 2.0, size=60)
    path = ridge_factorization(X, X[:, 0], weights, fit_intercept=False)
    found = row_leverages(path)
    F = path.features.whole()
    for i in (0, 9, 33):
        others = np.delete(F, i, axis=0)
        gram = others.T @ others + found.ridge * np.eye(8)
        expected = F[i] @ np.linalg.solve(gram, F[i]) / path.weights[i]
        assert found.q[i] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_rare_columns_are_counted_as_by_hand(weighted):
    rng = np.random.default_rng(0)
    X, y = rare_table(rng, 250, 0.03)
    X[:, 12] = 7.0  # constant
    X[:, 13] = np.where(X[:, 13] > 0, rng.normal(size=250), 0.1)
    path = ridge_factorization(X, y, rng.uniform(0.5, 2.0, size=250) if weighted else None)
    found = rare_columns(path, row_leverages(path))
    by_hand = {}
    for j in range(40):
        n_differ = 250 - np.unique(X[:, j], return_counts=True)[1].max()
        if 0 < n_differ <= 25:
            by_hand[j] = n_differ
    assert dict(zip(found.columns, found.n_rows, strict=True)) == by_hand and 12 not in by_hand


def test_rare_columns_are_not_taken_for_groups_but_groups_beside_them_are_heard():
    """Rows that share a rare column are each other's nearest."""
    alone, beside = 0, 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        path = ridge_factorization(*rare_table(rng))
        alone += row_dependence(path, 0.0).by == "neighbours"
        assert not dependence_beyond(path).dependent
        X, y = in_groups(rng)
        bits = (rng.random((600, 30)) < 0.01).astype(float)
        both = find_causes(ridge_factorization(np.hstack([X, 5.0 * bits]), y))
        beside += both[0].kind == "groups"
    assert alone >= 4, "else nothing is tested"
    assert beside == 8


def test_names_of_columns_and_numbers_of_rows():
    rng = np.random.default_rng(0)
    X, y = rare_table(rng, rate=0.005)
    names = [f"dense_{j}" for j in range(10)] + [f"level_{j}" for j in range(30)]
    named = find_causes(ridge_factorization(X, y), feature_names=names)[0]
    by_number = find_causes(ridge_factorization(X, y))[0]
    assert "'level_" in named.sentence and "dense" not in named.sentence
    assert "more)" in by_number.sentence and "(columns " in by_number.sentence
    X = rng.normal(size=(200, 20))
    y = X[:, 0] + rng.normal(size=200)
    X[100] *= 30.0
    path = ridge_factorization(X[20:], y[20:])
    assert find_causes(path, row_numbers=np.arange(20, 200))[0].sentence.startswith("Row 100 is")
    assert find_causes(path)[0].sentence.startswith("Row 80 is")


def test_scales_are_named_where_units_differ_and_a_spectrum_is_none():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 30))
    X[:, [4, 8]] *= 2000.0
    found = column_scales(ridge_factorization(X, X[:, 0]))
    assert found.apart and set(found.largest) == {4, 8}
    told = told_in_any_case(ridge_factorization(X, X[:, 0]), feature_names=[*"abcdefgh"] * 4)
    assert "'e' and 'a'" in told[0].sentence or "'a' and 'e'" in told[0].sentence
    spectrum = rng.normal(size=(300, 5000)) * np.arange(1, 5001) ** -1.0
    assert not column_scales(ridge_factorization(spectrum, X[:, 0])).apart


def test_rows_at_the_edge_of_few_numbers_are_not_outsize():
    """Leverages of smooth functions have heavy tails, but the rows are of one size."""
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(400, 2))
    X = np.tanh(Z @ rng.normal(size=(2, 300)) + rng.normal(size=300))
    path = ridge_factorization(X, Z[:, 0] + 0.1 * rng.normal(size=400))
    leverages = row_leverages(path)
    assert np.quantile(leverages.q, 0.99) > 20 * np.median(leverages.q), "else nothing is tested"
    found = row_sizes(path, leverages)
    assert found.outsize.size == 0 and found.tail is None


def test_rows_alone_in_directions_of_little_variance_are_not_outsize():
    rng = np.random.default_rng(0)
    alone = np.arange(30, 35)
    X = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 40))
    X[alone] += 1e-2 * rng.normal(size=(5, 40))
    path = ridge_factorization(X, X[:, 0] + rng.normal(size=200))
    leverages = row_leverages(path)
    assert set(standing_apart(np.sqrt(leverages.q))) == set(alone), "else nothing is tested"
    assert row_sizes(path, leverages).outsize.size == 0


def test_copies_that_are_grouped_are_told_and_other_groups_are_not():
    rng = np.random.default_rng(0)
    X = np.tile(rng.normal(size=(60, 10)), (2, 1))
    y, codes = np.tile(X[:60, 0], 2), np.tile(np.arange(60), 2)
    path = ridge_factorization(X, y, groups=codes)
    assert [cause.kind for cause in told_in_any_case(path)] == ["copies"]
    assert "60 of 120 rows are exact copies" in find_causes(path)[0].sentence
    unlike = ridge_factorization(X, y + 1e-3 * rng.normal(size=120), groups=codes)
    assert told_in_any_case(unlike) == ()


@pytest.mark.parametrize("shape", [(2, 1), (5, 3), (60, 1), (60, 2), (45, 300)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_odd_sets_are_searched_without_an_exception(shape, fit_intercept):
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape)
    n = shape[0]
    for rows in (X, np.ones(shape), np.round(X), X * 1e-200, (X > 1.5).astype(float)):
        for y in (np.zeros(n), rng.normal(size=(n, 3)), rows[:, 0]):
            path = ridge_factorization(rows, y, fit_intercept=fit_intercept)
            assert isinstance(find_causes(path), tuple)


def test_wrong_argument():
    with pytest.raises(TypeError, match="must be a RidgeFactorization"):
        find_causes(np.ones((3, 2)))
