"""Time and memory of a fit with many outputs, and of what is asked of it.

25 outputs of 2000 rows of 500 features, 500 of 2000 × 1500, 5000 of 400 × 300; relu features. A
default fit, and one with the best alpha of each output, beside RidgeCV with five alphas, one chosen
for each target; then `required_samples` for
an error 3 % below the least at so many rows, and `optimal_alpha`, each of a copy of the fit that
nothing was asked of; with ``--before FOLDER`` the same of another checkout. All run once
unmeasured, then five times in turn; medians. Memory is the peak beyond the rows, in a process of
its own, of a question with its fit. Where more memory or time is needed than allowed, that is said.
One line of JSON for each case.
"""

from __future__ import annotations

import argparse
import csv
import gc
import json
import os
import pickle
import warnings
from contextlib import ExitStack
from functools import partial

import numpy as np
from growth import ALPHAS, median, rows
from sklearn.linear_model import RidgeCV
from workers import HERE, CallFailed, Worker, in_turns, peak_memory, timed

from sk_deepfeat import DeterministicEquivalentRidge

CASES = ((2000, 500, 25), (2000, 1500, 500), (400, 300, 5000))
QUICK = ((200, 40, 3), (60, 80, 10))
SHARED = 10
TARGET = 0.97
FITS = ("fit", "RidgeCV", "per_target")
OURS = ("fit", "required_samples", "optimal_alpha")
_STATE = {}


def outputs(X, t):
    """Return targets of variance about one: each mixes ten directions, and has noise of its own."""
    rng = np.random.default_rng(1)
    signal = (X - X.mean(axis=0)) @ rng.normal(size=(X.shape[1], SHARED))
    signal /= signal.std(axis=0)
    mixed = signal @ rng.normal(size=(SHARED, t)) / np.sqrt(SHARED)
    return mixed + rng.uniform(0.2, 1.0, size=t) * rng.normal(size=(len(X), t))


def prepare(n, p, t):
    warnings.simplefilter("ignore")
    _STATE.clear()
    X, _ = rows(n, p)
    _STATE.update(X=X, y=outputs(X, t))


def fit():
    return DeterministicEquivalentRidge().fit(_STATE["X"], _STATE["y"])


def fit_per_target():
    ridge = DeterministicEquivalentRidge("optimal", alpha_per_target=True)
    return ridge.fit(_STATE["X"], _STATE["y"])


def search():
    return RidgeCV(alphas=ALPHAS, alpha_per_target=True).fit(_STATE["X"], _STATE["y"])


def target(ridge):
    return TARGET * ridge.predict_test_error(alpha="optimal")


def more_samples():
    ridge = fit()
    ridge.required_samples(target(ridge))


CALLS = {
    "fit": fit,
    "RidgeCV": search,
    "per_target": fit_per_target,
    "required_samples": more_samples,
    "optimal_alpha": lambda: fit().optimal_alpha(),
}


def run(name):
    """Return the seconds of a contestant, and the answer to a question.

    A question is put to a copy of the first fit: what a fit has been asked, it may have kept.
    """
    gc.collect()
    if name in FITS:
        return {"seconds": timed(CALLS[name])[0]}
    if "fitted" not in _STATE:
        _STATE["fitted"] = pickle.dumps(fit())
        _STATE["target"] = target(pickle.loads(_STATE["fitted"]))
    ridge = pickle.loads(_STATE["fitted"])
    question = ridge.optimal_alpha
    if name == "required_samples":
        question = partial(ridge.required_samples, _STATE["target"])
    seconds, answer = timed(question)
    return {"seconds": seconds, "answer": answer}


def peak(name, n, p, t):
    """Return the MiB of a contestant beyond its rows; of a question, with the fit."""
    prepare(60, 5, 2)
    CALLS[name]()  # what a first call loads
    prepare(n, p, t)
    return peak_memory(CALLS[name])


