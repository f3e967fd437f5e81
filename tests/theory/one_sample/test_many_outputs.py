"""Outputs by the hundred, against each of them alone."""

import numpy as np
import pytest

from sk_deepfeat.theory import (
    curve_risk,
    leave_one_out_curve,
    leave_one_out_curves,
    leave_one_out_residuals,
    ridge_factorization,
)
from sk_deepfeat.theory.one_sample.jackknife import JackknifeReplicates, jackknife_variance
from sk_deepfeat.theory.one_sample.leverage_bins import FewBins
from sk_deepfeat.theory.one_sample.two_points import two_points

T = 60


def sample(shape, tail=0.7, idle=0):
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape) * np.arange(1, shape[1] + 1) ** -0.5
    X *= np.exp(tail * rng.normal(size=(shape[0], 1)))
    X[:idle] = 0.0
    coefs = rng.normal(size=(shape[1], T))
    y = X @ coefs + rng.normal(size=(shape[0], T))
    y[:, 1] = X @ coefs[:, 1]  # fitted exactly
    y[:, 2] = 0.0
    y[:, 3] *= 1e-12
    return X, y


CASES = [((700, 40), 0), ((300, 120), 0), ((150, 400), 0), ((600, 30), 200)]


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize(("shape", "idle"), CASES)
def test_each_is_as_it_is_alone(shape, idle, single, monkeypatch):
    if single:
        monkeypatch.setattr("sk_deepfeat.theory.one_sample.leave_one_out._LARGE", 0.0)
    X, y = sample(shape, idle=idle)
    intercept = not idle
    lam = ridge_factorization(X, y, fit_intercept=intercept).eigenvalues
    exact = np.geomspace(lam[0], lam[-1], 5)
    n = np.array([[shape[0] // 4], [shape[0] // 2], [shape[0]]])
    path = ridge_factorization(X, y, fit_intercept=intercept, exact_at=exact)
    found = curve_risk(leave_one_out_curves(path)[0], n, exact, fit_intercept=intercept).test_error
    monkeypatch.undo()
    for k in (0, 1, 2, 3, T - 1):
        alone = ridge_factorization(X, y[:, k], fit_intercept=intercept, exact_at=exact)
        curve = leave_one_out_curves(alone, n_blocks=0)[0]
        expected = curve_risk(curve, n, exact, fit_intercept=intercept).test_error
        np.testing.assert_allclose(found[..., k], expected[..., 0], rtol=2e-3)
        left_out = [np.mean(leave_one_out_residuals(alone, a) ** 2) for a in exact]
        np.testing.assert_allclose(found[-1, :, k], left_out, rtol=1e-5 if single else 1e-9)


def test_intervals_are_as_they_are_alone():
    X, y = sample((700, 40))
    n, alpha = np.array([200.0, 700.0, 1400.0]), np.array([1.0, 30.0, 30.0])

    def variance(targets):
        replicates = leave_one_out_curves(ridge_factorization(X, targets))[1]
        outputs = replicates[0].n_outputs
        known = JackknifeReplicates(replicates, fit_intercept=True, n_outputs=outputs)
        return jackknife_variance(known.log_errors(n, alpha))

    many = variance(y)
    for k in (0, 5, T - 1):
        np.testing.assert_allclose(many[:, k], variance(y[:, k])[:, 0], rtol=0.05)


def test_groups():
    X, y = sample((240, 20), tail=0.3)
    groups = np.arange(240) // 3
    n, alpha = np.array([[60], [240]]), [1.0, 30.0]
    path = ridge_factorization(X, y, groups=groups)
    found = curve_risk(leave_one_out_curves(path)[0], n, alpha, fit_intercept=True).test_error
    for k in (0, 7):
        alone = ridge_factorization(X, y[:, k], groups=groups)
        curve = leave_one_out_curves(alone, n_blocks=0)[0]
        expected = curve_risk(curve, n, alpha, fit_intercept=True).test_error
        np.testing.assert_allclose(found[..., k], expected[..., 0], rtol=1e-9)


def test_tables_do_not_grow_with_the_number_of_outputs():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 12))
    curve, replicates = leave_one_out_curves(ridge_factorization(X, rng.normal(size=(600, 3000))))
    assert curve.row_share.shape[1] > 20
    assert curve.error.shape[1:] == (12, 3000)
    assert replicates[0].error.shape[1:] == (2, 3000)


def test_two_points_have_the_moments():
    rng = np.random.default_rng(0)
    q, weight = np.exp(rng.normal(size=(2, 50, 3))), rng.uniform(size=(2, 50, 3))
    centres = np.array([[0.3], [-0.2]])
    x = np.log(q) - centres[..., None]
    ends = x.min(axis=(1, 2))[:, None], x.max(axis=(1, 2))[:, None]
    moments = np.stack([(weight * x**p).sum(axis=1) for p in range(4)], axis=1)[:, :, None]
    points, weighted = two_points(moments.copy(), centres, ends)
    assert np.all(points > 0)
    at = np.log(weighted / points) - centres[..., None]
    for p in range(4):
        np.testing.assert_allclose((points * at**p).sum(axis=1), moments[:, p, 0], rtol=1e-9)


def test_two_points_of_one():
    moments = 3.0 * np.array([1.0, 0.5, 0.25, 0.125])[None, :, None, None]
    points, weighted = two_points(moments, np.zeros((1, 1)), (np.zeros((1, 1)), np.ones((1, 1))))
    assert points.sum() == pytest.approx(3.0)
    assert weighted.sum() == pytest.approx(3.0 * np.exp(0.5))


@pytest.mark.parametrize(
    "moments",
    [
        (1e-20, 1e-17, 1e-17, 1e-17),  # a mean far above
        (1e-20, -1e-17, 1e-17, 1e-17),
        (1.0, 0.5, 40.0, 0.0),  # a spread
        (1.0, 0.5, 0.25 + 4e-10, 0.125 + 1e-6),  # a skewness
        (1.0, 0.5, 0.25 + 4e-10, 0.125 - 1e-6),
    ],
)
def test_two_points_of_what_rounding_has_left_are_near_the_class(moments):
    ends = np.full((1, 1), -0.5), np.full((1, 1), 1.5)
    sums = np.array(moments)[None, :, None, None]
    points, weighted = two_points(sums, np.zeros((1, 1)), ends)
    assert points.sum() == pytest.approx(moments[0])
    x = np.log(weighted / points)
    assert np.all(x >= -3.5) and np.all(x <= 4.5)


def test_few_bins_are_about_their_centres():
    q = np.exp(2.0 * np.random.default_rng(0).normal(size=(3, 500)))
    q[:, 0] = 0.0
    bins = FewBins(q, 6)
    index = bins.of(q)
    assert np.all(index[:, 0] == 0) and index[:, 1:].min() == 1 and index.max() == 6
    assert bins.count == 7 and FewBins(q[:, 1:], 6).count == 6
    offset = bins.offset(q, index)
    assert np.all(offset[:, 0] == 0.0) and np.all(np.abs(offset[:, 1:]) < 1.6)
    centres = np.take_along_axis(bins.centres, index, axis=1)
    np.testing.assert_allclose(np.exp(offset + centres)[:, 1:], q[:, 1:], rtol=1e-12)


@pytest.mark.parametrize("idle", [0.0, 1.0])
def test_few_bins_know_the_ends_of_their_classes(idle):
    q = np.exp(2.0 * np.random.default_rng(0).normal(size=(3, 500)))
    q[:, 0] = idle
    later = np.hstack([q[:, 1:] * 0.1, q[:, 1:] * 30.0, np.zeros((3, 1))])
    bins = FewBins(q, 6)
    seen = [(bins.of(part), bins.offset(part, bins.of(part))) for part in (q, later)]
    index, offset = (np.hstack(parts) for parts in zip(*seen, strict=True))
    least, most = (np.take_along_axis(ends, index, axis=1) for ends in bins.ends())
    assert np.all(least <= offset + 1e-12) and np.all(offset <= most + 1e-12)
    lowest, highest = bins.ends()
    np.testing.assert_allclose(offset.max(axis=1), highest.max(axis=1), rtol=1e-12)
    assert np.all(lowest[:, 0] == 0.0) if idle == 0 else np.all(lowest[:, 0] == -40.0)
    assert np.all(lowest[:, 1:] > -20.0)
    if idle == 0.0:  # at every ridge the ends of its own rows
        own = np.where(index == 1, offset, np.inf).min(axis=1)
        np.testing.assert_allclose(lowest[:, 1], own, rtol=1e-12)


def test_rows_of_zeros_count_as_they_do_for_one_output():
    """At the ridgeless end of few rows q is huge: what has next to no leverage would count."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 30)) * (rng.random((60, 30)) < 0.03)
    Y = X @ rng.normal(size=(30, 9)) + rng.normal(size=(60, 9))
    found = []
    for targets in (Y, Y[:, :1]):
        path = ridge_factorization(X, targets, fit_intercept=False)
        curve = leave_one_out_curves(path, n_blocks=20)[0]
        asked = [12.0, 30.0], np.array([[0.0], [1e-10], [0.1]])
        found.append(curve_risk(curve, *asked, fit_intercept=False).test_error[..., 0])
    np.testing.assert_allclose(*found, rtol=0.02)


def test_errors_of_few_rows_are_those_of_one_output_near_the_peak():
    """Up to 512 rows, and 16,000 numbers, each row is a class of its own, whatever the outputs."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(44, 25)) * np.exp(0.8 * rng.normal(size=(44, 1)))
    y = X[:, 0] + rng.normal(size=44)
    n, alpha = np.array([2.0, 14.0, 25.0, 44.0])[:, None], np.array([1e-3, 0.1, 10.0])
    alone, together = (
        curve_risk(
            leave_one_out_curve(ridge_factorization(X, targets, fit_intercept=False)),
            *(n, alpha),
            fit_intercept=False,
        ).test_error
        for targets in (y, np.tile(y[:, None], 20))
    )
    np.testing.assert_allclose(together, np.repeat(alone, 20, axis=-1), rtol=1e-9)
