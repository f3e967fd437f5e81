"""What holds for every display: doors, names of parameters, axes, old names."""

import builtins
import inspect

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures, TwoStageRegressor
from sk_deepfeat.model_selection import displays

DISPLAYS = [getattr(displays, name) for name in displays.__all__]
# Of trained features, which have a ridge for each checkpoint, rows are needed to ask.
DYNAMICS = displays.TrainingDynamicsDisplay
ASKING = [display for display in DISPLAYS if display is not DYNAMICS]
# In this order, with these defaults, wherever they are: what is drawn, how, and where.
ASKED = {
    "n_samples": None,
    "alpha": None,
    "alphas": None,
    "level": 0.9,
    "metric": None,
    "ax": None,
}

# One name for one thing: a new parameter either has one of these names, or a meaning of its own.
VOCABULARY = {
    # every display's
    "ax": "where to draw",
    "n_samples": "numbers of training samples",
    "alpha": "one regularisation (of each cell, in a check)",
    "alphas": "several regularisations",
    "metric": "which error of classes",
    "level": "nominal coverage of intervals",
    "lower": "ends of intervals",
    "upper": "ends of intervals",
    "test_error": "predicted test error",
    "reachable": "where it is identified",
    "optimal_alpha": "the best regularisation for each n",
    # what is asked, refitted or drawn
    "estimator": "a model",
    "feature_map": "a feature map with stages",
    "readout": "the ridge on each stage",
    "X": "rows",
    "y": "targets",
    "groups": "labels of the rows' groups",
    "kwargs": "arguments of ridge_learning_curve",
    "asked": "arguments of from_fitted",
    "outputs": "the mean over outputs, or their distribution",
    "over": "what runs along the picture",
    "n_fitted": "training samples of the fit, marked",
    "best_alpha": "for so many, said",
    "curve": "a RidgeLearningCurve",
    "check": "a CalibrationCheck",
    "decomposition": "an ErrorDecomposition",
    # words of RidgeLearningCurve, calibration_check, TrainedDeepFeatures and ErrorDecomposition
    "predicted": "beside measured errors: the predicted ones",
    "measured_mean": "over refits",
    "measured_se": "of the mean over refits",
    "ratio": "measured over predicted",
    "verdict": "where a check fails, and why",
    "epochs": "of checkpoints",
    "bias": "a part",
    "variance": "a part",
    "noise_variance": "a part",
    "noise": "a part",
    "bias_and_noise": "a sum of parts",
    "total_variance": "a sum of parts",
    # the spectrum's
    "eigenvalues": "of the training rows",
    "population_eigenvalues": "of the population",
    "kappa": "effective regularisation",
    "kappa_at": "kappa at n_samples",
    "df1": "degrees of freedom",
    "df2": "degrees of freedom",
}


def doors(display):
    """Return the class methods that make a display, by name."""
    return {name: getattr(display, name) for name in dir(display) if name.startswith("from_")}


def parameters(function):
    found = inspect.signature(function).parameters
    return {name: found[name] for name in found if name != "self"}


