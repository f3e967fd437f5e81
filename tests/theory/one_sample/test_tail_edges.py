"""The tail's edge, on curves that are power laws by construction.

Squared bias and noise are exactly a + b κ^c where the tail may look, and something else where it
may not; log df1 is linear in pieces. Everything that the tail says then has a closed form.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import brentq

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.functional_tail import FunctionalTail
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve

POINTS, STEP, REPLICATES, ROWS = 120, 1.0 / 12.0, 20, 150.0
X = -6.0 + STEP * np.arange(POINTS)
# Kinks at points 20 and 47, which are 27 steps apart: a decade is 27.6, a factor of eleven 28.8.
SLOPES = np.repeat([-0.7, -0.4, -0.6], [20, 27, POINTS - 48])
LOG_DF1 = np.log(100.0) + np.r_[0.0, np.cumsum(SLOPES) * STEP]
# The last point with a fiftieth of the largest df1.
LAST = np.flatnonzero(LOG_DF1 > LOG_DF1[0] + np.log(tuning.TAIL_LEAST_DF_SHARE))[-1]
A, B, C = 0.3, 0.2, 0.5
FIRST_OF_SOME = 3  # the first point that six of the twenty replicates know
EDGES = np.array([33, 20, FIRST_OF_SOME, LAST - tuning.TAIL_LEAST_POINTS + 1, 13, 40])
UNKNOWN = 3  # further outputs


def curve(x, moment):
    """A curve of rows of equal leverage, with some squared bias and noise."""
    df1 = np.exp(np.interp(x, X, LOG_DF1))
    error = (moment / (1.0 - 0.5 * df1 / ROWS)[:, None])[:, None]
    one, none = np.ones((x.size, 1)), np.zeros(x.size)
    sums = one, one, error, error
    return KappaCurve(
        np.exp(x), df1, ROWS - df1, 0.5 * df1, *sums, int(ROWS), 100, False, none, error[:, 0], none
    )


def example():
    """Return the curve, its replicates, and the logarithms of their scales, (replicates, t)."""
    rng = np.random.default_rng(0)
    t = EDGES.size + UNKNOWN
    scale = 0.02 * rng.normal(size=(REPLICATES, t))
    signs = np.resize([1.0, -1.0], REPLICATES)[:, None]
    noise = np.full((POINTS, t), 1e-6)  # standard errors of the logarithm that scales do not make
    for k, edge in enumerate(EDGES):
        noise[:edge, k] = 2.0
    noise[5:10, 0] = 1e-6  # an island below the edge
    noise[:FIRST_OF_SOME, 2] = noise[:13, 4] = 1e-6
    noise[:40, 5], scale[:, 5] = tuning.TAIL_NOISE * 1.02, 0.0
    noise[40:, 5] = tuning.TAIL_NOISE * 0.98
    noise[: LAST - tuning.TAIL_LEAST_POINTS + 2, 6] = 2.0  # a point less than is needed
    noise[LAST - 1, 7] = 2.0  # one point stands alone above a gap
    noise[:, 8] = 2.0
    moment = np.repeat((A + B * np.exp(C * X))[:, None], t, axis=1)
    last = np.minimum(EDGES + int(np.log(tuning.TAIL_RANGE) / STEP), LAST)
    for k, top in enumerate(last):
        moment[top + 1 :, k] *= 3.0
    of_jackknife = np.sqrt(1.0 / (REPLICATES - 1))  # signs of so much have a standard error of one
    replicates = []
    for r in range(REPLICATES):
        varied = moment * np.exp(scale[r] + signs[r] * of_jackknife * noise)
        first = FIRST_OF_SOME if r < 6 else 0
        x, varied = X[first:], varied[first:]
        if first:  # so that rounding does not decide whether it knows its first point
            x, varied = np.r_[x[0] - 0.5 * STEP, x], np.vstack([varied[:1], varied])
        replicates.append(curve(x, varied))
    moment[12, 4] = -0.01
    scale[:, 5] += (signs * of_jackknife * tuning.TAIL_NOISE * 0.98)[:, 0]
    return curve(X, moment), SimpleNamespace(curves=replicates), scale


def continued(edge, n, alpha):
    """Return log κ - edge, df1 and df2 where alpha = κ(n - df1), with log df1 linear below."""
    above = X[edge : edge + 28]
    slope = np.polyfit(above, LOG_DF1[edge : edge + 28], 1)[0]

    def df1(x):
        return np.exp(
            np.interp(x, X, LOG_DF1) if x >= X[edge] else LOG_DF1[edge] + slope * (x - X[edge])
        )

    x = brentq(lambda x: np.exp(x) * (n - df1(x)) - alpha, -700.0, 100.0, xtol=1e-13)
    local = (np.log(df1(x + 1e-4)) - np.log(df1(x - 1e-4))) / 2e-4
    return x - X[edge], df1(x), df1(x) * (1.0 + local)


def test_what_lies_above_the_edge_goes_on_below_it():
    seen, replicates, scale = example()
    rows, alpha = (
        part.ravel()
        for part in np.meshgrid(
            [101.0, 160.0, 400.0, 5e3, 1e7], [0.0, 1e-6, 1e-2, 1.0, 10.0, 40.0, 300.0, 3e3]
        )
    )
    rng = np.random.default_rng(1)
    log_at_n0 = rng.normal(size=(rows.size, EDGES.size + UNKNOWN))
    varied_at_n0 = 0.1 * rng.normal(size=(REPLICATES, *log_at_n0.shape))
    tail = FunctionalTail(seen, replicates)
    found = tail.growth(log_at_n0, varied_at_n0, rows, alpha)
    assert np.isnan(found.log_ratio[:, EDGES.size :]).all()
    assert np.isinf(found.variance[:, EDGES.size :]).all()
    sides, last = [], np.minimum(EDGES + int(np.log(tuning.TAIL_RANGE) / STEP), LAST)
    for k, edge in enumerate(EDGES):
        for cell, (n, a) in enumerate(zip(rows, alpha, strict=True)):
            above, _, df2 = continued(edge, n, a)
            if df2 >= tuning.TAIL_MOST_DF_RATIO * n or above + X[edge] > X[last[k]]:
                assert np.isnan(found.log_ratio[cell, k]) and np.isinf(found.variance[cell, k])
                continue
            sides.append(above > 0)
            error = (A + B * np.exp(C * (above + X[edge]))) / (1.0 - df2 / n)
            expected = np.log(error) - log_at_n0[cell, k]
            # The derivative is a difference over a tenth, which sees a kink near by.
            assert found.log_ratio[cell, k] == pytest.approx(expected, abs=0.01), (k, n, a)
            deviations = scale[:, k] - varied_at_n0[:, cell, k]
            variance = (REPLICATES - 1) * np.var(deviations) + tuning.TAIL_NOISE_FLOOR**2
            variance += np.square(tuning.TAIL_DRIFT * min(above, 0.0))
            assert found.variance[cell, k] == pytest.approx(variance, rel=1e-3, abs=1e-4), (k, n, a)
    assert 0.15 < np.mean(sides) < 0.85


def test_above_the_points_of_the_fit_it_says_nothing():
    """The training set shows them, and a power is not what it shows; nor does one overflow."""
    seen, replicates, _ = example()
    last = np.minimum(EDGES + int(np.log(tuning.TAIL_RANGE) / STEP), LAST)
    tail = FunctionalTail(seen, replicates)
    for k, top in enumerate(last):
        kappa = np.r_[np.exp(X[top] + np.array([-1e-6, 1e-6])), 1e12, 1e100, 1e295]
        df1 = np.exp(np.interp(np.log(kappa), X, LOG_DF1))
        rows, none = np.full(5, 1e4), np.zeros((5, EDGES.size + UNKNOWN))
        found = tail.growth(none, np.zeros((REPLICATES, *none.shape)), rows, kappa * (rows - df1))
        np.testing.assert_array_equal(np.isnan(found.log_ratio[:, k]), [False] + [True] * 4)
        np.testing.assert_array_equal(np.isinf(found.variance[:, k]), [False] + [True] * 4)


def test_without_an_output_that_is_known_nothing_is():
    x = X[:4]
    few = curve(x, np.ones((4, 2)))
    tail = FunctionalTail(few, SimpleNamespace(curves=[few] * 1))
    found = tail.growth(np.zeros((3, 2)), np.zeros((1, 3, 2)), np.full(3, 200.0), np.ones(3))
    assert found.log_ratio.shape == found.variance.shape == (3, 2)
    assert np.isnan(found.log_ratio).all() and np.isposinf(found.variance).all()
