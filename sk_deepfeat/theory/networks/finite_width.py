"""Covariances of deep networks whose pre-activations are normal only to leading order.

The layers are composed as in `rainbow`, and what `cumulants` says is added. Each nonlinear layer is
a source of third cumulants, which later layers pass on through their linear parts. The networks
are numbered, and matrices stand under pairs of numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.matrices import has_cholesky
from sk_deepfeat.theory.networks.cumulants import (
    Source,
    UnitSeries,
    excess,
    gain,
    third_cumulants,
    unit_series,
)
from sk_deepfeat.theory.networks.layer_covariances import (
    Preactivation,
    between,
    cross_covariance,
    own_covariance,
    preactivation,
)
from sk_deepfeat.theory.networks.rainbow_arguments import Layer
from sk_deepfeat.theory.validation import FloatArray

_Pair = tuple[int, int]
_Matrices = dict[_Pair, FloatArray]


class _KeptLayer(NamedTuple):
    """What is kept of a layer of both networks; keys are pairs of networks."""

    series: list[UnitSeries]
    pre: _Matrices
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
) -> tuple[_Matrices, list[FloatArray]]:
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
    features = {(i, j): covariance for i in indices for j in indices if i <= j}
    means = [mean for _ in indices]
    kept: list[_KeptLayer] = []
    thirds: _Matrices = {}
    q = dict.fromkeys(features, 0.0)
    for depth, layers in enumerate(zip(*networks, strict=True)):
        weights = [layer.weights for layer in layers]
        pre = {(i, j): between(weights[i], features[i, j], weights[j]) for i, j in features}
        if kept:
            kept = _seen_by(weights, kept)
            q = _excesses(kept[-1], features, pre, thirds, q)
            thirds = {
                (i, j): np.sum([third_cumulants(layer.source(i, j)) for layer in kept], axis=0)
                for i in indices
                for j in indices
            }
        inner = [layer.weights @ old + layer.bias for layer, old in zip(layers, means, strict=True)]
        sides = [
            preactivation(layers[i].activation, inner[i], np.diagonal(pre[i, i]), method)
            for i in indices
        ]
        n_paired = paired[depth] if depth < len(paired) else 0
        followed = depth + 1 < len(networks[0])
        series = [unit_series(side, squared=followed) for side in sides]
        kept.append(_KeptLayer(series, pre, n_paired, weights))
        features = _features(kept[-1], sides, thirds, q, method, order)
        means = [side.moments.mean for side in sides]
    return _nearest_covariances(features, len(networks)), means


def _seen_by(weights: list[FloatArray], kept: list[_KeptLayer]) -> list[_KeptLayer]:
    """Carry the maps of every layer on to the pre-activations of the next."""
    last = kept[-1]
    slopes = [units.derivative(1) for units in last.series]
    earlier = [
        layer._replace(
            maps=[(w * d) @ old for w, d, old in zip(weights, slopes, layer.maps, strict=True)]
        )
        for layer in kept[:-1]
    ]
    return [*earlier, last._replace(maps=weights)]


def _excesses(
    last: _KeptLayer, features: _Matrices, pre: _Matrices, thirds: _Matrices, q: dict[_Pair, float]
) -> dict[_Pair, float]:
    """Return q of the pre-activations, from the features before and their own q and thirds."""
    found = {}
    for i, j in features:
        sizes = [np.trace(pre[k, k]) / len(pre[k, k]) for k in (i, j)]
        known = (thirds[i, j], thirds[j, i]) if thirds else None
        value = excess(last.source(i, j), features[i, j], known, q[i, j])
        found[i, j] = value / max(sizes[0] * sizes[1], 1e-300)
    return found


def _features(
    layer: _KeptLayer,
    sides: list[Preactivation],
    thirds: _Matrices,
    q: dict[_Pair, float],
    method: str,
    order: int,
) -> _Matrices:
    """Return the covariances of the activations: those of normal pre-activations, and the gain."""
    features = {}
    for (i, j), pre in layer.pre.items():
        if i == j:
            matrix = own_covariance(pre.copy(), sides[i], method, order)
        else:
            matrix = cross_covariance(pre.copy(), sides[i], sides[j], layer.n_paired, method, order)
        if thirds:
            known = thirds[i, j], thirds[j, i]
            added = gain(layer.series[i], layer.series[j], known, q[i, j])
            # strongly correlated entries have more of their own than what is added
            exact = np.arange(len(added) if i == j else layer.n_paired)
            added[exact, exact] = 0.0
            matrix += added
        features[i, j] = matrix
    return features


def _nearest_covariances(features: _Matrices, n_networks: int) -> _Matrices:
    """Return the nearest positive semi-definite joint matrix, which truth is no farther from."""
    joint = features[0, 0]
    if n_networks == 2:
        joint = np.block([[joint, features[0, 1]], [features[0, 1].T, features[1, 1]]])
    if has_cholesky(joint, 1e-12 * np.trace(joint) / len(joint)):
        return features
    values, vectors = np.linalg.eigh(joint)
    joint = (vectors * np.maximum(values, 0.0)) @ vectors.T
    p = len(features[0, 0])
    parts = {(0, 0): joint[:p, :p], (0, 1): joint[:p, p:], (1, 1): joint[p:, p:]}
    return {pair: parts[pair] for pair in features}
