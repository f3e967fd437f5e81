"""Ridge on rows in groups: every question is about new ones."""

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import GCVPopulation, LeaveOneOutPopulation, PlugInPopulation
from sk_deepfeat.theory import ridge_factorization

RNG = np.random.default_rng(0)
SITE = RNG.permutation(np.repeat(np.arange(40), 5))
X = RNG.normal(size=(40, 30))[SITE] + RNG.normal(size=(200, 30))
Y = X[:, 0] + RNG.normal(size=40)[SITE] + RNG.normal(size=200)
RIDGE = DeterministicEquivalentRidge(10.0).fit(X, Y, groups=SITE)


def test_the_error_is_that_of_leaving_one_group_out():
    left_out = cross_val_predict(Ridge(10.0), X, Y, groups=SITE, cv=LeaveOneGroupOut())
    assert RIDGE.test_error_ == pytest.approx(np.mean(np.square(Y - left_out)), rel=1e-8)
    np.testing.assert_allclose(RIDGE.coef_, Ridge(10.0).fit(X, Y).coef_)
    assert RIDGE.n_groups_ == 40
    assert DeterministicEquivalentRidge(10.0).fit(X[:20], Y[:20]).n_groups_ is None


def test_labels_are_names():
    names = np.array([f"site {k:02d}" for k in SITE], dtype=object)
    named = DeterministicEquivalentRidge(10.0).fit(X, Y, groups=list(names))
    assert named.test_error_ == pytest.approx(RIDGE.test_error_, rel=1e-10)


def test_rows_of_weight_zero_belong_to_no_group():
    weights = np.where(SITE < 3, 0.0, 1.0)
    weighted = DeterministicEquivalentRidge(10.0).fit(X, Y, sample_weight=weights, groups=SITE)
    kept = weights > 0
    without = DeterministicEquivalentRidge(10.0).fit(X[kept], Y[kept], groups=SITE[kept])
    assert weighted.n_groups_ == 37
    assert weighted.test_error_ == pytest.approx(without.test_error_, rel=1e-10)


@pytest.mark.parametrize(
    "question",
    ["predict_test_error", "predict_train_error", "predict_kappa", "reachable", "optimal_alpha"],
)
def test_groups_count_by_their_mean_size(question):
    asked = getattr(RIDGE, question)
    np.testing.assert_allclose(asked(n_groups=[10, 80]), asked([50, 400]))


def test_parts_of_the_error_in_groups():
    np.testing.assert_allclose(
        RIDGE.predict_decomposition(n_groups=20).total_variance,
        RIDGE.predict_decomposition(100).total_variance,
    )


def test_unequal_groups_count_by_their_mean_size():
    some = np.r_[0:50, 60:200]
    ridge = DeterministicEquivalentRidge(10.0).fit(X[some], Y[some], groups=SITE[some])
    n = 190 / ridge.n_groups_ * np.array([8, 20])
    np.testing.assert_allclose(
        ridge.predict_test_error(n_groups=[8, 20]), ridge.predict_test_error(n)
    )


def test_less_than_a_group_is_not_known():
    errors = RIDGE.predict_test_error([1, 4, 5])
    assert np.isnan(errors[:2]).all() and np.isfinite(errors[2])
    np.testing.assert_array_equal(RIDGE.reachable([4, 5]), [False, True])
    assert np.isnan(RIDGE.predict_train_error(4))
    assert np.isnan(RIDGE.predict_decomposition(4).total_variance)


def test_beyond_reach_of_few_groups_nothing_is_known():
    """Too few subsets of groups for a power law: the least error over alpha is no answer."""
    rng = np.random.default_rng(0)
    site = np.repeat(np.arange(30), 5)
    rows = rng.normal(size=(30, 400))[site] + rng.normal(size=(150, 400))
    y = rows[:, 0] + rng.normal(size=30)[site] + rng.normal(size=150)
    population = LeaveOneOutPopulation(extrapolate=True)
    ridge = DeterministicEquivalentRidge(0.01, population=population).fit(rows, y, groups=site)
    assert len(ridge.population_.calibration_.sizes) == 3
    assert np.isfinite(ridge.predict_test_error(n_groups=30))
    assert np.isfinite(ridge.optimal_alpha(n_groups=31))
    beyond = ridge.predict_test_error(n_groups=[31, 60], return_interval=True)
    assert np.isnan(beyond).all()


