"""What the package says of itself, and what it ships beside its code."""

import subprocess
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def minors():
    """Return the Pythons of the classifiers: 11 for 3.11."""
    begin = "Programming Language :: Python :: 3."
    return [int(c.removeprefix(begin)) for c in PROJECT["classifiers"] if c.startswith(begin)]


def test_types_are_shipped():
    assert files("sk_deepfeat").joinpath("py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_pythons_are_those_from_the_lowest_without_a_gap():
    assert PROJECT["requires-python"] == f">=3.{minors()[0]}"
    assert minors() == list(range(minors()[0], minors()[-1] + 1))


def test_ci_finds_pythons_in_order_and_names_the_absent():
    script = ROOT / ".ci" / "pythons"
    if not script.exists():
        pytest.skip("the scripts of CI are not in an sdist")
    done = subprocess.run([str(script)], capture_output=True, text=True, check=True)
    found = []
    for python in done.stdout.split():
        code = "import sys; print(sys.version_info.minor, sys.prefix == sys.base_prefix)"
        said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
        minor, own = said.stdout.split()
        assert own == "True", "no virtual environment"
        found.append(int(minor))
    assert found == sorted(set(found)) and all(minor >= minors()[0] for minor in found)
    absent = [f"3.{minor}" for minor in range(minors()[0], minors()[-1] + 1) if minor not in found]
    assert all(name in done.stderr for name in absent)
