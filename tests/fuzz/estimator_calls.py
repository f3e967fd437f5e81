"""Strategies: estimators with any parameters fitted to any rows, and every question put to them."""

import functools
import inspect
import warnings

import numpy as np
from fuzzed_calls import Call, Fresh, call_of, documented, is_answer, parameters
from hypothesis import strategies as st
from judgement import judged, numbers_in, require
from odd_rows import fit_arguments
from odd_values import argument, made
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageClassifier,
    TwoStageRegressor,
)
from sk_deepfeat.populations import (
    ExactPopulation,
    GCVPopulation,
    LanczosPopulation,
    LeaveOneOutPopulation,
    PlugInPopulation,
)

REGRESSORS = (DeterministicEquivalentRidge, TwoStageRegressor)
CLASSIFIERS = (DeterministicEquivalentRidgeClassifier, TwoStageClassifier)
POPULATIONS = (LeaveOneOutPopulation, GCVPopulation, PlugInPopulation, LanczosPopulation)
_NAMES = ("leave-one-out", "gcv", "plug-in", "lanczos")
_ROUNDED = 1 + 1e-6

SAMPLE_SIZES = st.sampled_from(
    [None, 1, 2, 5, 17, 30, 1000.0, 10**6, 1e9, [10, 20, 1000], np.array([[5.0], [50.0]]), []]
)
ALPHAS = st.sampled_from(
    [None, "optimal", 0, 0.0, 1e-12, 1e-3, 1.0, 30.0, 1e12, [0.1, 1.0, 10.0], [0.0, 1.0], []]
)


def _sources():
    rng = np.random.default_rng(7)
    X = rng.normal(size=(60, 4))
    y = X[:, 0] + 0.3 * rng.normal(size=60)
    return X, y


@functools.cache
def frozen_plug_in():
    """Return a frozen population of four features."""
    return FrozenEstimator(PlugInPopulation().fit(*_sources()))


