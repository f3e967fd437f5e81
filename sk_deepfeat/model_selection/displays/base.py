"""What every display does alike: who is asked, who is fitted first, and where it draws."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np

from sk_deepfeat.model_selection.displays.drawing import ERRORS, check_axes, import_pyplot
from sk_deepfeat.model_selection.fitted_ridge import fitted_ridge
from sk_deepfeat.model_selection.fitting import fitted_clone
from sk_deepfeat.theory.validation import check_n_samples, real_number


class Display:
    """Finished numbers, and the axes that they are drawn into.

    Almost empty, so that a display's own file says all that it asks and all that it draws:
    `__init__` stores numbers, the ``from_`` methods find them, `plot` only draws.

    ``from_fitted(estimator)``
        Asks a fitted estimator; it is not refitted.
    ``from_estimator(estimator, X, y)``
        Fits, or refits, a clone of an estimator on rows.
    ``from_result(result)`` or ``from_predictions(...)``
        Draws what was returned before.

    An estimator is whatever `sk_deepfeat.predict_test_error` takes. All further arguments are
    keywords, and mean the same everywhere:

    ``n_samples``
        Numbers of training samples; None is about those of the fit.
    ``alpha``, ``alphas``
        One regularisation, or several: a number, "optimal" for the best at each n, or None for
        what suits the picture: the fitted one, and where several are drawn the best, too.
    ``level``
        Nominal coverage of intervals, 0.9.
    ``metric``
        Of a classifier, which error, as in ``predict_test_error``; None is the error rate, or "mse"
        if that is all that is known.
    ``ax``
        Where to draw; None makes a figure.
    """

    _n_axes: ClassVar[int] = 1
    _metrics: ClassVar[tuple[str, ...]] = tuple(ERRORS)
    _size: ClassVar[tuple[float, float]] = (5.2, 4.8)  # of a new figure, in inches

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

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, groups: Any = None, ax: Any = None, **asked: Any
    ) -> Any:
        """Fit a clone of an estimator on rows, ask it and draw.

        Parameters
        ----------
        estimator : estimator
            What `from_fitted` takes, fitted or not; a `Ridge` or a `RidgeClassifier`, alone or at
            the end of a pipeline, is replaced by the one that predicts its error.
        X : array-like or sparse matrix of shape (n_samples, ...)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets, or labels of classes.
        groups : array-like of shape (n_samples,), optional
            Labels of the rows' groups, for estimators that take them and pipelines that end in one.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.
        **asked
            Further arguments of `from_fitted`.

        Returns
        -------
        display
            As of `from_fitted`.
        """
        cls._check_drawing("from_estimator", ax)  # before the long run
        fitted = fitted_clone(estimator, X, y, groups)
        return cls.from_fitted(fitted, ax=ax, **asked)  # type: ignore[attr-defined]

    def _open_axes(self, ax: Any) -> Any:
        """Return `ax`, or the axes of a new figure, and store the figure as ``figure_``."""
        plt = self._check_drawing("plot", ax)
        metric = getattr(self, "metric", "mse")
        if not isinstance(metric, str) or metric not in self._metrics:
            known = ", ".join(map(repr, self._metrics))
            raise ValueError(f"metric={metric!r} must be one of {known}.")
        n_fitted = getattr(self, "n_fitted", None)
        if n_fitted is not None:
            check_n_samples(real_number(n_fitted, "n_fitted", positive=True), "n_fitted")
        if ax is None:
            _, ax = plt.subplots(self._n_axes, 1, figsize=self._size, layout="constrained")
        self.figure_ = np.ravel(ax)[0].figure
        return ax


def warn_renamed(owner: type, old: str, new: str) -> None:
    """Warn the caller of one's caller that `owner` calls `old` by another name."""
    warnings.warn(
        f"{owner.__name__}.{old} is now called {new}; the old name goes after one release.",
        FutureWarning,
        stacklevel=3,
    )
