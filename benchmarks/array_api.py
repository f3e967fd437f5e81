"""What a fit on torch's tensors takes, beside the same fit on NumPy's arrays.

A default fit on relu features in float64: of NumPy, of torch in main memory under
``array_api_dispatch``, and on a CUDA device if there is one. With ``--namespace`` tensors in main
memory are also factorised by torch itself, which fits do not do: products of a matrix with itself
take it twice as many operations. All run once unmeasured, then five times in turn; medians. One
line of JSON with the ratios to NumPy's time, and the largest relative difference of test errors.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
import warnings
from unittest import mock

os.environ["SCIPY_ARRAY_API"] = "1"  # SciPy reads it when it is first imported

import numpy as np
from sklearn import config_context

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.linear_model import _device_rows

REPEATS = 5
INPUTS = 300
SIZES, ALPHAS = np.array([100, 1000, 10_000])[:, None], np.array([1.0, 100.0])


def rows(n, p):
    """Return relu features of Gaussian inputs, and a noisy target."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(n, INPUTS))
    weights = rng.normal(size=(INPUTS, p)) / INPUTS**0.5
    y = np.sign(inputs @ rng.normal(size=INPUTS)) + rng.normal(size=n)
    return np.maximum(inputs @ weights, 0.0), y


def contestants(X, y, *, namespace):
    """Return what is fitted on, by name, and whether torch factorises it itself."""
    import torch

    found = {"numpy": (X, y, False), "torch_cpu": (torch.tensor(X), torch.tensor(y), False)}
    if namespace:
        found["torch_cpu_by_torch"] = (*found["torch_cpu"][:2], True)
    with warnings.catch_warnings():  # of a driver that is too old
        warnings.simplefilter("ignore")
        has_cuda = torch.cuda.is_available()
    if has_cuda:
        found["torch_cuda"] = (torch.tensor(X).cuda(), torch.tensor(y).cuda(), False)
    return found


def fitted(X, y, by_torch):
    """Return a fitted ridge."""
    if by_torch:
        with mock.patch.object(_device_rows, "in_main_memory", lambda values: False):
            return DeterministicEquivalentRidge().fit(X, y)
    return DeterministicEquivalentRidge().fit(X, y)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--features", type=int, default=1000)
    parser.add_argument("--namespace", action="store_true", help="torch factorises itself, too")
    given = parser.parse_args()
    warnings.simplefilter("ignore", PopulationWarning)
    named = contestants(*rows(given.rows, given.features), namespace=given.namespace)
    seconds, errors = {name: [] for name in named}, {}
    with config_context(array_api_dispatch=True):
        for turn in range(REPEATS + 1):
            for name, rows_and_kind in named.items():
                start = time.perf_counter()
                ridge = fitted(*rows_and_kind)
                if turn:
                    seconds[name].append(time.perf_counter() - start)
                errors[name] = ridge.predict_test_error(SIZES, ALPHAS)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    exact = errors["numpy"]
    print(
        json.dumps(
            {
                "rows": given.rows,
                "features": given.features,
                "numpy_seconds": round(medians["numpy"], 2),
                "ratios": {name: round(t / medians["numpy"], 2) for name, t in medians.items()},
                "largest_differences": {
                    name: float(f"{np.abs(found / exact - 1.0).max():.1e}")
                    for name, found in errors.items()
                },
                "load": os.getloadavg()[0],
            }
        )
    )


if __name__ == "__main__":
    main()
