"""Every question to every population at every edge: a number, a documented NaN, or a named error.

`filterwarnings = error` holds: no RuntimeWarning, and nothing of numpy's or scipy's own, escapes.
"""

import warnings

import numpy as np
import pytest
from edge_tables import ALPHAS, KNOWN, SIZES, TABLES
from sklearn.exceptions import ConvergenceWarning

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning

CELLS = SIZES[:, None], ALPHAS
QUICK = ("gcv", "leave-one-out")
FEW_TABLES = ("two rows", "one row with features", "constant target", "condition 1e16")


def cases(quick_tables):
    """Return all cases, of which all but some with an intercept are left to the nightly run."""
    found = []
    for table in TABLES:
        for name in KNOWN:
            for intercept in (True, False):
                quick = table in quick_tables and name in QUICK and intercept
                marks = () if quick else pytest.mark.statistical
                found.append(pytest.param(table, name, intercept, marks=marks))
    return found


@pytest.fixture(autouse=True)
def _statistical_doubts_are_no_faults():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def fitted(table, name, intercept, alpha=1.0):
    model = DeterministicEquivalentRidge(alpha, population=name, fit_intercept=intercept)
    return model.fit(*TABLES[table])


@pytest.mark.parametrize(("table", "name", "intercept"), cases(TABLES))
def test_errors_of_every_cell(table, name, intercept):
    model = fitted(table, name, intercept)
    error = model.predict_test_error(*CELLS)
    train = model.predict_train_error(*CELLS)
    known = ~np.isnan(error)
    assert error.shape == train.shape == (SIZES.size, ALPHAS.size)
    assert np.all(error[known] >= 0.0)
    assert not np.any(np.isinf(error[:, ALPHAS > 0]))  # there is a pole at n = rank and alpha = 0
    np.testing.assert_array_equal(np.isnan(train), ~known)
    assert np.all(train[known] <= error[known])
    np.testing.assert_array_equal(model.reachable(*CELLS), known)
    parts = model.predict_decomposition(*CELLS)
    finite = known & np.isfinite(error)
    total = parts.bias_and_noise + parts.total_variance
    np.testing.assert_allclose(total[finite], error[finite], rtol=1e-9, atol=1e-300)
    if name == "plug-in":
        assert known.all()
    if name in ("leave-one-out", "lanczos"):
        again, lower, upper = model.predict_test_error(*CELLS, return_interval=True)
        np.testing.assert_array_equal(again, error)
        assert np.all(lower[known] <= error[known] * (1 + 1e-12))
        assert np.all(error[known] <= upper[known] * (1 + 1e-12))


@pytest.mark.parametrize(("table", "name", "intercept"), cases(FEW_TABLES))
def test_the_other_questions(table, name, intercept):
    model = fitted(table, name, intercept)
    assert model.predict_score(*CELLS).shape == (SIZES.size, ALPHAS.size)
    assert model.predict_score(*CELLS, scoring="neg_root_mean_squared_error").size
    best = model.optimal_alpha(SIZES)
    assert np.all((best >= 0) | np.isnan(best))
    at_best = model.predict_test_error(SIZES, "optimal")
    np.testing.assert_array_equal(np.isnan(at_best), np.isnan(best))
    for alpha in ("optimal", 0.0, 1e-300, 1e300):
        needed = model.required_samples(0.5, alpha)
        assert needed >= 1 or np.isnan(needed)
    assert model.required_samples(0.0) >= 1 or np.isnan(model.required_samples(0.0))
    df1, df2 = model.population_.degrees_of_freedom([0.0, 1e-300, 1.0, 1e300])
    assert np.all((df2 <= df1 * (1 + 1e-9)) | np.isnan(df1))
    assert not np.any(np.isnan(df1[2:]) & (df2[2:] > 0))
    if name == "leave-one-out":
        model.calibration_check()


@pytest.mark.parametrize("alpha", [0.0, 1e-320, 1e300, "optimal"])
@pytest.mark.parametrize("table", TABLES)
def test_fits_at_every_alpha(table, alpha):
    """What is fitted, predicts; its error is finite, and that of the fitted size and alpha."""
    X = TABLES[table][0]
    for name in QUICK:
        model = fitted(table, name, True, alpha)
        assert np.all(np.isfinite(model.predict(X)))
        assert model.test_error_ >= 0
        np.testing.assert_allclose(model.test_error_, model.predict_test_error(), rtol=1e-12)
