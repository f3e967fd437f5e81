"""Stages: who hears of them, which bars are drawn, and what is left where they are broken off."""

import io
import re
import sys
import threading
import time

import numpy as np
import pytest

from sk_deepfeat import DeterministicEquivalentRidge, progress
from sk_deepfeat.progress import all_or_nothing, as_stage, heard, listening, showing, stage


class Heard:
    """Keeps what it hears; steps are the listener's own."""

    def __init__(self):
        self.said, self.steps = [], 0

    def begin(self, name, total, unit, side):
        self.said.append(("begin", name, total, unit))
        return self

    def advance(self, count):
        self.steps += count

    def end(self, begun, done):
        self.said.append(("end", done))


def drawn(err: str) -> list[str]:
    """Return what a terminal would have shown, one after the other."""
    return [part.strip() for part in re.split("[\r\n]|\x1b\\[A", err) if part.strip()]


def test_nobody_needs_to_listen():
    assert not heard()
    with stage("a", 3) as told:
        told.advance()
    start = time.perf_counter()
    for _ in range(1000):
        with stage("a", 3) as told:
            told.advance()
    assert time.perf_counter() - start < 0.1, "a stage that nobody hears costs microseconds"


def test_listeners_hear_stages_and_steps():
    listener, other = Heard(), Heard()
    with listening(listener):
        assert heard()
        with stage("a", 3, " rows") as told:
            told.advance(2)
            with listening(other), stage("b"):
                pass
    assert not heard()
    assert other.said == [("begin", "b", None, ""), ("end", True)]
    assert listener.said == [("begin", "a", 3, " rows"), *other.said, ("end", True)]
    assert listener.steps == 2


def test_a_stage_that_breaks_off_says_so():
    listener = Heard()
    with pytest.raises(KeyboardInterrupt), listening(listener), stage("a"):
        raise KeyboardInterrupt
    assert listener.said[-1] == ("end", False) and not heard()


def test_other_threads_are_not_heard():
    listener, found = Heard(), []
    with listening(listener):
        thread = threading.Thread(target=lambda: found.append(heard()))
        thread.start()
        thread.join()
    assert found == [False]


def test_functions_are_stages():
    @as_stage("a")
    def twice(value, *, more=0):
        """Return it."""
        return 2 * value + more

    listener = Heard()
    with listening(listener):
        assert twice(2, more=1) == 5
    assert listener.said == [("begin", "a", None, ""), ("end", True)]
    assert twice.__doc__ == "Return it."


def test_short_stages_have_no_bar(capsys):
    with showing(), stage("a", 2) as told:
        told.advance()
    captured = capsys.readouterr()
    assert captured.err == "" and captured.out == ""


def test_long_stages_have_a_bar_that_goes_away(capsys, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.05)
    monkeypatch.setattr(progress, "_TICK", 0.02)
    with showing(), stage("outer", 4) as told:
        told.advance(3)
        time.sleep(0.2)
        with stage("inner"), stage("innermost"):
            time.sleep(0.2)
    captured = capsys.readouterr()
    assert captured.out == ""
    shown = drawn(captured.err)
    assert any("outer:  75%" in line for line in shown)
    assert any(re.fullmatch(r"inner \[00:0\d\]", line) for line in shown)
    assert "innermost" not in captured.err, "two bars at most"
    assert captured.err.endswith("\r"), "nothing is left on the line"


def test_large_decompositions_are_named_at_once(capsys):
    with showing(), stage("decomposition", side=2000):
        assert "decomposition" in capsys.readouterr().err


def test_bars_within_bars_are_drawn_once(capsys, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    before = threading.active_count()
    with showing():
        with showing(), stage("a", 1):
            assert threading.active_count() == before + 1
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_an_interrupt_leaves_no_bar_and_no_thread(capsys, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), showing(), stage("a", side=2000), stage("b"):
        raise KeyboardInterrupt
    assert threading.active_count() == before and not heard()
    assert capsys.readouterr().err.endswith("\r")


def test_without_standard_error_nothing_is_shown(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with showing(), stage("a", side=2000):
        assert not heard()
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with showing(False), stage("a", side=2000):
        assert not heard()


def test_what_breaks_off_changes_nothing():
    class Learner:
        @all_or_nothing
        def fit(self, value, error=None):
            self.value_ = value
            if error is not None:
                self.more_ = value
                raise error
            return self

    learner = Learner().fit(1)
    for error in (KeyboardInterrupt, ValueError):
        with pytest.raises(error):
            learner.fit(2, error)
        assert vars(learner) == {"value_": 1}


def test_a_fit_is_heard_without_verbose():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 20))
    listener = Heard()
    with listening(listener):
        DeterministicEquivalentRidge().fit(X, X[:, 0] + rng.normal(size=200))
    names = [said[1] for said in listener.said if said[0] == "begin"]
    assert names[0] == "factorisation" and "ridge on subsets" in names
    assert listener.said.count(("end", True)) == len(names)
