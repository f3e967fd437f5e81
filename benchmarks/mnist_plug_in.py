"""Accuracy of the published protocol for ridge on the features of a trained network.

MNIST parity, network 784-2352-2352 (ReLU, no biases) trained for a few epochs on a quarter of the
rows, plug-in population from the 40 % covariance split, measured on the test rows and on all
regression rows outside the subset. One line of JSON; the table goes to --output as CSV.
"""

from __future__ import annotations

import argparse
import json
import os
import time

import numpy as np
from sklearn.frozen import FrozenEstimator

from sk_deepfeat import DeterministicEquivalentRidge, TrainedDeepFeatures
from sk_deepfeat.datasets import load_mnist_parity
from sk_deepfeat.model_selection import four_way_split, ridge_learning_curve
from sk_deepfeat.populations import GCVPopulation, PlugInPopulation

SIZES = [100, 300, 1000, 2000, 2352, 3000, 5000, 10_000]
ALPHAS = [0.1, 1.0, 10.0, 100.0, 1000.0]


def one_seed(X, y, seed, arguments):
    X_test, X_feature, X_readout, X_cov, y_test, y_feature, y_readout, y_cov = four_way_split(
        X, y, random_state=seed
    )
    widths = (arguments.width, arguments.width)
    features = TrainedDeepFeatures(
        widths, bias=False, max_epochs=arguments.epochs, random_state=seed
    ).fit(X_feature, y_feature)
    population = PlugInPopulation().fit(features.transform(X_cov), y_cov)
    readout = features.transform(X_readout)
    gcv = GCVPopulation().fit(readout, y_readout)
    curve = ridge_learning_curve(
        DeterministicEquivalentRidge(population=FrozenEstimator(population)),
        np.concatenate([readout, features.transform(X_test)]),
        np.concatenate([y_readout, y_test]),
        train_sizes=SIZES,
        alphas=ALPHAS,
        n_repeats=arguments.repeats,
        n_jobs=arguments.n_jobs,
        random_state=seed,
        verbose=1,
    )
    others = gcv.test_error(np.array(SIZES)[:, None], ALPHAS, fit_intercept=True)
    return curve.predicted, others, curve.measured_mean, curve.measured_se


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--width", type=int, default=2352)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--output", default="docs/tables/mnist_plug_in.csv")
    arguments = parser.parse_args()
    start = time.perf_counter()
    X, y = load_mnist_parity(data_home=arguments.data_home, return_X_y=True)
    runs = [one_seed(X, y, seed, arguments) for seed in range(arguments.seeds)]
    predicted, gcv, measured, se = (np.array(part) for part in zip(*runs, strict=True))
    relative = np.abs(predicted.mean(axis=0) / measured.mean(axis=0) - 1)
    each = np.abs(predicted / measured - 1)
    gcv_each = np.abs(gcv / measured - 1)
    lines = ["n_samples,alpha,predicted,measured,measured_se,relative_error"]
    for s, size in enumerate(SIZES):
        for a, alpha in enumerate(ALPHAS):
            error = np.sqrt(np.mean(se[:, s, a] ** 2) / arguments.seeds)
            mean_predicted, mean_measured = predicted[:, s, a].mean(), measured[:, s, a].mean()
            lines.append(
                f"{size},{alpha:g},{mean_predicted:.5f},{mean_measured:.5f},{error:.5f},"
                f"{mean_predicted / mean_measured - 1:+.4f}"
            )
    os.makedirs(os.path.dirname(arguments.output) or ".", exist_ok=True)
    with open(arguments.output, "w") as file:
        file.write("\n".join(lines) + "\n")
    print(
        json.dumps(
            {
                "benchmark": "mnist_plug_in",
                "seeds": arguments.seeds,
                "epochs": arguments.epochs,
                "repeats": arguments.repeats,
                "median": round(float(np.median(relative)), 4),
                "quantile_90": round(float(np.quantile(relative, 0.9)), 4),
                "worst": round(float(relative.max()), 4),
                "median_within_a_seed": np.median(each, axis=(1, 2)).round(4).tolist(),
                "worst_within_a_seed": each.max(axis=(1, 2)).round(4).tolist(),
                "gcv_median_within_a_seed": np.nanmedian(gcv_each, axis=(1, 2)).round(4).tolist(),
                "gcv_worst_within_a_seed": np.nanmax(gcv_each, axis=(1, 2)).round(4).tolist(),
                "largest_relative_se": round(float((se / measured).max()), 4),
                "seconds": round(time.perf_counter() - start),
            }
        )
    )


if __name__ == "__main__":
    main()
