"""Time of ``import sk_deepfeat`` against that of ``import sklearn.linear_model``.

Prints one line of JSON; ratio of medians of interleaved fresh processes after one unmeasured run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np

RUNS = 9
STATEMENTS = {"ours": "import sk_deepfeat", "sklearn": "import sklearn.linear_model"}


def seconds(statement):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def main():
    times = {name: [] for name in STATEMENTS}
    for run in range(RUNS + 1):
        for name, statement in STATEMENTS.items():
            elapsed = seconds(statement)
            if run:
                times[name].append(elapsed)
    ratio = float(np.median(times["ours"]) / np.median(times["sklearn"]))
    print(
        json.dumps(
            {
                "benchmark": "import_time",
                "ratio_to_sklearn_linear_model": round(ratio, 3),
                "load": os.getloadavg()[0],
            }
        )
    )


if __name__ == "__main__":
    main()
