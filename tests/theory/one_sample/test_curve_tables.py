"""Curves evaluated together, and at many n at once, are what each is alone, computed slowly."""

import numpy as np
import pytest
from samples import elliptical_rows
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

from sk_deepfeat.theory import leave_one_out_curves, ridge_factorization
from sk_deepfeat.theory.one_sample import curve_tables, jackknife
from sk_deepfeat.theory.one_sample.curve_tables import CurveTables
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.jackknife import JackknifeReplicates
from sk_deepfeat.theory.one_sample.leverage_scale import counted
from sk_deepfeat.theory.one_sample.nodes import NodesOfStack, nodes_at


def curves_of(kind, n_blocks=6):
    rng = np.random.default_rng(0)
    groups, n, p, t = None, 200, 60, 1
    if kind == "wide":
        n, p = 60, 150
    X = elliptical_rows(rng, n, np.ones(p), 0.7) if kind == "unequal" else rng.normal(size=(n, p))
    if kind == "groups":
        groups = np.arange(n) // 5
        X = rng.normal(size=(n // 5, p))[groups] + 0.5 * X
    if kind == "outputs":
        t = 3
    if kind == "rare":
        X *= rng.random(X.shape) < 0.02
    y = X[:, :t] + rng.normal(size=(n, t))
    path = ridge_factorization(X, y, groups=groups)
    return leave_one_out_curves(path, n_blocks=n_blocks)


KINDS = ["plain", "wide", "unequal", "groups", "outputs", "rare"]
SIZES = np.array([1.0, 2.0, 7.5, 30.0, 59.0, 60.0, 61.0, 150.0, 199.0, 200.0, 900.0])
ALPHAS = np.r_[0.0, np.geomspace(1e-8, 1e8, 25)]
CELLS = tuple(part.ravel() for part in np.meshgrid(SIZES, ALPHAS, indexing="ij"))


def error_at(curve, n, g):
    """Return alpha and the test error at a point of a curve, one output at a time, without tables.

    Numbers of rows and sums are Python's; q is bracketed.
    """

    f = curve.df1[g]

    def scale(rows, unused):
        share, leverage = counted(curve, "row_share", rows)[g], counted(curve, "leverage", rows)[g]
        some = leverage > 0

        def excess(log_q):
            inverse = 1.0 / (1.0 + leverage[some] / share[some] * np.exp(log_q))
            if f < unused:
                return f - rows * float((leverage[some] * inverse).sum()) * np.exp(log_q)
            return rows * float((share[some] * inverse).sum()) - unused

        return np.exp(brentq(excess, -60.0, 60.0, xtol=1e-14, rtol=1e-14))

    big = curve.n_effective
    unused = curve.residual_df[g] - (big - curve.active_rows(big))
    q, q_n = scale(big, unused), scale(n, curve.active_rows(n) - big + curve.residual_df[g])
    share, leverage = curve.row_share[g], curve.leverage[g]
    errors = []
    for k in range(curve.n_outputs):
        parts = []
        for rows, scale_q in ((big, q), (n, q_n)):
            c = curve.df2[g] * (scale_q / f) ** 2
            linear = quadratic = 0.0
            sums = [
                counted(curve, name, rows)[g] for name in ("leverage", "leverage_weighted_error")
            ]
            for j in np.flatnonzero(share > 0):
                s = leverage[j] / share[j]
                quadratic += sums[0][j] * s / (1.0 + s * scale_q) ** 2
                e = curve.error[g, j, k]
                s_error = curve.leverage_weighted_error[g, j, k] / e if e > 0 else 0.0
                linear += sums[1][j, k] / (1.0 + s_error * scale_q) ** 2
            parts.append((c, linear, quadratic))
        (c, linear, _), (c_n, linear_n, quadratic_n) = parts
        before = big * c * linear
        gap = 1.0 - n * c_n * quadratic_n
        variance = n * c_n * (linear_n - before * quadratic_n) / gap if gap > 0 else np.nan
        mean = float(curve.error[g, :, k].sum())
        error = mean - before + variance
        if curve.constant is not None:
            shared = float(curve.constant.leverage[g].sum()) - 1.0
            more = curve.constant.mean_error[g, k] - mean + shared * (variance - before)
            error += more / (n + 2.0)
        errors.append(error)
    return curve.kappa[g] * f / q_n, errors


@pytest.mark.parametrize("kind", KINDS)
def test_nodes_at_points_of_the_grid_are_the_formulas(kind):
    curve, replicates = curves_of(kind)
    for n in (0.7 * curve.rank, float(curve.n_effective), 3.0 * curve.n_effective):
        for one in (curve, replicates[2]):
            nodes = nodes_at(one, n)
            known = np.flatnonzero(np.isin(nodes.kappa, one.kappa))
            assert known.size > 10
            for i in known[::7]:
                g = int(np.flatnonzero(one.kappa == nodes.kappa[i])[0])
                alpha, errors = error_at(one, n, g)
                assert nodes.alpha[i] == pytest.approx(alpha, rel=1e-9)
                np.testing.assert_allclose(nodes.test_error[i], errors, rtol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_ridgeless_end_is_where_the_rows_are_used_up(kind):
    """N - f follows its spline; alpha falls as n - f, and errors reach their limit."""
    curve, _ = curves_of(kind)
    n = 0.6 * curve.rank
    nodes = nodes_at(curve, n)
    new = np.flatnonzero(~np.isin(nodes.kappa, curve.kappa))
    assert new.size == 120
    unused = CubicSpline(np.log(curve.kappa), np.log(curve.residual_df))(np.log(nodes.kappa[new]))
    unused = np.exp(unused) - (curve.n_effective - curve.active_rows(n))
    np.testing.assert_allclose(unused[-60:-1] / unused[-59:], 2.0**-0.25, rtol=1e-6)
    first = new[:20]
    np.testing.assert_allclose(nodes.alpha[first] / nodes.alpha[first + 1], 2.0**-0.25, rtol=1e-3)
    limit = nodes.test_error[first[:1]].repeat(20, axis=0)
    np.testing.assert_allclose(nodes.test_error[first], limit, rtol=1e-3)


@pytest.mark.parametrize("block", [1, 2_000, 300_000])
@pytest.mark.parametrize("kind", KINDS)
def test_curves_together_are_each_alone(kind, block, monkeypatch):
    """Whatever is made at once: one n and curve at a time, or all of them."""
    monkeypatch.setattr(curve_tables, "_BLOCK_ENTRIES", block)
    curve, replicates = curves_of(kind)
    together = CurveTables(replicates, fit_intercept=True, errors_alone=True)
    found = together.test_error(*CELLS)
    assert found.shape == (6, CELLS[0].size, curve.n_outputs)
    for b, one in enumerate(replicates):
        evaluator = CurveEvaluator(one, fit_intercept=True)
        for n in SIZES:
            mine = CELLS[0] == n
            expected = evaluator.test_error(CELLS[0][mine], CELLS[1][mine])
            np.testing.assert_allclose(found[b, mine], expected, rtol=1e-9)


@pytest.mark.parametrize("entries", [1, 10_000])
@pytest.mark.parametrize("kind", ["plain", "outputs", "groups"])
def test_replicates_are_the_curves_one_by_one(kind, entries, monkeypatch):
    """However many of them are held together."""
    monkeypatch.setattr(jackknife, "_MOST_ENTRIES", entries)
    curve, replicates = curves_of(kind)
    t = curve.n_outputs
    found = JackknifeReplicates(replicates, fit_intercept=True, n_outputs=t).log_errors(*CELLS)
    expected = [CurveEvaluator(r, fit_intercept=True).test_error(*CELLS) for r in replicates]
    with np.errstate(divide="ignore", invalid="ignore"):
        np.testing.assert_allclose(found, np.log(expected), rtol=1e-9, atol=1e-12)


def test_tables_are_kept_and_the_oldest_go(monkeypatch):
    monkeypatch.setattr(curve_tables, "_MOST_KEPT", 8)
    _, replicates = curves_of("plain")
    tables, made = CurveTables(replicates, fit_intercept=False, errors_alone=True), []
    seen_from = NodesOfStack.seen_from
    monkeypatch.setattr(
        NodesOfStack, "seen_from", lambda self, rows: (made.extend(rows), seen_from(self, rows))[1]
    )
    ask = lambda *n: tables.test_error(np.array(n, float), np.ones(len(n)))  # noqa: E731
    ask(*range(10, 18))
    assert len(made) == 8
    ask(10, 12, 17)
    assert len(made) == 8
    ask(30, 31)
    assert len(made) == 10
    ask(10)
    assert len(made) == 10, "asked for lately"
    ask(11)
    assert len(made) == 11
    many = np.arange(20.0, 60.0)
    alone = np.concatenate([ask(n) for n in many], axis=1)
    np.testing.assert_allclose(ask(*many), alone, rtol=1e-12)
