import pickle

import numpy as np
import pytest
from array_places import skip_without_cuda
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    parametrize_with_checks,
)

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import (
    ExactPopulation,
    GCVPopulation,
    LeaveOneOutPopulation,
    PlugInPopulation,
)

RNG = np.random.default_rng(0)
P = 30
X = RNG.normal(size=(400, P)) * np.arange(1, P + 1) ** -0.5
BETA = RNG.normal(size=P)
Y = X @ BETA + RNG.normal(size=400)
Y2 = np.column_stack([Y, X[:, 0] + RNG.normal(size=400)])
OMEGA = np.diag(1.0 / np.arange(1, P + 1))
EXACT = ExactPopulation(OMEGA, OMEGA @ BETA, BETA @ OMEGA @ BETA + 1.0)


@parametrize_with_checks(
    [
        DeterministicEquivalentRidge(),
        DeterministicEquivalentRidge(alpha="optimal", fit_intercept=False),
        DeterministicEquivalentRidge(reservoir_size=12),
    ],
)
@pytest.mark.filterwarnings("ignore:.*tell nothing about the target")  # some checks fit noise
@pytest.mark.filterwarnings("ignore:.*rows are exact copies of others")  # or repeat rows
@pytest.mark.filterwarnings("ignore:y holds integers that look like classes")  # or regress iris
def test_sklearn_checks(estimator, check):
    skip_without_cuda(check)
    check(estimator)


@pytest.mark.parametrize("kind", [int, bool, object, "Int64"])
def test_classes_given_as_integers_are_regressed_with_a_warning(kind):
    pandas = pytest.importorskip("pandas")
    classes = pandas.Series((Y > 0).astype(int)).astype(kind)
    with pytest.warns(PopulationWarning) as caught:
        warned = DeterministicEquivalentRidge().fit(X, classes)
    assert len(caught) == 1 and caught[0].filename == __file__
    for told in ("2 distinct values", "DeterministicEquivalentRidgeClassifier", "y.astype(float)"):
        assert told in str(caught[0].message)
    silent = DeterministicEquivalentRidge().fit(X, classes.astype(float))
    np.testing.assert_array_equal(warned.coef_, silent.coef_)


def test_rows_of_weight_zero_are_not_counted_among_classes():
    weights = np.r_[np.ones(99), np.zeros(301)]
    DeterministicEquivalentRidge().fit(X, (Y > 0).astype(int), weights)


def test_column_names():
    check_dataframe_column_names_consistency(
        "DeterministicEquivalentRidge", DeterministicEquivalentRidge()
    )


@pytest.mark.parametrize("y", [Y, Y2])
@pytest.mark.parametrize("rows", [20, 30, 400])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("alpha", [1e-6, 1.0, 1e4])
def test_is_ridge(y, rows, fit_intercept, weighted, alpha):
    weights = RNG.uniform(0.1, 5.0, size=rows) if weighted else None
    kwargs = {"alpha": alpha, "fit_intercept": fit_intercept}
    ours = DeterministicEquivalentRidge(**kwargs).fit(X[:rows], y[:rows], weights)
    theirs = Ridge(solver="svd", **kwargs).fit(X[:rows], y[:rows], weights)
    assert ours.coef_.shape == theirs.coef_.shape
    assert np.linalg.norm(ours.coef_ - theirs.coef_) <= 1e-8 * np.linalg.norm(theirs.coef_)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-9)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-8)
    assert ours.train_error_ == pytest.approx(
        mean_squared_error(y[:rows], theirs.predict(X[:rows]), sample_weight=weights), abs=1e-9
    )


def test_alpha_zero_is_the_minimum_norm_solution():
    wide = np.c_[X[:50], X[:50] ** 2]
    ridge = DeterministicEquivalentRidge(alpha=0).fit(wide, Y[:50])
    expected = np.linalg.lstsq(wide - wide.mean(axis=0), Y[:50] - Y[:50].mean(), rcond=None)[0]
    np.testing.assert_allclose(ridge.coef_, expected, atol=1e-9)
    assert ridge.train_error_ < 1e-20


