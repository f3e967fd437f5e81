"""Errors predicted for rows of new groups, from a known population: mean bias over draws.

Gaussian features with eigenvalues 1/j; a share of their variance is common to the rows of a group,
and so is, in half of the settings, a group effect in the target as large as its noise. At least
200 groups of 2, 6 or 30 rows, or of 2 with every tenth of 30; 100 features, or a quarter more than
rows (not for groups of 30, whose 6000 rows would make that dear). Predicted for 0.2, 0.5, 1, 2 and
8 times the groups at 0.1, 1 and 10 times the alpha that is best at the training size, by the
defaults, both targets in one fit, and, over fewer draws, by the same fitted without groups. Truth:
refits on fresh groups, their error on rows of new groups in closed form, until its standard error
is below 1 %.

The mean bias of a cell counts beyond two standard errors, of draws and truth together. Cells count
that are reachable in every draw. One line of JSON for each setting.
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
from typing import NamedTuple

import numpy as np
import scipy.linalg
from joblib import Parallel, delayed

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning

SHARES, EFFECTS = (0.0, 0.5, 0.9), (0.0, 0.5)
SIZES, FACTORS = (0.2, 0.5, 1.0, 2.0, 8.0), (0.1, 1.0, 10.0)
GRID = np.geomspace(1e-2, 1e6, 65)
NOISE, TARGET = 0.5, (0.05, 0.10)
_PRECISION, _FEWEST, _MOST = 0.01, 8, 400


class Setting(NamedTuple):
    """Sizes of the groups, repeated in turn, their number, and the features."""

    label: str
    pattern: tuple[int, ...]
    groups: int
    features: int

    def sizes(self, groups):
        """Rows of so many groups."""
        return np.resize(self.pattern, groups)

    @property
    def rows(self):
        """Rows of a training set."""
        return int(self.sizes(self.groups).sum())


MIXED = (30, *[2] * 9)
SETTINGS = (  # from cheap to dear
    Setting("2", (2,), 200, 100),
    Setting("6", (6,), 200, 100),
    Setting("2, each tenth 30", MIXED, 200, 100),
    Setting("2", (2,), 200, 500),
    Setting("2, each tenth 30", MIXED, 200, 1200),
    Setting("30", (30,), 200, 100),
    Setting("6", (6,), 200, 1500),
)


class Population:
    """Rows of one setting; targets in two columns, without and with a group effect."""

    def __init__(self, setting, share):
        self.setting, self.share = setting, share
        p = setting.features
        self.variances = 1.0 / np.arange(1, p + 1)
        self.variances *= p / self.variances.sum()
        coefs = np.random.default_rng(0).normal(size=p)
        self.coefs = coefs / np.sqrt(np.sum(np.square(coefs) * self.variances))

    def draw(self, groups, rng):
        """Features, targets in two columns, and the rows' groups."""
        labels = np.repeat(np.arange(groups), self.setting.sizes(groups))
        n, p = labels.size, self.variances.size
        X = np.sqrt(1.0 - self.share) * rng.normal(size=(n, p))
        X += np.sqrt(self.share) * rng.normal(size=(groups, p))[labels]
        X *= np.sqrt(self.variances)
        y = X @ self.coefs + np.sqrt(NOISE) * rng.normal(size=n)
        effect = rng.normal(size=groups)[labels]
        return X, y[:, None] + np.sqrt(EFFECTS) * effect[:, None], labels

    def refit_errors(self, groups, alphas, rng):
        """Errors (2, alphas) on rows of new groups of one refit; alphas (2, alphas)."""
        X, Y, _ = self.draw(groups, rng)
        feature_mean, target_mean = X.mean(axis=0), Y.mean(axis=0)
        X -= feature_mean
        Y = Y - target_mean
        wide = X.shape[0] < X.shape[1]
        gram = X @ X.T if wide else X.T @ X
        sides = Y if wide else X.T @ Y
        if alphas.size > 12:
            values, vectors = np.linalg.eigh(gram)
            turned = vectors.T @ sides
            solved = [
                vectors @ (turned[:, i, None] / (np.maximum(values, 0.0)[:, None] + alphas[i]))
                for i in range(2)
            ]
        else:
            solved = [
                np.column_stack([_solve(gram, a, sides[:, i]) for a in alphas[i]]) for i in range(2)
            ]
        errors = np.empty(alphas.shape)
        for i, found in enumerate(solved):
            coefs = X.T @ found if wide else found
            away = np.square(coefs - self.coefs[:, None])
            intercept = target_mean[i] - feature_mean @ coefs
            errors[i] = self.variances @ away + np.square(intercept) + NOISE + EFFECTS[i]
        return errors

    def truth(self, groups, alphas, rng, precision=_PRECISION, most=_MOST):
        """Mean errors (2, alphas) over refits, and their standard errors."""
        found = []
        while len(found) < most:
            found.append(self.refit_errors(groups, alphas, rng))
            if len(found) >= _FEWEST:
                mean = np.mean(found, axis=0)
                error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
                if np.max(error / mean) < precision:
                    break
        return mean, error


