"""Whether arrays from a file are those of the network that the file describes."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_deepfeat.feature_maps.module_names import short_name
from sk_deepfeat.feature_maps.network_spec import NetworkSpec
from sk_deepfeat.feature_maps.training_options import check_pool

_PLAIN = {
    "out_features": int,
    "bias": bool,
    "module_params": dict,
    "layer": str,
    "seed": int,
    "device": str,
    "pool": str,
}


def described_network(fields: dict[str, Any]) -> NetworkSpec:
    """Return the description of a network, after a look at every field.

    Parameters
    ----------
    fields : dict
        As a file has them.

    Raises
    ------
    ValueError, TypeError
        If one is missing, unknown, or of another kind.
    """
    spec = NetworkSpec(**fields)
    for name, kind in _PLAIN.items():
        if type(getattr(spec, name)) is not kind:
            raise ValueError(f"{name} of the network must be of type {kind.__name__}")
    for name in ("input_shape", "hidden_layer_sizes"):
        sizes = getattr(spec, name)
        if type(sizes) is not tuple or not all(type(size) is int and size > 0 for size in sizes):
            raise ValueError(f"{name} of the network must be a tuple of positive integers")
    if spec.out_features < 1 or spec.seed < 0 or not spec.input_shape:
        raise ValueError("out_features, seed or input_shape of the network is out of range")
    if (spec.module is None) == (not spec.hidden_layer_sizes):
        raise ValueError("the network has neither a module nor layers, or both")
    check_pool(spec.pool)
    return spec


def check_trained(values: dict[str, Any]) -> None:
    """Raise ValueError unless the weights are those of the network, at every checkpoint.

    Parameters
    ----------
    values : dict
        Attributes of a fitted `TrainedDeepFeatures`.
    """
    spec = values["_spec"]
    states = [values["_state"], *values["_checkpoint_states"]]
    epochs = values["_checkpoint_epochs"]
    if len(epochs) != len(states) - 1 or not all(type(epoch) is float for epoch in epochs):
        raise ValueError("each checkpoint needs its epoch")
    for state in states:
        if not all(isinstance(array, np.ndarray) for array in state.values()):
            raise ValueError("weights must be arrays")
    if type(values["n_iter_"]) is not int or type(values["history_"]) is not list:
        raise ValueError("n_iter_ or history_ is not made as it should be")
    if np.ndim(values.get("classes_", [])) != 1:
        raise ValueError("classes_ must have one axis")
    _check_names(values, spec.input_shape[0])
    width = values["_n_features_out"]
    if type(width) is not int or width < 1:
        raise ValueError("the number of features must be a positive integer")
    if spec.module is not None:
        return
    if spec.activation is None:
        raise ValueError("the default network needs an activation")
    shapes, widths = _perceptron(spec)
    for state in states:
        found = {name: array.shape for name, array in state.items()}
        if found != shapes:
            raise ValueError(f"its weights have shapes {found}, but the network has {shapes}")
        if not all(array.dtype == np.float32 for array in state.values()):
            raise ValueError("weights of the network must be in float32")
    if widths.get(spec.layer) != width:
        raise ValueError(f"layer={spec.layer!r:.60} does not give {width} features")


def _perceptron(spec: NetworkSpec) -> tuple[dict[str, tuple[int, ...]], dict[str, int]]:
    """Return the shapes of the weights of the default network, and the widths of its layers."""
    names = [f"hidden_{k}" for k in range(1, len(spec.hidden_layer_sizes) + 1)] + ["output"]
    sizes = [*spec.hidden_layer_sizes, spec.out_features]
    fan_ins = [spec.in_features, *spec.hidden_layer_sizes]
    shapes: dict[str, tuple[int, ...]] = {}
    widths = {"flatten": spec.in_features} if len(spec.input_shape) > 1 else {}
    for name, size, fan_in in zip(names, sizes, fan_ins, strict=True):
        shapes[f"{name}.weight"] = (size, fan_in)
        if spec.bias:
            shapes[f"{name}.bias"] = (size,)
        widths |= {name: size, name.replace("hidden", "activation"): size}
    return shapes, widths


def check_random(values: dict[str, Any]) -> None:
    """Raise ValueError unless each layer takes what the one before it gives.

    Parameters
    ----------
    values : dict
        Attributes of a fitted `RandomDeepFeatures`.
    """
    weights, biases = values["weights_"], values["biases_"]
    width = values["n_features_in_"]
    _check_names(values, width)
    for matrix, bias in zip(weights, biases, strict=True):
        if not _is_double(matrix, 2) or matrix.shape[1] != width or not len(matrix):
            raise ValueError(f"weights of a layer must be float64, of {width} columns")
        width = len(matrix)
        if bias is not None and (not _is_double(bias, 1) or len(bias) != width):
            raise ValueError(f"biases of a layer must be float64, one for each of {width} units")
    if not weights or values["_n_features_out"] != width or values["_activation"] is None:
        raise ValueError("layers, their last width or the activation are missing")


def _is_double(array: Any, n_axes: int) -> bool:
    return isinstance(array, np.ndarray) and array.dtype == np.float64 and array.ndim == n_axes


def _check_names(values: dict[str, Any], n_features: int) -> None:
    if type(values["n_features_in_"]) is not int or values["n_features_in_"] != n_features:
        raise ValueError("n_features_in_ is not the number of inputs")
    names = values.get("feature_names_in_")
    if names is not None and (
        not isinstance(names, np.ndarray) or names.dtype.kind != "O" or len(names) != n_features
    ):
        raise ValueError("there must be one name for each input")


def check_module_state(estimator: Any) -> None:
    """Raise ValueError unless a module that was handed over has the weights of the file.

    Parameters
    ----------
    estimator : TrainedDeepFeatures
        Fitted; its module is called.
    """
    from sk_deepfeat.feature_maps.fitting import require_torch

    require_torch()
    from sk_deepfeat.feature_maps._torch.determinism import reproducible
    from sk_deepfeat.feature_maps._torch.networks import build_network, load_arrays

    spec = estimator._spec
    with reproducible(spec.seed, "cpu"):
        network = build_network(spec)
        for state in [estimator._state, *estimator._checkpoint_states]:
            try:
                load_arrays(network, state)
            except (RuntimeError, TypeError, ValueError) as error:
                raise ValueError(
                    f"module={short_name(spec.module)} is not the network of the file: "
                    f"{' '.join(str(error).split())}"
                ) from error
