"""
How many samples do I need?
===========================

A thousand labelled rows, and a target for the error. `required_samples` says how many rows reach
it, before they are collected; intervals say how sure that is, and a warning says where the
answer is beyond what these rows can know.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import curve_fit
from sklearn.datasets import make_friedman1
from sklearn.linear_model import Ridge
from sklearn.model_selection import learning_curve

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.exceptions import PopulationWarning

SEED = 0
N_TRAIN = 1000

# %%
# A smooth function of five of ten inputs, with little noise, on 600 random features. The other
# rows are only for the check at the end.

X, y = make_friedman1(20_000, n_features=10, noise=0.3, random_state=SEED)
y = (y - y.mean()) / y.std()
feature_map = RandomDeepFeatures((600,), bias_scale=1.0, random_state=SEED)
features = feature_map.fit_transform(np.sqrt(12) * (X - 0.5))

ridge = DeterministicEquivalentRidge("optimal").fit(features[:N_TRAIN], y[:N_TRAIN])
print(f"error with {N_TRAIN} rows: {ridge.test_error_:.3f}")

# %%
# Targets
# -------

targets = [0.060, 0.055, 0.050]
required = [ridge.required_samples(target) for target in targets]
for target, n in zip(targets, required, strict=True):
    print(f"error {target:.3f}: {n:,.0f} rows")

# %%
# A target below everything that these rows identify has no answer, and a warning names the lowest
# error that has one. Here other features are wanted rather than more rows.

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", PopulationWarning)
    impossible = ridge.required_samples(0.001)
print(impossible, "-", caught[-1].message)

# %%
# The usual way: a power law through a measured learning curve
# ------------------------------------------------------------
# `learning_curve` refits on parts of the 1000 rows; three parameters are fitted to the means.

fractions, _, scores = learning_curve(
    Ridge(alpha=ridge.alpha_),
    features[:N_TRAIN],
    y[:N_TRAIN],
    train_sizes=np.linspace(0.2, 1.0, 6),
    cv=5,
    scoring="neg_mean_squared_error",
)


def power_law(n, floor, scale, exponent):
    """Return floor + scale n^-exponent."""
    return floor + scale * n**-exponent


fitted, _ = curve_fit(
    power_law, fractions, -scores.mean(axis=1), p0=(0.1, 2.0, 0.5), bounds=(0.0, (1.0, 50.0, 2.0))
)

# %%
# Against the truth
# -----------------
# Refits on up to 8000 fresh rows, each measured on others, at the alpha that the ridge names.

sizes = np.unique(np.geomspace(100, 8000, 30).round())
error, low, high = ridge.predict_test_error(sizes, "optimal", return_interval=True)
rng = np.random.default_rng(SEED)
measured_sizes = np.array([125, 250, 500, 1000, 2000, 4000, 8000])
measured = []
for n, alpha in zip(measured_sizes, ridge.optimal_alpha(measured_sizes), strict=True):
    repeats = []
    for _ in range(2):
        rows = N_TRAIN + rng.permutation(len(y) - N_TRAIN)[: n + 4000]
        refit = Ridge(alpha=alpha).fit(features[rows[:n]], y[rows[:n]])
        repeats.append(np.mean((refit.predict(features[rows[n:]]) - y[rows[n:]]) ** 2))
    measured.append(np.mean(repeats))

fig, ax = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
ax.fill_between(sizes, low, high, color="tab:blue", alpha=0.2, lw=0, label="90 % interval")
ax.plot(sizes, error, color="tab:blue", label="predicted from 1000 rows, best alpha")
ax.plot(
    sizes, power_law(sizes, *fitted), "--", color="tab:orange", label="power law through refits"
)
ax.plot(measured_sizes, measured, "o", color="black", ms=5, label="refits on fresh rows")
ax.axvline(N_TRAIN, color="black", ls=":", lw=1)
for target, n in zip(targets, required, strict=True):
    ax.plot([sizes[0], n, n], [target, target, 0.01], color="0.55", lw=1)
    ax.annotate(f"{n:,.0f}", (n, 0.0362), xytext=(3, 0), textcoords="offset points", fontsize=9)
ax.set(
    xscale="log",
    yscale="log",
    ylim=(0.035, 0.3),
    xlabel="number of training samples",
    ylabel="test error (mean squared error)",
    title="predicted from 1000 rows, and measured on fresh ones",
)
ax.xaxis.set_major_formatter("{x:g}")
ax.yaxis.set_major_formatter("{x:g}")
ax.yaxis.set_minor_formatter("{x:g}")
ax.legend(fontsize="small")
plt.show()