def _solve(gram, alpha, side):
    shifted = gram.copy()
    shifted.flat[:: len(gram) + 1] += alpha
    return scipy.linalg.solve(shifted, side, assume_a="pos", overwrite_a=True, check_finite=False)


def one_population(setting, share, arguments):
    """Return the cells of both effects, each a dictionary; kept between runs."""
    folder = Path(arguments.folder or Path(tempfile.gettempdir()) / "sk_deepfeat_benchmarks")
    folder.mkdir(parents=True, exist_ok=True)
    numbers = (setting.rows, setting.features, round(100 * share), arguments.draws)
    file = folder / f"groups_simulation_{'_'.join(map(str, numbers))}.json"
    if not file.exists():
        file.write_text(json.dumps(simulate(setting, share, arguments)))
    return json.loads(file.read_text())


def simulate(setting, share, arguments):
    start = time.perf_counter()
    population = Population(setting, share)
    rng = np.random.default_rng([setting.features, setting.rows, round(10 * share)])
    first, _ = population.truth(setting.groups, np.tile(GRID, (2, 1)), rng, most=_FEWEST)
    alphas = GRID[first.argmin(axis=1)][:, None] * FACTORS
    groups = [round(size * setting.groups) for size in SIZES]
    truth, error = (
        np.stack(part, axis=1)  # (2, sizes, alphas)
        for part in zip(*[population.truth(k, alphas, rng) for k in groups], strict=True)
    )
    seconds_truth = time.perf_counter() - start
    predicted = {"groups": [], "rows": []}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        for draw in range(arguments.draws):
            X, Y, labels = population.draw(setting.groups, rng)
            ridge = DeterministicEquivalentRidge().fit(X, Y, groups=labels)
            predicted["groups"].append(_asked(ridge, alphas, n_groups=groups))
            if draw < arguments.row_draws:
                ridge = DeterministicEquivalentRidge().fit(X, Y)
                n = np.array(groups) * len(X) / setting.groups
                predicted["rows"].append(_asked(ridge, alphas, n_samples=n))
    cells = []
    summaries = {key: _bias(np.array(values), truth, error) for key, values in predicted.items()}
    for i, effect in enumerate(EFFECTS):
        for s, size in enumerate(SIZES):
            for a, factor in enumerate(FACTORS):
                cell = {
                    "group sizes": setting.label,
                    "n0": setting.rows,
                    "p": setting.features,
                    "shared": share,
                    "effect": effect,
                    "size": size,
                    "alpha": factor,
                    "truth": float(truth[i, s, a]),
                    "truth se": float(error[i, s, a] / truth[i, s, a]),
                }
                for key, (bias, standard_error, reached) in summaries.items():
                    cell[f"{key} bias"] = float(bias[i, s, a])
                    cell[f"{key} se"] = float(standard_error[i, s, a])
                    cell[f"{key} reached"] = float(reached[i, s, a])
                cells.append(cell)
    seconds = time.perf_counter() - start
    result = {"benchmark": "groups_simulation", "groups": setting.label, "p": setting.features}
    result |= {"n0": setting.rows, "shared": share, "seconds": round(seconds)}
    result |= {"seconds of truth": round(seconds_truth)}
    for effect in EFFECTS:
        mine = [cell for cell in cells if cell["effect"] == effect]
        result[f"effect {effect}"] = {key: summary(mine, key) for key in predicted}
    print(json.dumps(result), flush=True)
    return cells


