"""
Does the theory hold for my data?
=================================

The predictions take rows to be drawn independently. Real tables have near-duplicates: frames of one
video, visits of one patient, augmented copies. ``calibration_check`` finds out from the training
rows alone, and the default population corrects its errors by what the check has measured.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection import CalibrationCheckDisplay
from sk_deepfeat.populations import LeaveOneOutPopulation

SEED = 0
N_TRAIN = 800

# %%
# Two tables of handwritten digits
# --------------------------------
# The first has 800 different images. The second has noisy copies of 100 images,
# eight of each in the training rows on average, as an augmented set would.

X, digit = load_digits(return_X_y=True)
rng = np.random.default_rng(SEED)
X = (X - X.mean()) / X.std()
y = np.where(digit % 2 == 0, 1.0, -1.0)
order = rng.permutation(len(y))
copies = np.tile(order[:100], 24)
copied = X[copies] + 0.2 * rng.normal(size=(len(copies), X.shape[1]))
shuffled = rng.permutation(len(copies))
tables = {
    "different images": (X[order], y[order]),
    "noisy copies of 100 images": (copied[shuffled], y[copies][shuffled]),
}
feature_map = RandomDeepFeatures((400,), random_state=SEED)

# %%
# The check
# ---------
# Ridge is fitted to random subsets of the training rows and measured on the rows outside. Theory
# does not enter these errors; it enters those that they are compared with.
#
# Copies make ``fit`` warn, too: with new *images* in mind, they have to be named as groups. Here
# the question is another one, the error on further copies of the same hundred.

checks, ridges = {}, {}
for name, (rows, targets) in tables.items():
    features = feature_map.fit_transform(rows)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PopulationWarning)
        ridges[name] = DeterministicEquivalentRidge(alpha=1.0).fit(
            features[:N_TRAIN], targets[:N_TRAIN]
        )
        checks[name] = ridges[name].calibration_check()
    print(f"{name}: passed {checks[name].passed}")
    for warning in caught:
        print(f"  {warning.message}")

# %%
# The display shows the ratios of measured to predicted errors. In the grey band they differ by less
# than 5 %; bars reach as far as noise would.

fig, axes = plt.subplots(2, 1, figsize=(7.0, 9.0), sharex=True, layout="constrained")
for ax, (name, check) in zip(axes, checks.items(), strict=True):
    CalibrationCheckDisplay.from_result(check, ax=ax)
    ax.set(title=name, ylim=(0.6, 1.7))
axes[0].set_xlabel("")
plt.show()

# %%
# What the correction does
# ------------------------
# For the copies: the bare theory, the corrected prediction, and refits on fresh copies of the same
# images.

# sphinx_gallery_thumbnail_number = 2
rows, targets = tables["noisy copies of 100 images"]
features = feature_map.transform(rows)
bare = DeterministicEquivalentRidge(population=LeaveOneOutPopulation(calibrate=False))
with warnings.catch_warnings():
    warnings.simplefilter("ignore", PopulationWarning)  # as said above
    bare.fit(features[:N_TRAIN], targets[:N_TRAIN])
corrected = ridges["noisy copies of 100 images"]
sizes = np.unique(np.geomspace(20, N_TRAIN, 40).round())
measured_sizes = np.array([25, 50, 100, 200, 400, 800])
measured = []
for n in measured_sizes:
    repeats = []
    for _ in range(20):
        drawn = N_TRAIN + rng.permutation(len(targets) - N_TRAIN)
        train, test = drawn[:n], drawn[n:]
        refit = Ridge(alpha=1.0).fit(features[train], targets[train])
        repeats.append(np.mean((refit.predict(features[test]) - targets[test]) ** 2))
    measured.append(np.mean(repeats))

fig, ax = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
ax.plot(sizes, bare.predict_test_error(sizes, 1.0), "--", color="tab:orange", label="bare theory")
ax.plot(sizes, corrected.predict_test_error(sizes, 1.0), color="tab:blue", label="corrected")
ax.plot(measured_sizes, measured, "o", color="black", label="refits on fresh copies")
ax.set(
    xscale="log",
    yscale="log",
    xlabel="number of training samples",
    ylabel="test error (mean squared error)",
    title="noisy copies of 100 images, alpha = 1",
)
ax.set_xticks(measured_sizes, [f"{n}" for n in measured_sizes])
ax.set_xticks([], minor=True)
ax.set_yticks([0.05, 0.1, 0.2, 0.4], ["0.05", "0.1", "0.2", "0.4"])
ax.set_yticks([], minor=True)
ax.legend()
plt.show()
