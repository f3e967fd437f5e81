"""The gallery's page is examples/README.txt, in the order of needs; lists of examples follow it."""

from pathlib import Path

_PAGE = Path(__file__).parents[2] / "examples" / "README.txt"


def position(path):
    """Return where an example stands on the page; those that do not stand there come last."""
    lines = _PAGE.read_text(encoding="utf-8").splitlines()
    names = [line.rpartition("/")[2].strip() for line in lines]
    name = Path(path).name
    return names.index(name) if name in names else len(names)


def write_page(app):
    """Put the page in the place of the list that sphinx-gallery makes."""
    page = Path(app.srcdir) / "auto_examples" / "index.rst"
    page.write_text(_PAGE.read_text(encoding="utf-8"), encoding="utf-8")


def setup(app):
    """Wait for sphinx-gallery."""
    app.connect("builder-inited", write_page, priority=900)
    return {"parallel_read_safe": True}
