"""What the statistical constants decide: each is halved and doubled, and the predictions repeated.

Every constant of ``sk_deepfeat.theory.one_sample.tuning`` by itself: a factor in its logarithm, a
share in its odds, a number plainly, a list of points with every second or twice as many. Four sets
of rows whose truth is known or can be drawn: Gaussian rows with more rows than features and with
fewer, rows in clusters, and rows of Student-t(3) size; six training sets each, sizes from a
twentieth to five times the training set, seven alphas. What a constant that prices subsets decides
does not show on small sets, where any number of subsets is cheap: these are also asked on 2000 rows
in clusters with 600 features; some others on sets with as many rows as features. What no prediction
depends on is left out.

Per variant, in per cent: median and 90 % of the absolute relative error up to the training size and
beyond it (reachable cells); the same of extrapolated cells beyond reach; how far the error at the
alpha that a search would choose beyond n0 is above its truth, in the mean; the worst error of
squared bias and noise on Gaussian rows; how often the check fails for rows in clusters, and for the
other rows; coverage of the 90 % interval; share of the cells beyond n0 that are reachable. Last,
the time of the fits over that of the constants as they are.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from sk_deepfeat.populations import LeaveOneOutPopulation
from sk_deepfeat.theory import ridge_factorization, ridge_risk
from sk_deepfeat.theory.one_sample import tuning

SHARES = (0.05, 0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 5.0)
ALPHAS = np.geomspace(1e-3, 1e3, 7)
REFITS, POOL = 60, 20_000
# Constants that choose numbers of subsets by their price.
PRICES = (
    "CHECK_COST",
    "CORRECTION_COST",
    "FEWEST_SIZES",
    "SUBSET_ROW_COST",
    "SUBSET_FIXED_COST",
    "FEWEST_SUBSETS",
    "MOST_SUBSETS",
    "LARGE_SUBSET_SHARES",
    "OVERLAPPING_SCATTER_WEIGHT",
)
FACTORS = (
    "SCATTER_REACH",
    "WIDEST_ALPHA_STEPS",
    "MISFIT_NEIGHBOURS",
    "POWER_LAW_NEIGHBOURS",
    "TAIL_RANGE",
)
PROPORTIONS = (
    "JACKKNIFE_KNOWN_SHARE",
    "LARGEST_SUBSET_SHARE",
    "LARGE_SUBSET_SHARES",
    "SUBSET_SHARES_NEAR_ALL",
    "MISSES_SHARES",
    "FAULT_SHARE",
    "REACH_WEIGHT",
    "POWER_LAW_CUTS",
    "TAIL_MOST_DF_RATIO",
)
# No prediction here depends on these: a bar of a picture, the verdict of the check, the length of
# blocks, the warning of dependent rows, the search for causes and what counts for few rows, which
# have benchmarks of their own (``dependence.py``, ``causes.py`` and ``small_samples.py``).
LEFT_OUT = (
    "CHECK_BAR",
    "POOLED_DEGREES",
    "ALPHA_OF_USE",
    "CAUSE_FEWEST_ROWS",
    "FAR_OUTLIERS",
    "HEAVIEST_INDEX",
    "LARGEST_ROWS",
    "OUTSIZE_GAP",
    "OUTSIZE_SHARE",
    "OUTSIZE_SPACINGS",
    "RARE_EXPLAINS",
    "RARE_LEVERAGE",
    "RARE_SHARE",
    "RESIDUAL_TAIL_ERRORS",
    "SCALES_APART",
    "SCALE_RANKS",
    "TAIL_EXCESS",
    "TAIL_SHARE",
    "SMALL_SAMPLE_SCATTER",
    "LONG_STRETCHES",
    "AUTOCORRELATION_NOISE",
    "SILENT_LAGS",
    "BLOCK_PER_CORRELATED_LAG",
    "FEWEST_BLOCKS",
    "DEPENDENCE_FEWEST_ROWS",
    "FEWEST_GROUPS",
    "FEWEST_STRETCHES",
    "SCREENED_ROWS",
    "EXAMINED_ROWS",
    "SHARPENING_ROWS",
    "SHARPENINGS",
    "SHARPEST_BREAK",
    "SATURATION",
    "BROKEN_ROWS",
    "LARGE_GROUP",
    "SHARPEST_ROW_BREAK",
    "ROW_BREAK_ERROR",
    "MOST_ORDER_GROWTH",
    "SIGN_ERRORS",
    "OPTIMISM_OF_CONCERN",
    "NEAR_DUPLICATE",
    "EQUAL_ROWS_SHARE",
    "EVEN_COPIES",
)
METRICS = (
    "up to n0",
    "up to n0 (90 %)",
    "beyond",
    "beyond (90 %)",
    "beyond reach",
    "beyond reach (90 %)",
    "optimum",
    "bias and noise (worst)",
    "alarms",
    "false alarms",
    "coverage",
    "reachable",
    "time",
)


class Rows(NamedTuple):
    """A law of rows and a linear target."""

    name: str
    n0: int
    p: int

    def draw(self, n, seed):
        """Return n rows and their targets."""
        rng = np.random.default_rng(seed)
        scale = np.arange(1, self.p + 1) ** -0.5
        X = rng.normal(size=(n, self.p)) * scale
        if self.name.startswith("clusters"):
            centres = np.random.default_rng(99).normal(size=(self.n0 // 6, self.p)) * scale
            X = centres[rng.integers(len(centres), size=n)] + 0.15 * X
        elif self.name == "t(3) rows":
            X *= np.sqrt(3.0 / rng.chisquare(3, size=(n, 1)))
        return X, X @ self.coefs() + 0.5 * rng.normal(size=n)

    def coefs(self):
        """Return the coefficients of the target."""
        return np.random.default_rng(7).normal(size=self.p)

    def sizes(self):
        """Return numbers of training samples."""
        return np.round(self.n0 * np.array(SHARES)).astype(int)

    def truth(self):
        """Return mean errors, and squared bias and noise if known, of shape (sizes, alphas)."""
        if self.name.startswith("gaussian"):
            omega, coefs = 1.0 / np.arange(1, self.p + 1), self.coefs()
            rho = float(np.sum(omega * coefs**2) + 0.25)
            cells = self.sizes()[:, None], ALPHAS
            risk = ridge_risk(omega, omega * coefs, rho, *cells, fit_intercept=True)
            return risk.test_error, risk.bias + risk.noise
        X, y = self.draw(POOL, 12345)
        error = np.array([self._refitted(X, y, size) for size in self.sizes()])
        return error, np.full(error.shape, np.nan)

    def _refitted(self, X, y, size):
        rng, total = np.random.default_rng(size), np.zeros(ALPHAS.size)
        for _ in range(REFITS):
            order = rng.permutation(POOL)
            rows, others = order[:size], order[size:]
            fitted = ridge_factorization(X[rows], y[rows])
            coefs = fitted.coefs(ALPHAS)[:, :, 0].T
            predicted = (X[others] - fitted.feature_mean) @ coefs + fitted.target_mean[0]
            total += np.square(predicted - y[others, None]).mean(axis=0)
        return total / REFITS


SETS = (
    Rows("gaussian, n0 > p", 200, 150),
    Rows("gaussian, n0 < p", 150, 300),
    Rows("clusters", 300, 80),
    Rows("t(3) rows", 300, 80),
)
LARGE = Rows("clusters, large", 2000, 600)
# Constants of what is hard to know, which show where rows are as many as features, or of any size.
EDGES = ("JACKKNIFE_KNOWN_SHARE", "MOMENT_NOISE", "NEAR_RANK", "DISAGREEMENT_OF_CONCERN")
EDGE = (Rows("gaussian, n0 = p", 150, 150), Rows("t(3) rows", 80, 80), Rows("clusters", 800, 80))


def variants(name, value):
    """Return a constant halved and doubled, in the scale that is its own."""
    if name.startswith("SUBSET_DF_RATIOS"):
        middles = [0.5 * (a + b) for a, b in pairwise(value)]
        return value[1::2], tuple(sorted([*value, *middles]))
    if isinstance(value, tuple):
        pairs = [variants(name, part) for part in value]
        return tuple(low for low, _ in pairs), tuple(high for _, high in pairs)
    if name in FACTORS:
        found = value**0.5, value**2.0
    elif name in PROPORTIONS:
        odds = value / (1.0 - value)
        found = 0.5 * odds / (1.0 + 0.5 * odds), 2.0 * odds / (1.0 + 2.0 * odds)
    else:
        found = 0.5 * value, 2.0 * value
        if name == "FEWEST_SUBSETS":  # one has no scatter
            found = max(found[0], 2), found[1]
    return tuple(type(value)(round(part) if isinstance(value, int) else part) for part in found)


def measured(rows, truth, draws):
    """Return what the predictions from some training sets are worth, one array for each metric."""
    error, moment = truth
    n = rows.sizes()[:, None]
    beyond = np.flatnonzero(np.array(SHARES) > 1.0)
    names = ("error", "moment", "held", "reach", "chosen", "alarm", "false alarm", "seconds")
    found = {name: [] for name in names}
    clustered = rows.name.startswith("clusters")
    for seed in range(draws):
        X, y = rows.draw(rows.n0, seed)
        start = time.process_time()
        population = LeaveOneOutPopulation(extrapolate=True).fit(X, y)
        found["seconds"].append(time.process_time() - start)
        answer = population.answer(n, ALPHAS, fit_intercept=True, variance=True)
        lower, upper = (end[..., 0] for end in answer.interval(0.9))
        ratio = np.log(answer.error[..., 0] / error)
        cautious = np.where(answer.reachable, answer.cautious_error[..., 0], np.inf)[beyond]
        found["error"].append(np.abs(ratio))
        found["moment"].append(np.abs(np.log(answer.bias_and_noise[..., 0] / moment)))
        found["held"].append((lower <= error) & (error <= upper))
        found["reach"].append(answer.reachable)
        alarm = population.calibration_.disagreement > 0
        found["alarm"].append(float(alarm) if clustered else np.nan)
        found["false alarm"].append(np.nan if clustered else float(alarm))
        found["chosen"].append(ratio[beyond, np.argmin(cautious, axis=1)])
    return {name: np.array(values) for name, values in found.items()}


def of_known(reduce, values):
    """Return a number of the values that are known, NaN if there are none."""
    known = values[np.isfinite(values)]
    return float(reduce(known)) if known.size else np.nan


def one_variant(name, value, sets, truths, draws):
    """Return the metrics of one variant, pooled over sets."""
    changed = {} if name is None else {name: value}
    before = {key: getattr(tuning, key) for key in changed}
    for key, part in changed.items():
        setattr(tuning, key, part)
    try:
        with threadpool_limits(limits=1):
            parts = [measured(*pair, draws) for pair in zip(sets, truths, strict=True)]
    finally:
        for key, part in before.items():
            setattr(tuning, key, part)
    found = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    error, reach = found["error"], found["reach"]
    small = (np.array(SHARES) <= 1.0)[:, None] & np.ones(ALPHAS.size, dtype=bool)
    moment = found["moment"][reach]
    outside = error[~reach & np.isfinite(error)]
    return [
        *np.percentile(error[:, small], [50, 90]),
        *np.percentile(error[reach & ~small], [50, 90]),
        *(np.percentile(outside, [50, 90]) if outside.size else (np.nan, np.nan)),
        float(np.nanmean(found["chosen"])),
        of_known(np.max, moment),
        of_known(np.mean, found["alarm"]),
        of_known(np.mean, found["false alarm"]),
        float(found["held"][reach].mean()),
        float(reach[:, ~small].mean()),
        float(found["seconds"].sum()),
    ]


def chosen_from(cases, names):
    """Return the cases of some constants, and that of the constants as they are."""
    return [case for case in cases if case[0] in (None, *names)]


def text(value):
    """Return a constant as it is written in the table."""
    if isinstance(value, tuple):
        return " ".join(map(text, value))
    return f"{value:.3g}"


def row(name, value, found, plain):
    shown = [f"{100 * part:.1f}" for part in found[:-1]]
    return [name, text(value) if name else "", *shown, f"{found[-1] / plain[-1]:.2f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--output", default="docs/tables/sensitivity.csv")
    arguments = parser.parse_args()
    names = [name for name in vars(tuning) if name.isupper() and name not in LEFT_OUT]
    cases = [(None, None), *((n, v) for n in names for v in variants(n, getattr(tuning, n)))]
    run = Parallel(n_jobs=arguments.n_jobs, return_as="generator")
    results, plain = [], {}
    for title, sets, draws, chosen in (
        ("four sets", SETS, arguments.draws, cases),
        ("at the edges", EDGE, 2 * arguments.draws, chosen_from(cases, EDGES)),
        ("large", (LARGE,), 4, chosen_from(cases, PRICES)),
    ):
        truths = [rows.truth() for rows in sets]
        tasks = (delayed(one_variant)(*case, sets, truths, draws) for case in chosen)
        for (name, value), found in zip(chosen, run(tasks), strict=True):
            plain.setdefault(title, found)
            results.append([title, *row(name or "", value, found, plain[title])])
            print(json.dumps({"benchmark": "sensitivity", "row": results[-1]}), flush=True)
            with open(arguments.output, "w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["sets", "constant", "value", *METRICS])
                writer.writerows(results)


if __name__ == "__main__":
    main()
