"""What is learned from small and degenerate training sets, against refits in 100 digits."""

import mpmath
import numpy as np
import pytest
from edge_tables import TABLES
from exact_ridge import gcv_risk, left_out_error

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.theory import leave_one_out_residuals, ridge_factorization

pytestmark = pytest.mark.filterwarnings("ignore::sk_deepfeat.exceptions.PopulationWarning")

DIGITS = 100
SIZES, ALPHAS = [1.0, 2.0, 3.0, 10.0, 1e9], [0.0, 1e-300, 1e-8, 0.1, 1.0, 1e8, 1e300]
NO_DIRECTION = ("no features", "constant features", "two equal rows")  # with an intercept
SMALL = ("one column, two rows", "two rows", "two equal rows", "three rows", "wide")
SMALL += ("orthogonal rows", "no features", "constant features", "as many rows as columns")


def some(names, slow=True):
    """Return parameters of some tables with and without an intercept."""
    return [
        pytest.param(name, intercept, marks=pytest.mark.statistical if slow else ())
        for name in names
        for intercept in (True, False)
    ]


ONE_OUTPUT = [name for name, (_, y) in TABLES.items() if y.ndim == 1]
MANY_ROWS = [name for name in ONE_OUTPUT if name not in SMALL]
CASES = some(SMALL, slow=False) + some(MANY_ROWS)


@pytest.mark.parametrize(("table", "intercept"), CASES)
def test_generalised_cross_validation_at_every_cell(table, intercept):
    X, y = TABLES[table]
    sizes = SIZES[1:] if intercept else SIZES
    with mpmath.workdps(DIGITS):
        exact = [[gcv_risk(X, y, n, a, fit_intercept=intercept) for a in ALPHAS] for n in sizes]
        exact = np.array([[float("nan" if v is None else v) for v in row] for row in exact])
    for alpha in (1.0, 1e-8, 1e-300):  # that of the fit is a point of the curve
        model = DeterministicEquivalentRidge(alpha, population="gcv", fit_intercept=intercept)
        found = model.fit(X, y).predict_test_error(np.array(sizes)[:, None], ALPHAS)
        np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize(("table", "intercept"), CASES)
def test_left_out_errors_are_those_of_refits(table, intercept):
    X, y = TABLES[table]
    for alpha in (0.0, 1e-300, 1e-8, 1.0, 1e300):
        with mpmath.workdps(DIGITS):
            exact = float(left_out_error(X, y, alpha, fit_intercept=intercept))
        factorization = ridge_factorization(X, y, fit_intercept=intercept)
        residuals = leave_one_out_residuals(factorization, alpha)
        np.testing.assert_allclose(np.mean(residuals**2), exact, rtol=1e-6, atol=1e-18)


@pytest.mark.parametrize(("table", "intercept"), CASES)
def test_errors_of_all_rows_are_left_out_errors(table, intercept):
    X, y = TABLES[table]
    if table == "two equal rows" or "duplicate" in table:
        return  # equal rows are left out together, as groups: below
    for alpha in (0.0, 1e-300, 1e-8, 1.0, 1e300):
        with mpmath.workdps(DIGITS):
            exact = float(left_out_error(X, y, alpha, fit_intercept=intercept))
        if intercept and table in NO_DIRECTION:  # of the mean alone more is known
            exact = np.var(y, ddof=1) * (1.0 + 1.0 / len(y))
        model = DeterministicEquivalentRidge(alpha, fit_intercept=intercept).fit(X, y)
        np.testing.assert_allclose(model.test_error_, exact, rtol=1e-5, atol=1e-18)


@pytest.mark.parametrize("intercept", [True, False])
def test_repeated_rows_are_left_out_together(intercept):
    X, y = TABLES["exact duplicates"]
    for alpha in (0.0, 1e-300, 1.0):
        with pytest.warns(PopulationWarning, match="16 of 24 rows are exact copies"):
            model = DeterministicEquivalentRidge(alpha, fit_intercept=intercept).fit(X, y)
        with mpmath.workdps(DIGITS):
            copies = np.arange(24) // 3
            exact = left_out_error(X, y, alpha, fit_intercept=intercept, groups=copies)
        np.testing.assert_allclose(model.test_error_, float(exact), rtol=1e-4)
