"""The options of both commands, and what their values may be."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from sk_deepfeat.command_line.data import TASKS

_COMMANDS = ("curve", "report")
_DEFAULT_ALPHAS = (0.1, 1.0, 10.0, 100.0, 1000.0)
_UNITS = (
    "The columns of a table (X with two axes) have units of their own and are standardised, on the "
    "rows that the features are fitted on. Images (digits, mnist, X with more axes) share one unit "
    "and are taken as they are."
)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the options; ``command`` is ``"curve"`` where none is named.

    Parameters
    ----------
    argv : sequence of str
        The words after ``python -m sk_deepfeat``.

    Returns
    -------
    argparse.Namespace

    Raises
    ------
    ValueError
        If an option is unknown or its value is not usable.
    """
    given = list(argv)
    if not given or given[0] not in (*_COMMANDS, "-h", "--help"):
        given.insert(0, _COMMANDS[0])
    return _parser().parse_args(given)


class _Parser(argparse.ArgumentParser):
    """Raises in place of printing the usage, so that bad input is one line."""

    def error(self, message: str) -> Any:
        raise ValueError(f"{message} (see python -m sk_deepfeat --help)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m sk_deepfeat",
        description="Predict what test error ridge regression on deep features reaches.",
        epilog="Without a command, 'curve' is run; its options then work directly.",
    )
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    _add_curve(commands)
    _add_report(commands)
    return parser


def _add_curve(commands: Any) -> None:
    curve = commands.add_parser(
        "curve",
        help="predicted against measured learning curves",
        description="Compare the predicted with the measured test error over n and alpha.",
        epilog=_UNITS,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = curve.add_argument
    add("--data", default="digits", help="digits, mnist, or an .npz file with arrays X and y")
    add("--data-home", default=None, help="folder with MNIST/raw, for --data mnist")
    _add_task(curve)
    _add_groups(curve)
    _add_features(curve)
    add("--population", default="leave-one-out", choices=("leave-one-out", "gcv", "plug-in"))
    add(
        "--train-sizes",
        default=None,
        type=_whole,
        nargs="+",
        metavar="N",
        help="numbers of rows; with --groups, of groups",
    )
    add("--alphas", default=list(_DEFAULT_ALPHAS), type=_not_negative, nargs="+", metavar="ALPHA")
    add("--repeats", default=10, type=_whole, help="refits for each training size")
    add("--n-jobs", default=None, type=int, help="parallel refits; -1 is every core")
    add("--seed", default=0, type=_whole_or_zero)
    add("--output", default="sk_deepfeat_output", help="folder of the table and the picture")


def _add_report(commands: Any) -> None:
    report = commands.add_parser(
        "report",
        help="one page about the error of a model on your data",
        description="Fit features and ridge, and write what they tell about their error as a page.",
        epilog=_UNITS,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = report.add_argument
    add("data", help="an .npz file with arrays X and y, digits, or mnist")
    add("--data-home", default=None, help="folder with MNIST/raw, for mnist")
    _add_task(report)
    _add_groups(report)
    _add_features(report)
    add("--population", default="leave-one-out", choices=("leave-one-out", "gcv"))
    add("--alpha", default="optimal", type=_alpha, help="a number, or optimal")
    add(
        "--targets",
        default=None,
        type=_positive,
        nargs="+",
        metavar="ERROR",
        help="errors to reach; of classes error rates, such as 0.05",
    )
    add("--seed", default=0, type=_whole_or_zero)
    add("--output", default="report.html", help="the page")


def _add_task(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--task",
        default="auto",
        choices=TASKS,
        help="what y is: auto takes strings, booleans, and integers of two values, or of at most "
        "20 without a gap, for classes, whose errors are error rates",
    )


def _add_groups(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--groups",
        default=None,
        metavar="NAME",
        help="array of the .npz file that names each row's group; errors are then those of new "
        "groups",
    )


def _add_features(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--features", default="trained", choices=("random", "trained", "none"))
    add("--hidden-layer-sizes", default=[200], type=_whole, nargs="+", metavar="WIDTH")
    add("--epochs", default=20, type=_whole_or_zero, help="training epochs of the features")


def _whole(text: str) -> int:
    return _number(text, int, 1, "a whole number of at least 1")


def _whole_or_zero(text: str) -> int:
    return _number(text, int, 0, "a whole number of at least 0")


def _not_negative(text: str) -> float:
    return _number(text, float, 0, "a finite number that is not negative")


def _positive(text: str) -> float:
    value = _not_negative(text)
    if value == 0.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number above 0")
    return value


def _alpha(text: str) -> float | str:
    if text == "optimal":
        return text
    return _number(text, float, 0, "'optimal' or a finite number that is not negative")


def _number(text: str, kind: Any, least: int, wanted: str) -> Any:
    try:
        value = kind(text)
    except ValueError:
        value = np.nan
    if not (np.isfinite(value) and value >= least):
        raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
    return value
