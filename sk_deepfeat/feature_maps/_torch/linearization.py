"""A sequential network as dense layers x -> activation(W x + b)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from sk_deepfeat import activations
from sk_deepfeat.activations.piecewise_linear import LeakyReLU
from sk_deepfeat.feature_maps._torch.determinism import reproducible
from sk_deepfeat.feature_maps._torch.networks import State, build_network, load_arrays
from sk_deepfeat.feature_maps.module_names import nearest, short_name
from sk_deepfeat.feature_maps.network_spec import NetworkSpec
from sk_deepfeat.theory.validation import FloatArray

# Affine in evaluation mode; their matrices are read off from what they make of unit vectors.
_AFFINE = (nn.Linear, nn.Conv2d, nn.AvgPool2d, nn.Flatten, nn.Identity, nn.Dropout)
_SUPPORTED = "Sequential of Linear, Conv2d, AvgPool2d, Flatten, Identity, Dropout and activations"
_BATCH_ROWS = 256

DenseLayer = tuple[FloatArray, FloatArray | None, Any]


def dense_layers(spec: NetworkSpec, state: State) -> list[DenseLayer]:
    """Return the layers up to `spec.layer` as (weights, bias, activation), on flattened rows.

    Parameters
    ----------
    spec : NetworkSpec
        With a `module` that makes an ``nn.Sequential``, nested ones included.
    state : dict of str to ndarray
        Weights.

    Returns
    -------
    list of (ndarray of shape (units, fan_in), ndarray of shape (units,) or None, object)
        In float64. Affine modules that follow each other are one layer.

    Raises
    ------
    ValueError
        Naming the layer that is not supported.
    """
    with reproducible(spec.seed, "cpu"):
        network = build_network(spec)
        load_arrays(network, state)
    network = network.eval().double()
    layers: list[DenseLayer] = []
    shape: tuple[int, ...] = spec.input_shape
    affine: list[nn.Module] = []
    for name, module in _modules_until(network, spec):
        if _keeps_forward(module, _AFFINE):
            affine.append(module)
            continue
        activation = _known_activation(module)
        if activation is None:
            raise ValueError(
                f"linearization_layers does not support layer {name!r}, {_said(module)}, of "
                f"module={short_name(spec.module)}; supported: {_SUPPORTED}."
            )
        weights, bias, shape = _dense(affine, shape)
        layers.append((weights, bias, activation))
        affine = []
    if affine:
        weights, bias, shape = _dense(affine, shape)
        layers.append((weights, bias, activations.identity))
    if spec.pool != "flatten" and len(shape) > 1:
        raise ValueError(
            f"linearization_layers describes flattened activations, not pool={spec.pool!r}. Put an "
            "nn.AvgPool2d over all positions into the network, and name it as layer."
        )
    return layers


def _modules_until(network: nn.Module, spec: NetworkSpec) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules in the order of the forward pass, the one named `spec.layer` last."""
    modules = list(_flat("", network, spec))
    names = [name for name, _ in modules]
    ends = [
        number
        for number, name in enumerate(names)
        if name == spec.layer or name.startswith(f"{spec.layer}.")
    ]
    if not ends:
        raise ValueError(
            f"linearization_layers cannot follow layer={spec.layer!r} of "
            f"module={short_name(spec.module)}: {nearest(spec.layer, names)}."
        )
    yield from modules[: ends[-1] + 1]


def _flat(prefix: str, module: nn.Module, spec: NetworkSpec) -> Iterator[tuple[str, nn.Module]]:
    if type(module).forward is not nn.Sequential.forward:
        if not prefix:
            raise ValueError(
                f"linearization_layers does not support module={short_name(spec.module)}, a "
                f"{type(module).__name__} with a forward of its own; supported: {_SUPPORTED}."
            )
        yield prefix, module
        return
    # Not named_children, which leaves out a module that is used a second time.
    for name, child in module._modules.items():
        assert child is not None  # a Sequential has no empty places
        yield from _flat(f"{prefix}.{name}" if prefix else name, child, spec)


def _said(module: nn.Module) -> str:
    """Return the module with its arguments, such as that of a GELU, if nothing is inside."""
    return short_name(module) if list(module.children()) else repr(module)


def _keeps_forward(module: nn.Module, classes: tuple[type[nn.Module], ...]) -> bool:
    """Return whether the module is of one of the classes, and computes what that class does."""
    kinds = [kind for kind in classes if isinstance(module, kind)]
    return bool(kinds) and all(
        getattr(type(module), name, None) is getattr(kinds[0], name, None)
        and name not in vars(module)
        for name in ("forward", "_conv_forward", "__call__")
    )


def _known_activation(module: nn.Module) -> Any:
    """Return the activation object of the same function, None if there is none."""
    if isinstance(module, nn.LeakyReLU):
        kept = _keeps_forward(module, (nn.LeakyReLU,)) and 0.0 <= module.negative_slope <= 1.0
        return LeakyReLU(module.negative_slope) if kept else None
    points = torch.linspace(-30.0, 30.0, 241, dtype=torch.float64)
    for name in activations.__all__:
        activation = getattr(activations, name)
        if getattr(activation, "torch_name", None) != type(module).__name__:
            continue
        # Parameters of the module, such as the approximation of GELU, may change the function.
        with torch.inference_mode():
            values = module(points.clone()).numpy()
        return activation if np.allclose(values, activation(points.numpy()), 0.0, 1e-7) else None
    return None


def _dense(
    modules: list[nn.Module], shape: tuple[int, ...]
) -> tuple[FloatArray, FloatArray | None, tuple[int, ...]]:
    """Return matrix, offset and the shape of a row of output of affine modules in a row."""
    run = nn.Sequential(*modules)
    with torch.inference_mode():
        origin = run(torch.zeros((1, *shape), dtype=torch.float64))
        offset = origin.reshape(-1).numpy()
        size = int(np.prod(shape))
        weights = np.empty((offset.size, size))
        for start in range(0, size, _BATCH_ROWS):
            count = min(_BATCH_ROWS, size - start)
            units = torch.zeros((count, size), dtype=torch.float64)
            units[torch.arange(count), start + torch.arange(count)] = 1.0
            images = run(units.reshape(count, *shape)).reshape(count, -1).numpy()
            weights[:, start : start + count] = (images - offset).T
    return weights, offset.copy() if np.any(offset) else None, tuple(origin.shape[1:])
