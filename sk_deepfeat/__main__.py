"""The command line: ``python -m sk_deepfeat [curve]`` and ``python -m sk_deepfeat report``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat.compose import TwoStageRegressor
from sk_deepfeat.feature_maps import RandomDeepFeatures, TrainedDeepFeatures
from sk_deepfeat.linear_model import DeterministicEquivalentRidge
from sk_deepfeat.model_selection import (
    RidgeLearningCurve,
    RidgeLearningCurveDisplay,
    four_way_split,
    ridge_learning_curve,
)
from sk_deepfeat.populations import PlugInPopulation
from sk_deepfeat.report import write_report
from sk_deepfeat.report.writing import check_destination

_COMMANDS = ("curve", "report")
_DEFAULT_ALPHAS = (0.1, 1.0, 10.0, 100.0, 1000.0)


class _BadInput(Exception):
    """Something the user gave cannot be used; the message is one line."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, or 2 for bad input."""
    given = list(sys.argv[1:] if argv is None else argv)
    if not given or given[0] not in (*_COMMANDS, "-h", "--help"):
        given.insert(0, _COMMANDS[0])
    try:
        arguments = _parser().parse_args(given)
        with warnings.catch_warnings():
            warnings.showwarning = _one_line
            return int(arguments.run(arguments))
    except (_BadInput, ValueError, TypeError, ImportError, OSError) as error:
        print(f"sk_deepfeat: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


def _one_line(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"sk_deepfeat: warning: {message}", file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    """Raises in place of printing the usage, so that bad input is one line."""

    def error(self, message: str) -> Any:
        raise _BadInput(f"{message} (see python -m sk_deepfeat --help)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m sk_deepfeat",
        description="Predict what test error ridge regression on deep features reaches.",
        epilog="Without a command, 'curve' is run; its options then work directly.",
    )
    commands = parser.add_subparsers(required=True, parser_class=_Parser)
    _add_curve(commands)
    _add_report(commands)
    return parser


def _add_curve(commands: Any) -> None:
    curve = commands.add_parser(
        "curve",
        help="predicted against measured learning curves",
        description="Compare the predicted with the measured test error over n and alpha.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    curve.set_defaults(run=_curve)
    add = curve.add_argument
    add("--data", default="digits", help="digits, mnist, or an .npz file with arrays X and y")
    add("--data-home", default=None, help="folder with MNIST/raw, for --data mnist")
    add("--features", default="trained", choices=("random", "trained", "none"))
    add("--hidden-layer-sizes", default=[200], type=_whole, nargs="+", metavar="WIDTH")
    add("--epochs", default=20, type=_whole_or_zero, help="training epochs of the features")
    add("--population", default="leave-one-out", choices=("leave-one-out", "gcv", "plug-in"))
    add("--train-sizes", default=None, type=_whole, nargs="+", metavar="N")
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
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    report.set_defaults(run=_report)
    add = report.add_argument
    add("data", help="an .npz file with arrays X and y, digits, or mnist")
    add("--data-home", default=None, help="folder with MNIST/raw, for mnist")
    add("--features", default="trained", choices=("random", "trained", "none"))
    add("--hidden-layer-sizes", default=[200], type=_whole, nargs="+", metavar="WIDTH")
    add("--epochs", default=20, type=_whole_or_zero, help="training epochs of the features")
    add("--population", default="leave-one-out", choices=("leave-one-out", "gcv"))
    add("--alpha", default="optimal", type=_alpha, help="a number, or optimal")
    add("--targets", default=None, type=_positive, nargs="+", metavar="ERROR")
    add("--seed", default=0, type=_whole_or_zero)
    add("--output", default="report.html", help="the page")


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


def _curve(arguments: argparse.Namespace) -> int:
    output = Path(arguments.output)
    for folder in (output, *output.parents):
        if folder.exists():
            if not folder.is_dir():
                raise _BadInput(f"--output {folder} is a file; name a folder.")
            if not os.access(folder, os.W_OK):
                raise _BadInput(f"--output {output}: {folder} cannot be written to.")
            break
    X, y = _load(arguments.data, arguments.data_home)
    _require_plot()  # before the long run
    features, targets, ridge = _stages(arguments, X, y)
    sizes = arguments.train_sizes or _default_sizes(len(targets))
    if max(sizes) > len(targets) - 100:
        raise _BadInput(
            f"--train-sizes go up to {max(sizes)}, but of the {len(targets)} rows that the "
            "features have not seen at least 100 stay outside for measuring; the largest size "
            f"is {len(targets) - 100}."
        )
    result = ridge_learning_curve(
        ridge,
        features,
        targets,
        train_sizes=sizes,
        alphas=arguments.alphas,
        n_repeats=arguments.repeats,
        test_size=100,
        n_jobs=arguments.n_jobs,
        random_state=arguments.seed,
        verbose=int(sys.stderr.isatty()),
    )
    _write(result, output)
    _print(result)
    return 0


def _report(arguments: argparse.Namespace) -> int:
    output = check_destination(arguments.output)  # both before the long run
    _require_plot()
    X, y = _load(arguments.data, arguments.data_home, option="")
    if np.any(np.ptp(y, axis=0) == 0):
        raise _BadInput(f"{arguments.data}: y is constant; there is nothing to predict.")
    ridge = DeterministicEquivalentRidge(arguments.alpha, population=arguments.population)
    sizes, seed = tuple(arguments.hidden_layer_sizes), arguments.seed
    if arguments.features == "none":
        estimator: Any = make_pipeline(StandardScaler(), ridge)
    elif arguments.features == "random":
        random = RandomDeepFeatures(sizes, random_state=seed)
        estimator = make_pipeline(StandardScaler(), random, ridge)
    else:
        trained = TrainedDeepFeatures(sizes, max_epochs=arguments.epochs, random_state=seed)
        feature_map = make_pipeline(StandardScaler(), trained)
        estimator = TwoStageRegressor(feature_map, ridge, random_state=seed)
    estimator.fit(X.reshape(len(X), -1), y)
    title = f"Predicted test error: {Path(arguments.data).name}"
    print(write_report(estimator, output, y=y, targets=arguments.targets, title=title))
    return 0


def _require_plot() -> None:
    try:
        import matplotlib  # noqa: F401
        import pandas  # noqa: F401
    except ImportError as error:
        raise _BadInput(
            'the table and the picture need pandas and matplotlib: pip install "sk-deepfeat[plot]"'
        ) from error


def _load(
    data: str, data_home: str | None, option: str = "--data "
) -> tuple[NDArray[Any], NDArray[Any]]:
    if data == "digits":
        digits = load_digits()
        return digits.data / 16.0, np.where(digits.target % 2 == 0, 1.0, -1.0)
    if data == "mnist":
        from sk_deepfeat.datasets import load_mnist_parity

        X, y = load_mnist_parity(data_home=data_home, return_X_y=True)
        return X, y
    path = Path(data)
    if path.suffix != ".npz":
        raise _BadInput(f"{option}{data!r} is not 'digits', 'mnist' or an .npz file.")
    if not path.is_file():
        raise _BadInput(f"{option}{data}: there is no such file.")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            X, y = arrays["X"], arrays["y"]
    except KeyError as error:
        raise _BadInput(f"{option}{data} must hold arrays named X and y.") from error
    except Exception as error:
        raise _BadInput(f"{option}{data} cannot be read as an .npz file: {error}") from error
    if X.ndim < 2 or y.ndim not in (1, 2) or len(X) != len(y):
        raise _BadInput(
            f"{option}{data}: X needs one row per target; got shapes {X.shape} and {y.shape}."
        )
    if not all(array.dtype.kind in "biuf" for array in (X, y)):
        raise _BadInput(f"{option}{data}: X and y must be real numbers.")
    if not (np.all(np.isfinite(X)) and np.all(np.isfinite(y))):
        raise _BadInput(
            f"{option}{data}: X and y must be finite; there are NaN or infinite values."
        )
    if len(X) < 200:
        raise _BadInput(f"{option}{data} has {len(X)} rows; at least 200 are needed.")
    return X, np.asarray(y, dtype=np.float64)


def _stages(
    arguments: argparse.Namespace, X: NDArray[Any], y: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], DeterministicEquivalentRidge]:
    """Train the features on some rows; return features of others, and the ridge for them."""
    rows = np.arange(len(y))
    if arguments.population != "plug-in":
        rest, seen = train_test_split(rows, test_size=0.25, random_state=arguments.seed)
        feature_map = _feature_map(arguments, X[seen], y[seen])
        return (
            feature_map(X[rest]),
            y[rest],
            DeterministicEquivalentRidge(population=arguments.population),
        )
    test, seen, readout, covariance = four_way_split(rows, random_state=arguments.seed)
    feature_map = _feature_map(arguments, X[seen], y[seen])
    population = PlugInPopulation().fit(feature_map(X[covariance]), y[covariance])
    rest = np.concatenate([readout, test])
    ridge = DeterministicEquivalentRidge(population=FrozenEstimator(population))
    return feature_map(X[rest]), y[rest], ridge


def _feature_map(arguments: argparse.Namespace, X: NDArray[Any], y: NDArray[Any]) -> Any:
    sizes = tuple(arguments.hidden_layer_sizes)
    if arguments.features == "none":
        return lambda rows: rows.reshape(len(rows), -1)
    if arguments.features == "random":
        random = RandomDeepFeatures(sizes, random_state=arguments.seed)
        random.fit(X.reshape(len(X), -1))
        return lambda rows: random.transform(rows.reshape(len(rows), -1))
    trained = TrainedDeepFeatures(sizes, max_epochs=arguments.epochs, random_state=arguments.seed)
    trained.fit(X.reshape(len(X), -1), y)
    return lambda rows: trained.transform(rows.reshape(len(rows), -1))


def _default_sizes(n_rows: int) -> list[int]:
    largest = n_rows - 100
    wanted = [25, 50, 100, 200, 400, 800, 1200, 2000, 4000, 10_000]
    return [size for size in wanted if size <= largest] or [largest]


def _write(result: RidgeLearningCurve, output: Path) -> None:
    """Write both files under other names first, so that nothing is left half-written."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    frame = result.to_frame()
    display = RidgeLearningCurveDisplay.from_result(result)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output) as scratch:
        table, picture = Path(scratch) / "table.csv", Path(scratch) / "picture.png"
        frame.to_csv(table, index=False)
        display.figure_.savefig(picture, dpi=120)
        os.replace(table, output / "learning_curve.csv")
        os.replace(picture, output / "learning_curve.png")
    plt.close(display.figure_)


def _print(result: RidgeLearningCurve) -> None:
    frame = result.to_frame()
    print(frame.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    relative = np.abs(frame["relative_error"].dropna())
    if relative.empty:
        print("relative error of the prediction: no cell is identifiable")
        return
    print(
        f"relative error of the prediction: median {100 * np.median(relative):.1f} %, "
        f"worst {100 * relative.max():.1f} % over {relative.size} cells"
    )


if __name__ == "__main__":
    sys.exit(main())
