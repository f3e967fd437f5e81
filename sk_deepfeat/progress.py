"""What takes long: told to whoever listens, and undone where it is broken off.

Code that may take seconds names its stages, which costs nothing where nobody listens. Bars are one
listener; scikit-learn's callbacks are another. As `exceptions`, this module imports nothing of
ours, so every room may import it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from contextvars import ContextVar
from functools import wraps
from typing import Any, Protocol, TypeVar

DELAY = 2.0  # seconds that a stage takes before a bar appears
_TICK = 0.25  # seconds between two looks at the stages
_LARGE_SIDE = 2000  # from which on a decomposition takes seconds
_MOST_BARS = 2  # of stages within stages

_Method = TypeVar("_Method", bound=Callable[..., Any])


class Listener(Protocol):
    """What hears of stages; a stage within another one ends before that."""

    def begin(self, name: str, total: int | None, unit: str, side: int) -> Any:
        """Hear that a stage begins, and return what is advanced, or None."""

    def end(self, begun: Any, done: bool) -> None:
        """Hear that a stage ends, and whether it was done or broken off."""


_listeners: ContextVar[tuple[Listener, ...]] = ContextVar("listeners", default=())


class Stage:
    """What is known of a stage that has begun."""

    def __init__(self, begun: list[Any]) -> None:
        self._begun = begun

    def advance(self, count: int = 1) -> None:
        """Tell that some more steps are done.

        Parameters
        ----------
        count : int, default=1
            Of them.
        """
        for each in self._begun:
            each.advance(count)


_UNHEARD = Stage([])


def heard() -> bool:
    """Say whether anybody listens."""
    return bool(_listeners.get())


@contextmanager
def stage(name: str, total: int | None = None, unit: str = "", *, side: int = 0) -> Iterator[Stage]:
    """Tell that a stage begins, and that it has ended when the context is left.

    Parameters
    ----------
    name : str
        What is done.
    total : int, optional
        Steps that it has.
    unit : str, default=""
        What steps are, if they come many at once, as " rows".
    side : int, default=0
        Of a matrix that is decomposed in it. SciPy lets no other thread run meanwhile, so that the
        bar of a large one appears at once.

    Yields
    ------
    Stage
        To be advanced.
    """
    listeners = _listeners.get()
    if not listeners:
        yield _UNHEARD
        return
    with ExitStack() as ends:
        given = name, total, unit, side
        begun = [ends.enter_context(_heard_by(each, *given)) for each in listeners]
        yield Stage([each for each in begun if each is not None])


def as_stage(name: str) -> Callable[[_Method], _Method]:
    """Return a decorator that makes a stage of a function.

    Parameters
    ----------
    name : str
        What it does.
    """

    def decorate(function: _Method) -> _Method:
        @wraps(function)
        def told(*args: Any, **options: Any) -> Any:
            with stage(name):
                return function(*args, **options)

        return told  # type: ignore[return-value]

    return decorate


@contextmanager
def _heard_by(
    listener: Listener, name: str, total: int | None, unit: str, side: int
) -> Iterator[Any]:
    begun, done = listener.begin(name, total, unit, side), False
    try:
        yield begun
        done = True
    finally:
        listener.end(begun, done)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Return a context in which somebody hears of all stages of this thread.

    Parameters
    ----------
    listener : Listener
        Who.
    """
    token = _listeners.set((*_listeners.get(), listener))
    try:
        yield
    finally:
        _listeners.reset(token)


def showing(verbose: Any = True) -> AbstractContextManager[Any]:
    """Return a context in which stages of more than two seconds have a bar on standard error.

    Parameters
    ----------
    verbose : bool, default=True
        Whether they have.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat import DeterministicEquivalentRidge
    >>> from sk_deepfeat.progress import showing
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 50))
    >>> with showing():
    ...     ridge = DeterministicEquivalentRidge().fit(X, X[:, 0])
    """
    try:
        if verbose is NotImplemented:
            raise TypeError("neither true nor false")
        wanted = bool(verbose)
    except (TypeError, ValueError) as error:  # of arrays, and of missing values
        raise TypeError(f"verbose={verbose!r} must be True or False.") from error
    shown = any(isinstance(each, _Bars) for each in _listeners.get())
    return nullcontext() if shown or not wanted or sys.stderr is None else _drawing()


@contextmanager
def _drawing() -> Iterator[None]:
    bars = _Bars()
    try:
        with listening(bars):
            yield
    finally:
        bars.close()


def all_or_nothing(method: _Method) -> _Method:
    """Decorate a method that leaves its instance as it was where it is broken off.

    Parameters
    ----------
    method : callable
        Such as ``fit``: sets attributes anew, and changes none in place.
    """

    @wraps(method)
    def undone(self: Any, *args: Any, **options: Any) -> Any:
        before = dict(vars(self))
        try:
            return method(self, *args, **options)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return undone  # type: ignore[return-value]


class _Bar:
    """A stage, and its bar once there is one."""

    def __init__(self, name: str, total: int | None, unit: str, since: float) -> None:
        self.name, self.total, self.unit, self.since = name, total, unit, since
        self.count = 0
        self.drawn: Any = None

    def advance(self, count: int) -> None:
        self.count += count

    def draw(self) -> None:
        """Show how far the stage is."""
        if self.drawn is None:
            from tqdm import tqdm

            self.drawn = tqdm(
                total=self.total,
                desc=self.name,
                unit=self.unit or "it",
                unit_scale=bool(self.unit),
                leave=False,
                smoothing=0.0,
                delay=1e-9,  # it draws itself below, from the time when the stage began
            )
            self.drawn.start_t = self.since
        self.drawn.bar_format = None if self.total or self.count else "{desc} [{elapsed}]"
        self.drawn.n = self.count
        self.drawn.last_print_t = time.time()
        self.drawn.refresh()


class _Bars:
    """Bars that a thread of its own draws: a decomposition says nothing while it runs."""

    def __init__(self) -> None:
        self._open: list[_Bar] = []
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, name: str, total: int | None, unit: str, side: int) -> _Bar:
        bar = _Bar(name, total, unit, time.time())
        with self._lock:
            self._open.append(bar)
            if side >= _LARGE_SIDE and len(self._open) <= _MOST_BARS:
                bar.draw()
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return bar

    def end(self, begun: _Bar, done: bool) -> None:
        with self._lock:
            while begun in self._open:  # those within it, too, if they were broken off
                self._erase(self._open[-1], done)
                self._open.pop()

    def close(self) -> None:
        """Erase what is there, and stop looking."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        for bar in reversed(self._open):
            self._erase(bar, False)
        self._open.clear()

    def _watch(self) -> None:
        while not self._closed.wait(_TICK):
            with self._lock:
                for bar in self._open[:_MOST_BARS]:
                    if time.time() - bar.since >= DELAY:
                        bar.draw()

    def _erase(self, bar: _Bar, done: bool) -> None:
        late = done and time.time() - bar.since >= DELAY and bar in self._open[:_MOST_BARS]
        if bar.drawn is not None or late:
            bar.draw()
            bar.drawn.close()
