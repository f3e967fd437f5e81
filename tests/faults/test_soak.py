"""Many fits, with threads, workers and pages now and then, leave nothing behind."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads what Linux tells"),
    pytest.mark.skipif(not SOAK.exists(), reason="the scripts are not beside the tests"),
]


def test_a_short_soak():
    specification = importlib.util.spec_from_file_location("soak", SOAK)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    found = module.soak(50, pages=False)
    start, end = found["start"], found["end"]
    for what in ("threads", "children", "handles"):
        assert end[what] <= start[what], (what, found)
    assert end["rss_mb"] < 1.1 * start["rss_mb"], found


@pytest.mark.statistical
def test_a_soak():
    """The script asserts that nothing grows; ten thousand fits take it a quarter of an hour."""
    subprocess.run([sys.executable, str(SOAK), "--fits", "3000"], check=True)
