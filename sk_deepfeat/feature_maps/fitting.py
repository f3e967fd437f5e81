"""What TrainedDeepFeatures settles before it trains, and before it transforms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import validate_data

from sk_deepfeat.feature_maps.network_shape import check_activation, check_hidden_layer_sizes
from sk_deepfeat.feature_maps.network_spec import NetworkSpec
from sk_deepfeat.feature_maps.targets import Targets, encode_targets


def require_torch() -> None:
    """Raise ImportError, naming the extra, unless it is installed."""
    from sk_deepfeat.feature_maps._torch.requirements import require_extra

    require_extra("torch", "skorch")


def is_data_set(X: Any) -> bool:
    """Say whether X is a data set or a loader of torch."""
    from sk_deepfeat.feature_maps._torch import data_sets

    return data_sets.is_data_set(X)


def array_rows(X: NDArray[Any]) -> Any:
    """Return the rows of an array as `_torch` reads them."""
    from sk_deepfeat.feature_maps._torch.batches import ArrayRows

    return ArrayRows(X)


def default_layers(estimator: Any) -> tuple[tuple[int, ...], Any]:
    """Return sizes and activation of the default network, () and None if there is a module.

    Parameters
    ----------
    estimator : TrainedDeepFeatures
        Its parameters are read.

    Returns
    -------
    sizes : tuple of int
    activation : activation object or None

    Raises
    ------
    ValueError, TypeError
        Naming the parameter.
    """
    if estimator.module is not None:
        return (), None
    sizes = check_hidden_layer_sizes(estimator.hidden_layer_sizes)
    activation = check_activation(estimator.activation)
    if not isinstance(getattr(activation, "torch_name", None), str):
        raise TypeError(
            f"activation={estimator.activation!r} has no torch_name, so torch cannot compute it. "
            "Give a built-in name, or an activation object whose torch_name is the name of a class "
            "of torch.nn or of a function of torch."
        )
    return sizes, activation


def training_data(estimator: Any, X: Any, y: Any) -> tuple[Any, Targets | None]:
    """Return the rows and the targets to train on.

    Parameters
    ----------
    estimator : TrainedDeepFeatures
        Learns ``n_features_in_`` and ``feature_names_in_``.
    X, y : object
        As given to `fit`.

    Returns
    -------
    rows : Rows
    targets : Targets or None
        None only for ``max_epochs == 0``.
    """
    from sk_deepfeat.feature_maps._torch.data_sets import data_set_rows

    rows = data_set_rows(X, estimator.verbose)
    if rows is not None:
        y = rows.targets(y) if estimator.max_epochs or y is not None else None
        if y is not None:
            y = validate_data(estimator, X="no_validation", y=y, multi_output=True)
            check_consistent_length(rows, y)
        estimator.n_features_in_ = rows.shape[1]
        estimator.__dict__.pop("feature_names_in_", None)
        return rows, None if y is None else encode_targets(y, estimator.loss)
    if y is None:
        if estimator.max_epochs:
            raise ValueError(
                f"{type(estimator).__name__} requires y to be passed, but the target y is None; "
                "only max_epochs=0, an untrained network, needs no y."
            )
        return array_rows(validate_data(estimator, X, dtype="numeric", allow_nd=True)), None
    X, y = validate_data(estimator, X, y, dtype="numeric", allow_nd=True, multi_output=True)
    return array_rows(X), encode_targets(y, estimator.loss)


def describe_network(
    estimator: Any, layers: tuple[tuple[int, ...], Any], rows: Any, targets: Targets | None
) -> NetworkSpec:
    """Return the description of the network to train.

    Parameters
    ----------
    estimator : TrainedDeepFeatures
        Its parameters are read.
    layers : tuple
        From `default_layers`.
    rows, targets : object
        From `training_data`.

    Returns
    -------
    NetworkSpec
    """
    from sk_deepfeat.feature_maps._torch.determinism import check_device

    check_device(estimator.device)
    sizes, activation = layers
    last = f"activation_{len(sizes)}" if estimator.module is None else ""
    seed = check_random_state(estimator.random_state).randint(np.iinfo(np.int32).max)
    return NetworkSpec(
        input_shape=rows.shape[1:],
        out_features=1 if targets is None else targets.n_outputs,
        hidden_layer_sizes=sizes,
        activation=activation,
        bias=bool(estimator.bias),
        module=estimator.module,
        module_params=dict(estimator.module_params or {}),
        layer=last if estimator.layer is None else estimator.layer,
        seed=int(seed),
        device=estimator.device,
        pool=estimator.pool,
    )


def rows_as_fitted(estimator: Any, X: Any) -> Any:
    """Return the rows to transform.

    Parameters
    ----------
    estimator : TrainedDeepFeatures
        Fitted.
    X : object
        As given to `transform`.

    Returns
    -------
    Rows

    Raises
    ------
    ValueError
        If a row has another shape than in `fit`.
    """
    from sk_deepfeat.feature_maps._torch.data_sets import data_set_rows

    require_torch()
    rows = data_set_rows(X)
    if rows is None:
        X = validate_data(estimator, X, dtype="numeric", allow_nd=True, reset=False)
        rows = array_rows(X)
    shape = estimator._spec.input_shape
    if rows.shape[1:] != shape:
        raise ValueError(
            f"X has rows of shape {rows.shape[1:]}, but {type(estimator).__name__} was fitted with "
            f"rows of shape {shape}."
        )
    return rows
