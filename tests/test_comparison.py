"""The page that compares software: what it says of the installed packages holds."""

import importlib.util
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "comparison.rst").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def asked():
    where = ROOT / "benchmarks" / "comparison.py"
    spec = importlib.util.spec_from_file_location("comparison", where)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("package", ["scikit-learn", "himalaya", "skore"])
def test_claims_hold(asked, package):
    claims = asked.PACKAGES[package]
    try:
        installed = version(package)
    except PackageNotFoundError:
        pytest.skip("not installed")
    told = re.search(rf"\b{package} ([\d.]+\d)", PAGE)[1]
    if installed.split(".")[:2] != told.split(".")[:2]:
        pytest.skip(f"the page is about {told}")
    assert not [claim for claim, holds in claims().items() if not holds]


def tables():
    """Return the cells of each row of each table, the heading first."""
    for table in re.findall(r"^\.\. list-table::\n((?:   .*\n|\n)+)", PAGE, re.MULTILINE):
        rows = re.split(r"^   \* - ", table, flags=re.MULTILINE)[1:]
        yield [re.split(r"^     - ", row, flags=re.MULTILINE) for row in rows]


def test_tables_are_whole():
    for rows in tables():
        assert len({len(row) for row in rows}) == 1
        assert all(cell.strip() for row in rows for cell in row)


def test_every_note_is_there_and_is_used():
    cells = "".join(cell for rows in tables() for row in rows for cell in row)
    notes = re.findall(r"^\[(\d)\] ", PAGE, re.MULTILINE)
    assert notes == sorted(set(re.findall(r"\[(\d)\]", cells)))


def test_the_tests_that_are_named_exist():
    named = re.findall(r"``(tests/[\w/]+\.py)``", PAGE)
    assert len(named) > 10 and not [name for name in named if not (ROOT / name).exists()]


def test_every_row_at_the_door_answers_for_all_four():
    rows = next(rows for rows in tables() if "skore" in rows[0][-1])
    assert [cell.strip() for cell in rows[0][1:]] == [
        "sk_deepfeat",
        "scikit-learn",
        "himalaya",
        "skore",
    ]
    assert len(rows) == 16
