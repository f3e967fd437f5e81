"""
Which error on new groups? Rows that belong together
====================================================

Several photographs of one object, visits of one patient, copies of an image made by augmentation:
such rows are no independent draws. Whatever is measured or predicted row by row is then the error
on more rows of the *same* groups, and too low for new ones. Here cross-validation by rows and the
prediction by rows agree with each other, and both are wrong. The prediction by groups is right, and
says how many more groups are worth collecting.
"""

# %%
# Handwritten digits, each in six shifted and noisy copies, through random features; the target is
# whether the digit is odd. A training set of 150 digits has 900 rows.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, KFold, cross_val_score
from sklearn.utils import shuffle

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection import ridge_learning_curve

rng = np.random.default_rng(0)
digits = load_digits()
images, labels = shuffle(digits.images / 16.0, digits.target, random_state=0)
copies, n_train = 6, 150


def distorted(image):
    shifted = np.roll(image, rng.integers(-1, 2, size=2), axis=(0, 1))
    return np.clip(shifted + 0.1 * rng.normal(size=image.shape), 0, 1).ravel()


X = np.array([distorted(image) for image in images for _ in range(copies)]) - images.mean()
y = np.repeat(np.where(labels % 2, 1.0, -1.0), copies)
groups = np.repeat(np.arange(len(images)), copies)
feature_map = RandomDeepFeatures((400,), random_state=0).fit(X)
features = feature_map.transform(X)
chosen = rng.permutation(len(images))
train = np.isin(groups, chosen[:n_train])

# %%
# One fit without groups, one with. Each predicts the error at 150 digits, from the same rows. The
# first finds that something is wrong, and says so.

alpha = 10.0
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", PopulationWarning)
    by_rows = DeterministicEquivalentRidge(alpha).fit(features[train], y[train])
print(caught[0].message)
by_groups = DeterministicEquivalentRidge(alpha).fit(features[train], y[train], groups=groups[train])

# %%
# Cross-validation has the same choice, at about the training size alone.


def cross_validated(**how):
    scoring = "neg_mean_squared_error"
    return -cross_val_score(Ridge(alpha), features[train], y[train], scoring=scoring, **how).mean()


folds_of_rows = cross_validated(cv=KFold(10, shuffle=True, random_state=0))
folds_of_groups = cross_validated(cv=GroupKFold(10), groups=groups[train])
print(f"predicted by rows   {by_rows.test_error_:.3f}, cross-validated {folds_of_rows:.3f}")
print(f"predicted by groups {by_groups.test_error_:.3f}, cross-validated {folds_of_groups:.3f}")

# %%
# The truth: ridge refitted on random sets of digits, and measured on all other digits, those
# included that the predictions have not seen. The predictions go on to eight times as many digits
# as they rest on.

sizes = np.array([30, 75, 150, 300, 600, 1200])
measured = ridge_learning_curve(
    Ridge(),
    features,
    y,
    train_sizes=sizes,
    alphas=[alpha],
    groups=groups,
    n_repeats=8,
    random_state=0,
)
truth = measured.measured_mean[:, 0]
error, low, high = by_groups.predict_test_error(n_groups=sizes, return_interval=True)
row_wise = by_rows.predict_test_error(copies * sizes)

fig, ax = plt.subplots(figsize=(7, 4.4), layout="constrained")
ax.plot(sizes, truth, "ko", label="measured on new digits")
ax.plot(sizes, error, color="C0", label="predicted by groups")
ax.fill_between(sizes, low, high, color="C0", alpha=0.2, lw=0, label="90 % interval")
ax.plot(sizes, row_wise, color="C3", label="predicted by rows")
ax.plot(n_train, folds_of_rows, "C3s", mfc="none", label="cross-validated by rows")
ax.plot(n_train, folds_of_groups, "C0s", mfc="none", label="cross-validated by groups")
ax.axvline(n_train, color="black", ls=":", lw=1)
ax.set(xscale="log", xlabel="digits, each in six rows", ylabel="test error")
ax.set_title("error on new digits, predicted from 150 of them")
ax.legend(fontsize="small")
plt.show()

# %%
# How many digits for a tenth less error than now? By rows one would think to be there already.

target = 0.9 * by_groups.test_error_
needed = by_groups.required_groups(target, alpha)
thought = by_rows.required_samples(target, alpha) / copies
print(f"digits for an error of {target:.3f}: {needed:.0f}; by rows one would take {thought:.0f}")
