"""Time and memory of the covariances of a network and a teacher of width 3000 and depth 3.

Prints one line of JSON: seconds, and the peak memory of the process in GB, weights included.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import numpy as np

from sk_deepfeat.theory import rainbow_covariances


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=3000)
    width = parser.parse_args().width
    rng = np.random.default_rng(0)
    networks = [
        [rng.normal(size=(width, width)) / np.sqrt(width) for _ in range(3)] for _ in range(2)
    ]
    root = rng.normal(size=(width, width))
    covariance = root @ root.T / width
    del root
    result = {"benchmark": "rainbow_speed", "width": width, "depth": 3}
    start = time.perf_counter()
    rainbow_covariances(networks[0], "relu", covariance)
    result["network alone, seconds"] = round(time.perf_counter() - start, 1)
    start = time.perf_counter()
    rainbow_covariances(networks[0], "relu", covariance, teacher_weights=networks[1])
    result["network and teacher, seconds"] = round(time.perf_counter() - start, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    result["peak memory, GB"] = round(peak / 1e9, 2)
    start = time.perf_counter()
    rainbow_covariances(networks[0], "relu", covariance, finite_width=True)
    result["network alone, finite width, seconds"] = round(time.perf_counter() - start, 1)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
