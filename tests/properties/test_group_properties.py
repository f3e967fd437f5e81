"""Rows in groups: what holds for rows holds for groups."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from training_draws import answers, any_seed, assert_same, silently, trainings

from sk_deepfeat.populations import LeaveOneOutPopulation

pytestmark = pytest.mark.random_examples

ROUNDED = 1.0 + 1e-9
calibrated = trainings(populations=st.just("leave-one-out"), rows=st.integers(12, 60))
uncalibrated = trainings(
    populations=st.just(LeaveOneOutPopulation(calibrate=False)), rows=st.integers(12, 60)
)


def labels(training, seed):
    """Return labels of groups of unequal sizes, five at least, each more than once."""
    rng = np.random.default_rng(seed)
    n_groups = rng.integers(5, training.n // 2)
    own = np.concatenate([np.arange(n_groups), rng.integers(n_groups, size=training.n - n_groups)])
    return rng.permutation(own)


def cells_of(training, groups):
    n, alpha, n_rows = training.cells()
    size = training.n / np.unique(groups).size
    return np.maximum(n, 2.0 * size), alpha, n_rows


@hypothesis.given(training=calibrated, seed=any_seed, power=st.floats(-6.0, 6.0))
def test_features_of_groups_in_other_units_change_alpha_alone(training, seed, power):
    factor, groups = 10.0**power, labels(training, seed)
    n, alpha, n_rows = cells = cells_of(training, groups)
    before = answers(training.fit(groups=groups), cells)
    ridge = training.fit(X=factor * training.X, alpha=factor**2 * training.alpha, groups=groups)
    after = answers(ridge, (n, factor**2 * alpha, n_rows))
    assert_same(after, before, of_X=factor, rtol=1e-8, atol=1e-10)


@hypothesis.given(training=calibrated, seed=any_seed, power=st.floats(-150.0, 150.0))
def test_targets_of_groups_in_other_units_change_errors_alone(training, seed, power):
    factor, groups = 10.0**power, labels(training, seed)
    cells = cells_of(training, groups)
    before = answers(training.fit(groups=groups), cells)
    after = answers(training.fit(y=factor * training.y, groups=groups), cells)
    assert_same(after, before, of_y=factor, rtol=1e-8, atol=1e-10)


@hypothesis.given(training=calibrated, seed=any_seed)
def test_labels_of_groups_are_but_names(training, seed):
    groups = labels(training, seed)
    cells = cells_of(training, groups)
    # In the same order of first appearance and of size, which the seeded draws go by.
    names = np.array([f"group {number:03d}" for number in range(groups.max() + 1)])[groups]
    one, other = training.fit(groups=groups), training.fit(groups=names)
    assert_same(answers(other, cells), answers(one, cells), rtol=1e-12)


@hypothesis.given(training=uncalibrated)
def test_groups_of_one_row_are_rows(training):
    n, alpha, n_rows = training.cells()
    cells = n[n <= n_rows], alpha, n_rows  # beyond, growth is told by blocks of the jackknife
    one, other = training.fit(), training.fit(groups=np.arange(training.n))
    by_blocks = ("lower", "upper", "score", "least_score", "most_score", "required", "reachable")
    assert_same(answers(other, cells), answers(one, cells), rtol=1e-6, atol=1e-8, but=by_blocks)


@hypothesis.given(training=calibrated, seed=any_seed, of_X=st.floats(-1e3, 1e3))
def test_groups_of_shifted_rows_are_the_same(training, seed, of_X):
    hypothesis.assume(training.fit_intercept)
    groups = labels(training, seed)
    cells = cells_of(training, groups)
    one = answers(training.fit(groups=groups), cells)
    other = answers(training.fit(X=training.X + of_X, y=training.y - of_X, groups=groups), cells)
    assert_same(other, one, rtol=1e-6, atol=1e-6, but={"intercept_"})


@hypothesis.given(training=calibrated, seed=any_seed, powers=st.lists(st.floats(-6.0, 4.0)))
def test_errors_on_new_groups_are_in_order(training, seed, powers):
    groups = labels(training, seed)
    ridge = training.fit(groups=groups)
    scale = float(np.square(training.X).sum() / training.n)
    alpha = scale * 10.0 ** np.asarray([0.0, *powers])
    n_groups = np.array([1, 2, 5, ridge.n_groups_, 2 * ridge.n_groups_])[:, None]
    asked = {"n_groups": n_groups, "alpha": alpha}
    error, lower, upper = ridge.predict_test_error(**asked, return_interval=True)
    train, parts = ridge.predict_train_error(**asked), ridge.predict_decomposition(**asked)
    known = ~np.isnan(error)
    for less, more in (
        (train, error),
        (parts.bias_and_noise, error),
        (lower, error),
        (error, upper),
    ):
        assert np.all(0 <= less[known]) and np.all(less[known] <= more[known] * ROUNDED)
    kappa = ridge.predict_kappa(n_groups=n_groups, alpha=np.sort(alpha))
    assert not np.any(np.diff(kappa, axis=1) < -1e-9 * np.nanmax(kappa, initial=0.0))
    assert not np.any(np.diff(kappa, axis=0) > 1e-9 * np.nanmax(kappa, initial=0.0))


@hypothesis.given(training=calibrated, seed=any_seed, share=st.floats(0.05, 0.95))
def test_required_groups_suffice_and_one_fewer_does_not(training, seed, share):
    ridge = training.fit(groups=labels(training, seed))
    n_groups = np.unique(np.round(np.geomspace(1, ridge.n_groups_, 8)))
    known = silently(lambda: ridge.predict_test_error(n_groups=n_groups, alpha="optimal"))
    known = known[np.isfinite(known)]
    hypothesis.assume(known.size > 1 and np.ptp(known) > 1e-6 * known.max())
    target = known.min() + share * np.ptp(known)
    needed = silently(lambda: ridge.required_groups(target))
    assert np.isfinite(needed) and needed == np.round(needed)
    fewer = max(needed - 1, 1)
    at = silently(lambda: ridge.predict_test_error(n_groups=[needed, fewer], alpha="optimal"))
    assert at[0] <= target * (1.0 + 1e-6)
    assert needed == 1 or np.isnan(at[1]) or at[1] >= target * (1.0 - 1e-6)


@hypothesis.given(training=calibrated, seed=any_seed)
def test_single_precision_of_groups_is_double_of_the_same_numbers(training, seed):
    groups, X = labels(training, seed), training.X.astype(np.float32)
    cells = cells_of(training, groups)
    single = answers(training.fit(X=X, groups=groups), cells)
    double = answers(training.fit(X=X.astype(np.float64), groups=groups), cells)
    assert_same(single, double, rtol=1e-8, atol=1e-9)
