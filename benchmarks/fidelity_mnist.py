"""Accuracy of every population on MNIST parity, from training sets of three sizes.

Features: relu networks 784-2352-2352 without biases, random, and at epochs 0 and 10 of training on
a quarter of the rows. Truth of a cell: the mean over refits of the error on all rows used neither
for the features nor in the subset, until its standard error is below 1 %. Five training sets of
each size among the rows the features have not seen; median, 90 % and worst |relative error| within
a draw over the reachable cells, averaged over draws. "rows alone" is what the sampling error of the
training rows allows: the relative standard error of the mean squared leave-one-out residual at the
best alpha. Prints one line of JSON for each feature map.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
import warnings

import numpy as np
from truth import measured_surface

from sk_deepfeat import RandomDeepFeatures, TrainedDeepFeatures
from sk_deepfeat.datasets import load_mnist_parity
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import GCVPopulation, LeaveOneOutPopulation, PlugInPopulation
from sk_deepfeat.theory import leave_one_out_residuals, ridge_factorization

SIZES = (50, 100, 300, 1000, 2000, 2352, 3000, 5000, 10_000)
ALPHAS = np.array([0.1, 1.0, 10.0, 100.0, 1000.0])
TRAINING_SIZES = (17_500, 5_000, 2_000)


def predictions(features, y, rows):
    path = ridge_factorization(features[rows], y[rows])
    found = {}
    for name, population in {
        "leave-one-out": LeaveOneOutPopulation(),
        "leave-one-out, calibrate=False": LeaveOneOutPopulation(calibrate=False),
        "gcv": GCVPopulation(),
        "plug-in, same rows": PlugInPopulation(),
    }.items():
        fitted = population.fit(features[rows], y[rows], path=path)
        found[name] = fitted.test_error(np.array(SIZES)[:, None], ALPHAS, fit_intercept=True)
    squares = [np.square(leave_one_out_residuals(path, alpha)[:, 0]) for alpha in ALPHAS]
    best = min(squares, key=np.mean)
    return found, best.std() / best.mean() / np.sqrt(len(rows))


def summary(predicted, truth):
    relative = np.abs(predicted / truth - 1)
    relative = relative[~np.isnan(relative)]
    return [np.median(relative), np.quantile(relative, 0.9), relative.max()]


def one_feature_map(name, features, y, arguments):
    start = time.perf_counter()
    truth = measured_surface(
        f"mnist {arguments.width} {name}",
        features,
        y,
        SIZES,
        ALPHAS,
        most=arguments.most_refits,
        folder=arguments.folder,
    )
    relative = truth.standard_error / truth.mean
    result = {
        "refits": truth.refits.tolist(),
        "largest_relative_se": float(relative.max()),
        "largest_relative_se_at": [SIZES[relative.max(axis=1).argmax()]],
    }
    rng = np.random.default_rng(0)
    separate = rng.permutation(len(y))[:28_000]
    plug_in = PlugInPopulation().fit(features[separate], y[separate])
    found = plug_in.test_error(np.array(SIZES)[:, None], ALPHAS, fit_intercept=True)
    result["plug-in, separate 28,000"] = summary(found, truth.mean)
    for size in TRAINING_SIZES:
        draws, floors = zip(
            *(
                predictions(features, y, rng.permutation(len(y))[:size])
                for _ in range(arguments.draws)
            ),
            strict=True,
        )
        for key in draws[0]:
            scores = [summary(draw[key], truth.mean) for draw in draws]
            result[f"{key}, {size}"] = np.mean(scores, axis=0).tolist()
        known = [~np.isnan(draw["leave-one-out"]) for draw in draws]
        result[f"reachable cells, {size}"] = float(np.mean(known))
        result[f"rows alone, {size}"] = float(np.mean(floors))
    result["seconds"] = time.perf_counter() - start
    return {
        key: round(value, 4) if isinstance(value, float) else np.round(value, 4).tolist()
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
    first = next(iter(results.values()))
    scores = [key for key in first if len(np.atleast_1d(first[key])) == 3]
    with open(output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["population", *results])
        for key in scores:
            cells = [" / ".join(f"{100 * v:.1f}" for v in found[key]) for found in results.values()]
            writer.writerow([f"{key} rows", *(f"{cell} %" for cell in cells)])
        for size in TRAINING_SIZES:
            cells = [f"{100 * found[f'rows alone, {size}']:.1f} %" for found in results.values()]
            writer.writerow([f"sampling error of {size} rows alone", *cells])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--folder", default=None, help="where truths are kept between runs")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--width", type=int, default=2352)
    parser.add_argument("--most-refits", type=int, default=150)
    parser.add_argument("--only", nargs="*", default=None, help="feature maps, all if not given")
    parser.add_argument("--output", default="docs/tables/fidelity_mnist.csv")
    arguments = parser.parse_args()
    X, y = load_mnist_parity(data_home=arguments.data_home, return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    seen, unseen = np.sort(order[:17_500]), np.sort(order[17_500:])
    warnings.simplefilter("ignore", PopulationWarning)
    results = {}
    for name, features in feature_maps(X, y, seen, unseen, arguments):
        if arguments.only and name not in arguments.only:
            continue
        results[name] = one_feature_map(name, features, y[unseen], arguments)
        line = {"benchmark": "fidelity_mnist", "features": name, **results[name]}
        print(json.dumps(line), flush=True)
        write_table(results, arguments.output)  # after each, so that a broken run keeps its lines


if __name__ == "__main__":
    main()
