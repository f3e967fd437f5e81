"""What a sample tells of unequal rows, at the κ of more of them."""

import numpy as np

from sk_deepfeat.theory import leave_one_out_curve, ridge_factorization
from sk_deepfeat.theory.one_sample.matrix_free.sample_shape import SampleShape


def curve(n, seed=0, hard=False):
    rng = np.random.default_rng(seed)
    size = np.exp(0.5 * rng.normal(size=n))
    X = rng.normal(size=(n, 400)) * np.arange(1, 401) ** -0.6 * size[:, None]
    noise = size if hard else 1.0
    y = X[:, 0] + noise * rng.normal(size=n)
    return leave_one_out_curve(ridge_factorization(X, y))


def driven(shape, kappa):
    """Mean of s a over mean a: one for rows that are equally hard."""
    at = shape.at(kappa)
    return np.einsum("gkt,gk->gt", at.moment, at.relative)[:, 0] / at.moment.sum(axis=(1, 2))


def test_the_variance_that_comes_with_leverage_is_no_hardness():
    found = curve(1500)
    share = found.df2 / found.n_effective
    kappa = found.kappa[(share > 0.1) & (share < 0.2)]
    at_e = np.interp(
        np.log(kappa),
        np.log(found.kappa),
        found.leverage_weighted_error.sum(axis=(1, 2)) / found.error.sum(axis=(1, 2)),
    )
    a = driven(SampleShape(found, 1500), kappa)
    assert np.all(at_e > 1.1)
    np.testing.assert_allclose(a, 1.0, atol=0.07)
    assert np.all(driven(SampleShape(curve(1500, hard=True), 1500), kappa) > 1.3)


def test_a_quarter_of_the_rows_tells_how_unequal_all_are():
    few, many = (SampleShape(curve(n, seed), 4000) for n, seed in ((1000, 1), (4000, 2)))
    kappa = np.geomspace(few._curve.kappa[0], few._curve.kappa[-1], 6)
    spread = [np.sum(s.at(kappa).leverage * s.at(kappa).relative, axis=1) for s in (few, many)]
    np.testing.assert_allclose(spread[0], spread[1], rtol=0.2)
    below = few.at(few._curve.kappa[:1] * 1e-6)
    np.testing.assert_array_equal(below.row_share, few.at(np.exp([few._lowest])).row_share)


def test_sums_are_those_of_all_rows():
    found = SampleShape(curve(800), 5000)
    at = found.at(np.geomspace(1e-6, 1e3, 20) * found._curve.kappa[50])
    np.testing.assert_allclose(at.row_share.sum(axis=1), 1.0)
    np.testing.assert_allclose(at.leverage.sum(axis=1), 1.0)
    assert np.all(at.moment >= 0)
    noise = found.scale_noise(found._curve.kappa[50:51])
    np.testing.assert_allclose(noise, found._curve.scale_noise[50] * np.sqrt(799 / 5000))
