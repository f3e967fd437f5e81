"""Words for a network that fails on the rows it is given."""

from __future__ import annotations

from math import isqrt, prod

import torch
from torch import nn

from sk_deepfeat.feature_maps.module_names import short_name
from sk_deepfeat.feature_maps.network_spec import NetworkSpec

_CONVOLUTIONS = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}
_AXES = {1: "length", 2: "height, width", 3: "depth, height, width"}
_GENERAL = "Give X the shape (n_samples, ...) that the forward pass of the network takes."


def failed_on(network: nn.Module, spec: NetworkSpec, error: Exception) -> Exception:
    """Return the exception to raise in place of one from the forward pass.

    Parameters
    ----------
    network : torch.nn.Module
        The network.
    spec : NetworkSpec
        Its description.
    error : Exception
        What its forward pass raised.

    Returns
    -------
    Exception
        The same one if memory is short.
    """
    if isinstance(error, torch.OutOfMemoryError):
        return error
    reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return ValueError(
        f"module={short_name(spec.module or network)} fails on rows of shape {spec.input_shape}: "
        f"{reason}. {_advice(network, spec.input_shape)}"
    )


def _advice(network: nn.Module, shape: tuple[int, ...]) -> str:
    for name, module in network.named_modules():
        for kind, n_axes in _CONVOLUTIONS.items():
            if isinstance(module, kind) and module.in_channels:  # a lazy one has none yet
                return _of_convolution(name, module.in_channels, n_axes, shape)
        if isinstance(module, nn.Linear) and module.in_features:
            return _of_linear(name, module.in_features, shape)
    return _GENERAL


def _of_convolution(name: str, channels: int, n_axes: int, shape: tuple[int, ...]) -> str:
    told = (
        f"Its first convolution, {name!r}, takes X of shape (n_samples, {channels}, "
        f"{_AXES[n_axes]})"
    )
    n_pixels, left = divmod(prod(shape), channels)
    side = isqrt(n_pixels)
    if len(shape) == 1 and n_axes == 2 and not left and side**2 == n_pixels:
        return f"{told}: X.reshape(-1, {channels}, {side}, {side}), if that is how rows were made."
    if len(shape) == n_axes:
        remedy = "X[:, None]" if channels == 1 else f"np.repeat(X[:, None], {channels}, axis=1)"
        return f"{told}: {remedy}."
    if len(shape) == n_axes + 1 and shape[0] != channels:
        if shape[-1] == channels:
            return f"{told}: np.moveaxis(X, -1, 1)."
        if shape[0] == 1:
            return f"{told}: np.repeat(X, {channels}, axis=1)."
    return f"{told}."


def _of_linear(name: str, width: int, shape: tuple[int, ...]) -> str:
    told = f"Its first linear layer, {name!r}, takes {width} features"
    if len(shape) > 1 and prod(shape) == width:
        return f"{told}: X.reshape(len(X), -1)."
    if len(shape) == 1 and shape[0] != width:
        return (
            f"{told}, X has {shape[0]}; let the module take in_features as an argument, or set "
            "its width in module_params."
        )
    return f"{told}. {_GENERAL}"
