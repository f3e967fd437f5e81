"""The documents that are read outside the built site: their links lead somewhere."""

import doctest
import re
import warnings
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


def test_every_example_stands_in_the_gallery():
    page = (ROOT / "examples" / "README.txt").read_text(encoding="utf-8")
    names = sorted(path.stem for path in (ROOT / "examples").glob("plot_*.py"))
    listed = re.findall(r"^   (plot_\w+)$", page, re.MULTILINE)
    shown = re.findall(r"^   \.\./examples/(plot_\w+)\.py$", page, re.MULTILINE)
    assert sorted(listed) == names, "each has its page"
    assert shown == listed, "pictures and pages in one order"


class _WordsAlone(doctest.OutputChecker):
    """Numbers belong to a version of numpy; what is said around them is what the page explains."""

    def check_output(self, want, got, optionflags):
        left, right = (re.sub(r"\d[\d.,]*(e[+-]?\d+)?", "#", text).split() for text in (want, got))
        return left == right


def test_the_page_on_failed_checks_shows_what_is_printed():
    pytest.importorskip("pandas")
    path = ROOT / "docs" / "user_guide" / "when_the_check_fails.rst"
    page = doctest.DocTestParser().get_doctest(
        path.read_text(encoding="utf-8"), {}, path.name, str(path), 0
    )
    runner = doctest.DocTestRunner(_WordsAlone(), verbose=False)
    said = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runner.run(page, out=said.append)
    assert len(page.examples) > 20 and runner.failures == 0, "".join(said)
