"""Data and small estimators for the tests of trained features; worker processes import it too."""

import numpy as np
from sklearn.base import clone

from sk_deepfeat.feature_maps import TrainedDeepFeatures


def inputs(n=60, d=6, seed=0):
    X = np.random.default_rng(seed).standard_normal((n, d))
    return X, np.tanh(X @ np.linspace(-1, 1, d))


def images(n=40, seed=0, size=8):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 3, size, size)).astype(np.float32), rng.integers(0, 3, n)


def small(**params):
    return TrainedDeepFeatures(
        **{"hidden_layer_sizes": (8, 5), "max_epochs": 2, "batch_size": 16, "random_state": 0}
        | params
    )


def fit_and_transform(estimator, X, y):
    fitted = clone(estimator).fit(X, y)
    return fitted.transform(X), fitted.history_
