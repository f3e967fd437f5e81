"""Draw the predicted test error over the number of samples and the regularisation."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from sk_deepfeat.model_selection.arguments import FloatArray, as_axis, as_cells, as_row, as_sizes
from sk_deepfeat.model_selection.displays.base import Display
from sk_deepfeat.model_selection.displays.drawing import (
    ALPHA,
    ERRORS,
    N_SAMPLES,
    alpha_in_words,
    mark_size,
    plain_numbers,
)
from sk_deepfeat.model_selection.fitted_ridge import (
    alphas_around,
    asked_metric,
    metric_option,
    optimal_alphas,
    sizes_around,
)
from sk_deepfeat.theory.validation import check_alpha, real_number

_MOST_CONTRAST = 100.0  # errors beyond so many times the least are drawn alike


class ErrorSurfaceDisplay(Display):
    """Predicted test error as a heat map over n and alpha, with what cannot be known left out.

    Make it with `from_fitted` or `from_predictions`.

    Parameters
    ----------
    n_samples : ndarray of shape (S,)
        Numbers of training samples, ascending.
    alphas : ndarray of shape (A,)
        Regularisations, positive and ascending.
    test_error : ndarray of shape (S, A)
        Predicted errors; NaN where unknown.
    optimal_alpha : ndarray of shape (S,), optional
        The best alpha for each n, drawn as a line.
    reachable : ndarray of bool of shape (S, A), optional
        Where the training set identifies the error; None: where `test_error` is not NaN.
    metric : str, default="mse"
        What the errors are: "mse", or of classes as in ``predict_test_error``.
    n_fitted : float, optional
        Training samples of the fit, marked by a line.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    mesh_ : QuadMesh
    contours_ : ContourSet or None
        None if the error is the same everywhere.
    line_ : Line2D or None
        The best alpha, or None if it was not given.
    colorbar_ : Colorbar

    See Also
    --------
    RidgeLearningCurveDisplay.from_fitted : Lines through the surface, with intervals.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat import DeterministicEquivalentRidge
    >>> from sk_deepfeat.model_selection import ErrorSurfaceDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 20))
    >>> ridge = DeterministicEquivalentRidge().fit(X, X[:, 0] + rng.normal(size=200))
    >>> display = ErrorSurfaceDisplay.from_fitted(ridge, n_samples=[20, 60, 200, 600])
    >>> display.test_error.shape
    (4, 60)
    """

    def __init__(
        self,
        *,
        n_samples: Any,
        alphas: Any,
        test_error: Any,
        optimal_alpha: Any = None,
        reachable: Any = None,
        metric: str = "mse",
        n_fitted: Any = None,
    ) -> None:
        self.n_samples = n_samples
        self.alphas = alphas
        self.test_error = test_error
        self.optimal_alpha = optimal_alpha
        self.reachable = reachable
        self.metric = metric
        self.n_fitted = n_fitted

    @classmethod
    def from_predictions(
        cls,
        n_samples: Any,
        alphas: Any,
        test_error: Any,
        optimal_alpha: Any = None,
        reachable: Any = None,
        *,
        metric: str = "mse",
        n_fitted: Any = None,
        ax: Any = None,
    ) -> Self:
        """Draw numbers that are at hand.

        Parameters
        ----------
        n_samples : array-like of shape (S,)
            Numbers of training samples, ascending, at least two.
        alphas : array-like of shape (A,)
            Regularisations, positive and ascending, at least two.
        test_error : array-like of shape (S, A)
            Errors at each of them; NaN where unknown.
        optimal_alpha : array-like of shape (S,), optional
            The best alpha for each n.
        reachable : array-like of bool of shape (S, A), optional
            Where the training set identifies the error.
        metric : str, default="mse"
            What the errors are.
        n_fitted : float, optional
            Training samples of the fit, marked by a line.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        ErrorSurfaceDisplay

        Raises
        ------
        ValueError
            If shapes do not fit, or an axis is not ascending.
        """
        sizes = as_axis(n_samples, "n_samples", least=0.0, strict=True, at_least_two=True)
        strengths = as_axis(alphas, "alphas", least=0.0, strict=True, at_least_two=True)
        cells = {"n_samples": sizes.size, "alphas": strengths.size}
        errors = as_cells(test_error, "test_error", **cells)
        if not np.any(np.isfinite(errors) & (errors > 0)):
            raise ValueError("test_error holds no positive finite number: nothing can be drawn.")
        if optimal_alpha is not None:
            optimal_alpha = as_cells(optimal_alpha, "optimal_alpha", n_samples=sizes.size)
        if reachable is not None:
            reachable = as_cells(reachable, "reachable", bool, **cells)
        return cls(
            n_samples=sizes,
            alphas=strengths,
            test_error=errors,
            optimal_alpha=optimal_alpha,
            reachable=reachable,
            metric=metric,
            n_fitted=n_fitted,
        ).plot(ax=ax)

    @classmethod
    def from_fitted(
        cls,
        estimator: Any,
        *,
        n_samples: Any = None,
        alphas: Any = None,
        metric: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Ask a fitted estimator and draw; nothing is refitted.

        Parameters
        ----------
        estimator : estimator
            Fitted, as of `sk_deepfeat.predict_test_error`.
        n_samples : array-like of shape (S,), optional
            Numbers of training samples; None is from a thirtieth to ten times those of the fit.
        alphas : array-like of shape (A,), optional
            Regularisations, positive; None is about the best ones.
        metric : str, optional
            Of a classifier, which error, as in ``predict_test_error``; None is the error rate, or
            "mse" if that is all that is known.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        ErrorSurfaceDisplay
        """
        ridge = cls._fitted_ridge(estimator, ax)
        sizes = as_sizes(n_samples, sizes_around(ridge))
        metric = asked_metric(ridge, metric)
        best = optimal_alphas(ridge, sizes, metric)
        if alphas is None:
            strengths = alphas_around(ridge, best)
        else:
            strengths = check_alpha(as_row(alphas, "alphas", least=0.0, strict=True), "alphas")
        cells, option = (sizes[:, None], strengths), metric_option(ridge, metric)
        errors = ridge.predict_test_error(*cells, **option)
        reach = ridge.reachable(*cells, **option)
        more = {"metric": metric, "n_fitted": ridge.n_samples_, "ax": ax}
        return cls.from_predictions(sizes, strengths, errors, best, reach, **more)

    def plot(self, ax: Any = None) -> Self:
        """Draw the map, labelled contours, the best alpha and the limit of reach.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        ErrorSurfaceDisplay
            Itself, with `ax_`, `figure_`, `mesh_`, `contours_`, `line_` and `colorbar_`.
        """
        ax = self.ax_ = self._open_axes(ax)
        ax.set(  # first: labels cut their gaps into contours on these scales
            xscale="log",
            yscale="log",
            xlabel=N_SAMPLES,
            ylabel=ALPHA,
            xlim=(self.n_samples[0], self.n_samples[-1]),
            ylim=(self.alphas[0], self.alphas[-1]),
        )
        known = np.where(np.isfinite(self.test_error), self.test_error, np.nan)
        low = float(np.nanmin(np.where(known > 0, known, np.nan)))
        high = min(float(np.nanmax(known)), _MOST_CONTRAST * low)
        known = np.maximum(known, low)  # zero, which a logarithm has no colour for
        self.mesh_ = self._mesh(ax, known, low, high)
        self.contours_ = self._contours(ax, known, low, high)
        self.line_ = self._best(ax)
        handles = [] if self.line_ is None else [self.line_]
        handles += self._unreachable(ax, known)
        if self.n_fitted is not None and _on_axis(self.n_samples, self.n_fitted):
            mark_size(ax, self.n_fitted, zorder=3)
        plain_numbers(ax.xaxis)
        self.colorbar_ = ax.figure.colorbar(
            self.mesh_,
            ax=ax,
            label=ERRORS[self.metric],
            extend="max" if np.nanmax(known) > high else None,
        )
        plain_numbers(self.colorbar_.ax.yaxis)
        if handles:
            above: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.01)}
            ax.legend(handles=handles, fontsize="small", frameon=False, **above)
        return self

    def _mesh(self, ax: Any, known: FloatArray, low: float, high: float) -> Any:
        from matplotlib.colors import LogNorm

        return ax.pcolormesh(
            self.n_samples,
            self.alphas,
            known.T,
            norm=LogNorm(low, max(high, 1.001 * low)),
            cmap="cividis_r",
            shading="nearest",
            rasterized=True,
        )

    def _contours(self, ax: Any, known: FloatArray, low: float, high: float) -> Any:
        from matplotlib.patheffects import withStroke

        levels = _round_levels(low, high)
        if levels.size == 0:
            return None
        found = ax.contour(
            self.n_samples, self.alphas, known.T, levels=levels, colors="black", linewidths=0.7
        )
        for text in ax.clabel(found, fmt="%g", fontsize=8, inline_spacing=2):
            text.set_path_effects([withStroke(linewidth=2, foreground="white")])
        return found

    def _best(self, ax: Any) -> Any:
        if self.optimal_alpha is None:
            return None
        from matplotlib.patheffects import withStroke

        (line,) = ax.plot(
            self.n_samples,
            np.where(self.optimal_alpha > 0, self.optimal_alpha, np.nan),
            ls="--",
            color="white",
            lw=2,
            label=alpha_in_words("optimal"),
            path_effects=[withStroke(linewidth=4, foreground="black")],
        )
        return line

    def _unreachable(self, ax: Any, known: FloatArray) -> list[Any]:
        """Hatch the cells beyond reach; return what stands for them in the legend."""
        from matplotlib.patches import Patch

        beyond = np.isnan(known) if self.reachable is None else ~self.reachable
        if not np.any(beyond):
            return []
        look: dict[str, Any] = {
            "facecolor": "0.88",
            "edgecolor": "0.45",
            "hatch": "////",
            "linewidth": 0.0,
        }
        ax.patch.set(**look)  # shows where there is no number
        numbered = np.ma.masked_where(~(beyond & np.isfinite(known)).T, known.T)
        if numbered.count():
            ax.pcolor(
                self.n_samples,
                self.alphas,
                numbered,
                shading="nearest",
                facecolor="none",
                edgecolor="0.25",
                hatch="////",
                lw=0,
                zorder=1.5,
            )
        return [Patch(label="beyond the reach of the training set", **look)]


def _on_axis(n_samples: FloatArray, n_fitted: float) -> bool:
    """Say whether a number of samples lies on the axis."""
    return bool(n_samples[0] <= real_number(n_fitted, "n_fitted") <= n_samples[-1])


def _round_levels(low: float, high: float) -> FloatArray:
    """Return about six numbers between `low` and `high` that are short to write."""
    if high <= 1.001 * low:
        return np.empty(0)
    decades = np.arange(np.floor(np.log10(low)) - 1, np.ceil(np.log10(high)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), np.arange(10, 100, 5) / 10):
        levels = np.unique(np.outer(10.0**decades, steps))
        levels = levels[(levels > low) & (levels < high)]
        if levels.size >= 4:
            return levels
    span = np.linspace(low, high, 7)[1:-1]
    digits = int(np.ceil(-np.log10((high - low) / 6)))
    levels = np.unique(np.round(span, max(digits, 0)))
    return levels[(levels > low) & (levels < high)]
