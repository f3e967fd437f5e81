"""
How do I bring my own activation and population?
================================================

Activations, feature maps and populations are plain objects that keep a small contract. Here are an
activation of one line, and a population that estimates the covariance of the features by shrinkage,
as scikit-learn's `LedoitWolf` does. Both are used by name, beside the built-in ones.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.covariance import LedoitWolf
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import shuffle
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection import ridge_learning_curve
from sk_deepfeat.plugins import register
from sk_deepfeat.populations import ExactPopulation
from sk_deepfeat.testing import check_population

SEED = 0
# They come writer by writer: shuffled, "new" digits are more of the same writers.
X, digit = shuffle(*load_digits(return_X_y=True), random_state=SEED)
X = (X - X.mean()) / X.std()
y = np.where(digit % 2 == 0, 1.0, -1.0)

# %%
# An activation
# -------------
# A function of an array will do; its derivative and its Gaussian moments are found numerically. A
# name makes it a value for grid searches like any other.


def squared_relu(x):
    """Return max(x, 0)²."""
    return np.square(np.maximum(x, 0.0))


register("activations", "squared_relu", squared_relu)
search = GridSearchCV(
    Pipeline([("feat", RandomDeepFeatures((300,), random_state=SEED)), ("ridge", Ridge())]),
    {"feat__activation": ["relu", "tanh", "squared_relu"], "ridge__alpha": [1.0, 100.0]},
    scoring="neg_mean_squared_error",
    cv=3,
).fit(X, y)
search.best_params_

# %%
# A population
# ------------
# A population learns from rows of features and targets, and answers for any number of samples and
# any alpha. This one estimates moments and leaves the rest to `ExactPopulation`.


class LedoitWolfPopulation(BaseEstimator):
    """Moments of a sample, with the covariance of the features shrunk towards a multiple of 1."""

    def fit(self, X, y, sample_weight=None, *, fit_intercept=True, path=None):
        """Estimate the moments; weights and the factorisation of the ridge are not used."""
        mean, target_mean = X.mean(axis=0), y.mean(axis=0)
        estimate = LedoitWolf().fit(X)
        # As if the target were one more feature: what lies off the diagonal shrinks.
        cross = (1.0 - estimate.shrinkage_) * (X - mean).T @ (y - target_mean) / len(X)
        self.moments_ = ExactPopulation(
            estimate.covariance_ + np.outer(mean, mean),
            cross + np.multiply.outer(mean, target_mean),
            y.T @ y / len(X),
            feature_mean=mean,
            target_mean=target_mean,
        ).fit()
        self.n_features_in_ = X.shape[1]
        return self

    def test_error(self, n_samples, alpha, *, fit_intercept):
        """Return the expected squared error."""
        check_is_fitted(self)
        return self.moments_.test_error(n_samples, alpha, fit_intercept=fit_intercept)

    def kappa(self, n_samples, alpha, *, fit_intercept):
        """Return the effective regularisation."""
        check_is_fitted(self)
        return self.moments_.kappa(n_samples, alpha, fit_intercept=fit_intercept)


check_population(LedoitWolfPopulation())
register("populations", "ledoit-wolf", LedoitWolfPopulation)

# %%
# ``check_population`` found nothing to complain about. Is it any good? Four populations know the
# same 900 rows of 300 features, and refits on random subsets of all rows tell the truth.

N_TRAIN = 900
features = search.best_estimator_[0].transform(X)
features /= features.std()
rows = np.random.default_rng(SEED).permutation(len(y))[:N_TRAIN]
curve = ridge_learning_curve(
    Ridge(),
    features,
    y,
    train_sizes=[50, 100, 200, 400, 800],
    alphas=[30.0],
    n_repeats=10,
    population="gcv",
    random_state=SEED,
)
sizes = np.unique(np.geomspace(40, 1000, 40).round())
styles = {"leave-one-out": "-", "gcv": "--", "ledoit-wolf": "-.", "plug-in": ":"}
predicted = {}
for name in styles:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)  # too few rows for a plug-in
        ridge = DeterministicEquivalentRidge(30.0, population=name).fit(features[rows], y[rows])
    predicted[name] = ridge.predict_test_error(sizes)

# %%
# Shrinkage repairs the optimism of the plug-in: the population of thirty lines is as good as
# leave-one-out on these rows. It has no intervals, though, no reach and no check of the theory.

fig, ax = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
colours = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(styles)))
for (name, style), colour in zip(styles.items(), colours, strict=True):
    ax.plot(sizes, predicted[name], style, color=colour, label=name)
ax.plot(curve.train_sizes, curve.measured_mean[:, 0], "o", color="black", label="refits")
ax.axvline(N_TRAIN, color="0.6", ls=":", lw=1)
ax.set(
    xscale="log",
    yscale="log",
    xlabel="number of training samples",
    ylabel="test error (mean squared error)",
    title="alpha = 30",
)
ax.set_xticks(curve.train_sizes, [f"{n}" for n in curve.train_sizes])
ax.set_xticks([], minor=True)
ax.yaxis.set_major_formatter("{x:g}")
ax.yaxis.set_minor_formatter("{x:g}")
ax.legend(title="population")
plt.show()
