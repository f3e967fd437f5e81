"""The options of both commands, and what their values may be."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

_COMMANDS = ("curve", "report")
_DEFAULT_DATA = "digits"
TASKS = ("auto", "classification", "regression")
_DATA = "a table (.csv, .tsv, .txt, .parquet), an .npz file with arrays X and y, digits, or mnist"
_LESS = "95, 90 and 75 %% of the least error with the rows at hand"
_UNITS = (
    "The columns of a table (X with two axes) have units of their own and are standardised, on the "
    "rows that the features are fitted on: of numbers, missing values are filled with the median "
    "and marked by a column of their own; categories (text, booleans) get a column for each level, "
    "those in fewer than 10 rows, or in less than 0.1 % of them, share one; dates are refused. "
    "Images (digits, mnist, X with more axes) share one unit and are taken as they are. Features "
    "and scales are fitted on a quarter of the rows for a curve, which is measured on the others; "
    "in a report, on a quarter if they are trained, else on all."
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
        if given and _is_meant_for_a_command(given[0]):
            raise ValueError(f"{given[0]!r} is no command; there are {' and '.join(_COMMANDS)}.")
        given.insert(0, _COMMANDS[0])
    found = _parser().parse_args(given)
    if found.command == "curve":
        if found.data is not None and found.data_option is not None:
            raise ValueError(f"--data {found.data_option}: {found.data} is named already.")
        found.data = found.data or found.data_option or _DEFAULT_DATA
    return found


def _is_meant_for_a_command(word: str) -> bool:
    option_or_data = word.startswith("-") or Path(word).exists()
    return not option_or_data and bool(get_close_matches(word, _COMMANDS))


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
    )
    add = curve.add_argument
    add("data", nargs="?", default=None, help=f"{_DATA}; default: digits")
    add(
        "--data",
        dest="data_option",
        default=None,
        metavar="DATA",
        help="the same as DATA; default: digits",
    )
    _add_data_options(curve)
    _add_features(curve)
    add(
        "--population",
        default="leave-one-out",
        choices=("leave-one-out", "gcv", "plug-in"),
        help="how the prediction is made; default: leave-one-out",
    )
    add(
        "--train-sizes",
        default=None,
        type=_whole,
        nargs="+",
        metavar="N",
        help="numbers of rows to fit on, with --groups of groups; default: 25, 50, 100, 200 and so "
        "on, as far as at least 100 rows, or a third, are left to measure on",
    )
    add(
        "--alphas",
        default=None,
        type=_not_negative,
        nargs="+",
        metavar="ALPHA",
        help="regularisations; default: five powers of ten about the alpha of least predicted "
        "error with all rows, which follows from the spectrum of the features",
    )
    add("--repeats", default=10, type=_whole, help="refits for each training size; default: 10")
    add("--n-jobs", default=None, type=int, help="parallel refits, -1 is every core; default: 1")
    add(
        "--memory",
        default=None,
        metavar="FOLDER",
        help="where refits are kept as they finish, so that the same command continues a run that "
        "was ended; default: nowhere",
    )
    _add_targets(curve, f"{_LESS}; none of classes")
    _add_seed(curve)
    _add_json(curve)
    add(
        "--output",
        default="sk_deepfeat_output",
        help="folder of the table and the picture; default: sk_deepfeat_output",
    )


def _add_report(commands: Any) -> None:
    report = commands.add_parser(
        "report",
        help="one page about the error of a model on your data",
        description="Fit features and ridge, and write what they tell about their error as a page.",
        epilog=_UNITS,
    )
    add = report.add_argument
    add("data", help=f"{_DATA}; no default")
    _add_data_options(report)
    _add_features(report)
    add(
        "--population",
        default="leave-one-out",
        choices=("leave-one-out", "gcv"),
        help="how the prediction is made; default: leave-one-out",
    )
    add(
        "--alpha",
        default="optimal",
        type=_alpha,
        help="a number, or optimal: that of least predicted error; default: optimal",
    )
    _add_targets(report, _LESS)
    _add_seed(report)
    _add_json(report)
    add("--output", default="report.html", help="the page; default: report.html")


def _add_data_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--target",
        default=None,
        metavar="NAME",
        help="column to predict; no default for a table, y of an .npz file",
    )
    add(
        "--groups",
        default=None,
        metavar="NAME",
        help="column, or array of the .npz file, that names each row's group; errors are then "
        "those of new groups; default: every row is a draw of its own",
    )
    add(
        "--weights",
        default=None,
        metavar="NAME",
        help="column, or array, of the rows' weights; errors are then weighted means; default: all "
        "alike",
    )
    add(
        "--drop",
        default=[],
        nargs="+",
        metavar="NAME",
        help="columns to leave out; default: constant ones, and those that name the rows",
    )
    add(
        "--task",
        default="auto",
        choices=TASKS,
        help="what the target is: auto takes strings, booleans, and integers of two values, or of "
        "at most 20 without a gap, for classes, whose errors are error rates; default: auto",
    )
    add(
        "--data-home",
        default=None,
        help="folder with MNIST/raw, for mnist; default: $SK_DEEPFEAT_DATA, or scikit-learn's",
    )


def _add_features(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--features",
        default="auto",
        choices=("auto", "random", "trained", "none"),
        help="what the ridge is fitted on: features of a random or a trained network, or none: the "
        "columns themselves; default: none for tables, trained for images",
    )
    add(
        "--hidden-layer-sizes",
        default=[200],
        type=_whole,
        nargs="+",
        metavar="WIDTH",
        help="of that network; default: 200",
    )
    add("--epochs", default=20, type=_whole_or_zero, help="of its training; default: 20")


def _add_targets(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument(
        "--targets",
        default=None,
        type=_positive,
        nargs="+",
        metavar="ERROR",
        help=f"errors to reach; of classes error rates, such as 0.05; default: {default}",
    )


def _add_seed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--seed", default=0, type=_whole_or_zero, help="of whatever is drawn; default: 0"
    )


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object, and nothing else, to standard output; default: a few lines",
    )


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
