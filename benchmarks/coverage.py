"""How often the nominal 90 % interval holds the measured error, over draws of the training set.

Three sets of rows (`data_sets.py`): random features of MNIST, a smooth target, rows in clusters;
training sets of 1000 and of 2000 rows with 1000 features; 40 draws; 10 sizes from 50 to 10,000,
of which half are larger than a training set, times 7 alphas. Cells whose truth has a standard error
above 2 % do not count. One line of JSON for each set.
"""

from __future__ import annotations

import argparse
import csv
import json
import time

import numpy as np
from data_sets import NAMES, load
from truth import measured_surface

from sk_deepfeat.populations import LeaveOneOutPopulation

SETS = (NAMES[0], NAMES[2], NAMES[4])
TRAINING_SIZES = (1000, 2000)
SIZES = (50, 100, 300, 500, 1000, 2000, 3000, 4000, 5000, 10_000)


def one_set(name, arguments):
    start = time.perf_counter()
    X, y = load(name, data_home=arguments.data_home, folder=arguments.folder)
    scale = float(np.square(X[:2000].astype(float)).sum(axis=1).mean())
    alphas = np.geomspace(1e-5, 10.0, 7) * scale
    truth = measured_surface(f"coverage {name}", X, y, SIZES, alphas, folder=arguments.folder)
    certain = truth.standard_error < 0.02 * truth.mean
    n, result = np.array(SIZES)[:, None], {}
    for n0 in TRAINING_SIZES:
        held, widths = [], []
        for draw in range(arguments.draws):
            rows = np.random.default_rng([n0, draw]).permutation(len(y))[:n0]
            population = LeaveOneOutPopulation().fit(X[rows], y[rows])
            lower, upper = population.interval(n, alphas, level=0.9, fit_intercept=True)
            inside = (lower <= truth.mean) & (truth.mean <= upper)
            held.append(np.where(certain & ~np.isnan(lower), inside, np.nan))
            widths.append(0.5 * np.log(upper / lower))
        held = np.array(held)
        small = (n <= n0)[None]
        result[f"all, {n0}"] = float(np.nanmean(held))
        result[f"n <= n0, {n0}"] = float(np.nanmean(np.where(small, held, np.nan)))
        result[f"n > n0, {n0}"] = float(np.nanmean(np.where(~small, held, np.nan)))
        result[f"reachable, {n0}"] = float(1.0 - np.isnan(np.array(widths)).mean())
        result[f"median half-width, {n0}"] = float(np.nanmedian(widths))
        result[f"cells, {n0}"] = int(np.count_nonzero(~np.isnan(held)))
    result["seconds"] = time.perf_counter() - start
    return {key: round(value, 3) for key, value in result.items()}


def write_table(results, output):
    columns = ("all", "n <= n0", "n > n0", "reachable", "median half-width")
    with open(output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["rows", "n0", *columns])
        for name, found in results.items():
            for n0 in TRAINING_SIZES:
                cells = [f"{100 * found[f'{column}, {n0}']:.1f} %" for column in columns]
                writer.writerow([name, n0, *cells])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--folder", default=None, help="where sets and truths are kept")
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--output", default="docs/tables/coverage.csv")
    arguments = parser.parse_args()
    results = {}
    for name in SETS:
        results[name] = one_set(name, arguments)
        print(json.dumps({"benchmark": "coverage", "set": name, **results[name]}), flush=True)
        write_table(results, arguments.output)


if __name__ == "__main__":
    main()
