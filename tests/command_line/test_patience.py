"""Runs that take long: signs of life for a terminal alone, and an end by Ctrl-C."""

import io
import os
import subprocess
import sys
import time

import pytest

from sk_deepfeat.command_line import progress, report
from sk_deepfeat.model_selection import measuring

FAST = ["--features", "random", "--hidden-layer-sizes", "10", "--repeats", "3"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("seconds", [0.0, 0.15])
def test_signs_of_life_after_a_while(monkeypatch, seconds):
    monkeypatch.setattr(progress, "_SILENT_SECONDS", 0.05)
    monkeypatch.setattr(progress, "_TICK_SECONDS", 0.02)
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress.patience("training"):
        time.sleep(seconds)
    written = sys.stderr.getvalue()
    assert ("\rsk_deepfeat: training: 0 s" in written) == (seconds > 0)
    assert written == "" or written.endswith(" \r"), "the line is cleared"


def test_no_signs_of_life_where_nobody_watches(monkeypatch, capsys):
    monkeypatch.setattr(progress, "_SILENT_SECONDS", 0.0)
    with progress.patience("training"):
        time.sleep(0.05)
    assert capsys.readouterr().err == ""


def test_a_curve_that_is_interrupted(run, tmp_path, monkeypatch):
    """Refits that are left out are NaN, and replace no older numbers."""
    pytest.importorskip("matplotlib", reason="the command line draws")
    calls, measure = [], measuring.measure_subset

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(measuring, "measure_subset", interrupted)
    for name in ("learning_curve.csv", "learning_curve.png"):
        (tmp_path / name).write_text("old")
    status, out, err = run("digits", *FAST, "--output", str(tmp_path))
    assert (status, out) == (130, "")
    assert err == (
        "sk_deepfeat: interrupted (after 2 of 21 refits); nothing was written, older files are as "
        "they were\n"
    )
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["old", "old"]


def test_a_report_that_is_interrupted(run, save, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="a report holds pictures")

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "write_report", interrupted)
    page = tmp_path / "page.html"
    page.write_text("old")
    status, out, err = run("report", save("table"), "--output", str(page))
    assert (status, out) == (130, "") and page.read_text() == "old"
    assert err.startswith("sk_deepfeat: interrupted; nothing was written")


INTERRUPTED_AT_ONCE = """
import os, signal, sys, threading
from sk_deepfeat.__main__ import main
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
sys.exit(main(["digits", "--output", sys.argv[1]]))
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGINT is sent to a process")
def test_a_real_interruption_while_modules_are_imported(tmp_path):
    output = tmp_path / "out"
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT_ONCE, str(output)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 130 and not output.exists()
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("sk_deepfeat: interrupted; nothing was written")
