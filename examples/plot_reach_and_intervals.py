"""
How sure is the prediction? Reach and intervals
===============================================

One fit answers for every number of samples and every alpha, but not equally well. This example
draws the whole error surface of a small training set, with the region that it cannot know, and then
the intervals along two lines through it, beside the truth.
"""

# %%
# Ridge on 300 rows of 500 random features of a smooth function: fewer rows than features.

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from sklearn.datasets import make_friedman1
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.populations import LeaveOneOutPopulation

X, y = make_friedman1(20_000, n_features=10, noise=1.0, random_state=1)
feature_map = RandomDeepFeatures((500,), bias_scale=1.0, random_state=0).fit(X - 0.5)
features = np.sqrt(12) * feature_map.transform(X - 0.5)
y = (y - y.mean()) / y.std()
n_train = 300
ridge = DeterministicEquivalentRidge().fit(features[:n_train], y[:n_train])

# %%
# The surface
# -----------
# The effective regularisation κ(n, alpha) decides which directions of the features ridge resolves.
# From 300 rows the functionals of the population are known down to a smallest κ. More samples at
# too small an alpha lead below it: those cells are NaN, and ``reachable`` says so. Every n up to
# 300 is within reach, and so is the valley of the best alpha well beyond it.

sizes = np.unique(np.geomspace(20, 3000, 40).round())
alphas = np.geomspace(1e-2, 1e4, 45)
errors = ridge.predict_test_error(sizes[:, None], alphas)
kappa = ridge.population_.kappa(sizes[:, None], alphas, fit_intercept=True)
some = sizes[sizes <= 2 * n_train]
best = ridge.optimal_alpha(some)

fig, ax = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
ax.set_facecolor("0.8")
mesh = ax.pcolormesh(sizes, alphas, errors.T, norm=LogNorm(), cmap="viridis_r", shading="nearest")
levels = ax.contour(
    sizes, alphas, np.log10(kappa).T, levels=np.arange(-3, 4), colors="white", linewidths=0.7
)
ax.clabel(levels, fmt=lambda level: f"κ = {10**level:g}", fontsize=8)
ax.plot(some, best, color="tab:red", lw=2, label="best alpha")
ax.axvline(n_train, color="black", ls=":", lw=1, label="training rows")
ax.set(xscale="log", yscale="log", xlabel="number of training samples", ylabel="alpha")
ax.set_title("predicted test error, and where it cannot be known")
fig.colorbar(mesh, label="predicted test error (mean squared error)")
ax.legend(loc="upper left", fontsize="small", title="grey: beyond reach")
plt.show()

# %%
# Intervals
# ---------
# ``return_interval=True`` gives an interval for what refits on other training sets would measure on
# average. Up to the training size it is the sampling error of the rows; beyond it, it widens with
# what extrapolating adds. With ``extrapolate=True`` the cells beyond reach get numbers too
# (dashed), with intervals to match.

bold = DeterministicEquivalentRidge(population=LeaveOneOutPopulation(extrapolate=True))
bold.fit(features[:n_train], y[:n_train])
measured_sizes = np.array([30, 75, 150, 300, 600, 1200, 2400, 4800])
rng = np.random.default_rng(0)


def measured(alpha):
    """Mean error of refits on fresh rows, each on 4000 others."""
    found = []
    for n in measured_sizes:
        repeats = []
        for _ in range(4):
            rows = n_train + rng.permutation(len(y) - n_train)[: n + 4000]
            refit = Ridge(alpha=alpha).fit(features[rows[:n]], y[rows[:n]])
            repeats.append(np.mean((refit.predict(features[rows[n:]]) - y[rows[n:]]) ** 2))
        found.append(np.mean(repeats))
    return np.array(found)


fig, ax = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
lines = np.unique(np.geomspace(25, 5000, 36).round())
truth, predicted, inside = [], [], []
for alpha, colour, marker in ((1.0, "tab:orange", "s"), (100.0, "tab:blue", "o")):
    error, low, high = bold.predict_test_error(lines, alpha, return_interval=True)
    known = bold.reachable(lines, alpha)
    ax.fill_between(lines, low, high, color=colour, alpha=0.2, lw=0)
    ax.plot(lines, error, "--", color=colour, lw=1)
    ax.plot(lines, np.where(known, error, np.nan), color=colour, label=f"alpha = {alpha:g}")
    points = measured(alpha)
    ax.plot(measured_sizes, points, marker, color=colour, ms=5)
    _, low, high = bold.predict_test_error(measured_sizes, alpha, return_interval=True)
    inside.append((low <= points) & (points <= high))
ax.axvline(n_train, color="black", ls=":", lw=1)
ax.set(
    xscale="log",
    yscale="log",
    xlabel="number of training samples",
    ylabel="test error (mean squared error)",
    title="intervals, within reach (solid) and beyond (dashed)",
)
for axis in (ax.xaxis, ax.yaxis):
    axis.set_major_formatter("{x:g}")
ax.yaxis.set_minor_formatter("{x:g}")
ax.legend(title="lines: predicted, 90 % interval\npoints: refits", fontsize="small")
plt.show()

# %%
# How many of the measured points lie in their interval:

f"{np.sum(inside)} of {np.size(inside)}"

# %%
# Does the theory hold for these rows?
# ------------------------------------
# Errors of fits on random subsets of the rows need no theory. ``calibration_check`` puts them
# beside it; had they disagreed by more than noise, the surface would have been corrected.

check = ridge.calibration_check()
check.passed
