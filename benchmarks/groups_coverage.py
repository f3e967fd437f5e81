"""How often the nominal 90 % interval holds the error on new groups, by the number of groups.

Training sets of 12, 30, 100 and 400 groups, of six rows or of one to twenty, of three known
populations (`grouped_population.py`): no group effect, one in the target, and one beside features
that share nine tenths of their variance. Sizes from a fifth of the groups to four times as many,
alphas from a tenth of the best one to ten times it. Truths have a standard error of 1 %.
"""

from __future__ import annotations

import argparse
import csv
import time
import warnings

import numpy as np
from grouped_population import GroupedPopulation

from sk_deepfeat.populations import LeaveOneOutPopulation

COUNTS = (12, 30, 100, 400)
SIZES = {"6": (6,), "1 to 20": (1, 2, 3, 4, 6, 8, 12, 20)}
KINDS = {"0, 0": (0.0, 0.0), "0.5, 0.5": (0.5, 0.5), "0.9, 1": (0.9, 1.0)}
SHARES = (0.2, 0.5, 1.0, 2.0, 4.0)
GRID = np.geomspace(1e-2, 1e5, 29)


def coverage(population, n_groups, draws, truths, rng):
    """Return for each draw what was inside, NaN where unknown, and the half-widths."""
    counts = np.maximum(np.round(np.array(SHARES) * n_groups), 2).astype(int)
    sets = [int(np.clip(truths * 30 / c, 40, truths)) for c in counts]
    found = [population.errors(c, GRID, s, rng) for c, s in zip(counts, sets, strict=True)]
    truth = np.array([mean for mean, _ in found])
    best = int(np.argmin(truth[2]))
    picked = np.clip(best + np.array([-4, -2, 0, 2, 4]), 0, GRID.size - 1)
    truth, alphas = truth[:, picked], GRID[picked]
    inside, widths, ratios = [], [], []
    for _ in range(draws):
        X, y, groups = population.draw(n_groups, rng)
        fitted = LeaveOneOutPopulation().fit(X, y, groups=groups)
        n = (counts * len(y) / n_groups)[:, None]
        asked = fitted.answer(n, alphas, fit_intercept=True, variance=True)
        lower, upper = (end[..., 0] for end in asked.interval(0.9))
        unknown = np.isnan(lower)
        held = (lower <= truth) & (truth <= upper)
        inside.append(np.where(unknown, np.nan, held))
        widths.append(np.where(unknown, np.nan, 0.5 * np.log(upper / lower)))
        ratios.append(np.log(asked.error[..., 0] / truth))
    return np.array(inside), np.array(widths), np.array(ratios)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--truths", type=int, default=400, help="training sets of a truth, at most")
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--n-features", type=int, default=100)
    parser.add_argument("--output", default="docs/tables/groups_coverage.csv")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    columns = ("all", "up to n0", "beyond", "reachable", "median half-width", "log ratio sd")
    with open(arguments.output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["groups", "rows each", "shared, effect", *columns])
        for n_groups in arguments.counts:
            everything = []
            for sizes, choices in SIZES.items():
                for kind, (shared, effect) in KINDS.items():
                    start = time.perf_counter()
                    population = GroupedPopulation(arguments.n_features, shared, effect, choices)
                    rng = np.random.default_rng([n_groups, len(choices)])
                    held, widths, ratios = coverage(
                        population, n_groups, arguments.draws, arguments.truths, rng
                    )
                    everything.append(held)
                    row = [n_groups, sizes, kind, *cells(held, widths, ratios)]
                    writer.writerow(row)
                    file.flush()
                    by_cell = np.round(100 * np.nanmean(held, axis=0)).tolist()
                    print(*row, f"{time.perf_counter() - start:.0f} s", by_cell, flush=True)
            held = np.concatenate(everything)
            row = [n_groups, "all", "all", *cells(held, held, held)[:4], "", ""]
            writer.writerow(row)
            print(*row, flush=True)


def cells(held, widths, ratios):
    parts = held, held[:, :3], held[:, 3:]
    shares = [f"{100 * np.nanmean(part):.1f} %" for part in parts]
    known = f"{100 * np.mean(~np.isnan(held)):.0f} %"
    return [*shares, known, f"{np.nanmedian(widths):.3f}", f"{np.nanstd(ratios):.3f}"]


if __name__ == "__main__":
    main()
