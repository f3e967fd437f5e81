"""Population "lanczos": against the dense answer, against refits, time, and memory.

    python benchmarks/matrix_free.py dense            # p = n0 = 4,000: leave-one-out, and refits
    python benchmarks/matrix_free.py refits           # p = n0 = 20,000: refits of three sizes
    python benchmarks/matrix_free.py time             # p = n0 = 2,000 … 8,000: 100 steps each
    python benchmarks/matrix_free.py sparse           # 200,000 x 100,000, one entry in a thousand
    python benchmarks/matrix_free.py table LOG ...    # docs/tables/ from lines that were printed

Dense rows are random ReLU features of MNIST, even against odd digits; what is measured is measured
on 30,000 images that no fit has seen. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import time
from pathlib import Path

import numpy as np
import scipy.linalg
import scipy.sparse
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.datasets import load_mnist_parity
from sk_deepfeat.populations import LanczosPopulation

GIB = 2.0**30
TABLES = Path(__file__).parents[1] / "docs" / "tables"
TEST_ROWS = 30_000


class Images:
    """Features of training rows, and errors on the others."""

    def __init__(self, n_rows, width):
        X, y = load_mnist_parity(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(X))
        X = np.asarray(X, dtype=np.float32)[order] / 255.0
        self.y = np.asarray(y, dtype=np.float64)[order]
        self.map = RandomDeepFeatures((width,), random_state=0).fit(X[:10])
        self.features = np.empty((n_rows, width), dtype=np.float32)
        for start in range(0, n_rows, 2000):
            part = slice(start, min(start + 2000, n_rows))
            self.features[part] = self.map.transform(X[part])
        self.unseen = X[n_rows : n_rows + TEST_ROWS]
        self.targets = self.y[n_rows : n_rows + TEST_ROWS]

    def errors(self, coefs, intercepts):
        """Return mean squared errors of several fits on unseen images."""
        total = np.zeros(len(intercepts))
        for start in range(0, len(self.unseen), 1000):
            part = slice(start, start + 1000)
            features = self.map.transform(self.unseen[part])
            predicted = features @ coefs.astype(np.float32) + intercepts
            total += np.square(self.targets[part, None] - predicted).sum(axis=0)
        return total / len(self.unseen)


def refit(features, y, alphas):
    """Return coefficients and intercepts of ridge on some rows, by its dual."""
    mean, centre = features.mean(axis=0, dtype=np.float64), y.mean()
    rows = features - mean.astype(np.float32)
    gram = scipy.linalg.blas.ssyrk(1.0, rows.T, trans=1, lower=1)
    coefs = np.empty((features.shape[1], len(alphas)))
    for k, alpha in enumerate(alphas):
        system = gram.copy(order="F")
        system[np.diag_indices_from(system)] += alpha
        factor = scipy.linalg.cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
        target = (y - centre).astype(np.float32)
        coefs[:, k] = rows.T @ scipy.linalg.cho_solve(factor, target, check_finite=False)
    return coefs, centre - mean @ coefs


def measured(images, n_rows, sizes, alphas, most_fits):
    """Return errors of refits on disjoint subsets, shape (sizes, alphas)."""
    found = np.empty((len(sizes), len(alphas)))
    for i, n in enumerate(sizes):
        fits = min(most_fits, n_rows // n)
        coefs, intercepts = [], []
        for k in range(fits):
            part = slice(k * n, (k + 1) * n)
            some = refit(images.features[part], images.y[part], alphas)
            coefs.append(some[0])
            intercepts.append(some[1])
        errors = images.errors(np.hstack(coefs), np.concatenate(intercepts))
        found[i] = errors.reshape(fits, len(alphas)).mean(axis=0)
    return found


def fitted(features, y, population):
    """Return a fitted ridge at its best alpha, seconds, and memory beyond the rows."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    ridge = DeterministicEquivalentRidge("optimal", population=population).fit(features, y)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return ridge, seconds, (peak - before) * 1024 / GIB, peak * 1024 / GIB


def table(values, digits=4):
    return [[None if np.isnan(v) else round(float(v), digits) for v in row] for row in values]


def against(images, ridge, n_rows, sizes, most_fits):
    alphas = float(ridge.alpha_) * np.array([0.1, 1.0, 10.0])
    n = np.array(sizes)[:, None]
    predicted, lower, upper = ridge.predict_test_error(n, alphas, return_interval=True)
    truth = measured(images, n_rows, sizes, alphas, most_fits)
    return alphas, {
        "alphas": [float(f"{a:.3g}") for a in alphas],
        "sizes": list(sizes),
        "predicted": table(predicted),
        "refits": table(truth),
        "off_percent": table(100 * (predicted / truth - 1), 1),
        "half_interval_percent": table(50 * (upper - lower) / predicted, 1),
    }


