"""Names for messages: never a whole network, nor all of its layers."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

# Names in a message: all of a small network, the nearest of a large one.
_MOST_NAMES, _NEAREST, _ALIKE = 8, 4, 0.5


def short_name(module: Any) -> str:
    """Return the name of a class or function, or the class name of anything else.

    Parameters
    ----------
    module : object
        What was given as `module`, or a layer of a network.

    Returns
    -------
    str

    Examples
    --------
    >>> from functools import partial
    >>> from sk_deepfeat.feature_maps.module_names import short_name
    >>> short_name(dict), short_name(partial(dict, a=1)), short_name(3)
    ('dict', 'dict', 'int')
    """
    called = getattr(module, "func", module)  # of a functools.partial
    name = getattr(called, "__name__", None)
    return name if isinstance(name, str) else type(called).__name__


def nearest(layer: str, names: Sequence[str]) -> str:
    """Say which layers there are: the nearest names, or the first, and how many others.

    Parameters
    ----------
    layer : str
        As it was given; "" if none was.
    names : sequence of str
        Of the layers there are, in their order.

    Returns
    -------
    str
        The end of a sentence.

    Examples
    --------
    >>> from sk_deepfeat.feature_maps.module_names import nearest
    >>> print(nearest("layr2", [f"layer{number}" for number in range(1, 41)]))
    the nearest are layer2, layer32, layer29, layer28, and there are 36 others, which ...
    """
    if len(names) <= _MOST_NAMES:
        return f"its layers are: {', '.join(names) or '(none)'}"
    found = get_close_matches(layer, names, _NEAREST, _ALIKE)
    # Of a network without a match, the layers before its head are what is mostly wanted.
    told, found = ("nearest", found) if found else ("last", list(names[-_NEAREST:]))
    return (
        f"the {told} are {', '.join(found)}, and there are {len(names) - len(found)} others, which "
        "network.named_modules() lists"
    )
