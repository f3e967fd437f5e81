"""A ridge fitted on sparse rows is that fitted on the same numbers written out."""

import tracemalloc
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    TwoStageRegressor,
)
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection import ridge_learning_curve
from sk_deepfeat.populations import GCVPopulation, LeaveOneOutPopulation, PlugInPopulation

CONTAINERS = [
    *(sp.csr_array, sp.csc_array, sp.coo_array, sp.bsr_array, sp.lil_array, sp.dok_array),
    *(sp.csr_matrix, sp.csc_matrix, sp.coo_matrix, sp.dia_matrix),
]
SHAPES = [(240, 40), (90, 60), (80, 200)]


def rows(n, p, seed=0, density=0.15):
    """Counts beside measurements, and a column of large mean; features of unequal variance."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * (rng.random((n, p)) < density) * np.linspace(2.0, 0.5, p)
    X[:, : p // 3] = rng.poisson(0.4, size=(n, p // 3))
    X[:, -1] = 1000.0 + rng.normal(size=n)
    X[:, -2] = 0.0
    return X, X[:, :5].sum(axis=1) + rng.normal(size=n)


def same(found, expected, rtol=1e-8):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-12)


def check_same(sparse, dense, n):
    """Compare coefficients and every question."""
    np.testing.assert_allclose(sparse.coef_, dense.coef_, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(sparse.intercept_, dense.intercept_, rtol=1e-9, atol=1e-9)
    same(sparse.eigenvalues_, dense.eigenvalues_)
    same(sparse.train_error_, dense.train_error_)
    cells = np.array([n // 3, n, 2 * n])[:, None], [3.0, 30.0]
    answers = (model.predict_test_error(*cells, return_interval=True) for model in (sparse, dense))
    for found, expected in zip(*answers, strict=True):
        same(found, expected)
    same(sparse.predict_train_error(*cells), dense.predict_train_error(*cells))
    same(sparse.optimal_alpha(), dense.optimal_alpha(), 1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "case", ["plain", "weights", "groups", "no intercept", "outputs", "weights and groups"]
)
def test_the_answers_are_those_of_dense_rows(shape, case):
    X, y = rows(*shape)
    rng = np.random.default_rng(1)
    of_rows = {}
    if "weights" in case:
        of_rows["sample_weight"] = rng.uniform(0.5, 2.0, len(X)) * (rng.random(len(X)) < 0.95)
    if "groups" in case:
        of_rows["groups"] = np.arange(len(X)) % (len(X) // 3)
    if case == "outputs":
        y = np.column_stack([y, X[:, 0] + rng.normal(size=len(X))])
    model = DeterministicEquivalentRidge(5.0, fit_intercept=case != "no intercept")
    dense, sparse = (clone(model).fit(x, y, **of_rows) for x in (X, sp.csr_array(X)))
    check_same(sparse, dense, len(X))
    np.testing.assert_allclose(sparse.predict(sp.csc_array(X)), dense.predict(X), rtol=1e-9)
    same(sparse.score(sp.coo_array(X), y), dense.score(X, y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        tables = [model.calibration_check() for model in (sparse, dense)]
    assert tables[0].passed == tables[1].passed and tables[0].causes == tables[1].causes
    same(tables[0].measured, tables[1].measured)


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: container.__name__)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16, bool])
def test_any_container_of_any_kind(container, dtype):
    X = np.random.default_rng(0).poisson(0.3, size=(90, 12))
    X = (X > 0) if dtype is bool else X.astype(dtype)
    y = X[:, 0] + np.random.default_rng(1).normal(size=90)
    given = container(X)
    kept = given.copy()
    dense, sparse = (DeterministicEquivalentRidge().fit(x, y) for x in (X, given))
    np.testing.assert_allclose(sparse.coef_, dense.coef_, rtol=1e-9, atol=1e-11)
    same(sparse.test_error_, dense.test_error_, 1e-6 if dtype is np.float32 else 1e-8)
    np.testing.assert_allclose(sparse.predict(given), dense.predict(X), rtol=1e-9)
    assert given.dtype == kept.dtype and (given != kept).nnz == 0


def test_indices_of_64_bits_out_of_order_with_zeros_and_duplicates():
    X, y = rows(120, 30)
    coo = sp.coo_array(X)
    order = np.random.default_rng(2).permutation(coo.nnz)
    i, j = (np.r_[c[order], c[:5], [7, 8]].astype(np.int64) for c in coo.coords)
    data = np.r_[coo.data[order], np.ones(5), 0.0, 0.0]
    given = sp.coo_array((data, (i, j)), shape=X.shape)
    dense = DeterministicEquivalentRidge().fit(given.toarray(), y)
    unsorted = sp.csr_array(given.toarray())
    swapped = unsorted.indices[unsorted.indptr[3] : unsorted.indptr[4]]
    swapped[:] = swapped[::-1]
    values = unsorted.data[unsorted.indptr[3] : unsorted.indptr[4]]
    values[:] = values[::-1].copy()
    unsorted = sp.csr_array(
        (unsorted.data, unsorted.indices.astype(np.int64), unsorted.indptr.astype(np.int64)),
        shape=X.shape,
    )
    before = unsorted.indices.copy()
    for rows_of in (given, unsorted):
        sparse = DeterministicEquivalentRidge().fit(rows_of, y)
        np.testing.assert_allclose(sparse.coef_, dense.coef_, rtol=1e-9, atol=1e-11)
        same(sparse.test_error_, dense.test_error_)
    np.testing.assert_array_equal(unsorted.indices, before)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("shape", SHAPES[::2])
def test_classes(shape, n_classes):
    X, y = rows(*shape)
    labels = np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))
    dense, sparse = (
        DeterministicEquivalentRidgeClassifier(10.0, class_weight="balanced").fit(x, labels)
        for x in (X, sp.csc_matrix(X))
    )
    np.testing.assert_allclose(sparse.coef_, dense.coef_, rtol=1e-9, atol=1e-10)
    np.testing.assert_array_equal(sparse.predict(sp.coo_matrix(X)), dense.predict(X))
    np.testing.assert_allclose(
        sparse.decision_function(sp.csr_array(X)), dense.decision_function(X), atol=1e-8
    )
    assert sparse.score(sp.csr_array(X), labels) == dense.score(X, labels)
    for metric in ("error_rate", "log_loss", "mse"):
        ends = (
            model.predict_test_error(
                [len(X) // 3, 2 * len(X)], 10.0, metric=metric, return_interval=True
            )
            for model in (sparse, dense)
        )
        for found, expected in zip(*ends, strict=True):
            same(found, expected)


@pytest.mark.parametrize("population", [GCVPopulation, LeaveOneOutPopulation, PlugInPopulation])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.filterwarnings("ignore:The plug-in population rests")
def test_populations_by_themselves(population, fit_intercept):
    X, y = rows(240, 20)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, size=240)
    fits = (
        population().fit(x, y, weights, fit_intercept=fit_intercept) for x in (X, sp.lil_array(X))
    )
    cells = np.array([60, 240, 800])[:, None], [1.0, 20.0]
    found, expected = (p.test_error(*cells, fit_intercept=fit_intercept) for p in fits)
    same(found, expected)


def test_plug_in_keeps_a_covariance_of_features_that_fits(monkeypatch):
    monkeypatch.setattr("sk_deepfeat.populations.sample_moments.MOST_FACTORISED", 10)
    X, y = rows(100, 20)
    with pytest.raises(ValueError, match=r"shape \(100, 20\).*'leave-one-out' and 'gcv'"):
        PlugInPopulation().fit(sp.csr_array(X), y)


def test_copies_of_rows_are_found():
    X, y = rows(100, 30)
    X, y = np.vstack([X, X[:20]]), np.r_[y, y[:20]]
    found = []
    for given in (X, sp.csc_array(X)):
        with pytest.warns(PopulationWarning, match="20 of 120 rows are exact copies") as caught:
            found.append(DeterministicEquivalentRidge().fit(given, y).test_error_)
        assert len(caught) == 1
    same(*found)


def test_rows_written_to_are_refused_by_the_check():
    X, y = rows(100, 30, density=0.1)
    X = sp.csr_array(X[:, :-1])
    X.eliminate_zeros()
    ridge = DeterministicEquivalentRidge().fit(X, y)
    X.data[3] += 1.0
    with pytest.raises(ValueError, match="X has been written to"):
        ridge.calibration_check(sizes=[50])


def test_rows_may_be_added():
    X, y = rows(160, 30)
    first, more = slice(0, 100), slice(100, None)
    grown = DeterministicEquivalentRidge().fit(sp.csr_array(X[first]), y[first])
    grown.partial_fit(sp.coo_array(X[more]), y[more])
    whole = DeterministicEquivalentRidge().fit(sp.csr_array(X), y)
    np.testing.assert_allclose(grown.coef_, whole.coef_, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("estimator", [Ridge(), DeterministicEquivalentRidge()])
def test_a_learning_curve(estimator):
    X, y = rows(150, 30)
    asked = {"train_sizes": [40, 100], "alphas": [1.0, 10.0], "n_repeats": 2, "random_state": 0}
    dense, sparse = (ridge_learning_curve(estimator, x, y, **asked) for x in (X, sp.coo_array(X)))
    for name in ("measured", "predicted", "lower", "upper"):
        same(getattr(sparse, name), getattr(dense, name))


def test_a_learning_curve_of_text():
    words = np.array("ash birch cedar fir larch oak pine willow".split())
    rng = np.random.default_rng(0)
    counts = rng.poisson(1.0, size=(120, words.size))
    text = [" ".join(np.repeat(words, count)) for count in counts]
    y = counts[:, 0] + rng.normal(size=120)
    model = make_pipeline(CountVectorizer(), DeterministicEquivalentRidge())
    curve = ridge_learning_curve(
        model, text, y, train_sizes=[60], alphas=[1.0], n_repeats=2, random_state=0
    )
    assert abs(curve.predicted[0, 0] / curve.measured_mean[0, 0] - 1) < 0.3


def test_two_stages_of_sparse_inputs():
    X, y = rows(200, 40)
    model = TwoStageRegressor(
        TruncatedSVD(10, random_state=0), DeterministicEquivalentRidge(), random_state=0
    )
    dense, sparse = (clone(model).fit(x, y) for x in (X, sp.coo_array(X)))
    same(sparse.test_error_, dense.test_error_, 1e-5)
    np.testing.assert_allclose(sparse.predict(sp.csr_array(X)), dense.predict(X), rtol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_entries_that_are_not_finite(bad):
    X, y = rows(50, 10)
    X[3, 1] = bad
    for model in (DeterministicEquivalentRidge(), DeterministicEquivalentRidgeClassifier()):
        with pytest.raises(ValueError, match="Input X contains"):
            model.fit(sp.csr_array(X), y > 0)
    model = DeterministicEquivalentRidge().fit(sp.csr_array(rows(50, 10)[0]), y)
    with pytest.raises(ValueError, match="Input X contains"):
        model.predict(sp.csr_array(X))


def test_too_many_to_factorise_names_the_remedy(monkeypatch):
    monkeypatch.setattr("sk_deepfeat.theory.one_sample.factorize.MOST_FACTORISED", 20)
    X, y = rows(50, 30)
    with pytest.raises(ValueError, match=r"shape \(50, 30\).*population='lanczos'"):
        DeterministicEquivalentRidge().fit(sp.csr_array(X), y)


@pytest.mark.filterwarnings("ignore:.*tell nothing about the target")
def test_no_entries_at_all():
    y = np.random.default_rng(0).normal(size=60)
    dense, sparse = (
        DeterministicEquivalentRidge().fit(x, y)
        for x in (np.zeros((60, 5)), sp.csr_array((60, 5), dtype=float))
    )
    same(sparse.test_error_, dense.test_error_)
    assert not sparse.coef_.any() and sparse.intercept_ == pytest.approx(y.mean())


def test_nothing_is_said_of_alphas_that_sparse_rows_do_not_resolve(monkeypatch):
    monkeypatch.setattr("sk_deepfeat.theory.one_sample.sparse_rows._MOST_ENTRIES", 100)
    X, y = rows(80, 120)
    X = np.vstack([X, X[:2] * (1.0 + 1e-8)])
    y = np.r_[y, y[:2]]
    labels = (y > np.median(y)).astype(int)
    for model, target in (
        (DeterministicEquivalentRidge(1.0), y),
        (DeterministicEquivalentRidgeClassifier(1.0), labels),
    ):
        model.fit(sp.csr_array(X[:, :-1]), target)
        errors, low, _ = model.predict_test_error(40, [0.0, 1e-9, 1.0], return_interval=True)
        assert np.isnan(errors[:2]).all() and np.isnan(low[:2]).all() and errors[2] > 0
        np.testing.assert_array_equal(model.reachable(40, [0.0, 1.0]), [False, True])
        with pytest.raises(ValueError, match="alpha=0 is too small for these sparse features"):
            model.set_params(alpha=0.0).fit(sp.csr_array(X[:, :-1]), target)


def test_rows_are_never_written_out():
    """Written out, these would take 480 MB; their Gram matrix takes 8 MB."""
    rng = np.random.default_rng(0)
    X = sp.csr_array(sp.random(1000, 60_000, 1e-3, random_state=rng))
    y = X @ rng.normal(size=60_000) + rng.normal(size=1000)
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        ridge = DeterministicEquivalentRidge(1.0).fit(X, y)
        ridge.predict_test_error([300, 1000, 3000], 10.0, return_interval=True)
        ridge.calibration_check()
        ridge.predict(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 250e6
