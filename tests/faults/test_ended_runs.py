"""Runs that end early, by a killed worker, Ctrl-C or a power cut: what is finished is kept."""

import os
import signal
import subprocess
import sys
from concurrent.futures import BrokenExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest
from fault_cases import assert_same, cells, curve, fate, fateful, full_disk, wait_for

import sk_deepfeat.whole_files as whole_files
from sk_deepfeat.__main__ import main
from sk_deepfeat.command_line import running
from sk_deepfeat.model_selection import measuring

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are sent to processes")
HERE = os.path.dirname(__file__)


def test_a_killed_worker_is_named_and_loses_nothing_that_is_finished(tmp_path):
    with (
        fate(tmp_path, "killed"),
        pytest.raises(BrokenExecutor, match="A worker was killed after") as caught,
    ):
        curve(fateful(tmp_path), memory=tmp_path, n_jobs=2)
    kept, said = written(tmp_path), str(caught.value)
    assert len(kept) >= 2
    assert f"{len(kept)} of 6 refits, which are kept in {tmp_path}" in said
    assert "the same call continues" in said and "smaller n_jobs" in said
    assert_same(curve(fateful(tmp_path), memory=tmp_path), curve(fateful(tmp_path)))
    assert_found_again(kept, tmp_path, 6)


def test_without_a_memory_the_remedy_is_named(monkeypatch):
    def broken(*_, **__):
        raise BrokenExecutor

    monkeypatch.setattr(measuring, "_run", broken)
    message = r"after 0 of 6 refits: memory='folder' keeps what is finished"
    with pytest.raises(BrokenExecutor, match=message):
        curve()


def test_a_killed_worker_on_the_command_line(monkeypatch, capsys):
    def broken(arguments):
        raise BrokenProcessPool("A worker was killed: a remedy")

    monkeypatch.setitem(running._COMMANDS, "curve", broken)
    assert main(["curve", "digits"]) == 1
    assert capsys.readouterr() == ("", "sk_deepfeat: A worker was killed: a remedy\n")


def test_other_errors_tell_how_far_the_run_was(tmp_path):
    with fate(tmp_path, "fails"), pytest.raises(ZeroDivisionError) as caught:
        curve(fateful(tmp_path), memory=tmp_path)
    (note,) = caught.value.__notes__
    assert note.startswith("That was after 2 of 6 refits, which are kept in ")


def test_what_could_not_be_kept_is_not_said_to_be(tmp_path, monkeypatch):
    monkeypatch.setattr(whole_files, "_write", full_disk)
    with (
        fate(tmp_path, "fails", after=0),
        pytest.warns(RuntimeWarning, match="Refits are not kept"),
        pytest.raises(ZeroDivisionError) as caught,
    ):
        fail_late = {"train_sizes": [300, 40]}  # the first of these is not one of the fateful
        curve(fateful(tmp_path), memory=tmp_path, **fail_late)
    assert caught.value.__notes__ == ["That was after 3 of 6 refits."]


def test_a_refit_whose_writing_is_interrupted_is_not_said_to_be_kept(tmp_path, monkeypatch):
    write = whole_files._write

    def interrupted(*arguments):
        if len(cells(tmp_path)) == 2:
            raise KeyboardInterrupt
        write(*arguments)

    with (
        monkeypatch.context() as patch,
        pytest.warns(RuntimeWarning, match="Interrupted after 2 of 6 refits, which are kept in"),
    ):
        patch.setattr(whole_files, "_write", interrupted)
        curve(memory=tmp_path)
    kept = written(tmp_path)
    assert_same(curve(memory=tmp_path), curve())
    assert_found_again(kept, tmp_path, 6)


def written(memory):
    """Return when each refit was written."""
    return {path.name: path.stat().st_mtime_ns for path in cells(memory)}


def assert_found_again(before, memory, total):
    """What was kept was not written anew, under no other name either."""
    after = written(memory)
    assert before.items() <= after.items() and len(after) == total


RUN = """
import sys
sys.path.insert(0, sys.argv[2])
from fault_cases import curve, fateful

if __name__ == "__main__":
    memory, repeats = sys.argv[1], int(sys.argv[3])
    curve(fateful(memory), memory=memory, n_jobs=2, n_repeats=repeats)
"""
"""A whole run, in a process that can be ended."""


def started(*words):
    """Start a process as from a terminal: in a group of its own, and Ctrl-C not ignored."""
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def end_between_two_cells(run, memory, number):
    """Send a signal to all processes of the group, as a terminal or a power cut would."""
    wait_for(lambda: len(cells(memory)) >= 3 or run.poll() is not None)
    os.killpg(run.pid, number)
    said = run.communicate(timeout=200)[1]
    assert len(cells(memory)) >= 3, said
    return said


def test_a_power_cut(tmp_path):
    repeats, script = 30, tmp_path / "run.py"
    script.write_text(RUN)
    run = started(script, tmp_path, HERE, repeats)
    end_between_two_cells(run, tmp_path, signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL
    kept, estimator = written(tmp_path), fateful(tmp_path)
    assert len(kept) < 2 * repeats, "it ended meanwhile"
    continued = curve(estimator, memory=tmp_path, n_repeats=repeats)
    assert_same(continued, curve(estimator, n_repeats=repeats))
    assert_found_again(kept, tmp_path, 2 * repeats)


def test_ctrl_c_on_the_command_line(tmp_path, capsys):
    """Older files stay, nothing is printed but how to go on; the same command does."""
    pytest.importorskip("matplotlib", reason="the command line draws")
    words = ["digits", "--features", "none", "--population", "gcv", "--alphas", "1"]
    words += ["--train-sizes", "900", "--repeats", "120", "--output"]
    old, memory = tmp_path / "out" / "learning_curve.csv", tmp_path / "kept"
    old.parent.mkdir()
    old.write_text("old")
    kept = ["--memory", str(memory)]
    run = started("-m", "sk_deepfeat", *words, old.parent, *kept, "--n-jobs", "2")
    said = end_between_two_cells(run, memory, signal.SIGINT)
    assert run.returncode == 130, said
    finished = written(memory)
    assert f"interrupted (after {len(finished)} of 120 refits, which are kept in {memory}" in said
    assert len(finished) < 120 and old.read_text() == "old" and len([*old.parent.iterdir()]) == 1
    tables = []
    for options in (kept, []):
        assert main([*words, str(old.parent), *options]) == 0
        tables.append(old.read_text())
    assert tables[0] == tables[1]
    assert_found_again(finished, memory, 120)
