"""Errors predicted for rows of new groups of real data, beside scikit-learn's learning_curve.

Three sets of rows in groups. MNIST parity, each image in ten copies that are shifted, turned and
warped, and the parity of scikit-learn's smaller digits from each of nine patches of 6 x 6 pixels,
both with 1000 random features; genotypes of mice in cages. Truth: refits on random groups, measured
on all other groups. Predictions of five training sets by the defaults, with groups and without, for
a fifth of their groups up to eight times as many, at 0.01 to 100 times the alpha that is best for
the training size.

Median, 90 % and worst |relative error| over reachable cells and training sets. The floor is the
sampling error of the training groups: the relative standard error of the mean squared residual, at
the best alpha, over groups that are left out. learning_curve refits in GroupKFold, on rows sorted
by groups, at the sizes up to 0.8 that it reaches. One line of JSON for each set.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import gaussian_filter, map_coordinates
from sklearn.datasets import get_data_home, load_digits
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, learning_curve
from truth import measure, measured_surface

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.datasets import load_mnist_parity
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.theory import leave_group_out_residuals, ridge_factorization

IMAGES, COPIES, SIDE, PATCH, WIDTH = 4000, 10, 28, 6, 1000
SIZES, MEASURED_SIZES = (0.2, 0.5, 0.8, 1.0, 2.0, 4.0, 8.0), (0.2, 0.5, 0.8)
FACTORS = (0.01, 0.1, 1.0, 10.0, 100.0)
TARGET, FLOORS = np.array([0.05, 0.12, 0.20]), np.array([1.0, 2.0, 3.0])
COLUMNS = ("rows", "groups", "n0", "p", "new groups", "target", "floor", "row-wise")
COLUMNS += ("new groups, sizes to 0.8", "learning_curve, the same", "its time over ours")
_LARGEST_SHARE = 0.8  # of all groups: the others are what a refit is measured on


def random_features(inputs):
    return RandomDeepFeatures((WIDTH,), random_state=0).fit(inputs).transform(inputs)


def distorted(image, rng):
    """One copy: shifted by up to a pixel, turned by up to eight degrees, warped smoothly."""
    angle = np.deg2rad(rng.uniform(-8.0, 8.0))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (SIDE - 1) / 2.0
    grid = np.indices(image.shape, dtype=np.float64).reshape(2, -1) - middle
    warp = np.array([gaussian_filter(rng.uniform(-1, 1, image.shape), 4.0) for _ in range(2)])
    where = turn @ grid + middle + rng.uniform(-1.0, 1.0, size=(2, 1)) + 15.0 * warp.reshape(2, -1)
    return map_coordinates(image, where, order=1, mode="constant", cval=image.min())


def copies(data_home):
    X, y = load_mnist_parity(data_home=data_home, return_X_y=True)
    some = np.random.default_rng(0).permutation(len(y))[:IMAGES]
    images = np.asarray(X[some], dtype=np.float64).reshape(-1, SIDE, SIDE)
    rng = np.random.default_rng(1)
    rows = np.array([distorted(image, rng) for image in images for _ in range(COPIES)])
    groups = np.repeat(np.arange(IMAGES), COPIES)
    return random_features(rows), y[some][groups], groups


def patches(_):
    images, labels = load_digits().images / 16.0, load_digits().target
    cut = sliding_window_view(images, (PATCH, PATCH), axis=(1, 2))
    rows = cut.reshape(-1, PATCH * PATCH)
    groups = np.repeat(np.arange(len(images)), len(rows) // len(images))
    return random_features(rows - rows.mean(axis=0)), np.where(labels[groups] % 2, -1, 1), groups


def mice(data_home):
    root = Path(data_home or os.environ.get("SK_DEEPFEAT_DATA") or get_data_home())
    with np.load(root / "real" / "mice.npz") as arrays:
        X, y, groups = arrays["X"][:, ::8], arrays["y"][:, 0], arrays["groups"]
    return X[:, :1290], y, np.unique(groups, return_inverse=True)[1]


SETS = {  # and the groups of a training set
    "digits in ten copies": (copies, 200),
    "patches of digits": (patches, 200),
    "mice in cages": (mice, 200),
}


def load(name, data_home, folder):
    file = folder / f"groups_{''.join(c if c.isalnum() else '_' for c in name)}.npz"
    if not file.exists():
        X, y, groups = SETS[name][0](data_home)
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".part.npz")
        np.savez(partial, X=X.astype(np.float32), y=np.asarray(y, dtype=np.float64), groups=groups)
        partial.replace(file)
    with np.load(file) as arrays:
        return arrays["X"], arrays["y"], arrays["groups"]


def training_set(X, y, groups, size, seed):
    """Rows of so many groups in random order, group by group, and their labels from 0 on."""
    chosen = np.random.default_rng([11, seed]).permutation(groups.max() + 1)[:size]
    position = np.full(groups.max() + 1, -1)
    position[chosen] = np.arange(size)
    rows = np.flatnonzero(position[groups] >= 0)
    rows = rows[np.argsort(position[groups[rows]], kind="stable")]
    return X[rows].astype(np.float64), y[rows], position[groups[rows]]


def best_alpha(X, y, groups, size):
    scale = float(np.square(X[:2000] - X[:2000].mean(axis=0)).sum(axis=1).mean())
    grid = scale * np.geomspace(1e-4, 1e2, 13)
    mean, _, _ = measure(X, y, size, grid, precision=0.0, most=6, seed=1, groups=groups)
    return float(grid[mean.argmin()])


def floor(X, y, groups, alpha):
    """Relative standard error of the mean squared residual of rows, over groups left out."""
    factorization = ridge_factorization(X, y, groups=groups)
    squares = np.square(leave_group_out_residuals(factorization, alpha)[:, 0])
    apart = np.bincount(groups, weights=squares - squares.mean())
    return float(np.sqrt(np.square(apart).sum()) / squares.sum())


def measured_curve(X, y, groups, sizes, alphas):
    """Errors of scikit-learn's refits, and NaN where they do not reach."""
    folds = list(GroupKFold(5).split(X, y, groups))
    most = min(len(train) for train, _ in folds)
    rows = [min(round(size / (groups[-1] + 1) * len(y)), most) for size in sizes]
    errors = np.empty((len(sizes), len(alphas)))
    for a, alpha in enumerate(alphas):
        _, _, scores = learning_curve(
            Ridge(alpha=alpha), X, y, train_sizes=rows, cv=folds, scoring="neg_mean_squared_error"
        )
        errors[:, a] = -scores.mean(axis=1)
    return errors


