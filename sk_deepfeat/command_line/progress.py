"""Signs of life on standard error, for those who watch a terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SILENT_SECONDS = 2.0
_TICK_SECONDS = 1.0


@contextmanager
def patience(what: str) -> Iterator[None]:
    """Tell what is being done, and for how long, once it takes more than two seconds.

    The line is cleared at the end. Where standard error is no terminal, nothing is written.

    Parameters
    ----------
    what : str
        Such as "training the features".
    """
    if not sys.stderr.isatty():
        yield
        return
    ended, start = threading.Event(), time.monotonic()

    def tell() -> None:
        wait, width = _SILENT_SECONDS, 0
        while not ended.wait(wait):
            line = f"sk_deepfeat: {what}: {time.monotonic() - start:.0f} s"
            width, wait = max(width, len(line)), _TICK_SECONDS
            print(f"\r{line}", end="", file=sys.stderr, flush=True)
        if width:
            print(f"\r{' ' * width}\r", end="", file=sys.stderr, flush=True)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()