def test_prediction_agrees_with_refits():
    """Mean error of refits on fresh data, from the exact population and from one sample."""
    rng = np.random.default_rng(5)
    for n, alpha in [(15, 1.0), (40, 0.3), (200, 10.0)]:
        errors = []
        for _ in range(300):
            rows = rng.normal(size=(n, P)) * np.arange(1, P + 1) ** -0.5
            ridge = Ridge(alpha=alpha).fit(rows, rows @ BETA + rng.normal(size=n))
            shift = ridge.coef_ - BETA
            errors.append(shift @ OMEGA @ shift + 1.0 + ridge.intercept_**2)
        mean, se = np.mean(errors), np.std(errors) / np.sqrt(300)
        exact = DeterministicEquivalentRidge(population=EXACT).fit(X, Y)
        assert abs(exact.predict_test_error(n, alpha) - mean) < 4 * se + 0.03 * mean
        own = DeterministicEquivalentRidge().fit(X, Y)
        assert abs(own.predict_test_error(n, alpha) / mean - 1) < 0.2


def test_fitted_attributes():
    ridge = DeterministicEquivalentRidge(alpha=2.0).fit(X, Y)
    assert ridge.test_error_ == ridge.predict_test_error(400, 2.0)
    assert ridge.alpha_ == 2.0 and ridge.n_samples_ == 400 and ridge.n_features_in_ == P
    assert ridge.kappa_ > 2.0 / 400
    assert isinstance(ridge.test_error_, float) and isinstance(ridge.kappa_, float)
    assert ridge.predict_train_error() == pytest.approx(ridge.train_error_, rel=0.02)
    assert isinstance(ridge.population_, LeaveOneOutPopulation)


def test_shapes_broadcast():
    ridge = DeterministicEquivalentRidge().fit(X, Y2)
    n, alpha = np.array([[20], [200], [2000]]), np.array([1.0, 10.0])
    assert ridge.predict_test_error(n, alpha).shape == (3, 2)
    raw = ridge.predict_test_error(n, alpha, multioutput="raw_values")
    assert raw.shape == (3, 2, 2)
    np.testing.assert_allclose(raw.mean(axis=-1), ridge.predict_test_error(n, alpha))
    np.testing.assert_allclose(
        ridge.predict_test_error(n, alpha, multioutput=[1.0, 0.0]), raw[..., 0]
    )
    for k in range(2):
        alone = DeterministicEquivalentRidge().fit(X, Y2[:, k])
        np.testing.assert_allclose(raw[..., k], alone.predict_test_error(n, alpha), rtol=1e-8)
    assert ridge.predict_train_error(n, alpha).shape == (3, 2)
    assert ridge.predict_decomposition(n, alpha).total_variance.shape == (3, 2)
    assert ridge.reachable(n, alpha).shape == (3, 2)
    assert ridge.optimal_alpha([50, 100]).shape == (2,)
    single = DeterministicEquivalentRidge().fit(X, Y)
    assert single.predict_test_error([10, 20], multioutput="raw_values").shape == (2, 1)


def test_optimal_alpha():
    ridge = DeterministicEquivalentRidge("optimal", population=EXACT).fit(X, Y)
    others = ridge.predict_test_error(alpha=np.geomspace(1e-4, 1e4, 500))
    assert ridge.test_error_ <= others.min()
    # isotropic features would have p σ²/||b||² at every n; these are checked against the theory
    from sk_deepfeat.theory import optimal_alpha

    expected = optimal_alpha(np.diag(OMEGA), OMEGA @ BETA, EXACT.rho, [50, 400], fit_intercept=True)
    np.testing.assert_allclose(ridge.optimal_alpha([50, 400]), expected, rtol=1e-4)
    coefs = Ridge(alpha=ridge.alpha_).fit(X, Y).coef_
    np.testing.assert_allclose(ridge.coef_, coefs, rtol=1e-8)
    along = ridge.predict_test_error([50, 400], alpha="optimal")
    assert np.all(along <= ridge.predict_test_error([50, 400], ridge.alpha_))


