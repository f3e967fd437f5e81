"""What a fit tells while it lasts, to bars and to scikit-learn's callbacks, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

from sk_deepfeat.progress import all_or_nothing, listening, showing

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn 1.8, which has no callbacks

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing."""

    def with_callbacks(method: Any) -> Any:
        """Return the method."""
        return method


# Around `fit` itself it would stand between a warning and the line that it is about.
_tear_down = with_callbacks(lambda estimator: None)

_Fit = TypeVar("_Fit", bound=Callable[..., Any])
_Value = TypeVar("_Value")


def told(*, parts: int | None = None) -> Callable[[_Fit], _Fit]:
    """Return a decorator of ``fit``, which then changes nothing where it is broken off.

    Stages have bars where the estimator is ``verbose``; callbacks hear of the fit and its tasks.

    Parameters
    ----------
    parts : int, optional
        Calls of `part_of_fit` in it, which are the tasks then; None is stages of any number.
    """

    def decorate(fit: _Fit) -> _Fit:
        named = signature(fit)

        @wraps(fit)
        def method(self: Any, *args: Any, **options: Any) -> Any:
            given = named.bind(self, *args, **options).arguments
            rows = {"X": given["X"], "y": given.get("y")}
            if given.get("sample_weight") is not None:
                rows["metadata"] = {"sample_weight": given["sample_weight"]}
            with ExitStack() as stack:
                stack.enter_context(showing(getattr(self, "verbose", False)))
                if hasattr(self, "_init_callback_context"):
                    listener = stack.enter_context(_task_of_fit(self, parts, rows))
                    if listener is not None:
                        stack.enter_context(listening(listener))
                return fit(self, *args, **options)

        return all_or_nothing(method)  # type: ignore[return-value]

    return decorate


@contextmanager
def _task_of_fit(estimator: Any, parts: int | None, rows: dict[str, Any]) -> Iterator[Any]:
    """Tell callbacks of a fit, and yield what listens to its stages, if any is to."""
    try:
        task = estimator._init_callback_context(max_subtasks=parts)
        task.call_on_fit_task_begin(estimator=estimator, **rows)
        called_back = parts is None and hasattr(estimator, "_skl_callbacks")
        yield _Tasks(estimator, task) if called_back else None
        task.call_on_fit_task_end(estimator=estimator, **rows, reconstruction_attributes={})
    finally:
        _tear_down(estimator)


@contextmanager
def part_of_fit(estimator: Any, name: str, part: Any, X: Any, y: Any) -> Iterator[None]:
    """Return a context in which a part of an estimator is fitted, as a task of its fit.

    Parameters
    ----------
    estimator : estimator
        Whose fit `told` decorates; outside of it the context is none.
    name : str
        Of the task.
    part : estimator
        To be fitted; callbacks that spread do so.
    X, y : array-like
        On which.
    """
    whole = vars(estimator).get("_callback_fit_ctx")
    if whole is None:
        yield
        return
    task = whole.subcontext(task_name=name)
    with ExitStack() as stack:
        if hasattr(part, "set_callbacks"):
            stack.enter_context(task.propagate_callback_context(part))
        task.call_on_fit_task_begin(estimator=estimator, X=X, y=y)
        yield
    task.call_on_fit_task_end(estimator=estimator, X=X, y=y)


class _Task:
    """A stage as a task of scikit-learn's."""

    def __init__(self, estimator: Any, context: Any) -> None:
        self.estimator, self.context = estimator, context
        context.call_on_fit_task_begin(estimator=estimator)

    def advance(self, count: int) -> None:
        """Tell of a step as a task that has none; how many rows it has, tasks cannot say."""
        step = self.context.subcontext(task_name="step")
        step.call_on_fit_task_begin(estimator=self.estimator)
        step.call_on_fit_task_end(estimator=self.estimator)

    def end(self) -> None:
        self.context.call_on_fit_task_end(estimator=self.estimator)


class _Tasks:
    """Stages of a fit as tasks of it; those within them are not told."""

    def __init__(self, estimator: Any, context: Any) -> None:
        self._estimator, self._context, self._depth = estimator, context, 0

    def begin(self, name: str, total: int | None, unit: str, side: int) -> _Task | None:
        self._depth += 1
        if self._depth > 1:
            return None
        steps = total if total is not None and not unit else None
        context = self._context.subcontext(task_name=name, max_subtasks=steps)
        return _Task(self._estimator, context)

    def end(self, begun: _Task | None, done: bool) -> None:
        self._depth -= 1
        if begun is not None and done:
            begun.end()


class _Shown:
    """A value whose methods show their stages."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._value, name)
        if not callable(found):
            return found

        @wraps(found)
        def method(*args: Any, **options: Any) -> Any:
            with showing():
                return found(*args, **options)

        return method


def shown(value: _Value, verbose: Any) -> _Value:
    """Return a value whose methods show their stages, or the value itself.

    Parameters
    ----------
    value : object
        Any.
    verbose : bool
        Whether they do.
    """
    return _Shown(value) if verbose else value  # type: ignore[return-value]
