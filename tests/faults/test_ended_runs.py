"""Runs that end early, by a killed worker, Ctrl-C or a power cut: what is finished is kept."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor

import numpy as np
import pytest
from fault_cases import assert_same, cells, curve, fate, fateful

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
    assert kept.items() <= written(tmp_path).items()


def test_without_a_memory_the_remedy_is_named(monkeypatch):
    def broken(*_, **__):
        raise BrokenExecutor

    monkeypatch.setattr(measuring, "_run", broken)
    message = r"after 0 of 6 refits: memory='folder' keeps what is finished"
    with pytest.raises(BrokenExecutor, match=message):
        curve()


def written(memory):
    """Return when each refit was written."""
    return {path.name: path.stat().st_mtime_ns for path in cells(memory)}


RUN = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[2])
from fault_cases import curve, fateful

if __name__ == "__main__":
    memory, n_jobs = sys.argv[1], int(sys.argv[3])
    found = curve(fateful(memory), memory=memory, n_jobs=n_jobs, n_repeats=int(sys.argv[4]))
    np.save(memory + "/found.npy", found.measured)
"""
"""A whole run, in a process that can be ended."""


def started(memory, n_jobs, n_repeats):
    script = memory / "run.py"
    script.write_text(RUN)
    words = [sys.executable, str(script), str(memory), HERE, str(n_jobs), str(n_repeats)]
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for(found, seconds=50.0):
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("end", "n_jobs"), [(signal.SIGKILL, 1), (signal.SIGINT, 2)], ids=["power cut", "Ctrl-C"]
)
def test_a_run_that_is_ended_between_two_cells(tmp_path, end, n_jobs):
    """All its processes get the signal at once, as from a terminal, or a machine that stops."""
    repeats = 60
    run = started(tmp_path, n_jobs, repeats)
    wait_for(lambda: len(cells(tmp_path)) >= 3 or run.poll() is not None)
    os.killpg(run.pid, end)
    said = run.communicate(timeout=50)[1]
    kept = written(tmp_path)
    assert 3 <= len(kept) < 2 * repeats, "it ended meanwhile"
    if end == signal.SIGKILL:
        assert run.returncode == -signal.SIGKILL
    else:
        assert run.returncode == 0 and f"Interrupted after {len(kept)} of {2 * repeats}" in said
        assert np.isnan(np.load(tmp_path / "found.npy")).any(), "what is missing is NaN"
    estimator = fateful(tmp_path)
    continued = curve(estimator, memory=tmp_path, n_repeats=repeats)
    assert_same(continued, curve(estimator, n_repeats=repeats))
    assert kept.items() <= written(tmp_path).items()
