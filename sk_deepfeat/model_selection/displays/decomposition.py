"""Draw the parts of the predicted test error over the number of samples."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from sk_deepfeat.model_selection.arguments import FloatArray, as_cells, as_sizes, check_one_alpha
from sk_deepfeat.model_selection.displays.base import Display, renamed
from sk_deepfeat.model_selection.displays.drawing import (
    N_SAMPLES,
    TEST_ERROR,
    alpha_in_words,
    finish,
    plain_numbers,
    styles,
)
from sk_deepfeat.model_selection.fitted_ridge import known_cells, sizes_around

_PARTS = {
    "bias": "squared bias",
    "variance": "variance without label noise",
    "noise_variance": "variance from label noise",
    "noise": "noise",
}
_SUMS = {"bias_and_noise": "squared bias + noise", "total_variance": "variance, all"}
_LEAST_SHARE = 1e-3  # of the least total: parts below are not drawn


class ErrorDecompositionDisplay(Display):
    """Predicted bias, variances and noise over n, and the test error that they add up to.

    One training set identifies two sums of them, bias with noise and both variances; then these
    are drawn. Make it with `from_fitted` or `from_predictions`.

    Parameters
    ----------
    n_samples : ndarray of shape (S,)
        Numbers of training samples.
    bias, variance, noise_variance, noise : ndarray of shape (S,)
        Squared bias, variance that stays without label noise, what label noise adds to it, and
        what no linear readout explains; NaN where unknown.
    bias_and_noise, total_variance : ndarray of shape (S,)
        Their sums.
    alpha : float or "optimal", optional
        The regularisation, for the legend's title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : dict of str to Line2D
        "total" and each part or sum that is known.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat import DeterministicEquivalentRidge
    >>> from sk_deepfeat.model_selection import ErrorDecompositionDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 20))
    >>> ridge = DeterministicEquivalentRidge().fit(X, X[:, 0] + rng.normal(size=200))
    >>> display = ErrorDecompositionDisplay.from_fitted(ridge)
    >>> sorted(display.lines_)
    ['bias_and_noise', 'total', 'total_variance']
    """

    def __init__(
        self,
        *,
        n_samples: Any,
        bias: Any,
        variance: Any,
        noise_variance: Any,
        noise: Any,
        bias_and_noise: Any,
        total_variance: Any,
        alpha: Any = None,
    ) -> None:
        self.n_samples = n_samples
        self.bias = bias
        self.variance = variance
        self.noise_variance = noise_variance
        self.noise = noise
        self.bias_and_noise = bias_and_noise
        self.total_variance = total_variance
        self.alpha = alpha

    @classmethod
    def from_predictions(
        cls, n_samples: Any, decomposition: Any, *, alpha: Any = None, ax: Any = None
    ) -> Self:
        """Draw what ``predict_decomposition`` returned.

        Parameters
        ----------
        n_samples : array-like of shape (S,)
            Numbers of training samples.
        decomposition : ErrorDecomposition
            Of arrays of shape (S,).
        alpha : float or "optimal", optional
            The regularisation that was asked for.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        ErrorDecompositionDisplay

        Raises
        ------
        ValueError
            If the parts have another shape than `n_samples`.
        """
        if not hasattr(decomposition, "bias_and_noise"):
            raise TypeError(
                f"decomposition must be what predict_decomposition returned; got {decomposition!r}."
            )
        sizes = as_cells(n_samples, "n_samples", n_samples=np.size(n_samples))
        parts = {
            name: as_cells(
                getattr(decomposition, name), f"decomposition.{name}", n_samples=sizes.size
            )
            for name in (*_PARTS, *_SUMS)
        }
        return cls(n_samples=sizes, **parts, alpha=alpha).plot(ax=ax)

    @classmethod
    def from_fitted(
        cls, estimator: Any, *, n_samples: Any = None, alpha: Any = None, ax: Any = None
    ) -> Self:
        """Ask a fitted estimator for ``predict_decomposition`` and draw it.

        Parameters
        ----------
        estimator : DeterministicEquivalentRidge, or TwoStageRegressor, Pipeline or search
            Fitted; what ends in a `DeterministicEquivalentRidge`, or in its classifier, is asked
            for it.
        n_samples : array-like of shape (S,), optional
            Numbers of training samples; None is from a thirtieth to ten times those of the fit.
        alpha : float or "optimal", optional
            Regularisation; None is the fitted one, "optimal" the best for each n.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        ErrorDecompositionDisplay
        """
        ridge = cls._fitted_ridge(estimator, ax)
        check_one_alpha(alpha)
        _, sizes, asked = known_cells(ridge, as_sizes(n_samples, sizes_around(ridge)), alpha)
        found = ridge.predict_decomposition(sizes, asked)
        return cls.from_predictions(
            sizes, found, alpha=float(ridge.alpha_) if alpha is None else alpha, ax=ax
        )

    from_estimator = renamed("from_estimator", "from_fitted")

    def plot(self, ax: Any = None) -> Self:
        """Draw the known parts and their total on logarithmic axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        ErrorDecompositionDisplay
            Itself, with `ax_`, `figure_` and `lines_`.
        """
        ax = self.ax_ = self._open_axes(ax)
        total = self.bias_and_noise + self.total_variance
        split = {name: label for name, label in _PARTS.items() if self._is_known(name)}
        shown = split if len(split) == len(_PARTS) else _SUMS
        (line,) = ax.plot(self.n_samples, total, color="black", lw=2, label="test error (the sum)")
        self.lines_ = {"total": line}
        every = max(1, len(self.n_samples) // 8)
        for k, (name, look) in enumerate(zip(shown, styles(len(shown)), strict=True)):
            drawn = self._drawn(name, total)
            left_out = self._is_known(name) and not np.any(np.isfinite(drawn))
            (self.lines_[name],) = ax.plot(
                self.n_samples,
                drawn,
                color=look.colour,
                ls=look.line,
                marker=look.marker,
                markevery=(k * every // len(shown), every),
                ms=5,
                label=shown[name] + (",\ntoo small to draw" if left_out else ""),
            )
        ax.set(xscale="log", yscale="log", xlabel=N_SAMPLES, ylabel=TEST_ERROR)
        plain_numbers(ax.xaxis)
        finish(ax, self._title(one_sample=shown is _SUMS, ends=bool(np.isnan(total).any())))
        return self

    def _is_known(self, name: str) -> bool:
        return bool(np.any(np.isfinite(getattr(self, name))))

    def _drawn(self, name: str, total: FloatArray) -> FloatArray:
        """Leave out what is too small to matter and would stretch the axis."""
        values = np.asarray(getattr(self, name), dtype=np.float64)
        if not np.any(np.isfinite(total)):
            return values
        return np.where(values >= _LEAST_SHARE * np.nanmin(total), values, np.nan)

    def _title(self, *, one_sample: bool, ends: bool) -> str:
        lines = [] if self.alpha is None else [alpha_in_words(self.alpha)]
        if one_sample:
            lines.append("one training set tells\nthese two sums only")
        if ends:
            lines.append("lines end at its reach")
        return "\n".join(lines)
