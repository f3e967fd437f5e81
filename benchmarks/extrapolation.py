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


def leave_one_out_error(X, y, rows, alpha):
    path = ridge_factorization(X[rows], y[rows])
    return float(np.mean(np.square(leave_one_out_residuals(path, alpha))))


def power_law(X, y, rows, alpha, wanted, rng):
    """Weighted least squares on relative errors, over c on a grid."""
    sizes, errors, weights = [len(rows)], [leave_one_out_error(X, y, rows, alpha)], [100.0]
    for halvings in range(1, 6):
        size = len(rows) >> halvings
        found = [
            leave_one_out_error(X, y, rng.permutation(rows)[:size], alpha) for _ in range(SUBSETS)
        ]
        sizes.append(size)
        errors.append(np.mean(found))
        scatter = np.std(found, ddof=1) / np.mean(found) / np.sqrt(SUBSETS)
        weights.append(1.0 / np.hypot(scatter, 0.01))
    sizes, errors, weights = (np.array(part, dtype=float) for part in (sizes, errors, weights))
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
            for k, factor in enumerate(FACTORS):
                n = n0 * factor
                measured = truth.mean[sizes.index(n)]
                alpha, wanted = alphas[measured.argmin()], measured.min()
                predicted = population.test_error(n, alpha, fit_intercept=True)
                ours[draw, k] = abs(predicted / wanted - 1)
                theirs[draw, k] = abs(power_law(X, y, rows, alpha, n, rng) / wanted - 1)
                own = truth.mean[sizes.index(n0), measured.argmin()]
                residuals = leave_one_out_residuals(path, alpha)
                alone[draw, k] = abs(np.mean(np.square(residuals)) / own - 1)
                reach[draw, k] = population.reachable(n, alpha, fit_intercept=True)
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
    parser.add_argument("--output", default="docs/tables/extrapolation.csv")
    arguments = parser.parse_args()
    results = {}
    for name in NAMES:
        results[name] = one_set(name, arguments)
        print(json.dumps({"benchmark": "extrapolation", "set": name, **results[name]}), flush=True)
        write_table(results, arguments.output)


if __name__ == "__main__":
    main()