def test_required_groups():
    target = float(RIDGE.predict_test_error(n_groups=60, alpha=10.0))
    assert RIDGE.required_groups(target * 1.0001, alpha=10.0) in (59, 60)
    assert RIDGE.required_samples(target * 1.0001, alpha=10.0) == pytest.approx(300, abs=5)
    assert RIDGE.required_groups(1.05 * RIDGE.test_error_) <= 40


def test_intervals_are_those_of_groups():
    rows = DeterministicEquivalentRidge(10.0).fit(X[::5], Y[::5])
    assert rows.error_predictor_.knows_intervals
    answer = RIDGE.population_.answer(200.0, 10.0, fit_intercept=True, variance=True)
    assert answer.degrees == 19
    few = SITE < 6
    ridge = DeterministicEquivalentRidge(10.0).fit(X[few], Y[few], groups=SITE[few])
    answer = ridge.population_.answer(30.0, 10.0, fit_intercept=True, variance=True)
    assert answer.degrees == 5
    error, low, high = ridge.predict_test_error(return_interval=True)
    assert low < error < high and high / low > 1.5


def test_the_check_is_on_subsets_of_groups():
    check = RIDGE.calibration_check()
    np.testing.assert_array_equal(check.n_samples % 5, 0)
    some = RIDGE.calibration_check(sizes=[52])
    np.testing.assert_array_equal(some.n_samples, 50)  # ten groups


def test_a_pickle_answers_the_same():
    again = pickle.loads(pickle.dumps(RIDGE))
    np.testing.assert_array_equal(
        again.predict_test_error(n_groups=[10, 80]), RIDGE.predict_test_error(n_groups=[10, 80])
    )


class TestBlocks:
    def test_blocks_are_stretches_of_the_rows(self):
        ridge = DeterministicEquivalentRidge(10.0, block_length=20).fit(X, Y, groups="blocks")
        stretches = DeterministicEquivalentRidge(10.0).fit(X, Y, groups=np.arange(200) // 20)
        assert ridge.test_error_ == pytest.approx(stretches.test_error_, rel=1e-12)
        assert (ridge.n_groups_, ridge.block_length_) == (10, 20)

    def test_rows_of_weight_zero_keep_their_place(self):
        weights = np.ones(200)
        weights[:10] = 0.0
        ridge = DeterministicEquivalentRidge(10.0, block_length=20)
        ridge.fit(X, Y, sample_weight=weights, groups="blocks")
        stretches = DeterministicEquivalentRidge(10.0)
        stretches.fit(X, Y, sample_weight=weights, groups=np.arange(200) // 20)
        assert ridge.test_error_ == pytest.approx(stretches.test_error_, rel=1e-12)

    def test_length_follows_the_correlation(self):
        rng = np.random.default_rng(3)
        noise = rng.normal(size=(600, 21))
        series = np.zeros_like(noise)
        for t in range(1, 600):
            series[t] = 0.8 * series[t - 1] + noise[t]
        rows, y = series[:, :20], series[:, 0] + series[:, 20]
        ridge = DeterministicEquivalentRidge(10.0).fit(rows, y, groups="blocks")
        assert 5 < ridge.block_length_ <= 60
        shuffled = rng.permutation(600)
        ridge.fit(rows[shuffled], y[shuffled], groups="blocks")
        assert ridge.block_length_ == 1

    def test_blocks_cut_short_are_said(self):
        walk = np.cumsum(np.random.default_rng(0).normal(size=(200, 4)), axis=0)
        with pytest.warns(PopulationWarning, match="blocks of 20 rows are cut short"):
            ridge = DeterministicEquivalentRidge(10.0).fit(walk[:, :3], walk[:, 3], groups="blocks")
        assert ridge.block_length_ == 20

    @pytest.mark.parametrize("length", [0, 101, 2.5, "long"])
    def test_a_wrong_length_is_named(self, length):
        ridge = DeterministicEquivalentRidge(10.0, block_length=length)
        with pytest.raises(ValueError, match=rf"block_length={length!r} must be an integer"):
            ridge.fit(X, Y, groups="blocks")


class WithoutGroups(BaseEstimator):
    """A population from elsewhere whose fit knows no groups."""

    def fit(self, X, y, sample_weight=None, *, fit_intercept=True, path=None):
        return self

    def test_error(self, n_samples, alpha, *, fit_intercept):
        return np.ones(np.broadcast_shapes(np.shape(n_samples), np.shape(alpha)))

    def kappa(self, n_samples, alpha, *, fit_intercept):
        return self.test_error(n_samples, alpha, fit_intercept=fit_intercept)


@pytest.mark.parametrize(
    ("population", "named"),
    [
        ("gcv", "GCVPopulation"),
        ("plug-in", "population='plug-in'"),
        (
            FrozenEstimator(PlugInPopulation().fit(np.r_[X, -X], np.r_[Y, -Y])),
            r"population=FrozenEstimator\(.*\)",
        ),
        (WithoutGroups(), r"population=WithoutGroups\(\)"),
    ],
)
def test_a_population_that_cannot_use_groups_says_so(population, named):
    ridge = DeterministicEquivalentRidge(10.0, population=population)
    with pytest.raises(ValueError, match=f"{named} takes every row for a draw of its own") as told:
        ridge.fit(X, Y, groups=SITE)
    assert "population='leave-one-out' does" in str(told.value)


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        (SITE[:-1], ValueError, "groups has 199 labels for 200 rows"),
        (np.zeros(200), ValueError, "groups has one group"),
        (np.where(SITE == 3, np.nan, SITE), ValueError, "groups has 5 missing labels"),
        ("block", ValueError, "groups='block' must be an array"),
        ([[k] for k in SITE], TypeError, r"groups\[0\]=\[.*\] is not hashable"),
    ],
)
def test_unusable_groups_are_named(groups, error, message):
    with pytest.raises(error, match=message):
        DeterministicEquivalentRidge().fit(X, Y, groups=groups)