def test_optimal_alpha_is_zero_without_noise():
    ridge = DeterministicEquivalentRidge("optimal").fit(X, X @ BETA)
    assert ridge.alpha_ <= 1e-10
    assert ridge.test_error_ < 1e-10


def test_optimum_at_infinity_is_said():
    y = RNG.normal(size=400)
    exact = ExactPopulation(OMEGA, np.zeros(P), 1.0)
    with pytest.warns(PopulationWarning, match="tell nothing about the target"):
        DeterministicEquivalentRidge("optimal", population=exact).fit(X, y)


def test_required_samples():
    ridge = DeterministicEquivalentRidge(population=EXACT).fit(X, Y)
    needed = ridge.required_samples(1.2)
    assert needed == int(needed)
    assert ridge.predict_test_error(needed, "optimal") <= 1.2
    assert ridge.predict_test_error(needed - 1, "optimal") > 1.2
    fixed = ridge.required_samples(1.2, alpha=0.5)
    assert fixed >= needed
    assert ridge.predict_test_error(fixed, 0.5) <= 1.2 < ridge.predict_test_error(fixed - 1, 0.5)


def test_required_samples_below_the_floor():
    ridge = DeterministicEquivalentRidge(population=EXACT).fit(X, Y)
    with pytest.warns(PopulationWarning, match="not above the floor 1 "):
        assert ridge.required_samples(0.9) == np.inf
    from_sample = DeterministicEquivalentRidge().fit(X, Y)
    with pytest.warns(PopulationWarning, match="lowest identifiable error"):
        assert np.isnan(from_sample.required_samples(0.5))


def test_reach():
    ridge = DeterministicEquivalentRidge().fit(X[:20], Y[:20])
    reach = ridge.reachable([10, 20, 400], [0.0, 0.0, 0.0])
    np.testing.assert_array_equal(reach, [True, True, False])
    assert np.isnan(ridge.predict_test_error(400, 0.0))
    assert ridge.reachable() is np.True_ or ridge.reachable() is True


def test_exact_decomposition():
    parts = DeterministicEquivalentRidge(population=EXACT).fit(X, Y).predict_decomposition(50, 2.0)
    bias, variance, noise_variance, noise = parts
    ridge = DeterministicEquivalentRidge(population=EXACT).fit(X, Y)
    total = bias + variance + noise_variance + noise
    assert total == pytest.approx(ridge.predict_test_error(50, 2.0))
    assert noise == pytest.approx(1.0) and parts.bias_and_noise == pytest.approx(bias + noise)


@pytest.mark.parametrize("population", ["gcv", "leave-one-out", "plug-in"])
def test_scaling_weights_and_alpha_changes_nothing(population):
    weights = RNG.uniform(0.2, 3.0, size=400)
    left = DeterministicEquivalentRidge(3.0, population=population).fit(X, Y, weights)
    right = DeterministicEquivalentRidge(3.0 * 7, population=population).fit(X, Y, 7 * weights)
    np.testing.assert_allclose(left.coef_, right.coef_, rtol=1e-9)
    assert left.test_error_ == pytest.approx(right.test_error_, rel=1e-8)
    assert left.kappa_ == pytest.approx(right.kappa_, rel=1e-8)
    assert left.predict_test_error(50, 1.0) == pytest.approx(right.predict_test_error(50, 7.0))
    assert 7 * left.optimal_alpha(50) == pytest.approx(right.optimal_alpha(50), rel=1e-3)


def test_rows_of_weight_zero_count_for_nothing():
    weights = np.r_[np.ones(100), np.zeros(300)]
    left = DeterministicEquivalentRidge().fit(X, Y, weights)
    right = DeterministicEquivalentRidge().fit(X[:100], Y[:100])
    assert left.n_samples_ == 100
    assert left.test_error_ == pytest.approx(right.test_error_, rel=1e-9)


def test_frozen_plug_in_from_a_separate_split():
    population = PlugInPopulation().fit(X[:300], Y[:300])
    ridge = DeterministicEquivalentRidge(population=FrozenEstimator(population))
    for fit_intercept in (True, False):
        ridge.set_params(fit_intercept=fit_intercept).fit(X[300:], Y[300:])
        expected = population.test_error(100, 1.0, fit_intercept=fit_intercept)
        assert ridge.test_error_ == pytest.approx(float(expected))


