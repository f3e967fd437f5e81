"""Scores in place of errors: what they are, their intervals, and what reaches them."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_diabetes, make_classification
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.multioutput import MultiOutputRegressor

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    TwoStageRegressor,
)
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.linear_model.wrapped_ridges import fitted_ridge
from sk_deepfeat.populations import ExactPopulation
from sk_deepfeat.theory.one_sample.jackknife import jackknife_variance

SCORES = ("r2", "neg_mean_squared_error", "neg_root_mean_squared_error")


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 20))
    Y = X[:, :3] * [1.0, 3.0, 0.3] + rng.normal(size=(300, 3)) * [1.0, 2.0, 1.0]
    return X, Y


@pytest.fixture(scope="module")
def ridge(rows):
    return DeterministicEquivalentRidge(5.0).fit(*rows)


def test_each_output_has_the_score_of_its_error(rows, ridge):
    n, alphas = [100, 300, 400], [[1.0], [30.0]]
    errors = ridge.predict_test_error(n, alphas, multioutput="raw_values")
    variance = rows[1].var(axis=0, ddof=1)
    expected = {
        "r2": 1.0 - errors / variance,
        "neg_mean_squared_error": -errors,
        "neg_root_mean_squared_error": -np.sqrt(errors),
    }
    for scoring in SCORES:
        found = ridge.predict_score(n, alphas, scoring=scoring, multioutput="raw_values")
        np.testing.assert_allclose(found, expected[scoring], rtol=1e-12)
        average = ridge.predict_score(n, alphas, scoring=scoring)
        np.testing.assert_allclose(average, expected[scoring].mean(axis=-1), rtol=1e-12)
    weighted = ridge.predict_score(n, alphas, multioutput="variance_weighted")
    np.testing.assert_allclose(weighted, expected["r2"] @ (variance / variance.sum()), rtol=1e-12)
    weights = [1.0, 2.0, 3.0]
    np.testing.assert_allclose(
        ridge.predict_score(n, alphas, multioutput=weights),
        np.average(expected["r2"], axis=-1, weights=weights),
        rtol=1e-12,
    )


@pytest.mark.parametrize("multioutput", ["uniform_average", "raw_values", "variance_weighted"])
def test_it_is_the_mean_of_the_scores_of_refits(multioutput):
    rng = np.random.default_rng(1)
    coefs = rng.normal(size=(10, 2)) * [0.3, 1.0]

    def draw(n):
        X = rng.normal(size=(n, 10))
        return X, X @ coefs + rng.normal(size=(n, 2))

    X, Y = draw(20_000)
    fitted = DeterministicEquivalentRidge(3.0).fit(X, Y)
    X_test, Y_test = draw(20_000)
    refits = [Ridge(3.0).fit(*draw(120)).predict(X_test) for _ in range(200)]
    scores = [r2_score(Y_test, found, multioutput=multioutput) for found in refits]
    predicted = fitted.predict_score(120, multioutput=multioutput)
    np.testing.assert_allclose(predicted, np.mean(scores, axis=0), atol=0.02)
    if multioutput != "variance_weighted":
        roots = [root_mean_squared_error(Y_test, f, multioutput=multioutput) for f in refits]
        found = fitted.predict_score(
            120, scoring="neg_root_mean_squared_error", multioutput=multioutput
        )
        np.testing.assert_allclose(-found, np.mean(roots, axis=0), rtol=0.02)


def test_units_of_the_targets_do_not_matter_to_r2(rows):
    X, Y = rows
    plain = DeterministicEquivalentRidge(5.0).fit(X, Y)
    moved = DeterministicEquivalentRidge(5.0).fit(X, 1e4 * Y + 1e6)
    for found, expected in zip(
        moved.predict_score([150, 600], return_interval=True),
        plain.predict_score([150, 600], return_interval=True),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("scoring", SCORES)
@pytest.mark.parametrize("multioutput", ["uniform_average", "raw_values"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_intervals_hold_the_score_and_higher_is_better(rows, scoring, multioutput, fit_intercept):
    fitted = DeterministicEquivalentRidge(5.0, fit_intercept=fit_intercept).fit(*rows)
    score, lower, upper = fitted.predict_score(
        [100, 300, 400], scoring=scoring, multioutput=multioutput, return_interval=True
    )
    assert np.all(lower < score) and np.all(score < upper)
    narrow = fitted.predict_score(
        [100, 300, 400], scoring=scoring, multioutput=multioutput, return_interval=True, level=0.5
    )
    assert np.all(lower < narrow[1]) and np.all(narrow[2] < upper)


def test_an_error_and_the_variance_of_the_same_rows_err_together():
    # Heavy tails: rows of large targets have large errors, too, and shares hardly vary.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 5))
    y = rng.standard_t(4, size=500)
    fitted = DeterministicEquivalentRidge(5.0).fit(X, y)
    sizes = [300, 500, 501, 700]  # beyond all rows, too
    _, low, high = fitted.predict_test_error(sizes, return_interval=True)
    _, lower, upper = fitted.predict_score(sizes, return_interval=True)
    assert np.all(upper - lower < 0.75 * np.log(high / low))


def test_they_err_together_where_subsets_measure_the_error():
    # At the training size nothing but the jackknife's part differs, whatever the theory's weight.
    rng = np.random.default_rng(1)
    Z = rng.normal(size=(60, 3))
    X, y = np.c_[Z, Z**2, Z**3, Z**5], rng.standard_t(4, size=60)
    population = DeterministicEquivalentRidge(0.1).fit(X, y).population_
    replicates = population.surface_.replicates
    logs = replicates.log_errors(np.array([60.0]), np.array([0.1]))
    shares = logs - replicates.log_null_errors(60.0, "relative")
    plain, relative = (
        population.answer(60, 0.1, variance=wanted).log_variance for wanted in (True, "relative")
    )
    expected = jackknife_variance(shares) - jackknife_variance(logs)
    np.testing.assert_allclose(relative - plain, expected[0])


def test_intervals_of_r2_hold_the_score_of_refits_as_often_as_they_say():
    rng = np.random.default_rng(2)
    hits = []
    for _ in range(60):
        X = rng.normal(size=(200, 8))
        y = X[:, 0] + rng.standard_t(5, size=200)
        fitted = DeterministicEquivalentRidge(1.0).fit(X, y)
        _, lower, upper = fitted.predict_score(100, return_interval=True)
        hits.append(lower <= _truth(100) <= upper)
    assert np.mean(hits) >= 0.8


def _truth(n):
    """R² of unit noise of Student's t, 5/3, of 8 normal features: plain least squares, nearly."""
    noise = 5.0 / 3.0
    return 1.0 - noise * (1.0 + 1.0 / n) * (1.0 + 8.0 / (n - 10.0)) / (1.0 + noise)