def test_a_group_of_more_than_half_the_rows_is_said():
    most = np.where(np.arange(200) < 120, 0, np.arange(200))
    with pytest.warns(PopulationWarning, match="Group 0 holds 120 of 200 rows"):
        DeterministicEquivalentRidge().fit(X, Y, groups=most)


def test_two_groups_have_an_error_and_next_to_no_interval():
    half = np.arange(200) % 2
    ridge = DeterministicEquivalentRidge(10.0).fit(X, Y, groups=half)
    left_out = cross_val_predict(Ridge(10.0), X, Y, groups=half, cv=LeaveOneGroupOut())
    assert ridge.test_error_ == pytest.approx(np.mean(np.square(Y - left_out)), rel=1e-8)
    _, low, high = ridge.predict_test_error(return_interval=True)
    assert high > 1.5 * low


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda ridge: ridge.predict_test_error(10, n_groups=2), "n_samples=10 and n_groups=2 say"),
        (lambda ridge: ridge.predict_test_error(n_groups=0.5), "n_groups must be finite and at"),
        (lambda ridge: ridge.optimal_alpha(10, n_groups=2), "pass one"),
    ],
)
def test_wrong_questions_are_named(ask, message):
    with pytest.raises(ValueError, match=message):
        ask(RIDGE)


def test_questions_in_groups_want_groups():
    alone = DeterministicEquivalentRidge().fit(X[::5], Y[::5])
    with pytest.raises(ValueError, match=r"n_groups=3 needs groups: fit\(X, y, groups=...\)"):
        alone.predict_test_error(n_groups=3)
    with pytest.raises(ValueError, match="required_groups needs groups"):
        alone.required_groups(2.0)


def test_populations_take_groups_and_paths_of_groups():
    population = LeaveOneOutPopulation().fit(X, Y, groups=SITE)
    error = population.test_error(200, 10.0, fit_intercept=True)
    assert error == pytest.approx(RIDGE.test_error_, rel=1e-3)  # between points of the table
    with pytest.raises(ValueError, match="GCVPopulation takes every row for a draw of its own"):
        GCVPopulation().fit(X, Y, groups=SITE)
    with pytest.raises(ValueError, match="path was made without"):
        LeaveOneOutPopulation().fit(X, Y, groups=SITE, path=ridge_factorization(X, Y))
