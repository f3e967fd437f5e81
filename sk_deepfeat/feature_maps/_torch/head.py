"""Does the output of a network fit the targets? Asked before it is trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sk_deepfeat.feature_maps._torch.advice import failed_on
from sk_deepfeat.feature_maps._torch.batches import to_tensor
from sk_deepfeat.feature_maps.network_spec import NetworkSpec
from sk_deepfeat.feature_maps.targets import Targets


def check_head(network: nn.Module, spec: NetworkSpec, X: NDArray[Any], targets: Targets) -> None:
    """Refuse a network whose output is not as wide as the targets.

    Parameters
    ----------
    network : torch.nn.Module
        Not used afterwards: a pass in training mode may change its buffers.
    spec : NetworkSpec
        Its description.
    X : ndarray of shape (n_rows, *spec.input_shape)
        A few rows.
    targets : Targets
        Of all rows.

    Raises
    ------
    ValueError
        Naming both widths.
    TypeError
        If the network returns no tensor.
    """
    network = network.float().train(len(X) > 1)
    try:
        with torch.inference_mode():
            output = network(to_tensor(X, np.float32).to(spec.device))
    except Exception as error:  # a user's forward may raise anything
        raise failed_on(network, spec, error) from error
    check_output(output, len(X), targets.n_outputs, targets.loss == "log_loss")


def check_output(output: Any, n_rows: int, width: int, classes: bool) -> None:
    """Refuse an output that is not as wide as the targets.

    Parameters
    ----------
    output : object
        What the network returned.
    n_rows : int
        Rows of the batch.
    width : int
        Outputs that are needed.
    classes : bool
        Whether they are classes.

    Raises
    ------
    ValueError, TypeError
        As `check_head`.
    """
    if not isinstance(output, torch.Tensor):
        raise TypeError(
            f"The network must return one tensor, but it returned a {type(output).__name__}; "
            "switch auxiliary outputs off in module_params, or wrap the network."
        )
    shape = tuple(output.shape)
    got = (*shape, 1) if len(shape) == 1 else shape
    if got == (n_rows, width):
        return
    columns = got[1] if len(got) == 2 and got[0] == n_rows else 0
    has = f"outputs of shape {shape} for {n_rows} rows"
    if columns:
        has = f"{columns} output{_plural(columns, False)} for each row"
    what = f"{width} {'class' if classes else 'target'}{_plural(width, classes)}"
    remedy = "let the module take out_features as an argument, or set its width in module_params"
    if classes and columns > width:
        remedy += f" (torchvision's num_classes={width})"
    if classes and columns > width:
        remedy += (
            ". If these rows lack some of its classes, pass one-hot rows of all of them as y, with "
            "loss='log_loss'"
        )
    if classes and columns == 1:
        remedy += ". For numbers, pass floats, or set loss='squared_error'"
    if not classes and width == 1 < columns:
        remedy += ". For classes, pass integers or strings, or set loss='log_loss'"
    raise ValueError(f"The network has {has}, but y holds {what}; {remedy}.")


def _plural(count: int, classes: bool) -> str:
    return "" if count == 1 else "es" if classes else "s"
