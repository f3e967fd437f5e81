"""What the command line says to the user on standard error: one line each."""

from __future__ import annotations

import sys
from typing import Any

from sk_deepfeat.command_line.columns import in_words
from sk_deepfeat.command_line.data import Data
from sk_deepfeat.report.visible_text import visible


def print_error(error: BaseException) -> None:
    """Print why the command ended."""
    _tell(" ".join(str(error).split()))


def print_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning without its place in the code; stands in for `warnings.showwarning`."""
    _tell(f"warning: {message}")


def print_notes(data: Data) -> None:
    """Print what was noticed about the data, and what is done to each of its columns."""
    for line in (*data.notes, *in_words(data.columns)):
        _tell(line)


def _tell(line: str) -> None:
    print(f"sk_deepfeat: {visible(line)}", file=sys.stderr)
