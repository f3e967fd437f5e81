"""Build networks from their description, and move their weights to and from numpy."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sk_deepfeat.feature_maps._torch.advice import failed_on
from sk_deepfeat.feature_maps._torch.perceptron import build_perceptron
from sk_deepfeat.feature_maps.module_names import short_name
from sk_deepfeat.feature_maps.network_spec import NetworkSpec

State = dict[str, NDArray[Any]]


def build_network(spec: NetworkSpec) -> nn.Module:
    """Return a new network on the CPU, with initial weights from torch's generator.

    Parameters
    ----------
    spec : NetworkSpec
        `in_features` and `out_features` are handed to `spec.module` if it names them.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    TypeError
        If `spec.module` does not return a module.
    ValueError
        If lazy layers cannot be given rows of this shape.
    """
    if spec.module is None:
        return build_perceptron(spec)
    params = {**_sizes_asked_for(spec), **spec.module_params}
    network = spec.module(**params)
    if not isinstance(network, nn.Module):
        raise TypeError(
            f"module={short_name(spec.module)} must return a torch.nn.Module, but it returned a "
            f"{type(network).__name__}."
        )
    if any(isinstance(p, nn.parameter.UninitializedParameter) for p in network.parameters()):
        with torch.no_grad():  # lazy layers find their widths in a first pass
            try:
                network.eval()(torch.zeros((2, *spec.input_shape)))
            except Exception as error:  # a user's forward may raise anything
                raise failed_on(network, spec, error) from error
    return network


def _sizes_asked_for(spec: NetworkSpec) -> dict[str, int]:
    assert spec.module is not None
    try:
        names = inspect.signature(spec.module).parameters
    except ValueError:  # a callable without a signature names nothing
        return {}
    bound = getattr(spec.module, "keywords", {})  # of a functools.partial
    sizes = {"in_features": spec.in_features, "out_features": spec.out_features}
    return {
        name: size
        for name, size in sizes.items()
        if name in names and name not in bound and names[name].kind.name != "VAR_KEYWORD"
    }


def check_fresh(first: nn.Module, second: nn.Module, spec: NetworkSpec) -> None:
    """Refuse a factory whose networks share weights: they would survive clone.

    Parameters
    ----------
    first, second : torch.nn.Module
        Networks from two calls of `build_network`.
    spec : NetworkSpec
        Their description.

    Raises
    ------
    ValueError
        If they are the same, or share a parameter.
    """
    shared = {id(p) for p in first.parameters()} & {id(p) for p in second.parameters()}
    if first is second or shared:
        raise ValueError(
            f"module={short_name(spec.module)} returned the same network, or the same parameters, "
            "twice: trained weights would leak from one fit into the next. Return a fresh network "
            "from every call, built inside the function."
        )


def state_to_arrays(network: nn.Module) -> State:
    """Return copies of all parameters and buffers.

    Parameters
    ----------
    network : torch.nn.Module
        On any device.

    Returns
    -------
    dict of str to ndarray
    """
    arrays = {}
    for name, value in network.state_dict().items():
        if not isinstance(value, torch.Tensor):
            raise TypeError(
                f"{name!r} in the state of the network is a {type(value).__name__}, which cannot "
                "be kept: only tensors can."
            )
        arrays[name] = np.array(value.detach().cpu().numpy())
    return arrays


def load_arrays(network: nn.Module, state: State) -> None:
    """Put the arrays of `state_to_arrays` into a network of the same description.

    Parameters
    ----------
    network : torch.nn.Module
        Changed in place.
    state : dict of str to ndarray
        Copied.
    """
    network.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
