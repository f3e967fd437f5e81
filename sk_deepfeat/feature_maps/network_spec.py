"""Everything a network is built from, as plain values; free of torch, so that pickles are too."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple


class NetworkSpec(NamedTuple):
    """What `fit` settled about the network; later changes of parameters do not touch it.

    Attributes
    ----------
    input_shape : tuple of int
        Shape of one row.
    out_features : int
        Number of outputs or classes.
    hidden_layer_sizes : tuple of int
        Of the default network.
    activation : object
        Activation object of the default network.
    bias : bool
        Whether layers of the default network have biases.
    module : callable or None
        Class or factory of another network.
    module_params : dict
        Its keyword arguments.
    layer : str
        Name of the layer whose activations are the features; "" if none was named.
    seed : int
        Seed of initialisation and training.
    device : str
        Where torch computes.
    pool : {"flatten", "mean", "max"}
        What becomes of the positions of an activation with more than two axes.
    """

    input_shape: tuple[int, ...]
    out_features: int
    hidden_layer_sizes: tuple[int, ...]
    activation: Any
    bias: bool
    module: Callable[..., Any] | None
    module_params: dict[str, Any]
    layer: str
    seed: int
    device: str
    pool: str = "flatten"

    @property
    def in_features(self) -> int:
        """Number of entries of one row."""
        return prod(self.input_shape)
