"""
How many random features are enough?
====================================

Random features are a cheap stand-in for a kernel: with ever more of them, ridge regression on them
becomes kernel ridge regression. How many are enough? That depends on the number of samples, and one
fit for each width answers for all of them.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.kernel_ridge import KernelRidge

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.exceptions import PopulationWarning

SEED = 0
N_TRAIN = 800
WIDTHS = (50, 200, 800, 3200)

# %%
# Handwritten digits, +1 for even and -1 for odd ones.

X, digit = load_digits(return_X_y=True)
rng = np.random.default_rng(SEED)
order = rng.permutation(len(digit))
X = (X[order] - X.mean()) / X.std()
y = np.where(digit[order] % 2 == 0, 1.0, -1.0)

# %%
# The kernel of infinite width
# ----------------------------
# For one layer of relu units with independent normal weights it is the arc-cosine kernel.


def arc_cosine(A, B):
    """Return E relu(w·a) relu(w·b) for w ~ N(0, 1/d)."""
    norms = np.linalg.norm(A, axis=1)[:, None] * np.linalg.norm(B, axis=1)
    cosine = np.clip(A @ B.T / norms, -1.0, 1.0)
    angle = np.arccos(cosine)
    inner = np.sin(angle) + (np.pi - angle) * cosine
    return norms * inner / (2 * np.pi * A.shape[1])


# %%
# A kernel has features, too: any square root of its matrix on the rows at hand. No target enters,
# and ridge on these features is kernel ridge regression, so that its error can be predicted from
# the 800 training rows like that of any other features.

gram = arc_cosine(X, X)
values, vectors = np.linalg.eigh(gram)
features = {np.inf: vectors[:, values > 0] * np.sqrt(values[values > 0])}

# %%
# Features of width p are divided by the square root of p, which makes alpha mean the same for all.

for width in WIDTHS:
    random = RandomDeepFeatures((width,), random_state=SEED)
    features[width] = random.fit_transform(X) / np.sqrt(width)

sizes = np.unique(np.geomspace(20, N_TRAIN, 30).round())
ridges = {}
with warnings.catch_warnings():
    # Digits of one writer resemble each other. What is predicted is the error on more digits of the
    # same writers, as it is measured below.
    warnings.filterwarnings("ignore", "Rows look as if they came in groups", PopulationWarning)
    for width, rows in features.items():
        ridge = DeterministicEquivalentRidge("optimal", fit_intercept=False)
        ridges[width] = ridge.fit(rows[:N_TRAIN], y[:N_TRAIN])
predicted = {width: ridge.predict_test_error(sizes, "optimal") for width, ridge in ridges.items()}

# %%
# Kernel ridge regression itself, with scikit-learn, on random subsets of all rows and at the alpha
# that the prediction names, measured on the other rows:

kernel_sizes = np.array([25, 50, 100, 200, 400, 800])
kernel_errors = []
for n, alpha in zip(kernel_sizes, ridges[np.inf].optimal_alpha(kernel_sizes), strict=True):
    repeats = []
    for _ in range(10):
        rows = rng.permutation(len(y))
        refit = KernelRidge(alpha=alpha, kernel="precomputed")
        refit.fit(gram[np.ix_(rows[:n], rows[:n])], y[rows[:n]])
        residual = refit.predict(gram[np.ix_(rows[n:], rows[:n])]) - y[rows[n:]]
        repeats.append(np.mean(residual**2))
    kernel_errors.append(np.mean(repeats))

# %%
# With fifty rows 800 features are as good as infinitely many. With 800 rows they are not, and more
# features would help more than more rows.

looks = zip(
    plt.get_cmap("viridis")(np.linspace(0, 0.85, len(WIDTHS))), (":", "-.", "--", "-"), strict=True
)
fig, ax = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
for width, (colour, style) in zip(WIDTHS, looks, strict=True):
    ax.plot(sizes, predicted[width], style, color=colour, label=f"{width} random features")
ax.plot(sizes, predicted[np.inf], color="black", lw=2.5, alpha=0.5, label="kernel, predicted")
ax.plot(kernel_sizes, kernel_errors, "o", color="black", label="kernel, refits")
ax.set(
    xscale="log",
    yscale="log",
    xlabel="number of training samples",
    ylabel="test error (mean squared error)",
    title="ridge with the best alpha",
)
ax.set_xticks(kernel_sizes, [f"{n}" for n in kernel_sizes])
ax.set_xticks([], minor=True)
ax.yaxis.set_major_formatter("{x:g}")
ax.yaxis.set_minor_formatter("{x:g}")
ax.legend()
plt.show()