_POPULATION_VALUES = st.sampled_from(
    [
        *_NAMES * 2,
        *(Fresh(f"{kind.__name__}()", kind) for kind in POPULATIONS),
        Fresh(
            "LeaveOneOutPopulation(extrapolate=True)",
            lambda: LeaveOneOutPopulation(extrapolate=True),
        ),
        Fresh("FrozenEstimator(PlugInPopulation())", frozen_plug_in),
        Fresh("ExactPopulation", lambda: ExactPopulation(np.ones(4), np.ones(4) / 2, 3.0)),
        Fresh("LinearRegression()", LinearRegression),
    ]
)
_MAPS = st.sampled_from(
    [
        *(Fresh("RandomDeepFeatures((6,))", lambda: RandomDeepFeatures((6,), random_state=0)),) * 3,
        Fresh("StandardScaler()", StandardScaler),
        "random",
        "passthrough",
        "nothing",
    ]
)
_READOUTS = st.sampled_from(
    [
        *(Fresh("DeterministicEquivalentRidge()", DeterministicEquivalentRidge),) * 3,
        *(
            Fresh(
                "DeterministicEquivalentRidgeClassifier()", DeterministicEquivalentRidgeClassifier
            ),
        )
        * 3,
        Fresh("Ridge()", Ridge),
        Fresh("pipeline", lambda: make_pipeline(StandardScaler(), DeterministicEquivalentRidge())),
    ]
)
_CONSTRUCTOR = {
    "alpha": st.sampled_from([1.0, 0, 0.0, 1e-9, 1e-3, 1e3, 1e9, "optimal", [0.1, 1.0]]),
    "fit_intercept": st.booleans(),
    "population": _POPULATION_VALUES,
    "alpha_per_target": st.booleans(),
    "block_length": st.sampled_from([None, 1, 2, 5, 100]),
    "reservoir_size": st.sampled_from(["auto", 0, 10, 1000]),
    "class_weight": st.sampled_from([None, "balanced", {0: 1.0, 1: 2.0}, {"a": 3}]),
    "verbose": st.booleans(),
    "feature_map": _MAPS,
    "readout": _READOUTS,
    "feature_size": st.sampled_from([0.5, 0.25, 0.9, 1, 5, 10]),
    "random_state": st.sampled_from([0, None, 3]),
    "hidden_layer_sizes": st.sampled_from([(5,), (3, 4), [2], (1,), 4]),
    "activation": st.sampled_from(["relu", "tanh", "erf", "sign", "identity", np.sin, "none"]),
    "weight_covariance": st.sampled_from([None, 0.5, 1.5, [1.0], np.ones(4), np.eye(4)]),
    "bias_scale": st.sampled_from([0.0, 0.5, 3]),
    "n_grid": st.sampled_from([120, 20, 2, 1]),
    "calibrate": st.sampled_from(["auto", True, False]),
    "extrapolate": st.booleans(),
    "n_folds": st.sampled_from([10, 2, 3]),
    "n_probes": st.sampled_from([16, 1, 2]),
    "n_sampled": st.sampled_from([2000, 10, 2]),
    "max_iter": st.sampled_from([400, 1, 20]),
    "seed": st.sampled_from([0, 1]),
}
_ASKED = {
    "n_samples": SAMPLE_SIZES,
    "alpha": ALPHAS,
    "n_groups": st.sampled_from([None, None, 1, 3, 100, [2, 5]]),
    "multioutput": st.sampled_from(
        ["uniform_average", "raw_values", "variance_weighted", [1.0], [0.3, 0.7]]
    ),
    "return_interval": st.booleans(),
    "level": st.sampled_from([0.9, 0.5, 0.99, 1e-9, 1 - 1e-12]),
    "scoring": st.sampled_from(
        [
            *("r2", "neg_mean_squared_error", "neg_root_mean_squared_error", "accuracy"),
            *("balanced_accuracy", "neg_log_loss", "neg_brier_score", "f1", "roc_auc"),
        ]
    ),
    "metric": st.sampled_from(["error_rate", "squared_error", "balanced_error_rate", "log_loss"]),
    "temperature": st.sampled_from([None, 0.1, 1.0, 10.0]),
    "target_error": st.sampled_from([None, 0.1, 0.3, 0.5, 1.0, 10.0, 0.0]),
    "target_score": st.sampled_from([None, None, 0.1, 0.9, 1.0, -1.0]),
    "kappa": st.sampled_from([None, 0.0, 0.1, 10.0, [0.1, 1e300], 1e-300]),
    "sizes": st.sampled_from([None, [10], [5, 20], 10, [40]]),
    "fit_intercept": st.sampled_from([None, True, False]),
    "variance": st.sampled_from([True, False]),
}
QUESTIONS = (
    *("predict_test_error", "predict_train_error", "predict_decomposition", "predict_kappa"),
    *("degrees_of_freedom", "optimal_alpha", "required_samples", "required_groups", "reachable"),
    *("calibration_check", "predict_score", "predict_class_errors"),
)
OF_POPULATIONS = (
    *("test_error", "train_error", "decomposition", "kappa", "degrees_of_freedom", "interval"),
    *("optimal_alpha", "required_samples", "reachable", "cautious_error", "calibration_check"),
    *("eigenvalues",),
)


def good_parameter(name):
    """Return the strategy of a constructor's parameter, None where it is left alone."""
    return _CONSTRUCTOR.get(name)


def good_question(name):
    """Return the strategy of a question's parameter, None where it is left alone."""
    return _ASKED.get(name)


class Fit:
    """An estimator with its parameters, what it is fitted to, and what it is then asked."""

    def __init__(self, kind, parameters_, rows, questions, again):
        self.kind, self.parameters, self.rows = kind, parameters_, rows
        self.questions, self.again = questions, again

    def __repr__(self):
        inside = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        rows = ", ".join(f"{name}={value!r}" for name, value in self.rows.items())
        asked = "".join(
            f"\n    .{name}({', '.join(f'{k}={v!r}' for k, v in given.items())})"
            for name, given in self.questions
        )
        return f"{self.kind.__name__}({inside})\n    .{self.again}({rows}){asked}"

    def run(self):
        """Fit and ask; raise `Finding` for what must not be."""
        names = {*parameters(self.kind), *_ROWS_NAMES}
        given = {name: made(value) for name, value in self.parameters.items()}
        model = judged(lambda: self.kind(**given), names=names)
        if not is_answer(model):
            return
        fit = getattr(model, self.again, None)
        if fit is None:
            return
        rows = {name: made(value) for name, value in self.rows.items() if name in parameters(fit)}
        fitted = judged(lambda: fit(**rows), names=names, documented=documented(fit))
        if not is_answer(fitted):
            return
        for attribute in ("coef_", "intercept_", "alpha_", "test_error_", "train_error_", "kappa_"):
            _check_attribute(model, attribute, names)
        if hasattr(model, "predict"):
            prediction = judged(lambda: model.predict(made(self.rows["X"])), names=names)
            if is_answer(prediction) and np.asarray(prediction).dtype.kind == "f":
                require(np.isfinite(prediction), "finite predictions", prediction)
        if hasattr(model, "transform"):
            judged(lambda: model.transform(made(self.rows["X"])), names=names)
        for question, arguments in self.questions:
            ask(model, question, arguments, names)


