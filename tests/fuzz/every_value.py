"""Every argument of what is public with every odd value, all else as it should be."""

import functools
import inspect
import itertools
import random

import hypothesis
from estimator_calls import (
    CLASSIFIERS,
    OF_POPULATIONS,
    POPULATIONS,
    QUESTIONS,
    REGRESSORS,
    Fit,
    Question,
    fitted_models,
    good_parameter,
    good_question,
)
from fuzzed_calls import Call, parameters
from odd_rows import Labels, Rows, Targets
from odd_values import odd_values
from public_calls import MESSAGES, PublicCall, functions, good_value

from sk_deepfeat import RandomDeepFeatures

# One of each kind; the others answer through the same code.
_MODELS = (
    *("ridge(leave-one-out)", "ridge(plug-in)", "ridge(lanczos)", "ridge(groups)"),
    *("classifier", "classifier(groups)", "two stages", "classes in two stages"),
    *("LeaveOneOutPopulation", "ExactPopulation"),
)

_FEWER = {"write_report": 7}


def _first(strategy):
    """Return the simplest value of a strategy that is not None."""
    return hypothesis.find(
        strategy,
        lambda value: value is not None,
        settings=hypothesis.settings(database=None, deadline=None),
        random=random.Random(0),
    )


def _needed(function, good):
    return {
        name: _first(good(name))
        for name, each in parameters(function).items()
        if each.default is inspect.Parameter.empty
        and each.kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        and good(name) is not None
    }


def public_calls_of(name):
    """Yield the calls of one public function."""
    function = functions()[name]
    needed = _needed(function, functools.partial(good_value, name))
    for key, each in parameters(function).items():
        if each.kind is not inspect.Parameter.VAR_KEYWORD:
            for value in odd_values():
                yield PublicCall(Call(name, function, needed | {key: value}, MESSAGES))


def fits_of(kind):
    """Yield fits of one kind of estimator."""
    table = Rows(12, 3, 0, "none", 1.0, "array")
    y = Labels(table, "two", 0) if kind in CLASSIFIERS else Targets(table, "linear", 0)
    rows = {"X": table, "y": y}
    needed = _needed(kind, good_parameter)
    for key in parameters(kind):
        if key != "verbose" and good_parameter(key) is not None:
            for value in odd_values():
                yield Fit(kind, needed | {key: value}, rows, (), "fit")
    for key in (*rows, "sample_weight", "groups"):
        for value in odd_values():
            yield Fit(kind, needed, rows | {key: value}, (), "fit")


def questions_to(model):
    """Yield questions to one of the fitted models."""
    fitted = fitted_models()[model]
    for name in (*QUESTIONS, *OF_POPULATIONS):
        method = getattr(fitted, name, None)
        if method is None or not callable(method):
            continue
        needed = _needed(method, good_question)
        for key in parameters(method):
            if good_question(key) is not None:
                for value in odd_values():
                    yield Question(model, name, needed | {key: value})


def _sweeps():
    """Yield the names of sweeps, and what yields the examples of each."""
    for name in functions():
        yield name, functools.partial(public_calls_of, name)
    for kind in (*REGRESSORS, *CLASSIFIERS, *POPULATIONS, RandomDeepFeatures):
        yield f"fit of {kind.__name__}", functools.partial(fits_of, kind)
    for model in _MODELS:
        yield f"questions to {model}", functools.partial(questions_to, model)


def every_example(step=1):
    """Yield every `step`-th example of all sweeps; of those that draw pages fewer."""
    for name, examples in _sweeps():
        yield from itertools.islice(examples(), None, None, step * _FEWER.get(name, 1))
