"""The command line: ``python -m sk_deepfeat [curve]`` and ``python -m sk_deepfeat report``."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Sequence

_INTERRUPTED = 130  # as shells have it: 128 and the number of the signal


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 2 for bad input, 1 if a worker was killed, 130 if interrupted."""
    try:
        return _imported_run()(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt as interruption:
        how_far = f" ({interruption})" if str(interruption) else ""
        line = f"interrupted{how_far}; nothing was written, older files are as they were"
        print(f"{_line_start()}sk_deepfeat: {line}", file=sys.stderr)
        return _INTERRUPTED


def _imported_run() -> Callable[[Sequence[str]], int]:
    """Import what runs, and raise KeyboardInterrupt afterwards if the user ended it meanwhile.

    It takes a second or more, and some modules swallow an interruption while they are imported.
    """
    interruptions: list[int] = []
    can_wait = threading.current_thread() is threading.main_thread()
    if can_wait:
        before = signal.signal(signal.SIGINT, lambda number, _: interruptions.append(number))
    try:
        from sk_deepfeat.command_line import run
    finally:
        if can_wait:
            signal.signal(signal.SIGINT, before)
    if interruptions:
        raise KeyboardInterrupt
    return run


def _line_start() -> str:
    """Return what ends a line of progress, or the ^C of a terminal."""
    return "\n" if sys.stderr.isatty() else ""


if __name__ == "__main__":
    sys.exit(main())