def _asked(ridge, alphas, **sizes):
    """Predicted errors (2, sizes, alphas), each target at alphas of its own."""
    asked = {name: np.array(values)[:, None, None] for name, values in sizes.items()}
    found = ridge.predict_test_error(alpha=alphas, multioutput="raw_values", **asked)
    return np.stack([found[:, i, :, i] for i in range(2)])


def _bias(predicted, truth, error):
    """Mean relative bias over draws, its standard error, and the share of draws that reach."""
    reached = ~np.isnan(predicted)
    count = np.maximum(reached.sum(axis=0), 2)
    ratio = np.where(reached, predicted / truth - 1.0, 0.0)
    mean = ratio.sum(axis=0) / count
    scatter = np.where(reached, np.square(ratio - mean), 0.0).sum(axis=0) / (count - 1)
    return mean, np.sqrt(scatter / count + np.square(error / truth)), reached.mean(axis=0)


def summary(cells, key):
    """Median and worst |bias|, the worst beyond two standard errors, and the cells that count."""
    kept = [cell for cell in cells if cell[f"{key} reached"] == 1.0]
    bias = np.array([cell[f"{key} bias"] for cell in kept])
    beyond = np.abs(bias) - 2.0 * np.array([cell[f"{key} se"] for cell in kept])
    if not bias.size:
        return {"cells": 0}
    return {
        "cells": bias.size,
        "median": round(float(np.median(np.abs(bias))), 4),
        "worst": round(float(bias[np.abs(bias).argmax()]), 4),
        "median beyond": round(float(np.median(np.maximum(beyond, 0.0))), 4),
        "worst beyond": round(float(max(beyond.max(), 0.0)), 4),
    }


def write_table(cells, output):
    header = ["rows of a group", "n0", "p", "shared", "group effect", "cells"]
    header += ["new groups: median", "worst", "worst beyond 2 se", "row-wise: median", "worst"]
    with open(output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        labels = {(c["group sizes"], c["n0"], c["p"], c["shared"], c["effect"]): 0 for c in cells}
        for label in sorted(labels, key=lambda key: (key[2] > key[1], key[1], *key[3:])):
            name, n0, p, share, effect = label
            mine = [
                cell
                for cell in cells
                if (cell["n0"], cell["p"], cell["shared"], cell["effect"]) == label[1:]
            ]
            ours, rows = summary(mine, "groups"), summary(mine, "rows")
            row = [name, n0, p, f"{100 * share:.0f} %", "yes" if effect else "no", ours["cells"]]
            row += [f"{100 * ours['median']:.1f} %", f"{100 * ours['worst']:+.1f} %"]
            row += [f"{100 * ours['worst beyond']:.1f} %"]
            row += [f"{100 * rows['median']:.1f} %", f"{100 * rows['worst']:+.1f} %"]
            writer.writerow(row)


def write_cells(cells, output):
    with open(output, "w", newline="") as file:
        writer = csv.DictWriter(file, list(cells[0]))
        writer.writeheader()
        for cell in cells:
            rounded = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in cell.items()}
            writer.writerow(rounded)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--row-draws", type=int, default=10, help="draws fitted without groups too")
    parser.add_argument("--quick", action="store_true", help="four draws of the small settings")
    parser.add_argument("--folder", default=None, help="where the cells are kept")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cells", default=None, help="a CSV for every cell")
    parser.add_argument("--output", default="docs/tables/groups_simulation.csv")
    arguments = parser.parse_args()
    settings = SETTINGS
    if arguments.quick:
        arguments.draws, arguments.row_draws = min(arguments.draws, 4), 2
        settings = [setting for setting in SETTINGS if setting.rows * setting.features < 250_000]
    tasks = [(setting, share) for setting in settings for share in SHARES]
    found = Parallel(n_jobs=arguments.jobs)(
        delayed(one_population)(setting, share, arguments) for setting, share in tasks
    )
    cells = [cell for part in found for cell in part]
    total = {key: summary(cells, key) for key in ("groups", "rows")}
    load = np.round(os.getloadavg(), 2).tolist()
    print(json.dumps({"benchmark": "groups_simulation", "target": TARGET, **total, "load": load}))
    write_table(cells, arguments.output)
    if arguments.cells:
        write_cells(cells, Path(arguments.cells))


if __name__ == "__main__":
    main()
