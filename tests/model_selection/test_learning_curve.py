import warnings

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_diabetes
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.metrics import mean_squared_error
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    RandomDeepFeatures,
    TwoStageRegressor,
    progress,
)
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection import (
    RidgeLearningCurve,
    measuring,
    refits,
    ridge_learning_curve,
)
from sk_deepfeat.populations import ExactPopulation, LeaveOneOutPopulation
from sk_deepfeat.theory import ridge_factorization

X, Y = load_diabetes(return_X_y=True)
X = X * 20
Y = (Y - Y.mean()) / Y.std()
ASKED = {"train_sizes": [40, 150], "alphas": [0.0, 1.0, 30.0], "n_repeats": 3, "random_state": 0}


def refit(estimator, train, test, alpha, y=Y):
    """Independent slow measurement with scikit-learn alone."""
    fitted = estimator.set_params(alpha=alpha).fit(X[train], y[train])
    return mean_squared_error(y[test], fitted.predict(X[test]))


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("y", [Y, np.c_[Y, X[:, 0], Y**2]])
def test_measured_equals_explicit_refits(y, fit_intercept):
    ridge = Ridge(fit_intercept=fit_intercept, solver="svd")
    curve = ridge_learning_curve(ridge, X, y, **ASKED)
    assert curve.measured.shape == (2, 3, 3) and curve.predicted.shape == (2, 3)
    for s, size in enumerate(curve.train_sizes):
        for r, (train, test) in enumerate(curve.splits[s]):
            assert train.size == size
            np.testing.assert_array_equal(np.sort(np.r_[train, test]), np.arange(len(Y)))
            for a, alpha in enumerate(curve.alphas):
                expected = refit(ridge, train, test, alpha, y)
                assert curve.measured[s, a, r] == pytest.approx(expected, rel=1e-9)


def test_predicted_is_the_populations():
    curve = ridge_learning_curve(DeterministicEquivalentRidge(), X, Y, **ASKED)
    population = LeaveOneOutPopulation().fit(X, Y)
    expected = population.test_error([[40], [150]], ASKED["alphas"], fit_intercept=True)
    np.testing.assert_allclose(curve.predicted, expected, rtol=1e-10)
    assert np.median(np.abs(curve.relative_error)) < 0.1


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_weights_are_those_of_the_fit(fit_intercept):
    """Measured as by explicit refits, predicted as by a fitted ridge: weighted means."""
    weight = np.random.default_rng(0).uniform(0.1, 5.0, len(Y))
    ridge = DeterministicEquivalentRidge(fit_intercept=fit_intercept)
    curve = ridge_learning_curve(ridge, X, Y, sample_weight=weight, **ASKED)
    for s, r in ((0, 0), (1, 2)):
        train, test = curve.splits[s][r]
        for a, alpha in enumerate(curve.alphas[1:], 1):
            plain = Ridge(alpha, fit_intercept=fit_intercept, solver="svd")
            plain.fit(X[train], Y[train], weight[train])
            expected = mean_squared_error(
                Y[test], plain.predict(X[test]), sample_weight=weight[test]
            )
            assert curve.measured[s, a, r] == pytest.approx(expected, rel=1e-9)
    fitted = ridge.fit(X, Y, weight)
    expected = fitted.predict_test_error([[40], [150]], ASKED["alphas"])
    np.testing.assert_allclose(curve.predicted, expected, rtol=1e-9)
    assert np.median(np.abs(curve.relative_error)) < 0.1


def test_equal_weights_are_none_at_another_alpha():
    weights, alphas = np.full(len(Y), 4.0), 4.0 * np.array(ASKED["alphas"])
    plain = ridge_learning_curve(Ridge(), X, Y, **ASKED)
    weighted = ridge_learning_curve(
        Ridge(), X, Y, sample_weight=weights, **{**ASKED, "alphas": alphas}
    )
    np.testing.assert_allclose(weighted.measured, plain.measured, rtol=1e-9)
    np.testing.assert_allclose(weighted.predicted, plain.predicted, rtol=1e-9)