def dense(n_rows):
    images = Images(n_rows, n_rows)
    y = images.y[:n_rows]
    ridge, seconds, _, _ = fitted(images.features, y, LanczosPopulation())
    start = time.perf_counter()
    exact = DeterministicEquivalentRidge(float(ridge.alpha_)).fit(images.features, y)
    dense_seconds = time.perf_counter() - start
    sizes = (n_rows // 8, n_rows // 4, n_rows // 2, n_rows)
    alphas, found = against(images, ridge, n_rows, sizes, 4)
    n = np.array([*sizes, 4 * n_rows])[:, None]
    both = [r.predict_test_error(n, alphas) for r in (ridge, exact)]
    coefs = np.linalg.norm(ridge.coef_ - exact.coef_) / np.linalg.norm(exact.coef_)
    return {
        **found,
        "off_dense_percent": table(100 * (both[0] / both[1] - 1), 2),
        "coefs_off": float(f"{coefs:.1e}"),
        "seconds": round(seconds, 1),
        "dense_seconds": round(dense_seconds, 1),
        "steps": ridge.population_.n_iter_,
    }


def refits(n_rows):
    images = Images(n_rows, n_rows)
    ridge, seconds, beyond, peak = fitted(images.features, images.y[:n_rows], LanczosPopulation())
    fit = {
        "seconds": round(seconds),
        "steps": ridge.population_.n_iter_,
        "gib_beyond_rows": round(beyond, 2),
        "gib_peak": round(peak, 2),
    }
    print(json.dumps(fit), flush=True)
    sizes = (n_rows // 4, n_rows // 2, n_rows)
    return {**fit, **against(images, ridge, n_rows, sizes, 2)[1]}


def times(largest):
    found = []
    for n in (largest // 4, largest // 2, largest):
        images = Images(n, n)
        population = LanczosPopulation(n_sampled=500, max_iter=100)
        ridge, seconds, _, _ = fitted(images.features, images.y[:n], population)
        steps = ridge.population_.n_iter_
        found.append(
            {
                "n": n,
                "seconds": round(seconds, 1),
                "steps": steps,
                "ns_an_entry_and_step": round(1e9 * seconds / (n * n * steps), 2),
            }
        )
    return {"times": found}


def sparse(n_rows):
    rng = np.random.default_rng(0)
    width = n_rows // 2
    make = {"density": 1e-3, "format": "csr", "dtype": np.float64}
    # Columns are the rarer the later they come, as words are.
    scale = scipy.sparse.diags_array(np.arange(1, width + 1) ** -0.3)
    X = scipy.sparse.random_array((n_rows, width), rng=rng, **make) @ scale
    test = scipy.sparse.random_array((TEST_ROWS, width), rng=rng, **make) @ scale
    weights = rng.normal(size=width)
    signal = X @ weights
    noise = 0.5 * signal.std()
    y = signal + noise * rng.normal(size=n_rows)
    y_test = test @ weights + noise * rng.normal(size=TEST_ROWS)
    X, test = X.tocsr(), test.tocsr()
    ridge, seconds, beyond, peak = fitted(X, y, LanczosPopulation())
    fit = {
        "seconds": round(seconds),
        "steps": ridge.population_.n_iter_,
        "gib_beyond_rows": round(beyond, 2),
        "gib_peak": round(peak, 2),
    }
    print(json.dumps(fit), flush=True)
    alphas, sizes = (
        float(ridge.alpha_) * np.array([0.3, 1.0, 3.0]),
        [n_rows // 8, n_rows // 2, n_rows],
    )
    truth = np.empty((len(sizes), len(alphas)))
    for i, n in enumerate(sizes):
        for k, alpha in enumerate(alphas):
            one = Ridge(alpha=alpha, solver="sparse_cg", tol=1e-6).fit(X[:n], y[:n])
            truth[i, k] = np.mean(np.square(y_test - one.predict(test)))
    predicted = ridge.predict_test_error(np.array(sizes)[:, None], alphas)
    return {
        **fit,
        "alphas": [float(f"{a:.3g}") for a in alphas],
        "sizes": sizes,
        "predicted": table(predicted, 5),
        "refits": table(truth, 5),
        "off_percent": table(100 * (predicted / truth - 1), 1),
    }


def write_tables(logs):
    """Write what runs have printed to the tables of the documents."""
    lines = [
        json.loads(line)
        for log in logs
        for line in Path(log).read_text().splitlines()
        if line.startswith('{"benchmark"')
    ]
    cells, costs = [], []
    for run in lines:
        name = "sparse" if run["question"] == "sparse" else "dense"
        shape = {"rows": name, "n₀": run["rows"]}
        if "times" in run:
            costs += [
                {**shape, "n₀": each["n"], **{k: each[k] for k in ("steps", "seconds")}}
                | {"GiB beyond the rows": "", "peak GiB": ""}
                | {"ns an entry and step": each["ns_an_entry_and_step"]}
                for each in run["times"]
            ]
            continue
        costs.append(
            {**shape, "steps": run["steps"], "seconds": run["seconds"]}
            | {"GiB beyond the rows": run.get("gib_beyond_rows", "")}
            | {"peak GiB": run.get("gib_peak", ""), "ns an entry and step": ""}
        )
        for i, n in enumerate(run["sizes"]):
            for k, alpha in enumerate(run["alphas"]):
                both = run.get("half_interval_percent"), run.get("off_dense_percent")
                half, off_dense = ("" if part is None else part[i][k] for part in both)
                cells.append(
                    {**shape, "n": n, "alpha": alpha, "predicted": run["predicted"][i][k]}
                    | {"refits": run["refits"][i][k], "off, %": run["off_percent"][i][k]}
                    | {"half the interval, %": half, "off leave-one-out, %": off_dense}
                )
    for name, found in (("matrix_free", cells), ("matrix_free_cost", costs)):
        with open(TABLES / f"{name}.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, found[0])
            writer.writeheader()
            writer.writerows(found)


QUESTIONS = {
    "dense": (dense, 4000),
    "refits": (refits, 20_000),
    "time": (times, 8000),
    "sparse": (sparse, 200_000),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("question", choices=[*QUESTIONS, "table"])
    parser.add_argument("logs", nargs="*", help="for table: files of printed lines")
    parser.add_argument("--rows", type=int)
    args = parser.parse_args()
    if args.question == "table":
        write_tables(args.logs)
        return
    ask, usual = QUESTIONS[args.question]
    rows = args.rows or usual
    print(
        json.dumps(
            {"benchmark": "matrix_free", "question": args.question, "rows": rows, **ask(rows)}
        )
    )


if __name__ == "__main__":
    main()
