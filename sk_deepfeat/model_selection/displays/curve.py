"""Draw predicted and measured learning curves."""

from __future__ import annotations

import reprlib
from typing import Any, Self

import numpy as np

from sk_deepfeat.linear_model._arguments import check_alpha
from sk_deepfeat.model_selection.arguments import as_sizes
from sk_deepfeat.model_selection.curve_errors import scoring_of
from sk_deepfeat.model_selection.curve_result import RidgeLearningCurve
from sk_deepfeat.model_selection.displays.base import Display, warn_renamed
from sk_deepfeat.model_selection.displays.drawing import (
    ERRORS,
    N_SAMPLES,
    alpha_in_words,
    end_of_reach_handle,
    finish,
    intervals_in_words,
    mark_end_of_reach,
    mark_size,
    plain_numbers,
    shade,
    styles,
)
from sk_deepfeat.model_selection.fitted_ridge import (
    asked_metric,
    best_of_fit,
    curves_of,
    fitted_alpha,
    quantiles_of,
    sizes_around,
)
from sk_deepfeat.model_selection.learning_curve import ridge_learning_curve
from sk_deepfeat.theory.sparse import is_sparse
from sk_deepfeat.theory.validation import axes_of

_SIZES_OF_QUANTILES = 10


class RidgeLearningCurveDisplay(Display):
    """Predicted test errors over the number of samples (lines), and measured ones (points).

    Shaded: the intervals of the prediction. A thin line marks the size of the fit. A bar across a
    line: the training set identifies the error up to there; beyond, the line is thin, or absent.
    Make it with `from_fitted` (a fitted ridge, without refits), `from_estimator` (with refits) or
    `from_result`.

    Parameters
    ----------
    n_samples : ndarray of shape (S,)
        Numbers of training samples.
    alphas : sequence of A floats
        Regularisations, one colour and line style each; "optimal" is the best for each size.
    predicted : ndarray of shape (S, A)
        Errors; NaN where unknown.
    measured_mean, measured_se : ndarray of shape (S, A), optional
        Means over refits and their standard errors.
    lower, upper : ndarray of shape (S, A), optional
        Ends of intervals of `predicted`.
    reachable : ndarray of bool of shape (S, A), optional
        Where the training set identifies the error; None: where `predicted` is not NaN.
    level : float, default=0.9
        Nominal coverage of the intervals; the share of the outputs in a band.
    metric : str, default="mse"
        What the errors are: "mse", or of classes as in ``predict_test_error``.
    outputs : {"mean", "quantiles"}, default="mean"
        Whether errors are means over outputs, or their medians, and `lower` and `upper` quantiles.
    n_fitted : float, optional
        Training samples of the fit, marked by a line.
    best_alpha : float, optional
        The best regularisation for so many, said in the legend.

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
        n_samples: Any,
        alphas: Any,
        predicted: Any,
        measured_mean: Any = None,
        measured_se: Any = None,
        lower: Any = None,
        upper: Any = None,
        reachable: Any = None,
        level: float = 0.9,
        metric: str = "mse",
        outputs: str = "mean",
        n_fitted: Any = None,
        best_alpha: Any = None,
    ) -> None:
        self.n_samples = n_samples
        self.alphas = alphas
        self.predicted = predicted
        self.measured_mean = measured_mean
        self.measured_se = measured_se
        self.lower = lower
        self.upper = upper
        self.reachable = reachable
        self.level = level
        self.metric = metric
        self.outputs = outputs
        self.n_fitted = n_fitted
        self.best_alpha = best_alpha

    @property
    def train_sizes(self) -> Any:
        """The old name of `n_samples`, which goes after one release."""
        warn_renamed(type(self), "train_sizes", "n_samples")
        return self.n_samples

    @classmethod
    def from_result(cls, curve: RidgeLearningCurve, *, ax: Any = None) -> Self:
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
        if not hasattr(curve, "measured_mean"):
            raise TypeError(f"curve must be what ridge_learning_curve returned; got {curve!r:.60}.")
        return cls(
            n_samples=curve.train_sizes,
            alphas=curve.alphas,
            predicted=curve.predicted,
            measured_mean=curve.measured_mean,
            measured_se=curve.measured_se,
            lower=curve.lower,
            upper=curve.upper,
            reachable=curve.reachable,
            level=curve.level,
            metric=curve.metric,
        ).plot(ax=ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        n_samples: Any = None,
        alphas: Any = None,
        level: float = 0.9,
        metric: str | None = None,
        groups: Any = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Run `ridge_learning_curve`, refits included, and draw its result.

        Parameters
        ----------
        estimator, X, y, groups
            As in `ridge_learning_curve`.
        n_samples : array-like of shape (S,), optional
            Its ``train_sizes``; None is five from a tenth of the rows on.
        alphas : array-like of shape (A,), optional
            Regularisations; None is about the best one.
        level : float, default=0.9
            Nominal coverage of the intervals; there are none if the population does not know them.
        metric : str, optional
            Of a classifier, which error, as in ``predict_test_error``; None is the error rate.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.
        **kwargs
            Further arguments of `ridge_learning_curve`, such as ``n_repeats`` and ``n_jobs``.

        Returns
        -------
        RidgeLearningCurveDisplay
        """
        cls._check_drawing("from_estimator", ax)  # before the long run
        asked = {"train_sizes": n_samples, "scoring": scoring_of(metric)}
        for name, ours in (("train_sizes", "n_samples"), ("scoring", "metric")):
            if kwargs.get(name) is not None:
                if asked[name] is not None:
                    raise ValueError(f"{ours} and {name} say the same; pass {ours}.")
                asked[name] = kwargs.pop(name)
        curve = ridge_learning_curve(
            estimator, X, y, alphas=alphas, groups=groups, level=level, **{**kwargs, **asked}
        )
        return cls.from_result(curve, ax=ax)

    @classmethod
    def from_fitted(
        cls,
        estimator: Any,
        *,
        n_samples: Any = None,
        alphas: Any = None,
        level: float = 0.9,
        metric: str | None = None,
        outputs: str = "mean",
        ax: Any = None,
    ) -> Self:
        """Ask a fitted estimator and draw; nothing is refitted.

        Parameters
        ----------
        estimator : estimator
            Fitted, as of `sk_deepfeat.predict_test_error`.
        n_samples : array-like of shape (S,), optional
            Numbers of training samples; None is from a thirtieth to ten times those of the fit, ten
            of them for quantiles, which take longer.
        alphas : float, "optimal", None, or sequence of them, optional
            Regularisations; None is the fitted one, and the best for each n.
        level : float, default=0.9
            Nominal coverage of the intervals; there are none if the population does not know them.
        metric : str, optional
            Of a classifier, which error, as in ``predict_test_error``; None is the error rate, or
            "mse" if that is all that is known.
        outputs : {"mean", "quantiles"}, default="mean"
            Of several outputs, the mean of their errors with its interval, or the median with a
            band that holds the share `level` of the outputs.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        RidgeLearningCurveDisplay
        """
        ridge = cls._fitted_ridge(estimator, ax)
        if not isinstance(outputs, str) or outputs not in ("mean", "quantiles"):
            raise ValueError(f"outputs={outputs!r} must be 'mean' or 'quantiles'.")
        few = {"count": _SIZES_OF_QUANTILES} if outputs == "quantiles" else {}
        sizes = as_sizes(n_samples, sizes_around(ridge, **few))
        if alphas is None:
            alphas = [fitted_alpha(ridge), "optimal"]
            if isinstance(ridge.alpha, str):
                alphas = ["optimal"]
        alphas = _checked_alphas(alphas)
        metric = asked_metric(ridge, metric)
        asked = curves_of if outputs == "mean" else quantiles_of
        curves = asked(ridge, sizes, alphas, level, metric)
        fit: dict[str, Any] = {"outputs": outputs, "n_fitted": ridge.n_samples_}
        if any(isinstance(alpha, str) for alpha in alphas):
            fit["best_alpha"] = best_of_fit(ridge, metric)
        fit |= {"level": level, "metric": metric}
        return cls(n_samples=sizes, alphas=alphas, **curves, **fit).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw on logarithmic axes; errors that are all zero on a linear one.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        RidgeLearningCurveDisplay
            Itself, with `ax_`, `figure_`, `lines_`, `bands_` and `errorbars_`.
        """
        ax = self.ax_ = self._open_axes(ax)
        order = np.argsort(self.n_samples)
        sizes = np.asarray(self.n_samples)[order]
        self.lines_: list[Any] = []
        self.bands_: list[Any] = []
        self.errorbars_: list[Any] = []
        looks = styles(len(self.alphas))
        for i, look in enumerate(looks):
            self._prediction(ax, sizes, order, i, look)
            if self.measured_mean is not None:
                self._points(ax, sizes, order, i, look)
        handles = [self._handle(i, look) for i, look in enumerate(looks)]
        handles += end_of_reach_handle(ax)
        measured = self.predicted if self.measured_mean is None else self.measured_mean
        some = np.any(self.predicted > 0) or np.any(measured > 0)  # else a logarithm shows nothing
        scale = "log" if some else "linear"
        ax.set(xscale="log", yscale=scale, xlabel=N_SAMPLES, ylabel=ERRORS[self.metric])
        if self.n_fitted is not None:
            mark_size(ax, self.n_fitted)
        plain_numbers(ax.xaxis)
        finish(ax, self._title(), handles=handles)
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
            self.bands_.append(shade(ax, sizes, *ends, look))

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

        return Line2D(
            [],
            [],
            color=look.colour,
            ls=look.line,
            marker=look.marker if self.measured_mean is not None else None,
            ms=5,
            label=self._label(self.alphas[i]),
        )

    def _label(self, alpha: Any) -> str:
        label = alpha_in_words(alpha)
        known = self.best_alpha is not None and np.isfinite(self.best_alpha)
        if isinstance(alpha, str) and known and self.n_fitted is not None:
            label += f" ({self.best_alpha:.3g} at n = {self.n_fitted:g})"
        return label

    def _title(self) -> str:
        title = ["lines: predicted"] if self.measured_mean is not None else ["predicted"]
        if self.outputs == "quantiles":
            return f"median over outputs; shaded: {100 * self.level:g} % of them"
        if self.bands_:
            title.append(intervals_in_words(self.level))
        if self.measured_mean is not None:
            title.append("points: measured ± s.e.")
        return "; ".join(title)


def _checked_alphas(alphas: Any) -> list[Any]:
    """Return regularisations in a list, each a float, a word, or None; or raise."""
    try:
        if is_sparse(alphas):
            raise TypeError("a matrix")
        several = isinstance(alphas, (list, tuple)) or axes_of(alphas) > 0
        found = list(alphas) if several else [alphas]
    except TypeError as error:
        raise TypeError(
            f"alphas={reprlib.repr(alphas)} must be a number, 'optimal', None, or several of them."
        ) from error
    if not found:
        raise ValueError(f"alphas={alphas!r} must hold at least one number or 'optimal'.")
    for alpha in found:
        try:
            if alpha is not None:
                check_alpha(alpha)
        except (TypeError, ValueError) as error:
            raise type(error)(f"alphas={reprlib.repr(alphas)}: {error}") from error
    return [alpha if alpha is None or isinstance(alpha, str) else float(alpha) for alpha in found]
