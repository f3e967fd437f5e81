"""One run of the command line: words in, an exit status out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor

from sk_deepfeat.command_line.arguments import parse
from sk_deepfeat.command_line.curve import run_curve
from sk_deepfeat.command_line.messages import print_error, print_warning
from sk_deepfeat.command_line.report import run_report

_COMMANDS = {"curve": run_curve, "report": run_report}
_BAD_INPUT, _FAILED = 2, 1


def run(argv: Sequence[str]) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str
        The words after ``python -m sk_deepfeat``.

    Returns
    -------
    int
        0, or 2 for bad input, 1 if a worker was killed, of which one line on standard error tells.
    """
    try:
        arguments = parse(argv)
        with warnings.catch_warnings():
            warnings.showwarning = print_warning
            return _COMMANDS[arguments.command](arguments)
    except (ValueError, TypeError, ImportError, OSError) as error:
        print_error(error)
        return _BAD_INPUT
    except BrokenExecutor as error:
        print_error(error)
        return _FAILED
