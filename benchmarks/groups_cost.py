"""Time of a fit with groups over that of the same fit without.

10,000 rows of 1000 features, and 2000 rows of 4000, in groups of 2, 10 and 30. Fits run three times
in turn; ratios of medians of the processor time of one process with one thread, which other work on
the machine does not change. The defaults, whose check of subsets is part of the fit, and the theory
alone. One line of JSON for each shape.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
import warnings

import numpy as np
from threadpoolctl import threadpool_limits

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import LeaveOneOutPopulation

SETTINGS = ((10_000, 1000, (2, 10, 30)), (2000, 4000, (2, 10, 30)))
TARGET = 2.0


def grouped_rows(n, p):
    """Rows with common parts within runs of 2, of 10 and of 30, whichever are the groups."""
    rng = np.random.default_rng(0)
    scale = np.arange(1, p + 1) ** -0.5
    coefs = rng.normal(size=p)
    X, y = rng.normal(size=(n, p)), rng.normal(size=n)
    for size in (2, 10, 30):
        labels = np.arange(n) // size
        X += 0.5 * rng.normal(size=(labels[-1] + 1, p))[labels]
        y += 0.5 * rng.normal(size=labels[-1] + 1)[labels]
    X *= scale
    return X, y + X @ coefs / np.sqrt(np.sum(np.square(scale)))


def fit(X, y, size, calibrate):
    groups = None if size is None else np.arange(len(y)) // size
    population = LeaveOneOutPopulation(calibrate=calibrate)
    DeterministicEquivalentRidge(population=population).fit(X, y, groups=groups)


def one_setting(n, p, sizes, repeats):
    X, y = grouped_rows(n, p)
    contestants = [(size, calibrate) for calibrate in ("auto", False) for size in (None, *sizes)]
    seconds = {contestant: [] for contestant in contestants}
    fit(X[:400], y[:400], sizes[0], "auto")  # what a first fit loads
    for _ in range(repeats):
        for contestant in contestants:
            start = time.process_time()
            with threadpool_limits(limits=1):
                fit(X, y, *contestant)
            seconds[contestant].append(time.process_time() - start)
    medians = {contestant: float(np.median(values)) for contestant, values in seconds.items()}
    return [
        {
            "n0": n,
            "p": p,
            "rows of a group": size,
            "ratio": round(medians[size, "auto"] / medians[None, "auto"], 2),
            "ratio, calibrate=False": round(medians[size, False] / medians[None, False], 2),
            "seconds": round(medians[size, "auto"], 2),
            "seconds without groups": round(medians[None, "auto"], 2),
        }
        for size in sizes
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", default="docs/tables/groups_cost.csv")
    arguments = parser.parse_args()
    found = []
    warnings.simplefilter("ignore", PopulationWarning)
    for setting in SETTINGS:
        part = one_setting(*setting, arguments.repeats)
        load = np.round(os.getloadavg(), 2).tolist()
        print(json.dumps({"benchmark": "groups_cost", "cells": part, "load": load}), flush=True)
        found += part
        with open(arguments.output, "w", newline="") as file:
            writer = csv.writer(file)
            columns = [name for name in found[0] if not name.startswith("seconds")]
            writer.writerow(columns)
            writer.writerows([row[column] for column in columns] for row in found)


if __name__ == "__main__":
    main()
