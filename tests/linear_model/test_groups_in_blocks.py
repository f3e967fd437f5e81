"""`partial_fit` and `fit` on rows in groups that come block by block."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.compose import fit_in_blocks
from sk_deepfeat.exceptions import PopulationWarning

N, P, GROUPS = 5000, 30, 900
CELLS = np.array([60, 500, 5000, 20000])[:, None], [1.0, 100.0]


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    site = rng.integers(GROUPS, size=N)
    X = rng.normal(size=(N, P)) + rng.normal(size=(GROUPS, P))[site] + 3.0
    y = X @ rng.normal(size=(P, 2)) + rng.normal(size=(GROUPS, 2))[site] + rng.normal(size=(N, 2))
    return X, y, rng.random(N) + 0.2, np.array([f"site {k}" for k in site])


@pytest.fixture(scope="module")
def whole(rows):
    X, y, _, groups = rows
    return DeterministicEquivalentRidge(10.0).fit(X, y, groups=groups)


def in_blocks(ridge, X, y, weights, groups, step=700):
    for start in range(0, len(X), step):
        part = slice(start, start + step)
        ridge.partial_fit(
            X[part], y[part], None if weights is None else weights[part], groups[part]
        )
    return ridge


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_coefficients_are_those_of_all_rows(rows, fit_intercept, weighted):
    X, y, weights, groups = rows
    weights = weights if weighted else None
    ridge = DeterministicEquivalentRidge(10.0, fit_intercept=fit_intercept, reservoir_size=900)
    found = in_blocks(ridge, X, y, weights, groups)
    expected = Ridge(10.0, fit_intercept=fit_intercept).fit(X, y, weights)
    assert_allclose(found.coef_, expected.coef_, rtol=1e-9)
    assert_allclose(found.intercept_, expected.intercept_, rtol=1e-8, atol=1e-9)
    assert found.n_samples_ == N
    assert found.n_groups_ == np.unique(groups).size
    assert found.population_.factorization_.n_sampled <= 900


def test_errors_are_those_of_all_rows_within_intervals(rows, whole):
    X, y, _, groups = rows
    ridge = DeterministicEquivalentRidge(10.0, reservoir_size=1200)
    found = in_blocks(ridge, X, y, None, groups)
    expected, low, high = whole.predict_test_error(*CELLS, return_interval=True)
    error, lower, upper = found.predict_test_error(*CELLS, return_interval=True)
    known = ~np.isnan(expected)
    assert_array_equal(np.isnan(error), ~known)
    assert np.count_nonzero(known) > 4
    # Both are uncertain, and the groups of one are among those of the other.
    assert np.all(((lower < expected) & (expected < upper))[known])
    wider = ((upper - lower) / (high - low))[known]
    assert np.all((wider > 0.8) & (wider < 2.0 * np.sqrt(N / 1200)))


@pytest.mark.parametrize("question", ["predict_test_error", "predict_kappa", "optimal_alpha"])
def test_groups_count_by_the_mean_size_of_all(rows, question):
    X, y, _, groups = rows
    found = in_blocks(DeterministicEquivalentRidge(10.0, reservoir_size=900), X, y, None, groups)
    size = N / np.unique(groups).size
    asked = getattr(found, question)
    assert_allclose(asked(n_groups=[100, 800]), asked([100 * size, 800 * size]))
    target = found.predict_test_error(n_groups=400)
    assert found.required_groups(float(target), alpha=10.0) == pytest.approx(400, rel=0.02)


def test_all_rows_in_the_reservoir_are_the_ordinary_fit(rows):
    X, y, weights, groups = (part[:900] for part in rows)
    ordinary = DeterministicEquivalentRidge(10.0).fit(X, y, weights, groups)
    found = in_blocks(DeterministicEquivalentRidge(10.0), X, y, weights, groups, step=200)
    for mine, theirs in zip(
        found.predict_test_error(*CELLS, return_interval=True),
        ordinary.predict_test_error(*CELLS, return_interval=True),
        strict=True,
    ):
        assert_allclose(mine, theirs, rtol=1e-12)
    assert found.n_groups_ == ordinary.n_groups_


def test_arrays_files_tables_and_iterators_are_the_same(rows, tmp_path):
    X, y, weights, groups = rows
    ridge = DeterministicEquivalentRidge(10.0, reservoir_size=900)
    expected = in_blocks(clone(ridge), *rows).predict_test_error(*CELLS)
    np.save(tmp_path / "X.npy", X)
    parts = [slice(i, i + 1000) for i in range(0, N, 1000)]
    blocks = ((X[part], y[part], weights[part], list(groups[part])) for part in parts)
    for *given, labels in (
        (X, y, weights, groups),
        (X, y, weights, list(groups)),
        (np.load(tmp_path / "X.npy", mmap_mode="r"), y, weights, groups),
        (tmp_path / "X.npy", y, weights, groups),
        (blocks, None, None, None),
    ):
        fitted = clone(ridge).fit(*given, groups=labels)
        assert fitted.n_groups_ == np.unique(groups).size
        assert_allclose(fitted.predict_test_error(*CELLS), expected, rtol=1e-10)


@pytest.mark.parametrize("named", [True, False])
def test_a_column_of_a_table_names_the_groups(rows, tmp_path, named):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    X, y, weights, groups = rows
    labels = groups if named else np.array([int(name.split()[1]) for name in groups])
    table = pyarrow.table(
        {
            **{f"x{k}": X[:, k] for k in range(P)},
            "a": y[:, 0],
            "b": y[:, 1],
            "weight": weights,
            "site": pyarrow.array(labels).dictionary_encode() if named else labels,
        }
    )
    parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=800)
    ridge = DeterministicEquivalentRidge(10.0, reservoir_size=900)
    expected = in_blocks(clone(ridge), X, y, weights, labels).predict_test_error(*CELLS)
    for source in (tmp_path / "rows.parquet", table):
        fitted = clone(ridge).fit(source, ["a", "b"], "weight", "site")
        assert fitted.n_features_in_ == P
        assert_allclose(fitted.predict_test_error(*CELLS), expected, rtol=1e-10)
    without = table.drop_columns(["site"])
    fitted = clone(ridge).fit(without, ["a", "b"], "weight", labels)
    assert_allclose(fitted.predict_test_error(*CELLS), expected, rtol=1e-10)
    with pytest.raises(ValueError, match="no column 'place'"):
        clone(ridge).fit(table, ["a", "b"], groups="place")


def test_auto_keeps_an_array_with_groups_whole(rows, whole):
    X, y, _, groups = rows
    assert whole.population_.factorization_.n_sampled == N
    found = clone(whole).set_params(reservoir_size=800).fit(X, y, groups=groups)
    assert found.population_.factorization_.n_sampled <= 800
    series = clone(whole).set_params(reservoir_size=800, block_length=10)
    assert series.fit(X, y, groups="blocks").n_groups_ == N // 10


def test_rows_after_fit_are_added_to_those_of_fit(rows):
    X, y, weights, groups = rows
    found = DeterministicEquivalentRidge(10.0).fit(
        X[:3000], y[:3000], weights[:3000], list(groups[:3000])
    )
    found.partial_fit(X[3000:], y[3000:], weights[3000:], groups[3000:])
    expected = in_blocks(DeterministicEquivalentRidge(10.0), *rows)
    assert found.n_groups_ == expected.n_groups_
    assert_allclose(found.predict_test_error(*CELLS), expected.predict_test_error(*CELLS))


def test_sums_go_on_after_pickling_and_questions(rows):
    ridge = DeterministicEquivalentRidge(10.0, reservoir_size=900)
    expected = in_blocks(clone(ridge), *rows)
    found = in_blocks(clone(ridge), *(part[:3500] for part in rows))
    assert found.test_error_ > 0
    found = pickle.loads(pickle.dumps(found))
    in_blocks(found, *(part[3500:] for part in rows))
    assert found.n_groups_ == expected.n_groups_
    assert_allclose(found.predict_test_error(*CELLS), expected.predict_test_error(*CELLS))


@pytest.mark.parametrize("first", [None, "groups"])
def test_rows_with_groups_and_without_are_not_added(rows, first):
    X, y, _, groups = rows
    given = [None, groups[:200]] if first is None else [groups[:200], None]
    ridge = DeterministicEquivalentRidge().fit(X[:200], y[:200], groups=given[0])
    before = ridge.n_groups_
    with pytest.raises(ValueError, match="those before have"):
        ridge.partial_fit(X[200:400], y[200:400], groups=given[1])
    assert ridge.n_groups_ == before


def test_a_pipeline_hands_groups_on(rows):
    X, y, weights, groups = rows
    starts = range(0, N, 1000)
    parts = [tuple(values[start : start + 1000] for values in rows) for start in starts]
    ridge = DeterministicEquivalentRidge(10.0, reservoir_size=900)
    pipeline = make_pipeline(StandardScaler(), clone(ridge))
    found = fit_in_blocks(pipeline, lambda: iter(parts))[-1]
    scaled = StandardScaler().fit_transform(X)
    expected = clone(ridge).fit(scaled, y, weights, groups)
    assert found.n_groups_ == expected.n_groups_
    assert_allclose(found.predict_test_error(*CELLS), expected.predict_test_error(*CELLS))


def test_a_group_of_most_rows_is_told(rows):
    X, y, _, _ = rows
    groups = np.where(np.arange(300) < 200, 0, np.arange(300))
    ridge = DeterministicEquivalentRidge().partial_fit(X[:300], y[:300], groups=groups)
    with pytest.warns(PopulationWarning, match="One group holds 200 of 300 rows"):
        assert ridge.n_groups_ == 101


def test_what_is_refused(rows):
    X, y, _, groups = rows
    ridge = DeterministicEquivalentRidge(reservoir_size=900)
    fitted = clone(ridge).partial_fit(X, y, groups=groups)
    with pytest.raises(ValueError, match="Block 1 has no groups, those before have some"):
        fitted.partial_fit(X, y)
    with pytest.raises(ValueError, match="Block 1 has groups, those before have none"):
        clone(ridge).partial_fit(X, y).partial_fit(X, y, groups=groups)
    with pytest.raises(ValueError, match="one label per row"):
        fitted.partial_fit(X, y, groups=groups[1:])
    with pytest.raises(ValueError, match="missing label"):
        fitted.partial_fit(X[:2], y[:2], groups=[None, "a"])
    with pytest.raises(TypeError, match=r"Block 1: groups\[0\]=\(1, 2\)"):
        fitted.partial_fit(X[:2], y[:2], groups=[(1, 2), "a"])
    assert fitted.n_samples_ == N
    series = clone(ridge).set_params(reservoir_size="auto", block_length=10)
    series.fit(X, y, groups="blocks")
    with pytest.raises(ValueError, match="Name the stretches"):
        series.partial_fit(X, y, groups=groups)
    with pytest.raises(ValueError, match="needs all rows of a series"):
        clone(ridge).fit(iter([(X, y)]), groups="blocks")
    with pytest.raises(ValueError, match="one label per row"):
        fitted.partial_fit(X, y, groups="blocks")
    with pytest.raises(ValueError, match="not given beside"):
        clone(ridge).fit(iter([(X, y)]), groups=groups)
    with pytest.raises(ValueError, match=f"{N - 1} labels for {N} rows"):
        clone(ridge).fit(X, y, groups=groups[1:])
    with pytest.raises(ValueError, match="fewer than two fit into reservoir_size=5"):
        clone(ridge).set_params(reservoir_size=5).fit(X, y, groups=groups)
    gcv = clone(ridge).set_params(population="gcv")
    with pytest.raises(ValueError, match="cannot use groups"):
        gcv.fit(X, y, groups=groups)
