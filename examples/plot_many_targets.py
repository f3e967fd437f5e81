"""
Which of many targets can be predicted?
=======================================

Half of a digit's pixels are given, the other half wanted: thirty-two targets, some of them nearly
noise. Each gets an alpha of its own, and an R² that is predicted from the training rows alone.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import r2_score
from sklearn.utils import shuffle

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection import RidgeLearningCurveDisplay

images = shuffle(load_digits().images / 16.0, random_state=0)
X = RandomDeepFeatures((300,), random_state=0).fit_transform(images[:, :, :4].reshape(-1, 32))
Y = images[:, :, 4:].reshape(-1, 32)
moving = Y[:400].std(axis=0) > 0.05  # pixels of the margin are black in nearly every image
Y = Y[:, moving]
train, test = slice(0, 400), slice(400, None)

# %%
# An alpha for each target
# ------------------------
# ``alpha_per_target`` chooses as `RidgeCV` does, and every answer then has one for each target.
# Where the features tell nothing about a pixel, a warning names it.

with warnings.catch_warnings():
    warnings.simplefilter("ignore", PopulationWarning)
    ridge = DeterministicEquivalentRidge("optimal", alpha_per_target=True).fit(X[train], Y[train])
    one_alpha = DeterministicEquivalentRidge("optimal").fit(X[train], Y[train])
print(f"{Y.shape[1]} targets, alphas from {ridge.alpha_.min():.2g} to {ridge.alpha_.max():.2g}")
print(f"mean error {ridge.test_error_:.4f}; with one alpha for all {one_alpha.test_error_:.4f}")

# %%
# Predicted and measured
# ----------------------
# R² of every target on new rows, with its interval, beside what the other 1397 images show.

predicted, lower, upper = ridge.predict_score(multioutput="raw_values", return_interval=True)
measured = r2_score(Y[test], ridge.predict(X[test]), multioutput="raw_values")

fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.3), layout="constrained")
left.errorbar(
    predicted,
    measured,
    xerr=[predicted - lower, upper - predicted],
    fmt="o",
    ms=4,
    lw=1,
    label="a target, with its 90 % interval",
)
ends = [min(predicted.min(), measured.min()) - 0.05, 0.9]
left.plot(ends, ends, color="0.5", lw=1)
left.set(xlabel="R² predicted from 400 rows", ylabel="R² on 1397 other rows")
left.legend(fontsize="small", loc="upper left")
picture = np.full(32, np.nan)
picture[moving] = predicted
shown = right.imshow(picture.reshape(8, 4), vmin=0, vmax=0.8)
right.set(xticks=[], yticks=[], title="predicted R² of the right half")
fig.colorbar(shown, ax=right, shrink=0.8)

# %%
# More rows
# ---------
# The distribution over targets, at every number of rows: their median and quantiles.

curve = RidgeLearningCurveDisplay.from_fitted(
    ridge, n_samples=[50, 100, 200, 400], outputs="quantiles"
)
print(f"rows for a mean R² of 0.4: {ridge.required_samples(target_score=0.4):,.0f}")
plt.show()
