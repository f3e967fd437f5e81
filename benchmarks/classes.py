"""Error rates that one training set predicts, beside measured ones and other ways to them.

For every set of `class_sets` and every size n0 of the training set: `predict_test_error` of a
`DeterministicEquivalentRidgeClassifier` at all sizes and alphas at which the truth was measured,
over draws of the training set; the same from `class_rivals`; and from the variance that leverages
alone give each score ("leverages alone"), which has the right sum. f is the relative sampling error
√((1-ε)/(ε n0)) at the lowest ε of a size, which no method goes below.

* below n0: median / 90 % / worst |relative error| over sizes and alphas, all of which are known;
* at 3 n0, or the nearest size: worst at the largest alpha within 3 % of the best, and at all alphas
  that are known;
* growth to the largest size up to 10 n0: root mean square of log(ε(n)/ε(n0)) less the true one,
  each with its own rate at n0, over alphas that are known; and the 90 % quantile of the total
  relative error, in units of f;
* the share of cells whose 90 % interval holds the truth;
* how much higher than the lowest the true error rate is at the alpha that is predicted to be best,
  by error rate and by squared error: mean and worst over sizes up to 10 n0.

One line of JSON for each set and n0.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from class_rivals import RIVALS, measured_points, training_set
from class_sets import SETS, load
from class_truth import measured_classes
from threadpoolctl import threadpool_limits

from sk_deepfeat import DeterministicEquivalentRidgeClassifier
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.theory import Loss
from sk_deepfeat.theory.one_sample.classes.class_tables import ClassTables
from sk_deepfeat.theory.one_sample.classes.clouds import margins_of
from sk_deepfeat.theory.one_sample.classes.scores import LeftOutPredictor

DRAWS = {1000: 6, 500: 6, 3000: 4, 10_000: 2}
LEVEL = 0.9
TABLES = Path(__file__).parents[1] / "docs" / "tables"
PLAIN, OURS = "leverages alone", "ours"
_POINTS_RIVALS = ("power law", "subset refits")


def ours(rows, labels, truth, class_weight):
    """Return predicted rates, ends of intervals, and the fitted classifier."""
    model = DeterministicEquivalentRidgeClassifier(
        float(truth.alphas[4]), class_weight=class_weight
    )
    model.fit(rows, labels)
    return *model.predict_test_error(
        truth.sizes[:, None], truth.alphas, return_interval=True, level=LEVEL
    ), model


def leverages_alone(model, truth):
    """Return error rates below n0 from noise of variance s_i V, the same in all directions."""
    surface = model.population_.class_surface_
    tables, path = surface.tables, model.population_.factorization_
    clouds, classes = tables.clouds, tables.clouds.classes
    distance = LeftOutPredictor(path, clouds.ridge).distance
    leverage = (1.0 - path.intercept_share - distance) / distance
    share = np.sqrt(leverage / leverage.mean(axis=1, keepdims=True))
    rng = np.random.default_rng(0)
    n_rows, outputs = path.targets.shape
    normal = rng.normal(size=(n_rows, max(20_000 // n_rows, 4), outputs))
    normal = np.stack([margins_of(normal[:, s], classes) for s in range(normal.shape[1])])
    noise = normal * share[:, None, None, :]
    if outputs == 1:
        noise = np.square(2.0 * share)[:, None, None, :]
    plain = clouds._replace(
        noise=noise.astype(np.float32), scale=np.full(clouds.kappa.size, float(outputs))
    )
    found = ClassTables(plain, tables.evaluator, tables.n_rows)
    rates = np.full((truth.sizes.size, truth.alphas.size), np.nan)
    alpha = truth.alphas / model.error_predictor_.squared.asked.mean_weight
    for k, n in enumerate(truth.sizes):
        if n < tables.n_rows:
            rates[k] = found.losses(float(n), alpha, Loss()).loss[:, -2]
    return rates


def rivals(name, rows, labels, truth, draw, folder, which):
    """Return what the rivals say, from the folder if it is there; NaN where they do not answer."""
    found = {}
    points = None
    for rival in which:
        key = "".join(c if c.isalnum() else "_" for c in f"{name} {len(rows)} {draw} {rival}")
        file = folder / f"class_rival_{key}.npy"
        if not file.exists():
            given = {"rng": np.random.default_rng([len(rows), draw])}
            weight = SETS[name].class_weight
            with threadpool_limits(limits=1):
                if rival in _POINTS_RIVALS:
                    if points is None:
                        points = measured_points(rows, labels, truth.alphas, weight, **given)
                    given["points"] = points
                rates = RIVALS[rival](rows, labels, truth.sizes, truth.alphas, weight, **given)
            np.save(file, rates)
        found[rival] = np.load(file)
    return found


def quantiles(values):
    values = np.abs(values[np.isfinite(values)])
    return np.quantile(values, (0.5, 0.9, 1.0)).tolist() if values.size else None


def worst(values):
    values = np.abs(values[np.isfinite(values)])
    return float(values.max()) if values.size else None


def mean(values):
    return float(values.mean()) if values.size else None


def rms(values):
    values = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(np.square(values)))) if values.size else None


def scores(found, lower, upper, truth, n0):
    """Return what the module names; `found` are arrays (draws, sizes, alphas) by method."""
    rate, sizes = truth.mean["error_rate"], truth.sizes
    own = int(np.flatnonzero(sizes == n0)[0])
    floor = np.sqrt((1.0 - rate.min(axis=1)) / (rate.min(axis=1) * n0))
    below, near = sizes < n0, truth.near_best()
    known = np.isfinite(found[OURS])
    off = {name: values / rate - 1.0 for name, values in found.items()}
    answer = {"f": float(np.median(floor[below])), "below": {}}
    for name, values in off.items():
        answer["below"][name] = quantiles(values[:, below])
    holds = (lower <= rate) & (rate <= upper)
    answer["coverage below"] = float(holds[:, below].mean())
    three = int(np.argmin(np.abs(np.log(sizes / (3.0 * n0)))))
    if sizes[three] > n0:
        beyond = {"size": int(sizes[three]), "f": float(floor[three])}
        beyond["near the best alpha"] = worst(off[OURS][:, three, near[three]])
        beyond["all known"] = worst(off[OURS][:, three])
        answer["three times"] = beyond
    last = int(np.flatnonzero(sizes <= 10 * n0)[-1])
    if last > own:
        growth = {"size": int(sizes[last]), "f": float(floor[last])}
        true = np.log(rate[last] / rate[own])
        for name in (OURS, "power law"):
            values = found[name]
            with np.errstate(divide="ignore", invalid="ignore"):
                miss = np.log(values[:, last] / values[:, own]) - true
            growth[name] = rms(miss[known[:, last]])
        total = np.abs(off[OURS][:, last][known[:, last]])
        growth["total 90 % in f"] = quantiles(total / floor[last])
        answer["growth"] = growth
        past = known[:, own + 1 : last + 1]
        answer["coverage beyond"] = mean(holds[:, own + 1 : last + 1][past])
        answer["known beyond"] = float(past.mean())
    return answer


def regrets(model, truth, n0, metric):
    """Return how much higher the true error rate is at the alphas that a metric chooses."""
    near = truth.sizes <= 10 * n0
    chosen = model.optimal_alpha(truth.sizes[near], metric=metric)
    log_alpha, rates = np.log(truth.alphas), truth.mean["error_rate"][near]
    at = [
        np.exp(np.interp(np.log(max(alpha, 1e-12)), log_alpha, np.log(rate)))
        for alpha, rate in zip(chosen, rates, strict=True)
    ]
    return np.where(np.isnan(chosen), np.nan, at / rates.min(axis=1) - 1.0)


def one(name, n0, X, labels, truth, arguments):
    start = time.perf_counter()
    found, ends, seconds = {}, [], []
    regret = {"error_rate": [], "mse": []}
    for draw in range(arguments.draws or DRAWS[n0]):
        rows, own = training_set(X, labels, n0, draw)
        which = ["power law", "subset refits"] + ["learning_curve"] * (draw == 0)
        others = rivals(name, rows, own, truth, draw, Path(arguments.folder), which)
        begin = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PopulationWarning)
            rates, lower, upper, model = ours(rows, own, truth, SETS[name].class_weight)
            seconds.append(time.perf_counter() - begin)
            for metric, values in regret.items():
                values.append(regrets(model, truth, n0, metric))
        ends.append((lower, upper))
        for method, values in {OURS: rates, PLAIN: leverages_alone(model, truth), **others}.items():
            found.setdefault(method, []).append(values)
    found = {method: np.array(values) for method, values in found.items()}
    answer = scores(found, *map(np.array, zip(*ends, strict=True)), truth, n0)
    for metric, values in regret.items():
        values = np.array(values)
        answer[f"regret by {metric}"] = [float(np.nanmean(values)), float(np.nanmax(values))]
    answer["seconds of a draw"] = float(np.median(seconds))
    print(f"{name}, {n0}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return answer


def shown(values, digits=1):
    if values is None:
        return "–"
    values = values if isinstance(values, list) else [values]
    return " / ".join(f"{100.0 * v:.{digits}f}" for v in values)


def write_tables(results, folder):
    """Write what is below n0, and what is beyond it."""
    with open(folder / "classes.csv", "w", newline="") as file:
        writer = csv.writer(file)
        methods = (OURS, "subset refits", "learning_curve", PLAIN)
        more = ("coverage", "alpha by error rate", "by squared error")
        writer.writerow(["set", "n0", "f", *methods, *more])
        for (name, n0), found in results.items():
            writer.writerow(
                [
                    name,
                    n0,
                    shown(found["f"]),
                    *(shown(found["below"][m]) for m in methods),
                    shown(found["coverage below"], 0),
                    shown(found["regret by error_rate"]),
                    shown(found["regret by mse"]),
                ]
            )
    with open(folder / "classes_beyond.csv", "w", newline="") as file:
        writer = csv.writer(file)
        named = "set|n0|3 n0: near best|all known|f|growth to|rms|power law|total 90 % / f"
        writer.writerow([*named.split("|"), "coverage", "known"])
        for (name, n0), found in results.items():
            near, far = found.get("three times"), found.get("growth")
            if far is None:
                continue
            total = far["total 90 % in f"]
            writer.writerow(
                [
                    name,
                    n0,
                    "–" if near is None else shown(near["near the best alpha"]),
                    "–" if near is None else shown(near["all known"]),
                    "–" if near is None else shown(near["f"]),
                    far["size"],
                    shown(far[OURS]),
                    shown(far["power law"]),
                    "–" if total is None else f"{total[1]:.1f}",
                    shown(found["coverage beyond"], 0),
                    shown(found["known beyond"], 0),
                ]
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--folder", required=True, help="where sets, truths and rivals are kept")
    parser.add_argument("--draws", type=int, default=None)
    parser.add_argument("--only", nargs="*", default=list(SETS), help="sets, all if not given")
    parser.add_argument("--tables", action="store_true", help="write docs/tables/classes*.csv")
    arguments = parser.parse_args()
    results = {}
    for name in arguments.only:
        X, labels = load(name, data_home=arguments.data_home, folder=arguments.folder)
        truth = measured_classes(name, X, labels, folder=arguments.folder)
        for n0 in SETS[name].training_sizes:
            found = one(name, n0, X, labels, truth, arguments)
            print(json.dumps({"benchmark": "classes", "set": name, "n0": n0, **found}), flush=True)
            results[name, n0] = found
    if arguments.tables:
        write_tables(results, TABLES)


if __name__ == "__main__":
    main()
