"""How right predictions are on rows of the kinds that real tables are made of.

Constructed rows (`real_table_kinds.py`), training sets of 300 and of 2000 rows, default settings.
Asked: 8 sizes from a twentieth of the training size up to it, and 1.5, 2, 3 and 4 times it, at 7
alphas from 1e-4 to 100 times the one that is best at the training size. Truth: fresh training sets
measured on fresh rows, until its standard error is below 1 %, kept in a folder.

|relative error| of answered cells over cells and draws, up to the training size and beyond, and how
often the 90 % interval holds the truth. The floor is what as many rows as the training set has can
tell of an error at all: the scatter of the rows' squared errors over their mean and the root of
their number, at the same alpha. The bars: of the error less one floor the median is at most 5 %,
less two the 90 % quantile 15 %, less three the worst 40 %; beyond the training size less two the
90 % quantile 25 %. 80 to 98 % of the intervals hold. 95 % of the cells up to the training size are
answered, and 60 % of those up to twice that at the best alpha and above. Cells whose truth has a
standard error above 5 % and above a quarter of the floor do not count, but as answered or not. One
line of JSON for each kind and size, with the bars missed.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
import warnings
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from real_table_kinds import FINITE, KINDS, RUN_LENGTH
from threadpoolctl import threadpool_limits
from truth import TestRows, fresh_fit, measure_fresh

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning

FACTORS = np.logspace(-4, 2, 7)
BEYOND = (1.5, 2.0, 3.0, 4.0)
LEVEL = 0.9
COLUMNS = (
    "floor",
    "truth_se",
    "certain",
    "median",
    "p90",
    "worst",
    "coverage",
    "answered_within",
    "beyond_p90",
    "beyond_coverage",
    "answered_to_2n0",
    "warned",
)
_SEARCHED = np.logspace(-10, 4, 57)  # over the mean squared norm of a row
_PRECISION, _FEWEST, _MOST, _ENTRIES = 0.01, 12, 1000, 3e7
_SURE = 0.05  # largest relative standard error of a truth that counts
_TEST_ENTRIES, _FEWEST_TEST_ROWS = 2e7, 20_000


class Surface(NamedTuple):
    """Truth of a kind at one training size; arrays of shape (sizes, alphas) but for the names."""

    sizes: np.ndarray
    alphas: np.ndarray
    mean: np.ndarray
    standard_error: np.ndarray  # relative
    refits: np.ndarray
    scatter: np.ndarray  # of rows at the training size, for each alpha


def asked_sizes(n0):
    """Whole numbers of rows, ascending."""
    within = [*np.geomspace(n0 / 20, n0, 7), 0.75 * n0]
    return np.unique(np.round([*within, *(factor * n0 for factor in BEYOND)]).astype(int))


def kept_truth(name, n0, folder):
    """Return the `Surface` of a kind, measured once as long as the kind draws the same rows."""
    label = "".join(c if c.isalnum() else "_" for c in name)
    file = folder / f"real_table_{label}_{n0}.npz"
    X, y = KINDS[name](np.random.default_rng(0), 50)
    version = np.array([X.sum(), np.square(X).sum(), y.sum()])
    if file.exists():
        with np.load(file) as kept:
            if np.allclose(kept["version"], version, rtol=1e-9):
                return Surface(*(kept[field] for field in Surface._fields))
    start = time.perf_counter()
    found = measured_truth(name, n0)
    print(
        f"truth of {name}, {n0}: {time.perf_counter() - start:.0f} s, refits "
        f"{found.refits.tolist()}, largest se {found.standard_error.max():.3f}",
        file=sys.stderr,
        flush=True,
    )
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(file, version=version, **found._asdict())
    return found


def measured_truth(name, n0):
    draw, rng = KINDS[name], np.random.default_rng([zlib.crc32(name.encode()), n0])
    X, y = draw(rng, n0)
    finite = name in FINITE
    n_rows = RUN_LENGTH if finite else max(int(_TEST_ENTRIES / X.shape[1]), _FEWEST_TEST_ROWS)
    test = TestRows(draw, rng, n_rows, finite=finite)
    searched = _SEARCHED * np.square(X - X.mean(axis=0)).sum(axis=1).mean()
    first = []
    for _ in range(4):
        X, y = draw(rng, n0)
        first.append(test.errors(*fresh_fit(X, y, searched), X, y))
    alphas = searched[np.mean(first, axis=0).argmin()] * FACTORS
    parts = []
    for size in asked_sizes(n0):
        most = int(np.clip(_ENTRIES / (size * X.shape[1]), _FEWEST, _MOST))
        parts.append(
            measure_fresh(draw, test, size, alphas, precision=_PRECISION, most=most, rng=rng)
        )
    mean, error, refits, scatter = (np.array(part) for part in zip(*parts, strict=True))
    at = np.flatnonzero(asked_sizes(n0) == n0)[0]
    return Surface(asked_sizes(n0), alphas, mean, error, refits, scatter[at])


def predictions(name, n0, surface, draws):
    """Predicted errors and ends of intervals (draws, 3, sizes, alphas), and who warned."""
    found, warned = [], []
    for draw in range(draws):
        X, y = KINDS[name](np.random.default_rng([n0, draw]), n0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ridge = DeterministicEquivalentRidge().fit(X, y)
            answers = ridge.predict_test_error(
                surface.sizes[:, None], surface.alphas, return_interval=True, level=LEVEL
            )
        found.append(answers)
        warned.append(any(issubclass(w.category, PopulationWarning) for w in caught))
    return np.array(found), warned


def certain_cells(n0, surface):
    """Say which cells' truth is known: close to as many rows as columns a mean may not exist."""
    allowed = np.maximum(_SURE, 0.25 * surface.scatter / np.sqrt(n0))
    return surface.standard_error <= allowed


