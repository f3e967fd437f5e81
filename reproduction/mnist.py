"""MNIST parity for the figures: rows, networks saved through training, curves of their features."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from measure import measure
from predict import leave_one_out, plug_in
from study import Study, lines_between
from threadpoolctl import threadpool_limits
from torch import nn

from sk_deepfeat import TrainedDeepFeatures
from sk_deepfeat.datasets import load_mnist_parity
from sk_deepfeat.model_selection import four_way_split

GRID = np.logspace(-3, 5, 17)  # holds 0.1, 1, 10, 100; the best alpha is looked for in it
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
    network: Network,
    epoch: float | None,
    sizes: tuple[int, ...],
    alphas: tuple[float, ...],
    feature_map: Any,
    data_home: Any,
) -> dict[str, Any]:
    """Return what was measured and predicted for one saved map; None is the pixels themselves.

    Errors are measured on all rows the features have not seen, and on those of the test split
    alone. Each predictor was fitted on some of them; ``measured_apart_...`` leaves these out.
    """
    X, y = load(data_home, network.n_rows)
    rows = split(network)
    unseen = np.concatenate([rows.test, rows.readout, rows.covariance])
    counts = np.array([rows.test.size, rows.readout.size, rows.covariance.size])
    part = np.repeat(np.arange(3), counts)
    X, y = X[unseen], y[unseen]
    found: dict[str, Any] = {}
    features = X
    if epoch is not None:
        features = feature_map.transform(X)
        output = feature_map.at(layer="output").transform(X)[:, 0]
        found["network"] = float(np.mean(np.square(output - y)))
    n_samples, grid = lines_between(sizes), np.array(alphas)
    with threadpool_limits(limits=1):
        found["plug_in"] = plug_in((features[part == 2], y[part == 2]), n_samples, grid)
        found["leave_one_out"] = leave_one_out((features[part == 1], y[part == 1]), n_samples, grid)
        measured = measure(features, y, np.array(sizes), grid, seed=network.seed, parts=part)
    for name, kept in (
        ("on_test", [0]),
        ("apart_plug_in", [0, 1]),
        ("apart_leave_one_out", [0, 2]),
    ):
        weights = counts[kept] / counts[kept].sum()
        found[f"measured_{name}"] = np.tensordot(weights, measured.of_parts[kept], axes=1)
    return found | measured._asdict()


def measured_maps(
    study: Study, networks: list[Network], sizes: tuple[int, ...], data_home: Any
) -> tuple[dict[Network, TrainedDeepFeatures], dict[tuple[Network, float | None], dict[str, Any]]]:
    """Train the networks, and return them and the curves of every saved map, the pixels first."""
    cached = study.cached(train, ignore=["data_home"])
    trained = study.run([(cached, network, data_home) for network in networks], "training")
    feature_maps: dict[tuple[Network, float | None], Any] = {}
    for network, fitted in zip(networks, trained, strict=True):
        feature_maps[network, None] = None
        for epoch in network.checkpoints:
            feature_maps[network, epoch] = fitted.at(epoch=epoch)
    cached = study.cached(curves, ignore=["feature_map", "data_home"])
    tasks = [
        (cached, network, epoch, sizes, tuple(GRID), feature_map, data_home)
        for (network, epoch), feature_map in feature_maps.items()
    ]
    found = study.run(tasks, "saved maps")
    return dict(zip(networks, trained, strict=True)), dict(zip(feature_maps, found, strict=True))
