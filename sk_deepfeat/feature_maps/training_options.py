"""The training parameters of TrainedDeepFeatures, checked."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_scalar

from sk_deepfeat.feature_maps.module_names import short_name
from sk_deepfeat.feature_maps.targets import LOSSES

POOLS = ("flatten", "mean", "max")
_INTEGERS = (int, np.integer)
_REALS = (int, float, np.integer, np.floating)


class TrainingOptions(NamedTuple):
    """How a network is trained.

    Attributes
    ----------
    max_epochs : int
        Passes over the rows; not negative.
    lr : float
        Learning rate of Adam; positive.
    batch_size : int or None
        Rows a step; None for all.
    weight_decay : float
        Of Adam; not negative.
    verbose : int
        1 shows a bar of progress, more a line an epoch.
    """

    max_epochs: int
    lr: float
    batch_size: int | None
    weight_decay: float
    verbose: int


def check_training_options(estimator: Any) -> TrainingOptions:
    """Return the training options among the parameters of `estimator`.

    Parameters
    ----------
    estimator : TrainedDeepFeatures
        Its raw parameters are read, nothing is written.

    Returns
    -------
    TrainingOptions

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, its value and what it must be.
    """
    _no_bool(estimator, "max_epochs", "lr", "batch_size", "weight_decay")
    check_scalar(estimator.max_epochs, "max_epochs", _INTEGERS, min_val=0)
    _check_finite(estimator, "lr", "neither")
    _check_finite(estimator, "weight_decay", "left")
    if estimator.batch_size is not None:
        check_scalar(estimator.batch_size, "batch_size", (*_INTEGERS, type(None)), min_val=1)
    check_scalar(estimator.verbose, "verbose", (bool, *_INTEGERS), min_val=0)
    if estimator.loss not in LOSSES:
        raise ValueError(f"loss={estimator.loss!r} must be one of {', '.join(map(repr, LOSSES))}.")
    return TrainingOptions(
        int(estimator.max_epochs),
        float(estimator.lr),
        None if estimator.batch_size is None else int(estimator.batch_size),
        float(estimator.weight_decay),
        int(estimator.verbose),
    )


def check_module_arguments(estimator: Any) -> None:
    """Check bias, layer, pool, device, module, module_params and weight_covariance of `estimator`.

    Parameters
    ----------
    estimator : TrainedDeepFeatures
        Its raw parameters are read, nothing is written.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, its value and what it must be.
    """
    check_scalar(estimator.bias, "bias", (bool, np.bool_))
    check_scalar(estimator.device, "device", str)
    check_scalar(estimator.layer, "layer", (str, type(None)))
    check_pool(estimator.pool)
    params = estimator.module_params
    if params is not None and not (
        isinstance(params, dict) and all(isinstance(name, str) for name in params)
    ):
        raise TypeError(f"module_params={params!r} must be None or a dict of keyword arguments.")
    module = estimator.module
    if estimator.module is None:
        if params:
            raise ValueError(
                f"module_params={list(params)!r} has no effect without module; give "
                "module=, or use hidden_layer_sizes, activation and bias."
            )
        return
    if estimator.weight_covariance is not None:
        raise ValueError(
            "weight_covariance is the law of the default network's first weights, but module is "
            "given; let the module draw its own."
        )
    # Modules are told by what they do, so that this check needs no torch.
    if not isinstance(module, type) and hasattr(module, "state_dict"):
        raise TypeError(
            f"module is an instance of {short_name(module)}: its weights would survive clone, and "
            "every fit would continue the last one. Pass the class, or a function that returns a "
            "fresh network, with its arguments in module_params."
        )
    if not callable(module):
        raise TypeError(f"module={module!r} must be a class or a function that returns a network.")


def check_pool(pool: Any) -> None:
    """Raise ValueError unless it is a way to pool activations."""
    if not isinstance(pool, str) or pool not in POOLS:
        raise ValueError(f"pool={pool!r} must be one of {', '.join(map(repr, POOLS))}.")


def _no_bool(estimator: Any, *names: str) -> None:
    for name in names:
        if isinstance(getattr(estimator, name), bool | np.bool_):
            raise TypeError(f"{name}={getattr(estimator, name)!r} must be a number, not a bool.")


def _check_finite(estimator: Any, name: str, include_boundaries: str) -> None:
    value = getattr(estimator, name)
    check_scalar(value, name, _REALS, min_val=0, include_boundaries=include_boundaries)
    if not np.isfinite(value):
        raise ValueError(f"{name}={value!r} must be finite.")
