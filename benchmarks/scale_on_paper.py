"""What a billion rows would take, on paper: from constants measured here on one core.

Measured are the seconds of a row in `GramAccumulator.add` (features of float32, from memory), of a
merge, and of the eigendecomposition, and the bytes of a pickled accumulator, all at smaller numbers
of features; rows and merges grow as p², the decomposition as p³. Workers have one core each, and
add up all their rows before they merge in a tree. Reading is given in bytes: how fast files come is
not measured. The scheduler's memory is that of a process which schedules some thousand parts of a
few rows, above what it has for a hundred, for as many parts as a file is cut into at most. The
table has the numbers of the largest p measured, and what follows.
"""

from __future__ import annotations

import argparse
import csv
import json
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import scipy.linalg
from threadpoolctl import threadpool_limits

from sk_deepfeat.theory import GramAccumulator

ROWS, FEATURES, WORKERS, RESERVOIR, PARTS = 1_000_000_000, 8192, 100, 10_000, 10_000
FEW, MANY = 100, 2000
MEASURED, BLOCK = (1024, 2048, 4096), 8192
TABLE = Path(__file__).parents[1] / "docs" / "tables" / "scale_on_paper.csv"


def seconds(call, repeats=2):
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return min(taken)


def measure(p):
    """Return constants at p features, on one core."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal(size=(BLOCK, p), dtype=np.float32)
    y = rng.normal(size=BLOCK)
    parts = [GramAccumulator(reservoir_size=0, random_state=k) for k in range(2)]
    parts[1].add(X[:100], y[:100])
    row = seconds(lambda: parts[0].add(X, y)) / BLOCK
    merge = seconds(lambda: parts[0].merge(parts[1]))
    gram = np.asfortranarray(parts[0].moments(fit_intercept=True)[0])
    eigh = seconds(lambda: scipy.linalg.eigh(gram, check_finite=False, driver="evd"), repeats=1)
    sent = len(pickle.dumps(parts[0]))
    return {"features": p, "row": row, "merge": merge, "eigh": eigh, "bytes": sent}


def part(number):
    """Return a few rows."""
    rng = np.random.default_rng(number)
    return rng.normal(size=(20, 3)), rng.normal(size=20)


def schedule(parts):
    """Fit on so many parts of a few rows, and print the peak of the scheduler's process."""
    from dask import delayed
    from distributed import Client, LocalCluster

    from sk_deepfeat import DeterministicEquivalentRidge

    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster),
    ):
        DeterministicEquivalentRidge().fit([delayed(part)(number) for number in range(parts)])
    lines = Path("/proc/self/status").read_text().splitlines()
    print(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024)


def bytes_of_parts():
    """Return what a part costs in the memory of scheduler and client together."""
    peaks = [
        int(
            subprocess.run(
                [sys.executable, __file__, "--schedule", str(parts)],
                check=True,
                capture_output=True,
                text=True,
            ).stdout.split()[-1]
        )
        for parts in (FEW, MANY)
    ]
    return (peaks[1] - peaks[0]) / (MANY - FEW)


def on_paper(found, of_part):
    """Return what follows from the constants at the largest p measured."""
    ratio = FEATURES / found["features"]
    share = ROWS / WORKERS
    add = share * found["row"] * ratio**2
    levels = int(np.ceil(np.log2(WORKERS)))
    merging = levels * found["merge"] * ratio**2
    sums = found["bytes"] * ratio**2
    kept = RESERVOIR * (FEATURES + 2) * 4
    matrix = 8 * FEATURES**2
    return {
        "rows": ROWS,
        "features": FEATURES,
        "workers": WORKERS,
        "hours of adding": round(add / 3600, 1),
        "seconds of merging": round(merging),
        "minutes of the decomposition, one core": round(found["eigh"] * ratio**3 / 60, 1),
        "GB read by a worker": round(share * FEATURES * 4 / 1e9),
        "GB over the network": round((WORKERS - 1) * sums / 1e9 + kept / 1e9, 1),
        "GB to the client": round((sums + kept) / 1e9, 2),
        "GiB of a worker": round((2 * matrix + 2 * sums + 32e6 * 4) / 2**30, 1),
        "GiB of the client": round((4 * matrix + 2 * kept) / 2**30, 1),
        "MB of the scheduler": round(PARTS * of_part / 1e6),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, nargs="*", default=MEASURED)
    parser.add_argument("--schedule", type=int, help="parts, for a process of its own")
    parser.add_argument("--table", action="store_true", help="write docs/tables/scale_on_paper.csv")
    arguments = parser.parse_args()
    if arguments.schedule:
        schedule(arguments.schedule)
        return
    with threadpool_limits(1):
        found = [measure(p) for p in arguments.features]
    for line in found:
        print(json.dumps({"benchmark": "scale_on_paper", **line}), flush=True)
    paper = on_paper(found[-1], bytes_of_parts())
    print(json.dumps({"benchmark": "scale_on_paper", **paper}))
    if arguments.table:
        lines = [
            {
                "what": "seconds of a row x 1e6, p = " + str(f["features"]),
                "value": round(f["row"] * 1e6, 1),
            }
            for f in found
        ]
        lines += [
            {
                "what": "seconds of a decomposition, p = " + str(f["features"]),
                "value": round(f["eigh"], 2),
            }
            for f in found
        ]
        lines += [{"what": what, "value": value} for what, value in paper.items()]
        with open(TABLE, "w", newline="") as file:
            writer = csv.DictWriter(file, ["what", "value"])
            writer.writeheader()
            writer.writerows(lines)


if __name__ == "__main__":
    main()
