"""Errors predicted for 2, 5 and 10 times the rows, beside a power law fitted to the same rows.

At the alpha that is best for the larger size. The power law a + b n^(-c) is fitted at that alpha to
exact leave-one-out errors of random subsets of n/2, n/4, ... n/32 rows, four of each, and of all n
rows: what a careful user does today. "rows alone" is how far the exact leave-one-out error at n
itself is off at that alpha, which both share. Mean |relative error| over draws of the training set;
one line of JSON for each set of rows.
"""

from __future__ import annotations

import argparse
import csv
import json
import time

import numpy as np
from data_sets import NAMES, load
from scipy.optimize import nnls
from truth import measured_surface

from sk_deepfeat.populations import LeaveOneOutPopulation
from sk_deepfeat.theory import leave_one_out_residuals, ridge_factorization

TRAINING_SIZES, FACTORS = (500, 1000, 2000), (2, 5, 10)
SUBSETS = 4


def leave_one_out_errors(X, y, rows, alphas):
    path = ridge_factorization(X[rows], y[rows])
    return np.array([np.mean(np.square(leave_one_out_residuals(path, a))) for a in alphas])


def power_laws(X, y, rows, alphas, wanted, rng):
    """Return a power law's value for each pair of alpha and wanted size.

    Weighted least squares on relative errors, over c on a grid.
    """
    sizes, errors = [len(rows)], [leave_one_out_errors(X, y, rows, alphas)]
    weights = [np.full(len(alphas), 100.0)]
    for halvings in range(1, 6):
        size = len(rows) >> halvings
        found = np.array(
            [
                leave_one_out_errors(X, y, rng.permutation(rows)[:size], alphas)
                for _ in range(SUBSETS)
            ]
        )
        scatter = found.std(axis=0, ddof=1) / found.mean(axis=0) / np.sqrt(SUBSETS)
        sizes.append(size)
        errors.append(found.mean(axis=0))
        weights.append(1.0 / np.hypot(scatter, 0.01))
    sizes = np.array(sizes, dtype=float)
    columns = zip(np.transpose(errors), np.transpose(weights), wanted, strict=True)
    return np.array([power_law(sizes, *column) for column in columns])


def power_law(sizes, errors, weights, wanted):
    best = (np.inf, np.nan)
    for c in np.linspace(0.05, 2.0, 40):
        columns = np.stack([np.ones(sizes.size), sizes**-c], axis=1) / errors[:, None]
        (a, b), residual = nnls(columns * weights[:, None], weights)
        best = min(best, (residual, a + b * wanted**-c))
    return best[1]


def one_set(name, arguments):
    start = time.perf_counter()
    X, y = load(name, data_home=arguments.data_home, folder=arguments.folder)
    scale = float(np.square(X[:2000].astype(float)).sum(axis=1).mean())
    alphas = np.geomspace(1e-6, 1e2, 41) * scale
    sizes = sorted({n * k for n in TRAINING_SIZES for k in (1, *FACTORS)})
    truth = measured_surface(
        f"extrapolation {name}", X, y, sizes, alphas, most=12, folder=arguments.folder
    )
    result = {}
    for n0 in TRAINING_SIZES:
        ours, theirs, alone, reach = (np.zeros((arguments.draws, len(FACTORS))) for _ in range(4))
        for draw in range(arguments.draws):
            rng = np.random.default_rng([n0, draw])
            rows = rng.permutation(len(y))[:n0]
            path = ridge_factorization(X[rows], y[rows])
            population = LeaveOneOutPopulation(extrapolate=True).fit(X[rows], y[rows], path=path)
            n = n0 * np.array(FACTORS)
            measured = np.array([truth.mean[sizes.index(size)] for size in n])
            column = measured.argmin(axis=1)
            alpha, wanted = alphas[column], measured.min(axis=1)
            predicted = population.test_error(n, alpha, fit_intercept=True)
            ours[draw] = np.abs(predicted / wanted - 1)
            theirs[draw] = np.abs(power_laws(X, y, rows, alpha, n, rng) / wanted - 1)
            residuals = np.array([leave_one_out_residuals(path, a)[:, 0] for a in alpha])
            own = truth.mean[sizes.index(n0), column]
            alone[draw] = np.abs(np.mean(np.square(residuals), axis=1) / own - 1)
            reach[draw] = population.reachable(n, alpha, fit_intercept=True)
        for label, values in {
            "ours": ours,
            "power law": theirs,
            "rows alone": alone,
            "reachable": reach,
        }.items():
            result[f"{label}, {n0}"] = values.mean(axis=0).round(4).tolist()
    result["seconds"] = round(time.perf_counter() - start)
    return result


def write_table(results, output):
    with open(output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["rows", "n", "ours", "power law", "rows alone", "reachable"])
        for name, found in results.items():
            for n0 in TRAINING_SIZES:
                scores = [
                    " / ".join(f"{100 * v:.1f}" for v in found[f"{label}, {n0}"]) + " %"
                    for label in ("ours", "power law", "rows alone")
                ]
                reach = " / ".join(f"{v:.1f}" for v in found[f"reachable, {n0}"])
                writer.writerow([name, n0, *scores, reach])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--folder", default=None, help="where sets and truths are kept")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--only", nargs="*", default=NAMES, help="sets, all if not given")
    parser.add_argument("--output", default="docs/tables/extrapolation.csv")
    arguments = parser.parse_args()
    results = {}
    for name in arguments.only:
        results[name] = one_set(name, arguments)
        print(json.dumps({"benchmark": "extrapolation", "set": name, **results[name]}), flush=True)
        write_table(results, arguments.output)


if __name__ == "__main__":
    main()
