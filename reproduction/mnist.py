"""MNIST parity for the figures: rows, networks saved through training, curves of their features."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from measure import measure
from study import lines_between
from threadpoolctl import threadpool_limits
from torch import nn

from sk_deepfeat import TrainedDeepFeatures
from sk_deepfeat.datasets import load_mnist_parity
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection import four_way_split
from sk_deepfeat.populations import LeaveOneOutPopulation, PlugInPopulation

GRID = np.logspace(-1, 5, 13)  # holds 0.1, 1, 10, 100; the best alpha is looked for in it
PREDICTORS = ("plug_in", "leave_one_out")


class Network(NamedTuple):
    """Everything that tells one trained network from another."""

    width: int
    max_epochs: int
    checkpoints: tuple[float, ...]
    seed: int
    n_rows: int = 70_000


class Rows(NamedTuple):
    """Row numbers: those the features are trained on, and the three parts they never saw."""

    feature: np.ndarray
    test: np.ndarray
    readout: np.ndarray
    covariance: np.ndarray


@lru_cache(maxsize=1)
def load(data_home: Any, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return X in float32 and y of the first rows; all 70,000 for the paper's size."""
    X, y = load_mnist_parity(data_home=data_home, return_X_y=True)
    return X[:n_rows], y[:n_rows]


def split(network: Network) -> Rows:
    """Return the split 10 % test, 25 % features, 25 % readout, 40 % covariances of the seed."""
    test, feature, readout, covariance = four_way_split(
        np.arange(network.n_rows), random_state=network.seed
    )
    return Rows(feature, test, readout, covariance)


def perceptron(in_features: int, out_features: int, width: int) -> nn.Module:
    """Return θ relu(W2 relu(W1 x)) without biases, with Glorot's uniform initialisation.

    The published errors at epoch 0 tell the scale of the features: within a few per cent they are
    those of Glorot's variances 2/(fan_in + fan_out), and not of torch's 1/(3 fan_in).
    """
    layers = OrderedDict(
        hidden_1=nn.Linear(in_features, width, bias=False),
        activation_1=nn.ReLU(),
        hidden_2=nn.Linear(width, width, bias=False),
        activation_2=nn.ReLU(),
        output=nn.Linear(width, out_features, bias=False),
    )
    for layer in layers.values():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
    return nn.Sequential(layers)


def train(network: Network, data_home: Any) -> TrainedDeepFeatures:
    """Train the network with Adam at its default rate, batches of 128."""
    X, y = load(data_home, network.n_rows)
    rows = split(network).feature
    return TrainedDeepFeatures(
        module=perceptron,
        module_params={"width": network.width},
        layer="activation_2",
        max_epochs=network.max_epochs,
        checkpoints=network.checkpoints,
        random_state=network.seed,
        verbose=1,
    ).fit(X[rows], y[rows])


def curves(
    network: Network, epoch: float | None, sizes: tuple[int, ...], feature_map: Any, data_home: Any
) -> dict[str, Any]:
    """Return what was measured and predicted for one saved map; None is the pixels themselves."""
    X, y = load(data_home, network.n_rows)
    rows = split(network)
    unseen = np.concatenate([rows.test, rows.readout, rows.covariance])
    X, y = X[unseen], y[unseen]
    found: dict[str, Any] = {}
    if epoch is None:
        features = X
    else:
        features = feature_map.transform(X)
        output = feature_map.at(layer="output").transform(X)[:, 0]
        found["network"] = float(np.mean(np.square(output - y)))
    edges = np.cumsum([rows.test.size, rows.readout.size])
    readout, covariance = slice(edges[0], edges[1]), slice(edges[1], None)
    n_samples, place = lines_between(sizes)[:, None], {"fit_intercept": False}
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        plug_in = PlugInPopulation().fit(features[covariance], y[covariance], **place)
        found["plug_in"] = plug_in.test_error(n_samples, GRID, **place)
        one_out = LeaveOneOutPopulation().fit(features[readout], y[readout], **place)
        found["leave_one_out"] = one_out.test_error(n_samples, GRID, **place)
        test = np.arange(len(y)) < edges[0]
        measured = measure(features, y, np.array(sizes), GRID, seed=network.seed, marked=test)
    return found | measured._asdict()
