"""What the scripts of all figures share: their command line, their cache, their tables."""

from __future__ import annotations

import argparse
import csv
import os
import platform
import tempfile
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Memory
from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

HERE = Path(__file__).parent
PACKAGES = ("sk-deepfeat", "numpy", "scipy", "scikit-learn", "torch", "skorch", "joblib")
MEASURED = {"measured": "mean", "measured_se": "standard_error"}
Row = dict[str, Any]


class Study:
    """The run of one script."""

    def __init__(self, name: str, description: str | None) -> None:
        self.name = name
        parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        parser.add_argument("--full", action="store_true", help="the paper's size, up to an hour")
        parser.add_argument("--data-home", help="folder of MNIST/raw and of published/figures.csv")
        parser.add_argument("--n-jobs", type=int, default=2)
        parser.add_argument("--output", type=Path, help="folder of the picture and of the table")
        parser.add_argument("--cache", type=Path, help="folder of what was computed before")
        self.parser = parser

    def parse(self) -> argparse.Namespace:
        """Read the command line, and settle the folders."""
        arguments = self.parser.parse_args()
        if arguments.data_home is None:
            arguments.data_home = os.environ.get("SK_DEEPFEAT_DATA")
        self.full, self.n_jobs = arguments.full, arguments.n_jobs
        scratch = Path(tempfile.gettempdir()) / "sk_deepfeat_reproduction"
        self.output = arguments.output or (HERE / "results" if self.full else scratch / "quick")
        self.output.mkdir(parents=True, exist_ok=True)
        self._memory = Memory(arguments.cache or scratch / "cache", verbose=0)
        return arguments

    def cached(self, function: Callable[..., Any], ignore: Iterable[str] = ()) -> Any:
        """Return the function with its results kept on disk: a killed run goes on from there."""
        return self._memory.cache(function, ignore=list(ignore))

    def run(self, tasks: list[tuple[Any, ...]], label: str) -> list[Any]:
        """Call each (function, *arguments) in parallel, with a bar of progress."""
        calls = (delayed(function)(*arguments) for function, *arguments in tasks)
        results = Parallel(n_jobs=self.n_jobs, return_as="generator")(calls)
        return list(tqdm(results, total=len(tasks), desc=label))

    def write(self, rows: list[Row], settings: Row, name: str | None = None) -> Path:
        """Write the table; the settings and the versions of libraries are its first lines."""
        path = self.output / f"{name or self.name}.csv"
        facts = {"size": "full" if self.full else "quick", **settings}
        facts |= {"python": platform.python_version()}
        facts |= {package: version(package) for package in PACKAGES}
        with open(path, "w", newline="", encoding="utf-8") as file:
            file.writelines(f"# {key}: {value}\n" for key, value in facts.items())
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows({key: _digits(value) for key, value in row.items()} for row in rows)
        return path

    def save(self, figure: Any, name: str | None = None) -> None:
        """Write the picture."""
        figure.savefig(self.output / f"{name or self.name}.png", dpi=110)


def lines_between(sizes: Iterable[int]) -> np.ndarray:
    """Return the sizes at which lines are drawn: those that are measured, and others between."""
    sizes = list(sizes)
    between = np.geomspace(min(sizes), max(sizes), 60).round().astype(int)
    return np.union1d(between, sizes)


def rows_of(
    fixed: Row, sizes: Iterable[int], alphas: Any, found: Row, predictors: Iterable[str]
) -> list[Row]:
    """Return one row for each size of the lines and each alpha; NaN where nothing was measured.

    `found` holds what `measure.measure` returned for `sizes`, by name, perhaps errors on some of
    the rows as ``measured_...``, and for each predictor what it says of the sizes of the lines.
    """
    sizes, rows = list(sizes), []
    measured = MEASURED | {name: name for name in found if name.startswith("measured_")}
    for i, size in enumerate(lines_between(sizes)):
        at = sizes.index(size) if size in sizes else None
        for j, alpha in enumerate(alphas):
            row = fixed | {"alpha": float(alpha), "n_samples": int(size)}
            for name, key in measured.items():
                row[name] = np.nan if at is None else found[key][at, j]
            row["refits"] = 0 if at is None else int(found["refits"][at])
            row |= {key: found[key][i, j] for key in predictors}
            rows.append(row | {"network": found.get("network", np.nan)})
    return rows


def best_alpha(rows: list[Row], predictors: Iterable[str]) -> list[Row]:
    """Return a row for each panel and size: measured and predicted error each at its own best."""
    cells: dict[Any, list[Row]] = {}
    for row in rows:
        cells.setdefault((row["panel"], row["n_samples"]), []).append(row)
    found = []
    for (panel, size), group in cells.items():
        best: Row = {"panel": panel, "n_samples": size}
        for key in ("measured", *predictors):
            lowest = min(group, key=lambda row: np.nan_to_num(row[key], nan=np.inf))
            known = np.isfinite(lowest[key])
            best |= {key: lowest[key], f"alpha_{key}": lowest["alpha"] if known else np.nan}
            if key == "measured":
                best["measured_se"] = lowest["measured_se"]
        found.append(best | {"network": group[0]["network"]})
    return found


def _digits(value: Any) -> Any:
    return f"{value:.8g}" if isinstance(value, float | np.floating) else value


