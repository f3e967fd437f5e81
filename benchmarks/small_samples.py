"""How often the nominal 90 % interval holds the error, from training sets of a few dozen rows.

Gaussian rows of independent features, a linear target, noise of the size of the signal; 100 draws
of a training set; half, one and two times as many rows, at the best alpha, a tenth of it and ten
times it. The truth is the mean exact error of 400 refits at each number of rows and each alpha. One
line of JSON for each number of features.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
import warnings

import numpy as np

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import LeaveOneOutPopulation
from sk_deepfeat.theory import ridge_factorization

TRAINING_SIZES = (15, 20, 30, 60)
FEATURES = (2, 5, 20)
SHARES = (0.5, 1.0, 2.0)
FACTORS = (0.1, 1.0, 10.0)


def draw(rng, n, coefs):
    X = rng.normal(size=(n, coefs.size))
    return X, X @ coefs + rng.normal(size=n)


def true_errors(sizes, alphas, coefs, refits, seed):
    """Return mean errors on new rows, shape (sizes, alphas), over refits."""
    rng = np.random.default_rng([seed, coefs.size])
    errors = np.zeros((len(sizes), alphas.size))
    for i, n in enumerate(sizes):
        for _ in range(refits):
            path = ridge_factorization(*draw(rng, n, coefs))
            fitted = path.coefs(alphas)[:, :, 0]
            intercept = path.target_mean[0] - fitted @ path.feature_mean
            errors[i] += np.square(fitted - coefs).sum(axis=1) + np.square(intercept) + 1.0
    return errors / refits


def one_population(p, arguments):
    start = time.perf_counter()
    coefs = np.full(p, 1.0 / np.sqrt(p))
    alphas = p * np.array(FACTORS)  # the best alpha is the noise over the mean square coefficient
    result = {}
    for n0 in TRAINING_SIZES:
        sizes = [int(np.ceil(share * n0)) for share in SHARES]
        truth = true_errors(sizes, alphas, coefs, arguments.refits, n0)
        held = []
        for seed in range(arguments.draws):
            rows = draw(np.random.default_rng([n0, p, seed, 1]), n0, coefs)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PopulationWarning)
                population = LeaveOneOutPopulation().fit(*rows)
            asked = {"level": 0.9, "fit_intercept": True}
            lower, upper = population.interval(np.array(sizes)[:, None], alphas, **asked)
            inside = (lower <= truth) & (truth <= upper)
            held.append(np.where(np.isnan(lower), np.nan, inside))
        held = np.array(held)
        result[f"coverage, {n0}"] = float(np.nanmean(held))
        result[f"answered, {n0}"] = float(1.0 - np.isnan(held).mean())
        for share, found in zip(SHARES, held.transpose(1, 0, 2), strict=True):
            result[f"coverage at {share:g} n0, {n0}"] = float(np.nanmean(found))
    result["seconds"] = time.perf_counter() - start
    return {key: round(value, 3) for key, value in result.items()}


def write_table(results, output):
    with open(output, "w", newline="") as file:
        writer = csv.writer(file)
        parts = [f"n = {share:g} n0" for share in SHARES]
        writer.writerow(["features", "n0", "coverage", *parts, "answered"])
        for p, found in results.items():
            for n0 in TRAINING_SIZES:
                names = ("coverage", *(f"coverage at {share:g} n0" for share in SHARES), "answered")
                writer.writerow(
                    [p, n0, *(f"{100 * found[f'{name}, {n0}']:.1f} %" for name in names)]
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--refits", type=int, default=400)
    parser.add_argument("--output", default="docs/tables/small_samples.csv")
    arguments = parser.parse_args()
    results = {}
    for p in FEATURES:
        results[p] = one_population(p, arguments)
        line = {"benchmark": "small_samples", "features": p, **results[p]}
        print(json.dumps(line), flush=True)
        write_table(results, arguments.output)


if __name__ == "__main__":
    main()
