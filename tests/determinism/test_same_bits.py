"""The same seed gives the same bits, wherever and however often it is asked."""

import json
import os
import subprocess
import sys

import joblib
import numpy as np
import pytest
from determined import KINDS, all_bits, bits, curves, one, random_features, ridge
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

HERE = os.path.dirname(__file__)
IN_ANOTHER_PROCESS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from determined import all_bits
print(json.dumps(all_bits()))
"""


@pytest.fixture(scope="module")
def here():
    """Digests of this process, by kind."""
    return all_bits()


def test_again_in_another_order_after_other_draws(here):
    shared = check_random_state(None)  # numpy's own generator
    shared.seed(999)
    before = shared.get_state(legacy=False)["state"]["pos"]
    again = {name: one(name) for name in reversed(KINDS)}
    assert again == here
    assert shared.get_state(legacy=False)["state"]["pos"] == before, "nobody draws from it"


def test_processes_with_other_hash_seeds(here):
    """Sets of strings come in another order in each: class labels, groups, names of steps."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", IN_ANOTHER_PROCESS, HERE],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "4242")
    ]
    for process in started:
        printed, _ = process.communicate(timeout=200)
        assert process.returncode == 0 and json.loads(printed) == here


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_and_threads(here, backend):
    with joblib.parallel_config(backend), Parallel(n_jobs=2) as parallel:
        there = parallel(delayed(one)(name) for name in KINDS)
    assert there == list(here.values())
    with joblib.parallel_config(backend):
        assert bits(curves(n_jobs=2)) == here["learning curves"]


@pytest.mark.statistical
def test_workers_of_dask(here):
    """As tests/rows/test_on_workers.py, of every kind."""
    distributed = pytest.importorskip("distributed", reason="workers are those of dask")
    cluster = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    )
    with cluster, distributed.Client(cluster):
        with joblib.parallel_config("dask"):
            assert bits(curves(n_jobs=2)) == here["learning curves"]
            there = Parallel(n_jobs=2)(delayed(one)(name) for name in KINDS)
    assert there == list(here.values())


def test_other_seeds_and_the_last_bit_are_seen(here):
    assert bits(random_features(seed=8)) != here["random features"]
    assert bits(curves(seed=12)) != here["learning curves"]
    numbers = ridge()
    assert bits(numbers) == here["ridge"]
    numbers[-1] = np.nextafter(numbers[-1], np.inf)
    assert bits(numbers) != here["ridge"]