def test_weights_follow_the_rows_of_pipelines_and_two_stages():
    """Rows that count for nearly nothing, of targets that are far off, change nothing."""
    wrong = np.random.default_rng(0).random(len(Y)) < 0.3
    rows = np.r_[X, X[wrong]], np.r_[Y, 50.0 + 0.0 * Y[wrong]]
    weight = np.r_[np.ones(len(Y)), np.full(wrong.sum(), 1e-12)]
    stages = TwoStageRegressor(RandomDeepFeatures((30,), random_state=0), Ridge(), random_state=0)
    for estimator in (pipeline(), stages):
        curve = ridge_learning_curve(estimator, *rows, sample_weight=weight, **ASKED)
        for s, r in ((0, 0), (1, 1)):
            train, test = curve.splits[s][r]
            assert np.any(train >= len(Y)) and np.any(test >= len(Y))
        # A model, or a mean, that followed the others would err by about 50².
        assert np.max(curve.measured[:, 1:]) < 5.0
        assert np.max(curve.predicted[:, 1:]) < 5.0


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(3), r"one positive number for each of the 442 rows; got shape \(3,\)"),
        (np.zeros(442), "the least 0. Leave out rows of weight zero"),
        (np.full(442, np.nan), "sample_weight contains NaN"),
    ],
)
def test_bad_weights(weight, message):
    with pytest.raises(ValueError, match=message):
        ridge_learning_curve(Ridge(), X, Y, sample_weight=weight, **ASKED)


def test_population_of_the_estimator_and_by_argument():
    exact = ExactPopulation(np.eye(10), np.zeros(10), 1.0)
    own = ridge_learning_curve(DeterministicEquivalentRidge(population=exact), X, Y, **ASKED)
    given = ridge_learning_curve(Ridge(), X, Y, population=exact, **ASKED)
    np.testing.assert_array_equal(own.predicted, given.predicted)
    assert np.all(own.predicted > 1.0)


def pipeline():
    return Pipeline(
        [("scale", StandardScaler()), ("feat", RandomDeepFeatures((30,))), ("ridge", Ridge())]
    )


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_numbers_do_not_depend_on_the_workers(backend):
    alone = ridge_learning_curve(pipeline(), X, Y, n_jobs=1, **ASKED)
    with joblib.parallel_config(backend=backend):
        many = ridge_learning_curve(pipeline(), X, Y, n_jobs=2, **ASKED)
    np.testing.assert_array_equal(alone.measured, many.measured)
    np.testing.assert_array_equal(alone.predicted, many.predicted)


def test_one_thread_in_every_task(monkeypatch):
    """The last bits of linear algebra depend on the number of threads."""
    seen = []

    def factorization(*args, **kwargs):
        seen.extend(pool["num_threads"] for pool in threadpool_info())
        return ridge_factorization(*args, **kwargs)

    monkeypatch.setattr(refits, "ridge_factorization", factorization)
    ridge_learning_curve(Ridge(), X, Y, **ASKED)
    # by itself, as a worker process runs it
    rows = np.arange(100)
    refits.measure_subset(None, X, Y, rows[:50], rows[50:], np.ones(1), True)
    assert seen and set(seen) == {1}


def test_backend_without_generators():
    with joblib.parallel_config(backend="multiprocessing"):
        many = ridge_learning_curve(Ridge(), X, Y, n_jobs=2, **ASKED)
    alone = ridge_learning_curve(Ridge(), X, Y, **ASKED)
    np.testing.assert_array_equal(alone.measured, many.measured)


class RowsSeen(TransformerMixin, BaseEstimator):
    """A supervised step that remembers how many rows it was fitted on."""

    def fit(self, X, y):
        self.n_rows_ = len(X)
        assert len(X) == len(y)
        return self

    def transform(self, X):
        return np.c_[X, np.full(len(X), float(self.n_rows_))]


def test_pipeline_is_refitted_on_every_subset():
    estimator = Pipeline([("rows", RowsSeen()), ("ridge", Ridge(fit_intercept=False))])
    curve = ridge_learning_curve(estimator, X, Y, **ASKED)
    train, test = curve.splits[0][0]
    rows = np.c_[X, np.full(len(Y), 40.0)]
    ridge = Ridge(alpha=1.0, fit_intercept=False).fit(rows[train], Y[train])
    expected = mean_squared_error(Y[test], ridge.predict(rows[test]))
    assert curve.measured[0, 1, 0] == pytest.approx(expected)


def test_frozen_steps_are_not_refitted():
    frozen = FrozenEstimator(RowsSeen().fit(X[:7], Y[:7]))
    estimator = Pipeline([("rows", frozen), ("ridge", Ridge(fit_intercept=False))])
    curve = ridge_learning_curve(estimator, X, Y, **ASKED)
    direct = ridge_learning_curve(
        Ridge(fit_intercept=False), np.c_[X, np.full(len(Y), 7.0)], Y, **ASKED
    )
    np.testing.assert_allclose(curve.measured, direct.measured)
    np.testing.assert_allclose(curve.predicted, direct.predicted)


