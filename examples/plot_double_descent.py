"""
Can more data hurt? Double descent, and its cure
================================================

With little regularisation, more data can make ridge regression worse: its test error has a peak
where the number of training samples is the number of features. One fit shows the peak, says what it
is made of, and gives the regularisation that removes it.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures

SEED = 0
N_TRAIN, N_FEATURES = 1000, 200

# %%
# Handwritten digits, +1 for even and -1 for odd ones; 200 random features; 1000 rows to fit on.

X, digit = load_digits(return_X_y=True)
X = (X - X.mean()) / X.std()
y = np.where(digit % 2 == 0, 1.0, -1.0)
rng = np.random.default_rng(SEED)
order = rng.permutation(len(y))
X, y = X[order], y[order]
features = RandomDeepFeatures((N_FEATURES,), random_state=SEED).fit_transform(X)

ridge = DeterministicEquivalentRidge(alpha=0.01).fit(features[:N_TRAIN], y[:N_TRAIN])

# %%
# The whole curve from this one fit: with the small alpha, and with the best alpha at each n.

sizes = np.unique(np.geomspace(20, N_TRAIN, 60).round())
small = ridge.predict_test_error(sizes, 0.01)
best = ridge.predict_test_error(sizes, "optimal")
print(f"at n = {N_FEATURES}: {small[np.searchsorted(sizes, N_FEATURES)]:.2f} with alpha = 0.01,")
print(f"{best[np.searchsorted(sizes, N_FEATURES)]:.2f} with the best alpha")

# %%
# Refits on random subsets of all rows, each measured on the others, check both curves.

measured_sizes = np.array([25, 50, 100, 150, 200, 300, 500, 1000])
best_alphas = ridge.optimal_alpha(measured_sizes)


def refit(n, alpha):
    """Return the error of a ridge on n random rows, on all others."""
    rows = rng.permutation(len(y))
    model = Ridge(alpha=alpha).fit(features[rows[:n]], y[rows[:n]])
    return np.mean((model.predict(features[rows[n:]]) - y[rows[n:]]) ** 2)


measured_small, measured_best = (
    np.array([np.mean([refit(n, alpha) for _ in range(20)]) for n, alpha in cells])
    for cells in (
        [(n, 0.01) for n in measured_sizes],
        list(zip(measured_sizes, best_alphas, strict=True)),
    )
)

# %%
# The peak is variance: what the choice of the training rows adds. Bias and noise together fall
# all the way, and so does the error with the best alpha.

parts = ridge.predict_decomposition(sizes, 0.01)

fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.2), sharey=True, layout="constrained")
left.plot(sizes, small, color="tab:red", label="alpha = 0.01")
left.plot(measured_sizes, measured_small, "s", color="tab:red", ms=5)
left.plot(sizes, best, color="black", label="best alpha at each n")
left.plot(measured_sizes, measured_best, "o", color="black", ms=5)
left.axvline(N_FEATURES, color="0.6", ls=":", label="n = number of features")
left.legend(title="lines: predicted, points: refits", fontsize="small")
left.set(ylabel="test error (mean squared error)", title="the peak and the cure")
right.plot(sizes, small, color="tab:red", label="test error")
right.plot(sizes, parts.total_variance, "--", color="tab:purple", label="variance")
right.plot(sizes, parts.bias_and_noise, "-.", color="tab:blue", label="squared bias and noise")
right.axvline(N_FEATURES, color="0.6", ls=":")
right.legend(fontsize="small")
right.set(title="what it is made of, alpha = 0.01", ylim=(0.05, None))
for ax in (left, right):
    ax.set(xscale="log", yscale="log", xlabel="number of training samples")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")
plt.show()
