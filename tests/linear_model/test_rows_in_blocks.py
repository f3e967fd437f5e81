"""`partial_fit` and `fit` on blocks: the coefficients of all rows, and errors from a sample."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge, progress
from sk_deepfeat.exceptions import PopulationWarning

N, P = 6000, 40
CELLS = np.array([60, 500, 6000, 20000])[:, None], [1.0, 100.0]


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.standard_t(5, size=(N, P)) * np.geomspace(1.0, 0.1, P) + 3.0
    y = X @ rng.normal(size=(P, 2)) + rng.normal(size=(N, 2))
    return X, y, rng.random(N) + 0.2


def in_blocks(ridge, X, y, weights=None, step=700):
    for start in range(0, len(X), step):
        part = slice(start, start + step)
        ridge.partial_fit(X[part], y[part], None if weights is None else weights[part])
    return ridge


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 10.0, "optimal"])
def test_coefficients_are_those_of_all_rows(rows, alpha, fit_intercept, weighted):
    X, y, weights = rows
    weights = weights if weighted else None
    ridge = DeterministicEquivalentRidge(alpha, fit_intercept=fit_intercept, reservoir_size=500)
    whole = DeterministicEquivalentRidge(alpha, fit_intercept=fit_intercept).fit(X, y, weights)
    found = in_blocks(ridge, X, y, weights)
    if alpha == "optimal":  # chosen by errors of a sample; how far that goes is another test's
        whole = Ridge(found.alpha_, fit_intercept=fit_intercept).fit(X, y, weights)
    else:
        assert_allclose(found.train_error_, whole.train_error_, rtol=1e-9)
        assert_allclose(found.eigenvalues_, whole.eigenvalues_, rtol=1e-8)
    assert_allclose(found.coef_, whole.coef_, rtol=1e-9, atol=1e-9 * np.abs(whole.coef_).max())
    assert_allclose(found.intercept_, whole.intercept_, rtol=1e-8, atol=1e-9)
    assert found.n_samples_ == N


def test_errors_are_those_of_all_rows_within_intervals(rows):
    X, y, _ = rows
    whole = DeterministicEquivalentRidge(10.0).fit(X, y)
    found = in_blocks(DeterministicEquivalentRidge(10.0, reservoir_size=600), X, y)
    expected, low, high = whole.predict_test_error(*CELLS, return_interval=True)
    error, lower, upper = found.predict_test_error(*CELLS, return_interval=True)
    assert_array_equal(np.isnan(error), np.isnan(expected))
    known = ~np.isnan(expected)
    half = 0.5 * (upper - lower)
    assert np.all(np.abs(error - expected)[known] < half[known])
    wider = ((upper - lower) / (high - low))[known]
    assert np.all((wider > 0.8) & (wider < 1.5 * np.sqrt(N / 600)))
    np.testing.assert_array_less(wider[-4:], 1.3, "at all rows and beyond, all rows tell")


def test_all_rows_in_the_reservoir_are_the_ordinary_fit(rows):
    X, y, weights = (part[:900] for part in rows)
    whole = DeterministicEquivalentRidge(10.0).fit(X, y, weights)
    found = in_blocks(DeterministicEquivalentRidge(10.0), X, y, weights, step=200)
    for mine, theirs in zip(
        found.predict_test_error(*CELLS, return_interval=True),
        whole.predict_test_error(*CELLS, return_interval=True),
        strict=True,
    ):
        assert_allclose(mine, theirs, rtol=1e-12)


def test_arrays_files_and_iterators_are_the_same(rows, tmp_path):
    X, y, weights = rows
    ridge = DeterministicEquivalentRidge(10.0, reservoir_size=500)
    expected = in_blocks(clone(ridge), X, y, weights).predict_test_error(*CELLS)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    blocks = ((X[i : i + 1000], y[i : i + 1000], weights[i : i + 1000]) for i in range(0, N, 1000))
    for given in (
        (X, y, weights),
        (mapped, y, weights),
        (tmp_path / "X.npy", y, weights),
        (blocks, None, None),
    ):
        fitted = clone(ridge).fit(*given)
        assert_allclose(fitted.predict_test_error(*CELLS), expected, rtol=1e-10)


def test_single_precision_is_summed_in_double(rows):
    X, y, _ = rows
    single = X.astype(np.float32)
    ridge = DeterministicEquivalentRidge(10.0, reservoir_size=500)
    found = in_blocks(clone(ridge), single, y)
    expected = in_blocks(clone(ridge), single.astype(np.float64), y)
    assert_allclose(found.coef_, expected.coef_, rtol=1e-12)
    assert found.population_.factorization_.features.given.dtype == np.float32


def test_rows_after_fit_are_added_to_those_of_fit(rows):
    X, y, weights = rows
    found = DeterministicEquivalentRidge(10.0).fit(X[:4000], y[:4000], weights[:4000])
    before = found.coef_
    found.partial_fit(X[4000:], y[4000:], weights[4000:])
    expected = Ridge(10.0).fit(X, y, weights)
    assert_allclose(found.coef_, expected.coef_, rtol=1e-9)
    assert not np.allclose(before, found.coef_)
    found.fit(X[:100], y[:100])
    assert found.n_samples_ == 100, "fit begins anew"
    again = pickle.loads(pickle.dumps(found))
    with pytest.raises(ValueError, match="not pickled"):
        again.partial_fit(X, y)


def test_rows_written_to_since_are_refused(rows):
    X, y, _ = rows
    mine = X[:300].copy()
    ridge = DeterministicEquivalentRidge().fit(mine, y[:300])
    mine[5] += 1.0
    with pytest.raises(ValueError, match="written to"):
        ridge.partial_fit(X[300:], y[300:])


def test_sums_go_on_after_pickling_and_questions(rows):
    X, y, _ = rows
    ridge = DeterministicEquivalentRidge(10.0, reservoir_size=500)
    expected = in_blocks(clone(ridge), X, y)
    found = in_blocks(clone(ridge), X[:3500], y[:3500])
    assert found.test_error_ > 0
    found = pickle.loads(pickle.dumps(found))
    in_blocks(found, X[3500:], y[3500:])
    assert_allclose(found.coef_, expected.coef_, rtol=1e-12)
    assert_allclose(found.predict_test_error(*CELLS), expected.predict_test_error(*CELLS))


def test_what_is_learned_is_learned_when_it_is_asked(rows):
    X, y, _ = rows
    ridge = DeterministicEquivalentRidge(reservoir_size=500)
    with pytest.raises(NotFittedError):
        ridge.predict(X)
    ridge.partial_fit(X, y)
    assert "coef_" not in vars(ridge)
    assert ridge.predict(X[:3]).shape == (3, 2)
    assert "coef_" in vars(ridge)
    assert not hasattr(ridge, "nothing_")


def test_equal_leverages_need_no_rows_at_all(rows):
    X, y, _ = rows
    whole = DeterministicEquivalentRidge(10.0, population="gcv").fit(X, y)
    ridge = DeterministicEquivalentRidge(10.0, population="gcv", reservoir_size=2)
    found = in_blocks(ridge, X, y)
    assert_allclose(found.predict_test_error(*CELLS), whole.predict_test_error(*CELLS), rtol=1e-8)


def test_a_population_that_needs_all_rows_says_so(rows):
    X, y, _ = rows
    ridge = DeterministicEquivalentRidge(population="plug-in", reservoir_size=500)
    ridge.partial_fit(X, y)
    with pytest.raises(ValueError, match="population='plug-in' needs all rows"):
        ridge.predict_test_error()
    whole = ridge.fit(X, y)  # an array has them
    assert whole.n_samples_ == N


def test_copies_among_sampled_rows_are_told(rows):
    X, y, _ = rows
    ridge = DeterministicEquivalentRidge(reservoir_size=1500)
    in_blocks(ridge, np.repeat(X[:2000], 3, axis=0), np.repeat(y[:2000], 3, axis=0))
    with pytest.warns(PopulationWarning, match="sampled rows are exact copies"):
        assert ridge.test_error_ > 0


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.ones((5, P + 1)), np.ones((5, 2)), "features"),
        (np.ones((5, P)), np.ones((5, 3)), "outputs"),
        (np.ones((5, P)), np.ones(5), "dimensions"),
        (np.ones((5, P), np.float32), np.ones((5, 2)), "float32"),
        (np.full((5, P), np.nan), np.ones((5, 2)), r"^Block 1: X .*column 0"),
        (np.ones((5, P)), np.full((5, 2), np.inf), r"^Block 1: y .*column 0"),
        (np.ones((5, P)), np.full((5, 2), "one"), r"^Block 1: y"),
        (np.ones((5, P)), np.ones((4, 2)), r"^Block 1: X or y: Found .* inconsistent numbers"),
    ],
)
def test_a_wrong_block_is_refused_and_nothing_of_it_counts(rows, X, y, message):
    good, targets, _ = rows
    ridge = DeterministicEquivalentRidge(10.0).partial_fit(good[:500], targets[:500])
    expected = ridge.coef_.copy()
    with pytest.raises(ValueError, match=message):
        ridge.partial_fit(X, y)
    assert ridge.n_samples_ == 500
    assert_array_equal(ridge.coef_, expected)
    ridge.partial_fit(good[500:], targets[500:])
    assert ridge.n_samples_ == N


def test_other_settings_are_refused(rows):
    X, y, _ = rows
    ridge = DeterministicEquivalentRidge(reservoir_size=100).partial_fit(X, y)
    with pytest.raises(ValueError, match="cannot grow"):
        ridge.set_params(reservoir_size=200).partial_fit(X, y)
    for wrong in (1, 2.5, "all", True):
        with pytest.raises(ValueError, match="reservoir_size"):
            DeterministicEquivalentRidge(reservoir_size=wrong).partial_fit(X, y)
    with pytest.raises(ValueError, match="empty stream"):
        DeterministicEquivalentRidge().fit(iter([]))
    with pytest.raises(ValueError, match="at least two rows"):
        DeterministicEquivalentRidge().fit(iter([(X[:1], y[:1])]))


def test_progress_says_how_many_rows_have_come(rows, capsys, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    X, y, _ = rows
    DeterministicEquivalentRidge(reservoir_size=500, verbose=True).fit(X, y)
    assert "rows" in capsys.readouterr().err


def test_rows_of_groups_are_not_added_to(rows):
    X, y, _ = rows
    ridge = DeterministicEquivalentRidge().fit(X[:200], y[:200], groups=np.arange(200) // 2)
    with pytest.raises(ValueError, match="has no groups"):
        ridge.partial_fit(X[200:300], y[200:300])
    assert ridge.n_groups_ == 100


def test_an_alpha_that_is_none_is_named(rows):
    X, y, _ = rows
    with pytest.raises(ValueError, match="alpha=-1"):
        DeterministicEquivalentRidge(-1.0).partial_fit(X, y)
    ridge = DeterministicEquivalentRidge().partial_fit(X, y).set_params(alpha="none")
    with pytest.raises(ValueError, match="alpha='none'"):
        _ = ridge.coef_


def test_a_sample_without_any_leverage_tells_nothing():
    X, y = np.zeros((1000, 1)), np.random.default_rng(0).normal(size=1000)
    X[0] = 1.0
    ridge = DeterministicEquivalentRidge(fit_intercept=False, reservoir_size=10).fit(X, y)
    assert not ridge._sums.reservoir.rows.any()
    assert np.isnan(ridge.predict_test_error(1000, return_interval=True)).all()
    assert np.isnan(ridge.test_error_)
    assert_allclose(ridge.coef_, y[0] / 2.0)


def test_a_fit_that_fails_leaves_the_estimator_as_it_was(rows):
    X, y, _ = rows
    ridge = DeterministicEquivalentRidge(10.0, reservoir_size=500).fit(X, y)
    coefs, error = ridge.coef_.copy(), ridge.test_error_
    wider = np.hstack([X, X])
    wrong = wider[4000:].copy()
    wrong[7, 3] = np.nan
    with pytest.raises(ValueError, match=r"Block 1: X .*column 3 has NaN"):
        ridge.fit(iter([(wider[:4000], y[:4000]), (wrong, y[4000:])]))
    assert ridge.n_features_in_ == P and ridge.test_error_ == error
    assert_array_equal(ridge.coef_, coefs)
    assert ridge.partial_fit(X[:10] + 1.0, y[:10]).n_samples_ == N + 10
