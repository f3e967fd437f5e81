"""Time of 10,000 fixed points against that of one eigendecomposition of the same size.

Prints one line of JSON; ratios of medians of interleaved runs after one unmeasured run each.
"""

from __future__ import annotations

import json
import os
import time

import numpy as np

from sk_deepfeat.theory import ridge_risk, solve_kappa

P, SIDE, RUNS = 2352, 100, 5


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(P, P))
    matrix = rows @ rows.T
    n = np.geomspace(1, 1e6, SIDE)[:, None]
    alpha = np.geomspace(1e-6, 1e6, SIDE)
    spectra = {
        "power-law": np.arange(1, P + 1) ** -1.2,
        "flat": np.ones(P),
        "spiked": np.r_[1e6, 1e5, np.full(P - 2, 1e-3)],
    }
    contestants = {"eigh": lambda: np.linalg.eigh(matrix)}
    for name, values in spectra.items():
        contestants[f"kappa, {name}"] = lambda values=values: solve_kappa(values, n, alpha)
    decay = spectra["power-law"]
    contestants["risk, power-law"] = lambda: ridge_risk(decay, decay, decay.sum() + 1, n, alpha)
    times = {name: [] for name in contestants}
    for run in range(RUNS + 1):
        for name, function in contestants.items():
            elapsed = seconds(function)
            if run:
                times[name].append(elapsed)
    medians = {name: float(np.median(values)) for name, values in times.items()}
    print(
        json.dumps(
            {
                "benchmark": "solve_kappa_speed",
                "cells": SIDE * SIDE,
                "n_features": P,
                "ratio_to_eigh": {
                    name: round(value / medians["eigh"], 3)
                    for name, value in medians.items()
                    if name != "eigh"
                },
                "load": os.getloadavg()[0],
            }
        )
    )


if __name__ == "__main__":
    main()
