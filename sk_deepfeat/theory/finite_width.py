"""Covariances of deep networks whose pre-activations are normal only to leading order.

The layers are composed as in `rainbow`, and what `cumulants` says is added. Each nonlinear layer is
a source of third cumulants, which later layers pass on through their linear parts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory._rainbow_arguments import Layer
from sk_deepfeat.theory._validation import FloatArray
from sk_deepfeat.theory.cumulants import (
    Source,
    UnitSeries,
    excess,
    gain,
    third_cumulants,
    unit_series,
)
from sk_deepfeat.theory.layer_covariances import (
    between,
    cross_covariance,
    own_covariance,
    preactivation,
)


class _Layer(NamedTuple):
    """What is kept of a layer of both networks; keys are pairs of networks."""

    series: list[UnitSeries]
    pre: dict[tuple[int, int], FloatArray]
    n_paired: int
    maps: list[FloatArray]

    def source(self, i: int, j: int) -> Source:
        """Return the view of network i and network j."""
        cross = self.pre[i, j] if i <= j else self.pre[j, i].T
        n_paired = len(cross) if i == j else self.n_paired
        return Source(
            self.series[i],
            self.series[j],
            self.pre[i, i],
            cross,
            n_paired,
            self.maps[i],
            self.maps[j],
        )


def compose_finite_width(
    networks: list[list[Layer]],
    paired: list[int],
    covariance: FloatArray,
    mean: FloatArray,
    method: str,
    order: int,
) -> tuple[dict[tuple[int, int], FloatArray], list[FloatArray]]:
    """Carry covariances and cumulants through one network, or two of equal depth.

    Parameters
    ----------
    networks : list of lists of Layer
        One or two.
    paired : list of int
        Paired rows of each layer.
    covariance, mean : ndarray
        Of the inputs.
    method, order
        See `rainbow_covariances`.

    Returns
    -------
    dict of ndarray, list of ndarray
        Covariances (0, 0), and with two networks (0, 1) and (1, 1); means.
    """
    indices = range(len(networks))
    pairs = [(i, j) for i in indices for j in indices if i <= j]
    features, means = dict.fromkeys(pairs, covariance), [mean for _ in indices]
    kept: list[_Layer] = []
    thirds: dict[tuple[int, int], FloatArray] = {}
    q = dict.fromkeys(pairs, 0.0)
    for depth, layers in enumerate(zip(*networks, strict=True)):
        weights = [layer.weights for layer in layers]
        pre = {(i, j): between(weights[i], features[i, j], weights[j]) for i, j in pairs}
        if kept:
            kept = [_seen_through(layer, weights, kept[-1].series) for layer in kept[:-1]] + [
                kept[-1]._replace(maps=weights)
            ]
            sizes = [np.trace(pre[i, i]) / len(pre[i, i]) for i in indices]
            q = {
                (i, j): excess(
                    kept[-1].source(i, j),
                    features[i, j],
                    (thirds[i, j], thirds[j, i]) if thirds else None,
                    q[i, j],
                )
                / (sizes[i] * sizes[j])
                for i, j in pairs
            }
            thirds = {
                (i, j): np.sum([third_cumulants(layer.source(i, j)) for layer in kept], axis=0)
                for i in indices
                for j in indices
            }
        sides = [
            preactivation(
                layer.activation,
                layer.weights @ means[i] + layer.bias,
                np.diagonal(pre[i, i]),
                method,
            )
            for i, layer in enumerate(layers)
        ]
        series = [unit_series(side) for side in sides]
        n_paired = paired[depth] if depth < len(paired) else 0
        features = {
            (i, j): own_covariance(pre[i, i].copy(), sides[i], method, order)
            if i == j
            else cross_covariance(pre[i, j].copy(), sides[i], sides[j], n_paired, method, order)
            for i, j in pairs
        }
        if thirds:
            for i, j in pairs:
                added = gain(series[i], series[j], (thirds[i, j], thirds[j, i]), q[i, j])
                # strongly correlated entries have more of their own than what is added
                exact = np.arange(len(added) if i == j else n_paired)
                added[exact, exact] = 0.0
                features[i, j] += added
        means = [side.moments.mean for side in sides]
        kept.append(_Layer(series, pre, n_paired, weights))
    return _nearest_covariances(features, len(networks)), means


def _nearest_covariances(
    features: dict[tuple[int, int], FloatArray], n_networks: int
) -> dict[tuple[int, int], FloatArray]:
    """Return the nearest positive semi-definite joint matrix, which truth is no farther from."""
    joint = features[0, 0]
    if n_networks == 2:
        joint = np.block([[joint, features[0, 1]], [features[0, 1].T, features[1, 1]]])
    try:
        np.linalg.cholesky(joint + 1e-12 * np.trace(joint) / len(joint) * np.eye(len(joint)))
        return features
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(joint)
    joint = (vectors * np.maximum(values, 0.0)) @ vectors.T
    p = len(features[0, 0])
    parts = {(0, 0): joint[:p, :p], (0, 1): joint[:p, p:], (1, 1): joint[p:, p:]}
    return {pair: parts[pair] for pair in features}


def _seen_through(layer: _Layer, weights: list[FloatArray], series: list[UnitSeries]) -> _Layer:
    """Follow the linear part of the layer that was last to the pre-activations of the next."""
    maps = [
        (matrix * units.derivative(1)) @ old
        for matrix, units, old in zip(weights, series, layer.maps, strict=True)
    ]
    return layer._replace(maps=maps)
