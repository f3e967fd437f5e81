"""The extras that both commands need, asked for before a long run."""

from __future__ import annotations


def require_plot() -> None:
    """Raise ImportError with the remedy if pandas or matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
        import pandas  # noqa: F401
    except ImportError as error:
        raise ImportError(
            'the table and the picture need pandas and matplotlib: pip install "sk-deepfeat[plot]"'
        ) from error
