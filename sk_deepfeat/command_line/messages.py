"""What the command line says to the user on standard error: one line each."""

from __future__ import annotations

import sys
from typing import Any


def print_error(error: BaseException) -> None:
    """Print why the command ended."""
    print(f"sk_deepfeat: {' '.join(str(error).split())}", file=sys.stderr)


def print_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning without its place in the code; stands in for `warnings.showwarning`."""
    print(f"sk_deepfeat: warning: {message}", file=sys.stderr)
