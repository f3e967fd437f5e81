"""All moments and some whole groups, against all rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sk_deepfeat.theory import (
    GramAccumulator,
    RidgeFactorization,
    SampledFactorization,
    calibrate,
    factorize_sums,
    leave_one_out_curve,
    leave_one_out_curves,
    ridge_factorization,
)
from sk_deepfeat.theory.one_sample.kappa_curve import _spectrum
from sk_deepfeat.theory.one_sample.leave_group_out import (
    leave_group_out_residuals,
    left_out_groups,
    left_out_means,
)

N, P, KEPT = 2400, 25, 500


@pytest.fixture(params=["plain", "weighted"])
def rows(request):
    rng = np.random.default_rng(1)
    groups = rng.integers(400, size=N)
    X = rng.normal(size=(N, P)) + rng.normal(size=(400, P))[groups] + 2.0
    y = X @ rng.normal(size=(P, 2)) + rng.normal(size=(400, 2))[groups] + rng.normal(size=(N, 2))
    return X, y, rng.random(N) + 0.5 if request.param == "weighted" else None, groups


@pytest.fixture(params=[True, False], ids=["intercept", "no intercept"])
def both(request, rows):
    sums = GramAccumulator(reservoir_size=KEPT)
    for start in range(0, N, 300):
        sums.add(*(None if part is None else part[start : start + 300] for part in rows))
    *values, groups = rows
    of_all = ridge_factorization(*values, fit_intercept=request.param, groups=groups)
    found = factorize_sums(sums, fit_intercept=request.param)
    places = [
        int(np.flatnonzero((of_all.features.given == row).all(axis=1))[0])
        for row in found.features.given
    ]
    return found, of_all, np.array(places)


def test_groups_are_whole_and_all_are_counted(both):
    found, of_all, places = both
    assert isinstance(found, SampledFactorization)
    assert 0.9 * KEPT < found.n_sampled <= KEPT
    assert found.n_groups == of_all.n_groups == of_all.groups.n_groups
    assert found.group_size == of_all.group_size == pytest.approx(of_all.groups.mean_size)
    sizes = of_all.groups.sizes[of_all.groups.number[places]]
    assert_array_equal(found.groups.sizes[found.groups.number], sizes)
    assert_array_equal(found.sample.groups.number, found.groups.number)
    with pytest.raises(ValueError, match=r"GramAccumulator\.add"):
        found.with_groups(found.groups.number)


@pytest.mark.parametrize("ridge", [1e-2, 3.0, 1e4])
def test_a_group_left_out_is_left_out_of_all(both, ridge):
    found, of_all, places = both
    expected = leave_group_out_residuals(of_all, ridge)[places]
    assert_allclose(leave_group_out_residuals(found, ridge), expected, rtol=1e-8, atol=1e-9)


def by_group(factorization, numbers, grid):
    """Sums over the pairs of some groups of whatever counts; eigenvectors may have any sign."""
    found = {}
    for some, left in left_out_groups(factorization, factorization.groups, grid):
        size = len(left.q) // len(some)
        parts = [
            left.q[..., None],
            left.growth[..., None],
            left.constant[..., None],
            np.square(left.residual),
            left.q[..., None] * np.square(left.residual),
            left.constant[..., None] * np.square(left.residual),
        ]
        pairs = np.concatenate(parts, axis=2).reshape(len(some), size, grid.size, -1).sum(axis=1)
        for place, group in enumerate(some):
            found[int(group)] = np.concatenate([pairs[place], left.mean_error[place]], axis=1)
    return np.array([found[int(number)] for number in numbers])


def test_pairs_of_a_group_are_those_from_all_rows(both):
    found, of_all, places = both
    grid = np.array([1e-3, 1.0, 100.0, 1e5])
    first = np.unique(found.groups.number, return_index=True)[1]
    mine = by_group(found, np.arange(found.groups.n_groups), grid)
    theirs = by_group(of_all, of_all.groups.number[places[first]], grid)
    assert_allclose(mine, theirs, rtol=1e-7, atol=1e-9)


def test_where_no_feature_tells_anything():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 3)
    X, y = np.ones((180, 2)), rng.normal(size=180) + rng.normal(size=60)[groups]
    sums = GramAccumulator(reservoir_size=60).add(X, y, groups=groups)
    found, of_all = factorize_sums(sums), ridge_factorization(X, y, groups=groups)
    assert found.eigenvalues.size == 0
    places = [int(np.argmin(np.abs(y - t))) for t in found.targets[:, 0] + found.target_mean]
    for mine, theirs in zip(
        left_out_means(found, found.groups), left_out_means(of_all, of_all.groups), strict=True
    ):
        assert_allclose(mine, theirs[places], rtol=1e-9)
    curve, replicates = leave_one_out_curves(found, n_blocks=5)
    expected = left_out_means(found, found.groups)[0].mean()
    assert_allclose(curve.error.sum(axis=1), expected)
    assert len(replicates) == 5


def test_what_the_draws_share_counts_all_groups(both):
    found, of_all, _ = both
    grid = np.geomspace(0.1, 1e5, 9)
    expected = _spectrum(of_all, grid)
    mine = _spectrum(found, grid)
    assert_allclose(mine.shared_noise, expected.shared_noise, rtol=1e-8, atol=1e-14)
    assert expected.shared_noise.max() > 0.0
    assert_allclose(mine.residual, expected.residual, rtol=1e-8)


def test_curves_are_as_those_of_all(both):
    found, of_all, _ = both
    curves = [leave_one_out_curves(each) for each in (found, of_all)]
    (mine, replicates), (theirs, of_blocks) = curves
    assert mine.sample_factor is None
    if found.fit_intercept:
        assert_allclose(mine.constant.row_share.sum(axis=1), 1.0)
    assert_allclose(mine.df1, theirs.df1, rtol=1e-8)
    middle = np.abs(np.log(theirs.kappa / np.median(theirs.kappa))) < 3.0
    assert_allclose(mine.df2[middle], theirs.df2[middle], rtol=0.05)
    scatter = [
        np.log([part.error[len(part.kappa) // 2].sum(axis=0) for part in parts]).std(axis=0)
        for parts in (replicates, of_blocks)
    ]
    # Independent groups: a fifth of the rows scatters by the root of five more.
    ratio = scatter[0] / scatter[1]
    assert np.all((ratio > 1.2) & (ratio < 4.0))


def test_replicates_tell_how_far_off_kept_groups_are():
    rng = np.random.default_rng(1)
    groups = rng.integers(400, size=N)
    X = rng.normal(size=(N, P)) + rng.normal(size=(400, P))[groups]
    y = X @ rng.normal(size=P) + rng.normal(size=400)[groups] + rng.normal(size=N)
    of_all = leave_one_out_curve(ridge_factorization(X, y, groups=groups))
    middle = len(of_all.kappa) // 2
    z = []
    for seed in range(25):
        names = [f"{seed} {group}" for group in groups]  # other groups are kept
        sums = GramAccumulator(reservoir_size=KEPT).add(X, y, groups=names)
        curve, replicates = leave_one_out_curves(factorize_sums(sums))
        place = len(replicates[0].kappa) // 2
        logs = np.log([part.error[place].sum() for part in replicates])
        error = np.log(curve.error[middle].sum() / of_all.error[middle].sum())
        z.append(error / (logs.std() * np.sqrt(len(replicates) - 1)))
    assert np.abs(np.mean(z)) < 0.7
    assert 0.6 < np.std(z) < 1.5


def test_subsets_are_of_kept_groups(both):
    found, _, _ = both
    calibration = calibrate(found, leave_one_out_curves(found)[0])
    assert (calibration.n_rows, calibration.n_sampled) == (N, found.n_sampled)
    assert calibration.amplified
    assert max(each.size for each in calibration.sizes) < found.n_sampled
    measured = np.concatenate([each.log_ratio / each.standard_error for each in calibration.sizes])
    assert np.median(np.abs(measured)) < 2.0


def test_all_rows_kept_are_the_ordinary_factorisation(rows):
    sums = GramAccumulator(reservoir_size=N).add(*rows)
    found = factorize_sums(sums, exact_at=[3.0])
    expected = ridge_factorization(*rows[:3], exact_at=[3.0], groups=rows[3])
    assert type(found) is RidgeFactorization
    assert_array_equal(found.eigenvalues, expected.eigenvalues)
    assert_array_equal(found.groups.sizes, np.bincount(rows[3])[rows[3]][first_rows(rows[3])])


def first_rows(labels):
    return np.sort(np.unique(labels, return_index=True)[1])


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["a"] * 12, "All 12 rows are of one group"),
        (["a"] * 6 + ["b"] * 6, "Of 2 groups in 12 rows fewer than two fit into reservoir_size=7"),
        (["a"] * 10 + ["b"] * 2, "fewer than two fit"),
    ],
)
def test_fewer_than_two_groups_tell_nothing(groups, message):
    X = np.arange(12.0)[:, None]
    sums = GramAccumulator(reservoir_size=7).add(X, X[:, 0], groups=groups)
    with pytest.raises(ValueError, match=message):
        factorize_sums(sums)
