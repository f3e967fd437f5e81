"""
Does the theory hold for my data?
=================================

The predictions take rows to be drawn independently. Real tables have near-duplicates: frames of one
video, visits of one patient, augmented copies. ``calibration_check`` finds out from the training
rows alone, and the default population corrects its errors by what the check has measured.
"""

import warnings

import numpy as np
from sklearn.datasets import load_digits

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.exceptions import PopulationWarning

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

checks, ridges = {}, {}
for name, (rows, targets) in tables.items():
    features = feature_map.fit_transform(rows)
    ridges[name] = DeterministicEquivalentRidge(alpha=1.0).fit(
        features[:N_TRAIN], targets[:N_TRAIN]
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PopulationWarning)
        checks[name] = ridges[name].calibration_check()
    print(f"{name}: passed {checks[name].passed}, {len(caught)} warning(s)")

# %%
# The display puts measured (points) beside predicted errors (lines).

fig, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for ax, (name, check) in zip(axes, checks.items(), strict=True):
    CalibrationCheckDisplay.from_check(check).plot(ax=ax)
    ax.set_title(name)
plt.show()
