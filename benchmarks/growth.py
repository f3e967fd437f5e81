"""Time and memory of a fit with its error surface by the numbers of rows and features.

The bare factorisation is the centred Gram matrix, of rows or of features, whichever is smaller, and
one numpy.linalg.eigh. Ours is a default fit and a surface of 200 cells, 20 sizes up to ten times
the rows and 10 alphas; the same without the check (``calibrate=False``); on rows in clusters, where
the check fails; and with ``--before FOLDER`` that of another checkout of the project. Beside them
RidgeCV, and GridSearchCV over five folds, with five alphas each. Relu features in float64. All run
once unmeasured, then five times in turn; medians. Memory is the peak beyond the inputs, in a
process of its own for each.

One line of JSON for each size. Three tables: times, memory, and exponents fitted to the times,
beside those of counted operations. A table is written after each size; with ``--sizes``, lines of
other sizes stay as they are.
"""

from __future__ import annotations

import argparse
import csv
import gc
import json
import os
import warnings
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info
from workers import HERE, CallFailed, Worker, in_turns, peak_memory, timed

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import LeaveOneOutPopulation

SIZES = (
    (1000, 500),
    (4000, 500),
    (16_000, 500),
    (1000, 1000),
    (4000, 1000),
    (16_000, 1000),
    (1000, 2000),
    (4000, 2000),
    (16_000, 2000),
    (17_500, 2352),
    (2000, 20_000),
)
QUICK = ((400, 40), (800, 40), (400, 80), (60, 300))
ALPHAS = [0.1, 1.0, 10.0, 100.0, 1000.0]
ROWS_OF_A_CLUSTER = 16
INPUTS = 300
# Exponents are fitted where most of the time is arithmetic: so many rows, or seconds.
MANY_ROWS, MANY_SECONDS = 4000, 0.1


def rows(n, p, *, clusters=False):
    """Return relu features of Gaussian inputs, or of inputs in clusters, and a target of signs."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(n, INPUTS)) * np.arange(1, INPUTS + 1) ** -0.5
    if clusters:
        centre = rng.integers(n // ROWS_OF_A_CLUSTER, size=n)
        inputs = inputs[centre] + 0.2 * inputs
    X = inputs @ rng.normal(size=(INPUTS, p))
    np.maximum(X, 0.0, out=X)
    return X, np.sign(inputs[:, 0] * inputs[:, 1] + 0.3 * rng.normal(size=n))


def bare(X, y):
    centred = X - X.mean(axis=0)
    np.linalg.eigh(centred.T @ centred if len(X) > X.shape[1] else centred @ centred.T)


def surface(X, y, calibrate="auto"):
    """Fit and ask for the surface; return whether the check failed."""
    population = LeaveOneOutPopulation(calibrate=calibrate)
    ridge = DeterministicEquivalentRidge(population=population).fit(X, y)
    n = np.unique(np.geomspace(50, 10 * len(y), 20).round())[:, None]
    ridge.predict_test_error(n, np.geomspace(1e-2, 1e5, 10))
    check = ridge.population_.calibration_
    return check is not None and check.disagreement > 0


CONTESTANTS = {
    "bare": bare,
    "ours": surface,
    "calibrate=False": lambda X, y: surface(X, y, calibrate=False),
    "failing check": surface,
    "RidgeCV": lambda X, y: RidgeCV(alphas=ALPHAS).fit(X, y),
    "GridSearchCV": lambda X, y: GridSearchCV(Ridge(), {"alpha": ALPHAS}, cv=5).fit(X, y),
}
OURS = ("ours", "calibrate=False", "failing check")
OTHERS = ("RidgeCV", "GridSearchCV")
BEFORE = "before"
_ROWS = {}


def prepare(n, p, kinds):
    """Make rows in this process: plain ones, and those whose check fails."""
    warnings.simplefilter("ignore", PopulationWarning)
    _ROWS.clear()
    for clusters in kinds:
        _ROWS[clusters] = rows(n, p, clusters=clusters)


def run(name):
    """Return the seconds of one contestant, and whether its check failed."""
    gc.collect()
    X, y = _ROWS[name == "failing check"]
    seconds, failed = timed(lambda: CONTESTANTS[name](X, y))
    return {"seconds": seconds, "failed": bool(failed) if name in OURS else None}


def peak(name, n, p):
    """Return the MiB of one contestant beyond its rows."""
    X, y = rows(60, 5)
    warnings.simplefilter("ignore")
    CONTESTANTS[name](X, y)  # what a first call loads
    prepare(n, p, [name == "failing check"])
    return peak_memory(lambda: run(name))


def time_one_size(n, p, names, arguments):
    """Return results by contestant, and why some have none."""
    with ExitStack() as stack:
        now = stack.enter_context(Worker("growth"))
        now("prepare", n, p, [False, True])
        contestants = {name: lambda name=name: now("run", name) for name in names}
        if arguments.before:
            before = stack.enter_context(Worker("growth", arguments.before))
            before("prepare", n, p, [False])
            contestants[BEFORE] = lambda: before("run", "ours")
        return in_turns(contestants, arguments.rounds)


def memory_of_one_size(n, p, names, arguments):
    """Return MiB by contestant."""
    asked = {name: (name, HERE) for name in names}
    if arguments.before:
        asked[BEFORE] = ("ours", arguments.before)
    found = {}
    for label, (name, folder) in asked.items():
        with Worker("growth", folder) as worker:
            try:
                found[label] = worker("peak", name, n, p)
            except CallFailed as failure:
                found[label] = str(failure)
    return found


def times_line(n, p, results):
    """Return the line of the table of times for one size."""
    seconds = {name: median(found) for name, found in results.items()}

    def ratio(name, unit):
        known = name in seconds and unit in seconds
        return f"{seconds[name] / seconds[unit]:.2f}" if known else ""

    fails = results["ours"][0]["failed"] if "ours" in results else None
    line = {"n0": n, "p": p, "bare, s": f"{seconds['bare']:.3g}"}
    line |= {f"{name} / bare": ratio(name, "bare") for name in ("ours", *OURS[1:], BEFORE)}
    line |= {f"{name} / ours": ratio(name, "ours") for name in OTHERS}
    return line | {"check fails": {None: "", False: "no", True: "yes"}[fails]}


def memory_line(n, p, found):
    """Return the line of the table of memory: MiB, and ours in units of the smaller square."""
    square, copy = min(n, p) ** 2 * 8 / 2**20, n * p * 8 / 2**20
    line = {"n0": n, "p": p, "square, MiB": f"{square:.1f}", "rows, MiB": f"{copy:.1f}"}
    line |= {f"{name}, MiB": found.get(name, "") for name in ("bare", *OURS, BEFORE, *OTHERS)}
    for name in (*OURS, BEFORE):
        known = isinstance(found.get(name), float)
        beyond = f"{(found[name] - copy) / square:.1f}" if known else ""
        line[f"{name} beyond a copy of the rows, squares"] = beyond
    return line


def median(results):
    return float(np.median([result["seconds"] for result in results]))


def operations(n, p):
    """Return the count of the bare factorisation: n p² for the Gram matrix, and 6 p³.

    LAPACK's divide and conquer: 4/3 p³ to tridiagonal form, up to 8/3 p³ for its eigenvectors, and
    2 p³ to transform them back.
    """
    return n * p**2 + 6.0 * p**3


def exponents(lines, *, every=False):
    """Return the exponents of n0 and p in times and in the count, by least squares of logarithms.

    Sizes with more features than rows, where the two change places, are left out.
    """
    chosen = [
        line
        for line in lines
        if int(line["n0"]) >= int(line["p"])
        and (every or int(line["n0"]) >= MANY_ROWS or float(line["bare, s"]) >= MANY_SECONDS)
    ]
    n, p = (np.array([float(line[name]) for line in chosen]) for name in ("n0", "p"))
    unit = np.array([float(line["bare, s"]) for line in chosen])
    times = {"operations of the factorisation": operations(n, p), "bare": unit}
    for name in (*OURS, BEFORE):
        ratios = [line[f"{name} / bare"] for line in chosen]
        if all(ratios):
            times[name] = np.array(ratios, dtype=float) * unit
    design = np.stack([np.ones(len(n)), np.log(n), np.log(p)], axis=1)
    if np.linalg.matrix_rank(design) < 3:
        return []
    found = []
    for name, values in times.items():
        (_, of_n, of_p), *_ = np.linalg.lstsq(design, np.log(values), rcond=None)
        found.append({"time of": name, "n0": f"{of_n:.2f}", "p": f"{of_p:.2f}", "sizes": len(n)})
    return found


def kept(path, sizes):
    """Return the lines of a table that are of other sizes."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    return [line for line in lines if (int(line["n0"]), int(line["p"])) not in sizes]


