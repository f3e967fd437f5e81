"""The command line: ``python -m sk_deepfeat [curve]`` and ``python -m sk_deepfeat report``."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

from sk_deepfeat.command_line import (
    parse,
    print_error,
    print_interrupted,
    print_warning,
    run_curve,
    run_report,
)

_INTERRUPTED = 130  # as shells have it: 128 and the number of the signal
_COMMANDS = {"curve": run_curve, "report": run_report}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, 2 for bad input, or 130."""
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        with warnings.catch_warnings():
            warnings.showwarning = print_warning
            return _COMMANDS[arguments.command](arguments)
    except (ValueError, TypeError, ImportError, OSError) as error:
        print_error(error)
        return 2
    except KeyboardInterrupt as interruption:
        print_interrupted(interruption)
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
