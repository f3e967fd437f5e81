"""Rows that the benchmarks share: images, smooth targets, and sets built to break the theory.

Each is 50,000 rows or so of 1000 features with one target; `load` keeps what it made in a folder.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import make_classification, make_friedman1

from sk_deepfeat import RandomDeepFeatures, TrainedDeepFeatures
from sk_deepfeat.datasets import load_mnist_parity

ROWS, FEATURES, CLUSTERS = 50_000, 1000, 500
NAMES = (
    "MNIST, random features",
    "MNIST, trained features",
    "Friedman 1, random features",
    "mixture of classes, random features",
    "clusters",
    "Student-t(3) rows",
    "Student-t(3) noise",
)


def mnist(trained, data_home):
    """Relu features of MNIST parity: random, or trained for 10 epochs on a quarter of the rows."""
    X, y = load_mnist_parity(data_home=data_home, return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    seen, unseen = order[:17_500], order[17_500:]
    if trained:
        widths = (FEATURES, FEATURES)
        features = TrainedDeepFeatures(widths, bias=False, max_epochs=10, random_state=0)
        features.fit(X[seen], y[seen])
    else:
        features = RandomDeepFeatures((FEATURES,), random_state=0).fit(X)
    return features.transform(X[unseen]), y[unseen]


def friedman():
    X, y = make_friedman1(ROWS, n_features=10, noise=1.0, random_state=0)
    X = (X - 0.5) * np.sqrt(12.0)
    features = RandomDeepFeatures((FEATURES,), bias_scale=1.0, random_state=0).fit(X)
    return features.transform(X), (y - y.mean()) / y.std()


def classes():
    X, y = make_classification(
        ROWS, n_features=30, n_informative=15, n_clusters_per_class=4, random_state=0
    )
    X = X / X.std(axis=0)
    features = RandomDeepFeatures((FEATURES,), bias_scale=1.0, random_state=0).fit(X)
    return features.transform(X), 2.0 * y - 1.0


def linear_model(kind, rows=ROWS, features=FEATURES, clusters=CLUSTERS, rng=0):
    """Gaussian features with eigenvalues 1/j and a linear target, but for what `kind` names.

    clusters: so many centres with a fifth of the spread about each. Student-t(3) rows: each row
    times a factor of its own, targets included. Student-t(3) noise: in the target alone.
    """
    rng = np.random.default_rng(rng)
    scale = np.arange(1, features + 1) ** -0.5
    coefs = rng.normal(size=features)
    coefs /= np.sqrt(np.sum(np.square(scale * coefs)))
    X = rng.normal(size=(rows, features)) * scale
    if kind == "clusters":
        centres = rng.normal(size=(clusters, features)) * scale
        X = centres[rng.integers(clusters, size=rows)] + 0.2 * X
    if kind == "Student-t(3) rows":
        X /= np.sqrt(rng.chisquare(3, size=(rows, 1)) / 3.0)
    noise = rng.normal(size=rows)
    if kind == "Student-t(3) noise":
        noise = rng.standard_t(3, size=rows) / np.sqrt(3.0)
    return X, X @ coefs + 0.5 * noise


def load(name, *, data_home=None, folder=None):
    """Return (features in float32, targets) of the set called `name`."""
    folder = Path(folder or Path(tempfile.gettempdir()) / "sk_deepfeat_benchmarks")
    file = folder / f"{''.join(c if c.isalnum() else '_' for c in name)}.npz"
    if not file.exists():
        if name.startswith("MNIST"):
            X, y = mnist("trained" in name, data_home)
        elif name.startswith("Friedman"):
            X, y = friedman()
        elif name.startswith("mixture"):
            X, y = classes()
        else:
            X, y = linear_model(name)
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".part.npz")
        np.savez(partial, X=X.astype(np.float32), y=np.asarray(y, dtype=np.float64))
        partial.replace(file)
    with np.load(file) as arrays:
        return arrays["X"], arrays["y"]
