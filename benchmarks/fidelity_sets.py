"""Accuracy on other rows than images: small sets, and sets that break the theory.

Small sets: random features of handwritten digits and of the diabetes data, more features than rows
in the training set. Constructed sets (`data_sets.py`): 1000 features, 8000 training rows, rows in
clusters, rows of Student-t(3) size, Student-t(3) noise. Truth of a cell: the mean over refits of
the error on all rows outside the subset. Median, 90 % and worst |relative error| within a draw of
the training set over reachable cells, averaged over draws. One line of JSON for each set.
"""

from __future__ import annotations

import argparse
import csv
import json
import time

import numpy as np
from data_sets import NAMES, load
from sklearn.datasets import load_diabetes, load_digits
from truth import measured_surface

from sk_deepfeat import RandomDeepFeatures
from sk_deepfeat.populations import GCVPopulation, LeaveOneOutPopulation
from sk_deepfeat.theory import leave_one_out_residuals, ridge_factorization

POPULATIONS = {
    "leave-one-out": LeaveOneOutPopulation(),
    "leave-one-out, calibrate=True": LeaveOneOutPopulation(calibrate=True),
    "leave-one-out, calibrate=False": LeaveOneOutPopulation(calibrate=False),
    "gcv": GCVPopulation(),
}


def small(name):
    """Return random features and targets, and the training size."""
    if name == "digits, random features":
        X, y = load_digits(return_X_y=True)
        X, y, width, rows = X / 16.0, np.where(y % 2 == 0, 1.0, -1.0), 1500, 900
    else:
        X, y = load_diabetes(return_X_y=True)
        X, y, width, rows = X / X.std(axis=0), (y - y.mean()) / y.std(), 500, 300
    features = RandomDeepFeatures((width,), bias_scale=1.0, random_state=0).fit(X)
    return features.transform(X), y, rows


def one_set(name, arguments):
    start = time.perf_counter()
    if name in NAMES:
        X, y = load(name, folder=arguments.folder)
        rows, sizes = 8000, [50, 100, 300, 500, 1000, 1500, 2000, 4000, 8000]
    else:
        X, y, rows = small(name)
        sizes = [25, 50, 100, 200, rows]
    scale = float(np.square(X[:2000].astype(float)).sum(axis=1).mean())
    alphas = np.geomspace(1e-4, 1.0, 5) * scale
    most = arguments.most_refits if name in NAMES else 5 * arguments.most_refits
    truth = measured_surface(
        f"fidelity {name}", X, y, sizes, alphas, most=most, folder=arguments.folder
    )
    found = {key: [] for key in POPULATIONS}
    floors, disagreements = [], []
    for draw in range(arguments.draws):
        order = np.random.default_rng([7, draw]).permutation(len(y))[:rows]
        path = ridge_factorization(X[order], y[order])
        for key, population in POPULATIONS.items():
            population.fit(X[order], y[order], path=path)
            predicted = population.test_error(np.array(sizes)[:, None], alphas, fit_intercept=True)
            relative = np.abs(predicted / truth.mean - 1)
            relative = relative[~np.isnan(relative)]
            found[key].append([np.median(relative), np.quantile(relative, 0.9), relative.max()])
        disagreements.append(POPULATIONS["leave-one-out"].calibration_.disagreement)
        squares = [np.square(leave_one_out_residuals(path, alpha)) for alpha in alphas]
        best = min(squares, key=np.mean)
        floors.append(best.std() / best.mean() / np.sqrt(rows))
    result = {key: np.round(np.mean(scores, axis=0), 4).tolist() for key, scores in found.items()}
    result["rows alone"] = round(float(np.mean(floors)), 4)
    result["check fails"] = f"{np.count_nonzero(disagreements)} of {arguments.draws}"
    result["largest_relative_se"] = round(float((truth.standard_error / truth.mean).max()), 4)
    result["training rows"] = rows
    result["seconds"] = round(time.perf_counter() - start)
    return result


def write_table(results, output):
    with open(output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["rows", *POPULATIONS, "rows alone", "check fails"])
        for name, found in results.items():
            cells = [" / ".join(f"{100 * v:.1f}" for v in found[key]) for key in POPULATIONS]
            label = f"{name}; {found['training rows']}"
            floor = f"{100 * found['rows alone']:.1f} %"
            writer.writerow([label, *(f"{c} %" for c in cells), floor, found["check fails"]])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default=None, help="where sets and truths are kept")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--most-refits", type=int, default=60)
    parser.add_argument("--output", default="docs/tables/fidelity_sets.csv")
    arguments = parser.parse_args()
    results = {}
    for name in ("digits, random features", "diabetes, random features", *NAMES[4:]):
        results[name] = one_set(name, arguments)
        print(json.dumps({"benchmark": "fidelity_sets", "set": name, **results[name]}), flush=True)
        write_table(results, arguments.output)


if __name__ == "__main__":
    main()
