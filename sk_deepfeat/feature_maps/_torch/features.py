"""Activations of a rebuilt network, batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from sk_deepfeat.feature_maps._torch.advice import failed_on
from sk_deepfeat.feature_maps._torch.batches import Rows, to_tensor
from sk_deepfeat.feature_maps._torch.determinism import reproducible
from sk_deepfeat.feature_maps._torch.layers import layer_function, layer_names
from sk_deepfeat.feature_maps._torch.networks import State, build_network, load_arrays
from sk_deepfeat.feature_maps._torch.pooling import feature_axis, pooled, watched
from sk_deepfeat.feature_maps._torch.progress import shown_rows
from sk_deepfeat.feature_maps.module_names import nearest
from sk_deepfeat.feature_maps.network_spec import NetworkSpec

# Entries of a batch; activations of convolutions are some tens of times larger.
_BATCH_ENTRIES, _MOST_ROWS = 2**20, 1024


def features_of_state(
    spec: NetworkSpec, state: State, rows: Rows, out: Any = None, verbose: int = 0
) -> Any:
    """Return the activations of `spec.layer` for weights `state`.

    Parameters
    ----------
    spec : NetworkSpec
        Description from which the network is rebuilt.
    state : dict of str to ndarray
        Weights.
    rows : Rows
        Of shape `spec.input_shape`; read and cast batch by batch.
    out : array of shape (n_samples, n_features_out), optional
        Where features are written.
    verbose : int, default=0
        Above 0, a bar tells how many rows are done.

    Returns
    -------
    array of shape (n_samples, n_features_out)
        `out` if it is given, else float32 for float32 rows and float64 for others.
    """
    with reproducible(spec.seed, spec.device):
        network = build_network(spec)
        load_arrays(network, state)
        return layer_features(network, spec, rows, out, verbose)


def layer_features(
    network: nn.Module, spec: NetworkSpec, rows: Rows, out: Any = None, verbose: int = 0
) -> Any:
    """Return the activations of `spec.layer` in evaluation mode, one row of features a row.

    Parameters
    ----------
    network : torch.nn.Module
        Moved to `spec.device`, put into evaluation mode and into the dtype of the computation.
    spec : NetworkSpec
        Its description.
    rows : Rows
        What goes in.
    out, verbose : optional
        As for `features_of_state`.

    Returns
    -------
    array of shape (n_samples, n_features_out)

    Raises
    ------
    ValueError
        If there is no such layer, it does not give one row for each row, or the network fails.
    """
    dtype = np.float32 if rows.dtype == np.float32 else np.float64
    # Our own network computes in the dtype of X. A user's forward may create float32 tensors.
    compute = np.dtype(dtype if spec.module is None else np.float32)
    network = network.eval().to(device=spec.device)
    if compute == np.float64:
        network = network.double()
    run = layer_function(network, spec.layer)
    n_rows = max(1, min(_MOST_ROWS, _BATCH_ENTRIES // spec.in_features))
    batches = rows.batches(n_rows)
    if verbose and rows.shape[0] > n_rows:
        batches = shown_rows(batches, rows.shape[0], "transform")
    axis: int | None = None
    start = 0
    with torch.inference_mode():
        for block in batches:
            batch = to_tensor(block, compute).to(spec.device)
            if start == 0 and spec.pool != "flatten":
                with watched(network, spec.layer) as seen:
                    values = _activations(run, batch, spec, network)
                if values.ndim > 2:
                    axis = feature_axis(spec, tuple(values.shape), seen)
            else:
                values = _activations(run, batch, spec, network)
            if axis is not None:
                values = pooled(values, spec.pool, axis)
            features = values.reshape(len(batch), -1).cpu().numpy()
            if out is None:
                out = np.empty((rows.shape[0], features.shape[1]), dtype=dtype)
            out[start : start + len(batch)] = features
            start += len(batch)
    return out


def _activations(
    run: Callable[[Any], Any], batch: torch.Tensor, spec: NetworkSpec, network: nn.Module
) -> torch.Tensor:
    try:
        values = run(batch)
    except Exception as error:  # a user's forward may raise anything
        raise failed_on(network, spec, error) from error
    if values is None:
        raise ValueError(f"layer={spec.layer!r} is not used by the forward pass of the network.")
    if not isinstance(values, torch.Tensor) or not values.ndim or len(values) != len(batch):
        got = tuple(values.shape) if isinstance(values, torch.Tensor) else type(values).__name__
        raise ValueError(
            f"layer={spec.layer!r} must give a tensor with one row for each of the {len(batch)} "
            f"rows of a batch, but it gave {got}; choose another: "
            f"{nearest(spec.layer, layer_names(network))}."
        )
    return values
