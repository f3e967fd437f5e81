"""How far a training or a transform has come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from skorch.callbacks import Callback
from tqdm import tqdm


class TrainingBar(Callback):
    """A bar over all optimiser steps, with the epoch and its loss.

    Parameters
    ----------
    n_epochs : int
        Of the whole training.
    n_steps : int
        Optimiser steps of an epoch.
    """

    def __init__(self, n_epochs: int, n_steps: int) -> None:
        self.n_epochs, self.n_steps = n_epochs, n_steps

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Show the bar."""
        self.bar = tqdm(total=self.n_epochs * self.n_steps, unit=" steps", desc="fit")

    def on_batch_end(
        self, net: Any, batch: Any = None, training: Any = None, **kwargs: Any
    ) -> None:
        """Advance by a step."""
        self.bar.update()

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Say how large the loss is."""
        row = net.history[-1]
        self.bar.set_postfix(
            epoch=f"{row['epoch']}/{self.n_epochs}", train_loss=f"{row['train_loss']:.4g}"
        )

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Leave the bar as it is."""
        self.bar.close()


def shown_rows(batches: Iterable[Any], n_rows: int, name: str) -> Iterator[Any]:
    """Yield batches of rows behind a bar.

    Parameters
    ----------
    batches : iterable
        Of sized batches.
    n_rows : int
        In all of them.
    name : str
        Before the bar.
    """
    with tqdm(total=n_rows, unit=" rows", desc=name, unit_scale=True) as bar:
        for batch in batches:
            yield batch
            bar.update(len(batch))
