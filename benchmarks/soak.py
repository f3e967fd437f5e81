"""Ten thousand small fits with their questions in one process: what is left of them.

Every fit is another table of 40 to 60 rows; kinds of estimators and populations take turns. Now and
then fits run in two threads, and at each tenth learning curves in two worker processes with refits
kept on the disk, and pages and pictures are written. Memory, threads, child processes and open
handles are read when a tenth is done and at the end, after the pool of workers was shut down:
resident memory, and what malloc has handed out, which leaves out what the allocator keeps for later
(glibc; NaN elsewhere). glibc gives each new thread one of several arenas, and what is free in one
does not serve the others, so that resident memory goes up and down by a few per cent with threads
that come and go. So this process has one arena; ``--arenas 0`` leaves glibc its own number.
One line of JSON; ``--fits`` makes a shorter run, ``--progress`` names a file that tells how far it
is. Linux.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import shutil
import tempfile
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib.externals.loky import get_reusable_executor
from sklearn.linear_model import Ridge

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    RandomDeepFeatures,
    TwoStageRegressor,
)
from sk_deepfeat.model_selection import RidgeLearningCurveDisplay, ridge_learning_curve
from sk_deepfeat.report import write_report

ASKED_EVERY = 5  # fits with leave-one-out, of which one answers the longer questions
FITS, THREADS_EVERY = 10_000, 100
SAMPLES = 40  # readings of the memory after the first tenth
C_LIBRARY = ctypes.CDLL(None)
M_ARENA_MAX = -8  # of glibc's malloc.h


class Left(NamedTuple):
    """What a process holds."""

    rss_mb: float
    held_mb: float
    threads: int
    children: int
    handles: int


def left() -> Left:
    get_reusable_executor().shutdown(wait=True)
    gc.collect()
    children = sum(
        len(Path(task, "children").read_text().split())
        for task in Path("/proc/self/task").iterdir()
    )
    threads = len(os.listdir("/proc/self/task"))
    return Left(resident(), held(), threads, children, len(os.listdir("/proc/self/fd")))


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class AllocatorInfo(ctypes.Structure):
    """What glibc's `mallinfo2` tells, in bytes."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def held() -> float:
    """Return what malloc has handed out, in MB."""
    if not hasattr(C_LIBRARY, "mallinfo2"):
        return float("nan")
    C_LIBRARY.mallinfo2.restype = AllocatorInfo
    told = C_LIBRARY.mallinfo2()
    return (told.uordblks + told.hblkhd) / 1e6


def rows(seed: int):
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(40, 61)), int(rng.integers(3, 9))
    X = rng.normal(size=(n, p)) * np.arange(1, p + 1) ** -0.5
    return X, X[:, 0] + rng.normal(size=n)


