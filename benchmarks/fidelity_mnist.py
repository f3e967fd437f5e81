"""Accuracy of every population on MNIST parity, from training sets of three sizes.

Features: relu networks 784-2352-2352 without biases, random, and at epochs 0 and 10 of training on
a quarter of the rows. Truth of a cell: the mean over refits of the error on all rows used neither
for the features nor in the subset. Five training sets of each size among the rows the features have
not seen; median, 90 % and worst |relative error| within a draw, averaged over draws. Prints one
line of JSON for each feature map.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
import warnings

import numpy as np
from sklearn.linear_model import Ridge

from sk_deepfeat import RandomDeepFeatures, TrainedDeepFeatures
from sk_deepfeat.datasets import load_mnist_parity
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection import ridge_learning_curve
from sk_deepfeat.populations import GCVPopulation, LeaveOneOutPopulation, PlugInPopulation
from sk_deepfeat.theory import ridge_factorization

REPEATS = {50: 60, 100: 40, 300: 30, 1000: 12, 2000: 8, 2352: 8, 3000: 6, 5000: 4, 10_000: 3}
ALPHAS = np.array([0.1, 1.0, 10.0, 100.0, 1000.0])
TRAINING_SIZES = (17_500, 5_000, 2_000)


def measure(features, y, n_jobs):
    """Return the mean error of refits and its standard error, shape (sizes, alphas)."""
    parts = [
        ridge_learning_curve(
            Ridge(),
            features,
            y,
            train_sizes=[size],
            alphas=ALPHAS,
            n_repeats=repeats,
            population=_Nothing(),
            n_jobs=n_jobs,
            random_state=size,
        )
        for size, repeats in REPEATS.items()
    ]
    mean = np.concatenate([part.measured_mean for part in parts])
    return mean, np.concatenate([part.measured_se for part in parts])


class _Nothing(LeaveOneOutPopulation):
    """Knows nothing, at no cost: only the measurement is wanted."""

    def fit(self, X, y, sample_weight=None, *, fit_intercept=True, path=None):
        return self

    def test_error(self, n_samples, alpha, *, fit_intercept):
        return np.full(np.broadcast_shapes(np.shape(n_samples), np.shape(alpha)), np.nan)


def predictions(features, y, rows):
    path = ridge_factorization(features[rows], y[rows])
    sizes = np.array(list(REPEATS))[:, None]
    found = {}
    for name, population in {
        "leave-one-out": LeaveOneOutPopulation(),
        "gcv": GCVPopulation(),
        "plug-in, same rows": PlugInPopulation(),
    }.items():
        fitted = population.fit(features[rows], y[rows], path=path)
        found[name] = fitted.test_error(sizes, ALPHAS, fit_intercept=True)
    return found


def summary(predicted, truth):
    relative = np.abs(predicted / truth - 1)
    relative = relative[~np.isnan(relative)]
    return [np.median(relative), np.quantile(relative, 0.9), relative.max()]


def one_feature_map(features, y, arguments):
    start = time.perf_counter()
    truth, se = measure(features, y, arguments.n_jobs)
    result = {"largest_relative_se": float((se / truth).max())}
    rng = np.random.default_rng(0)
    sizes = np.array(list(REPEATS))[:, None]
    separate = rng.permutation(len(y))[:28_000]
    plug_in = PlugInPopulation().fit(features[separate], y[separate])
    found = plug_in.test_error(sizes, ALPHAS, fit_intercept=True)
    result["plug-in, separate 28,000"] = summary(found, truth)
    for size in TRAINING_SIZES:
        draws = [
            predictions(features, y, rng.permutation(len(y))[:size]) for _ in range(arguments.draws)
        ]
        for name in draws[0]:
            scores = [summary(draw[name], truth) for draw in draws]
            result[f"{name}, {size}"] = np.mean(scores, axis=0).tolist()
        result[f"reachable cells, {size}"] = float(
            np.mean([~np.isnan(draw["leave-one-out"]) for draw in draws])
        )
    result["seconds"] = time.perf_counter() - start
    return {
        key: np.round(value, 4).tolist() if not isinstance(value, float) else round(value, 4)
        for key, value in result.items()
    }


def feature_maps(X, y, seen, unseen, arguments):
    """Yield (name, features of the unseen rows) one at a time."""
    widths = (arguments.width, arguments.width)
    yield "random", RandomDeepFeatures(widths, random_state=0).fit(X).transform(X[unseen])
    trained = TrainedDeepFeatures(
        widths, bias=False, max_epochs=10, checkpoints=[0, 10], random_state=0
    ).fit(X[seen], y[seen])
    yield from zip(("epoch 0", "epoch 10"), trained.staged_transform(X[unseen]), strict=True)


def write_table(results, output):
    """Write median / 90 % / worst in per cent: a row a population, a column a feature map."""
    scores = [key for key, value in next(iter(results.values())).items() if isinstance(value, list)]
    with open(output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["population", *results])
        for key in scores:
            cells = [" / ".join(f"{100 * v:.1f}" for v in found[key]) for found in results.values()]
            writer.writerow([f"{key} rows", *(f"{cell} %" for cell in cells)])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--width", type=int, default=2352)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--output", default="docs/tables/fidelity_mnist.csv")
    arguments = parser.parse_args()
    X, y = load_mnist_parity(data_home=arguments.data_home, return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    seen, unseen = np.sort(order[:17_500]), np.sort(order[17_500:])
    warnings.simplefilter("ignore", PopulationWarning)
    results = {}
    for name, features in feature_maps(X, y, seen, unseen, arguments):
        results[name] = one_feature_map(features, y[unseen], arguments)
        line = {"benchmark": "fidelity_mnist", "features": name, **results[name]}
        print(json.dumps(line), flush=True)
        write_table(results, arguments.output)  # after each, so that a broken run keeps its lines


if __name__ == "__main__":
    main()
