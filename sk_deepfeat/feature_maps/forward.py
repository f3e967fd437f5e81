"""The forward pass of a numpy network, in blocks of rows and in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Bytes for everything that is neither input, output nor weights: well below the 64 MiB promised,
# and blocks of a thousand rows of usual widths, where matrix products run at full speed.
_BLOCK_BYTES = 24 * 2**20
# An activation and its few temporaries of this size stay in the second-level cache.
_CHUNK_BYTES = 2**17


class NumpyLayer(NamedTuple):
    """One layer x -> activation(weights @ x + bias), in the precision it computes in."""

    weights: NDArray[Any]
    bias: NDArray[Any] | None
    activation: Any


def forward_pass(X: NDArray[Any], layers: Sequence[NumpyLayer]) -> NDArray[Any]:
    """Return the activations of the last layer, in the dtype of the weights.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Any numeric dtype; it is cast block by block.
    layers : sequence of NumpyLayer
        Weights of shape (units, fan_in), all of one dtype.

    Returns
    -------
    ndarray of shape (n_samples, units of the last layer)
    """
    dtype = layers[-1].weights.dtype
    features = np.empty((X.shape[0], layers[-1].weights.shape[0]), dtype=dtype)
    # Two hidden blocks live at a time, and one block of the input, should it need a copy.
    hidden = sorted((layer.weights.shape[0] for layer in layers[:-1]), reverse=True)
    width = X.shape[1] + sum(hidden[:2])
    n_rows = max(1, _BLOCK_BYTES // (width * dtype.itemsize))
    for start in range(0, X.shape[0], n_rows):
        rows = slice(start, start + n_rows)
        block = X[rows].astype(dtype, copy=False)
        for layer in layers[:-1]:
            block = _apply(layer, block, np.empty((len(block), len(layer.weights)), dtype=dtype))
        _apply(layers[-1], block, features[rows])
    return features


def _apply(layer: NumpyLayer, block: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
    np.matmul(block, layer.weights.T, out=out)
    n_rows = max(1, _CHUNK_BYTES // (out.shape[1] * out.itemsize))
    for start in range(0, len(out), n_rows):
        chunk = out[start : start + n_rows]
        if layer.bias is not None:
            chunk += layer.bias
        value = layer.activation(chunk, out=chunk)
        if value is not chunk:  # an activation that did not write where it was asked to
            np.copyto(chunk, value, casting="same_kind")
    return out
