"""Whether the cause of a failed check is found: by kind of table, and silence on clean ones.

The table ``causes.csv``: for each kind and number of rows, in how many draws the right cause comes
first, and what else was named in how many. "none" is right where no test has the kind's cause:
states of one system and smooth curves, whose columns are strongly correlated, and clean sets, of
which every name is a false alarm. The search is asked of every draw, whether a check would fail or
not. Exact copies are grouped first, as ``fit`` does. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
import warnings
from collections import Counter

import numpy as np
from real_table_kinds import KINDS
from threadpoolctl import threadpool_limits

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations.dependent_rows import with_copies_together
from sk_deepfeat.theory import ridge_factorization
from sk_deepfeat.theory.one_sample.causes import find_causes

SIZES = (300, 2000)


def near_copies(rng, n):
    """Gaussian rows four times each, with differences of a hundredth, in random order."""
    X = np.repeat(rng.normal(size=(n // 4, 150)), 4, axis=0)
    y = X[:, :20].sum(axis=1) / 4 + 0.5 * np.repeat(rng.normal(size=n // 4), 4)
    order = rng.permutation(len(X))
    return X[order] + 0.01 * rng.normal(size=X.shape), y[order]


def grouped_rows(rng, n):
    """Rows in groups of six that share seven tenths of their variance, in random order."""
    group, groups = rng.permutation(np.arange(n) // 6), n // 6 + 1
    X = np.sqrt(0.7) * rng.normal(size=(groups, 150))[group]
    X += np.sqrt(0.3) * rng.normal(size=(n, 150))
    noise = rng.normal(size=groups)[group] + 0.5 * rng.normal(size=n)
    return X, X @ rng.normal(size=150) / 12 + noise


def autoregressive_rows(rng, n):
    """Rows of an AR(1) process of coefficient 0.95, in order, with such noise."""
    steps = np.sqrt(1 - 0.95**2) * rng.normal(size=(n, 101))
    steps[0] /= np.sqrt(1 - 0.95**2)
    for t in range(1, n):
        steps[t] += 0.95 * steps[t - 1]
    X = steps[:, :100]
    return X, X @ rng.normal(size=100) / 10 + 0.7 * steps[:, 100]


def student_residuals(rng, n):
    """Gaussian rows with noise of t(2.5) in the target."""
    X = rng.normal(size=(n, 50))
    return X, X @ rng.normal(size=50) / 7 + rng.standard_t(2.5, size=n)


def wrong_targets(rng, n):
    """Gaussian rows, of which three have a target that is off by thirty standard deviations."""
    X = rng.normal(size=(n, 50))
    y = X @ rng.normal(size=50) / 7 + 0.5 * rng.normal(size=n)
    y[rng.choice(n, 3, replace=False)] += 30.0 * rng.choice([-1.0, 1.0], size=3)
    return X, y


def clean_gaussian(rng, n):
    """Gaussian rows of 2 to 3n columns, isotropic or with a spectrum that falls by a power law."""
    p = int(np.exp(rng.uniform(np.log(2), np.log(3 * n))))
    X = rng.normal(size=(n, p)) * np.arange(1, p + 1) ** -rng.choice([0.0, 0.25, 0.5, 1.0])
    signal = X @ rng.normal(size=p)
    return X, signal + rng.uniform(0.1, 1.0) * signal.std() * rng.normal(size=n)


def clean_relu(rng, n):
    """Random ReLU features of 10 to 100 Gaussian columns."""
    d, p = int(rng.integers(10, 100)), int(np.exp(rng.uniform(np.log(20), np.log(2 * n))))
    Z = rng.normal(size=(n, d))
    X = np.maximum(Z @ rng.normal(size=(d, p)) / np.sqrt(d), 0.0)
    return X, Z @ rng.normal(size=d) / np.sqrt(d) + 0.3 * rng.normal(size=n)


RIGHT = {
    "rare columns .002": ("rare columns",),
    "rare columns .01": ("rare columns",),
    "rare columns .05": ("rare columns",),
    "fingerprints": ("rare columns",),
    "raw mixed": ("rare columns",),
    "standardised mixed": ("rare columns",),
    "contaminated": ("outsize rows",),
    "Student-t rows": ("heavy-tailed rows",),
    "column scales": ("column scales",),
    "duplicates": ("copies",),
    "near copies": ("near copies", "groups"),
    "groups": ("groups",),
    "AR(1) rows": ("order",),
    "t(2.5) residuals": ("heavy-tailed residuals",),
    "wrong targets": ("outsize residuals",),
}
MORE = {
    "near copies": near_copies,
    "groups": grouped_rows,
    "AR(1) rows": autoregressive_rows,
    "t(2.5) residuals": student_residuals,
    "wrong targets": wrong_targets,
}
CLEAN = {
    "Gaussian": KINDS["Gaussian"],
    "ReLU features": KINDS["ReLU features"],
    "Gaussian, power laws, 2 to 3n columns": clean_gaussian,
    "ReLU features of 10 to 100 columns": clean_relu,
}


def named(kind, rng, n):
    """Return the kinds of cause that are named for one draw, the first first."""
    X, y = kind(rng, n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        factorization, dependence = with_copies_together(
            ridge_factorization(X, y), X, y, None, takes_groups=True
        )
    return [cause.kind for cause in find_causes(factorization, dependence=dependence)]


def one_kind(name, kind, n, draws):
    """Return the row of the table for a kind and a number of rows."""
    right, others = 0, Counter()
    for seed in range(draws):
        rng = np.random.default_rng([n, seed, *name.encode()])
        found = named(kind, rng, n)
        wanted = RIGHT.get(name, ())
        right += found[0] in wanted if wanted and found else not (wanted or found)
        others.update(cause for cause in found if cause not in wanted)
    return {
        "rows": name,
        "n0": n,
        "right cause": " or ".join(RIGHT.get(name, ("none",))),
        "draws": draws,
        "found first": right,
        "also named": "; ".join(f"{cause} {count}" for cause, count in others.most_common()),
    }


def main():
    """Draw, search and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--draws", type=int, nargs=2, default=(100, 30), help="for each n0")
    parser.add_argument("--clean", type=int, default=100, help="draws of each clean kind and n0")
    parser.add_argument("--only", nargs="*", help="kinds")
    parser.add_argument("--output", default="docs/tables/causes.csv")
    arguments = parser.parse_args()
    kinds = {**KINDS, **MORE, **CLEAN}
    start, table = time.perf_counter(), []
    with threadpool_limits(1):
        for n, draws in zip(SIZES, arguments.draws, strict=True):
            for name, kind in kinds.items():
                if arguments.only and name not in arguments.only:
                    continue
                count = arguments.clean if name in CLEAN else draws
                table.append(one_kind(name, kind, n, count))
                print(table[-1], round(time.perf_counter() - start), flush=True)
    with open(arguments.output, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, table[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    clean = [row for row in table if row["rows"] in CLEAN]
    causes = [row for row in table if row["rows"] in RIGHT]
    print(
        json.dumps(
            {
                "benchmark": "causes",
                "found": sum(row["found first"] for row in causes),
                "of": sum(row["draws"] for row in causes),
                "least share": min(
                    (row["found first"] / row["draws"] for row in causes), default=None
                ),
                "false alarms": sum(row["draws"] - row["found first"] for row in clean),
                "of clean": sum(row["draws"] for row in clean),
                "seconds": round(time.perf_counter() - start),
            }
        )
    )


if __name__ == "__main__":
    main()
