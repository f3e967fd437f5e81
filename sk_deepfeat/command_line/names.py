"""Names that users give for columns and arrays, and those that were found."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

_MOST_NAMES = 12
_ALIKE = 0.65  # of a name and what was meant: one letter more, less or elsewhere


def listed(names: Sequence[str], most: int = _MOST_NAMES) -> str:
    """Return names with commas; of many the first, and how many more there are."""
    shown = ", ".join(names[:most])
    more = len(names) - most
    return f"{shown} and {more} more" if more > 0 else shown


def require_name(name: str, found: Sequence[str], option: str, holder: str, kind: str) -> None:
    """Raise ValueError unless a name is among those found; the message tells the nearest one.

    Parameters
    ----------
    name : str
        As the user gave it.
    found : sequence of str
        What there is.
    option : str
        Such as ``"--target"``.
    holder, kind : str
        The file, and ``"column"`` or ``"array"``.
    """
    if name in found:
        return
    lowered = {each.lower(): each for each in reversed(found)}
    near = get_close_matches(name.lower(), list(lowered), n=1, cutoff=_ALIKE)
    meant = f" Did you mean {lowered[near[0]]}?" if near else ""
    raise ValueError(f"{option} {name}: {holder} holds no such {kind}, but {listed(found)}.{meant}")