def ask(ridge, n: int) -> None:
    sizes = np.array([n // 2, n, 10 * n])
    ridge.predict_test_error(sizes, "optimal")
    ridge.predict_decomposition(sizes, 1.0)
    ridge.predict_train_error(sizes, 1.0)
    ridge.reachable(sizes, 1.0)
    ridge.required_samples(1.2 * ridge.predict_test_error(n, "optimal"))


def leave_one_out(seed):
    X, y = rows(seed)
    ridge = DeterministicEquivalentRidge("optimal").fit(X, y)
    ridge.predict_test_error([len(y) // 2, len(y)], [0.1, 1.0], return_interval=True)
    if seed % (ASKED_EVERY * len(KINDS)) == 0:
        ask(ridge, len(y))


def gcv(seed):
    X, y = rows(seed)
    DeterministicEquivalentRidge(population="gcv").fit(X, y).predict_test_error(len(y), 1.0)


def plug_in(seed):
    X, y = rows(seed)
    ridge = DeterministicEquivalentRidge(population="plug-in").fit(X, y)
    ridge.predict_test_error([len(y), 10 * len(y)], 1.0)


def several_outputs(seed):
    X, y = rows(seed)
    ridge = DeterministicEquivalentRidge().fit(X, np.c_[y, -2.0 * y + X[:, 1]])
    ridge.predict_test_error(len(y), 1.0, multioutput="raw_values")


def weighted(seed):
    X, y = rows(seed)
    weights = np.random.default_rng(seed).uniform(0.5, 2.0, size=len(y))
    ridge = DeterministicEquivalentRidge(population="gcv").fit(X, y, weights)
    ridge.predict_test_error(len(y), 1.0)


def groups(seed):
    X, y = rows(seed)
    ridge = DeterministicEquivalentRidge().fit(X, y, groups=np.arange(len(y)) // 3)
    ridge.predict_test_error(n_groups=[5, 20], return_interval=True)


def classes(seed):
    X, y = rows(seed)
    ridge = DeterministicEquivalentRidgeClassifier().fit(X, y > 0)
    ridge.predict_test_error(len(y), 1.0)


def in_parts(seed):
    X, y = rows(seed)
    ridge = DeterministicEquivalentRidge()
    for part in np.array_split(np.arange(len(y)), 3):
        ridge.partial_fit(X[part], y[part])
    ridge.predict_test_error(len(y), 1.0)


def two_stages(seed):
    X, y = rows(seed)
    feature_map = RandomDeepFeatures((10,), random_state=seed)
    ridge = DeterministicEquivalentRidge(population="gcv")
    TwoStageRegressor(feature_map, ridge, random_state=seed).fit(X, y)


def curve(seed, n_jobs=None, memory=None):
    X, y = rows(seed)
    asked = {"train_sizes": [10, 20], "alphas": [1.0], "n_repeats": 2, "random_state": seed}
    ridge_learning_curve(Ridge(), X, y, population="gcv", n_jobs=n_jobs, memory=memory, **asked)


KINDS = (
    leave_one_out,
    gcv,
    plug_in,
    several_outputs,
    weighted,
    groups,
    classes,
    in_parts,
    two_stages,
    curve,
)


def page(seed, folder):
    import matplotlib.pyplot as plt

    X, y = rows(seed)
    ridge = DeterministicEquivalentRidge().fit(X, y)
    write_report(ridge, Path(folder) / "page.html", y=y)
    display = RidgeLearningCurveDisplay.from_fitted(ridge)
    plt.close(display.figure_)


def one(count: int) -> None:
    KINDS[count % len(KINDS)](count)


def soak(fits: int = FITS, *, pages: bool = True, tell=lambda done: None) -> dict:
    """Return what was left after a tenth of the fits, and after all."""
    folder = tempfile.mkdtemp()
    tenth = max(fits // 10, 1)
    read_at = set(np.linspace(tenth, fits, SAMPLES, dtype=int).tolist())
    memory, start, done = [], None, 0
    began = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            everything(0, folder, pages)
            while done < fits:
                if done % THREADS_EVERY == 0:
                    with ThreadPoolExecutor(2) as pool:
                        list(pool.map(one, range(done, done + len(KINDS))))
                    done += len(KINDS)
                else:
                    one(done)
                    done += 1
                if done % tenth == 0:
                    everything(done, folder, pages)
                if start is None and done >= tenth:
                    start = left()
                if done in read_at:
                    gc.collect()
                    memory.append(resident())
                    tell(done)
    finally:
        shutil.rmtree(folder)
    end = left()
    half = len(memory) // 2
    return {
        "benchmark": "soak",
        "fits": done,
        "start": start._asdict(),
        "end": end._asdict(),
        "rss_mb_second_half_over_first": np.median(memory[half:]) / np.median(memory[:half]),
        "rss_mb_most": max(memory),
        "python_threads": threading.active_count(),
        "seconds": round(time.monotonic() - began),
    }


def everything(seed: int, folder: str, pages: bool) -> None:
    """Use worker processes, the disk, and the pictures."""
    curve(seed, n_jobs=2, memory=folder)
    curve(seed, memory=folder)
    if pages:
        page(seed, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=FITS)
    parser.add_argument("--arenas", type=int, default=1)
    parser.add_argument("--progress", type=Path)
    arguments = parser.parse_args()
    if arguments.arenas and hasattr(C_LIBRARY, "mallopt"):
        C_LIBRARY.mallopt(M_ARENA_MAX, arguments.arenas)

    def tell(done: int) -> None:
        if arguments.progress is not None:
            arguments.progress.write_text(f"{done} of {arguments.fits}, {resident():.1f} MB\n")

    found = soak(arguments.fits, tell=tell)
    print(json.dumps(found))
    start, end = found["start"], found["end"]
    for what in ("threads", "children", "handles"):
        assert end[what] <= start[what], f"{what} are left over: {start[what]}, then {end[what]}"
    assert not end["held_mb"] > 1.02 * start["held_mb"], "memory is not given back"
    assert end["rss_mb"] < 1.05 * start["rss_mb"], "memory grows"
    assert found["rss_mb_second_half_over_first"] < 1.02, "memory grows"


if __name__ == "__main__":
    main()
