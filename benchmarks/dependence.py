"""When the warning of dependent rows speaks: not for independent rows, but where it matters.

Three tables. ``dependence_silence.csv``: alarms over independent data sets of many kinds, 30 to
10,000 rows, by kind. ``dependence.csv``: draws of rows in groups and of AR(1) rows; how many have a
leave-one-out error of less than 0.8 times the error on new groups, how many of these are heard, and
what is told. The error on new groups is exact, for the population is known; each draw is asked at
the best alpha or at a tenth or ten times of it, in turn. Of AR(1)
rows, the share is the coefficient of features and noise. ``dependence_cost.csv``: time over that of
the factorisation.
"""

from __future__ import annotations

import argparse
import csv
import time
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from sk_deepfeat.datasets import load_mnist_parity
from sk_deepfeat.theory import leave_one_out_residuals, ridge_factorization
from sk_deepfeat.theory.one_sample.dependence import row_dependence

TOO_LOW = 0.8
MULTIPLES = (1.0, 0.1, 10.0)


class Setting(NamedTuple):
    """One kind of dependence; size 0 is a geometric one of mean 5."""

    name: str
    size: int
    large: str
    share: float
    effect: float
    features: str
    order: str
    rho: float


class Draw(NamedTuple):
    """A training set whose population is known."""

    X: np.ndarray
    y: np.ndarray
    coef: np.ndarray
    variance: np.ndarray
    noise: float

    def error(self, factorization, alphas):
        """Return the error on rows of new groups at alphas."""
        coefs = factorization.coefs(alphas)[..., 0]
        offset = factorization.target_mean[0] - coefs @ factorization.feature_mean
        return ((coefs - self.coef) ** 2 * self.variance).sum(axis=-1) + offset**2 + self.noise


def walk(shape, rho, rng):
    """Return stationary AR(1) columns of variance one."""
    steps = rng.normal(size=shape) * np.sqrt(1.0 - rho**2)
    steps[0] /= np.sqrt(1.0 - rho**2)
    for t in range(1, shape[0]):
        steps[t] += rho * steps[t - 1]
    return steps


