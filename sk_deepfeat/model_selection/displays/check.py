"""Draw the check of the theory on one's own rows."""

from __future__ import annotations

from textwrap import wrap
from typing import Any, Self

import numpy as np

from sk_deepfeat.model_selection.displays.base import Display
from sk_deepfeat.model_selection.displays.drawing import ALPHA, finish, styles
from sk_deepfeat.model_selection.fitted_ridge import asked_metric, metric_option

_NAMES = {
    "mse": "test error",
    "error_rate": "error rate",
    "balanced_error": "error rate, mean over classes",
}


class CalibrationCheckDisplay(Display):
    """Errors measured on subsets of the training rows, as multiples of those of the theory.

    Make it with `from_fitted` or `from_result`.

    Parameters
    ----------
    n_samples, alpha, ratio : ndarray of shape (cells,)
        Sizes of the subsets, regularisations, measured over predicted error.
    lower, upper : ndarray of shape (cells,)
        Between which noise alone would leave the ratio.
    verdict : str, default=""
        Where the check failed and the likeliest cause, drawn above the axes.
    metric : str, default="mse"
        What the errors are: "mse", or of classes as in ``predict_test_error``.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    errorbars_ : list of ErrorbarContainer
        One for each size.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat import DeterministicEquivalentRidge
    >>> from sk_deepfeat.model_selection import CalibrationCheckDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 20))
    >>> ridge = DeterministicEquivalentRidge().fit(X, X[:, 0] + rng.normal(size=200))
    >>> display = CalibrationCheckDisplay.from_fitted(ridge)
    >>> display.ax_.get_ylabel()
    'measured / predicted test error'
    """

    _metrics = tuple(_NAMES)

    def __init__(
        self,
        *,
        n_samples: Any,
        alpha: Any,
        ratio: Any,
        lower: Any,
        upper: Any,
        verdict: str = "",
        metric: str = "mse",
    ) -> None:
        self.n_samples = n_samples
        self.alpha = alpha
        self.ratio = ratio
        self.lower = lower
        self.upper = upper
        self.verdict = verdict
        self.metric = metric

    @classmethod
    def from_result(cls, check: Any, *, metric: str = "mse", ax: Any = None) -> Self:
        """Draw what `calibration_check` returned.

        Parameters
        ----------
        check : CalibrationCheck
            The result.
        metric : str, default="mse"
            What its errors are.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        CalibrationCheckDisplay
        """
        if not hasattr(check, "measured"):
            raise TypeError(f"check must be what calibration_check returned; got {check!r}.")
        if np.size(check.measured) == 0:
            raise ValueError("The check is empty: there were too few rows to measure subsets of.")
        some = np.where(check.predicted > 0, check.predicted, np.nan)
        return cls(
            n_samples=check.n_samples,
            alpha=check.alpha,
            ratio=check.ratio,
            lower=check.lower / some,
            upper=check.upper / some,
            verdict=check.verdict,
            metric=metric,
        ).plot(ax=ax)

    @classmethod
    def from_fitted(
        cls, estimator: Any, *, n_samples: Any = None, metric: str | None = None, ax: Any = None
    ) -> Self:
        """Ask a fitted estimator for its `calibration_check` and draw it.

        Parameters
        ----------
        estimator : estimator
            Fitted, as of `sk_deepfeat.predict_test_error`.
        n_samples : array-like of int, optional
            Sizes of the subsets, as in ``estimator.calibration_check``; None is those of the fit.
        metric : str, optional
            Of a classifier, which error, as in ``calibration_check``; None is the error rate, or
            "mse" if that is all that is known.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        CalibrationCheckDisplay
        """
        ridge = cls._fitted_ridge(estimator, ax)
        metric = asked_metric(ridge, metric)
        check = ridge.calibration_check(n_samples, **metric_option(ridge, metric))
        return cls.from_result(check, metric=metric, ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the ratios over alpha; bars reach as far as noise would.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        CalibrationCheckDisplay
            Itself, with `ax_`, `figure_` and `errorbars_`.
        """
        ax = self.ax_ = self._open_axes(ax)  # says what is missing without matplotlib
        from matplotlib.colors import to_rgb

        sizes = np.unique(self.n_samples)
        ax.axhspan(0.95, 1.05, color="0.9", zorder=0)
        ax.axhline(1.0, color="0.5", lw=1, zorder=1)
        self.errorbars_ = []
        for size, (colour, marker, line) in zip(sizes, styles(sizes.size), strict=True):
            mine = self.n_samples == size
            ratio = self.ratio[mine]
            # About a ratio, noise reaches from ratio/upper to ratio/lower: does that hold one?
            below, above = ratio - ratio / self.upper[mine], ratio / self.lower[mine] - ratio
            bars = ax.errorbar(
                self.alpha[mine],
                ratio,
                yerr=(below, above),
                fmt=marker,
                ls=line,
                color=colour,
                ms=5,
                lw=1,
                ecolor=(*to_rgb(colour), 0.5),  # of many sizes, the ratios stand out
                elinewidth=0.8,
                capsize=2,
                label=f"n = {size:.0f}",
            )
            self.errorbars_.append(bars)
        ax.set(
            xscale="log",
            yscale="log",
            xlabel=ALPHA,
            ylabel=f"measured / predicted {_NAMES[self.metric]}",
        )
        if self.verdict:
            ax.set_title("\n".join(wrap(self.verdict, 62)), fontsize="small")
        title = "subsets of the rows; bars: four standard errors; grey: within 5 %"
        finish(ax, title)
        return self