# Words of messages about what `fit` was given, beside the names of its arguments.
_ROWS_NAMES = (
    *("X", "y", "sample_weight", "groups", "labels", "classes", "rows", "populations"),
    *("feature_maps", "activations", "block_length"),
)


def _check_attribute(model, name, names):
    if name not in dir(model):
        return
    value = judged(lambda: getattr(model, name), names=names, documented=("AttributeError",))
    if is_answer(value) and name in ("alpha_", "test_error_", "train_error_", "kappa_"):
        _not_negative(value, name)


def _not_negative(values, what):
    """Require that nothing is below zero; errors of ridgeless fits are infinite at their pole."""
    for array in numbers_in(values):
        require(~(array < 0), f"{what} is not negative", array)


def ask(model, question, arguments, names=()):
    """Put a question to a fitted model and look at the answer."""
    method = getattr(model, question, None)
    if method is None:
        return
    known = parameters(method)
    call = Call(
        f"{type(model).__name__}.{question}",
        method,
        {name: value for name, value in arguments.items() if name in known},
        names,
    )
    answer = call.run()
    if is_answer(answer):
        check_answer(question, answer, call.arguments)


def check_answer(question, answer, arguments):
    """Raise `Finding` if an answer cannot be right."""
    if question in ("predict_test_error", "interval") and isinstance(answer, tuple):
        ends = answer[-2:]
        lower, upper = (np.asarray(end, dtype=np.float64) for end in ends)
        _not_negative(lower, "lower end")
        require(~(lower > upper * _ROUNDED), "lower <= upper", answer)
        if question == "predict_test_error":
            error = np.asarray(answer[0], dtype=np.float64)
            _not_negative(error, "error")
            require(~(lower > error * _ROUNDED), "lower <= error", answer)
            require(~(error > upper * _ROUNDED), "error <= upper", answer)
    elif question in ("predict_test_error", "test_error", "train_error", "predict_train_error"):
        _not_negative(answer, "error")
        if arguments.get("metric") == "error_rate":
            require(~(np.asarray(answer) > 1), "error rates are at most one", answer)
    elif question in ("predict_kappa", "kappa", "optimal_alpha", "cautious_error", "eigenvalues"):
        _not_negative(answer, question)
    elif question in ("predict_decomposition", "decomposition"):
        for name, part in vars(answer).items():
            _not_negative(part, name)
    elif question == "degrees_of_freedom":
        _not_negative(answer, "degrees of freedom")
        df1, df2 = answer
        require(~(df2 > df1 * _ROUNDED + 1e-12), "df2 <= df1", answer)
    elif question in ("required_samples", "required_groups"):
        require(isinstance(answer, float), "a float", answer)
        require(not answer < 1 and (not np.isfinite(answer) or answer == round(answer)), "a count")
    elif question == "predict_score" and not isinstance(answer, tuple):
        require(~(np.asarray(answer) > _ROUNDED), "scores are at most one", answer)
    elif question == "reachable":
        require(np.asarray(answer).dtype == bool, "reachable is of booleans", answer)


@st.composite
def constructed(draw, kind):
    """Draw parameters of a constructor, most of them left as they are."""
    given = {}
    for name, each in parameters(kind).items():
        if name == "random_state":
            given[name] = 0
        elif name == "verbose" or name not in _CONSTRUCTOR:
            continue
        elif each.default is inspect.Parameter.empty or draw(st.integers(0, 3)) == 0:
            given[name] = draw(argument(good_parameter(name)))
    return given


@st.composite
def questions_of(draw, kind, named, most=3):
    """Draw some of the questions that an estimator answers, with arguments."""
    asked = []
    for _ in range(draw(st.integers(0, most))):
        name = draw(st.sampled_from(named))
        method = getattr(kind, name, None)
        if method is None:
            continue
        asked.append((name, draw(_arguments(method))))
    return asked