def draw(setting, rng):
    """Draw a training set: features of variances 1/k, a linear target of variance one."""
    rows = {2: 500, 6: 600, 30: 1200, 1: 600, 0: 800}[setting.size]
    p = rows // 3 if setting.features == "p < n" else rows * 4 // 3
    variance = np.arange(1.0, p + 1) ** -1
    variance *= p / variance.sum()
    coef = rng.normal(size=p)
    coef /= np.sqrt((coef**2 * variance).sum())
    if setting.name == "AR(1)":
        X = walk((rows, p), setting.rho, rng) * np.sqrt(variance)
        noise = np.sqrt(0.5) * walk((rows,), setting.rho, rng)
        return Draw(X, X @ coef + noise, coef, variance, 0.5)
    if setting.size == 0:
        sizes = np.minimum(rng.geometric(0.2, size=rows // 5), 60)
    else:
        sizes = [setting.size] * (rows // setting.size)
    if setting.large == "one in ten":
        sizes = np.where(rng.random(len(sizes)) < 0.1, 5, 1) * setting.size
        sizes = sizes[: np.searchsorted(np.cumsum(sizes), rows) + 1]
    group = np.repeat(np.arange(len(sizes)), sizes)
    if setting.order == "random":
        group = rng.permutation(group)
    shared, own = rng.normal(size=(len(sizes), p)), rng.normal(size=(group.size, p))
    X = np.sqrt(setting.share) * shared[group] + np.sqrt(1.0 - setting.share) * own
    X *= np.sqrt(variance)
    y = X @ coef + np.sqrt(setting.effect) * rng.normal(size=len(sizes))[group]
    y += np.sqrt(0.5) * rng.normal(size=group.size)
    return Draw(X, y, coef, variance, 0.5 + setting.effect)


def settings():
    """Return every kind of dependence."""
    groups = product(
        (2, 6, 30),
        ("no", "one in ten"),
        (0.0, 0.5, 0.9),
        (0.0, 0.5),
        ("p < n", "p > n"),
        ("random", "sorted"),
    )
    series = product(("p < n", "p > n"), (0.5, 0.7, 0.8, 0.9, 0.95))
    uneven = product(
        (0,), ("no",), (0.5, 0.9), (0.0, 0.5), ("p < n", "p > n"), ("random", "sorted")
    )
    several = [Setting("groups", *each, 0.0) for each in (*groups, *uneven)]
    return several + [
        Setting("AR(1)", 1, "no", rho, 0.0, features, "sorted", rho) for features, rho in series
    ]


def ask(setting, seed):
    """Return leave-one-out over true error, and what is said, for one draw."""
    with threadpool_limits(1):
        rng = np.random.default_rng([settings().index(setting), seed])
        sample = draw(setting, rng)
        factorization = ridge_factorization(sample.X, sample.y)
        alphas = np.geomspace(1e-5, 1.0, 11) * factorization.eigenvalues[-1]
        best = alphas[np.argmin(sample.error(factorization, alphas))]
        alpha = best * MULTIPLES[seed % len(MULTIPLES)]
        truth = float(sample.error(factorization, alpha))
        row_wise = float(np.mean(leave_one_out_residuals(factorization, alpha) ** 2))
        found = row_dependence(factorization, alpha)
        return row_wise / truth, found


def relu(Z, width, depth, rng):
    """Return random ReLU features."""
    for _ in range(depth):
        W = rng.normal(size=(Z.shape[1], width)) * np.sqrt(2.0 / Z.shape[1])
        Z = np.maximum(Z @ W, 0.0)
    return Z


def one_hot(levels, rng, n, skew):
    """Return the levels of some factors, and their indicator columns."""
    chances = [np.full(k, 1.0 / k) if not skew else 0.5 ** np.arange(1, k + 1) for k in levels]
    factors = [rng.choice(c.size, size=n, p=c / c.sum()) for c in chances]
    return factors, np.hstack([np.eye(k)[f] for k, f in zip(levels, factors, strict=True)])


def linear(X, noise, rng):
    """Return a linear target with noise of half its size."""
    signal = X @ rng.normal(size=X.shape[1])
    return signal + 0.5 * signal.std() * noise


def bent(Z, rng):
    """Return a target that no linear model fits."""
    return np.sin(2.0 * Z[:, 0]) + Z[:, 0] * Z[:, -1] + 0.2 * rng.normal(size=len(Z))


def independent(kind, n, p, rng, images):
    """Draw independent rows of a kind: features, targets, weights."""
    gauss = rng.normal(size=(n, p))
    weights = None
    if kind in ("Gaussian", "weights", "several outputs", "sorted by target", "sorted by feature"):
        X = gauss * np.arange(1, p + 1) ** -rng.choice([0.0, 0.5, 1.0])
        y = linear(X, rng.normal(size=n), rng)
        if kind == "weights":
            weights = rng.gamma(1.0, size=n) + 1e-3
        if kind == "several outputs":
            y = np.column_stack([linear(X, rng.normal(size=n), rng) for _ in range(4)])
        if kind.startswith("sorted"):
            order = np.argsort(y if kind == "sorted by target" else X[:, 0])
            X, y = X[order], y[order]
    elif kind == "t(3) features and noise":
        X = rng.standard_t(3, size=(n, p))
        y = linear(X, rng.standard_t(3, size=n), rng)
    elif kind == "rows of t(3) size":
        X = gauss / np.sqrt(rng.chisquare(3, size=(n, 1)) / 3)
        y = linear(X, rng.standard_t(3, size=n), rng)
    elif kind == "sparse binary columns":
        X = (rng.random((n, p)) < 0.1).astype(float)
        y = linear(X, rng.normal(size=n), rng)
    elif kind == "many factors":
        factors, X = one_hot([5] * max(p // 5, 2), rng, n, False)
        y = linear(X, rng.normal(size=n), rng) + rng.normal(size=(5, 5))[factors[0], factors[1]]
    elif kind in ("few factors", "few uneven factors", "ReLU features of few factors"):
        factors, X = one_hot((5, 5, 5), rng, n, kind == "few uneven factors")
        y = linear(X, rng.normal(size=n), rng) + rng.normal(size=(5, 5))[factors[0], factors[1]]
        if kind.startswith("ReLU"):
            X = relu(X, p, 1, rng)
    elif kind == "low rank and noise":
        Z = rng.normal(size=(n, 5))
        X = Z @ rng.normal(size=(5, p)) + 0.3 * gauss
        y = np.tanh(Z[:, 0]) + 0.3 * rng.normal(size=n)
    elif kind == "heteroscedastic noise":
        X = gauss
        y = linear(X, rng.normal(size=n) * np.exp(X[:, 0]), rng)
    elif kind.startswith("deep ReLU features"):
        Z = rng.normal(size=(n, int(kind.split()[-2])))
        X, y = relu(Z, p, 2, rng), bent(Z, rng)
        if kind.endswith("sorted"):
            order = np.argsort(Z[:, 0])
            X, y = X[order], y[order]
    elif kind == "clusters":
        classes = rng.integers(10, size=n)
        X = rng.uniform(0.5, 3.0) * rng.normal(size=(10, p))[classes] + gauss
        y = rng.normal(size=10)[classes] + 0.3 * rng.normal(size=n)
    else:
        chosen = rng.choice(len(images[0]), n, replace=False)
        X, y = images[0][chosen].astype(float), images[1][chosen]
        if kind == "ReLU features of MNIST":
            X = relu(X, p, 1, rng)
        if kind == "MNIST sorted by class":
            order = np.argsort(images[2][chosen], kind="stable")
            X, y = X[order], y[order]
    return X, y, weights


KINDS = (
    "Gaussian",
    "weights",
    "several outputs",
    "t(3) features and noise",
    "rows of t(3) size",
    "sparse binary columns",
    "many factors",
    "few factors",
    "few uneven factors",
    "ReLU features of few factors",
    "low rank and noise",
    "heteroscedastic noise",
    "deep ReLU features of 3 numbers",
    "deep ReLU features of 10 numbers",
    "clusters",
    "MNIST",
    "ReLU features of MNIST",
    "sorted by feature",
    "sorted by target",
)
SORTED = ("deep ReLU features of 3 sorted", "MNIST sorted by class")


def silence(kind, seed, images):
    """Return what is said of one independent data set."""
    with threadpool_limits(1):
        rng = np.random.default_rng([(*KINDS, *SORTED).index(kind), seed])
        largest = 10_000 if seed % 10 == 0 else 2000
        n = int(np.exp(rng.uniform(np.log(30), np.log(largest))))
        p = int(np.exp(rng.uniform(np.log(2), np.log(1000))))
        X, y, weights = independent(kind, n, p, rng, images)
        factorization = ridge_factorization(X, y, weights)
        lam = factorization.eigenvalues[-1]
        return n, row_dependence(factorization, float(lam * 10 ** rng.uniform(-6, 1)))


def seconds(call):
    """Return the processor time of a call, which other work on the machine does not lengthen."""
    start = time.process_time()
    call()
    return time.process_time() - start


def cost(n, p, repeats=7):
    """Return the least time of the factorisation, and that of the search for dependence."""
    with threadpool_limits(1):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(n, p)) * np.arange(1, p + 1) ** -0.5
        y = linear(X, rng.normal(size=n), rng)
        factorization = ridge_factorization(X, y)
        alpha = float(factorization.eigenvalues[-1] * 1e-2)
        calls = (
            lambda: ridge_factorization(X, y).target_components,
            lambda: row_dependence(factorization, alpha),
        )
        times = [[seconds(call) for call in calls] for _ in range(repeats)]
        return np.min(times, axis=0)


def write(path, rows):
    """Write dictionaries as a table."""
    with Path(path).open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def main():
    """Run what is asked for and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--sets", type=int, default=28)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--out", default="docs/tables")
    parser.add_argument("--parts", nargs="+", default=["silence", "heard", "cost"])
    arguments = parser.parse_args()
    parallel = Parallel(n_jobs=arguments.n_jobs)
    if "silence" in arguments.parts:
        X, y = load_mnist_parity(return_X_y=True)
        digits = load_mnist_parity().digit
        some = np.random.default_rng(0).choice(len(X), 12_000, replace=False)
        images = (X[some], y[some], digits[some])
        tasks = [(kind, seed) for kind in KINDS + SORTED for seed in range(arguments.sets)]
        told = parallel(delayed(silence)(kind, seed, images) for kind, seed in tasks)
        rows = []
        for kind in KINDS + SORTED:
            mine = [
                (n, found)
                for (name, _), (n, found) in zip(tasks, told, strict=True)
                if name == kind
            ]
            alarms = [(n, found) for n, found in mine if found.dependent]
            for n, found in alarms:
                print(kind, n, found)
            rows.append(
                {
                    "rows": kind,
                    "data sets": len(mine),
                    "least n": min(n for n, _ in mine),
                    "largest n": max(n for n, _ in mine),
                    "alarms": len(alarms),
                    "by order": sum(found.by == "order" for _, found in alarms),
                }
            )
            print(rows[-1])
        write(f"{arguments.out}/dependence_silence.csv", rows)
        print("alarms", sum(row["alarms"] for row in rows[: len(KINDS)]))
    if "heard" in arguments.parts:
        every = settings()
        tasks = [(setting, seed) for setting in every for seed in range(arguments.draws)]
        told = parallel(delayed(ask)(*task) for task in tasks)
        rows, total = [], np.zeros(2, dtype=int)
        for i, setting in enumerate(every):
            mine = told[i * arguments.draws : (i + 1) * arguments.draws]
            low = [found for ratio, found in mine if ratio < TOO_LOW]
            heard = sum(found.dependent for found in low)
            total += len(low), heard
            described = setting._asdict()
            rows.append(
                {
                    **{name: described[name] for name in Setting._fields if name != "rho"},
                    "draws": len(mine),
                    "true over row-wise": round(float(np.median([1 / r for r, _ in mine])), 2),
                    "told": round(float(np.median([f.optimism for _, f in mine])), 2),
                    "too low": len(low),
                    "heard": heard,
                    "alarms at less": sum(f.dependent for _, f in mine) - heard,
                }
            )
        write(f"{arguments.out}/dependence.csv", rows)
        print("too low", total[0], "heard", total[1])
    if "cost" in arguments.parts:
        rows = []
        for n, p in ((1000, 200), (3000, 1000), (1000, 3000), (10_000, 1000)):
            whole, search = cost(n, p)
            rows.append(
                {
                    "n": n,
                    "p": p,
                    "factorisation (ms)": round(1e3 * float(whole), 1),
                    "dependence (ms)": round(1e3 * float(search), 1),
                    "ratio": round(float(search / whole), 2),
                }
            )
            print(rows[-1])
        write(f"{arguments.out}/dependence_cost.csv", rows)


if __name__ == "__main__":
    main()
