"""Strategies: every public function, and every class that users construct, by its arguments."""

import contextlib
import functools
import inspect
import re
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np
from estimator_calls import ALPHAS, SAMPLE_SIZES, fitted_models
from fuzzed_calls import Fresh, call_of, is_answer, parameters
from hypothesis import strategies as st
from judgement import judged, numbers_in, require
from odd_rows import fit_arguments
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    theory,
)
from sk_deepfeat.activations import erf, relu, sign, tanh
from sk_deepfeat.plugins import lookup

API = Path(__file__).parents[2] / "docs" / "api.rst"

# Public names that are no functions of a user's values, each with what covers it.
NOT_CALLED = {
    "sk_deepfeat.TrainedDeepFeatures": "`trained_fits`; its rows as of the random ones",
    "sk_deepfeat.RandomDeepFeatures": "`fits`",
    "sk_deepfeat.DeterministicEquivalentRidge": "`fits` and `questions`",
    "sk_deepfeat.DeterministicEquivalentRidgeClassifier": "`fits` and `questions`",
    "sk_deepfeat.TwoStageRegressor": "`fits` and `questions`",
    "sk_deepfeat.TwoStageClassifier": "`fits` and `questions`",
    "sk_deepfeat.populations.PlugInPopulation": "`fits` and `questions`",
    "sk_deepfeat.populations.GCVPopulation": "`fits` and `questions`",
    "sk_deepfeat.populations.LeaveOneOutPopulation": "`fits` and `questions`",
    "sk_deepfeat.populations.LanczosPopulation": "`fits` and `questions`",
    "sk_deepfeat.linear_model.ErrorPredictor": "asked through every fitted estimator",
    "sk_deepfeat.linear_model.ClassErrorPredictor": "asked through every fitted estimator",
    "sk_deepfeat.linear_model.ClassErrors": "an answer",
    "sk_deepfeat.model_selection.RidgeLearningCurve": "an answer",
    "sk_deepfeat.populations.CalibrationCheck": "an answer",
    "sk_deepfeat.plugins.Activation": "a protocol",
    "sk_deepfeat.plugins.FeatureMap": "a protocol",
    "sk_deepfeat.plugins.Population": "a protocol",
    "sk_deepfeat.exceptions.PopulationWarning": "a warning",
    "sk_deepfeat.testing.check_feature_map": "raises whatever a plugin's code raises",
    "sk_deepfeat.testing.check_population": "raises whatever a plugin's code raises",
    "sk_deepfeat.theory.ErrorSurface": "made of other answers by the populations",
    "sk_deepfeat.theory.ClassSurface": "made of other answers by the populations",
    "sk_deepfeat.theory.Loss": "of clouds, which the surfaces make",
    "sk_deepfeat.theory.SampledFactorization": "what `factorize_sums` answers",
    "sk_deepfeat.theory.RidgeFactorization": "what `ridge_factorization` answers",
    "sk_deepfeat.theory.UnfactorizedRows": "what `unfactorized_rows` answers",
    **{
        f"sk_deepfeat.theory.{name}": "an answer"
        for name in (
            *("RidgeRisk", "GaussianMixtureRisk", "KappaCurve", "CurveRisk", "SubsetErrors"),
            *("Calibration", "CalibrationSize", "ClassAnswer", "ErrorAnswer", "TargetVariance"),
            *("ErrorDecomposition", "RainbowCovariances", "AnnealedConstants", "AnnealedCross"),
            "ActivationMoments",
        )
    },
}


def public_names():
    """Return every name of the reference, with its module."""
    names, module = [], ""
    for line in API.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\.\. module:: (\S+)", line):
            module = found.group(1)
        elif found := re.match(r"   (\w+)$", line):
            names.append(f"{module}.{found.group(1)}")
    return names


def public_object(name):
    """Return what a name of the reference stands for."""
    module, attribute = name.rsplit(".", 1)
    return getattr(import_module(module), attribute)


@functools.cache
def _rows():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(30, 4))
    return X, X[:, 0] + 0.3 * rng.normal(size=30)


@functools.cache
def _factorization():
    return theory.ridge_factorization(*_rows())


