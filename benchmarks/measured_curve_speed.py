"""The measured part of ridge_learning_curve against sklearn's learning_curve, on the same splits.

4000 rows of 500 features, six sizes, five alphas, three repeats, one process. scikit-learn is
called once for each size and alpha with the very splits. One unmeasured run, then five in turn;
ratio of medians, and the largest relative difference of the errors. One line of JSON.
"""

from __future__ import annotations

import json
import os
import time

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import learning_curve

from sk_deepfeat.model_selection import ridge_learning_curve
from sk_deepfeat.populations import ExactPopulation

SIZES, ALPHAS, P = [100, 200, 400, 800, 1600, 3200], [0.1, 1.0, 10.0, 100.0, 1000.0], 500


def ours(X, y):
    # The exact population of the features: no time goes into the predicted part.
    population = ExactPopulation(np.eye(P), np.zeros(P), 1.0)
    return ridge_learning_curve(
        Ridge(),
        X,
        y,
        train_sizes=SIZES,
        alphas=ALPHAS,
        n_repeats=3,
        population=population,
        random_state=0,
    )


def theirs(X, y, splits):
    errors = np.empty((len(SIZES), len(ALPHAS), 3))
    for s, size in enumerate(SIZES):
        for a, alpha in enumerate(ALPHAS):
            _, _, scores = learning_curve(
                Ridge(alpha=alpha),
                X,
                y,
                train_sizes=[size],
                cv=splits[s],
                scoring="neg_mean_squared_error",
            )
            errors[s, a] = -scores[0]
    return errors


def main():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, P)) * np.arange(1, P + 1) ** -0.5
    y = X[:, :20].sum(axis=1) + rng.normal(size=4000)
    curve = ours(X, y)
    difference = np.abs(theirs(X, y, curve.splits) / curve.measured - 1).max()
    seconds = {"ours": [], "learning_curve": []}
    for _ in range(5):
        start = time.perf_counter()
        ours(X, y)
        middle = time.perf_counter()
        theirs(X, y, curve.splits)
        seconds["ours"].append(middle - start)
        seconds["learning_curve"].append(time.perf_counter() - middle)
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    result = {
        "benchmark": "measured_curve_speed",
        "times_faster": round(medians["learning_curve"] / medians["ours"], 1),
        "largest_relative_difference": float(difference),
        "seconds": {name: np.round(values, 2).tolist() for name, values in seconds.items()},
        "load": np.round(os.getloadavg(), 2).tolist(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
