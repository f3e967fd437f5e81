"""What a fuzzed call may do: a documented answer, or a refusal that names an argument."""

import ast
import functools
import re
import signal
import threading
import traceback
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

import sk_deepfeat
from sk_deepfeat.exceptions import PopulationWarning

SECONDS = 20.0  # of the processor that a call on a few rows may take
_WAITING = 8  # times as many, on the clock
PACKAGE = Path(sk_deepfeat.__file__).parent
SKLEARN = Path(sklearn.__file__).parent
HERE = Path(__file__).parent
# What scikit-learn says in the caller's name.
_OF_SKLEARN = ("The number of unique classes is greater than 50% of the number of samples",)
_OF_THE_GIVEN = re.compile(r"^\w+\(\) takes ")  # a user's function without frames of its own
_PASSED_ON = ("ValueError", "TypeError", "ImportError", "ModuleNotFoundError", "NotFittedError")


class Refused:
    """Stands for the answer of a call that was refused as it should be."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class Finding(AssertionError):
    """What a call must not do. The key is the same for all that one mend would cure."""

    def __init__(self, key: str, told: str) -> None:
        self.key = key
        super().__init__(f"{key}: {told}")


class TooLong(BaseException):
    """A call took longer than it may."""


@contextmanager
def time_limit(seconds: float = SECONDS):
    """Raise `TooLong` inside after so many seconds of the processor, or more on the clock."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def too_long(*_: Any) -> None:
        raise TooLong

    limits = {signal.SIGPROF: seconds, signal.SIGALRM: _WAITING * seconds}
    timers = {signal.SIGPROF: signal.ITIMER_PROF, signal.SIGALRM: signal.ITIMER_REAL}
    before = {number: signal.signal(number, too_long) for number in limits}
    try:
        for number, limit in limits.items():
            signal.setitimer(timers[number], limit)
        yield
    finally:
        for number, handler in before.items():
            signal.setitimer(timers[number], 0)
            signal.signal(number, handler)


def judged(call: Any, *, names: set[str], documented: tuple[str, ...] = ()) -> Any:
    """Make a call; return its result, or `Refused`; raise `Finding` for what it must not do.

    Parameters
    ----------
    call : callable
        Without arguments.
    names : set of str
        Of the arguments, one of which a message must hold.
    documented : tuple of str
        Names of further exceptions that its docstring has.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            with time_limit():
                result = call()
        except TooLong as error:
            raise Finding(f"hang in {_place(error)}", f"more than {SECONDS:g} s") from error
        except Exception as error:
            if isinstance(error, Finding):
                raise
            _judge_error(error, names, documented)
            result = Refused(error)
    for each in told:
        _judge_warning(each)
    return result


def _judge_error(error: Exception, names: set[str], documented: tuple[str, ...]) -> None:
    kind, message = type(error).__name__, str(error)
    kinds = {base.__name__ for base in type(error).__mro__}
    where = _place(error)
    frames = list(traceback.walk_tb(error.__traceback__))
    if isinstance(error, OverflowError) and _is_in(frames[-1][0], SKLEARN):
        return  # of 10**400, in validate_data
    if not kinds & {*_PASSED_ON, *documented}:
        raise Finding(f"{kind} in {where}", message) from error
    last = max((k for k, (frame, _) in enumerate(frames) if _is_in(frame, PACKAGE)), default=-1)
    below = frames[last + 1 :]
    ours = any(_is_in(frame, HERE) for frame, _ in below)
    if below and (ours or _is_in(below[0][0], SKLEARN)):
        return  # scikit-learn's own refusal, or what the user's own object raised
    if isinstance(error, TypeError) and _OF_THE_GIVEN.match(message):
        return
    if below or last < 0 or not _raises(frames[last][0].f_code.co_filename, frames[last][1]):
        raise Finding(f"leaked {kind} in {where}", message) from error
    if isinstance(error, ImportError) and 'pip install "sk-deepfeat[' in message:
        return  # of what an extra is needed for
    if not message.strip():
        raise Finding(f"silent {kind} in {where}", "no message") from error
    if not any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) for name in names):
        raise Finding(f"nameless {kind} in {where}", f"{message} (of {sorted(names)})") from error


def _judge_warning(told: warnings.WarningMessage) -> None:
    category = told.category
    if issubclass(category, PopulationWarning) or category.__module__.startswith("sklearn"):
        return
    if Path(told.filename).is_relative_to(SKLEARN):
        return
    if str(told.message).startswith(_OF_SKLEARN):
        return
    place = f"{Path(told.filename).name}:{told.lineno}"
    raise Finding(f"{category.__name__} at {place}", str(told.message))


def _is_in(frame: Any, folder: Path) -> bool:
    return Path(frame.f_code.co_filename).is_relative_to(folder)


def _place(error: BaseException) -> str:
    """Return the innermost place in the package."""
    found = [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if _is_in(frame, PACKAGE)
    ]
    if not found:
        return "no line of the package"
    frame, line = found[-1]
    file = Path(frame.f_code.co_filename).relative_to(PACKAGE)
    return f"{file}:{line} ({frame.f_code.co_name})"


@functools.cache
def _raising_lines(filename: str) -> frozenset[int]:
    tree = ast.parse(Path(filename).read_text(encoding="utf-8"))
    return frozenset(
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        for line in range(node.lineno, node.end_lineno + 1)
    )


def _raises(filename: str, line: int) -> bool:
    return line in _raising_lines(filename)


def numbers_in(result: Any) -> Any:
    """Yield every array of floats in a result, with tuples and dataclasses opened."""
    if isinstance(result, (float, np.floating)) or (
        isinstance(result, np.ndarray) and result.dtype.kind == "f"
    ):
        yield np.asarray(result, dtype=np.float64)
    elif isinstance(result, (tuple, list)):
        for each in result:
            yield from numbers_in(each)


def require(holds: Any, what: str, told: Any = "") -> None:
    """Raise a finding unless an invariant holds everywhere."""
    if not np.all(holds):
        raise Finding(f"wrong: {what}", repr(told))
