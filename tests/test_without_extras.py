"""Without extras the main job runs, and what needs one says which."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "without_extras.py"
PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    command = [sys.executable, str(SCRIPT), str(tmp_path_factory.mktemp("without"))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_each_call_names_its_extra(said):
    """The main job has run before, in the same process."""
    assert len(said) > 15
    for call, message in said.items():
        extra = call.split()[0]
        remedy = f'pip install "sk-deepfeat{extra}"' if extra.startswith("[") else "install zarr"
        assert message.startswith("ImportError: "), (call, message)
        assert remedy in message, (call, message)
        assert message.count("\n") <= 1, "one line on a terminal"


def test_every_extra_of_users_is_asked_for(said):
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"]) - {"all", "test", "docs", "dev", "distributed"}
    assert extras == {call.split("]")[0][1:] for call in said if call.startswith("[")}
