"""A million rows of a thousand features from a file: memory, time and predictions.

The script makes the file, 4 GB of float32 features of a random network on made-up inputs, and then
runs each part in a process of its own: a bare loop that sums the Gram matrix in double precision
block by block, a fit of the same file by path, the same on dask workers of one thread each, and one
of all rows in memory. Seconds are those of the fit, or of the loop, without imports; peak memory is
that of the process, not of its workers. One line of JSON for each part; ratios are of one run.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

N, P, INPUTS, STEP = 1_000_000, 1000, 100, 4000
ALPHA = 1000.0
CELLS = np.array([3000, 30_000, 300_000, 1_000_000, 10_000_000])[:, None], [10.0, ALPHA, 1e5]
TABLES = Path(__file__).parents[1] / "docs" / "tables"


def make(folder: Path, n: int) -> None:
    """Write X.npy and y.npy, block by block."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(INPUTS, P)) / np.sqrt(INPUTS)
    teacher = rng.normal(size=(INPUTS, 30)) / np.sqrt(INPUTS)
    scale = (
        np.sqrt(INPUTS / np.sum(np.arange(1, INPUTS + 1) ** -1.0))
        * np.arange(1, INPUTS + 1) ** -0.5
    )
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float32, (n, P))
    y = np.empty(n)
    for start in tqdm(range(0, n, STEP), desc="file", disable=not sys.stderr.isatty()):
        part = slice(start, min(start + STEP, n))
        inputs = rng.normal(size=(part.stop - start, INPUTS)) * scale
        X[part] = np.maximum(inputs @ weights, 0.0)
        y[part] = np.tanh(inputs @ teacher).sum(axis=1) + rng.normal(size=part.stop - start)
    X.flush()
    np.save(folder / "y.npy", y)


def bare(folder: Path) -> dict[str, object]:
    """Sum FᵀF in double precision, and nothing else."""
    X = np.load(folder / "X.npy", mmap_mode="r")
    gram = np.zeros((P, P))
    for start in range(0, len(X), STEP):
        block = X[start : start + STEP].astype(np.float64)
        gram += block.T @ block
    return {"trace": float(np.trace(gram))}


def fitted(folder: Path, **options: object) -> dict[str, object]:
    """Fit, and tell errors with the ends of their intervals."""
    from sk_deepfeat import DeterministicEquivalentRidge

    whole = options.pop("whole", False)
    X = np.load(folder / "X.npy") if whole else folder / "X.npy"
    y = np.load(folder / "y.npy")
    start = time.perf_counter()
    ridge = DeterministicEquivalentRidge(ALPHA, **options).fit(X, y)
    fit = time.perf_counter() - start
    interval = options.get("population") != "gcv"  # which knows none
    ends = ridge.predict_test_error(*CELLS, return_interval=interval)
    return {"fit": fit, "errors": np.array(ends).tolist() if interval else []}


def on_workers(folder: Path, n_workers: int) -> dict[str, object]:
    """Fit the file by path on workers of one thread each; the cluster is started before."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        Client(cluster),
    ):
        return fitted(folder)


PARTS = {
    "bare": bare,
    "blocks": fitted,
    "blocks, no leave-one-out": lambda folder: fitted(folder, population="gcv"),
    "one worker": lambda folder: on_workers(folder, 1),
    "two workers": lambda folder: on_workers(folder, 2),
    "whole": lambda folder: fitted(folder, whole=True, reservoir_size=None),
}


def child(part: str, folder: Path) -> None:
    start = time.perf_counter()
    found = PARTS[part](folder)
    # Importing libraries and starting a cluster are left out.
    found["seconds"] = found.get("fit", time.perf_counter() - start)
    found["peak"] = peak()
    print(json.dumps(found))


def peak() -> float:
    """Return the most memory this process has had, in GiB; getrusage tells its parent's, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20


def run(part: str, folder: Path) -> dict[str, object]:
    command = [sys.executable, __file__, "--child", part, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", choices=PARTS)
    parser.add_argument("--folder", type=Path, help="where the file is, or is made")
    parser.add_argument("--rows", type=int, default=N)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--table", action="store_true", help="write docs/tables/past_memory.csv")
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child, arguments.folder)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        os.makedirs(folder, exist_ok=True)
        if not (folder / "X.npy").exists():
            make(folder, arguments.rows)
        found: dict[str, list[dict[str, object]]] = {part: [] for part in arguments.parts}
        for repeat in range(arguments.repeats):
            for part in arguments.parts:
                if part != "whole" or repeat == 0:
                    found[part].append(run(part, folder))
    lines = [summary(part, found) for part in arguments.parts]
    for line in lines:
        print(json.dumps({"benchmark": "past_memory", **line}), flush=True)
    if arguments.table:
        with open(TABLES / "past_memory.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, lines[0])
            writer.writeheader()
            writer.writerows(lines)


def summary(part: str, found: dict[str, list[dict[str, object]]]) -> dict[str, object]:
    """Return one line: seconds, ratio to the bare loop, memory, and how far errors are apart."""
    seconds, least = (
        min(float(run["seconds"]) for run in found[name])  # type: ignore[arg-type]
        for name in (part, "bare")
    )
    line: dict[str, object] = {
        "part": part,
        "seconds": round(seconds, 1),
        "ratio to the bare loop": round(seconds / least, 2),
        "peak GiB": round(max(float(run["peak"]) for run in found[part]), 2),  # type: ignore[arg-type]
        "one worker / this": "",
        "of the interval's half, at most": "",
        "per cent from whole, at most": "",
    }
    if "worker" in part and "one worker" in found:
        one = min(float(run["seconds"]) for run in found["one worker"])  # type: ignore[arg-type]
        line["one worker / this"] = round(one / seconds, 2)
    if part != "whole" and "whole" in found and found[part][0].get("errors"):
        mine, theirs = (np.array(found[name][0]["errors"]) for name in (part, "whole"))
        apart = np.abs(mine[0] - theirs[0])
        with np.errstate(invalid="ignore"):
            half = 0.5 * (mine[2] - mine[1])
            line["of the interval's half, at most"] = round(float(np.nanmax(apart / half)), 2)
        line["per cent from whole, at most"] = round(float(np.nanmax(apart / theirs[0])) * 100, 2)
    return line


if __name__ == "__main__":
    main()
