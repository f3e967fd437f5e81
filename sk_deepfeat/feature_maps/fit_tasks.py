"""The callbacks of scikit-learn 1.9 during a training; nothing with earlier versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing: this scikit-learn has no callbacks."""

    def with_callbacks(method: Any) -> Any:
        """Return the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "FitTasks", "with_callbacks"]


class FitTasks:
    """Tell the callbacks of an estimator that a fit and its epochs begin and end.

    Parameters
    ----------
    estimator : estimator
        Whose `fit` runs.
    max_epochs : int
        Most epochs.
    X, y : object
        As they were given.
    """

    def __init__(self, estimator: Any, max_epochs: int, X: Any, y: Any) -> None:
        self.estimator, self.data = estimator, {"X": X, "y": y}
        self.whole: Any = None
        self.epoch: Any = None
        if hasattr(estimator, "_init_callback_context"):
            self.whole = estimator._init_callback_context(max_subtasks=max_epochs)
            self.whole.call_on_fit_task_begin(estimator=estimator, **self.data)

    def begin_epoch(self) -> None:
        """Say that an epoch begins."""
        if self.whole is not None:
            self.epoch = self.whole.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end_epoch(self, learned: Callable[[], dict[str, Any]], metadata: dict[str, Any]) -> bool:
        """Say that the epoch has ended, and return whether a callback wants the fit to stop.

        Parameters
        ----------
        learned : callable
            Returns the fitted attributes as they are now; called if a callback asks for them.
        metadata : dict
            ``epoch`` and ``train_loss``.

        Returns
        -------
        bool
        """
        return self.epoch is not None and self._end(self.epoch, learned, metadata)

    def end(self, learned: Callable[[], dict[str, Any]]) -> None:
        """Say that the fit has ended."""
        if self.whole is not None:
            self._end(self.whole, learned, None)

    def _end(self, task: Any, learned: Any, metadata: dict[str, Any] | None) -> bool:
        return bool(
            task.call_on_fit_task_end(
                estimator=self.estimator,
                metadata=metadata,
                reconstruction_attributes=learned,
                **self.data,
            )
        )
