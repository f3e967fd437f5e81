"""The transfer answers at every n and alpha, for rows of every kind; run by .ci/nightly."""

import numpy as np
import pytest

from sk_deepfeat.theory import curve_risk, gcv_curve, leave_one_out_curve, ridge_factorization

pytestmark = pytest.mark.statistical

KINDS = ("gaussian", "heavy tails", "duplicates", "sparse", "near collinear", "offset")


def rows_of(kind, n, p, rng):
    X = rng.normal(size=(n, p)) * np.arange(1, p + 1) ** -0.7
    if kind == "heavy tails":
        X *= rng.standard_t(2, size=(n, 1))
    elif kind == "duplicates":
        X = X[rng.integers(max(n // 3, 2), size=n)]
    elif kind == "sparse":
        X *= rng.random(size=(n, p)) < 0.05
    elif kind == "near collinear":
        X[:, p // 2 :] = X[:, : p - p // 2] + 1e-7 * rng.normal(size=(n, p - p // 2))
    elif kind == "offset":
        X += 1e4
    return X


@pytest.mark.parametrize("make", [gcv_curve, leave_one_out_curve])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("rows", "p"), [(2, 5), (20, 5), (5, 20), (60, 61), (300, 80), (900, 150)])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_every_cell_has_an_answer(make, kind, rows, p, fit_intercept):
    """No exception, no warning; errors not negative; NaN beyond the reach or lost in noise."""
    rng = np.random.default_rng([KINDS.index(kind), rows, p])
    X = rows_of(kind, rows, p, rng)
    y = X[:, 0] + rng.normal(size=rows)
    curve = make(ridge_factorization(X, y, fit_intercept=fit_intercept))
    n = np.unique(np.r_[np.arange(1, 40), np.geomspace(1, 1e7, 60).round(), rows, rows + 1, p])
    alpha = np.r_[0.0, np.geomspace(1e-10, 1e10, 30)]
    risk = curve_risk(curve, n[:, None], alpha, fit_intercept=fit_intercept)
    known = ~np.isnan(risk.kappa)
    assert known[n <= rows].all()
    assert known[:, -1].all()
    errors = risk.test_error[..., 0]
    assert np.all(errors[known & ~np.isnan(errors)] >= 0)
    if kind == "gaussian" and rows >= 300:
        assert not np.isnan(errors[known]).any(), "NaN is for estimates lost in noise"
