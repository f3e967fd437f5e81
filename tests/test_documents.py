"""The documents that are read outside the built site: their links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/changes/*.md"),
    *ROOT.glob("examples/**/*.md"),
]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s#]+)[^)]*\)")


def local_links(path):
    found = LINK.findall(path.read_text(encoding="utf-8"))
    return [link for link in found if not link.startswith(("http://", "https://", "mailto:"))]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_local_links_exist(path):
    missing = [link for link in local_links(path) if not (path.parent / link).exists()]
    assert not missing


def test_links_are_looked_at():
    assert len(local_links(ROOT / "README.md")) >= 5
