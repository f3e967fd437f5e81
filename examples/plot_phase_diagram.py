"""
How wide should a network be, before there is data?
===================================================

A student network with random weights, whose readout is learned by ridge regression, learns from a
teacher network. Its test error follows from the weights of both: here over the number of samples
and the width of the student, without regularisation and with the best.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge

from sk_deepfeat import RandomDeepFeatures
from sk_deepfeat.datasets import make_rainbow_regression
from sk_deepfeat.populations import LinearizedPopulation

SEED = 0
N_INPUTS = 200
inputs = np.zeros((1, N_INPUTS))

# %%
# The teacher: 200 tanh units of 200 normal inputs, with a random readout. The students: one layer
# of 20 to 1000 tanh units with independent weights.

teacher = RandomDeepFeatures((N_INPUTS,), "tanh", random_state=SEED).fit(inputs)
readout = np.random.default_rng(SEED).normal(size=N_INPUTS) / np.sqrt(N_INPUTS)


def student(width):
    """Return a fitted student of this width."""
    return RandomDeepFeatures((width,), "tanh", random_state=SEED + 1).fit(inputs)


def population(width):
    """Return what a student of this width will meet, with label noise of variance 0.04."""
    target = (FrozenEstimator(teacher), readout)
    covariance = np.ones(N_INPUTS)
    return LinearizedPopulation(
        FrozenEstimator(student(width)), covariance, target, noise=0.2
    ).fit()


# %%
# One population for each width answers for all numbers of samples and all alphas.

widths = np.unique(np.geomspace(20, 1000, 33).round().astype(int))
sizes = np.geomspace(20, 1000, 60)
alphas = np.geomspace(1e-3, 1e3, 25)
without, best = (np.empty((len(widths), len(sizes))) for _ in range(2))
for i, width in enumerate(widths):
    met = population(width)
    without[i] = met.test_error(sizes, 1e-6 * width, fit_intercept=False)
    best[i] = met.test_error(sizes[:, None], alphas * width, fit_intercept=False).min(axis=1)

# %%
# Three cells, against refits on drawn data
# -----------------------------------------

ratios = []
for width, n, alpha in ((100, 400, 1e-6), (300, 300, 0.1), (1000, 200, 1e-6)):
    X, y, _ = make_rainbow_regression(
        20_000, student(width), teacher, readout=readout, noise=0.2, random_state=SEED + 2
    )
    refits = []
    for k in range(20):
        rows = slice(k * n, (k + 1) * n)
        ridge = Ridge(alpha=alpha * width, fit_intercept=False).fit(X[rows], y[rows])
        refits.append(np.mean((ridge.predict(X[-10_000:]) - y[-10_000:]) ** 2))
    predicted = float(population(width).test_error(n, alpha * width, fit_intercept=False))
    ratios.append(predicted / np.mean(refits))
    print(f"width {width}, n {n}: predicted {predicted:.3f}, refits {np.mean(refits):.3f}")

# %%
# The diagram
# -----------
# Without regularisation a ridge of large errors runs along n = width, with the variance of the
# solutions that just interpolate. On one side the features are the bottleneck, on the other the
# samples. The best alpha removes the ridge, and the error falls in both directions.

fig, axes = plt.subplots(1, 2, figsize=(9.5, 4.2), sharey=True, layout="constrained")
norm = LogNorm(best.min(), 2.0)
LEVELS = (0.1, 0.15, 0.2, 0.3, 0.6, 1.2)
for ax, errors, title in zip(
    axes, (without, best), ("no regularisation", "best alpha"), strict=True
):
    mesh = ax.pcolormesh(sizes, widths, errors, norm=norm, cmap="viridis", shading="nearest")
    lines = ax.contour(
        sizes, widths, errors, levels=(0.1, 0.15, 0.2, 0.3, 0.6, 1.2), colors="white"
    )
    ax.clabel(lines, fmt="{:g}".format, fontsize=8)
    ax.set(xscale="log", yscale="log", title=title, xlabel="number of training samples")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:g}")
axes[0].set(ylabel="width of the student")
fig.colorbar(mesh, ax=axes, label="test error (mean squared error)", extend="max")
plt.show()