def one_case(case, arguments):
    """Return results by contestant, why some have none, and peak MiB."""
    limits = {"most_gib": arguments.most_gib, "most_seconds": arguments.most_seconds}
    folders = {"now": HERE, "before": arguments.before}
    with ExitStack() as stack:
        contestants = {}
        for when, folder in folders.items():
            if folder is None:
                continue
            worker = stack.enter_context(Worker("many_outputs", folder, **limits))
            worker("prepare", *case)
            names = CALLS if when == "now" else OURS
            contestants |= {(name, when): partial(worker, "run", name) for name in names}
        found, failed = in_turns(contestants, arguments.rounds)
    memory = {}
    for name, when in (*((name, "now") for name in CALLS), ("fit", "before")):
        if folders[when] is None:
            continue
        with Worker("many_outputs", folders[when], **limits) as worker:
            try:
                memory[name, when] = worker("peak", name, *case)
            except CallFailed as failure:
                memory[name, when] = str(failure)
    return found, failed, memory


def table_line(case, found, failed, memory):
    """Return the line of the table for one case."""
    seconds = {key: median(results) for key, results in found.items()}

    def ratio(key, unit):
        if key in seconds and unit in seconds:
            return f"{seconds[key] / seconds[unit]:.3g}"
        return failed.get(key, "")

    fit_now, fit_before, search_now = ("fit", "now"), ("fit", "before"), ("RidgeCV", "now")
    line = dict(zip(("n0", "p", "outputs"), case, strict=True))
    line["fit, s"] = f"{seconds[fit_now]:.3g}" if fit_now in seconds else failed[fit_now]
    line["fit / RidgeCV"] = ratio(fit_now, search_now)
    line["fit / RidgeCV, before"] = ratio(fit_before, search_now)
    line["alpha_per_target / RidgeCV"] = ratio(("per_target", "now"), search_now)
    for name in OURS[1:]:
        line[f"{name} / fit"] = ratio((name, "now"), fit_now)
        line[f"{name} / fit, before"] = ratio((name, "before"), fit_before)
    columns = {"fit": fit_now, "fit before": fit_before, "RidgeCV": search_now}
    columns["alpha_per_target"] = ("per_target", "now")
    columns["required_samples"] = ("required_samples", "now")
    return line | {f"{label}, MiB": memory.get(key, "") for label, key in columns.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--before", default=None, help="another checkout to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most-gib", type=float, default=8.0, help="memory of each process")
    parser.add_argument("--most-seconds", type=float, default=600.0, help="time of each call")
    parser.add_argument("--cases", nargs="+", help="such as 400x300x5000; default: all")
    parser.add_argument("--quick", action="store_true", help="two small cases, to try it")
    parser.add_argument("--output", default="docs/tables/many_outputs.csv")
    arguments = parser.parse_args()
    cases, lines = QUICK if arguments.quick else CASES, []
    if arguments.cases:
        cases = [tuple(map(int, case.split("x"))) for case in arguments.cases]
    for case in cases:
        load = os.getloadavg()
        found, failed, memory = one_case(case, arguments)
        lines.append(table_line(case, found, failed, memory))
        said = {"benchmark": "many_outputs", **lines[-1]}
        said["seconds"] = {
            f"{name} {when}": np.round([result["seconds"] for result in results], 4).tolist()
            for (name, when), results in found.items()
        }
        said["answers"] = {
            f"{name} {when}": results[0]["answer"]
            for (name, when), results in found.items()
            if "answer" in results[0]
        }
        said |= {"load before": np.round(load, 2).tolist()}
        said |= {"load after": np.round(os.getloadavg(), 2).tolist()}
        print(json.dumps(said), flush=True)
        with open(arguments.output, "w", newline="") as file:
            writer = csv.DictWriter(file, lines[0])
            writer.writeheader()
            writer.writerows(lines)


if __name__ == "__main__":
    main()
