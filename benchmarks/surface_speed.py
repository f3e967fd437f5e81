"""Time and memory of a fit with its error surface, beside what people use today.

17,500 rows, 2352 features (relu of Gaussian inputs), float64, one process. Contestants run once
unmeasured, then five times in turn; ratios of medians to the bare factorisation (centred Gram
matrix and one numpy.linalg.eigh). The surface has 1000 cells: 20 sizes up to ten times the rows, 50
alphas. Peak memory is that of a process of its own for each contestant, beyond the inputs;
himalaya, which takes minutes, runs in that process alone. One line of JSON.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.populations import LeaveOneOutPopulation

ALPHAS = [0.1, 1.0, 10.0, 100.0, 1000.0]


def rows(n, p):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(n, 300)) * np.arange(1, 301) ** -0.5
    X = inputs @ rng.normal(size=(300, p))
    np.maximum(X, 0.0, out=X)
    return X, np.sign(inputs[:, 0] * inputs[:, 1] + 0.3 * rng.normal(size=n))


def bare(X, y):
    centred = X - X.mean(axis=0)
    np.linalg.eigh(centred.T @ centred)


def surface(calibrate):
    def run(X, y):
        population = LeaveOneOutPopulation(calibrate=calibrate)
        ridge = DeterministicEquivalentRidge(population=population).fit(X, y)
        n = np.unique(np.geomspace(50, 10 * len(y), 20).round())[:, None]
        ridge.predict_test_error(n, np.geomspace(1e-2, 1e5, 50))

    return run


def himalaya_ridge_cv(X, y):
    from himalaya.ridge import RidgeCV as HimalayaRidgeCV

    HimalayaRidgeCV(alphas=ALPHAS, fit_intercept=True, cv=5).fit(X, y)


CONTESTANTS = {
    "bare factorisation": bare,
    "fit and surface, calibrate=False": surface(False),
    "fit and surface": surface("auto"),
    "RidgeCV, 5 alphas": lambda X, y: RidgeCV(alphas=ALPHAS).fit(X, y),
    "GridSearchCV, 5 alphas, cv=5": lambda X, y: GridSearchCV(Ridge(), {"alpha": ALPHAS}, cv=5).fit(
        X, y
    ),
    "himalaya RidgeCV, 5 alphas": himalaya_ridge_cv,
}


def alone(name, n, p):
    """Return the seconds of one run in a process of its own, and the MiB beyond the inputs."""
    command = [sys.executable, __file__, "--one", name, "--rows", str(n), "--features", str(p)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def one(name, n, p):
    X, y = rows(n, p)
    Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak starts anew
    before, start = resident("VmRSS"), time.perf_counter()
    CONTESTANTS[name](X, y)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": round(seconds, 2), "MiB": round(resident("VmHWM") - before)}))


def resident(field):
    """Return a field of the process's status in MiB."""
    (line,) = [x for x in Path("/proc/self/status").read_text().splitlines() if field in x]
    return int(line.split()[1]) / 1024.0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=17_500)
    parser.add_argument("--features", type=int, default=2352)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--one", default=None, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one, arguments.rows, arguments.features)
        return
    X, y = rows(arguments.rows, arguments.features)
    names = [name for name in CONTESTANTS if not name.startswith("himalaya")]
    for name in names:
        CONTESTANTS[name](X, y)
    seconds = {name: [] for name in names}
    for _ in range(arguments.repeats):
        for name in names:
            start = time.perf_counter()
            CONTESTANTS[name](X, y)
            seconds[name].append(time.perf_counter() - start)
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    result = {
        "benchmark": "surface_speed",
        "ratio_to_bare": {
            k: round(v / medians["bare factorisation"], 2) for k, v in medians.items()
        },
        "seconds": {name: np.round(values, 2).tolist() for name, values in seconds.items()},
        "alone": {
            name: alone(name, arguments.rows, arguments.features)
            for name in CONTESTANTS
            if name in names or importlib.util.find_spec("himalaya") is not None
        },
        "load": np.round(os.getloadavg(), 2).tolist(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