@st.composite
def _arguments(draw, method):
    return {
        name: draw(argument(good_question(name)))
        for name, each in parameters(method).items()
        if name in _ASKED
        and (each.default is inspect.Parameter.empty or draw(st.integers(0, 2)) == 0)
    }


@st.composite
def fits(draw):
    """Draw an estimator or population, rows for it, and questions."""
    kinds = [*REGRESSORS[:1] * 5, *CLASSIFIERS[:1] * 4, REGRESSORS[1], CLASSIFIERS[1]]
    kind = draw(st.sampled_from([*kinds, *POPULATIONS, RandomDeepFeatures]))
    classes = kind in CLASSIFIERS
    again = "fit"
    if kind is DeterministicEquivalentRidge and draw(st.integers(0, 7)) == 0:
        again = "partial_fit"
    asked = OF_POPULATIONS if kind in POPULATIONS else QUESTIONS
    return Fit(
        kind,
        draw(constructed(kind)),
        draw(fit_arguments(classes)),
        draw(questions_of(kind, asked)),
        again,
    )


@functools.cache
def fitted_models():
    """Return fitted models of every kind, by name; made once."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 4))
    y = X[:, 0] + 0.5 * rng.normal(size=60)
    codes = np.digitize(y, [-0.5, 0.5])
    groups = np.arange(60) // 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ridges = {
            f"ridge({name})": DeterministicEquivalentRidge(0.5, population=name).fit(X, y)
            for name in _NAMES
        }
        return ridges | {
            "ridge(two outputs)": DeterministicEquivalentRidge("optimal").fit(X, np.c_[y, X[:, 1]]),
            "ridge(per target)": DeterministicEquivalentRidge("optimal", alpha_per_target=True).fit(
                X, np.c_[y, X[:, 1]]
            ),
            "ridge(groups)": DeterministicEquivalentRidge().fit(X, y, groups=groups),
            "ridge(wide)": DeterministicEquivalentRidge(0.0).fit(rng.normal(size=(20, 30)), y[:20]),
            "ridge(few rows)": DeterministicEquivalentRidge().fit(X[:5], y[:5]),
            "ridge(no intercept)": DeterministicEquivalentRidge(fit_intercept=False).fit(X, y),
            "ridge(in blocks)": DeterministicEquivalentRidge().partial_fit(X, y),
            "classifier": DeterministicEquivalentRidgeClassifier().fit(X, codes > 0),
            "classifier(three)": DeterministicEquivalentRidgeClassifier("optimal").fit(X, codes),
            "classifier(groups)": DeterministicEquivalentRidgeClassifier().fit(
                X, codes, groups=groups
            ),
            "two stages": TwoStageRegressor(
                RandomDeepFeatures((5,), random_state=0),
                DeterministicEquivalentRidge(),
                random_state=0,
            ).fit(X, y),
            "classes in two stages": TwoStageClassifier(
                RandomDeepFeatures((5,), random_state=0),
                DeterministicEquivalentRidgeClassifier(),
                random_state=0,
            ).fit(X, codes),
            "pipeline": make_pipeline(StandardScaler(), DeterministicEquivalentRidge()).fit(X, y),
            **{kind.__name__: kind().fit(X, y) for kind in POPULATIONS},
            "ExactPopulation": ExactPopulation(np.ones(4), np.ones(4) / 2, 3.0).fit(),
        }


class Question:
    """A question put to one of the fitted models."""

    def __init__(self, model, name, arguments):
        self.model, self.name, self.arguments = model, name, arguments

    def __repr__(self):
        inside = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.model}.{self.name}({inside})"

    def run(self):
        model = fitted_models()[self.model]
        ask(model, self.name, self.arguments, {"population", "groups", "Rows", "rows"})


@st.composite
def questions(draw):
    """Draw a question to a fitted model, about anything."""
    name = draw(st.sampled_from(sorted(fitted_models())))
    model = fitted_models()[name]
    asked = [each for each in (*QUESTIONS, *OF_POPULATIONS) if hasattr(model, each)]
    if not asked:
        return Question(name, "predict", {})
    question = draw(st.sampled_from(asked))
    return Question(name, question, draw(_arguments(getattr(model, question))))


__all__ = ["call_of", "fits", "questions"]
