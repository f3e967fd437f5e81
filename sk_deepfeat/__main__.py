"""The command line: ``python -m sk_deepfeat [curve]`` and ``python -m sk_deepfeat report``."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

from sk_deepfeat.command_line import parse, print_error, print_warning, run_curve, run_report

_COMMANDS = {"curve": run_curve, "report": run_report}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, or 2 for bad input."""
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        with warnings.catch_warnings():
            warnings.showwarning = print_warning
            return _COMMANDS[arguments.command](arguments)
    except (ValueError, TypeError, ImportError, OSError) as error:
        print_error(error)
        return 2


if __name__ == "__main__":
    sys.exit(main())
