"""A call that is drawn: what is called, with which arguments, and what its answer must hold."""

import inspect
import re

from hypothesis import strategies as st
from judgement import Refused, judged
from odd_values import argument, made

_RAISES = re.compile(r"\n\s*Raises\n\s*-+\n(.*?)(?:\n\s*\n\s*\w+\n\s*-+\n|\Z)", re.DOTALL)
_KIND = re.compile(r"^\s*([A-Z]\w*(?:Error|Warning|Exception))", re.MULTILINE)


class Fresh:
    """A value that is made where it is used, shown by its name."""

    def __init__(self, name, maker):
        self.name, self.fresh = name, maker

    def __repr__(self):
        return self.name


class Call:
    """A function, or a bound method by its owner's name, with its arguments."""

    def __init__(self, name, function, arguments, names=()):
        self.name, self.function, self.arguments = name, function, arguments
        self.names = {*parameters(function), *names}

    def __repr__(self):
        inside = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.name}({inside})"

    def run(self):
        """Return the answer, or `Refused`; raise `Finding` for anything else."""
        given = {name: made(value) for name, value in self.arguments.items()}
        variable = [
            name
            for name, each in parameters(self.function).items()
            if each.kind is inspect.Parameter.VAR_POSITIONAL
        ]
        many = []
        for name in variable:
            value = given.pop(name, ())
            many += value if isinstance(value, tuple) else [value]
        return judged(
            lambda: self.function(*many, **given),
            names=self.names,
            documented=documented(self.function),
        )


def parameters(function):
    """Return the parameters by their names."""
    return {
        name: each
        for name, each in inspect.signature(function).parameters.items()
        if name != "self"
    }


def documented(function):
    """Return the names of the exceptions that the docstring says are raised."""
    found = _RAISES.search(inspect.getdoc(function) or "")
    return tuple(_KIND.findall(found.group(1))) if found else ()


@st.composite
def call_of(draw, name, function, good, names=()):
    """Draw a call of a function whose parameters have good values by their names.

    Optional parameters are left out half of the time.
    """
    given = {}
    for key, each in parameters(function).items():
        if each.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        needed = each.default is inspect.Parameter.empty
        if needed or draw(st.booleans()):
            given[key] = draw(argument(good(key)))
    return Call(name, function, given, names)


def is_answer(result):
    return not isinstance(result, Refused)
