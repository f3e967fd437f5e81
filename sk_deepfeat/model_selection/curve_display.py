"""Draw predicted and measured learning curves."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_deepfeat.model_selection.curve_result import RidgeLearningCurve
from sk_deepfeat.model_selection.learning_curve import ridge_learning_curve
from sk_deepfeat.model_selection.pyplot import axes, finish, import_pyplot, styles


class RidgeLearningCurveDisplay:
    """Predicted (lines) and measured (points) test errors over the number of samples.

    Make it with `from_estimator` or `from_result`.

    Parameters
    ----------
    train_sizes : ndarray of shape (S,)
        Numbers of training samples.
    alphas : ndarray of shape (A,)
        Regularisations, one colour and marker each.
    predicted, measured_mean, measured_se : ndarray of shape (S, A)
        Mean squared errors.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of Line2D
        Predictions, one for each alpha.
    errorbars_ : list of ErrorbarContainer
        Measurements, one for each alpha.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.model_selection import RidgeLearningCurve, RidgeLearningCurveDisplay
    >>> curve = RidgeLearningCurve(np.array([10, 100]), np.array([1.0]), np.array([[2.0], [1.0]]),
    ...                            np.array([[[2.1, 1.9]], [[1.0, 1.1]]]))
    >>> display = RidgeLearningCurveDisplay.from_result(curve)
    >>> display.ax_.get_xlabel()
    'number of training samples'
    """

    def __init__(
        self,
        *,
        train_sizes: Any,
        alphas: Any,
        predicted: Any,
        measured_mean: Any,
        measured_se: Any,
    ) -> None:
        self.train_sizes = train_sizes
        self.alphas = alphas
        self.predicted = predicted
        self.measured_mean = measured_mean
        self.measured_se = measured_se

    @classmethod
    def from_result(cls, curve: RidgeLearningCurve, *, ax: Any = None) -> RidgeLearningCurveDisplay:
        """Draw the result of `ridge_learning_curve`.

        Parameters
        ----------
        curve : RidgeLearningCurve
            The result.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        RidgeLearningCurveDisplay
        """
        return cls(
            train_sizes=curve.train_sizes,
            alphas=curve.alphas,
            predicted=curve.predicted,
            measured_mean=curve.measured_mean,
            measured_se=curve.measured_se,
        ).plot(ax=ax)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, ax: Any = None, **kwargs: Any
    ) -> RidgeLearningCurveDisplay:
        """Run `ridge_learning_curve` and draw its result.

        Parameters
        ----------
        estimator, X, y
            As in `ridge_learning_curve`.
        ax : matplotlib Axes, optional
            Where to draw.
        **kwargs
            Further arguments of `ridge_learning_curve`.

        Returns
        -------
        RidgeLearningCurveDisplay
        """
        import_pyplot(f"{cls.__name__}.from_estimator")  # before the long run
        return cls.from_result(ridge_learning_curve(estimator, X, y, **kwargs), ax=ax)

    def plot(self, ax: Any = None) -> RidgeLearningCurveDisplay:
        """Draw on logarithmic axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        RidgeLearningCurveDisplay
            Itself, with `ax_`, `figure_`, `lines_` and `errorbars_`.
        """
        plt = import_pyplot(f"{type(self).__name__}.plot")
        ax = axes(plt, ax)
        order = np.argsort(self.train_sizes)
        sizes = np.asarray(self.train_sizes)[order]
        looks = styles(plt, len(self.alphas))
        self.lines_, self.errorbars_ = [], []
        for i, (alpha, (colour, marker, style)) in enumerate(zip(self.alphas, looks, strict=True)):
            (line,) = ax.plot(
                sizes, self.predicted[order, i], color=colour, ls=style, lw=1.5, zorder=2
            )
            bars = ax.errorbar(
                sizes,
                self.measured_mean[order, i],
                yerr=np.nan_to_num(self.measured_se[order, i]),
                fmt=marker,
                color=colour,
                ms=5,
                capsize=2,
                label=f"alpha = {alpha:g}",
                zorder=3,
            )
            self.lines_.append(line)
            self.errorbars_.append(bars)
        ax.set(
            xscale="log",
            yscale="log",
            xlabel="number of training samples",
            ylabel="test error (mean squared error)",
        )
        ax.xaxis.set_major_formatter("{x:g}")
        finish(ax, "lines: predicted\npoints: measured ± s.e.")
        self.ax_, self.figure_ = ax, ax.figure
        return self
