"""
Rows on several machines: what then?
====================================

Rows that are too many for one machine, or one core, are added up where they are: every worker of a
dask cluster opens its files by their paths, makes the features of a block, adds the block to sums
of a size that only the number of features tells, and drops it. The sums are merged, one of them
comes back, and the ridge is fitted, with everything that it predicts about itself.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from dask.distributed import Client, LocalCluster
from matplotlib import pyplot as plt
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.compose import fit_in_blocks

N_FILES, N_IN_FILE, N_FEATURES = 8, 5000, 300

# %%
# Eight files of rows
# -------------------
# They may be anything that opens by a path: ``.npy`` and ``.zarr`` arrays, Parquet tables.

folder = tempfile.TemporaryDirectory()
rng = np.random.default_rng(0)
rule = rng.normal(size=20)


def draw(n_rows):
    X = rng.normal(size=(n_rows, 20))
    return X, np.maximum(X @ rule / np.sqrt(20), 0.0) + 0.5 * rng.normal(size=n_rows)


rows, targets = [], []
for number in range(N_FILES):
    for name, values, paths in zip("Xy", draw(N_IN_FILE), (rows, targets), strict=True):
        paths.append(Path(folder.name) / f"{name}_{number}.npy")
        np.save(paths[-1], values)

# %%
# Two workers
# -----------
# Here the scheduler is in this process, and the workers are two others on this machine. On a
# cluster ``dask scheduler`` runs on one machine and ``dask worker scheduler:8786`` on each of the
# others, which see the files by the same paths; ``Client("scheduler:8786")`` connects to them.

pipeline = make_pipeline(
    StandardScaler(),
    RandomDeepFeatures(N_FEATURES, random_state=0),
    DeterministicEquivalentRidge("optimal", reservoir_size=4000),
)

with (
    LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster,
    Client(cluster) as client,
):
    command = [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address]
    command += ["--nthreads", "1", "--no-nanny", "--no-dashboard"]
    workers = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    client.wait_for_workers(2)
    fit_in_blocks(pipeline, rows, targets, random_state=0)
    client.retire_workers()
for worker in workers:
    worker.wait()
ridge = pipeline[-1]
print(f"{ridge.n_samples_} rows, predicted error {ridge.test_error_:.4f}")

# %%
# What it predicts
# ----------------
# The curve below is that of any number of rows up to all of them. Leave-one-out residuals are known
# of the 4000 rows that were kept, a uniform sample of all; everything else is from all rows. Refits
# on disjoint rows of these files, asked about new ones, tell the error at four sizes.

sizes = np.geomspace(300, ridge.n_samples_, 40).astype(int)
predicted, low, high = ridge.predict_test_error(sizes, "optimal", return_interval=True)
features = pipeline[:-1].transform(np.concatenate([np.load(path) for path in rows]))
y = np.concatenate([np.load(path) for path in targets])
folder.cleanup()
X_test, y_test = draw(60_000)
test_features = pipeline[:-1].transform(X_test)
measured_sizes = np.array([1000, 4000, 10_000, 40_000])
measured = []
for size in measured_sizes:
    errors = []
    for start in range(0, min(8 * size, len(y)), size):
        part = slice(start, start + size)
        refitted = Ridge(ridge.optimal_alpha(size)).fit(features[part], y[part])
        errors.append(np.mean((refitted.predict(test_features) - y_test) ** 2))
    measured.append(np.mean(errors))

figure, axes = plt.subplots()
axes.fill_between(sizes, low, high, alpha=0.3)
axes.plot(sizes, predicted, label="predicted, from the sums of two workers")
axes.plot(measured_sizes, measured, "o", label="measured, mean of up to eight refits")
axes.axhline(0.25, color="gray", linestyle=":", label="noise")
axes.set(xscale="log", xlabel="training rows", ylabel="test error at the best alpha")
axes.legend()
plt.show()
