"""Error rates of ridge classifiers at other sizes and alphas, without the theory.

`RIVALS` are functions ``predict(X, labels, sizes, alphas, class_weight, rng=rng)`` of one training
set of n0 rows. They return error rates (sizes, alphas), NaN where they do not answer.

power law: a + b n^(-c) for each alpha, by least squares of logarithms, from error rates of random
subsets of n0/2, n0/4, ... n0/32 rows, four of each, measured on the other training rows, and from
the exact leave-one-out error rate of all rows; for sizes from n0/32. subset refits: such error
rates, down to subsets of 25 rows, interpolated in log n for sizes up to n0. learning_curve:
scikit-learn's, five folds, at the sizes that the folds reach, a call for each alpha.

Prints for each set and n0 the |relative error| against the measured truth, over draws of the
training set: median, 90 % and worst below n0 and beyond it, at all alphas; growth, the same beyond
n0 with all rates over those at n0; the mean for each size beyond it at the largest alpha within 3 %
of the best; seconds of a draw; one line of JSON each.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import NamedTuple

import numpy as np
from class_sets import SETS, load
from class_truth import class_sums, measured_classes, refit
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedKFold, learning_curve
from sklearn.utils.class_weight import compute_sample_weight
from threadpoolctl import threadpool_limits

from sk_deepfeat.theory import leave_one_out_residuals, ridge_factorization

SUBSETS, SMALLEST, FOLDS = 4, 25, 5
FRACTION = 32  # the power law sees subsets down to this part of all rows
EXPONENTS = np.linspace(0.05, 2.0, 40)
CONSTANTS = np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 61)])  # a over b n0^(-c)


class Points(NamedTuple):
    """Error rates measured within a training set: sizes (S,), the others (S, alphas)."""

    sizes: np.ndarray
    rates: np.ndarray
    scatter: np.ndarray
    """Relative standard errors over subsets, none for all rows."""


def leave_one_out_rates(X, labels, alphas, class_weight=None):
    """Return error rates of rows left out one by one, with the weights that all rows give."""
    n_classes = labels.max() + 1
    codes = np.where(labels[:, None] == np.arange(n_classes), 1.0, -1.0)
    weights = np.ones(len(labels))
    if class_weight is not None:
        weights = compute_sample_weight(class_weight, labels)
    path = ridge_factorization(X, codes, weights)
    rates = []
    for alpha in alphas:
        residuals = leave_one_out_residuals(path, alpha / path.mean_weight)
        scores = codes - residuals / np.sqrt(weights / path.mean_weight)[:, None]
        rates.append(np.mean(scores.argmax(axis=1) != labels))
    return np.array(rates)


def subset_rates(X, labels, size, alphas, class_weight, rng):
    """Return error rates (subsets, alphas) of refits, on the other rows of the training set."""
    found = []
    for _ in range(SUBSETS):
        rows = rng.permutation(len(labels))[:size]
        outside = np.ones(len(labels), dtype=bool)
        outside[rows] = False
        n_classes = labels.max() + 1
        fitted = refit(X[rows], labels[rows], alphas, class_weight, n_classes=n_classes)
        wrong = class_sums(fitted, X, labels, outside)[0].sum(axis=0)
        found.append(np.maximum(wrong, 0.5) / outside.sum())
    return np.array(found)


def measured_points(X, labels, alphas, class_weight=None, *, rng):
    """Return the `Points` of all rows and of subsets halved down to `SMALLEST`."""
    n0 = len(labels)
    whole = leave_one_out_rates(X, labels, alphas, class_weight)
    sizes, rates = [n0], [np.maximum(whole, 0.5 / n0)]
    scatter = [np.zeros(len(alphas))]
    while sizes[-1] // 2 >= SMALLEST:
        sizes.append(sizes[-1] // 2)
        found = subset_rates(X, labels, sizes[-1], alphas, class_weight, rng)
        rates.append(found.mean(axis=0))
        scatter.append(found.std(axis=0, ddof=1) / np.sqrt(SUBSETS) / rates[-1])
    return Points(np.array(sizes), np.array(rates), np.array(scatter))


def power_law(X, labels, sizes, alphas, class_weight=None, *, rng, points=None):
    """Predict by a power law for each alpha; `points`: those of this training set, if at hand."""
    points = points or measured_points(X, labels, alphas, class_weight, rng=rng)
    used = points.sizes >= len(labels) // FRACTION
    relative, asked = points.sizes[used] / len(labels), np.asarray(sizes) / len(labels)
    shapes = CONSTANTS[:, None] + relative ** -EXPONENTS[:, None, None]
    logs = np.log(shapes)
    predicted = []
    for rates, scatter in zip(points.rates[used].T, points.scatter[used].T, strict=True):
        weights = 1.0 / (np.square(scatter) + 0.01**2)
        weights /= weights.sum()
        rest = np.log(rates) - logs
        level = rest @ weights
        misfit = np.square(rest - level[:, :, None]) @ weights
        c, a = np.unravel_index(misfit.argmin(), misfit.shape)
        predicted.append(np.exp(level[c, a]) * (CONSTANTS[a] + asked ** -EXPONENTS[c]))
    return np.where(asked[:, None] < 1.0 / FRACTION, np.nan, np.transpose(predicted))


def subset_refits(X, labels, sizes, alphas, class_weight=None, *, rng, points=None):
    """Interpolate measured error rates up to the training size; `points` as in `power_law`."""
    points = points or measured_points(X, labels, alphas, class_weight, rng=rng)
    log_n, asked = np.log(points.sizes[::-1]), np.log(sizes)
    columns = points.rates[::-1].T
    inter = [np.interp(asked, log_n, column, left=np.nan, right=np.nan) for column in columns]
    return np.transpose(inter)


def scikit_learn(X, labels, sizes, alphas, class_weight=None, *, rng):
    """Ask `sklearn.model_selection.learning_curve`."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    splits = list(folds.split(X, labels))
    reached = np.asarray(sizes) <= min(len(train) for train, _ in splits)
    predicted = np.full((len(sizes), len(alphas)), np.nan)
    for column, alpha in enumerate(alphas if reached.any() else ()):
        scores = learning_curve(
            RidgeClassifier(alpha, class_weight=class_weight),
            X.astype(np.float64),
            labels,
            train_sizes=np.asarray(sizes)[reached],
            cv=splits,
            shuffle=True,
            random_state=int(rng.integers(2**31)),
        )[2]
        predicted[reached, column] = 1.0 - scores.mean(axis=1)
    return predicted


