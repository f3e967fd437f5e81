"""Rows and targets of every kind: the same numbers as of float64, or an error that says why not."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier
from sk_deepfeat.exceptions import PopulationWarning

POPULATIONS = ("plug-in", "gcv", "leave-one-out", "lanczos")
rng = np.random.default_rng(0)
X = np.column_stack([rng.integers(0, 2, size=(40, 2)), rng.integers(0, 4, size=(40, 2))]).astype(
    float
)
Y = X[:, 0] + rng.integers(0, 3, size=40)
CELLS = [5.0, 40.0, 1e6], [1.0, 0.5, 100.0]

ROWS = {
    "int8": X.astype(np.int8),
    "uint8": X.astype(np.uint8),
    "int64": X.astype(np.int64),
    "uint64": X.astype(np.uint64),
    "float16": X.astype(np.float16),
    "float32": X.astype(np.float32),
    "longdouble": X.astype(np.longdouble),
    "big-endian": X.astype(">f8"),
    "Fortran": np.asfortranarray(X),
    "strided": np.repeat(X, 2, axis=1)[:, ::2],
    "object": X.astype(object),
    "numbers as text": X.astype(int).astype(str),
    "list": X.tolist(),
    "tuples": tuple(map(tuple, X)),
    "masked": np.ma.masked_array(X),
    "csr": sp.csr_array(X),
    "csc": sp.csc_array(X),
    "coo": sp.coo_array(X),
    "csr matrix of integers": sp.csr_matrix(X.astype(np.int64)),
}
TARGETS = {
    "int8": Y.astype(np.int8),
    "uint8": Y.astype(np.uint8),
    "float16": Y.astype(np.float16),
    "float32": Y.astype(np.float32),
    "object": Y.astype(object),
    "numbers as text": Y.astype(str),
    "list": Y.tolist(),
    "one column": Y[:, None],
}


def _frames():
    try:
        import pandas as pd
    except ImportError:
        pd = None
    if pd is not None:
        ROWS["pandas"] = pd.DataFrame(X, columns=list("abcd"))
        ROWS["pandas integers"] = pd.DataFrame(X.astype(int))
        ROWS["pandas nullable"] = pd.DataFrame(X.astype(int)).astype("Int64")
        ROWS["pandas categories"] = pd.DataFrame(X.astype(int)).astype("category")
        TARGETS["pandas"] = pd.Series(Y)
        TARGETS["pandas nullable"] = pd.Series(Y.astype(int)).astype("Int64")
    try:
        import polars as pl
    except ImportError:
        return
    ROWS["polars"] = pl.DataFrame(X, schema=list("abcd"))
    ROWS["polars integers"] = pl.DataFrame(X.astype(int), schema=list("abcd"))
    ROWS["polars float32"] = ROWS["polars"].cast(pl.Float32)
    TARGETS["polars"] = pl.Series("y", Y)
    TARGETS["polars integers"] = pl.Series("y", Y.astype(int))


_frames()


def fitted(rows, targets, population):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        return DeterministicEquivalentRidge(population=population).fit(rows, targets)


@pytest.fixture(scope="module")
def plain():
    return {name: fitted(X, Y, name) for name in POPULATIONS}


def told(model, rows=X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        error = np.ravel(model.predict_test_error(*CELLS))
        return np.r_[error, model.optimal_alpha(40), np.ravel(model.predict(rows))]


@pytest.mark.parametrize("kind", ROWS)
def test_rows(kind, plain):
    for name in POPULATIONS:
        found = told(fitted(ROWS[kind], Y, name), ROWS[kind])
        np.testing.assert_allclose(found, told(plain[name]), rtol=1e-4)


@pytest.mark.parametrize("kind", TARGETS)
def test_targets(kind, plain):
    for name in POPULATIONS:
        np.testing.assert_allclose(
            told(fitted(X, TARGETS[kind], name)), told(plain[name]), rtol=1e-6
        )


def test_booleans_are_zeros_and_ones():
    truth = X[:, :2] > 0
    for name in POPULATIONS:
        as_numbers = told(fitted(truth.astype(float), (Y > 1).astype(float), name), truth)
        for rows in (truth, truth.tolist(), sp.csr_array(truth)):
            np.testing.assert_allclose(
                told(fitted(rows, Y > 1, name), truth), as_numbers, rtol=1e-6
            )


def test_names_of_frames_are_kept_and_checked():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(X, schema=list("abcd"))
    if not hasattr(Ridge().fit(frame, Y), "feature_names_in_"):
        pytest.skip("this scikit-learn does not read the names of this polars")
    model = fitted(frame, pl.Series("y", Y), "leave-one-out")
    assert list(model.feature_names_in_) == list("abcd")
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename({"a": "z"}))
    with pytest.raises(ValueError, match="contains NaN"):
        fitted(frame.with_columns(pl.lit(None).cast(pl.Float64).alias("a")), Y, "gcv")


@pytest.mark.parametrize("labels", [Y > 1, (Y > 1).astype(np.int8), np.where(Y > 1, "a", "b")])
def test_classes_of_every_kind(labels):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        expected = DeterministicEquivalentRidgeClassifier().fit(X, (Y > 1).astype(float))
        for rows in (X.astype(np.int8), X.astype(np.float16), X.astype(object), X.tolist()):
            found = DeterministicEquivalentRidgeClassifier().fit(rows, labels.tolist())
            np.testing.assert_allclose(
                np.ravel(found.predict_test_error(*CELLS)),
                np.ravel(expected.predict_test_error(*CELLS)),
                rtol=1e-6,
            )


WRONG = {
    "missing": (np.where(X == 3, np.nan, X), "Input X contains NaN"),
    "infinite": (np.where(X == 3, np.inf, X), "Input X contains infinity"),
    "beyond float64": (
        [[10**400 * int(v) for v in row] for row in X],
        "X or y holds integers too large",
    ),
    "complex": (X.astype(complex), "Complex data not supported"),
    "words": (np.full(X.shape, "a"), "could not convert string to float"),
    "one dimension": (X[:, 0], "Expected 2D array, got 1D array"),
    "three dimensions": (X[:, :, None], "Found array with dim 3"),
    "no rows": (X[:0], "Found array with 0 sample"),
    "no columns": (X[:, :0], "Found array with 0 feature"),
    "one row": (X[:1], "minimum of 2 is required"),
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize(
    "estimator", [DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier]
)
def test_rows_that_are_none_are_named(kind, estimator):
    rows, message = WRONG[kind]
    with pytest.raises(ValueError, match=message):
        estimator().fit(rows, Y[: len(rows)])


WRONG_TARGETS = {
    "missing": (np.where(Y == 0, np.nan, Y), "y contains NaN"),
    "beyond float64": (
        np.array([10**400 * int(v) for v in Y], dtype=object),
        "X or y holds integers",
    ),
    "complex": (Y + 0j, "Complex data not supported"),
    "words": (np.full(40, "a"), "y must hold numbers"),
    "sparse": (sp.csr_array(Y[:, None]), "y must hold numbers"),
    "too few": (Y[:3], r"inconsistent numbers of samples: \[40, 3\]"),
    "none": (None, "requires y to be passed"),
}


@pytest.mark.parametrize("kind", WRONG_TARGETS)
def test_targets_that_are_none_are_named(kind):
    targets, message = WRONG_TARGETS[kind]
    for name in POPULATIONS:
        with pytest.raises(ValueError, match=message):
            fitted(X, targets, name)


MASKED_Y = np.ma.masked_array(Y, mask=np.arange(40) == 3)
MASKED = {
    "X": lambda: DeterministicEquivalentRidge().fit(np.ma.masked_equal(X, 3), Y),
    "y": lambda: DeterministicEquivalentRidge().fit(X, MASKED_Y),
    "sample_weight": lambda: DeterministicEquivalentRidge().fit(X, Y, sample_weight=MASKED_Y),
    "alpha": lambda: DeterministicEquivalentRidge(np.ma.masked_equal([1.0, 2.0], 2.0)).fit(
        X, np.c_[Y, Y]
    ),
    "y of classes": lambda: DeterministicEquivalentRidgeClassifier().fit(X, MASKED_Y),
    "X of a block": lambda: DeterministicEquivalentRidge().partial_fit(np.ma.masked_equal(X, 3), Y),
    "y of a block": lambda: DeterministicEquivalentRidge().partial_fit(X, MASKED_Y),
    "sample_weight of a block": lambda: DeterministicEquivalentRidge().partial_fit(
        X, Y, sample_weight=MASKED_Y
    ),
    "alpha asked": lambda: fitted(X, Y, "gcv").predict_test_error(5, np.ma.masked),
    "n_samples asked": lambda: fitted(X, Y, "gcv").predict_test_error(
        np.ma.masked_equal([5, 6], 6), 1.0
    ),
    "target_error of a population": lambda: fitted(X, Y, "plug-in").population_.required_samples(
        np.ma.masked, 1.0
    ),
    "alpha of a population": lambda: fitted(X, Y, "plug-in").population_.required_samples(
        1.0, np.ma.masked
    ),
}


@pytest.mark.parametrize("what", MASKED)
def test_masked_entries_are_refused(what):
    """NumPy would take the numbers below the mask."""
    with pytest.raises(ValueError, match=rf"{what.split()[0]} has masked entries; fill them"):
        MASKED[what]()


@pytest.mark.parametrize("offset", [0.0, 1e9])  # which leaves the heavy row nothing but rounding
@pytest.mark.parametrize("weight", [1e10, 1e13])
@pytest.mark.parametrize(
    "kind", [DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier]
)
def test_a_row_of_nearly_all_the_weight(kind, weight, offset):
    """What is told is a number or NaN, in an interval that may hold anything."""
    for shape in ((34, 19), (16, 60)):
        rows = np.random.default_rng(0).normal(size=shape)
        weights = np.where(np.arange(shape[0]) == 3, weight, 1.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PopulationWarning)
            model = kind().fit(rows + offset, rows[:, 0] > 0, sample_weight=weights)
            error = model.predict_test_error([2, 34, 340], [1.0, 0.1, 10.0])
            check = model.calibration_check()
        assert np.all(np.isnan(error) | (error >= 0))
        within = (check.lower <= check.predicted) & (check.predicted <= check.upper)
        assert np.all(within | np.isnan(check.predicted))


def test_a_row_beside_which_all_others_are_rounding():
    for kind in (DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier):
        weights = np.where(np.arange(40) == 3, 1e17, 1.0)
        with pytest.raises(ValueError, match="sample_weight gives row 3 so much that all others"):
            kind().fit(X, Y > 1, sample_weight=weights)
