"""How long 240 predicted errors with their intervals take, once the ridge has been fitted.

Twelve sizes, half of them beyond the training size, times twenty alphas; Gaussian rows, more and
fewer than features, one output and ten. Each case is asked once before its time is taken. With
``--before FOLDER``, another checkout of the project answers the same in processes of its own, turn
by turn, and the ratio of the medians is printed. One line of JSON for each case.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

CASES = {"n0 > p": (1000, 200, 1), "n0 < p": (300, 600, 1), "ten outputs": (600, 200, 10)}
REPEATS = 5


def seconds(case):
    """Return the time of one question, the best of a few."""
    from sk_deepfeat import DeterministicEquivalentRidge

    n0, p, outputs = CASES[case]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n0, p)) * np.arange(1, p + 1) ** -0.5
    y = X @ rng.normal(size=(p, outputs)) + rng.normal(size=(n0, outputs))
    ridge = DeterministicEquivalentRidge().fit(X, y[:, 0] if outputs == 1 else y)
    n = np.round(n0 * np.geomspace(0.05, 5.0, 12))[:, None]
    alpha = np.geomspace(1e-2, 1e3, 20)
    times = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        ridge.predict_test_error(n, alpha, return_interval=True)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def elsewhere(case, folder):
    """Return what `seconds` gives in a process of its own that imports from `folder`."""
    path = os.pathsep.join([str(Path(folder).resolve()), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, __file__, "--case", case],
        env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(run.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", default=None, help="another checkout to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", default=None, choices=CASES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        print(seconds(arguments.case))
        return
    here = Path(__file__).parents[1]
    for case in CASES:
        folders = {"seconds": here, "before": arguments.before}
        times = {name: [] for name, folder in folders.items() if folder}
        for _ in range(arguments.rounds):
            for name, found in times.items():
                found.append(elsewhere(case, folders[name]))
        medians = {name: statistics.median(found) for name, found in times.items()}
        line = {"benchmark": "question_speed", "case": case}
        line["milliseconds"] = round(1e3 * medians["seconds"], 1)
        if "before" in medians:
            line["over_before"] = round(medians["seconds"] / medians["before"], 2)
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