RIVALS = {"power law": power_law, "subset refits": subset_refits, "learning_curve": scikit_learn}


def training_set(X, labels, n0, draw):
    """Return the features and labels of a random training set."""
    rows = np.random.default_rng([7, n0, draw]).permutation(len(labels))[:n0]
    return X[rows], labels[rows]


def quantiles(values):
    """Return median, 90 % and worst of those that are numbers, or None."""
    values = values[np.isfinite(values)]
    return np.quantile(values, (0.5, 0.9, 1.0)).round(4).tolist() if values.size else None


def score(predicted, truth, n0):
    """Return what is printed of predictions (draws, sizes, alphas)."""
    below, beyond, own = truth.sizes < n0, truth.sizes > n0, truth.sizes == n0
    ratio = predicted / truth.mean["error_rate"]
    off = np.abs(ratio - 1.0)
    near_best = off[:, beyond, truth.near_best()[beyond]].mean(axis=0)
    return {
        "below": quantiles(off[:, below]),
        "beyond": quantiles(off[:, beyond]),
        "growth": quantiles(np.abs(ratio[:, beyond] / ratio[:, own] - 1.0)),
        "beyond near the best alpha": [None if np.isnan(x) else round(x, 4) for x in near_best],
    }


def compare(name, X, labels, truth, n0, draws, rivals):
    result = {}
    for rival in rivals:
        predicted, seconds = [], []
        for draw in range(draws):
            rows, own = training_set(X, labels, n0, draw)
            rng = np.random.default_rng([n0, draw])
            start = time.perf_counter()
            with threadpool_limits(limits=1):
                found = RIVALS[rival](
                    rows, own, truth.sizes, truth.alphas, SETS[name].class_weight, rng=rng
                )
            seconds.append(time.perf_counter() - start)
            predicted.append(found)
        result[rival] = score(np.array(predicted), truth, n0)
        result[rival]["seconds"] = round(float(np.median(seconds)), 1)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--folder", default=None, help="where sets and truths are kept")
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--only", nargs="*", default=list(SETS), help="sets, all if not given")
    parser.add_argument("--rivals", nargs="*", default=list(RIVALS))
    parser.add_argument("--training-sizes", nargs="*", type=int, default=None)
    arguments = parser.parse_args()
    for name in arguments.only:
        X, labels = load(name, data_home=arguments.data_home, folder=arguments.folder)
        truth = measured_classes(name, X, labels, folder=arguments.folder)
        for n0 in arguments.training_sizes or SETS[name].training_sizes:
            start = time.perf_counter()
            found = compare(name, X, labels, truth, n0, arguments.draws, arguments.rivals)
            floor = truth.floor(n0)[np.arange(len(truth.sizes)), truth.near_best()]
            line = {
                "benchmark": "class_rivals",
                "set": name,
                "n0": n0,
                "floor near the best alpha": floor.round(4).tolist(),
                **found,
            }
            print(json.dumps(line), flush=True)
            print(f"{name}, {n0}: {time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
