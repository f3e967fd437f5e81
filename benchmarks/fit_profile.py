"""Where the time of one default fit and its surface goes, step by step.

17,500 rows of 2352 relu features. Each step is the time inside the functions that `STEPS` names for
it, without that inside functions of other steps; what no step names is the rest, so that all of
them add up to the whole. The surface is that of `growth.py`. Of several runs, in turn with the bare
factorisation, that of the median is told. One line of JSON, and a table.
"""

from __future__ import annotations

import argparse
import csv
import functools
import gc
import importlib
import inspect
import json
import os
import sys
import threading
import time
import warnings
from typing import NamedTuple

import numpy as np
from growth import bare, rows
from workers import timed

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning


class Step(NamedTuple):
    """One line of the profile; `whole` where steps inside it are parts of it, not of themselves."""

    name: str
    needed_for: str
    functions: tuple[str, ...]
    whole: bool = True


ONE = "sk_deepfeat.theory.one_sample"
STEPS = (
    Step("validation", "rows that are numbers", ("sk_deepfeat.rows.validation:check_rows",)),
    Step("centring", "an intercept", (f"{ONE}.factorize:ridge_factorization",), whole=False),
    Step(
        "Gram matrix",
        "the factorisation",
        (
            f"{ONE}.factorization:gram_by_halves",
            f"{ONE}.factorization:gram_of",
            f"{ONE}.factorization:CentredRows.products",
        ),
    ),
    Step("eigendecomposition", "the factorisation", ("scipy.linalg:eigh",)),
    Step(
        "exact copies of rows",
        "copies taken for one draw",
        ("sk_deepfeat.rows.copies:exact_copies",),
    ),
    Step("dependence of rows", "the warning of groups", (f"{ONE}.causes:dependence_beyond",)),
    Step(
        "left singular vectors",
        "leverages",
        (f"{ONE}.factorization:RidgeFactorization.left_vectors",),
    ),
    Step(
        "leverages and residuals along alpha",
        "the theory",
        (f"{ONE}.leave_one_out:left_out_rows",),
        whole=False,
    ),
    Step(
        "moments by classes of leverage",
        "the theory and its jackknife",
        (f"{ONE}.leverage_classes:leverage_moments",),
        whole=False,
    ),
    Step(
        "curves along kappa",
        "the theory and its jackknife",
        (f"{ONE}.kappa_curve:leave_one_out_curves",),
        whole=False,
    ),
    Step("check: plan", "which subsets and alphas", (f"{ONE}.subset_plan:plan_subsets",)),
    Step("check: fits", "errors of subsets", (f"{ONE}.subset_fits:SubsetFits.fit",)),
    Step("check: errors", "errors of subsets", (f"{ONE}.subsets:_measure",)),
    Step(
        "check: comparison",
        "measured against predicted errors",
        (f"{ONE}.calibration:calibrate",),
        whole=False,
    ),
    Step("coefficients", "the fitted ridge", (f"{ONE}.factorization:RidgeFactorization.coefs",)),
)
SURFACE = Step("surface", "200 predicted errors", ())
REST = Step("the rest", "error at the fitted alpha, training error, Python", ())


class Clock:
    """Time by step: that of a function that `STEPS` names, less what others take inside it."""

    def __init__(self):
        self.seconds = dict.fromkeys([step.name for step in (*STEPS, SURFACE)], 0.0)
        self._inside = []  # [step, seconds in other steps] from the outermost on
        self._thread = threading.get_ident()

    def wrapped(self, function, step):
        """Return the function, which tells the clock; of a generator, each of its steps."""
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generator(*args, **kwargs):
                items, end = function(*args, **kwargs), object()
                while (item := self._run(step, next, items, end)) is not end:
                    yield item

            return generator

        @functools.wraps(function)
        def call(*args, **kwargs):
            return self._run(step, function, *args, **kwargs)

        return call

    def _run(self, step, function, *args, **kwargs):
        inside = self._inside
        # Other threads work for the step that waits for them.
        if (inside and inside[-1][0].whole) or threading.get_ident() != self._thread:
            return function(*args, **kwargs)
        inside.append([step, 0.0])
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            taken = time.perf_counter() - start
            _, others = inside.pop()
            self.seconds[step.name] += taken - others
            if inside:
                inside[-1][1] += taken


def watch(clock):
    """Put the clock around every function of `STEPS`, wherever the package refers to it."""
    for step in STEPS:
        for name in step.functions:
            module, _, path = name.partition(":")
            *outer, last = path.split(".")
            try:
                owner = functools.reduce(getattr, outer, importlib.import_module(module))
                function = inspect.getattr_static(owner, last)
            except (ImportError, AttributeError) as error:
                raise LookupError(f"STEPS names {name}, which is not there: mend STEPS.") from error
            if isinstance(function, functools.cached_property):
                timed_one = functools.cached_property(clock.wrapped(function.func, step))
                timed_one.__set_name__(owner, last)
            else:
                timed_one = clock.wrapped(function, step)
            setattr(owner, last, timed_one)
            for other in [m for key, m in sys.modules.items() if key.startswith("sk_deepfeat")]:
                for key, value in list(vars(other).items()):
                    if value is function:
                        setattr(other, key, timed_one)


def one_run(X, y, clock):
    """Return the seconds of a fit with its surface, and whether the check failed."""
    gc.collect()

    def work():
        ridge = DeterministicEquivalentRidge().fit(X, y)
        n = np.unique(np.geomspace(50, 10 * len(y), 20).round())[:, None]
        ask = clock.wrapped(ridge.predict_test_error, SURFACE)
        ask(n, np.geomspace(1e-2, 1e5, 10))
        return ridge.population_.calibration_.disagreement > 0

    return timed(work)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", default="17500x2352")
    parser.add_argument("--clusters", action="store_true", help="rows whose check fails")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few rows, to try it")
    parser.add_argument("--output", default="docs/tables/fit_profile.csv")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", PopulationWarning)
    n, p = (800, 100) if arguments.quick else map(int, arguments.size.split("x"))
    X, y = rows(n, p, clusters=arguments.clusters)
    load = os.getloadavg()
    clock, runs, units = Clock(), [], []
    _, fails = one_run(X, y, clock)  # what a first fit loads
    bare(X, y)
    watch(clock)
    for _ in range(arguments.repeats):
        units.append(timed(lambda: bare(X, y))[0])
        clock.seconds = dict.fromkeys(clock.seconds, 0.0)
        whole, _ = one_run(X, y, clock)
        runs.append((whole, clock.seconds))
    whole, seconds = sorted(runs, key=lambda run: run[0])[len(runs) // 2]
    unit = float(np.median(units))
    seconds[REST.name] = whole - sum(seconds.values())
    said = {"benchmark": "fit_profile", "n0": n, "p": p, "check fails": bool(fails)}
    said |= {"bare, s": round(unit, 4), "whole, s": round(whole, 4)}
    said["seconds"] = {name: round(value, 4) for name, value in seconds.items()}
    said |= {"load before": np.round(load, 2).tolist()}
    said |= {"load after": np.round(os.getloadavg(), 2).tolist()}
    print(json.dumps(said))
    with open(arguments.output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "needed for", "seconds", "/ bare", "share"])
        for step in (*STEPS, SURFACE, REST):
            taken = seconds[step.name]
            numbers = f"{taken:.3g}", f"{taken / unit:.2f}", f"{100 * taken / whole:.1f} %"
            writer.writerow([step.name, step.needed_for, *numbers])
        writer.writerow(["all", "", f"{whole:.3g}", f"{whole / unit:.2f}", "100 %"])


if __name__ == "__main__":
    main()
