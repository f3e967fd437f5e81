"""matplotlib, imported when something is drawn."""

from __future__ import annotations

from typing import Any


def import_pyplot(caller: str) -> Any:
    """Return matplotlib.pyplot, or raise ImportError that names `caller` and the remedy."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f'{caller} needs matplotlib: pip install "sk-deepfeat[plot]".') from error
    return plt
