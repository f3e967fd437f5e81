"""Activations with more than two axes, as one row of features for each row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn

from sk_deepfeat.feature_maps.network_spec import NetworkSpec

_FIRST, _LAST = 1, -1
# What these compute tells the axis of the features: channels come first, or features last.
_CHANNELS_FIRST: tuple[type[nn.Module], ...] = (
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm),
    *(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d),
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
    *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
    *(nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d, nn.Upsample),
)
_FEATURES_LAST: tuple[type[nn.Module], ...] = (
    *(nn.Linear, nn.Embedding, nn.LayerNorm, nn.RMSNorm),
    *(nn.TransformerEncoderLayer, nn.TransformerDecoderLayer),
)
_NORMS_LAST = (nn.LayerNorm, nn.RMSNorm)


class Evidence(NamedTuple):
    """What a module of the forward pass says about the axis of the features."""

    name: str
    axis: int
    shape: tuple[int, ...]


@contextmanager
def watched(network: nn.Module, layer: str) -> Iterator[list[Evidence]]:
    """Note the modules that tell the axis of features, while a batch goes through.

    Parameters
    ----------
    network : torch.nn.Module
        Its modules get a hook for the time being.
    layer : str
        What comes after it is not noted, as far as it is a module that is called.

    Yields
    ------
    list of Evidence
        In the order of computation.
    """
    seen: list[Evidence] = []
    reached: list[str] = []
    handles = []

    def note(name: str, axis: int) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor) and not reached:
                seen.append(Evidence(name, axis, tuple(output.shape)))

        return hook

    for name, module in network.named_modules():
        axis = _axis_of(module)
        if axis is not None:
            handles.append(module.register_forward_hook(note(name, axis)))
        if name == layer:  # after its own note
            handles.append(module.register_forward_hook(lambda *_: reached.append(layer)))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _axis_of(module: nn.Module) -> int | None:
    for axis, kinds in ((_FIRST, _CHANNELS_FIRST), (_LAST, _FEATURES_LAST)):
        for kind in kinds:
            # A subclass may have a forward of its own, such as a LayerNorm over channels.
            if isinstance(module, kind) and type(module).forward is kind.forward:
                whole = isinstance(module, _NORMS_LAST) and len(module.normalized_shape) > 1
                return None if whole else axis
    return None


def feature_axis(spec: NetworkSpec, shape: tuple[int, ...], seen: list[Evidence]) -> int:
    """Return the axis of an activation that holds features; the others are positions.

    The modules that computed it decide, of which those with outputs of the same shape count
    first. Without any, four and five axes are a batch of channels by positions.

    Parameters
    ----------
    spec : NetworkSpec
        For the message.
    shape : tuple of int
        Of the activation, three axes or more.
    seen : list of Evidence
        From the forward pass that computed it.

    Returns
    -------
    {1, -1}

    Raises
    ------
    ValueError
        If the modules do not agree, or nothing is known about three axes.
    """
    own = [number for number, item in enumerate(seen) if item.name == spec.layer]
    if own and seen[own[0]].shape == shape:
        return seen[own[0]].axis
    alike = {item.axis for item in seen if item.shape == shape}
    related = alike or {item.axis for item in seen if len(item.shape) == len(shape)}
    if len(related) == 1:
        return related.pop()
    if not related and len(shape) in (4, 5):
        return _FIRST
    why = (
        "both a module with channels first and one with features last made such shapes"
        if related
        else "no convolution, linear layer or norm tells"
    )
    raise ValueError(
        f"pool={spec.pool!r} cannot tell which axis of layer={spec.layer!r}, whose activations "
        f"have shape {('n', *shape[1:])!r}, holds features: {why}. Use pool='flatten', name a "
        "layer next to this one, or let the module itself return the pooled rows."
    )


def pooled(values: torch.Tensor, pool: str, axis: int) -> torch.Tensor:
    """Return one row of features for each row of the activation.

    Parameters
    ----------
    values : torch.Tensor of shape (n_rows, ...)
        Three axes or more.
    pool : {"mean", "max"}
        Over all positions.
    axis : {1, -1}
        That of the features.

    Returns
    -------
    torch.Tensor of shape (n_rows, n_features)
    """
    rows = values.movedim(axis, 1).flatten(2)
    return rows.mean(dim=2) if pool == "mean" else rows.amax(dim=2)
