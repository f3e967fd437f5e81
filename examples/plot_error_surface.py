"""
Which error at any n and alpha? The surface from one fit
========================================================

One fit on 800 rows predicts the test error of ridge regression at every number of samples and every
alpha. Measuring the same map takes hundreds of refits.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.utils import shuffle

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.model_selection import ErrorSurfaceDisplay, ridge_learning_curve

SEED = 0
N_TRAIN = 800

# %%
# Handwritten digits, +1 for even and -1 for odd ones, on 1000 random features of tanh units.

# They come writer by writer: shuffled, "new" digits are more of the same writers.
X, digit = shuffle(*load_digits(return_X_y=True), random_state=SEED)
X = (X - X.mean()) / X.std()
y = np.where(digit % 2 == 0, 1.0, -1.0)
features = RandomDeepFeatures((1000,), "tanh", random_state=SEED).fit_transform(X)
train = np.random.default_rng(SEED).permutation(len(y))[:N_TRAIN]

# %%
# One fit
# -------
# The display asks the fitted ridge for all cells. Hatched cells are those that 800 rows cannot
# know: many samples with little regularisation.

ridge = DeterministicEquivalentRidge().fit(features[train], y[train])
sizes = np.unique(np.geomspace(20, 3000, 40).round())
alphas = np.geomspace(1e-3, 1e3, 40)
display = ErrorSurfaceDisplay.from_fitted(ridge, n_samples=sizes, alphas=alphas)
display.figure_.suptitle("predicted test error over n and alpha")
plt.show()

# %%
# Hundreds of refits
# ------------------
# The measured map, on random subsets of all rows: eight sizes, seven alphas, eight repeats.

curve = ridge_learning_curve(
    ridge,
    features,
    y,
    train_sizes=[25, 50, 100, 200, 300, 400, 600, 1200],
    alphas=np.geomspace(1e-3, 1e3, 7),
    n_repeats=8,
    population="gcv",
    random_state=SEED,
)
predicted = ridge.predict_test_error(curve.train_sizes[:, None], curve.alphas)
ratio = predicted / curve.measured_mean
print(f"{curve.measured.size} errors measured; predicted over measured:")
print(f"median {np.nanmedian(ratio):.2f}, from {np.nanmin(ratio):.2f} to {np.nanmax(ratio):.2f}")

# %%
# Predicted over measured, cell by cell:

fig, ax = plt.subplots(figsize=(7.5, 3.8), layout="constrained")
image = ax.imshow(np.log2(ratio.T), cmap="PuOr", vmin=-1, vmax=1, origin="lower", aspect="auto")
for (i, j), value in np.ndenumerate(ratio):
    ax.text(i, j, "–" if np.isnan(value) else f"{value:.2f}", ha="center", va="center")
ax.set(
    xticks=range(len(curve.train_sizes)),
    xticklabels=curve.train_sizes,
    yticks=range(len(curve.alphas)),
    yticklabels=[f"{alpha:g}" for alpha in curve.alphas],
    xlabel="number of training samples",
    ylabel="alpha",
    title="predicted / measured test error",
)
plt.show()