@functools.cache
def _grouped():
    return theory.ridge_factorization(*_rows(), groups=np.arange(30) // 3)


@functools.cache
def _curve():
    return theory.leave_one_out_curve(_factorization())


def _sums():
    return theory.GramAccumulator(reservoir_size=20).add(*_rows())


@functools.cache
def _map():
    return RandomDeepFeatures((3,), "tanh", random_state=0).draw(4)


@functools.cache
def _teacher():
    return RandomDeepFeatures((2,), "relu", random_state=1).draw(4)


def _of(*values):
    return st.sampled_from(values)


_FITTED = _of(
    *(
        Fresh(name, lambda name=name: fitted_models()[name])
        for name in (
            *("ridge(leave-one-out)", "ridge(gcv)", "ridge(two outputs)", "ridge(groups)"),
            *("ridge(few rows)", "classifier", "classifier(three)", "two stages", "pipeline"),
            *("classes in two stages", "ridge(per target)", "ridge(wide)"),
        )
    )
)
_UNFITTED = _of(
    *(Fresh("DeterministicEquivalentRidge()", DeterministicEquivalentRidge),) * 3,
    Fresh("DeterministicEquivalentRidgeClassifier()", DeterministicEquivalentRidgeClassifier),
    Fresh("Ridge()", Ridge),
    Fresh("pipeline", lambda: make_pipeline(StandardScaler(), Ridge())),
    Fresh(
        "two steps",
        lambda: make_pipeline(
            FrozenEstimator(StandardScaler().fit(_rows()[0])), DeterministicEquivalentRidge()
        ),
    ),
)
_X = Fresh("X", lambda: _rows()[0])
_Y = _of(Fresh("y", lambda: _rows()[1]), Fresh("y > 0", lambda: (_rows()[1] > 0).astype(int)))
_PATH = _of(Fresh("factorization", _factorization), Fresh("grouped", _grouped))
_SPECTRUM = _of(
    [1.0, 0.5, 0.1], [1.0, 0.0, 0.0], [1e6, 1.0, 1e-6], np.ones(3), [1e-9, 1e-9, 1e-9], (3, 2, 1)
)
_MATRIX = _of(
    np.eye(3), np.diag([1.0, 0.5, 0.0]), np.full((3, 3), 0.5) + np.eye(3), np.ones((3, 3))
)
_ACTIVATION = _of(relu, tanh, erf, sign, np.sin, np.square, abs)
_NAMED = _of("relu", "tanh", "erf", ["relu"], ["tanh", "relu"], np.sin)
_COUNT = _of(1, 2, 5, 20, 30)
_INPUTS = _of(
    np.eye(4), np.ones(4), np.diag([1.0, 0.5, 0.0, 0.0]), 0.9 * np.ones((4, 4)) + np.eye(4)
)
_WEIGHTS = _of(
    [np.ones((3, 4))], [np.eye(4)], [np.ones((3, 4)), np.ones((2, 3))], [np.zeros((3, 4))]
)
_LAYERS = _of([np.eye(4)], [np.ones(4)], [np.eye(4), np.ones(3)])

# Good values by the name of a parameter, or of a function and a parameter.
GOOD = {
    "eigenvalues": _SPECTRUM,
    "n_samples": SAMPLE_SIZES.filter(lambda value: value is not None),
    "alpha": ALPHAS.filter(lambda value: value is not None and not isinstance(value, str)),
    "kappa": _of(0.0, 1e-9, 0.1, 10.0, [0.1, 1e9]),
    "target_coefs": _of([0.5, 0.1, 0.0], np.zeros(3), [0.3, 0.2, 0.05]),
    "target_second_moment": _of(1.0, 3, 100.0),
    "fit_intercept": st.booleans(),
    "stratified": st.booleans(),
    "means": _of([[1.0, 0.0], [-1.0, 0.0]], np.eye(3), [[0.0], [3.0]], [[0.0, 0.0], [0.0, 0.0]]),
    "covariances": _of(1.0, 0.5, [1.0, 2.0], np.eye(2), None),
    "priors": _of(None, [0.5, 0.5], [0.1, 0.9], [1 / 3, 1 / 3, 1 / 3]),
    "codes": _of(None, [1.0, -1.0], [[1.0], [-1.0]], np.eye(3)),
    "second_moment": _MATRIX,
    "matrix": _MATRIX,
    "moment": _of(np.ones(3) / 3, np.zeros(3)),
    "resolvent_equivalent.n_samples": _of(1, 10, 1e6),
    "resolvent_equivalent.alpha": _of(1e-6, 1.0, 1e6),
    "resolvent_product_equivalent.n_samples": _of(1, 10, 1e6),
    "resolvent_product_equivalent.alpha": _of(1e-6, 1.0, 1e6),
    "expected_quadratic_form.n_samples": _of(1, 10, 1e6),
    "expected_quadratic_form.alpha": _of(1e-6, 1.0, 1e6),
    "features": _of(_X),
    "targets": _Y,
    "sample_weight": _of(None, np.ones(30), np.linspace(0.5, 1.5, 30), np.arange(30) % 2),
    "groups": _of(None, np.arange(30) // 3, ["a", "b"] * 15, np.zeros(30)),
    "labels": _of(None, np.arange(30) // 3, ["a", "b"], ["a", "b"] * 15, [0, 1, 2]),
    "exact_at": _of((), [1.0], [0.1, 0.0]),
    "rows_elsewhere": st.none(),
    "n_sampled": _of(2000, 10),
    "factorization": _PATH,
    "ridge": _of(0.0, 1e-9, 1.0, 1e6),
    "n_grid": _of(120, 20, 5),
    "n_blocks": _of(20, 2, 5),
    "curve": _of(Fresh("curve", _curve)),
    "size": _of(5, 10, 29),
    "sizes": _of(None, [10], [5, 20]),
    "fine": st.booleans(),
    "seed": _of(0, 3),
    "n_subsets": _of(1, 2, 8),
    "subset_errors.alpha": _of([1.0], np.array([0.1, 10.0])),
    "sums": _of(Fresh("sums", _sums)),
    "reservoir_size": _of(10, 0, 100),
    "random_state": _of(0, 3),
    "n_expected": _of(None, 10, 100),
    "n_classes": _of(2, 3),
    "weights": _of(None, np.ones(30)),
    "RowClasses.labels": _of(np.arange(30) % 2, [0, 1] * 15),
    "RowGroups.labels": _of(np.arange(30) // 3, ["a", "b"] * 15),
    "balanced": st.booleans(),
    "function": _of(Fresh("parabola", lambda: lambda a: (np.log(a) - 1) ** 2), np.sin, abs),
    "low": _of(1e-6, 1.0),
    "high": _of(1e6, 1.0, 1e3),
    "points_per_decade": _of(16, 1, 4),
    "zooms": _of(6, 0, 1),
    "error": _of(Fresh("1/n", lambda: lambda n: 1.0 / n), Fresh("1", lambda: np.ones_like)),
    "target": _of(0.1, 1e-3, 2.0),
    "monotone": st.booleans(),
    "smallest": _of(1.0, 10.0),
    "largest": _of(2.0**50, 100.0),
    "settled_from": _of(1.0, 10.0),
    "activation": _ACTIVATION,
    "other": _ACTIVATION,
    "order": _of(1, 2, 4, 0),
    "mean": _of(0.0, 1.0, [0.0, 1.0]),
    "std": _of(1.0, 0.1, 0.0, [1.0, 2.0]),
    "other_mean": _of(0.0, 1.0),
    "other_std": _of(1.0, 0.5),
    "covariance": _of(0.0, 0.3, 0.05, -0.04),
    "rainbow_covariances.weights": _WEIGHTS,
    "teacher_weights": _of(None, [np.ones((2, 4))]),
    "activations": _NAMED,
    "teacher_activations": _of(None, "relu", ["tanh"]),
    "input_covariance": _INPUTS,
    "input_mean": _of(None, np.zeros(4), np.ones(4)),
    "paired_rows": _of(None, 0, 1, [1], True, False),
    "biases": _of(None, [None], [np.ones(3)]),
    "teacher_biases": _of(None, [None], [np.ones(2)]),
    "method": _of("per-unit", "averaged", "exact", "hermite"),
    "finite_width": st.booleans(),
    "weight_covariances": _LAYERS,
    "teacher_weight_covariances": _LAYERS,
    "cross_weight_covariances": _LAYERS,
    "hidden_layer_sizes": _of(None, [3], [3, 2], 3),
    "n_units": _of(None, 3, 10),
    "estimator": _FITTED,
    "ridge_learning_curve.estimator": _UNFITTED,
    "from_estimator.estimator": _UNFITTED,
    "X": _of(_X),
    "y": _Y,
    "train_sizes": _of(None, [5, 10], [0.5, 1.0], 10, [20]),
    "alphas": _of(None, [1.0], [0.1, 10.0], [0.0]),
    "n_repeats": _of(1, 2, 3),
    "test_size": _of(0.1, 0.3, 5),
    "population": _of(None, "gcv", "plug-in", "leave-one-out"),
    "scoring": _of(None, "r2", "accuracy", "neg_mean_squared_error"),
    "n_jobs": _of(None, 1),
    "verbose": _of(0, False),
    "level": _of(0.9, 0.5),
    "arrays": _of((_rows()[0],), (_rows()[0], _rows()[1]), ([1, 2, 3, 4, 5, 6, 7, 8],), ()),
    "four_way_split.sizes": _of((0.1, 0.25, 0.25, 0.4), (1, 1, 1, 1), (0.25, 0.25, 0.25, 0.2)),
    "n_rows": _of(1, 10, 30),
    "block_length": _of(1, 3, 100),
    "ax": st.none(),
    "metric": _of("mse", "error_rate", None, "rmse"),
    "outputs": _of("mean", "each"),
    "over": _of("n_samples", "alpha"),
    "path": _of("page.html", Path("page.html"), "nowhere/page.html"),
    "load_features.path": _of("nowhere.npz", Path("nowhere"), "."),
    "load_features.module": st.none(),
    "module_params": st.none(),
    "memory": _of(None, "cells"),
    "load_features.activation": _of(None, "relu"),
    "weight_covariance": st.none(),
    "device": _of(None, "cpu"),
    "title": _of(None, "<script>", "ä"),
    "target_name": _of(None, "price", "<b>"),
    "columns": _of(None, [("a", "scaled")], []),
    "write_report.targets": _of(None, [0.1, 0.2], [1.0]),
    "write_report.y": _of(None, *(Fresh("y", lambda: _rows()[1]),) * 2),
    "Omega": _of(np.eye(3), np.ones(3), np.diag([1.0, 0.0, 0.0])),
    "psi": _of(np.ones(3) / 3, np.zeros(3), np.ones((3, 2)) / 4),
    "rho": _of(1.0, 3, 2 * np.eye(2)),
    "feature_mean": _of(None, np.zeros(3), 0.1 * np.ones(3)),
    "target_mean": _of(None, 0.0, 0.1),
    "feature_map": _of(
        Fresh("map", _map),
        Fresh("frozen map", lambda: FrozenEstimator(_map())),
        Fresh("unfitted map", lambda: RandomDeepFeatures((3,))),
    ),
    "LinearizedPopulation.target": _of(
        None,
        Fresh("(teacher, readout)", lambda: (FrozenEstimator(_teacher()), np.ones(2))),
        (np.ones(3) / 4, 2.0),
        (np.ones((3, 2)) / 4, 2 * np.eye(2)),
    ),
    "noise": _of(0.0, 0.1, 2),
    "learner": _of(Fresh("map", _map)),
    "teacher": _of(Fresh("teacher", _teacher)),
    "readout": _of(None, np.ones(2), np.ones((2, 2))),
    "return_inputs": st.booleans(),
    "make_rainbow_regression.n_samples": _COUNT,
    "make_teacher_student.n_samples": _COUNT,
    "make_teacher_student.activation": _of("tanh", "relu", np.sin),
    "make_teacher_student.n_features": _of(4, 1),
    "make_gaussian_classes.n_samples": _COUNT,
    "make_gaussian_classes.means": _of(None, [[1.0, 0.0], [-1.0, 0.0]]),
    "n_features": _of(1, 4, 10),
    "make_gaussian_classes.n_classes": _of(2, 3, 5),
    "class_sep": _of(0.0, 1.0, 10.0),
    "teacher_size": _of(1, 3),
    "data_home": _of(Path("nowhere"), "nowhere"),
    "download": st.just(False),
    "return_X_y": st.booleans(),
    "value": _of("relu", tanh, np.sin, None),
    "resolve.value": _of("relu", "gcv", "random", None),
    "CallableActivation.function": _ACTIVATION,
    "kind": _of("populations", "feature_maps", "activations", "nothing"),
    "name": _of("mine", "relu", "gcv", ""),
    "register.target": _of("sk_deepfeat.activations:relu", "nowhere:a", relu, "a"),
    "plugin": _of(relu, Fresh("Ridge()", Ridge)),
    "require_same_data.population": _of(
        Fresh("population", lambda: fitted_models()["GCVPopulation"])
    ),
    "output_shape": _of((), (2,)),
    "pipeline": _of(
        Fresh("pipeline", lambda: make_pipeline(StandardScaler(), DeterministicEquivalentRidge()))
    ),
    "sample_size": _of(10, 10_000),
    "keep_fitted": st.booleans(),
    "showing.verbose": st.booleans(),
    # Displays
    "from_predictions.n_samples": _of([10, 20], [5.0, 100.0]),
    "from_predictions.alphas": _of([0.1, 1.0], None),
    "test_error": _of(np.ones((2, 2)), np.array([[1.0, np.nan], [2.0, 3.0]]), np.ones(2)),
    "from_predictions.optimal_alpha": _of(None, [0.1, 1.0], [np.nan, 1.0]),
    "reachable": _of(None, np.ones((2, 2), dtype=bool)),
    "n_fitted": _of(None, 15, 15.0),
    "decomposition": _of(
        Fresh(
            "decomposition",
            lambda: fitted_models()["ridge(plug-in)"].predict_decomposition([10, 20]),
        )
    ),
    "epochs": _of([0, 1], None, [1, 2]),
    "lower": _of(None, np.zeros((2, 2))),
    "upper": _of(None, 2 * np.ones((2, 2))),
    "from_result.check": _of(
        Fresh("check", lambda: fitted_models()["ridge(leave-one-out)"].calibration_check())
    ),
    "from_fitted.alpha": ALPHAS,
    "from_fitted.n_samples": SAMPLE_SIZES,
    "from_predictions.alpha": _of(None, 1.0, [0.1, 1.0]),
    "from_result.curve": _of(Fresh("learning curve", lambda: _learning_curve())),
    "TrainingDynamicsDisplay.from_fitted.readout": st.none(),
    "predict_test_error.n_samples": SAMPLE_SIZES,
    "predict_test_error.alpha": ALPHAS,
}


@functools.cache
def _learning_curve():
    from sk_deepfeat.model_selection import ridge_learning_curve

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ridge_learning_curve(
            DeterministicEquivalentRidge(),
            *_rows(),
            train_sizes=[10],
            alphas=[0.1, 1.0],
            n_repeats=2,
            random_state=0,
        )


def good_value(owner, name):
    """Return the strategy of a parameter, by its function if it has one of its own."""
    for key in (f"{owner}.{name}", f"{owner.rsplit('.', 1)[-1]}.{name}", name):
        if key in GOOD:
            return GOOD[key]
    raise KeyError(f"{owner}.{name} has no good value in GOOD")


def _functions():
    """Yield the names and functions that are called, class methods of displays among them."""
    for name in public_names():
        if name in NOT_CALLED:
            continue
        value = public_object(name)
        short = name.rsplit(".", 1)[-1]
        if not short.endswith("Display"):
            yield short if name != "sk_deepfeat.theory.optimal_alpha" else "optimal_alpha", value
            continue
        for method in ("from_fitted", "from_estimator", "from_predictions", "from_result"):
            if hasattr(value, method):
                yield f"{short}.{method}", getattr(value, method)


@functools.cache
def functions():
    """Return what is called, by its name."""
    return dict(_functions())


class PublicCall:
    """One call, with what is left behind put away."""

    def __init__(self, call):
        self.call = call

    def __repr__(self):
        return repr(self.call)

    def run(self):
        with _tidy():
            answer = self.call.run()
            if is_answer(answer):
                _check(self.call.name, answer)
                for step in FOLLOWING.get(self.call.name, ()):
                    judged(lambda step=step: step(answer), names={*self.call.names, *MESSAGES})


def _asked(population):
    return population.fit().test_error([5, 50], 1.0), population.optimal_alpha([5.0])


# What is done next with an object that was constructed.
FOLLOWING = {
    "ExactPopulation": (_asked,),
    "LinearizedPopulation": (_asked,),
    "GramAccumulator": (lambda sums: theory.factorize_sums(sums.add(*_rows())).coefs([0.1]),),
    "factorize_sums": (
        lambda found: found.coefs([0.1, 10.0]),
        lambda found: theory.gcv_curve(found),
    ),
    "ridge_factorization": (
        lambda found: found.coefs([0.1, 10.0]),
        lambda found: theory.leave_one_out_curve(found),
    ),
    "unfactorized_rows": (lambda found: found.solution(1.0),),
    "GaussianClasses": (
        lambda drawn: drawn.sample(5, random_state=0),
        lambda drawn: (drawn.error_rate([10, 50], 1.0), drawn.class_errors(20, 0.1)),
    ),
    "CallableActivation": (lambda found: (found(np.ones(3)), found.derivative(np.ones(3))),),
    "RowGroups": (lambda groups: groups.blocks(2),),
    "show": (lambda card: card._repr_html_(),),
}


@contextlib.contextmanager
def _tidy():
    registered = {kind: dict(table) for kind, table in lookup._registered.items()}
    try:
        yield
    finally:
        for kind, table in registered.items():
            lookup._registered[kind].clear()
            lookup._registered[kind].update(table)
        with contextlib.suppress(ImportError):
            import matplotlib.pyplot as plt

            plt.close("all")


_NOT_NEGATIVE = (
    *("solve_kappa", "degrees_of_freedom", "optimal_alpha", "annealed_spectrum"),
    *("predict_test_error", "gaussian_mixture_risk"),
)


def _check(name, answer):
    if name in _NOT_NEGATIVE:
        for array in numbers_in(answer[:4] if name == "gaussian_mixture_risk" else answer):
            require(~(array < 0), f"{name} is not negative", answer)
    if name == "ridge_risk" and np.ndim(answer.test_error) == np.ndim(answer.kappa):
        for field, array in answer._asdict().items():
            require(~(np.asarray(array) < 0), f"{field} is not negative", answer)
    if name == "optimal_slope":
        require(~(answer > 0), "more samples do not hurt", answer)
    if name in ("solve_kappa", "ridge_risk"):
        require(~np.isnan(answer[0] if name == "ridge_risk" else answer), "kappa is known", answer)


# Words of messages beside the names of the arguments.
MESSAGES = (
    *("X", "y", "rows", "features", "activation", "activations", "estimator", "population"),
    *("populations", "feature_maps", "groups", "train_sizes", "sizes", "path", "scoring", "array"),
    *("folder", "target_coefs", "y_true"),
)


_SLOW = ("write_report", "ridge_learning_curve")


@st.composite
def public_calls(draw):
    """Draw a call of any public function, of those that draw pictures less often."""
    slow = [name for name in sorted(functions()) if "Display" in name or name in _SLOW]
    quick = sorted(set(functions()) - set(slow))
    name = draw(st.sampled_from(slow if draw(st.integers(0, 9)) == 0 else quick))
    function = functions()[name]
    call = draw(call_of(name, function, lambda key: good_value(name, key), MESSAGES))
    if "X" in call.arguments and "y" in parameters(function) and draw(st.booleans()):
        rows = draw(fit_arguments())
        call.arguments.update({k: v for k, v in rows.items() if k in parameters(function)})
    return PublicCall(call)


@st.composite
def calls_of(draw, name):
    """Draw a call of one public function."""
    return PublicCall(
        draw(call_of(name, functions()[name], lambda key: good_value(name, key), MESSAGES))
    )


def required_values():
    """Yield the parameters of every function that is called."""
    for name, function in functions().items():
        for key, each in parameters(function).items():
            if each.kind is not inspect.Parameter.VAR_KEYWORD:
                yield name, key
