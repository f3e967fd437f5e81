"""Train a network with skorch and keep its weights as arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import nn

from sk_deepfeat.feature_maps._torch.batches import ArrayRows, Rows
from sk_deepfeat.feature_maps._torch.determinism import reproducible
from sk_deepfeat.feature_maps._torch.features import layer_features
from sk_deepfeat.feature_maps._torch.head import check_head, check_output
from sk_deepfeat.feature_maps._torch.networks import (
    State,
    build_network,
    check_fresh,
    state_to_arrays,
)
from sk_deepfeat.feature_maps._torch.progress import TrainingBar
from sk_deepfeat.feature_maps.checkpoints import nearest_steps
from sk_deepfeat.feature_maps.fit_tasks import FitTasks
from sk_deepfeat.feature_maps.network_spec import NetworkSpec
from sk_deepfeat.feature_maps.targets import Targets
from sk_deepfeat.feature_maps.training_options import TrainingOptions

# Of a trial before training: batch normalisation needs two.
_PROBE_ROWS = 2


class Training(NamedTuple):
    """What is left of a training.

    Attributes
    ----------
    state : dict of str to ndarray
        Final weights.
    checkpoint_states : list of dict of str to ndarray
        Weights at the checkpoints.
    history : list of dict
        ``epoch`` and ``train_loss`` of each epoch.
    n_features_out : int
        Width of the chosen layer.
    """

    state: State
    checkpoint_states: list[State]
    history: list[dict[str, Any]]
    n_features_out: int


def train_network(
    spec: NetworkSpec,
    rows: Rows,
    targets: Targets | None,
    options: TrainingOptions,
    checkpoints: Sequence[float],
    tasks: FitTasks,
    learned: Callable[[Training], dict[str, Any]],
    start: Sequence[NDArray[Any]] = (),
) -> Training:
    """Build, train and dismantle a network.

    Parameters
    ----------
    spec : NetworkSpec
        Description of the network.
    rows : Rows
        Of shape `spec.input_shape`; read and cast batch by batch.
    targets : Targets or None
        None only for ``options.max_epochs == 0``.
    options : TrainingOptions
        How to train.
    checkpoints : sequence of float
        Epochs at which weights are kept.
    tasks : FitTasks
        Told of every epoch; may end the training.
    learned : callable
        Returns the fitted attributes of what has been trained so far.
    start : sequence of ndarray, default=()
        Weights of the default network's hidden layers to begin with, in place of torch's.

    Returns
    -------
    Training
        Without the checkpoints that a training which was ended has not reached.

    Raises
    ------
    ValueError
        If the layer is unknown, the network fails on the rows or has outputs of another width
        than the targets, the factory is not fresh, or the loss not finite.
    """
    with reproducible(spec.seed, spec.device):
        probe = build_network(spec)
        first = ArrayRows(rows.head(_PROBE_ROWS))
        # Before training: an unknown layer or a wrong head is refused at once.
        n_features_out = layer_features(probe, spec, first).shape[1]
        if targets is not None and options.max_epochs:
            check_head(probe, spec, first.X, targets)
    batches: Any = [] if targets is None else rows.training_batches(targets, options.batch_size)
    steps = nearest_steps(checkpoints, len(batches))
    keeper = StateKeeper(steps, options.lr)
    callbacks = [("state_keeper", keeper)]
    if options.verbose == 1 and options.max_epochs:
        callbacks.append(("bar", TrainingBar(options.max_epochs, len(batches))))
    with reproducible(spec.seed, spec.device):
        net = ShapeCheckedNet(
            build_network,
            module__spec=spec,
            criterion=_criterion(targets),
            optimizer=torch.optim.Adam,
            optimizer__weight_decay=options.weight_decay,
            lr=options.lr,
            max_epochs=options.max_epochs,
            iterator_train=_same_batches,
            train_split=None,
            callbacks=callbacks,
            callbacks__valid_loss=None,
            device=spec.device,
            verbose=max(0, options.verbose - 1),
        ).initialize()
        check_fresh(probe, net.module_, spec)
        _begin_with(net.module_, start)

        def so_far() -> Training:
            history = [{name: row[name] for name in ("epoch", "train_loss")} for row in net.history]
            states = [keeper.states[step] for step in steps if step in keeper.states]
            return Training(state_to_arrays(net.module_), states, history, n_features_out)

        # Not net.fit, which takes an interruption by the user for the end of the training.
        net.notify("on_train_begin", X=batches, y=None)
        try:
            for _ in range(options.max_epochs):
                tasks.begin_epoch()
                net.fit_loop(batches, epochs=1)
                row = {name: net.history[-1, name] for name in ("epoch", "train_loss")}
                if tasks.end_epoch(lambda: learned(so_far()), row):
                    break
        finally:
            net.notify("on_train_end", X=batches, y=None)
        training = so_far()
    _check_finite_state(training.state, options.lr)
    return training


def _begin_with(network: nn.Module, weights: Sequence[NDArray[Any]]) -> None:
    """Put weights into the hidden layers of a perceptron."""
    for number, values in enumerate(weights, start=1):
        layer: Any = network.get_submodule(f"hidden_{number}")
        with torch.no_grad():
            layer.weight.copy_(torch.as_tensor(values))


def _same_batches(dataset: Any, batch_size: int) -> Any:
    """Return the batches themselves, where skorch asks for an iterator over a data set."""
    return dataset


class ShapeCheckedNet(NeuralNet):
    """A skorch net that refuses to broadcast outputs against targets."""

    def get_loss(self, y_pred: Any, y_true: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the loss of a batch."""
        if isinstance(y_pred, torch.Tensor) and y_pred.ndim == 1:
            y_pred = y_pred[:, None]
        if y_true.is_floating_point():
            check_output(y_pred, len(y_true), y_true.shape[1], False)
        return super().get_loss(y_pred, y_true, *args, **kwargs)


class StateKeeper(Callback):
    """Keep the weights after chosen numbers of steps, and stop at a loss that is not finite.

    Parameters
    ----------
    steps : sequence of int
        Numbers of optimiser steps; 0 is before the first.
    lr : float
        For the message.
    """

    def __init__(self, steps: Sequence[int], lr: float) -> None:
        self.steps, self.lr = frozenset(steps), lr
        self.states: dict[int, State] = {}
        self.n_steps = 0

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Keep the initial weights."""
        self._keep(net)

    def on_batch_end(
        self, net: Any, batch: Any = None, training: Any = None, **kwargs: Any
    ) -> None:
        """Count a step."""
        loss = net.history[-1, "batches", -1, "train_loss"]
        if not math.isfinite(loss):
            raise ValueError(_diverged(f"the training loss became {loss}", self.lr))
        self.n_steps += 1
        self._keep(net)

    def _keep(self, net: Any) -> None:
        if self.n_steps in self.steps:
            self.states[self.n_steps] = state_to_arrays(net.module_)


def _criterion(targets: Targets | None) -> type[nn.Module]:
    log_loss = targets is not None and targets.loss == "log_loss"
    return nn.CrossEntropyLoss if log_loss else nn.MSELoss


def _check_finite_state(state: State, lr: float) -> None:
    for name, value in state.items():
        if value.dtype.kind == "f" and not np.all(np.isfinite(value)):
            raise ValueError(_diverged(f"the final weights {name!r} are not finite", lr))


def _diverged(what: str, lr: float) -> str:
    return f"Training diverged with lr={lr!r}: {what}. Use a smaller lr, or scale X and y."