def three(relative):
    relative = np.abs(np.concatenate([np.ravel(part) for part in relative]))
    relative = relative[~np.isnan(relative)]
    return np.round([np.median(relative), np.quantile(relative, 0.9), relative.max()], 4).tolist()


def one_set(name, arguments):
    start = time.perf_counter()
    X, y, groups = load(name, arguments.data_home, arguments.folder)
    n_groups, size = int(groups.max()) + 1, SETS[name][1]
    sizes = [round(s * size) for s in SIZES if s * size <= _LARGEST_SHARE * n_groups]
    measured = [round(s * size) for s in MEASURED_SIZES]
    alphas = best_alpha(X, y, groups, size) * np.array(FACTORS)
    truth = measured_surface(
        f"groups {name}",
        *(X, y, sizes, alphas),
        groups=groups,
        most=arguments.most_refits,
        folder=arguments.folder,
    )
    relative = {"groups": [], "rows": [], "groups, measured sizes": [], "learning_curve": []}
    floors, ratios = [], []
    asked = np.array(sizes)[:, None], alphas
    for draw in range(arguments.draws):
        rows, targets, labels = training_set(X, y, groups, size, draw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PopulationWarning)
            begin = time.perf_counter()
            ridge = DeterministicEquivalentRidge().fit(rows, targets, groups=labels)
            ours = ridge.predict_test_error(n_groups=asked[0], alpha=asked[1]) / truth.mean - 1
            middle = time.perf_counter()
            theirs = measured_curve(rows, targets, labels, measured, alphas)
            ratios.append((time.perf_counter() - middle) / (middle - begin))
            ridge = DeterministicEquivalentRidge().fit(rows, targets)
            row_wise = ridge.predict_test_error(asked[0] * len(rows) / size, asked[1])
        relative["groups"].append(ours)
        relative["rows"].append(row_wise / truth.mean - 1)
        relative["groups, measured sizes"].append(ours[: len(measured)])
        relative["learning_curve"].append(theirs / truth.mean[: len(measured)] - 1)
        floors.append(floor(rows, targets, labels, alphas[FACTORS.index(1.0)]))
    mean_floor = float(np.mean(floors))
    result = {key: three(parts) for key, parts in relative.items()}
    result["target"] = np.round(TARGET + FLOORS * mean_floor, 4).tolist()
    result["floor"] = round(mean_floor, 4)
    result["mean bias"] = np.round(np.nanmean(relative["groups"], axis=0), 3).tolist()
    result["mean bias of rows"] = np.round(np.nanmean(relative["rows"], axis=0), 3).tolist()
    result["reachable"] = round(float(1.0 - np.isnan(relative["groups"]).mean()), 3)
    result["largest relative se of truth"] = round(
        float((truth.standard_error / truth.mean).max()), 4
    )
    result["learning_curve's time over ours"] = round(float(np.median(ratios)), 1)
    result |= {"groups": result["groups"], "group sizes": sizes, "p": X.shape[1]}
    result["rows of a training set"] = round(size * len(y) / n_groups)
    result["training groups"] = size
    result["truth at the best alpha"] = np.round(truth.mean[:, FACTORS.index(1.0)], 4).tolist()
    result["seconds"] = round(time.perf_counter() - start)
    return result


def write_table(results, output):
    with open(output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for name, found in results.items():
            row = {"rows": name, "groups": found["training groups"], "p": found["p"]}
            row["n0"], row["floor"] = found["rows of a training set"], percent(found["floor"])
            row["target"], row["new groups"] = percent(*found["target"]), percent(*found["groups"])
            row["row-wise"] = percent(*found["rows"])
            row["new groups, sizes to 0.8"] = percent(*found["groups, measured sizes"])
            row["learning_curve, the same"] = percent(*found["learning_curve"])
            row["its time over ours"] = found["learning_curve's time over ours"]
            writer.writerow([row[column] for column in COLUMNS])


def percent(*values):
    return " / ".join(f"{100 * value:.1f}" for value in values) + " %"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", default=None, help="with MNIST/raw and real/mice.npz")
    parser.add_argument("--folder", default=None, help="where sets and truths are kept")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--most-refits", type=int, default=60)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--output", default="docs/tables/groups_real.csv")
    arguments = parser.parse_args()
    default = Path(tempfile.gettempdir()) / "sk_deepfeat_benchmarks"
    arguments.folder = Path(arguments.folder or default)
    results = {}
    for name in arguments.sets:
        results[name] = one_set(name, arguments)
        print(json.dumps({"benchmark": "groups_real", "set": name, **results[name]}), flush=True)
        write_table(results, arguments.output)


if __name__ == "__main__":
    main()
