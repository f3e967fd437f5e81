"""Groups at the edges: one for all rows, one for each, large and small, and what they repeat."""

import warnings

import mpmath
import numpy as np
import pytest
from edge_tables import ALPHAS, SIZES, TABLES
from exact_ridge import left_out_error

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning

CELLS = SIZES[:, None], ALPHAS
LABELS = {
    "pairs": lambda n: np.arange(n) // 2,
    "halves": lambda n: np.arange(n) % 2,
    "each": np.arange,
    "one large": lambda n: np.maximum(np.arange(n) - n // 2, 0),
}
QUICK = ("one column, two rows", "one row with features", "condition 1e16", "wide")
CASES = [
    pytest.param(
        *(table, labels, intercept),
        marks=() if quick else pytest.mark.statistical,
    )
    for table in TABLES
    for labels in LABELS
    for intercept in (True, False)
    for quick in [table in QUICK and labels in ("pairs", "one large") and intercept]
]


@pytest.fixture(autouse=True)
def _statistical_doubts_are_no_faults():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        yield


def fitted(table, labels, intercept, alpha=1.0):
    X, y = TABLES[table]
    model = DeterministicEquivalentRidge(alpha, fit_intercept=intercept)
    return model.fit(X, y, groups=LABELS[labels](len(y)))


@pytest.mark.parametrize(("table", "labels", "intercept"), CASES)
def test_questions(table, labels, intercept):
    if np.unique(LABELS[labels](len(TABLES[table][1]))).size < 2:
        with pytest.raises(ValueError, match="groups"):
            fitted(table, labels, intercept)
        return
    model = fitted(table, labels, intercept)
    error, lower, upper = model.predict_test_error(*CELLS, return_interval=True)
    known = ~np.isnan(error)
    assert np.all(error[known] >= 0.0)
    assert not np.any(np.isinf(error[:, ALPHAS > 0]))
    assert np.all(lower[known] <= error[known] * (1 + 1e-12))
    assert np.all(error[known] <= upper[known] * (1 + 1e-12))
    train = model.predict_train_error(*CELLS)
    assert np.all(train[known] <= error[known])
    best = model.optimal_alpha(SIZES)
    assert np.all((best >= 0) | np.isnan(best))
    needed = model.required_groups(0.5)
    assert needed >= 1 or np.isnan(needed)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("labels", ["pairs", "one large"])
@pytest.mark.parametrize("table", ["as many rows as columns", "wide", "one row with features"])
def test_errors_of_all_rows_are_those_of_refits_without_a_group(table, labels, intercept):
    X, y = TABLES[table]
    groups = LABELS[labels](len(y))
    for alpha in (0.0, 1e-300, 1.0, 1e300):
        with mpmath.workdps(100):
            exact = left_out_error(X, y, alpha, fit_intercept=intercept, groups=groups)
        found = fitted(table, labels, intercept, alpha).test_error_
        np.testing.assert_allclose(found, float(exact), rtol=1e-4)