def test_a_population_on_paper_knows_its_own_variance():
    exact = ExactPopulation(np.eye(3), [1.0, 0.0, 0.0], 3.0, target_mean=1.0)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    fitted = DeterministicEquivalentRidge(1.0, population=exact).fit(X, 100.0 * X[:, 0])
    error = fitted.predict_test_error(1000)
    assert fitted.predict_score(1000) == pytest.approx(1.0 - error / 2.0, rel=1e-12)


def test_of_a_population_without_a_variance_that_of_the_rows_is_taken():
    class Flat(BaseEstimator):
        """Always the same error."""

        def fit(self, X, y, sample_weight=None, *, fit_intercept=True, path=None):
            return self

        def test_error(self, n_samples, alpha, *, fit_intercept):
            return np.full(np.broadcast_shapes(np.shape(n_samples), np.shape(alpha)), 0.5)

        def kappa(self, n_samples, alpha, *, fit_intercept):
            return self.test_error(n_samples, alpha, fit_intercept=fit_intercept)

    X, y = load_diabetes(return_X_y=True)
    fitted = DeterministicEquivalentRidge(1.0, population=Flat()).fit(X, y)
    assert fitted.predict_score(50) == pytest.approx(1.0 - 0.5 / y.var(ddof=1))
    root = fitted.predict_score(50, scoring="neg_root_mean_squared_error")
    assert root == pytest.approx(-np.sqrt(0.5))
    with pytest.raises(ValueError, match="does not implement interval"):
        fitted.predict_score(50, return_interval=True)


def test_the_best_alpha_is_the_best_by_the_score(rows, ridge):
    sizes = np.array([60, 300])
    for scoring in SCORES:
        best = ridge.predict_score(sizes, "optimal", scoring=scoring)
        grid = np.geomspace(1e-2, 1e4, 100)[:, None]
        tried = ridge.predict_score(sizes, grid, scoring=scoring).max(axis=0)
        assert np.all(best >= tried - 1e-9 * np.abs(tried))


@pytest.mark.parametrize("scoring", SCORES)
@pytest.mark.parametrize("alpha", [5.0, "optimal"])
def test_required_samples_reach_a_score_and_one_fewer_does_not(ridge, scoring, alpha):
    target = float(ridge.predict_score(150, alpha, scoring=scoring))
    needed = ridge.required_samples(target_score=target, alpha=alpha, scoring=scoring)
    assert needed == pytest.approx(150, abs=1)
    reached = ridge.predict_score([needed, needed - 2], alpha, scoring=scoring)
    assert reached[0] >= target - 1e-9 and reached[1] < target


