"""
More rows than memory: what then?
=================================

A table of 760 MiB on disk, as much of features, and a process that may not have more than 600 MiB
of its own. The rows are mapped from the file and read block by block; features of a block are made
when they are needed, and dropped when their products have been added up.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

# %%
# The file
# --------
# It is written a piece at a time.

N_ROWS, N_COLUMNS = 250_000, 400
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "X.npy"
rng = np.random.default_rng(0)
scales = np.arange(1, N_COLUMNS + 1) ** -0.5
X = np.lib.format.open_memmap(path, "w+", np.float64, (N_ROWS, N_COLUMNS))
y = np.empty(N_ROWS)
for start in range(0, N_ROWS, 10_000):
    piece = rng.normal(size=(10_000, N_COLUMNS)) * scales
    X[start : start + 10_000] = piece
    y[start : start + 10_000] = np.tanh(piece[:, :30].sum(axis=1)) + rng.normal(size=10_000)
np.save(Path(folder.name) / "y.npy", y)
del X
print(f"{path.stat().st_size / 2**20:.0f} MiB of rows")

# %%
# A process with a limit
# ----------------------
# ``RLIMIT_DATA`` holds what a process may have of its own; what it maps from a file does not count,
# since the operating system takes such pages back when it needs them. Here it is a process of its
# own, so that nothing else is limited.

CODE = """
import resource, sys
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.compose import fit_in_blocks

folder = sys.argv[1]
resource.setrlimit(resource.RLIMIT_DATA, (600 * 2**20, -1))
try:
    np.load(folder + "/X.npy")
except MemoryError as error:
    print(error)
pipeline = make_pipeline(
    StandardScaler(),
    RandomDeepFeatures(400, random_state=0),
    DeterministicEquivalentRidge("optimal", reservoir_size=2000),
)
fit_in_blocks(pipeline, folder + "/X.npy", folder + "/y.npy", sample_size=2000, random_state=0)
ridge = pipeline[-1]
print(ridge.n_samples_, "rows, alpha", round(ridge.alpha_), "predicted error", ridge.test_error_)
sizes = np.geomspace(1000, ridge.n_samples_, 30).astype(int)
np.savez(folder + "/curve.npz", sizes=sizes, errors=ridge.predict_test_error(sizes, "optimal"))
"""

# Every thread of linear algebra has some memory of its own.
few_threads = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
command = [sys.executable, "-c", CODE, folder.name]
ended = subprocess.run(command, env=few_threads, capture_output=True, text=True, check=True)
print(ended.stdout)

# %%
# What it has learned
# -------------------

with np.load(Path(folder.name) / "curve.npz") as curve:
    sizes, errors = curve["sizes"], curve["errors"]
folder.cleanup()
figure, axes = plt.subplots()
axes.plot(sizes, errors, label="predicted, from rows that were never held")
axes.axhline(1.0, color="gray", linestyle=":", label="noise")
axes.set(xscale="log", xlabel="training rows", ylabel="test error at the best alpha")
axes.legend()
plt.show()
