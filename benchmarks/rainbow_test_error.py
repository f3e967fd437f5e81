"""Predicted test error of ridge on deep random features against refits, from weights alone.

Learner of width 1000, teacher of width 667 and the same depth, normal inputs; weights of the two
independent, or the teacher's are the first rows of the learner's. Label noise of standard deviation
0.1. n from 0.1 p to 5 p, interpolation n = p included, alpha from 1e-4 p to p, mean of twenty
training sets measured on 20,000 other rows. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time

import numpy as np
from sklearn.frozen import FrozenEstimator

from sk_deepfeat import RandomDeepFeatures
from sk_deepfeat.populations import LinearizedPopulation
from sk_deepfeat.theory import ridge_factorization

PAIRS = [
    (activation, depth, pairing)
    for activation, depth in (("tanh", 1), ("tanh", 3), ("relu", 1), ("relu", 2), ("relu", 3))
    for pairing in ("shared", "independent")
]
RATIOS = (0.1, 0.3, 0.7, 1.0, 1.5, 3.0, 5.0)
ALPHAS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
NOISE = 0.1
METHODS = ("per-unit", "hermite", "averaged")


def networks(activation, depth, pairing, width, seed):
    """Return a fitted learner, teacher and readout."""
    x = np.zeros((1, width))
    units = 2 * width // 3
    learner = RandomDeepFeatures((width,) * depth, activation, random_state=seed).fit(x)
    teacher = RandomDeepFeatures((units,) * depth, activation, random_state=seed + 1).fit(x)
    if pairing == "shared":
        teacher.weights_ = [
            weights[:units, : other.shape[1]] * np.sqrt(width / other.shape[1])
            for weights, other in zip(learner.weights_, teacher.weights_, strict=True)
        ]
    rng = np.random.default_rng(seed)
    return learner, teacher, rng.normal(size=units) / np.sqrt(units)


def draw(rng, learner, teacher, readout, n_samples, width):
    x = rng.standard_normal((n_samples, width), dtype=np.float32)
    y = teacher.transform(x).astype(np.float64) @ readout
    return learner.transform(x), y + NOISE * rng.normal(size=n_samples)


def measure(learner, teacher, readout, width, n_repeats, n_test):
    """Return test errors of refits, shape (ratios, alphas, repeats)."""
    rng = np.random.default_rng(0)
    features, target = draw(rng, learner, teacher, readout, n_test, width)
    features = features.astype(np.float64)
    errors = np.empty((len(RATIOS), len(ALPHAS), n_repeats))
    for repeat in range(n_repeats):
        for row, ratio in enumerate(RATIOS):
            X, y = draw(rng, learner, teacher, readout, round(ratio * width), width)
            path = ridge_factorization(X, y)
            coefs = np.column_stack([path.coefs(alpha * width)[:, 0] for alpha in ALPHAS])
            offset = path.target_mean - path.feature_mean @ coefs
            residual = features @ coefs + offset - target[:, None]
            errors[row, :, repeat] = np.mean(residual**2, axis=0)
    return errors


def predict(learner, teacher, readout, width):
    n, alpha = np.array(RATIOS)[:, None] * width, np.array(ALPHAS) * width
    return {
        method: LinearizedPopulation(
            FrozenEstimator(learner),
            np.ones(width),
            (FrozenEstimator(teacher), readout),
            noise=NOISE,
            method=method,
        )
        .fit()
        .test_error(n, alpha, fit_intercept=True)
        for method in METHODS
    }


def compare(pair, arguments):
    width = arguments.width
    learner, teacher, readout = networks(*pair, width, seed=7)
    measured = measure(learner, teacher, readout, width, arguments.repeats, arguments.test_rows)
    predicted = predict(learner, teacher, readout, width)
    mean = measured.mean(axis=2)
    se = measured.std(axis=2, ddof=1) / np.sqrt(arguments.repeats)
    for i, ratio in enumerate(RATIOS):
        for j, alpha in enumerate(ALPHAS):
            row = dict(zip(("activation", "depth", "weights"), pair, strict=True))
            row |= {"n/p": ratio, "alpha/p": alpha}
            row |= {"measured": round(mean[i, j], 5), "se": round(se[i, j], 5)}
            yield row | {method: round(predicted[method][i, j], 5) for method in METHODS}


def score(rows, method):
    relative = np.array([abs(row[method] / row["measured"] - 1) for row in rows])
    return [round(float(value), 4) for value in (np.median(relative), relative.max())]


def write(rows, output):
    with open(f"{output}.part", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    os.replace(f"{output}.part", output)


def write_summary(rows, output):
    """Write median and worst relative error in per cent, one line for each pair of networks."""
    lines = []
    for pair in PAIRS:
        chosen = [row for row in rows if (row["activation"], row["depth"], row["weights"]) == pair]
        if chosen:
            line = dict(zip(("activation", "depth", "weights"), pair, strict=True))
            largest = max(row["se"] / row["measured"] for row in chosen)
            line["largest standard error"] = f"{100 * largest:.1f} %"
            for method in METHODS:
                median, worst = score(chosen, method)
                line[method] = f"{100 * median:.1f} / {100 * worst:.1f} %"
            lines.append(line)
    write(lines, output)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--test-rows", type=int, default=20_000)
    parser.add_argument("--cells", default="rainbow_test_error_cells.csv")
    parser.add_argument("--output", default="docs/tables/rainbow_test_error.csv")
    arguments = parser.parse_args()
    start = time.perf_counter()
    rows = []
    for pair in PAIRS:
        rows += compare(pair, arguments)
        write(rows, arguments.cells)
        write_summary(rows, arguments.output)
    result = {"benchmark": "rainbow_test_error", "width": arguments.width, "cells": len(rows)}
    for method in METHODS:
        result[f"{method}, median and worst"] = score(rows, method)
    result["seconds"] = round(time.perf_counter() - start)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
