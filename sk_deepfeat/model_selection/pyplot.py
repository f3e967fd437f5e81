"""matplotlib, imported when something is drawn, and what all displays look like."""

from __future__ import annotations

from typing import Any

import numpy as np

_MARKERS = "osD^vP*X<>"


def import_pyplot(caller: str) -> Any:
    """Return matplotlib.pyplot, or raise ImportError that names `caller` and the remedy."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f'{caller} needs matplotlib: pip install "sk-deepfeat[plot]".') from error
    return plt


def axes(plt: Any, ax: Any) -> Any:
    """Return the given axes, or those of a new figure."""
    if ax is None:
        _, ax = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
    return ax


def styles(plt: Any, count: int) -> list[tuple[Any, str]]:
    """Return a colour and a marker for each of `count` series.

    The light end of viridis is left out: it does not stand against white.
    """
    colours = plt.get_cmap("viridis")(np.linspace(0.0, 0.85, count))
    return [(colour, _MARKERS[k % len(_MARKERS)]) for k, colour in enumerate(colours)]


def finish(ax: Any, title: str) -> None:
    """Write plain numbers along the errors' axis and put the legend beside the axes."""
    ax.yaxis.set_major_formatter("{x:g}")
    low, high = ax.get_ylim()
    # Within a decade the powers of ten alone would leave the axis without numbers.
    ax.yaxis.set_minor_formatter("{x:g}" if high < 10 * low else "")
    ax.legend(title=title, fontsize="small", loc="upper left", bbox_to_anchor=(1.01, 1.0))
