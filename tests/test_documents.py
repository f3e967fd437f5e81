"""The documents that are read outside the built site: their links lead somewhere."""

import doctest
import importlib
import re
import shlex
import subprocess
import sys
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


ROOMS = ("compose", "datasets", "linear_model", "model_selection", "plugins")
ROOMS += ("populations", "report", "testing", "theory")


@pytest.mark.parametrize("room", ["sk_deepfeat", *(f"sk_deepfeat.{room}" for room in ROOMS)])
def test_every_public_name_has_its_page(room):
    page = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^   (\w+)$", page, re.MULTILINE)
    assert not set(importlib.import_module(room).__all__) - set(listed)


def words_alone(text):
    """Numbers belong to a version of numpy; what is said around them is what the page explains."""
    return re.sub(r"\d[\d.,]*(e[+-]?\d+)?", "#", text).split()


class _WordsAlone(doctest.OutputChecker):
    def check_output(self, want, got, optionflags):
        return words_alone(want) == words_alone(got)


def run_page(path, least):
    """Run the examples of a page, of which there are at least so many."""
    page = doctest.DocTestParser().get_doctest(
        path.read_text(encoding="utf-8"), {}, path.name, str(path), 0
    )
    runner = doctest.DocTestRunner(_WordsAlone(), verbose=False)
    said = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runner.run(page, out=said.append)
    assert len(page.examples) >= least and runner.failures == 0, "".join(said)


def test_the_page_on_failed_checks_shows_what_is_printed():
    pytest.importorskip("pandas")
    run_page(ROOT / "docs" / "user_guide" / "when_the_check_fails.rst", 21)


def commands(path):
    """Return the commands of a page's shell blocks, each with the lines that it shows."""
    block = re.compile(r"^\.\. code-block:: console\n\n((?:   .*\n|\n)+)", re.MULTILINE)
    for found in block.finditer(path.read_text(encoding="utf-8")):
        for part in found[1].split("   $ ")[1:]:
            command, *shown = part.splitlines()
            yield command, [words_alone(line) for line in shown if line.strip(" .")]


def test_the_first_hour_can_be_walked(tmp_path, monkeypatch):
    pytest.importorskip("pandas")
    pytest.importorskip("matplotlib").use("Agg")
    page = ROOT / "docs" / "first_hour.rst"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    run_page(page, 20)
    assert (tmp_path / "curve.png").exists()
    walked = 0
    for command, shown in commands(page):
        if not command.startswith("python -m sk_deepfeat"):
            continue
        words = shlex.split(command)
        ended = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        printed = [words_alone(line) for line in (ended.stderr + ended.stdout).splitlines()]
        assert all(line in printed for line in shown), ended.stdout + ended.stderr
        walked += 1
    assert walked == 2 and (tmp_path / "report.html").exists()