def read(path: Path) -> list[Row]:
    """Return the rows of a table that `Study.write` wrote."""
    with open(path, newline="", encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    return [{key: _number(text) for key, text in row.items()} for row in csv.DictReader(lines)]


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def relative_errors(
    rows: list[Row], predictor: str, panel: str | None = None, against: str = "measured"
) -> np.ndarray:
    """Return |predicted / measured - 1| of the measured cells; NaN where nothing was predicted."""
    measured = [row for row in rows if np.isfinite(row["measured"])]
    chosen = [row for row in measured if panel in (None, row["panel"])]
    return np.array([abs(row[predictor] / row[against] - 1) for row in chosen])


def accuracy(rows: list[Row], predictor: str, against: str = "measured") -> str:
    """Return median / 90 % / worst relative error in per cent, and how many cells have one."""
    relative = relative_errors(rows, predictor, against=against)
    known = relative[~np.isnan(relative)]
    if not known.size:
        return "none within reach"
    found = 100 * np.array([np.median(known), np.quantile(known, 0.9), known.max()])
    text = " / ".join(f"{value:.1f}" for value in found)
    return text if known.size == relative.size else f"{text} ({known.size} of {relative.size})"


def print_accuracy(rows: list[Row], predictors: Iterable[str], against: str = "measured") -> None:
    """Print the accuracies as a table in Markdown: one line for each panel, and one for all.

    In `against` a predictor's name stands for braces: ``"measured_apart_{}"``.
    """
    predictors = list(predictors)
    groups = list(dict.fromkeys(row["panel"] for row in rows))
    print("| panel | cells | " + " | ".join(predictors) + " |")
    print("|---" * (2 + len(predictors)) + "|")
    for group in [*groups, "all"]:
        chosen = [row for row in rows if group in ("all", row["panel"])]
        scores = [accuracy(chosen, name, against.format(name)) for name in predictors]
        cells = sum(np.isfinite(row["measured"]) for row in chosen)
        print(f"| {group} | {cells} | " + " | ".join(scores) + " |")


def mean_over_seeds(rows: list[Row], columns: Iterable[str]) -> list[Row]:
    """Average the columns and the measured errors over seeds, cell by cell.

    ``measured_se`` is the standard error of the mean over seeds, or that of the refits if there is
    one seed; ``spread_of_...`` is the standard deviation between seeds.
    """
    cells: dict[Any, list[Row]] = {}
    for row in rows:
        cells.setdefault((row["panel"], row["alpha"], row["n_samples"]), []).append(row)
    errors = [key for key in rows[0] if key.startswith("measured") and key != "measured_se"]
    found = []
    for (panel, alpha, size), group in cells.items():
        row = {"panel": panel, "alpha": alpha, "n_samples": size}
        for key in (*errors, *columns, "network"):
            row[key] = np.mean([member[key] for member in group])
        for key in errors:
            values = [member[key] for member in group]
            row[f"spread_of_{key}"] = np.std(values, ddof=1) if len(group) > 1 else np.nan
        among = row["spread_of_measured"] / np.sqrt(len(group))
        row["measured_se"] = among if len(group) > 1 else group[0]["measured_se"]
        found.append(row)
    return found


def compare_with_published(
    rows: list[Row], means: list[Row], marks: list[Row], key: str, predictors: Iterable[str]
) -> None:
    """Print our measured errors beside the published ones, and accuracies on the same cells.

    `rows` holds every seed, `means` what `mean_over_seeds` made of them, `key` the measured error
    whose rows are chosen as in the publication.
    """
    places = [(mark["panel"], mark["lambda"], int(mark["n_samples"])) for mark in marks]
    ours = {(row["panel"], float(f"{row['alpha']:g}"), row["n_samples"]): row for row in means}
    print("\n| panel | cells | measured / published | spread of seeds | within two spreads |")
    print("|---|---|---|---|---|")
    for name in [*dict.fromkeys(mark["panel"] for mark in marks), "all"]:
        pairs = [
            (ours[place], mark["measured"])
            for place, mark in zip(places, marks, strict=True)
            if name in ("all", mark["panel"])
        ]
        ratio = np.array([row[key] / value for row, value in pairs])
        spread = np.array([row[f"spread_of_{key}"] / row[key] for row, _ in pairs])
        within = np.sum(np.abs(1 - 1 / ratio) < 2 * spread)
        low, middle, high = np.quantile(ratio, (0.1, 0.5, 0.9))
        numbers = f"{middle:.3f} ({low:.3f} to {high:.3f}) | {100 * np.median(spread):.1f} %"
        print(f"| {name} | {len(pairs)} | {numbers} | {within} |")
    print("\n| on the same cells | each seed | means over seeds |")
    print("|---|---|---|")
    print(f"| published predictions, one run | {accuracy(marks, 'predicted')} | |")
    chosen = set(places)
    cells = [r for r in rows if (r["panel"], float(f"{r['alpha']:g}"), r["n_samples"]) in chosen]
    averaged = [ours[place] for place in places]
    for predictor in predictors:
        print(f"| {predictor} | {accuracy(cells, predictor)} | {accuracy(averaged, predictor)} |")


def published(data_home: Any, figure: str) -> list[Row]:
    """Return the published figure's numbers, or nothing if the file is not there."""
    if data_home is None:
        return []
    path = Path(data_home) / "published" / "figures.csv"
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["figure"] == figure]
    numbers = ("lambda", "n_samples", "measured", "predicted")
    return [row | {key: float(row[key]) for key in numbers} for row in rows]