@pytest.fixture(scope="module")
def estimators():
    """Return for each way to hold a ridge the fitted estimator, and the ridge inside."""
    X, y = load_diabetes(return_X_y=True)
    ridge = DeterministicEquivalentRidge().fit(X, y)
    pipeline = make_pipeline(StandardScaler(), DeterministicEquivalentRidge()).fit(X, y)
    features = RandomDeepFeatures((20,), random_state=0)
    two_stages = TwoStageRegressor(features, ridge, random_state=0).fit(X, y)
    grid = {"deterministicequivalentridge__alpha": [1.0]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    return {
        "ridge": (ridge, ridge),
        "pipeline": (pipeline, pipeline[-1]),
        "two stages": (two_stages, two_stages.readout_),
        "search": (search, search.best_estimator_[-1]),
    }


def few_of(display):
    """Return few numbers to draw, where a display can be told which."""
    few = {"n_samples": [20, 40], "alphas": [1.0, 2.0]}
    known = parameters(display.from_fitted)
    if "over" in known:  # alphas go along another axis
        del few["alphas"]
    return {name: few[name] for name in few if name in known}


def ask(door, estimator):
    """Call ``from_fitted`` for few numbers, where it can be told which."""
    return door(estimator, **few_of(door.__self__))


def numbers(display):
    """Return the stored numbers, without what `plot` made of them."""
    return {name: value for name, value in vars(display).items() if not name.endswith("_")}


@pytest.mark.parametrize("kind", ["ridge", "pipeline", "two stages", "search"])
@pytest.mark.parametrize("display", ASKING)
def test_what_ends_in_a_ridge_is_asked_for_it(pyplot, estimators, display, kind):
    estimator, inside = estimators[kind]
    expected = numbers(ask(display.from_fitted, inside))
    np.testing.assert_equal(numbers(ask(display.from_fitted, estimator)), expected)


@pytest.mark.parametrize("display", ASKING)
def test_what_holds_no_fitted_ridge_is_refused(pyplot, rows, display):
    for wrong in (Ridge().fit(*rows), DeterministicEquivalentRidge):
        with pytest.raises(TypeError, match="must be a fitted DeterministicEquivalentRidge"):
            display.from_fitted(wrong)
    with pytest.raises(NotFittedError):
        display.from_fitted(DeterministicEquivalentRidge())


@pytest.mark.parametrize("display", ASKING)
def test_numbers_out_of_range_are_refused_alike(pyplot, ridge, display):
    known = parameters(display.from_fitted)
    if "n_samples" in known:
        message = "n_samples must be finite and at least 1|sizes.* must be"
        with pytest.raises(ValueError, match=message):
            display.from_fitted(ridge, n_samples=[0, 10])
    if "alpha" in known:
        with pytest.raises(ValueError, match="alpha must be one number, 'optimal' or None"):
            display.from_fitted(ridge, alpha=[1.0, 2.0])


@pytest.mark.parametrize("display", DISPLAYS)
def test_a_parameter_has_one_name_and_one_default_everywhere(display):
    functions = [display, display.plot, *doors(display).values()]
    for function in functions:
        found = parameters(function)
        assert set(found) <= set(VOCABULARY)
        if "level" in found:
            assert found["level"].default == 0.9
        if function is not display:
            assert found["ax"].default is None
        if function not in (display, display.plot):
            assert found["ax"].kind is inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize("door", ["from_fitted", "from_estimator"])
def test_what_is_asked_has_one_order_and_one_default(display, door):
    found = parameters(getattr(display, door))
    mine = [name for name in found if name in ASKED]
    assert mine == [name for name in ASKED if name in mine]
    assert {name: found[name].default for name in mine} == {name: ASKED[name] for name in mine}
    keywords = [p.kind is inspect.Parameter.KEYWORD_ONLY for p in map(found.get, mine)]
    assert all(keywords)
    named = [name for name in found if found[name].kind is not inspect.Parameter.VAR_KEYWORD]
    assert named[-1] == "ax"


def test_the_vocabulary_holds_no_unused_word():
    used = set()
    for display in DISPLAYS:
        for function in (display, *doors(display).values()):
            used |= set(parameters(function))
    assert used - {"args"} == set(VOCABULARY)


@pytest.mark.parametrize("display", DISPLAYS)
def test_a_display_is_made_by_what_it_does(display):
    """All ask a fitted model, all fit one, and most draw what is at hand."""
    rows = ["X", "y"] if display is DYNAMICS else []
    assert list(parameters(display.from_fitted))[1 : 1 + len(rows)] == rows
    first = list(parameters(display.from_estimator))[:3]
    assert first == ["estimator", "X", "y"]
    assert (
        "from_predictions" in doors(display)
        or "from_result" in doors(display)
        or (display is displays.SpectrumDisplay)
    )


@pytest.mark.parametrize("display", [d for d in ASKING if "Curve" not in d.__name__])
def test_from_estimator_fits_a_clone_and_asks_it(pyplot, rows, display):
    for unfitted in (
        DeterministicEquivalentRidge(2.0, fit_intercept=False),
        Ridge(2.0, fit_intercept=False),
    ):
        drawn = display.from_estimator(unfitted, *rows, **few_of(display))
        fitted = DeterministicEquivalentRidge(2.0, fit_intercept=False).fit(*rows)
        np.testing.assert_equal(numbers(drawn), numbers(ask(display.from_fitted, fitted)))
        assert not hasattr(unfitted, "coef_"), "a clone was fitted"


@pytest.mark.parametrize("display", ASKING)
def test_from_estimator_needs_nothing_but_rows(pyplot, rows, display):
    more = {"n_repeats": 1} if "Curve" in display.__name__ else {}
    groups = np.arange(len(rows[1])) // 3
    display.from_estimator(DeterministicEquivalentRidge(), *rows, groups=groups, **more)
    labels = np.where(rows[1] > np.median(rows[1]), "high", "low")
    pipeline = make_pipeline(StandardScaler(), RidgeClassifier(1.0))
    drawn = display.from_estimator(pipeline, rows[0], labels, **more)
    assert getattr(drawn, "metric", "error_rate") == "error_rate"
    with pytest.raises(TypeError, match="estimator"):
        display.from_estimator(Ridge, *rows)


@pytest.mark.parametrize("display", ASKING)
def test_plot_draws_into_new_or_given_axes(pyplot, ridge, display):
    drawn = ask(display.from_fitted, ridge)
    first, stored = drawn.figure_, numbers(drawn)
    assert drawn.plot() is drawn and drawn.figure_ is not first
    count = len(first.axes) if display is displays.SpectrumDisplay else 1
    figure, ax = pyplot.subplots(1, count)
    assert drawn.plot(ax=ax).figure_ is figure
    mine = drawn.axes_ if display is displays.SpectrumDisplay else drawn.ax_
    np.testing.assert_array_equal(mine, ax)
    np.testing.assert_equal(numbers(drawn), stored)
    drawn.figure_.canvas.draw()


@pytest.mark.parametrize("display", ASKING)
def test_wrong_axes_are_refused(pyplot, ridge, display):
    wrong = ["a", "b"] if display is displays.SpectrumDisplay else "a"
    with pytest.raises(TypeError, match="must be matplotlib Axes or None"):
        display.from_fitted(ridge, ax=wrong)
    with pytest.raises(TypeError, match="must be matplotlib Axes or None"):
        ask(display.from_fitted, ridge).plot(ax=wrong)


@pytest.mark.parametrize("display", DISPLAYS)
def test_wrong_axes_are_refused_before_any_fit(pyplot, display):
    wrong = ["a", "b"] if display is displays.SpectrumDisplay else "a"
    with pytest.raises(TypeError, match="must be matplotlib Axes or None"):
        display.from_estimator(None, None, None, ax=wrong)


def test_a_display_without_matplotlib_names_the_remedy(monkeypatch, ridge):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    for display in ASKING:
        message = rf"{display.__name__}\.from_fitted needs matplotlib: pip install \"sk-deepfeat"
        with pytest.raises(ImportError, match=message):
            display.from_fitted(ridge)
    for display in DISPLAYS:
        with pytest.raises(ImportError, match=r"from_estimator needs matplotlib"):
            display.from_estimator(None, None, None)
