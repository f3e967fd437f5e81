"""The activations of a layer, by name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from torch import nn

from sk_deepfeat.feature_maps._torch.requirements import require_extra
from sk_deepfeat.feature_maps.module_names import nearest


def layer_names(network: nn.Module) -> list[str]:
    """Return the names of all submodules.

    Parameters
    ----------
    network : torch.nn.Module
        Any network.

    Returns
    -------
    list of str
    """
    return [name for name, _ in network.named_modules() if name]


def layer_function(network: nn.Module, layer: str) -> Callable[[Any], Any]:
    """Return a function from a batch to the activations of a layer.

    It uses the weights that `network` has when it is called. Layers after the wanted one are left
    out wherever the computation can be traced.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode.
    layer : str
        Name of a submodule, or of a node of the traced computation.

    Returns
    -------
    callable
        Of a module that is used several times, the first output; None if it is not used at all.

    Raises
    ------
    ValueError
        If there is no such layer; the nearest are named.
    """
    # Not named_children, which leaves out a module that is used a second time.
    children = {name: child for name, child in network._modules.items() if child is not None}
    if type(network).forward is nn.Sequential.forward and layer in children:
        last = list(children).index(layer) + 1
        up_to_layer = OrderedDict(list(children.items())[:last])
        return nn.Sequential(up_to_layer).eval()
    require_extra("torchvision")
    from torchvision.models.feature_extraction import (
        create_feature_extractor,
        get_graph_node_names,
    )

    known = layer_names(network)
    nodes: list[str] = []
    try:
        # torchvision takes the beginning of a name for the last node that begins so.
        if layer not in known:
            nodes = get_graph_node_names(network)[1]
            if layer not in nodes:
                raise ValueError(layer)
        extractor = create_feature_extractor(
            network, return_nodes={layer: "features"}, suppress_diff_warning=True
        ).eval()
    except Exception as error:  # tracing runs the user's code, which may raise anything
        if layer in known:
            return _hooked(network, layer)
        names = known + [node for node in nodes if node not in known]
        raise ValueError(_unknown(layer, names if layer else known)) from error
    return lambda batch: extractor(batch)["features"]


def _hooked(network: nn.Module, layer: str) -> Callable[[Any], Any]:
    outputs: list[Any] = []

    def keep_first(module: nn.Module, inputs: Any, output: Any) -> None:
        # A copy, because the next layer may work in place.
        if not outputs:
            outputs.append(output.clone() if hasattr(output, "clone") else output)

    def run(batch: Any) -> Any:
        outputs.clear()
        handle = network.get_submodule(layer).register_forward_hook(keep_first)
        try:
            network(batch)
        finally:
            handle.remove()
        return outputs.pop() if outputs else None

    return run


def _unknown(layer: str, known: list[str]) -> str:
    said = "is not a layer of the network" if layer else "names no layer of the module"
    return f"layer={layer or None!r} {said}; {nearest(layer, known)}."
