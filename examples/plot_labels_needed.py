"""
How many labels for 97 % accuracy?
==================================

A thousand labelled digits train a classifier that is right about 96 times in a hundred. How many
labels does it take to be right 97 times? `required_samples` answers from the thousand, before any
further digit is labelled; an interval says how sure that is, and digits that were kept aside say
whether it was so.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier
from torch import nn

from sk_deepfeat import DeterministicEquivalentRidgeClassifier, TrainedDeepFeatures
from sk_deepfeat.datasets import load_mnist_parity
from sk_deepfeat.exceptions import PopulationWarning

SEED = 0

# %%
# The digits
# ----------
# MNIST, if its files are on this machine (see `load_mnist_parity`). If not, the 1797 small digits
# of scikit-learn in noise, each pixel made three by three: the code is the same, for fewer labels
# and a lower target.

rng = np.random.default_rng(SEED)
try:
    mnist = load_mnist_parity()
    n_train, target = 1000, 0.03
    drawn = rng.permutation(len(mnist.digit))[:15_000]
    images, digit = mnist.data[drawn].reshape(-1, 1, 28, 28), mnist.digit[drawn]
except FileNotFoundError:
    small = load_digits()
    n_train, target = 600, 0.04
    drawn = rng.permutation(len(small.target))
    noisy = small.images[drawn, None] / 16 + rng.normal(-0.3, 0.2, (len(drawn), 1, 8, 8))
    images, digit = np.kron(noisy, np.ones((3, 3))).astype(np.float32), small.target[drawn]

# %%
# The features need no labels: a hundred random filters of 7 by 7 pixels, and the means of what they
# answer over 4 by 4 parts of the image. ``max_epochs=0`` leaves the filters as they are drawn.


def random_filters():
    """Return the network whose last layer gives the features."""
    return nn.Sequential(nn.Conv2d(1, 100, 7), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten())


network = TrainedDeepFeatures(module=random_filters, layer="3", max_epochs=0, random_state=SEED)
features = network.fit_transform(images).astype(np.float64)
features /= features[:n_train].std()

# %%
# The answer
# ----------

classifier = DeterministicEquivalentRidgeClassifier("optimal")
classifier.fit(features[:n_train], digit[:n_train])
needed = int(classifier.required_samples(target))
error, low, high = classifier.predict_test_error(needed, "optimal", return_interval=True)
print(f"{n_train} labels: {1 - classifier.test_error_:.1%} right")
print(f"{needed} labels: {1 - error:.1%} right, 90 % interval {1 - high:.1%} to {1 - low:.1%}")

# %%
# Most of that interval is what any count on so few rows leaves open: of a thousand rows some forty
# are misclassified. With a few times as many labels the best alpha is one of which these rows say
# nothing; a warning says so, and the line of the picture ends there.

sizes = np.unique(np.geomspace(n_train / 8, 8 * n_train, 40).round())
with warnings.catch_warnings():
    warnings.simplefilter("ignore", PopulationWarning)
    errors, lower, upper = classifier.predict_test_error(sizes, "optimal", return_interval=True)
known = np.isfinite(errors)

# %%
# Was it so?
# ----------
# scikit-learn's classifier, refitted on random digits that the answer has not seen, and measured on
# all others of these.


def measured_error(n_labels, n_repeats=3):
    """Return mean error rates of refits at the alpha that is predicted to be the best."""
    alpha = classifier.optimal_alpha(min(n_labels, sizes[known][-1]))
    rates = []
    for _ in range(n_repeats):
        rows = n_train + rng.permutation(len(digit) - n_train)
        train, test = rows[:n_labels], rows[n_labels:]
        refit = RidgeClassifier(alpha=alpha).fit(features[train], digit[train])
        rates.append(1 - refit.score(features[test], digit[test]))
    return np.mean(rates)


measured_sizes = n_train * 2 ** np.arange(6) // 4
measured_sizes = measured_sizes[measured_sizes + 400 < len(digit) - n_train]
measured = np.array([measured_error(n) for n in measured_sizes])
at_needed = measured_error(needed)
print(f"{needed} labels: measured {1 - at_needed:.1%} right")

fig, ax = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
ax.fill_between(
    sizes, 100 * lower, 100 * upper, where=known, color="C0", alpha=0.2, lw=0, label="90 % interval"
)
ax.plot(sizes, 100 * errors, color="C0", label=f"predicted from {n_train} labels, best alpha")
ax.plot(measured_sizes, 100 * measured, "ko", label="refits on other digits")
ax.plot(needed, 100 * at_needed, "o", color="C3", label=f"refits on {needed} of them")
ax.axhline(100 * target, color="C3", lw=1)
ax.annotate(f"{1 - target:.0%} right", (sizes[0], 100 * target), (0, 3), textcoords="offset points")
ax.axvline(n_train, color="black", ls=":", lw=1)
ax.set(
    xscale="log",
    yscale="log",
    xlabel="number of labelled digits",
    ylabel="error rate on new digits, %",
    title="ten classes, ridge on random filters",
)
ax.set_xticks(measured_sizes, [f"{n}" for n in measured_sizes])
ax.set_xticks([], minor=True)
ax.set_yticks([2, 3, 5, 10, 20], ["2", "3", "5", "10", "20"])
ax.set_yticks([], minor=True)
ax.legend(fontsize="small")
plt.show()