def scores(n0, surface, predicted, warned):
    """Return the columns of the table, as numbers, with the bars missed."""
    error, lower, upper = predicted.transpose(1, 0, 2, 3)
    answered, certain = ~np.isnan(error), certain_cells(n0, surface)
    counted = answered & certain
    relative = np.abs(error / surface.mean - 1.0)
    held = (lower <= surface.mean) & (surface.mean <= upper)
    within = np.broadcast_to((surface.sizes <= n0)[:, None], error.shape)
    beyond = ~within
    near = (surface.sizes > n0) & (surface.sizes <= 2 * n0)
    near = near[:, None] & (FACTORS > 0.999)
    floors = np.broadcast_to(surface.scatter / np.sqrt(n0), error.shape)

    def more_than_floors(cells, count, q):
        return _quantile((relative - count * floors)[cells], q)

    inside, outside = within & counted, beyond & counted
    result = {
        "floor": float(np.median(floors)),
        "truth_se": float(surface.standard_error[certain].max()),
        "certain": _mean(certain),
        "median": _quantile(relative[within & counted], 0.5),
        "p90": _quantile(relative[within & counted], 0.9),
        "worst": _quantile(relative[within & counted], 1.0),
        "coverage": _mean(held[within & counted]),
        "answered_within": _mean(answered[within]),
        "beyond_p90": _quantile(relative[beyond & counted], 0.9),
        "beyond_coverage": _mean(held[beyond & counted]),
        "answered_to_2n0": _mean(answered[:, near]),
        "warned": _mean(warned),
    }
    failed = {
        "median": more_than_floors(inside, 1.0, 0.5) > 0.05,
        "p90": more_than_floors(inside, 2.0, 0.9) > 0.15,
        "worst": more_than_floors(inside, 3.0, 1.0) > 0.40,
        "coverage": not 0.80 <= result["coverage"] <= 0.98,
        "answered": result["answered_within"] < 0.95,
        "beyond": more_than_floors(outside, 2.0, 0.9) > 0.25,
        "reach": result["answered_to_2n0"] < 0.60,
    }
    result = {key: round(value, 4) for key, value in result.items()}
    return result | {"missed": [name for name, fails in failed.items() if fails]}


def _quantile(values, q):
    return float(np.quantile(values, q)) if values.size else float("nan")


def _mean(values):
    return float(np.mean(values)) if np.size(values) else float("nan")


def print_worst_cells(name, n0, surface, predicted, count=10):
    """Print the cells of largest relative error, up to the training size and beyond it."""
    error = predicted[:, 0]
    relative = np.nan_to_num(np.abs(error / surface.mean - 1.0), nan=-1.0)
    relative = np.where(certain_cells(n0, surface), relative, -1.0)
    for label, side in (("within", surface.sizes <= n0), ("beyond", surface.sizes > n0)):
        here = np.where(side[:, None], relative, -1.0)
        order = np.argsort(here, axis=None)[::-1][:count]
        print(f"# {name}, {n0}, {label}: draw, n/n0, alpha/best, predicted, interval, truth (se)")
        for draw, s, a in zip(*np.unravel_index(order, here.shape), strict=True):
            if here[draw, s, a] < 0:
                continue
            value, lower, upper = predicted[draw, :, s, a]
            print(
                f"{draw:3d} {surface.sizes[s] / n0:6.3f} {FACTORS[a]:7.0e} {value:10.4g} "
                f"[{lower:.4g}, {upper:.4g}] {surface.mean[s, a]:10.4g} "
                f"({100 * surface.standard_error[s, a]:.1f} %) "
                f"{value / surface.mean[s, a] - 1:+.2f}"
            )


def cell_text(value):
    """Return a figure as the table shows it."""
    return "–" if np.isnan(value) else f"{100 * value:.1f} %"


def write_table(results, output):
    with open(output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["kind", "n0", *COLUMNS, "missed"])
        for (name, n0), found in results.items():
            cells = [cell_text(found[column]) for column in COLUMNS]
            writer.writerow([name, n0, *cells, " ".join(found["missed"]) or "none"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", default=None, help="names with commas between; all by default")
    parser.add_argument("--sizes", default="300,2000")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--folder", default=None, help="where truths are kept")
    parser.add_argument("--table", default="docs/tables/real_tables.csv")
    parser.add_argument("--cells", action="store_true", help="print the worst cells of each kind")
    arguments = parser.parse_args()
    folder = Path(arguments.folder or Path(tempfile.gettempdir()) / "sk_deepfeat_benchmarks")
    names = list(KINDS) if arguments.kinds is None else arguments.kinds.split(",")
    results = {}
    for n0 in map(int, arguments.sizes.split(",")):
        for name in names:
            with threadpool_limits(limits=1):
                surface = kept_truth(name, n0, folder)
                asked = predictions(name, n0, surface, arguments.draws)
            found = results[name, n0] = scores(n0, surface, *asked)
            line = {"benchmark": "real_tables", "kind": name, "n0": n0, **found}
            print(json.dumps(line), flush=True)
            if arguments.cells:
                print_worst_cells(name, n0, surface, asked[0])
            write_table(results, arguments.table)


if __name__ == "__main__":
    main()
