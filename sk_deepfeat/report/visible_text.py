"""Text of users on a page or a terminal: nothing in it acts, and nothing in it is hidden."""

from __future__ import annotations

import re
from html import escape

# Control characters, which a terminal obeys; marks that turn the direction of what follows; halves
# of letters, which no file can hold: names of files that are no text have them.
_ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""Return a text with its invisible commands written out.

    Parameters
    ----------
    text : str
        Of a user: the name of a column, a class, a file.

    Returns
    -------
    str
        Letters of all scripts are as they were; JSON stays JSON of the same value.

    Examples
    --------
    >>> from sk_deepfeat.report.visible_text import visible
    >>> print(visible("price\u202e\x1b[2J"))
    price\u202e\u001b[2J
    """
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def as_html(text: str) -> str:
    """Return a text for a page, in an element or between the quotes of an attribute.

    Parameters
    ----------
    text : str
        Anything.

    Returns
    -------
    str
    """
    return escape(visible(text), quote=True)
