"""The script that makes wrong changes of the package: what it changes, and what it notices."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mutation.changes import mutants_of

CI = Path(__file__).parents[1] / ".ci"

ROOM = '''"""A room."""

LIMIT = 3


def capped(a: int, b: int = 2) -> int:
    """Return a sum that no limit passes."""
    if a < 0:
        raise ValueError(f"a={a} is below {0 + 0}")
    return min(a + b, LIMIT)


def slack(a, b):
    return a * b + 0


class Room:
    size = 4

    def door(self, width):
        def half():
            return width / 2

        return half()
'''
TESTS = """
import pytest
from sk_deepfeat.theory.room import Room, capped, slack

def test_capped():
    assert capped(0) == 2 and capped(1, 1) == 2 and capped(5, 1) == 3
    with pytest.raises(ValueError):
        capped(-1)

def test_slack():
    assert slack(3, 5) == 15

def test_room():
    assert Room.size == 4 and Room().door(6) == 3
"""


def write(folder: Path) -> Path:
    file = folder / "sk_deepfeat" / "theory" / "room.py"
    file.parent.mkdir(parents=True)
    for package in (file.parent, file.parents[1]):
        (package / "__init__.py").write_text("")
    file.write_text(ROOM)
    return file


def test_every_operator_comparison_constant_and_argument_is_changed_once(tmp_path):
    file = write(tmp_path)
    made = mutants_of(file, tmp_path)
    assert [(mutant.scope, mutant.change) for mutant in made] == [
        ("", "3 -> 4"),
        ("capped", "2 -> 3"),
        ("capped", "a < 0 -> a <= 0"),
        ("capped", "0 -> 1"),
        ("capped", "a + b -> a - b"),
        ("slack", "a * b + 0 -> a * b - 0"),
        ("slack", "a * b -> a / b"),
        ("slack", "0 -> 1"),
        ("Room", "4 -> 5"),
        ("Room.door.half", "width / 2 -> width * 2"),
        ("Room.door.half", "2 -> 3"),
    ]
    for mutant in made:
        changed = ast.unparse(mutant.tree(ROOM))
        before = ast.unparse(ast.parse(ROOM))
        assert (
            sum(a != b for a, b in zip(changed.split("\n"), before.split("\n"), strict=True)) == 1
        )


def test_calls_lose_a_keyword_or_exchange_two_arguments(tmp_path):
    file = tmp_path / "calls.py"
    file.write_text("def f(g, a, b):\n    return g(a, b, scale=a), max(a, b), g(a, a)\n")
    assert [mutant.change for mutant in mutants_of(file, tmp_path)] == [
        "g: a and b exchanged",
        "g: without scale",
    ]


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mutation", *options, f"--root={folder}", "--tests", "tests"]
    environment = os.environ | {"PYTHONPATH": f"{CI}{os.pathsep}{folder}"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


def test_survivors_are_told_unless_they_are_explained(tmp_path):
    pytest.importorskip("coverage", reason="coverage is needed: it is one of the developers' tools")
    write(tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_room.py").write_text(TESTS)
    places = ["sk_deepfeat/theory"]
    result = run(tmp_path, *places)
    survivors = [row for row in result.stdout.splitlines() if row.startswith("survived")]
    assert [row.partition(": ")[2] for row in survivors] == [
        "sk_deepfeat/theory/room.py | slack | a * b + 0 -> a * b - 0",
    ], result.stdout + result.stderr
    assert "all: 11 made, 10 killed, 0 timed out, 0 explained, 1 survived" in result.stdout
    assert result.returncode == 1

    reasons = tmp_path / "reasons.txt"
    reasons.write_text(survivors[0].partition(": ")[2] + " | nothing is added or taken away\n")
    result = run(tmp_path, *places, f"--explained={reasons}", f"--table={tmp_path / 'table.csv'}")
    assert "all: 11 made, 10 killed, 0 timed out, 1 explained, 0 survived" in result.stdout
    assert result.returncode == 0
    assert (tmp_path / "table.csv").read_text().splitlines()[1] == "theory,11,10,0,1,0"


def test_the_list_of_reasons_names_changes_that_exist():
    root = CI.parent
    rows = (CI / "mutation" / "explained.txt").read_text().splitlines()
    rows = [row.split(" | ") for row in rows if not row.startswith("#")]
    known = {}
    for path, scope, *change, reason in rows:
        if path not in known:
            made = mutants_of(root / path, root)
            known[path] = {(mutant.scope, mutant.change) for mutant in made}
        assert (scope, " | ".join(change)) in known[path], f"{path} | {scope} | {change}: gone"
        assert len(reason) > 10
