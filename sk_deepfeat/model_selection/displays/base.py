"""What every display does alike: where it draws, and names that it answers to for one release."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np

from sk_deepfeat.model_selection.displays.drawing import check_axes, import_pyplot
from sk_deepfeat.model_selection.fitted_ridge import fitted_ridge


class Display:
    """Finished numbers, and the axes that they are drawn into.

    Almost empty, so that a display's own file says all that it asks and all that it draws:
    `__init__` stores numbers, the ``from_`` methods find them, `plot` only draws.
    """

    _n_axes: ClassVar[int] = 1
    _size: ClassVar[tuple[float, float]] = (7.5, 4.8)  # of a new figure, in inches

    @classmethod
    def _check_drawing(cls, method: str, ax: Any) -> Any:
        """Return pyplot; refuse its absence and a wrong `ax` before anything long runs."""
        caller = f"{cls.__name__}.{method}"
        plt = import_pyplot(caller)
        check_axes(ax, cls._n_axes, caller)
        return plt

    @classmethod
    def _fitted_ridge(cls, estimator: Any, ax: Any) -> Any:
        """Return the ridge that ``from_fitted`` asks, once it is sure that it can be drawn."""
        cls._check_drawing("from_fitted", ax)
        return fitted_ridge(estimator)

    def _open_axes(self, ax: Any) -> Any:
        """Return `ax`, or the axes of a new figure, and store the figure as ``figure_``."""
        plt = self._check_drawing("plot", ax)
        if ax is None:
            _, ax = plt.subplots(1, self._n_axes, figsize=self._size, layout="constrained")
        self.figure_ = np.ravel(ax)[0].figure
        return ax


def renamed(old: str, new: str) -> Any:
    """Return the class method `old`, which warns and calls the class method `new`."""

    def call(cls: type[Display], *args: Any, **kwargs: Any) -> Any:
        warn_renamed(cls, old, new)
        return getattr(cls, new)(*args, **kwargs)

    call.__name__ = old
    call.__doc__ = f"Call `{new}`, of which this is the deprecated name: it goes after one release."
    return classmethod(call)


def warn_renamed(owner: type, old: str, new: str) -> None:
    """Warn the caller of one's caller that `owner` calls `old` by another name."""
    warnings.warn(
        f"{owner.__name__}.{old} is now called {new}; the old name goes after one release.",
        FutureWarning,
        stacklevel=3,
    )
