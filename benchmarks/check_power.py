"""How often the check of a default fit fails: where rows break the theory, and where they do not.

Rows in clusters and groups, copies, rare columns, series, heavy tails and outsize rows of 300, 1000
and 4000 rows; Gaussian rows and random relu features, where every failure is a false alarm; and
random features of real rows, digits, the diabetes data and, where ``SK_DEEPFEAT_DATA`` is set,
MNIST, where nobody knows: at the least alphas the theory may be off. A check fails where
``calibration_.disagreement`` is above zero; where it is suspicious it has looked closer. With
``--before FOLDER`` another checkout fits the same rows, in turn, on one thread; the time is the
ratio of the medians. One line of JSON for each kind and shape. The table ``check_power.csv`` has a
line for each of them, its summary one for each kind.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import tempfile
import time
import warnings
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from causes import autoregressive_rows, grouped_rows, near_copies, student_residuals
from data_sets import linear_model, load
from fidelity_sets import small
from growth import ROWS_OF_A_CLUSTER
from real_table_kinds import KINDS
from threadpoolctl import threadpool_limits
from workers import HERE, Worker, timed

from sk_deepfeat import DeterministicEquivalentRidge

SIZES = {300: 20, 1000: 20, 4000: 5}
WIDTHS = (40, 200, 1000)
NAMES = ("now", "before")


class Kind(NamedTuple):
    """`draw(rng, n, p)` gives (X, y), or None where there are not so many rows."""

    name: str
    draw: object
    widths: tuple[int, ...]
    holds: str  # whether the theory does


def linear(name, rng, n, p):
    return linear_model(name, n, p, n // ROWS_OF_A_CLUSTER, rng)


def of_fixed_width(kind, rng, n, p):
    return kind(rng, n)


def relu(rng, n, p):
    """Return random relu features of 30 Gaussian columns, and a smooth target."""
    Z = rng.normal(size=(n, 30))
    X = np.maximum(Z @ rng.normal(size=(30, p)) / np.sqrt(30) + 0.5 * rng.normal(size=p), 0.0)
    y = (np.sin(2.0 * Z[:, 0]) + Z[:, 1] * Z[:, 2] + Z[:, 3]) / 1.6
    return X, y + 0.5 * rng.normal(size=n)


@cache
def _kept(name):
    return load(name) if name.startswith("MNIST") else small(name)[:2]


def of_a_set(name, rng, n, p):
    """Return some rows of a set, and the first of its random features."""
    X, y = _kept(name)
    if n >= len(y):
        return None
    order = rng.permutation(len(y))[:n]
    return X[order, :p].astype(float), y[order]


def _broken(name, kind, width):
    return Kind(name, partial(of_fixed_width, kind), (width,), "no")


BROKEN = (
    Kind("clusters", partial(linear, "clusters"), WIDTHS, "no"),
    _broken("groups of six", grouped_rows, 150),
    _broken("exact copies", KINDS["duplicates"], 100),
    _broken("near copies", near_copies, 150),
    _broken("rare columns, 1 %", KINDS["rare columns .01"], 40),
    _broken("rare columns, 5 %", KINDS["rare columns .05"], 40),
    _broken("AR(1) rows", autoregressive_rows, 100),
    _broken("Student-t(4.5) rows", KINDS["Student-t rows"], 60),
    Kind("Student-t(3) rows", partial(linear, "Student-t(3) rows"), WIDTHS, "no"),
    _broken("t(2.5) residuals", student_residuals, 50),
    _broken("outsize rows", KINDS["contaminated"], 60),
)
HOLDS = (
    Kind("Gaussian", partial(linear, "Gaussian"), WIDTHS, "yes"),
    Kind("relu features", relu, WIDTHS, "yes"),
)
REAL = tuple(
    Kind(name, partial(of_a_set, name), widths, "real rows")
    for name, widths in (
        ("digits, random features", WIDTHS),
        ("diabetes, random features", (40, 200, 500)),
        ("MNIST, random features", WIDTHS),
    )
)


def fit(path):
    """Return what the check of a default fit says, and the seconds of the fit."""
    warnings.simplefilter("ignore")
    with np.load(path) as arrays:
        X, y = arrays["X"], arrays["y"]
    with threadpool_limits(1):
        seconds, ridge = timed(lambda: DeterministicEquivalentRidge().fit(X, y))
    check = ridge.population_.calibration_
    return {
        "seconds": seconds,
        "failed": bool(check.disagreement > 0),
        "suspicious": bool(check.suspicious),
    }


def one_shape(kind, n, p, draws, workers, path):
    """Return the line of the table for a kind and shape; None if there are not so many rows."""
    found = {name: [] for name in workers}
    for draw in range(draws):
        rows = kind.draw(np.random.default_rng([n, p, draw, *kind.name.encode()]), n, p)
        if rows is None:
            return None
        np.savez(path, X=rows[0], y=rows[1])
        for name, worker in workers.items():
            found[name].append(worker("fit", str(path)))
    line = {"rows": kind.name, "theory holds": kind.holds}
    line |= {"n0": n, "p": rows[0].shape[1], "draws": draws}
    for what in ("failed", "suspicious"):
        for name in NAMES:
            results = found.get(name)
            line[f"{what} {name}"] = sum(each[what] for each in results) if results else ""
    seconds = {name: np.median([each["seconds"] for each in found[name]]) for name in found}
    ratio = f"{seconds['now'] / seconds['before']:.2f}" if "before" in seconds else ""
    return line | {"time now / before": ratio}


def summary(lines):
    """Return a line for each kind: draws that failed, now and before, by number of rows."""
    found = []
    for name in dict.fromkeys(line["rows"] for line in lines):
        mine = [line for line in lines if line["rows"] == name]
        short = {"rows": name, "theory holds": mine[0]["theory holds"]}
        for n in SIZES:
            some = [line for line in mine if line["n0"] == n]
            draws = sum(line["draws"] for line in some)
            for when in NAMES:
                failed = [line[f"failed {when}"] for line in some]
                known = some and "" not in failed
                share = f"{sum(failed)} of {draws}" if known else ""
                short[f"{n} rows, {when}"] = share
        ratios = [float(line["time now / before"] or "nan") for line in mine]
        known = not np.isnan(ratios).any()
        found.append(short | {"time now / before": f"{np.median(ratios):.2f}" if known else ""})
    return found


def write(path, lines):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--before", default=None, help="another checkout to compare with")
    parser.add_argument("--only", nargs="+", help="kinds")
    parser.add_argument("--draws", type=int, default=None, help="of each kind and shape")
    parser.add_argument("--quick", action="store_true", help="two draws of 300 rows, to try it")
    parser.add_argument("--output", default="docs/tables/check_power.csv")
    arguments = parser.parse_args()
    start, path, lines = time.perf_counter(), Path(arguments.output), []
    folders = {"now": HERE, "before": arguments.before}
    with ExitStack() as stack:
        rows = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "rows.npz"
        workers = {
            name: stack.enter_context(Worker("check_power", folder))
            for name, folder in folders.items()
            if folder
        }
        for kind in (*BROKEN, *HOLDS, *REAL):
            if arguments.only and kind.name not in arguments.only:
                continue
            if kind.name.startswith("MNIST") and not os.environ.get("SK_DEEPFEAT_DATA"):
                continue
            for n, draws in ({300: 2} if arguments.quick else SIZES).items():
                for p in kind.widths[:2] if arguments.quick else kind.widths:
                    line = one_shape(kind, n, p, arguments.draws or draws, workers, rows)
                    if line is None:
                        continue
                    lines.append(line)
                    said = {"benchmark": "check_power", **line}
                    said["seconds"] = round(time.perf_counter() - start)
                    print(json.dumps(said), flush=True)
                    write(path, lines)
                    write(path.with_stem(f"{path.stem}_summary"), summary(lines))


if __name__ == "__main__":
    main()
