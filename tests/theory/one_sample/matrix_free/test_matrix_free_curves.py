"""Curves made of products with rows, against those of a factorisation and against fits."""

from types import SimpleNamespace

import numpy as np
import pytest

from sk_deepfeat.theory import (
    curve_risk,
    leave_one_out_curve,
    ridge_factorization,
    unfactorized_rows,
)
from sk_deepfeat.theory.one_sample import tuning as one_sample_tuning
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.kappa_curve import _spectrum
from sk_deepfeat.theory.one_sample.matrix_free import learned_curves
from sk_deepfeat.theory.one_sample.matrix_free.assembled_curve import (
    FoldFits,
    assembled_curve,
    place_on_scale,
)
from sk_deepfeat.theory.one_sample.matrix_free.learned_curves import (
    MatrixFreeOptions,
    matrix_free_curves,
)
from sk_deepfeat.theory.one_sample.matrix_free.sample_shape import SampleShape
from sk_deepfeat.theory.one_sample.matrix_free.spectral_sums import SpectralSums
from sk_deepfeat.theory.one_sample.nodes import nodes_at


def sample(n, p, *, tail=0.0, outputs=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.arange(1, p + 1) ** -0.6
    X *= np.exp(tail * rng.normal(size=(n, 1)))
    y = X @ rng.normal(size=(p, outputs))
    y = y / y.std(axis=0) + 0.5 * rng.normal(size=(n, outputs)) + 2.0
    return 1.0 + X, y[:, 0] if outputs == 1 else y


def both(X, y, weights=None, *, fit_intercept=True, n_sampled=400, **options):
    dense = leave_one_out_curve(ridge_factorization(X, y, weights, fit_intercept=fit_intercept))
    rows = unfactorized_rows(X, y, weights, fit_intercept=fit_intercept, n_sampled=n_sampled)
    return dense, matrix_free_curves(rows, MatrixFreeOptions(**options))


def exact_shape_and_sums(X, y, ridges):
    """What all rows tell in place of a sample and of probes."""
    factorization = ridge_factorization(X, y)
    curve = leave_one_out_curve(factorization)
    spectrum = _spectrum(factorization, ridges)
    sums = SpectralSums(spectrum.df1, spectrum.residual_df, spectrum.decay, spectrum.shared_noise)
    return factorization, curve, SampleShape(curve, factorization.n_effective), sums


@pytest.mark.parametrize("tail", [0.0, 0.6])
def test_with_all_rows_as_the_sample_and_exact_traces_the_scale_is_that_of_the_dense_curve(tail):
    X, y = sample(600, 300, tail=tail)
    ridges = np.geomspace(3.0, 3e3, 40)
    factorization, curve, shape, sums = exact_shape_and_sums(X, y, ridges)
    found = place_on_scale(ridges, sums, shape, factorization.n_effective)
    # The dense curve has its κ at other ridges.
    np.testing.assert_allclose(curve.df1_at(found.kappa), sums.df1, rtol=2e-3)
    df2 = np.interp(np.log(found.kappa), np.log(curve.kappa), curve.df2)
    np.testing.assert_allclose(found.df2, df2, rtol=0.01)


def test_seen_from_the_rows_of_a_fit_without_a_fold_the_error_is_what_was_measured():
    X, y = sample(600, 300)
    ridges = np.geomspace(3.0, 3e3, 30)
    _, _, shape, sums = exact_shape_and_sums(X, y, ridges)

    def error(alpha):
        return 1.0 + np.log(alpha)[:, None]

    curve = assembled_curve(
        ridges,
        sums,
        shape,
        FoldFits(540.0, error, 3.0),
        np.ones((30, 1)),
        n_effective=599,
        rank=300,
        fit_intercept=True,
    )
    nodes = nodes_at(curve, 539.0)
    at = CurveEvaluator(curve, fit_intercept=True).test_error(
        np.full(nodes.alpha.shape, 540.0), nodes.alpha
    )
    np.testing.assert_allclose(at, error(nodes.alpha), rtol=1e-9)


CASES = {
    "more rows": ({"n": 1500, "p": 300}, {}),
    "more features": ({"n": 700, "p": 2000}, {}),
    "without an intercept": ({"n": 900, "p": 700}, {"fit_intercept": False}),
    "unequal rows": ({"n": 900, "p": 700, "tail": 0.5}, {}),
    "two outputs": ({"n": 800, "p": 600, "outputs": 2}, {}),
    "weights": ({"n": 900, "p": 500}, {"weights": True}),
}


@pytest.mark.parametrize("case", CASES)
def test_errors_are_those_of_the_dense_curve(case):
    drawn, options = CASES[case]
    X, y = sample(**drawn)
    if options.pop("weights", False):
        options = {"weights": np.random.default_rng(3).uniform(0.3, 2.0, len(X))}
    dense, found = both(X, y, n_probes=30, **options)
    n = len(X) * np.array([0.2, 0.5, 0.9, 1.0, 2.0])[:, None]
    alpha = found.lowest_ridge * np.geomspace(20.0, 2000.0, 5)
    asked = {"fit_intercept": options.get("fit_intercept", True)}
    expected, got = (curve_risk(c, n, alpha, **asked) for c in (dense, found.curve))
    known = np.isfinite(got.test_error)
    assert known.mean() > 0.9
    # Folds are dealt at random: the same rows in other folds give errors this far apart.
    off = (got.test_error / expected.test_error - 1.0)[known]
    assert np.sqrt(np.mean(np.square(off))) < 0.015 and np.abs(off).max() < 0.05
    np.testing.assert_allclose(got.kappa[known[..., 0]], expected.kappa[known[..., 0]], rtol=0.02)
    at_n0 = slice(3, 4)
    np.testing.assert_allclose(got.train_error[at_n0], expected.train_error[at_n0], rtol=0.002)


def test_single_precision_rows_give_the_same():
    X, y = sample(500, 300)
    single = X.astype(np.float32)
    curves = [
        matrix_free_curves(unfactorized_rows(rows, y, n_sampled=300), MatrixFreeOptions())
        for rows in (single, single.astype(np.float64))
    ]
    np.testing.assert_allclose(curves[0].curve.kappa, curves[1].curve.kappa, rtol=1e-6)
    np.testing.assert_allclose(curves[0].curve.error, curves[1].curve.error, rtol=1e-5, atol=1e-9)


def test_interpolation_is_reached_by_all_rows_though_not_by_fits_without_a_fold():
    X, y = sample(500, 3000)
    X = X * np.arange(1, 3001) ** 0.5  # a flat spectrum settles fast
    dense, found = both(X, y, n_sampled=250, n_probes=30)
    assert found.curve.df1[0] > 0.99 * 499
    alpha = found.lowest_ridge * np.array([10.0, 1e3])
    expected, got = (
        curve_risk(c, 500, alpha, fit_intercept=True).test_error for c in (dense, found.curve)
    )
    np.testing.assert_allclose(got, expected, rtol=0.05)


def test_below_what_has_settled_nothing_is_known():
    X, y = sample(800, 1500)
    dense, found = both(X, y, most_steps=32)
    low = found.lowest_ridge
    asked = np.array([1e-4, 0.1, 2.0]) * low
    at_n0 = curve_risk(found.curve, 800, asked, fit_intercept=True)
    np.testing.assert_array_equal(np.isnan(at_n0.test_error[:, 0]), [True, True, False])
    np.testing.assert_array_equal(np.isnan(at_n0.kappa), [True, True, False])
    # Few rows meet, at any alpha, no κ but those that are known.
    few = curve_risk(found.curve, 20, asked, fit_intercept=True).test_error
    expected = curve_risk(dense, 20, asked, fit_intercept=True).test_error
    np.testing.assert_allclose(few, expected, rtol=0.05)
    more = curve_risk(found.curve, 8000, asked, fit_intercept=True).test_error
    assert np.isnan(more[:2]).all()
    assert not found.curve.shows_all


def test_more_steps_reach_smaller_ridges():
    X, y = sample(400, 700)
    rows = unfactorized_rows(X, y, n_sampled=300)
    found = [matrix_free_curves(rows, MatrixFreeOptions(most_steps=m)) for m in (24, 48)]
    assert found[1].lowest_ridge < 0.7 * found[0].lowest_ridge


def test_an_alpha_that_is_asked_for_is_waited_for():
    X, y = sample(400, 700)
    usual = matrix_free_curves(unfactorized_rows(X, y, n_sampled=300), MatrixFreeOptions())
    wanted = 0.05 * usual.lowest_ridge
    rows = unfactorized_rows(X, y, exact_at=[wanted], n_sampled=300)
    found = matrix_free_curves(rows, MatrixFreeOptions())
    assert found.lowest_ridge < wanted and found.n_steps > usual.n_steps


def test_the_jackknife_sees_rows_and_probes():
    """Standard errors of df1 come from the probes, those of errors from rows: both are there."""
    X, y = sample(500, 300)
    rows = unfactorized_rows(X, y, n_sampled=300)
    found = matrix_free_curves(rows, MatrixFreeOptions(n_probes=8))
    assert len(found.replicates) == 20
    at = found.curve.kappa[40]
    df1 = np.array([curve.df1_at(at) for curve in found.replicates])
    assert np.ptp(df1[8:]) < np.ptp(df1[:8]), "eight replicates lack a probe, twelve do not"
    told = np.sqrt(19 / 20 * np.sum(np.square(df1 - df1.mean())))
    drawn = [
        matrix_free_curves(rows, MatrixFreeOptions(n_probes=8, seed=s)).curve.df1_at(at)
        for s in range(1, 7)
    ]
    assert 0.3 < np.std(drawn) / told < 2.0


def test_a_constant_target_is_fitted_exactly():
    X, y = sample(600, 200, outputs=2)
    y[:, 1] = 3.0
    found = matrix_free_curves(unfactorized_rows(X, y, n_sampled=200), MatrixFreeOptions())
    error = curve_risk(found.curve, 300, 10.0, fit_intercept=True).test_error
    assert error[0] > 0.2 and error[1] == 0.0
    rows = unfactorized_rows(0.1 * X, y[:, 0], n_sampled=200)
    both = matrix_free_curves(unfactorized_rows(0.1 * X, y, n_sampled=200), MatrixFreeOptions())
    alone = matrix_free_curves(rows, MatrixFreeOptions()).lowest_ridge
    assert both.lowest_ridge == pytest.approx(alone, rel=1e-6) and alone < 0.9


def test_constant_features_are_refused():
    rows = unfactorized_rows(np.ones((300, 4)), np.arange(300.0), n_sampled=100)
    with pytest.raises(ValueError, match="all features are constant over 100 sampled rows"):
        matrix_free_curves(rows, MatrixFreeOptions())


def test_where_nothing_settles_an_error_says_so(monkeypatch):
    X, y = sample(400, 600)
    monkeypatch.setattr(learned_curves, "_HIGH", 1e-6)
    with pytest.raises(ValueError, match="max_iter=4 Lanczos steps settle no error"):
        both(X, y, most_steps=4)


def test_every_block_of_rows_has_its_replicate(monkeypatch):
    monkeypatch.setattr(one_sample_tuning, "JACKKNIFE_BLOCKS", 7)
    X, y = sample(200, 100)
    found = matrix_free_curves(
        unfactorized_rows(X, y, n_sampled=150), MatrixFreeOptions(n_probes=8)
    )
    assert len(found.replicates) == 7


def test_ridges_that_are_asked_for_are_points_of_the_curve_where_it_goes():
    spectrum = SimpleNamespace(largest=10.0, trace=40.0)
    inside = np.array([0.02, 3.0, 500.0])
    grid = learned_curves._grid(0.01, spectrum, np.r_[1e-3, inside, 1e12], 120)
    assert grid[0] == 0.01 and np.isclose(grid[-1], 4e7) and np.all(np.diff(grid) > 0)
    assert np.all(np.isin(inside, grid)) and 117 <= grid.size <= 123
    others = np.setdiff1d(grid, inside)
    assert np.abs(np.log(others[:, None] / inside)).min() > 1e-3
