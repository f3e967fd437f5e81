"""Draw how the predicted test error falls while the features are trained."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.linear_model import DeterministicEquivalentRidge
from sk_deepfeat.model_selection.arguments import (
    FloatArray,
    as_axis,
    as_cells,
    as_row,
    check_one_alpha,
)
from sk_deepfeat.model_selection.displays.base import Display
from sk_deepfeat.model_selection.displays.drawing import (
    ERRORS,
    alpha_in_words,
    finish,
    intervals_in_words,
    shade,
    styles,
)
from sk_deepfeat.model_selection.fitted_ridge import (
    asked_metric,
    curves_of,
    fitted_alpha,
    fitted_ridge,
    three_sizes,
)
from sk_deepfeat.model_selection.fitting import fitted_clone
from sk_deepfeat.theory.validation import check_n_samples

_MOST_TICKS = 9


class TrainingDynamicsDisplay(Display):
    """Predicted test error of ridge on the features of each checkpoint, over the epochs.

    Make it with `from_fitted` (fitted features), `from_estimator` (features trained first) or
    `from_predictions`.

    Parameters
    ----------
    epochs : ndarray of shape (E,)
        Epochs of the checkpoints, ascending.
    n_samples : ndarray of shape (S,)
        Numbers of training samples of the ridge, one colour and marker each.
    test_error : ndarray of shape (E, S)
        Predicted errors; NaN where unknown.
    lower, upper : ndarray of shape (E, S), optional
        Ends of intervals.
    level : float, default=0.9
        Nominal coverage of the intervals.
    alpha : float or "optimal", optional
        The regularisation, for the legend's title.
    metric : str, default="mse"
        What the errors are: "mse", or of classes as in ``predict_test_error``.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of Line2D
        One for each of `n_samples`.
    bands_ : list of FillBetweenPolyCollection
        Their intervals; empty if there are none.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat import TrainedDeepFeatures
    >>> from sk_deepfeat.model_selection import TrainingDynamicsDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 5))
    >>> y = np.tanh(X[:, 0]) + 0.1 * rng.normal(size=400)
    >>> features = TrainedDeepFeatures((20,), max_epochs=4, checkpoints=(0, 1, 4), random_state=0)
    >>> features = features.fit(X[:200], y[:200])
    >>> display = TrainingDynamicsDisplay.from_fitted(
    ...     features, X[200:], y[200:], n_samples=[50, 200])
    >>> display.test_error.shape
    (3, 2)
    """

    def __init__(
        self,
        *,
        epochs: Any,
        n_samples: Any,
        test_error: Any,
        lower: Any = None,
        upper: Any = None,
        level: float = 0.9,
        alpha: Any = None,
        metric: str = "mse",
    ) -> None:
        self.epochs = epochs
        self.n_samples = n_samples
        self.test_error = test_error
        self.lower = lower
        self.upper = upper
        self.level = level
        self.alpha = alpha
        self.metric = metric

    @classmethod
    def from_predictions(
        cls,
        epochs: Any,
        n_samples: Any,
        test_error: Any,
        *,
        lower: Any = None,
        upper: Any = None,
        level: float = 0.9,
        alpha: Any = None,
        metric: str = "mse",
        ax: Any = None,
    ) -> Self:
        """Draw numbers that are at hand.

        Parameters
        ----------
        epochs : array-like of shape (E,)
            Epochs, ascending.
        n_samples : array-like of shape (S,)
            Numbers of training samples of the ridge.
        test_error : array-like of shape (E, S)
            Errors at each of them; NaN where unknown.
        lower, upper : array-like of shape (E, S), optional
            Ends of intervals.
        level : float, default=0.9
            Their nominal coverage.
        alpha : float or "optimal", optional
            The regularisation that was asked for.
        metric : str, default="mse"
            What the errors are.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        TrainingDynamicsDisplay

        Raises
        ------
        ValueError
            If shapes do not fit, or epochs are not ascending.
        """
        steps = as_axis(epochs, "epochs", least=0.0)
        sizes = np.atleast_1d(check_n_samples(n_samples))
        arrays = {"test_error": test_error, "lower": lower, "upper": upper}
        given: dict[str, Any] = {
            name: as_cells(values, name, epochs=steps.size, n_samples=sizes.size)
            for name, values in arrays.items()
            if values is not None or name == "test_error"
        }
        more = {"level": level, "alpha": alpha, "metric": metric}
        return cls(epochs=steps, n_samples=sizes, **given, **more).plot(ax=ax)

    @classmethod
    def from_fitted(
        cls,
        feature_map: Any,
        X: Any,
        y: Any,
        *,
        epochs: Any = None,
        n_samples: Any = None,
        alpha: Any = None,
        level: float = 0.9,
        metric: str | None = None,
        readout: Any = None,
        groups: Any = None,
        ax: Any = None,
    ) -> Self:
        """Ask for the error of a ridge on the features of every checkpoint and draw.

        The features are not trained again; a ridge is fitted on those of each checkpoint.

        Parameters
        ----------
        feature_map : TrainedDeepFeatures, or another transformer with ``staged_transform``
            Fitted, with ``checkpoints``.
        X : array-like of shape (n_rows, ...)
            Rows that the feature map was not fitted on: on its own rows the errors come out far
            too small. Of a `TwoStageRegressor`, the rows ``readout_indices_``.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Their targets.
        epochs : array-like of shape (E,), optional
            When the stages were kept; None is ``feature_map.checkpoints``.
        n_samples : array-like of shape (S,), optional
            Numbers of training samples of the ridge; None is a tenth of the rows, all rows, and ten
            times as many.
        alpha : float or "optimal", optional
            Regularisation; "optimal" is the best for each epoch and n, None what `readout` has.
        level : float, default=0.9
            Nominal coverage of the intervals; there are none if the population does not know them.
        metric : str, optional
            Of a classifier, which error, as in ``predict_test_error``; None is the error rate, or
            "mse" if that is all that is known.
        readout : DeterministicEquivalentRidge or its classifier, optional
            Cloned for every stage; None is ``DeterministicEquivalentRidge("optimal")``.
        groups : array-like of shape (n_rows,), optional
            Labels of the rows' groups; errors are then those on rows of new groups.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        TrainingDynamicsDisplay

        Raises
        ------
        TypeError
            If the feature map keeps no stages.
        ValueError
            If there is not one epoch for each stage, or a number is out of range.
        """
        cls._check_drawing("from_fitted", ax)  # before the long run
        if isinstance(feature_map, type) or not hasattr(feature_map, "staged_transform"):
            raise TypeError(
                "feature_map must be a fitted TrainedDeepFeatures, or another transformer with "
                f"staged_transform; got {feature_map!r}."
            )
        check_is_fitted(feature_map)
        check_one_alpha(alpha)
        if readout is None:
            readout = DeterministicEquivalentRidge("optimal")
        sizes = None if n_samples is None else as_row(n_samples, "n_samples", least=1.0)
        stages = []
        for features in feature_map.staged_transform(X):
            ridge = fitted_ridge(fitted_clone(readout, features, y, groups))
            if alpha is None:
                alpha = ridge.alpha if isinstance(ridge.alpha, str) else fitted_alpha(ridge)
            if sizes is None:
                sizes = three_sizes(ridge)
            metric = asked_metric(ridge, metric)
            stages.append(_at_sizes(ridge, sizes, alpha, level, metric))
        if epochs is None:
            epochs = getattr(feature_map, "checkpoints", None)
        if epochs is None or np.size(epochs) != len(stages):
            raise ValueError(
                f"epochs must hold one number for each of the {len(stages)} stages of the feature "
                f"map; got {epochs!r}."
            )
        found: dict[str, Any] = {
            name: np.array([stage[name] for stage in stages]) for name in stages[0]
        }
        more = {"level": level, "alpha": alpha, "metric": metric or "mse", "ax": ax}
        return cls.from_predictions(epochs, sizes, found.pop("predicted"), **found, **more)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, groups: Any = None, ax: Any = None, **asked: Any
    ) -> Self:
        """Train the features of two stages on their part of the rows, and ask for the others.

        Parameters
        ----------
        estimator : TwoStageRegressor or TwoStageClassifier
            Fitted or not; its feature map has ``staged_transform`` and checkpoints.
        X, y, groups : array-like
            All rows, as in its ``fit``.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.
        **asked
            Further arguments of `from_fitted`; `readout` is that of `estimator`.

        Returns
        -------
        TrainingDynamicsDisplay

        Raises
        ------
        TypeError
            If `estimator` is no two stages: what trains features and predicts errors on the same
            rows makes these far too small.
        """
        cls._check_drawing("from_estimator", ax)  # before the long run
        if isinstance(estimator, type) or not hasattr(estimator, "fit_feature_map"):
            raise TypeError(
                "estimator must be a TwoStageRegressor or TwoStageClassifier, whose features and "
                f"ridge learn from different rows; got {estimator!r}. Features that are trained "
                "already, and other rows, go to from_fitted."
            )
        two_stages = clone(estimator)
        if groups is None:
            feature_map, rows = two_stages.fit_feature_map(X, y)
        else:
            feature_map, rows = two_stages.fit_feature_map(X, y, groups=groups)
            asked["groups"] = _safe_indexing(groups, rows)
        return cls.from_fitted(
            feature_map,
            _safe_indexing(X, rows),
            _safe_indexing(y, rows),
            readout=two_stages.readout,
            ax=ax,
            **asked,
        )

    def plot(self, ax: Any = None) -> Self:
        """Draw the errors over the epochs, with shaded intervals.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        TrainingDynamicsDisplay
            Itself, with `ax_`, `figure_`, `lines_` and `bands_`.
        """
        ax = self.ax_ = self._open_axes(ax)
        self.lines_: list[Any] = []
        self.bands_: list[Any] = []
        for i, look in enumerate(styles(len(self.n_samples))):
            (line,) = ax.plot(
                self.epochs,
                self.test_error[:, i],
                color=look.colour,
                ls=look.line,
                marker=look.marker,
                ms=5,
                label=f"n = {self.n_samples[i]:.0f}",
            )
            self.lines_.append(line)
            if self.lower is not None and self.upper is not None:
                ends = self.lower[:, i], self.upper[:, i]
                self.bands_.append(shade(ax, self.epochs, *ends, look))
        ax.set(yscale="log", xlabel="training of the features (epochs)", ylabel=ERRORS[self.metric])
        self._scale_epochs(ax)
        finish(ax, self._title())
        return self

    def _scale_epochs(self, ax: Any) -> None:
        """Spread epochs of several orders; epoch 0, the untrained network, stays in the picture."""
        positive = self.epochs[self.epochs > 0]
        if positive.size < 2 or positive[-1] < 20.0 * positive[0]:
            if np.all(self.epochs == np.round(self.epochs)):
                ax.xaxis.get_major_locator().set_params(integer=True)
            return
        from matplotlib.ticker import NullLocator

        first, last = positive[0], positive[-1]
        if self.epochs[0] > 0:
            ax.set(xscale="log", xlim=(first / 1.2, last * 1.2))
        else:
            ax.set_xscale("symlog", linthresh=first, linscale=0.5)
            ax.set_xlim(-0.2 * first, last * 1.2)
        shown = self.epochs[:: int(np.ceil(self.epochs.size / _MOST_TICKS))]
        ax.set_xticks(shown, [f"{epoch:g}" for epoch in shown])
        ax.xaxis.set_minor_locator(NullLocator())

    def _title(self) -> str:
        title = [] if self.alpha is None else [alpha_in_words(self.alpha, each="point")]
        if self.bands_:
            title.append(intervals_in_words(self.level))
        if np.any(np.isnan(self.test_error)):
            title.append("missing: beyond reach")
        return "\n".join(title)


def _at_sizes(
    ridge: Any, sizes: FloatArray, alpha: Any, level: float, metric: str
) -> dict[str, FloatArray]:
    found = curves_of(ridge, sizes, [alpha], level, metric)
    return {name: values[:, 0] for name, values in found.items() if name != "reachable"}
