"""The command line: ``python -m sk_deepfeat [curve]`` and ``python -m sk_deepfeat report``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_INTERRUPTED = 130  # as shells have it: 128 and the number of the signal


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status: 0, 2 for bad input, 130 if interrupted."""
    try:
        # Here, since it takes a second or more, in which the user may change their mind.
        from sk_deepfeat.command_line import run

        return run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt as interruption:
        how_far = f" ({interruption})" if str(interruption) else ""
        line = f"interrupted{how_far}; nothing was written, older files are as they were"
        print(f"{_line_start()}sk_deepfeat: {line}", file=sys.stderr)
        return _INTERRUPTED


def _line_start() -> str:
    """Return what ends a line of progress, or the ^C of a terminal."""
    return "\n" if sys.stderr.isatty() else ""


if __name__ == "__main__":
    sys.exit(main())