def test_a_score_beyond_reach_is_named_as_a_score(ridge):
    with pytest.warns(PopulationWarning, match=r"target_score=0\.99 is not reached.*highest"):
        assert np.isnan(ridge.required_samples(target_score=0.99))
    exact = ExactPopulation(np.eye(2), [1.0, 0.0], 2.0)
    fitted = DeterministicEquivalentRidge(1.0, population=exact).fit(np.eye(2), [0.0, 1.0])
    with pytest.warns(PopulationWarning, match=r"target_score=0\.6 is not below the ceiling 0\.5"):
        assert np.isinf(fitted.required_samples(target_score=0.6))
    assert fitted.required_samples(target_score=0.4) < 20


def test_groups_have_the_variance_of_rows_of_new_groups():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 10)
    X = rng.normal(size=(120, 3))
    y = X[:, 0] + 2.0 * rng.normal(size=12)[groups]
    fitted = DeterministicEquivalentRidge(1.0).fit(X, y, groups=groups)
    apart = groups[:, None] != groups[None]
    variance = (np.square(y[:, None] - y[None])[apart] / 2).mean()
    error = fitted.predict_test_error(n_groups=8)
    assert fitted.predict_score(n_groups=8) == pytest.approx(1.0 - error / variance)
    target = float(fitted.predict_score(n_groups=8))
    assert fitted.required_groups(target_score=target, alpha=1.0) == pytest.approx(8, abs=1)


def test_r2_of_a_target_that_does_not_vary_is_not_known(rows):
    X, Y = rows
    Y = np.column_stack([Y[:, 0], np.full(300, 1000.0 / 3.0)])
    fitted = DeterministicEquivalentRidge(1.0).fit(X, Y)
    with pytest.warns(PopulationWarning, match="target 1, which does not vary"):
        found = fitted.predict_score(multioutput="raw_values")
    assert np.isfinite(found[0]) and np.isnan(found[1])
    assert np.isfinite(fitted.predict_score(multioutput="variance_weighted"))


def test_two_stages_answer_as_their_readout(rows):
    X, Y = rows
    model = TwoStageRegressor(
        LeaveTheColumns(), DeterministicEquivalentRidge(1.0), random_state=0
    ).fit(X, Y[:, 0])
    assert model.predict_score(500) == model.readout_.predict_score(500)
    assert model.required_samples(target_score=0.3) == model.readout_.required_samples(
        target_score=0.3
    )


class LeaveTheColumns(BaseEstimator):
    """A feature map that is none."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X


def test_other_units_multiply_errors_and_leave_r2(ridge):
    scale = np.array([2.0, 0.5, 10.0])
    other = ridge.error_predictor_.rescaled(scale).rescaled([1.0, 1.0, 0.1])
    factor = np.square(scale * [1.0, 1.0, 0.1])
    cells = [100, 300, 500], 3.0
    raw = {"multioutput": "raw_values"}
    np.testing.assert_allclose(
        other.test_error(*cells, **raw), factor * ridge.predict_test_error(*cells, **raw)
    )
    np.testing.assert_allclose(other.score(*cells, **raw), ridge.predict_score(*cells, **raw))
    np.testing.assert_allclose(
        other.train_error(*cells, **raw), factor * ridge.predict_train_error(*cells, **raw)
    )
    for found, expected in zip(
        other.test_error(*cells, **raw, return_interval=True),
        ridge.predict_test_error(*cells, **raw, return_interval=True),
        strict=True,
    ):
        np.testing.assert_allclose(found, factor * expected)
    best = other.optimal_alpha(300)
    grid = np.geomspace(best / 10, best * 10, 40)
    assert other.test_error(300, best) <= other.test_error(300, grid).min() * (1 + 1e-9)


def test_classifiers_have_accuracies():
    X, y = make_classification(400, 10, random_state=0)
    model = DeterministicEquivalentRidgeClassifier(1.0).fit(X, y)
    rate, low, high = model.predict_test_error(200, return_interval=True)
    assert model.predict_score(200, return_interval=True) == (1 - rate, 1 - high, 1 - low)
    balanced = model.predict_test_error(200, metric="balanced_error")
    assert model.predict_score(200, scoring="balanced_accuracy") == 1 - balanced
    loss = model.predict_test_error(200, metric="log_loss", temperature=0.3)
    assert model.predict_score(200, scoring="neg_log_loss", temperature=0.3) == -loss
    target = 1.0 - model.predict_test_error(150)
    assert model.required_samples(target_score=target) == model.required_samples(1.0 - target)
    with pytest.raises(ValueError, match="scoring='r2' must be one of 'accuracy'"):
        model.predict_score(200, scoring="r2")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scoring": "R2"}, r"scoring='R2' must be one of .* Did you mean 'r2'"),
        ({"scoring": "neg_mean_absolute_error"}, "no other follows"),
        ({"scoring": None}, "scoring=None must be one of"),
        (
            {"scoring": "neg_mean_squared_error", "multioutput": "variance_weighted"},
            "is for scoring='r2'",
        ),
        ({"multioutput": "mean"}, "multioutput='mean' must be"),
    ],
)
def test_what_no_score_is_is_refused(ridge, options, message):
    with pytest.raises(ValueError, match=message):
        ridge.predict_score(100, **options)


@pytest.mark.parametrize(
    "targets",
    [
        {},
        {"target_error": 1.0, "target_score": 0.5},
        {"target_score": "0.5"},
        {"target_score": np.nan},
        {"target_score": True},
    ],
)
def test_one_finite_target_is_needed(ridge, targets):
    with pytest.raises(ValueError, match=r"target_(error|score)="):
        ridge.required_samples(**targets)


def uneven_rows(seed, n=100):
    """One target of heavy tails that is nearly known, one of noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    X[:, 0] = rng.standard_t(5, size=n)
    return X, np.c_[3.0 * X[:, 0] + 0.01 * rng.normal(size=n), 0.8 * rng.normal(size=n)]


