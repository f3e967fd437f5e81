"""What error rates cost: a fit, and 200 cells, beside a fit without them and scikit-learn's.

Normal classes of overlapping means. Medians of repeated, interleaved runs; the cells are asked of a
fresh fit each time. One line of JSON for each shape, with ratios to the classifier's fit.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeClassifier

from sk_deepfeat import DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier

SHAPES = ((10_000, 1500, 10), (10_000, 1000, 2), (2000, 500, 10), (1000, 2000, 3))
SIZES, ALPHAS = 20, 10
TABLE = Path(__file__).parents[1] / "docs" / "tables" / "class_cost.csv"


def rows_of(n, p, n_classes):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, n_classes, n)
    means = rng.normal(size=(n_classes, p)) * 2.0 / np.sqrt(p)
    X = (rng.normal(size=(n, p)) + means[labels]) * np.arange(1, p + 1) ** -0.25
    return X, labels


def seconds(call):
    start = time.perf_counter()
    found = call()
    return time.perf_counter() - start, found


def one(n, p, n_classes, repeats):
    X, labels = rows_of(n, p, n_classes)
    codes = np.where(labels[:, None] == np.arange(n_classes), 1.0, -1.0)
    codes = codes[:, 1] if n_classes == 2 else codes
    sizes = np.unique(np.geomspace(50, 3 * n, SIZES).astype(int))
    alphas = np.geomspace(1.0, 1e4, ALPHAS)
    times = {name: [] for name in ("fit", "cells", "regressor", "RidgeClassifier")}
    for _ in range(repeats):
        taken, model = seconds(lambda: DeterministicEquivalentRidgeClassifier(30.0).fit(X, labels))
        times["fit"].append(taken)
        ask = model.predict_test_error
        times["cells"].append(seconds(lambda ask=ask: ask(sizes[:, None], alphas))[0])
        times["regressor"].append(
            seconds(lambda: DeterministicEquivalentRidge(30.0).fit(X, codes))[0]
        )
        times["RidgeClassifier"].append(seconds(lambda: RidgeClassifier(30.0).fit(X, labels))[0])
    median = {name: float(np.median(values)) for name, values in times.items()}
    return {
        "shape": f"{n} x {p}, {n_classes} classes",
        "cells": sizes.size * alphas.size,
        "seconds of the fit": round(median["fit"], 2),
        "cells / fit": round(median["cells"] / median["fit"], 2),
        "fit / regressor's": round(median["fit"] / median["regressor"], 2),
        "fit / RidgeClassifier": round(median["fit"] / median["RidgeClassifier"], 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="write docs/tables/class_cost.csv")
    arguments = parser.parse_args()
    found = [one(*shape, arguments.repeats) for shape in SHAPES]
    for line in found:
        print(json.dumps({"benchmark": "class_cost", **line}), flush=True)
    if arguments.table:
        with open(TABLE, "w", newline="") as file:
            writer = csv.DictWriter(file, found[0])
            writer.writeheader()
            writer.writerows(found)


if __name__ == "__main__":
    main()