def test_population_of_another_width():
    frozen = FrozenEstimator(PlugInPopulation().fit(X[:, :3], Y))
    with pytest.raises(ValueError, match="describes 3 features, but X has 30 features"):
        DeterministicEquivalentRidge(population=frozen).fit(X, Y)


def test_grid_search_over_populations_names_and_instances():
    search = GridSearchCV(
        DeterministicEquivalentRidge(),
        {
            "population": ["leave-one-out", GCVPopulation(n_grid=300), "plug-in"],
            "alpha": [1.0, "optimal"],
        },
        cv=3,
    ).fit(X[:, :20], Y)
    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))
    nested = GridSearchCV(
        DeterministicEquivalentRidge(population=GCVPopulation()),
        {"population__n_grid": [100, 300]},
        cv=3,
    ).fit(X, Y)
    assert nested.best_params_["population__n_grid"] in (100, 300)


def test_parameters_are_not_touched_and_clone_carries_nothing():
    population = GCVPopulation()
    ridge = DeterministicEquivalentRidge(population=population).fit(X, Y)
    assert ridge.population is population and not hasattr(population, "curve_")
    assert ridge.population_ is not population
    assert not hasattr(clone(ridge), "coef_")


def test_pickle_keeps_the_predictions():
    ridge = DeterministicEquivalentRidge().fit(X, Y)
    copy = pickle.loads(pickle.dumps(ridge))
    assert copy.predict_test_error(77, 0.3) == ridge.predict_test_error(77, 0.3)
    wide = DeterministicEquivalentRidge().fit(np.hstack([X] * 20), Y)
    more = len(pickle.dumps(wide)) - len(pickle.dumps(ridge))
    assert more < X.nbytes, "neither the training rows nor their factorisation are kept"


def test_float32_input():
    X32, y = load_diabetes(return_X_y=True)
    left = DeterministicEquivalentRidge(0.1).fit(X32.astype(np.float32), y)
    right = DeterministicEquivalentRidge(0.1).fit(X32, y)
    assert left.test_error_ == pytest.approx(right.test_error_, rel=1e-5)


@pytest.mark.parametrize(
    ("alpha", "error", "message"),
    [
        (-1.0, ValueError, "alpha=-1.0 must be finite and not negative"),
        (np.nan, ValueError, "alpha=nan"),
        (np.inf, ValueError, "alpha=inf"),
        ([1.0, 2.0], ValueError, "alpha holds 2 numbers for 1 outputs"),
        (np.array([[1.0]]), ValueError, "one number per output"),
        ("best", ValueError, "alpha='best' must be 'optimal'"),
        (None, TypeError, "alpha=None"),
        (True, TypeError, "alpha=True"),
    ],
)
def test_bad_alpha(alpha, error, message):
    with pytest.raises(error, match=message):
        DeterministicEquivalentRidge(alpha).fit(X, Y)


@pytest.mark.parametrize(
    ("population", "error", "message"),
    [
        ("bayes", ValueError, "'bayes' is not a known name among the populations; known names: "),
        (GCVPopulation, TypeError, "is a class; pass an instance"),
        (Ridge(), TypeError, "lacks test_error, kappa"),
        (None, TypeError, "lacks fit, test_error, kappa"),
    ],
)
def test_bad_population(population, error, message):
    with pytest.raises(error, match=message):
        DeterministicEquivalentRidge(population=population).fit(X, Y)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples must be finite and at least 1; got 0.0"),
        ({"n_samples": [10, np.nan]}, ValueError, "n_samples"),
        ({"n_samples": "many"}, TypeError, "n_samples must be numeric; got 'many'"),
        ({"alpha": -1.0}, ValueError, "alpha must be finite and not negative; got -1.0"),
        ({"alpha": "best"}, ValueError, "must be 'optimal'"),
        ({"multioutput": "sum"}, ValueError, "multioutput='sum'"),
        ({"multioutput": [1.0, 2.0]}, ValueError, r"one weight per output \(1\)"),
        ({"level": 1.5}, ValueError, "level=1.5 must lie between 0 and 1"),
        ({"return_interval": True}, ValueError, "population='gcv' does not implement interval"),
    ],
)
def test_bad_questions(arguments, error, message):
    ridge = DeterministicEquivalentRidge(population="gcv").fit(X, Y)
    with pytest.raises(error, match=message):
        ridge.predict_test_error(**arguments)


