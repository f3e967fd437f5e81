"""Speed of RandomDeepFeatures: time of the bare float32 matrix products over time of transform.

Every contestant runs once unmeasured, then five times interleaved; ratios are of medians. Prints
one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import time

import numpy as np

from sk_deepfeat.feature_maps import RandomDeepFeatures
from sk_deepfeat.plugins.lookup import BUILT_IN


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-samples", type=int, default=20000)
    parser.add_argument("--n-features", type=int, default=784)
    parser.add_argument("--widths", type=int, nargs="+", default=[2352, 2352])
    arguments = parser.parse_args()

    rng = np.random.default_rng(0)
    X = rng.standard_normal((arguments.n_samples, arguments.n_features), dtype=np.float32)
    maps = {
        name: RandomDeepFeatures(arguments.widths, name, random_state=0).fit(X[:2])
        for name in BUILT_IN["activations"]
    }
    weights = [array.astype(np.float32).T for array in maps["identity"].weights_]

    def products() -> None:
        block = X
        for array in weights:
            block = block @ array

    contestants = {"matmul": products}
    for name, feature_map in maps.items():
        contestants[name] = lambda feature_map=feature_map: feature_map.transform(X)
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    load_before = os.getloadavg()
    for repeat in range(6):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            if repeat:
                seconds[name].append(time.perf_counter() - start)
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    result = {
        "question": "bare float32 matmul time over transform time",
        "shape": [arguments.n_samples, arguments.n_features, *arguments.widths],
        "matmul_seconds": round(medians["matmul"], 3),
        "ratio": {name: round(medians["matmul"] / medians[name], 3) for name in maps},
        "n_cpus": os.cpu_count(),
        "load_before": load_before,
        "load_after": os.getloadavg(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