def write(path, lines):
    if lines:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, lines[-1], extrasaction="ignore", restval="")
            writer.writeheader()
            writer.writerows(lines)


def in_order(lines):
    """Sort as `SIZES` does: by features, the wide ones last."""
    return sorted(lines, key=lambda line: (int(line["p"]), int(line["n0"])))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--before", default=None, help="another checkout to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", nargs="+", help="such as 4000x500; default: all of the table")
    parser.add_argument("--without", nargs="+", default=[], choices=list(CONTESTANTS)[1:])
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--quick", action="store_true", help="four small sizes, to try it")
    parser.add_argument("--output", default="docs/tables/growth.csv")
    arguments = parser.parse_args()
    sizes = QUICK if arguments.quick else SIZES
    if arguments.sizes:
        sizes = tuple(tuple(map(int, size.split("x"))) for size in arguments.sizes)
    names = [name for name in CONTESTANTS if name not in arguments.without]
    times_path = Path(arguments.output)
    memory_path, exponents_path = (
        times_path.with_stem(f"{times_path.stem}_{what}") for what in ("memory", "exponents")
    )
    times, memory = kept(times_path, sizes), kept(memory_path, sizes)
    for n, p in sizes:
        load = os.getloadavg()
        results, failed = time_one_size(n, p, names, arguments)
        said = {"benchmark": "growth", "n0": n, "p": p, "failed": failed}
        said |= {"load before": np.round(load, 2).tolist()}
        said |= {"load after": np.round(os.getloadavg(), 2).tolist()}
        said["threads"] = max(
            pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"
        )
        said["seconds"] = {
            name: np.round([result["seconds"] for result in found], 4).tolist()
            for name, found in results.items()
        }
        said["check fails"] = {
            name: found[0]["failed"] for name, found in results.items() if name in (*OURS, BEFORE)
        }
        times = in_order([*times, times_line(n, p, results)])
        write(times_path, times)
        write(exponents_path, exponents(times, every=arguments.quick))
        if not arguments.no_memory:
            said["MiB"] = memory_of_one_size(n, p, names, arguments)
            memory = in_order([*memory, memory_line(n, p, said["MiB"])])
            write(memory_path, memory)
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
