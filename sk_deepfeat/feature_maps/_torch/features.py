"""Activations of a rebuilt network, batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sk_deepfeat.feature_maps._torch.batches import to_tensor
from sk_deepfeat.feature_maps._torch.determinism import reproducible
from sk_deepfeat.feature_maps._torch.layers import layer_function, layer_names
from sk_deepfeat.feature_maps._torch.networks import State, build_network, load_arrays
from sk_deepfeat.feature_maps.network_spec import NetworkSpec

# Entries of a batch; activations of convolutions are some tens of times larger.
_BATCH_ENTRIES, _MOST_ROWS = 2**20, 1024


def features_of_state(spec: NetworkSpec, state: State, X: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Return the activations of `spec.layer` for weights `state`.

    Parameters
    ----------
    spec : NetworkSpec
        Description from which the network is rebuilt.
    state : dict of str to ndarray
        Weights.
    X : ndarray of shape (n_samples, *spec.input_shape)
        Any numeric dtype; cast batch by batch.
    dtype : {float32, float64}
        Of the result.

    Returns
    -------
    ndarray of shape (n_samples, n_features_out)
    """
    with reproducible(spec.seed, spec.device):
        network = build_network(spec)
        load_arrays(network, state)
        return layer_features(network, spec, X, dtype)


def layer_features(
    network: nn.Module, spec: NetworkSpec, X: NDArray[Any], dtype: Any
) -> NDArray[Any]:
    """Return the flattened activations of `spec.layer` in evaluation mode.

    Parameters
    ----------
    network : torch.nn.Module
        Moved to `spec.device`, put into evaluation mode and into the dtype of the computation.
    spec : NetworkSpec
        Its description.
    X : ndarray of shape (n_samples, *spec.input_shape)
        Rows.
    dtype : {float32, float64}
        Of the result.

    Returns
    -------
    ndarray of shape (n_samples, n_features_out)

    Raises
    ------
    ValueError
        If there is no such layer, or it does not give one row for each row.
    """
    # Our own network computes in the dtype of X. A user's forward may create float32 tensors.
    compute = np.dtype(dtype if spec.module is None else np.float32)
    network = network.eval().to(device=spec.device)
    if compute == np.float64:
        network = network.double()
    run = layer_function(network, spec.layer)
    n_rows = max(1, min(_MOST_ROWS, _BATCH_ENTRIES // spec.in_features))
    features: NDArray[Any] | None = None
    with torch.inference_mode():
        for start in range(0, len(X), n_rows):
            block = X[start : start + n_rows]
            values = _flat(run, to_tensor(block, compute).to(spec.device), spec, network)
            if features is None:
                features = np.empty((len(X), values.shape[1]), dtype=dtype)
            features[start : start + n_rows] = values
    assert features is not None  # validation refuses an X without rows
    return features


def _flat(
    run: Callable[[Any], Any], batch: torch.Tensor, spec: NetworkSpec, network: nn.Module
) -> NDArray[Any]:
    values = run(batch)
    if not isinstance(values, torch.Tensor) or not values.ndim or len(values) != len(batch):
        got = tuple(values.shape) if isinstance(values, torch.Tensor) else type(values).__name__
        raise ValueError(
            f"layer={spec.layer!r} must give a tensor with one row for each of the {len(batch)} "
            f"rows of a batch, but it gave {got}; choose another of the layers "
            f"{', '.join(layer_names(network))}."
        )
    return values.reshape(len(batch), -1).cpu().numpy()