def test_two_stage_regressor_measures_on_rows_its_map_has_not_seen():
    estimator = TwoStageRegressor(RowsSeen(), Ridge(), feature_size=0.25, random_state=3)
    curve = ridge_learning_curve(estimator, X, Y, **ASKED)
    fitted = estimator.fit(X, Y)
    seen = set(fitted.feature_indices_.tolist())
    for repeats in curve.splits:
        for train, test in repeats:
            assert not seen & set(train.tolist()) and not seen & set(test.tolist())
            assert train.size + test.size == fitted.readout_indices_.size
    train, test = curve.splits[1][2]
    features = fitted.feature_map_.transform(X)
    expected = refit_features(features, train, test, 30.0)
    assert curve.measured[1, 2, 2] == pytest.approx(expected)
    rows = fitted.readout_indices_
    population = LeaveOneOutPopulation().fit(features[rows], Y[rows])
    expected = population.test_error([[40], [150]], ASKED["alphas"], fit_intercept=True)
    np.testing.assert_allclose(curve.predicted, expected)


def refit_features(features, train, test, alpha):
    ridge = Ridge(alpha=alpha).fit(features[train], Y[train])
    return mean_squared_error(Y[test], ridge.predict(features[test]))


def test_train_sizes_as_shares():
    asked = {**ASKED, "train_sizes": [0.1, 1.0]}
    curve = ridge_learning_curve(Ridge(), X, Y, test_size=0.2, **asked)
    largest = len(Y) - int(np.ceil(0.2 * len(Y)))
    np.testing.assert_array_equal(curve.train_sizes, [largest // 10, largest])


def test_interrupted_run_keeps_what_it_has(monkeypatch):
    done = []

    def interrupted(*args):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(args)
        return np.ones(3)

    monkeypatch.setattr(measuring, "measure_subset", interrupted)
    with pytest.warns(RuntimeWarning, match="Interrupted after 2 of 6 refits"):
        curve = ridge_learning_curve(Ridge(), X, Y, **ASKED)
    assert np.isfinite(curve.measured[1, :, :2]).all()  # the largest size goes first
    assert np.isnan(curve.measured[0]).all() and np.isnan(curve.measured_mean[0]).all()
    np.testing.assert_array_equal(curve.measured_mean[1], 1.0)


def test_progress_bar(capsys, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    ridge_learning_curve(Ridge(), X, Y, verbose=1, **ASKED)
    assert "6/6" in capsys.readouterr().err


def test_frame():
    pytest.importorskip("pandas", reason="to_frame needs pandas")
    curve = ridge_learning_curve(Ridge(), X, Y, **ASKED)
    frame = curve.to_frame()
    assert list(frame.columns) == [
        "n_samples",
        "alpha",
        "predicted",
        "measured",
        "measured_se",
        "relative_error",
    ]
    row = frame[(frame.n_samples == 150) & (frame.alpha == 30.0)].iloc[0]
    assert row.measured == pytest.approx(curve.measured[1, 2].mean())
    assert row.measured_se == pytest.approx(curve.measured[1, 2].std(ddof=1) / np.sqrt(3))
    assert row.relative_error == pytest.approx(row.predicted / row.measured - 1)


def test_one_repeat_has_no_standard_error():
    one = RidgeLearningCurve(np.array([5]), np.array([1.0]), np.array([[1.0]]), np.array([[[2.0]]]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(one.measured_se).all() and one.measured_mean == 2.0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"alphas": [-1.0]}, "alphas=.* must be finite and not negative"),
        ({"alphas": []}, "alphas=.* non-empty"),
        ({"n_repeats": 0}, "n_repeats=0"),
        ({"train_sizes": [0]}, "train_sizes"),
        ({"train_sizes": [400]}, "between 1 and 397"),
        ({"train_sizes": [10, 10]}, "holds a size twice"),
        ({"train_sizes": [1.5, 20]}, "must be integers, or shares"),
        ({"test_size": 1.5}, "test_size=1.5"),
        ({"test_size": 500}, "test_size=500"),
        ({"population": "bayes"}, "'bayes' is not a known name"),
    ],
)
def test_bad_arguments(changed, message):
    with pytest.raises(ValueError, match=message):
        ridge_learning_curve(Ridge(), X, Y, **{**ASKED, **changed})


@pytest.mark.parametrize("estimator", [LogisticRegression(), Lasso(), "ridge"])
def test_only_ridge(estimator):
    with pytest.raises(TypeError, match="must be a ridge"):
        ridge_learning_curve(estimator, X, Y, **ASKED)


def test_positive_ridge_is_refused():
    with pytest.raises(ValueError, match="positive=True"):
        ridge_learning_curve(Ridge(positive=True), X, Y, **ASKED)


def test_bad_rows():
    with pytest.raises(ValueError, match="NaN"):
        ridge_learning_curve(Ridge(), X, np.where(Y > 1, np.nan, Y), **ASKED)
    with pytest.raises(ValueError, match="inconsistent"):
        ridge_learning_curve(Ridge(), X, Y[:-1], **ASKED)


GROUPS = np.array([f"site {code}" for code in np.random.default_rng(1).integers(60, size=len(Y))])
BY_GROUPS = {**ASKED, "train_sizes": [5, 30], "groups": GROUPS}


class RowsAndGroups(BaseEstimator):
    """A population whose error is the number of rows, and which keeps the groups it was given."""

    fitted_with = None

    def fit(self, X, y, sample_weight=None, *, groups=None, fit_intercept=True, path=None):
        type(self).fitted_with = np.asarray(X), groups
        self.n_features_in_ = X.shape[1]
        return self

    def test_error(self, n_samples, alpha, *, fit_intercept):
        return np.broadcast_arrays(np.asarray(n_samples, dtype=float), alpha)[0]

    kappa = test_error


def test_subsets_are_subsets_of_groups():
    curve = ridge_learning_curve(Ridge(), X, Y, population=RowsAndGroups(), **BY_GROUPS)
    np.testing.assert_array_equal(curve.n_groups, [5, 30])
    for s, size in enumerate(curve.n_groups):
        for r, (train, test) in enumerate(curve.splits[s]):
            np.testing.assert_array_equal(np.sort(np.r_[train, test]), np.arange(len(Y)))
            assert len(set(GROUPS[train])) == size
            assert not set(GROUPS[train]) & set(GROUPS[test])
            expected = refit(Ridge(solver="svd"), train, test, 30.0)
            assert curve.measured[s, 2, r] == pytest.approx(expected, rel=1e-9)


def test_sizes_and_prediction_are_at_the_mean_rows_of_so_many_groups():
    curve = ridge_learning_curve(Ridge(), X, Y, population=RowsAndGroups(), **BY_GROUPS)
    mean = len(Y) / len(set(GROUPS))
    np.testing.assert_allclose(curve.train_sizes, [5 * mean, 30 * mean])
    np.testing.assert_allclose(curve.predicted, np.tile(curve.train_sizes[:, None], 3))
    rows, groups = RowsAndGroups.fitted_with
    np.testing.assert_array_equal(rows, X)
    assert all(len(set(groups[GROUPS == name])) == 1 for name in set(GROUPS))
    assert len(set(groups)) == len(set(GROUPS))


def test_even_groups_have_whole_sizes():
    even = {**BY_GROUPS, "groups": np.arange(len(Y)) // 2}
    curve = ridge_learning_curve(Ridge(), X, Y, population=RowsAndGroups(), **even)
    assert curve.train_sizes.dtype.kind == "i" and curve.train_sizes.tolist() == [10, 60]


def test_groups_of_one_row_are_rows():
    """The same subsets and measured errors, and the same numbers of samples."""
    single = {**ASKED, "groups": np.arange(len(Y)), "population": RowsAndGroups()}
    curve = ridge_learning_curve(Ridge(), X, Y, **single)
    rows = ridge_learning_curve(Ridge(), X, Y, **ASKED)
    np.testing.assert_array_equal(curve.measured, rows.measured)
    np.testing.assert_array_equal(curve.train_sizes, rows.train_sizes)
    assert rows.n_groups is None


def test_shares_are_of_the_largest_number_of_groups():
    asked = {**BY_GROUPS, "train_sizes": [0.1, 1.0], "test_size": 0.2}
    curve = ridge_learning_curve(Ridge(), X, Y, population=RowsAndGroups(), **asked)
    largest = 60 - 12
    np.testing.assert_array_equal(curve.n_groups, [largest // 10, largest])


def test_a_pipeline_predicts_from_groups_that_its_features_have_not_seen():
    estimator = Pipeline([("rows", RowsSeen()), ("ridge", Ridge(fit_intercept=False))])
    curve = ridge_learning_curve(estimator, X, Y, population=RowsAndGroups(), **BY_GROUPS)
    rows, groups = RowsAndGroups.fitted_with
    n_seen = len(Y) - len(rows)  # what the features were fitted on
    assert set(rows[:, -1]) == {n_seen}
    assert abs(len(rows) - len(Y) / 2) <= 10
    own = [next(i for i in range(len(Y)) if np.array_equal(X[i], row[:-1])) for row in rows]
    assert len(set(groups)) == len(set(GROUPS[own]))
    assert not set(GROUPS[own]) & set(GROUPS[np.setdiff1d(np.arange(len(Y)), own)])
    train, test = curve.splits[1][0]
    features = np.c_[X, np.full(len(Y), float(train.size))]
    ridge = Ridge(alpha=1.0, fit_intercept=False).fit(features[train], Y[train])
    expected = mean_squared_error(Y[test], ridge.predict(features[test]))
    assert curve.measured[1, 1, 0] == pytest.approx(expected)


def test_two_stages_measure_on_groups_that_the_map_has_not_seen():
    estimator = TwoStageRegressor(RowsSeen(), Ridge(), feature_size=0.25, random_state=3)
    asked = {**BY_GROUPS, "train_sizes": [5, 20]}
    curve = ridge_learning_curve(estimator, X, Y, population=RowsAndGroups(), **asked)
    fitted = estimator.fit(X, Y, groups=GROUPS)
    seen = set(GROUPS[fitted.feature_indices_])
    for s, repeats in enumerate(curve.splits):
        for train, test in repeats:
            assert not seen & (set(GROUPS[train]) | set(GROUPS[test]))
            assert len(set(GROUPS[train])) == curve.n_groups[s]
            np.testing.assert_array_equal(np.sort(np.r_[train, test]), fitted.readout_indices_)
    left = len(set(GROUPS)) - len(seen)
    mean = fitted.readout_indices_.size / left
    np.testing.assert_allclose(curve.train_sizes, curve.n_groups * mean)
    assert len(set(RowsAndGroups.fitted_with[1])) == left


def test_groups_in_the_frame():
    pytest.importorskip("pandas", reason="to_frame needs pandas")
    curve = ridge_learning_curve(Ridge(), X, Y, population=RowsAndGroups(), **BY_GROUPS)
    frame = curve.to_frame()
    assert frame.n_groups.tolist() == [5] * 3 + [30] * 3
    np.testing.assert_allclose(frame.n_samples[3:], curve.train_sizes[1])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train_sizes": [55]}, "between 1 and 54: of 60 groups at least 6 stay outside"),
        ({"test_size": 60}, "test_size=60 .* a number of groups between 1 and 59"),
        ({"groups": GROUPS[:-1]}, f"groups has {len(Y) - 1} labels for {len(Y)} rows"),
        ({"groups": np.zeros(len(Y))}, "groups has one group"),
        ({"groups": "blocks"}, r'groups="blocks" is for .*block_groups\(n_rows, block_length\)'),
    ],
)
def test_bad_groups(changed, message):
    with pytest.raises(ValueError, match=message):
        ridge_learning_curve(Ridge(), X, Y, population=RowsAndGroups(), **{**BY_GROUPS, **changed})


def test_a_pipeline_of_two_groups_cannot_be_predicted():
    two = {**BY_GROUPS, "groups": np.arange(len(Y)) % 2, "train_sizes": [1]}
    with pytest.raises(ValueError, match=r"groups has 2 groups; .* at least three are needed"):
        ridge_learning_curve(pipeline(), X, Y, **two)


def test_measured_errors_of_new_groups_are_the_predicted_ones():
    """And row-wise predictions of the same rows are far too low."""
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(120), 5)
    rows = rng.normal(size=(600, 30)) + 1.5 * rng.normal(size=(120, 30))[codes]
    target = rows[:, 0] + rng.normal(size=120)[codes] + 0.3 * rng.normal(size=600)
    asked = {**ASKED, "train_sizes": [20, 60, 100], "alphas": [1.0, 100.0], "n_repeats": 8}
    ridge = DeterministicEquivalentRidge()
    curve = ridge_learning_curve(ridge, rows, target, **asked, groups=codes)
    assert np.median(np.abs(curve.relative_error)) < 0.05
    assert np.abs(curve.relative_error).max() < 0.15
    with pytest.warns(PopulationWarning, match="Pass groups="):
        row_wise = LeaveOneOutPopulation().fit(rows, target)
    cells = curve.train_sizes[:, None], curve.alphas
    predicted = row_wise.test_error(*cells, fit_intercept=True)
    assert np.median(predicted / curve.measured_mean) < 0.9


@pytest.mark.parametrize("population", ["gcv", "plug-in"])
def test_populations_that_cannot_use_groups(population):
    with pytest.raises(ValueError, match=r"groups; population='leave-one-out' does"):
        ridge_learning_curve(Ridge(), X, Y, population=population, **BY_GROUPS)
