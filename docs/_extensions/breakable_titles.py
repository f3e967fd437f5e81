"""Long names in titles break between their words, not inside them."""

import re

_TITLE = re.compile(r"(?<=<h1>)[^<]*")
_BETWEEN_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=_)(?=[a-z])")


def break_title(app, pagename, templatename, context, doctree):
    """Say where the title of a page may break."""
    if "body" in context:
        broken = _TITLE.sub(lambda found: _BETWEEN_WORDS.sub("<wbr>", found[0]), context["body"])
        context["body"] = broken


def setup(app):
    """Listen for finished pages."""
    app.connect("html-page-context", break_title)
    return {"parallel_read_safe": True}
