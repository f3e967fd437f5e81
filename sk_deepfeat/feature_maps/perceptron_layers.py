"""The default network's layers, for `linearization_layers`."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from sk_deepfeat.activations import identity
from sk_deepfeat.feature_maps.network_spec import NetworkSpec


def perceptron_layers(
    spec: NetworkSpec, state: dict[str, NDArray[Any]]
) -> list[tuple[NDArray[Any], NDArray[Any] | None, Any]]:
    """Return the layers up to `spec.layer` as (weights, bias, activation).

    Parameters
    ----------
    spec : NetworkSpec
        With `module` None.
    state : dict of str to ndarray
        Weights.

    Returns
    -------
    list of (ndarray of shape (units, fan_in), ndarray of shape (units,) or None, object)

    Raises
    ------
    ValueError
        If no layer of weights precedes the chosen one.
    """
    kind, _, number = spec.layer.partition("_")
    if kind == "flatten":
        raise ValueError(
            "linearization_layers needs a layer of weights, but none precedes "
            f"layer={spec.layer!r}."
        )
    n_hidden = len(spec.hidden_layer_sizes) if kind == "output" else int(number)
    names = [f"hidden_{index}" for index in range(1, n_hidden + 1)]
    names += ["output"] if kind == "output" else []
    activations = [spec.activation] * len(names)
    if kind != "activation":
        activations[-1] = identity
    return [
        (state[f"{name}.weight"], state.get(f"{name}.bias"), activation)
        for name, activation in zip(names, activations, strict=True)
    ]
