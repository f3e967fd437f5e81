"""Measured error rates of ridge classifiers, with which predictions are compared.

Refits are `sklearn.linear_model.RidgeClassifier`: ridge on codes ±1, one column for two classes and
one for each of several, weighted by `class_weight`, with an intercept; the largest score wins among
the classes of the training set. One factorisation serves all alphas. Each refit is on a simple
random subset of all rows, not stratified, and is measured on all other rows; refits go on until the
relative standard error of error rate and balanced error is below 0.7 % at every alpha, within
limits. What is measured is kept size by size.

Measures all sets that are named; one line of JSON for each, with the largest difference between the
predictions of a refit and of `RidgeClassifier` on the same subset.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.linalg
from class_sets import SETS, load
from sklearn.linear_model import RidgeClassifier
from sklearn.utils.class_weight import compute_sample_weight
from threadpoolctl import threadpool_limits

METRICS = ("error_rate", "squared_error", "log_loss")
TEMPERATURE = 0.25  # log_loss is of softmax(scores / TEMPERATURE), scores (-s, s) for two classes
FIRST = 6  # refits of every size, before their scatter is looked at
_ABSENT = -1e9  # score of a class that the training set lacks
_BLOCK = 4096


class Refit(NamedTuple):
    """Ridge classifiers of one training set at all alphas."""

    coefs: np.ndarray
    """(features, classes, alphas)"""
    intercept: np.ndarray
    """(classes, alphas)"""
    present: np.ndarray
    """Whether the training set holds each class."""

    def scores(self, X):
        """Return scores (rows, classes, alphas) in single precision, -1 for absent classes."""
        coefs = self.coefs.reshape(len(self.coefs), -1).astype(np.float32)
        found = X @ coefs + self.intercept.ravel().astype(np.float32)
        return found.reshape(len(X), *self.intercept.shape)

    def predict(self, X):
        """Return predicted classes (rows, alphas)."""
        return np.where(self.present[:, None], self.scores(X), _ABSENT).argmax(axis=1)


def refit(X, labels, alphas, class_weight=None, *, n_classes=None):
    """Fit ridge classifiers to features X and labels 0, 1, ... n_classes - 1."""
    n_classes = n_classes or labels.max() + 1
    codes = np.where(labels[:, None] == np.arange(n_classes), 1.0, -1.0)
    weights = np.ones(len(labels))
    if class_weight is not None:
        weights = compute_sample_weight(class_weight, labels)
    X = X.astype(np.float64)
    feature_mean, code_mean = np.average(X, axis=0, weights=weights), weights @ codes
    code_mean = code_mean / weights.sum()
    root = np.sqrt(weights)[:, None]
    X, codes = (X - feature_mean) * root, (codes - code_mean) * root
    wide = X.shape[0] <= X.shape[1]
    eigenvalues, vectors = scipy.linalg.eigh(X @ X.T if wide else X.T @ X, driver="evd")
    side = vectors.T @ (codes if wide else X.T @ codes)
    inverse = 1.0 / (np.maximum(eigenvalues, 0.0)[:, None] + alphas)
    solved = vectors @ (inverse[:, None] * side[:, :, None]).reshape(len(side), -1)
    coefs = (X.T @ solved if wide else solved).reshape(X.shape[1], n_classes, -1)
    intercept = code_mean[:, None] - np.tensordot(feature_mean, coefs, axes=1)
    return Refit(coefs, intercept, np.bincount(labels, minlength=n_classes) > 0)


def class_sums(fitted, X, labels, counted):
    """Return sums of the `METRICS` over the counted rows of each class, (metrics, classes, alphas).

    The squared error is the mean over the classes' codes.
    """
    n_classes = len(fitted.present)
    sums = np.zeros((len(METRICS), n_classes, fitted.intercept.shape[1]))
    for start in range(0, len(labels), _BLOCK):
        block = slice(start, start + _BLOCK)
        own = labels[block, None] == np.arange(n_classes)
        scores = fitted.scores(X[block])
        true = scores[np.arange(len(scores)), labels[block]]
        best = scores.max(axis=1)
        total = np.exp((scores - best[:, None]) / TEMPERATURE).sum(axis=1)
        square = np.square(scores).sum(axis=1) - 4.0 * true + 2.0 * scores.sum(axis=1)
        top = best
        if not fitted.present.all():
            top = scores[:, fitted.present].max(axis=1)
        wrong = (true < top) | ~fitted.present[labels[block], None]
        of_class = (own & counted[block, None]).T.astype(np.float32)
        sums[0] += of_class @ wrong.astype(np.float32)
        sums[1] += of_class @ (square / n_classes + 1.0)
        sums[2] += of_class @ ((best - true) / TEMPERATURE + np.log(total))
    return sums


class ClassTruth(NamedTuple):
    """Measured surfaces. Those of `mean` and `standard_error` have shape (sizes, alphas).

    Their keys are "error_rate", "balanced_error", "squared_error" and "log_loss", and
    "class_errors" for the error rate of each class, (sizes, alphas, classes). Standard errors are
    absolute.
    """

    sizes: np.ndarray
    alphas: np.ndarray
    mean: dict[str, np.ndarray]
    standard_error: dict[str, np.ndarray]
    refits: np.ndarray

    def floor(self, n0):
        """Return the relative sampling error that n0 rows leave to any method."""
        rate = self.mean["error_rate"]
        return np.sqrt((1.0 - rate) / (rate * n0))

    def near_best(self, tolerance=0.03):
        """Return for each size the position of the largest alpha this close to the best."""
        rate = self.mean["error_rate"]
        close = rate <= (1.0 + tolerance) * rate.min(axis=1, keepdims=True)
        return len(self.alphas) - 1 - close[:, ::-1].argmax(axis=1)


def refit_metrics(sums, counts):
    """Return a dict of arrays (R, alphas), and (R, alphas, classes) for "class_errors".

    From sums (R, metrics, classes, alphas) and counts (R, classes).
    """
    total = sums.sum(axis=2) / counts.sum(axis=1)[:, None, None]
    of_class = sums[:, 0] / counts[:, :, None]
    found = dict(zip(METRICS, np.moveaxis(total, 1, 0), strict=True))
    found["balanced_error"] = of_class.mean(axis=1)
    found["class_errors"] = np.swapaxes(of_class, 1, 2)
    return found


def scatter(values):
    """Return the standard error of the mean over the first axis."""
    return values.std(axis=0, ddof=1) / np.sqrt(len(values))


def measure(X, labels, size, alphas, *, class_weight=None, precision=0.007, most=120, seed=0):
    """Refit until the precision; return sums (R, metrics, classes, alphas), counts (R, classes)."""
    rng = np.random.default_rng([seed, size])
    n_classes = labels.max() + 1
    sums, counts = [], []
    while len(sums) < most:
        rows = rng.permutation(len(labels))[:size]
        outside = np.ones(len(labels), dtype=bool)
        outside[rows] = False
        fitted = refit(X[rows], labels[rows], alphas, class_weight, n_classes=n_classes)
        sums.append(class_sums(fitted, X, labels, outside))
        counts.append(np.bincount(labels[outside], minlength=n_classes))
        if len(sums) >= min(FIRST, most):
            found = refit_metrics(np.array(sums), np.array(counts))
            rates = np.concatenate([found["error_rate"], found["balanced_error"]], axis=1)
            if np.max(scatter(rates) / rates.mean(axis=0)) < precision:
                break
    return np.array(sums), np.array(counts)


def kept_measurement(name, X, labels, size, *, precision, seed, folder, progress):
    """Return what `measure` found for one size of a set, from the folder if it is there."""
    asked = SETS[name]
    key = "".join(c if c.isalnum() else "_" for c in f"{name} {size} {seed}")
    file = folder / f"class_truth_{key}.npz"
    if file.exists():
        with np.load(file) as kept:
            if np.array_equal(kept["alphas"], asked.alphas) and kept["rows"] == len(labels):
                return kept["sums"], kept["counts"]
    start = time.perf_counter()
    options = {"class_weight": asked.class_weight, "most": asked.most_refits}
    with threadpool_limits(limits=1):
        sums, counts = measure(
            X, labels, size, asked.alphas, precision=precision, seed=seed, **options
        )
    partial = file.with_suffix(".part.npz")
    np.savez(partial, alphas=asked.alphas, rows=len(labels), sums=sums, counts=counts)
    partial.replace(file)
    seconds = time.perf_counter() - start
    progress(f"{name}, n = {size}: {len(sums)} refits, {seconds:.0f} s")
    return sums, counts


def measured_classes(
    name, X, labels, *, precision=0.007, seed=0, folder=None, progress=lambda line: None
):
    """Return the `ClassTruth` of a set; `progress` is called with a line for every new size."""
    asked = SETS[name]
    folder = Path(folder or Path(tempfile.gettempdir()) / "sk_deepfeat_benchmarks")
    folder.mkdir(parents=True, exist_ok=True)
    means, errors, refits = [], [], []
    options = {"precision": precision, "seed": seed, "folder": folder, "progress": progress}
    for size in asked.sizes:
        found = refit_metrics(*kept_measurement(name, X, labels, size, **options))
        refits.append(len(found["error_rate"]))
        means.append({key: value.mean(axis=0) for key, value in found.items()})
        errors.append({key: scatter(value) for key, value in found.items()})
    mean, error = (
        {key: np.array([part[key] for part in parts]) for key in parts[0]}
        for parts in (means, errors)
    )
    return ClassTruth(np.array(asked.sizes), asked.alphas, mean, error, np.array(refits))


def disagreement(name, X, labels, sizes=(30, 400), tested=5000):
    """Return the largest share of rows on which `refit` and `RidgeClassifier` do not agree."""
    asked = SETS[name]
    shares = []
    for size in sizes:
        rows = np.random.default_rng(size).permutation(len(labels))
        rows, others = rows[:size], rows[size : size + tested]
        fitted = refit(X[rows], labels[rows], asked.alphas, asked.class_weight)
        ours = fitted.predict(X[others])
        for alpha, column in zip(asked.alphas, ours.T, strict=True):
            theirs = RidgeClassifier(alpha, class_weight=asked.class_weight)
            theirs.fit(X[rows].astype(np.float64), labels[rows])
            shares.append(np.mean(theirs.predict(X[others].astype(np.float64)) != column))
    return float(max(shares))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--folder", default=None, help="where sets and truths are kept")
    parser.add_argument("--only", nargs="*", default=list(SETS), help="sets, all if not given")
    arguments = parser.parse_args()
    for name in arguments.only:
        start = time.perf_counter()
        X, labels = load(name, data_home=arguments.data_home, folder=arguments.folder)
        truth = measured_classes(
            name,
            X,
            labels,
            folder=arguments.folder,
            progress=lambda line: print(line, file=sys.stderr, flush=True),
        )
        rate, error = truth.mean["error_rate"], truth.standard_error["error_rate"]
        best = rate.argmin(axis=1)
        line = {
            "benchmark": "class_truth",
            "set": name,
            "rows": len(labels),
            "features": X.shape[1],
            "sizes": truth.sizes.tolist(),
            "best alpha": truth.alphas[best].round(4).tolist(),
            "lowest error rate": rate.min(axis=1).round(4).tolist(),
            "largest relative standard error": (error / rate).max(axis=1).round(4).tolist(),
            "refits": truth.refits.tolist(),
            "disagreement with RidgeClassifier": disagreement(name, X, labels),
            "seconds": round(time.perf_counter() - start),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
