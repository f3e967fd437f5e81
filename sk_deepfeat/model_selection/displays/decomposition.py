"""Draw the parts of the predicted test error."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from sk_deepfeat.model_selection.arguments import (
    FloatArray,
    as_axis,
    as_cells,
    as_row,
    as_sizes,
    check_one_alpha,
)
from sk_deepfeat.model_selection.displays.base import Display
from sk_deepfeat.model_selection.displays.drawing import (
    ALPHA,
    N_SAMPLES,
    TEST_ERROR,
    alpha_in_words,
    finish,
    mark_size,
    plain_numbers,
    styles,
)
from sk_deepfeat.model_selection.fitted_ridge import (
    alphas_around,
    fitted_alpha,
    known_cells,
    optimal_alphas,
    sizes_around,
)
from sk_deepfeat.theory.validation import axes_of, real_array

_PARTS = {
    "bias": "squared bias",
    "variance": "variance without label noise",
    "noise_variance": "variance from label noise",
    "noise": "noise",
}
_SUMS = {"bias_and_noise": "squared bias + noise", "total_variance": "variance, all"}
_LEAST_SHARE = 1e-3  # of the least total: parts below are not drawn


class ErrorDecompositionDisplay(Display):
    """Predicted bias, variances and noise, and the test error that they add up to.

    Over the number of samples, or at one of them over the regularisation. One training set
    identifies two sums of them, bias with noise and both variances; then these are drawn. Make it
    with `from_fitted`, `from_estimator` or `from_predictions`.

    Parameters
    ----------
    n_samples : ndarray of shape (S,), or float
        Numbers of training samples; one, over several regularisations.
    bias, variance, noise_variance, noise : ndarray of shape (S,) or (A,)
        Squared bias, variance that stays without label noise, what label noise adds to it, and
        what no linear readout explains; NaN where unknown.
    bias_and_noise, total_variance : the same
        Their sums.
    alpha : float or "optimal", optional
        The regularisation, for the legend's title.
    alphas : ndarray of shape (A,), optional
        Regularisations, over which parts are drawn at one number of samples.
    n_fitted : float, optional
        Training samples of the fit, marked by a line.

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
        alphas: Any = None,
        n_fitted: Any = None,
    ) -> None:
        self.n_samples = n_samples
        self.bias = bias
        self.variance = variance
        self.noise_variance = noise_variance
        self.noise = noise
        self.bias_and_noise = bias_and_noise
        self.total_variance = total_variance
        self.alpha = alpha
        self.alphas = alphas
        self.n_fitted = n_fitted

    @classmethod
    def from_predictions(
        cls,
        n_samples: Any,
        decomposition: Any,
        *,
        alpha: Any = None,
        alphas: Any = None,
        n_fitted: Any = None,
        ax: Any = None,
    ) -> Self:
        """Draw what ``predict_decomposition`` returned.

        Parameters
        ----------
        n_samples : array-like of shape (S,), or float
            Numbers of training samples.
        decomposition : ErrorDecomposition
            Of arrays of shape (S,), or (A,) with `alphas`.
        alpha : float or "optimal", optional
            The regularisation that was asked for.
        alphas : array-like of shape (A,), optional
            Regularisations that were asked for at one number of samples.
        n_fitted : float, optional
            Training samples of the fit, marked by a line.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        ErrorDecompositionDisplay

        Raises
        ------
        ValueError
            If the parts have another shape than `n_samples`, or than `alphas`.
        """
        if not hasattr(decomposition, "bias_and_noise"):
            raise TypeError(
                f"decomposition must be what predict_decomposition returned; got {decomposition!r}."
            )
        if alphas is None:
            rows = np.ravel(real_array(n_samples, "n_samples")).size
            places = {"n_samples": as_cells(n_samples, "n_samples", n_samples=rows)}
        elif axes_of(n_samples) > 0:
            raise ValueError(f"n_samples must be one number over alphas; got {n_samples!r}.")
        else:
            places = {"alphas": as_axis(alphas, "alphas", least=0.0, strict=True)}
        lengths = {name: values.size for name, values in places.items()}
        parts = {
            name: as_cells(getattr(decomposition, name), f"decomposition.{name}", **lengths)
            for name in (*_PARTS, *_SUMS)
        }
        given = {"n_samples": n_samples, **places, **parts}
        return cls(**given, alpha=alpha, n_fitted=n_fitted).plot(ax=ax)

    @classmethod
    def from_fitted(
        cls,
        estimator: Any,
        *,
        n_samples: Any = None,
        alpha: Any = None,
        alphas: Any = None,
        over: str = "n_samples",
        ax: Any = None,
    ) -> Self:
        """Ask a fitted estimator for ``predict_decomposition`` and draw it.

        Parameters
        ----------
        estimator : estimator
            Fitted, as of `sk_deepfeat.predict_test_error`.
        n_samples : array-like of shape (S,), optional
            Numbers of training samples; None is from a thirtieth to ten times those of the fit. One
            over alpha; None is that of the fit.
        alpha : float or "optimal", optional
            Regularisation; None is the fitted one, "optimal" the best for each n.
        alphas : array-like of shape (A,), optional
            Regularisations, positive, for ``over="alpha"``; None is about the best.
        over : {"n_samples", "alpha"}, default="n_samples"
            What runs along the picture.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        ErrorDecompositionDisplay
        """
        ridge = cls._fitted_ridge(estimator, ax)
        check_one_alpha(alpha)
        if isinstance(over, str) and over == "alpha":
            return cls._over_alpha(ridge, n_samples, alpha, alphas, ax)
        if not isinstance(over, str) or over != "n_samples" or alphas is not None:
            raise ValueError(
                f"over={over!r} must be 'n_samples' or 'alpha', and alphas={alphas!r} are for "
                "over='alpha' alone."
            )
        _, sizes, asked = known_cells(ridge, as_sizes(n_samples, sizes_around(ridge)), alpha)
        found = ridge.predict_decomposition(sizes, asked)
        shown = fitted_alpha(ridge) if alpha is None else alpha
        return cls.from_predictions(sizes, found, alpha=shown, n_fitted=ridge.n_samples_, ax=ax)

    @classmethod
    def _over_alpha(cls, ridge: Any, n_samples: Any, alpha: Any, alphas: Any, ax: Any) -> Self:
        if alpha is not None:
            raise ValueError(f"alpha={alpha!r} is what runs along the picture; pass alphas.")
        sizes = as_sizes(n_samples, np.array([float(ridge.n_samples_)]))
        if sizes.size != 1:
            raise ValueError(f"n_samples must be one number over alphas; got {n_samples!r}.")
        if alphas is None:
            strengths = alphas_around(ridge, optimal_alphas(ridge, sizes))
        else:
            strengths = as_row(alphas, "alphas", least=0.0, strict=True)
        found = ridge.predict_decomposition(sizes[0], strengths)
        return cls.from_predictions(float(sizes[0]), found, alphas=strengths, ax=ax)

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
        over, label = (self.n_samples, N_SAMPLES) if self.alphas is None else (self.alphas, ALPHA)
        total = self.bias_and_noise + self.total_variance
        split = {name: label for name, label in _PARTS.items() if self._is_known(name)}
        shown = split if len(split) == len(_PARTS) else _SUMS
        (line,) = ax.plot(over, total, color="black", lw=2, label="test error (the sum)")
        self.lines_ = {"total": line}
        every = max(1, len(over) // 8)
        for k, (name, look) in enumerate(zip(shown, styles(len(shown)), strict=True)):
            drawn = self._drawn(name, total)
            left_out = self._is_known(name) and not np.any(np.isfinite(drawn))
            (self.lines_[name],) = ax.plot(
                over,
                drawn,
                color=look.colour,
                ls=look.line,
                marker=look.marker,
                markevery=(k * every // len(shown), every),
                ms=5,
                label=shown[name] + (",\ntoo small to draw" if left_out else ""),
            )
        ax.set(xscale="log", yscale="log", xlabel=label, ylabel=TEST_ERROR)
        if self.alphas is None and self.n_fitted is not None:
            mark_size(ax, self.n_fitted, low=True)
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
        if self.alphas is not None:
            lines = [f"n = {self.n_samples:g}"]
        if one_sample:
            lines.append("one training set tells these two sums only")
        if ends:
            lines.append("lines end at its reach")
        return "\n".join(lines)
