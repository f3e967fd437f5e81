"""Draw predicted and measured learning curves."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_deepfeat.model_selection.curve_result import RidgeLearningCurve
from sk_deepfeat.model_selection.displays.drawing import (
    N_SAMPLES,
    TEST_ERROR,
    axes,
    end_of_reach_handle,
    finish,
    import_pyplot,
    mark_end_of_reach,
    plain_numbers,
    styles,
)
from sk_deepfeat.model_selection.fitted_ridge import as_row, curves_of, fitted_ridge, sizes_around
from sk_deepfeat.model_selection.learning_curve import ridge_learning_curve


class RidgeLearningCurveDisplay:
    """Predicted test errors over the number of samples (lines), and measured ones (points).

    Shaded: the intervals of the prediction. A bar across a line: the training set identifies the
    error up to there; beyond, the line is thin, or absent. Make it with `from_fitted` (a fitted
    ridge, without refits), `from_estimator` (with refits) or `from_result`.

    Parameters
    ----------
    train_sizes : ndarray of shape (S,)
        Numbers of training samples.
    alphas : sequence of A floats
        Regularisations, one colour and line style each; "optimal" is the best for each size.
    predicted : ndarray of shape (S, A)
        Mean squared errors; NaN where unknown.
    measured_mean, measured_se : ndarray of shape (S, A), optional
        Means over refits and their standard errors.
    lower, upper : ndarray of shape (S, A), optional
        Ends of intervals of `predicted`.
    reachable : ndarray of bool of shape (S, A), optional
        Where the training set identifies the error; None: where `predicted` is not NaN.
    level : float, default=0.9
        Nominal coverage of the intervals.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of Line2D
        Predictions, one for each alpha.
    bands_ : list of FillBetweenPolyCollection
        Intervals, one for each alpha; empty if there are none.
    errorbars_ : list of ErrorbarContainer
        Measurements, one for each alpha; empty if there are none.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat import DeterministicEquivalentRidge
    >>> from sk_deepfeat.model_selection import RidgeLearningCurveDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 20))
    >>> ridge = DeterministicEquivalentRidge().fit(X, X[:, 0] + rng.normal(size=200))
    >>> display = RidgeLearningCurveDisplay.from_fitted(ridge, n_samples=[50, 200, 800])
    >>> display.predicted.shape
    (3, 2)
    """

    def __init__(
        self,
        *,
        train_sizes: Any,
        alphas: Any,
        predicted: Any,
        measured_mean: Any = None,
        measured_se: Any = None,
        lower: Any = None,
        upper: Any = None,
        reachable: Any = None,
        level: float = 0.9,
    ) -> None:
        self.train_sizes = train_sizes
        self.alphas = alphas
        self.predicted = predicted
        self.measured_mean = measured_mean
        self.measured_se = measured_se
        self.lower = lower
        self.upper = upper
        self.reachable = reachable
        self.level = level

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
            lower=curve.lower,
            upper=curve.upper,
            reachable=curve.reachable,
        ).plot(ax=ax)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, ax: Any = None, **kwargs: Any
    ) -> RidgeLearningCurveDisplay:
        """Run `ridge_learning_curve`, refits included, and draw its result.

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

    @classmethod
    def from_fitted(
        cls,
        estimator: Any,
        *,
        n_samples: Any = None,
        alphas: Any = None,
        level: float = 0.9,
        ax: Any = None,
    ) -> RidgeLearningCurveDisplay:
        """Ask a fitted estimator and draw; nothing is refitted.

        Parameters
        ----------
        estimator : DeterministicEquivalentRidge, or TwoStageRegressor, Pipeline or search
            Fitted; what ends in a `DeterministicEquivalentRidge` is asked for it.
        n_samples : array-like of shape (S,), optional
            Numbers of training samples; None is from a thirtieth to ten times those of the fit.
        alphas : sequence of float or "optimal", optional
            Regularisations; None is the fitted one, and the best for each n.
        level : float, default=0.9
            Nominal coverage of the intervals; there are none if the population does not know them.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        RidgeLearningCurveDisplay
        """
        import_pyplot(f"{cls.__name__}.from_fitted")
        ridge = fitted_ridge(estimator)
        if n_samples is None:
            sizes = sizes_around(ridge)
        else:
            sizes = as_row(n_samples, "n_samples", least=1.0)
        if alphas is None:
            alphas = ["optimal"] if ridge.alpha == "optimal" else [float(ridge.alpha_), "optimal"]
        elif isinstance(alphas, str) or np.ndim(alphas) == 0:
            alphas = [alphas]
        if len(alphas) == 0:
            raise ValueError(f"alphas={alphas!r} must hold at least one number or 'optimal'.")
        curves = curves_of(ridge, sizes, alphas, level)
        return cls(train_sizes=sizes, alphas=alphas, level=level, **curves).plot(ax=ax)

    def plot(self, ax: Any = None) -> RidgeLearningCurveDisplay:
        """Draw on logarithmic axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        RidgeLearningCurveDisplay
            Itself, with `ax_`, `figure_`, `lines_`, `bands_` and `errorbars_`.
        """
        plt = import_pyplot(f"{type(self).__name__}.plot")
        ax = axes(plt, ax)
        order = np.argsort(self.train_sizes)
        sizes = np.asarray(self.train_sizes)[order]
        self.lines_: list[Any] = []
        self.bands_: list[Any] = []
        self.errorbars_: list[Any] = []
        looks = styles(plt, len(self.alphas))
        for i, look in enumerate(looks):
            self._prediction(ax, sizes, order, i, look)
            if self.measured_mean is not None:
                self._points(ax, sizes, order, i, look)
        handles = [self._handle(i, look) for i, look in enumerate(looks)]
        handles += end_of_reach_handle(ax)
        ax.set(xscale="log", yscale="log", xlabel=N_SAMPLES, ylabel=TEST_ERROR)
        plain_numbers(ax.xaxis)
        finish(ax, self._title(), handles=handles)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _prediction(self, ax: Any, sizes: Any, order: Any, i: int, look: Any) -> None:
        predicted = self.predicted[order, i]
        known = np.isfinite(predicted)
        if self.reachable is not None:
            known = known & self.reachable[order, i]
        (line,) = ax.plot(
            sizes,
            np.where(known, predicted, np.nan),
            color=look.colour,
            ls=look.line,
            lw=1.8,
            marker="_" if sizes.size == 1 else None,  # a line of one point is none
            ms=14,
            zorder=2,
        )
        self.lines_.append(line)
        mark_end_of_reach(ax, sizes, predicted, known, look)
        if self.lower is not None and self.upper is not None:
            ends = self.lower[order, i], self.upper[order, i]
            band = ax.fill_between(sizes, *ends, color=look.colour, alpha=0.18, lw=0, zorder=1)
            self.bands_.append(band)

    def _points(self, ax: Any, sizes: Any, order: Any, i: int, look: Any) -> None:
        errors = np.zeros(sizes.size) if self.measured_se is None else self.measured_se[order, i]
        bars = ax.errorbar(
            sizes,
            self.measured_mean[order, i],
            yerr=np.nan_to_num(errors),
            fmt=look.marker,
            color=look.colour,
            ms=5,
            capsize=2,
            zorder=3,
        )
        self.errorbars_.append(bars)

    def _handle(self, i: int, look: Any) -> Any:
        from matplotlib.lines import Line2D

        alpha = self.alphas[i]
        return Line2D(
            [],
            [],
            color=look.colour,
            ls=look.line,
            marker=look.marker if self.measured_mean is not None else None,
            ms=5,
            label="best alpha for each n" if isinstance(alpha, str) else f"alpha = {alpha:.4g}",
        )

    def _title(self) -> str:
        title = ["lines: predicted"] if self.measured_mean is not None else ["predicted"]
        if self.bands_:
            title.append(f"shaded: {100 * self.level:g} % intervals")
        if self.measured_mean is not None:
            title.append("points: measured ± s.e.")
        return "\n".join(title)