def test_bad_target_error():
    ridge = DeterministicEquivalentRidge().fit(X, Y)
    with pytest.raises(ValueError, match="target_error=nan"):
        ridge.required_samples(np.nan)


@pytest.mark.parametrize(
    "method",
    [
        "predict_test_error",
        "predict_train_error",
        "predict_decomposition",
        "optimal_alpha",
        "reachable",
    ],
)
def test_unfitted(method):
    with pytest.raises(NotFittedError):
        getattr(DeterministicEquivalentRidge(), method)()


def test_bad_rows_and_weights():
    with pytest.raises(ValueError, match="minimum of 2"):
        DeterministicEquivalentRidge().fit(X[:1], Y[:1])
    with pytest.raises(ValueError, match="positive for at least two rows"):
        DeterministicEquivalentRidge().fit(X, Y, np.r_[1.0, np.zeros(399)])
    with pytest.raises(ValueError, match="Negative"):
        DeterministicEquivalentRidge().fit(X, Y, -np.ones(400))
    with pytest.raises(TypeError, match="fit_intercept='yes'"):
        DeterministicEquivalentRidge(fit_intercept="yes").fit(X, Y)


@pytest.mark.parametrize("population", ["gcv", "leave-one-out", "plug-in"])
@pytest.mark.parametrize("scale", [1.0, 1e6, 1e9])
def test_columns_of_unequal_scale(population, scale):
    """The small columns carry the target; their directions must not pass for rounding."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(1000, 5))
    y = rows[:, 1] + 0.1 * rng.normal(size=1000)
    rows[:, 0] *= scale
    ridge = DeterministicEquivalentRidge(population=population).fit(rows, y)
    assert ridge.test_error_ == pytest.approx(0.01, rel=0.1)
    assert ridge.predict_train_error() == pytest.approx(ridge.train_error_, rel=0.02)


@pytest.mark.parametrize("population", ["gcv", "leave-one-out", "plug-in"])
def test_dead_and_duplicated_features_change_nothing(population):
    left = DeterministicEquivalentRidge(population=population).fit(X[:, :10], Y)
    wide = np.c_[X[:, :10], np.zeros((400, 3)), X[:, :10]] / np.sqrt([2] * 10 + [1] * 3 + [2] * 10)
    right = DeterministicEquivalentRidge(population=population).fit(wide, Y)
    assert right.test_error_ == pytest.approx(left.test_error_, rel=1e-6)


def test_questions_keep_to_what_was_fitted():
    ridge = DeterministicEquivalentRidge().fit(X + 5.0, Y)
    before = ridge.predict_test_error(50, 1.0)
    ridge.set_params(fit_intercept=False)
    assert ridge.predict_test_error(50, 1.0) == before


@pytest.mark.parametrize("y", [Y2, Y[:, None]])
def test_population_of_other_outputs(y):
    with pytest.raises(ValueError, match=r"errors of shape \(\) for one cell"):
        DeterministicEquivalentRidge(population=EXACT).fit(X, y)


def test_gcv_train_error_is_the_one_reached():
    ridge = DeterministicEquivalentRidge(0.5).fit(X[:40], Y[:40])
    assert ridge.predict_train_error() == pytest.approx(ridge.train_error_, rel=1e-6)


@pytest.mark.parametrize("n", [2, 10, 100])
def test_one_row_alone_may_have_a_leverage(n):
    X, y = np.zeros((n, 1)), np.random.default_rng(0).normal(size=n)
    X[0] = 1.0
    ridge = DeterministicEquivalentRidge(fit_intercept=False).fit(X, y)
    error, low, high = ridge.predict_test_error(n, return_interval=True)
    np.testing.assert_allclose(error, np.mean(y**2), rtol=1e-6)
    assert low < error < high
