"""Sets of rows and labels on which error rates of ridge classifiers are measured and predicted.

`SETS` names them; `load` keeps features in a folder. MNIST: 60,000 rows of 1000 features, random or
of networks that cross-entropy trained on the other 10,000 rows, one network for digits and one for
parity. The handwritten digits of scikit-learn: 1797 rows, 300 random features. "One class in
fifty": three classes about means in 500 dimensions, 40,000 rows of Student-t(5) size.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_digits

from sk_deepfeat import RandomDeepFeatures, TrainedDeepFeatures
from sk_deepfeat.datasets import load_mnist_parity

WIDTH, APART, EPOCHS = 1000, 10_000, 5
PRIORS, DISTANCES = (0.02, 0.49, 0.49), (7.0, 2.5, 2.5)  # of the means from zero, in deviations


class ClassSet(NamedTuple):
    """Which rows, which labels, which classifier, and where it is measured."""

    features: str
    labels: str
    class_weight: str | None
    sizes: tuple[int, ...]
    """At which error rates are measured."""
    middle: float
    """Of the alphas."""
    training_sizes: tuple[int, ...] = (1000, 3000, 10_000)
    """Of the sets from which error rates are predicted."""
    most_refits: int = 120

    @property
    def alphas(self):
        """Nine alphas, half a decade apart."""
        return self.middle * np.logspace(-2.0, 2.0, 9)


_LARGE = (50, 100, 200, 300, 500, 1000, 2000, 3000, 5000, 10_000, 20_000, 30_000)
_SMALL = (50, 100, 150, 200, 300, 500, 700, 1000, 1500)
SETS = {
    "MNIST digits, random features": ClassSet("random", "digit", None, _LARGE, 100.0),
    "MNIST parity, random features": ClassSet("random", "parity", None, _LARGE, 100.0),
    "MNIST digits, trained features": ClassSet("trained on digit", "digit", None, _LARGE, 100.0),
    "MNIST parity, trained features": ClassSet("trained on parity", "parity", None, _LARGE, 100.0),
    "MNIST eights, balanced": ClassSet("random", "eight", "balanced", _LARGE, 100.0),
    "handwritten digits": ClassSet("handwritten", "digit", None, _SMALL, 3.0, (500, 1000), 300),
    "one class in fifty": ClassSet("mixture", "class", None, _LARGE, 3.0),
    "one class in fifty, balanced": ClassSet("mixture", "class", "balanced", _LARGE, 3.0),
}


def mnist(kind, data_home):
    bunch = load_mnist_parity(data_home=data_home)
    X, labels = bunch.data, mnist_labels(bunch.digit)
    order = np.random.default_rng(0).permutation(len(X))
    apart, rows = order[:APART], order[APART:]
    if kind == "random":
        features = RandomDeepFeatures((WIDTH,), random_state=0).fit(X[apart])
    else:
        features = TrainedDeepFeatures((WIDTH, WIDTH), max_epochs=EPOCHS, random_state=0)
        features.fit(X[apart], labels[kind.removeprefix("trained on ")][apart])
    return features.transform(X[rows]), {name: y[rows] for name, y in labels.items()}


def mnist_labels(digit):
    return {"digit": digit, "parity": digit % 2, "eight": np.where(digit == 8, 1, 0)}


def handwritten(*_):
    X, digit = load_digits(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))
    X = (X - X.mean(axis=0)) / X.std()
    features = RandomDeepFeatures((300,), random_state=0).fit(X)
    return features.transform(X[rows]), {"digit": digit[rows]}


def mixture(*_, rows=40_000, features=500):
    """Classes of one covariance with eigenvalues 1/j; means differ alike in all directions."""
    rng = np.random.default_rng(0)
    y = rng.choice(len(PRIORS), size=rows, p=PRIORS)
    means = rng.normal(size=(len(PRIORS), features)) / np.sqrt(features)
    means *= np.array(DISTANCES)[:, None]
    X = rng.normal(size=(rows, features)) / np.sqrt(rng.chisquare(5, size=(rows, 1)) / 5.0)
    return (X + means[y]) * np.arange(1, features + 1) ** -0.5, {"class": y}


def load(name, *, data_home=None, folder=None):
    """Return (features in float32, labels as integers from 0 on) of the set called `name`."""
    asked = SETS[name]
    folder = Path(folder or Path(tempfile.gettempdir()) / "sk_deepfeat_benchmarks")
    file = folder / f"class_rows_{asked.features.replace(' ', '_')}.npz"
    if not file.exists():
        make = {"handwritten": handwritten, "mixture": mixture}.get(asked.features, mnist)
        X, labels = make(asked.features, data_home)
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".part.npz")
        np.savez(partial, X=X.astype(np.float32), **labels)
        partial.replace(file)
    with np.load(file) as arrays:
        return arrays["X"], arrays[asked.labels].astype(np.intp)