def one_signal(seed, n=100, n_outputs=30):
    """Many targets of one signal, each with noise of its own."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, X[:, :1] + 0.7 * rng.normal(size=(n, n_outputs))


@pytest.mark.parametrize(
    ("draw", "multioutput", "fit_intercept", "wrapped"),
    [
        (uneven_rows, "variance_weighted", True, False),
        (uneven_rows, "variance_weighted", False, False),
        (uneven_rows, "variance_weighted", True, True),
        (one_signal, "uniform_average", True, False),
        (one_signal, "uniform_average", False, False),
    ],
)
def test_intervals_of_averages_know_what_variances_have_in_common(
    draw, multioutput, fit_intercept, wrapped
):
    # Means over outputs are as uncertain as the variances that they are shares of.
    found = []
    for seed in range(15):
        fitted = DeterministicEquivalentRidge(0.1, fit_intercept=fit_intercept)
        if wrapped:
            fitted = fitted_ridge(MultiOutputRegressor(fitted).fit(*draw(seed)))
        else:
            fitted.fit(*draw(seed))
        found.append(fitted.predict_score(return_interval=True, multioutput=multioutput))
    score, lower, upper = np.transpose(found)
    scatter = 1.64 * np.log(1.0 - score).std()
    reach = np.log((1.0 - lower) / (1.0 - upper)).mean() / 2
    assert 0.8 * scatter < reach < (3.0 if wrapped else 2.0) * scatter


def test_variance_weighted_shares_are_those_of_all_in_any_units():
    X, Y = uneven_rows(0)
    scale = np.array([5.0, 0.01])
    rescaled = DeterministicEquivalentRidge(1.0).fit(X, Y / scale).error_predictor_.rescaled(scale)
    plain = DeterministicEquivalentRidge(1.0).fit(X, Y)
    options = {"multioutput": "variance_weighted", "return_interval": True}
    np.testing.assert_allclose(rescaled.score(**options), plain.predict_score(**options))


def test_one_ridge_for_each_output_weighs_variances_as_one_for_all_does():
    X, Y = uneven_rows(0)
    Y = np.c_[Y, np.full(100, 3.0)]  # of which no share is known, but of all
    plain = DeterministicEquivalentRidge(1.0)
    each = fitted_ridge(MultiOutputRegressor(plain).fit(X, Y))
    found = each.predict_score([50, 100], multioutput="variance_weighted")
    expected = plain.fit(X, Y).predict_score([50, 100], multioutput="variance_weighted")
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_what_r2_score_is_on_few_test_rows():
    rng = np.random.default_rng(0)
    signal, noise = rng.normal(size=(2, 40, 20_000))
    for size in (0.5, 1.0, 2.0):
        expected = 1.0 - size**2 / (1.0 + size**2)
        found = r2_score(signal + size * noise, signal, multioutput="raw_values").mean()
        lower = (1.0 - expected) * (1.0 + 2.0 * expected) / 40
        assert expected - found == pytest.approx(lower, rel=0.25)


@pytest.mark.parametrize("multioutput", ["raw_values", [0.0, 1.0, 0.0]])
def test_intervals_of_roots_are_roots_of_intervals(ridge, multioutput):
    options = {"multioutput": multioutput, "return_interval": True}
    errors = ridge.predict_test_error([100, 300, 400], **options)
    name = "neg_root_mean_squared_error"
    score, lower, upper = ridge.predict_score([100, 300, 400], scoring=name, **options)
    np.testing.assert_allclose(np.square([score, upper, lower]), errors)
