"""The question put to whatever holds a ridge: `predict_test_error`."""

import warnings

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris, load_linnerud
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageRegressor,
    predict_test_error,
)
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.linear_model.target_units import target_units
from sk_deepfeat.linear_model.wrapped_ridges import fitted_ridge
from sk_deepfeat.populations import GCVPopulation

X, Y = load_diabetes(return_X_y=True)
SIZES, ALPHAS = np.array([[60], [442], [2000]]), [0.03, 1.0]


def many_outputs(n=120, p=15, seed=0):
    """Return rows and three targets whose scales, noises and signals differ."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, p))
    targets = rows @ rng.normal(size=(p, 3)) + rng.normal(size=(n, 3)) * [0.5, 2.0, 8.0]
    return rows, targets * [0.1, 1.0, 30.0] + [5.0, -3.0, 100.0]


def scaled(transformer=None, ridge=None, **more):
    return TransformedTargetRegressor(
        DeterministicEquivalentRidge() if ridge is None else ridge, transformer=transformer, **more
    )


LINEAR = {
    "none": scaled(),
    "standard": scaled(StandardScaler()),
    "min-max": scaled(MinMaxScaler((-3, 5))),
    "max-abs": scaled(MaxAbsScaler()),
    "robust": scaled(RobustScaler()),
    "pipeline": scaled(make_pipeline(MinMaxScaler(), StandardScaler())),
    "function": scaled(func=lambda y: 3.0 - y / 1000, inverse_func=lambda y: 1000 * (3.0 - y)),
    "frames": scaled(StandardScaler().set_output(transform="default")),
}


@pytest.mark.parametrize("name", LINEAR)
def test_linear_targets_have_errors_in_the_original_units(name):
    plain = DeterministicEquivalentRidge().fit(X, Y)
    model = LINEAR[name].fit(X, Y)
    for options in ({}, {"return_interval": True}, {"multioutput": "raw_values"}):
        found = np.array(predict_test_error(model, SIZES, ALPHAS, **options))
        expected = np.array(plain.predict_test_error(SIZES, ALPHAS, **options))
        np.testing.assert_allclose(found, expected, rtol=1e-8)
    ridge = fitted_ridge(model)
    np.testing.assert_allclose(ridge.optimal_alpha([50, 442]), plain.optimal_alpha([50, 442]), 2e-3)
    assert ridge.required_samples(3200.0) == plain.required_samples(3200.0)
    np.testing.assert_allclose(ridge.predict(X), model.predict(X))
    np.testing.assert_allclose(
        [ridge.test_error_, ridge.train_error_], [plain.test_error_, plain.train_error_]
    )
    np.testing.assert_allclose(ridge.predict_score(300), plain.predict_score(300))
    parts = [r.predict_decomposition(300).bias_and_noise for r in (ridge, plain)]
    np.testing.assert_allclose(*parts)
    checks = [r.calibration_check() for r in (ridge, plain)]
    np.testing.assert_allclose(checks[0].measured, checks[1].measured, rtol=1e-8)
    np.testing.assert_allclose(checks[0].ratio, checks[1].ratio, rtol=1e-8)
    assert model.regressor_.error_predictor_.asked.factor is None, "the ridge itself is unchanged"


def test_scales_of_several_outputs_weigh_their_average():
    rows, targets = many_outputs()
    plain = DeterministicEquivalentRidge("optimal").fit(rows, targets)
    model = scaled(StandardScaler(), DeterministicEquivalentRidge("optimal")).fit(rows, targets)
    ridge = fitted_ridge(model)
    n = np.array([40.0, 120.0])
    for multioutput in ("raw_values", "uniform_average", [1.0, 2.0, 0.0]):
        np.testing.assert_allclose(
            predict_test_error(model, n, 20.0, multioutput=multioutput),
            plain.predict_test_error(n, 20.0, multioutput=multioutput),
            rtol=1e-8,
        )
    np.testing.assert_allclose(ridge.optimal_alpha(n), plain.optimal_alpha(n), rtol=5e-3)
    target = 1.2 * plain.test_error_
    assert abs(ridge.required_samples(target) - plain.required_samples(target)) <= 1
    alone = model.regressor_
    assert abs(np.log(ridge.optimal_alpha(40) / alone.optimal_alpha(40))) > 0.1, "others weigh"
    np.testing.assert_allclose(ridge.predict(rows), model.predict(rows))
    checks = [r.calibration_check([30, 60]) for r in (ridge, plain)]
    np.testing.assert_allclose(checks[0].measured, checks[1].measured)
    np.testing.assert_allclose(checks[0].predicted, checks[1].predicted)


NOT_LINEAR = {
    "log": scaled(func=np.log, inverse_func=np.exp),
    "quantiles": scaled(QuantileTransformer(n_quantiles=50)),
    "power": scaled(PowerTransformer()),
}


@pytest.mark.parametrize("name", NOT_LINEAR)
def test_other_targets_are_answered_in_their_own_units_and_said_so(name):
    model = NOT_LINEAR[name].fit(X, Y)
    with pytest.warns(PopulationWarning, match="which is not linear in each of them") as warned:
        found = predict_test_error(model)
    assert found == model.regressor_.test_error_
    assert [warning.filename for warning in warned] == [__file__]


def inverse_only(inverse):
    return FunctionTransformer(lambda y: y, inverse, check_inverse=False, validate=True)


@pytest.mark.parametrize(
    "transformer",
    [
        PCA(),
        PCA(whiten=True),
        PCA(n_components=2),
        inverse_only(lambda y: np.clip(y, -50.0, 50.0)),
        inverse_only(lambda y: y + 1e9 + np.tanh(y)),
        inverse_only(lambda y: 2.0 * y),
        inverse_only(lambda y: y + 1e-4 * y[:, ::-1]),
        inverse_only(lambda y: 0.0 * y),
        inverse_only(lambda y: np.log(y)),
        FunctionTransformer(lambda y: np.abs(y), lambda y: y, check_inverse=False),
        QuantileTransformer(n_quantiles=20),
        FunctionTransformer(np.cbrt, lambda y: y**3),
    ],
)
def test_what_is_not_linear_in_each_output_is_found_out(transformer):
    rng = np.random.default_rng(0)
    assert target_units(transformer.fit(rng.normal(size=(80, 3))), 3) is None


def test_units_are_those_of_the_inverse():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(80, 3)) * [1e-6, 1.0, 1e6] + [1e3, 0.0, -1e8]
    for transformer in (StandardScaler(), RobustScaler(), PowerTransformer(standardize=False)):
        units = target_units(transformer.fit(values), 3)
        if isinstance(transformer, PowerTransformer):
            assert units is None
            continue
        np.testing.assert_allclose(units.scale, transformer.scale_, rtol=1e-6)
        center = transformer.mean_ if hasattr(transformer, "mean_") else transformer.center_
        np.testing.assert_allclose(units.offset, center)


def test_one_ridge_for_each_output():
    rows, targets = many_outputs()
    together = DeterministicEquivalentRidge(5.0).fit(rows, targets)
    model = MultiOutputRegressor(DeterministicEquivalentRidge(5.0)).fit(rows, targets)
    n = np.array([40, 120, 700])
    for multioutput in ("raw_values", "uniform_average", [1.0, 2.0, 0.0]):
        options = {"multioutput": multioutput}
        np.testing.assert_allclose(
            predict_test_error(model, n, [1.0, 5.0, 9.0], **options),
            together.predict_test_error(n, [1.0, 5.0, 9.0], **options),
        )
    options = {"return_interval": True}
    raw = [
        r(n, multioutput="raw_values", **options)
        for r in (lambda *a, **k: predict_test_error(model, *a, **k), together.predict_test_error)
    ]
    np.testing.assert_allclose(*raw)
    error, low, high = predict_test_error(model, n, **options)
    _, low_together, high_together = together.predict_test_error(n, **options)
    assert np.all(low < error) and np.all(low <= low_together * (1 + 1e-9))
    assert np.all(high >= high_together * (1 - 1e-9)), "rather too wide"
    ridge = fitted_ridge(model)
    np.testing.assert_allclose(ridge.predict_kappa(n), together.predict_kappa(n))
    np.testing.assert_allclose(
        ridge.predict_decomposition(n).total_variance,
        together.predict_decomposition(n).total_variance,
    )
    np.testing.assert_allclose(ridge.predict_train_error(n), together.predict_train_error(n))
    for scoring in ("r2", "neg_root_mean_squared_error"):
        scores = [r.predict_score(n, scoring=scoring) for r in (ridge, together)]
        np.testing.assert_allclose(*scores)
    weighted = {"multioutput": "variance_weighted"}
    np.testing.assert_allclose(
        ridge.predict_score(n, **weighted), together.predict_score(n, **weighted)
    )
    np.testing.assert_allclose(ridge.predict(rows), model.predict(rows))
    assert ridge.alpha_ == 5.0
    checks = [r.calibration_check([30, 60]) for r in (ridge, together)]
    np.testing.assert_allclose(checks[0].ratio, checks[1].ratio)


def test_each_output_has_a_best_alpha_of_its_own():
    rows, targets = many_outputs()
    model = MultiOutputRegressor(DeterministicEquivalentRidge("optimal")).fit(rows, targets)
    ridge, each = fitted_ridge(model), model.estimators_
    n = np.array([30, 120])
    best = ridge.optimal_alpha(n)
    assert best.shape == (2, 3)
    np.testing.assert_array_equal(best.T, [one.optimal_alpha(n) for one in each])
    expected = np.mean([one.predict_test_error(n, "optimal") for one in each], axis=0)
    np.testing.assert_allclose(predict_test_error(model, n, "optimal"), expected)
    np.testing.assert_array_equal(ridge.alpha_, [one.alpha_ for one in each])
    np.testing.assert_allclose(predict_test_error(model), np.mean([e.test_error_ for e in each]))
    np.testing.assert_array_equal(ridge.kappa_, [one.kappa_ for one in each])
    assert ridge.predict_kappa(n).shape == ridge.reachable(n).shape == (2, 3)
    assert ridge.predict_kappa(n, 3.0).shape == ridge.reachable(n, 3.0).shape == (2,)
    target = 1.3 * predict_test_error(model)
    needed = ridge.required_samples(target)
    at = predict_test_error(model, [needed - 1, needed], "optimal")
    assert at[0] > target >= at[1]
    fixed = ridge.required_samples(target, 3.0)
    at = predict_test_error(model, [fixed - 1, fixed], 3.0)
    assert at[0] > target >= at[1] and fixed >= needed
    more = 0.99 * predict_test_error(model, None, 100.0)
    fixed = ridge.required_samples(more, 100.0)
    at = predict_test_error(model, [fixed - 1, fixed], 100.0)
    assert at[0] > more >= at[1] and fixed > ridge.n_samples_


def test_it_agrees_with_an_alpha_for_each_target():
    rows, targets = many_outputs()
    together = DeterministicEquivalentRidge("optimal", alpha_per_target=True).fit(rows, targets)
    model = MultiOutputRegressor(DeterministicEquivalentRidge("optimal")).fit(rows, targets)
    ridge, n = fitted_ridge(model), np.array([30, 120])
    for alpha in (None, "optimal", 3.0):
        raw = {"multioutput": "raw_values"}
        np.testing.assert_allclose(
            predict_test_error(model, n, alpha, **raw),
            together.predict_test_error(n, alpha, **raw),
            rtol=2e-3,
        )
        np.testing.assert_array_equal(ridge.reachable(n, alpha), together.reachable(n, alpha))
        kappas = [r.predict_kappa(n, alpha) for r in (ridge, together)]
        np.testing.assert_allclose(*kappas, rtol=0.05)
    needed = [r.required_samples(1.2 * together.test_error_) for r in (ridge, together)]
    assert abs(needed[0] - needed[1]) <= 1
    wrapped = scaled(StandardScaler(), together).fit(rows, targets)
    np.testing.assert_allclose(
        predict_test_error(wrapped, n, "optimal"), together.predict_test_error(n, "optimal"), 2e-3
    )


def test_they_nest():
    rows, targets = many_outputs()
    features = make_pipeline(StandardScaler(), PCA(10))
    plain = make_pipeline(features, DeterministicEquivalentRidge(2.0)).fit(rows, targets)
    expected = plain[-1].predict_test_error(SIZES, ALPHAS, multioutput="raw_values")
    inner = make_pipeline(features, DeterministicEquivalentRidge(2.0))
    each = MultiOutputRegressor(DeterministicEquivalentRidge(2.0))
    models = (
        scaled(StandardScaler(), inner),
        MultiOutputRegressor(scaled(RobustScaler(), inner)),
        scaled(MinMaxScaler(), make_pipeline(features, each)),
        make_pipeline(features, scaled(StandardScaler(), each)),
        make_pipeline(features, scaled(StandardScaler(), scaled(MinMaxScaler(), each))),
        GridSearchCV(scaled(StandardScaler(), inner), {"check_inverse": [False]}, cv=2),
        RandomizedSearchCV(inner, {"deterministicequivalentridge__alpha": [2.0]}, n_iter=1, cv=2),
    )
    for model in models:
        found = predict_test_error(
            FrozenEstimator(model.fit(rows, targets)), SIZES, ALPHAS, multioutput="raw_values"
        )
        np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_two_stages_inside_and_outside():
    rows, targets = many_outputs()
    features = RandomDeepFeatures((20,), random_state=0)
    stages = TwoStageRegressor(features, DeterministicEquivalentRidge(), random_state=0)
    model = scaled(StandardScaler(), stages).fit(rows, targets)
    plain = stages.fit(rows, targets)
    np.testing.assert_allclose(predict_test_error(model, 100), plain.predict_test_error(100))
    outside = TwoStageRegressor(features, scaled(StandardScaler()), random_state=0)
    np.testing.assert_allclose(
        predict_test_error(outside.fit(rows, targets), 100), plain.predict_test_error(100)
    )


def test_populations_with_members_and_without_intervals():
    rows, targets = many_outputs(n=200)
    for population in ("plug-in", "gcv"):
        together = DeterministicEquivalentRidge(5.0, population=population).fit(rows, targets)
        model = MultiOutputRegressor(together).fit(rows, targets)
        n = np.array([40, 120])
        np.testing.assert_allclose(
            predict_test_error(model, n), together.predict_test_error(n), rtol=1e-10
        )
        ridge = fitted_ridge(model)
        assert ridge.error_predictor_.knows_intervals == together.error_predictor_.knows_intervals
        parts = [list(r.predict_decomposition(n)) for r in (ridge, together)]
        np.testing.assert_allclose(*parts)


def test_groups_and_classes():
    groups = np.arange(len(Y)) // 9
    ridge = DeterministicEquivalentRidge().fit(X, Y, groups=groups)
    model = scaled(StandardScaler()).fit(X, Y, groups=groups)
    np.testing.assert_allclose(
        predict_test_error(model, n_groups=30), ridge.predict_test_error(n_groups=30)
    )
    rows, labels = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), DeterministicEquivalentRidgeClassifier(0.1))
    pipeline.fit(rows, labels)
    for options in ({}, {"metric": "log_loss"}, {"return_interval": True}):
        expected = pipeline[-1].predict_test_error(100, **options)
        np.testing.assert_array_equal(predict_test_error(pipeline, 100, **options), expected)


def test_doubts_of_the_outputs_are_told_once():
    rng = np.random.default_rng(1)
    rows, noise = rng.normal(size=(60, 5)), rng.normal(size=(60, 3))
    model = MultiOutputRegressor(DeterministicEquivalentRidge(3.0)).fit(rows, noise)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted_ridge(model).optimal_alpha(30)
    texts = [str(item.message) for item in caught]
    assert len(texts) == len(set(texts))


def test_a_pipeline_that_saw_the_targets_is_told_of():
    inner = make_pipeline(SelectKBest(k=3), DeterministicEquivalentRidge())
    for model in (inner, scaled(StandardScaler(), inner)):
        with pytest.warns(PopulationWarning, match="'selectkbest' of the pipeline learned from"):
            predict_test_error(model.fit(X, Y))
    kept = FrozenEstimator(SelectKBest(k=3).fit(X[:200], Y[:200]))
    predict_test_error(make_pipeline(kept, DeterministicEquivalentRidge()).fit(X[200:], Y[200:]))


def test_what_cannot_be_asked_is_refused():
    message = "estimator must be a fitted DeterministicEquivalentRidge"
    for wrong in (
        Ridge().fit(X, Y),
        DeterministicEquivalentRidge,
        make_pipeline(StandardScaler(), Ridge()).fit(X, Y),
        scaled(ridge=Ridge()).fit(X, Y),
        Pipeline([("a", StandardScaler()), ("b", "passthrough")]).fit(X, Y),
        None,
    ):
        with pytest.raises(TypeError, match=message):
            predict_test_error(wrong)
    with pytest.raises(TypeError, match=r"GCVPopulation is a population.*ask it for test_error"):
        predict_test_error(GCVPopulation().fit(X, Y))
    ridge = DeterministicEquivalentRidge()
    grid = {"alpha": [1.0]}
    for unfitted in (
        ridge,
        make_pipeline(ridge),
        scaled(),
        MultiOutputRegressor(ridge),
        GridSearchCV(ridge, grid),
        RandomizedSearchCV(ridge, grid),
        FrozenEstimator(ridge),
    ):
        with pytest.raises(NotFittedError):
            predict_test_error(unfitted)
    with pytest.raises(TypeError, match="set refit=True"):
        predict_test_error(GridSearchCV(ridge, grid, refit=False, cv=2).fit(X, Y))
    with pytest.raises(TypeError, match="metric"):
        predict_test_error(ridge.fit(X, Y), metric="error_rate")


def test_real_targets_of_three_units():
    """Weight, waist and pulse in their own units: scaling targets changes no answer."""
    rows, targets = load_linnerud(return_X_y=True)
    plain = make_pipeline(StandardScaler(), DeterministicEquivalentRidge(3.0)).fit(rows, targets)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        model = scaled(StandardScaler(), plain).fit(rows, targets)
        found = predict_test_error(model, [10, 20], multioutput="raw_values")
        expected = plain[-1].predict_test_error([10, 20], multioutput="raw_values")
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda step: make_pipeline(step, StandardScaler()),
        lambda step: FeatureUnion([("chosen", step), ("all", StandardScaler())]),
        lambda step: ColumnTransformer([("chosen", step, [0, 1, 2])], remainder="passthrough"),
    ],
    ids=["pipeline", "union", "columns"],
)
def test_what_saw_the_targets_is_found_inside_of_steps(wrapped):
    ridge = DeterministicEquivalentRidge()
    for step in (SelectKBest(k=2), TargetEncoder(target_type="continuous")):
        rows = np.c_[np.round(X[:, :3], 1), X]  # categories first
        with pytest.warns(PopulationWarning, match="of the pipeline learned from the targets"):
            predict_test_error(make_pipeline(wrapped(step), ridge).fit(rows, Y))
    kept = FrozenEstimator(SelectKBest(k=2).fit(X[:200, :3], Y[:200]))
    for step in (StandardScaler(), kept):
        predict_test_error(make_pipeline(wrapped(step), ridge).fit(X[200:, :3], Y[200:]))


def test_what_saw_the_targets_is_found_in_a_second_stage():
    readout = make_pipeline(SelectKBest(k=3), DeterministicEquivalentRidge())
    model = TwoStageRegressor(PCA(5, random_state=0), readout, random_state=0).fit(X, Y)
    with pytest.warns(PopulationWarning, match="'selectkbest' of the pipeline learned from"):
        predict_test_error(model)
