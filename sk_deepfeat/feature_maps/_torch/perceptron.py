"""The default network: a multilayer perceptron with named layers."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import nn

from sk_deepfeat.feature_maps.network_spec import NetworkSpec


class Pointwise(nn.Module):
    """A function of torch, such as ``torch.sin``, as a module."""

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__()
        self.name, self.params = name, params

    def forward(self, x: Any) -> Any:
        """Return f(x)."""
        return getattr(torch, self.name)(x, **self.params)


def build_perceptron(spec: NetworkSpec) -> nn.Module:
    """Return hidden_1, activation_1, hidden_2, …, output, in order; images are flattened first.

    Parameters
    ----------
    spec : NetworkSpec
        With `module` None.

    Returns
    -------
    torch.nn.Sequential
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if len(spec.input_shape) > 1:
        layers["flatten"] = nn.Flatten()
    fan_in = spec.in_features
    for number, size in enumerate(spec.hidden_layer_sizes, start=1):
        layers[f"hidden_{number}"] = nn.Linear(fan_in, size, bias=spec.bias)
        layers[f"activation_{number}"] = _torch_activation(spec.activation)
        fan_in = size
    layers["output"] = nn.Linear(fan_in, spec.out_features, bias=spec.bias)
    return nn.Sequential(layers)


def _torch_activation(activation: Any) -> nn.Module:
    name = activation.torch_name
    params = dict(getattr(activation, "torch_params", {}))
    found = getattr(nn, name, None)
    if isinstance(found, type) and issubclass(found, nn.Module):
        return found(**params)
    if not callable(getattr(torch, name, None)):
        raise ValueError(
            f"activation={activation!r} has torch_name={name!r}, which is neither a class of "
            "torch.nn nor a function of torch."
        )
    return Pointwise(name, params)
