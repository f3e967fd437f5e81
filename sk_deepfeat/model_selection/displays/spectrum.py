"""Draw the spectrum of the features and which part of it ridge learns."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from sk_deepfeat.model_selection.arguments import FloatArray, as_sizes, check_one_alpha
from sk_deepfeat.model_selection.displays.base import Display
from sk_deepfeat.model_selection.displays.drawing import finish, plain_numbers, styles
from sk_deepfeat.model_selection.fitted_ridge import kappa_at, three_sizes

_POINTS = 200
_DECADES = 8.0  # eigenvalues below the largest by more are not drawn


class SpectrumDisplay(Display):
    """Eigenvalues of the features in rank order, and the degrees of freedom of ridge over κ.

    The effective regularisation κ of ridge at some (n, alpha) is a height above and a place
    below: directions of larger eigenvalue are learned, df1 counts them softly, and the
    variance of the prediction grows with df2/n. Make it with `from_fitted`.

    Parameters
    ----------
    eigenvalues : ndarray of shape (rank,)
        Of the training rows' covariance, or second moment without intercept, descending.
    kappa, df1, df2 : ndarray of shape (K,)
        Degrees of freedom over κ, ascending; NaN where unknown.
    n_samples, kappa_at : ndarray of shape (S,)
        Numbers of training samples and κ there; NaN where unknown.
    population_eigenvalues : ndarray of shape (rank,), optional
        The population's, where it is known by its moments.

    Attributes
    ----------
    axes_ : ndarray of two matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : dict of str to Line2D
        "eigenvalues", "population_eigenvalues" if they are known, "df1" and "df2".

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat import DeterministicEquivalentRidge
    >>> from sk_deepfeat.model_selection import SpectrumDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 20))
    >>> ridge = DeterministicEquivalentRidge().fit(X, X[:, 0] + rng.normal(size=200))
    >>> display = SpectrumDisplay.from_fitted(ridge)
    >>> sorted(display.lines_)
    ['df1', 'df2', 'eigenvalues']
    """

    _n_axes: ClassVar[int] = 2
    _size: ClassVar[tuple[float, float]] = (5.2, 8.0)

    def __init__(
        self,
        *,
        eigenvalues: Any,
        kappa: Any,
        df1: Any,
        df2: Any,
        n_samples: Any,
        kappa_at: Any,
        population_eigenvalues: Any = None,
    ) -> None:
        self.eigenvalues = eigenvalues
        self.kappa = kappa
        self.df1 = df1
        self.df2 = df2
        self.n_samples = n_samples
        self.kappa_at = kappa_at
        self.population_eigenvalues = population_eigenvalues

    @classmethod
    def from_fitted(
        cls, estimator: Any, *, n_samples: Any = None, alpha: Any = None, ax: Any = None
    ) -> Self:
        """Ask a fitted estimator and draw; nothing is refitted.

        Parameters
        ----------
        estimator : estimator
            Fitted, as of `sk_deepfeat.predict_test_error`. Its population must implement
            ``degrees_of_freedom``, as the built-in ones do.
        n_samples : array-like of shape (S,), optional
            Numbers of training samples at which κ is marked; None is a tenth of those of the fit,
            these, and ten times as many.
        alpha : float or "optimal", optional
            Regularisation of the marks; None is the fitted one, "optimal" the best for each n.
        ax : sequence of two matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        SpectrumDisplay
        """
        ridge = cls._fitted_ridge(estimator, ax)
        check_one_alpha(alpha)
        if not hasattr(ridge, "eigenvalues_"):
            raise ValueError(
                f"population={ridge.population!r} makes no factorisation: no eigenvalues are known."
            )
        if ridge.eigenvalues_.size == 0:
            raise ValueError("All features are constant: there is no spectrum to draw.")
        sizes = as_sizes(n_samples, three_sizes(ridge))
        marks = kappa_at(ridge, sizes, alpha)
        kappa = _range_of_kappa(ridge.eigenvalues_, marks)
        df1, df2 = ridge.degrees_of_freedom(kappa)
        known = None
        if hasattr(ridge.population_, "eigenvalues"):
            known = ridge.population_.eigenvalues(fit_intercept=ridge.fit_intercept)
        return cls(
            eigenvalues=ridge.eigenvalues_,
            kappa=kappa,
            df1=df1,
            df2=df2,
            n_samples=sizes,
            kappa_at=marks,
            population_eigenvalues=known,
        ).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the eigenvalues above, the degrees of freedom below.

        Parameters
        ----------
        ax : sequence of two matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        SpectrumDisplay
            Itself, with `axes_`, `figure_` and `lines_`.
        """
        above, below = self.axes_ = np.ravel(self._open_axes(ax))
        self.lines_ = {}
        self._spectrum(above)
        (self.lines_["df1"],) = below.plot(
            self.kappa, self.df1, color="black", lw=1.8, label="df1: directions learned"
        )
        (self.lines_["df2"],) = below.plot(
            self.kappa, self.df2, color="black", lw=1.8, ls="--", label="df2: drives the variance"
        )
        for n, kappa, look in zip(
            self.n_samples, self.kappa_at, styles(len(self.n_samples)), strict=True
        ):
            if not (np.isfinite(kappa) and kappa > 0):
                continue
            line = {"color": look.colour, "ls": look.line, "lw": 1.2}
            mark = {"marker": look.marker, "ms": 7, "color": look.colour}
            above.axhline(kappa, **line)
            below.axvline(kappa, **line)
            rank = np.sum(self._learned() > kappa)
            label = f"κ at n = {n:.0f}"
            above.plot([max(rank, 1)], [kappa], ls=look.line, label=label, **mark)
            log_df1 = np.interp(np.log(kappa), np.log(self.kappa), np.log(self.df1))
            below.plot([kappa], [np.exp(log_df1)], ls="none", **mark)
        above.set(
            xscale="log", yscale="log", xlabel="rank", ylabel="eigenvalue (squared units of X)"
        )
        below.set(
            xscale="log", yscale="log", xlabel="κ (squared units of X)", ylabel="degrees of freedom"
        )
        plain_numbers(above.xaxis)
        handles = [*above.get_legend_handles_labels()[0], self.lines_["df1"], self.lines_["df2"]]
        finish(below, "", handles=handles)
        return self

    def _learned(self) -> FloatArray:
        known = self.population_eigenvalues
        return self.eigenvalues if known is None else known

    def _spectrum(self, ax: Any) -> None:
        spectra = {"eigenvalues": ("spectrum of the training rows", "-", "0.35")}
        if self.population_eigenvalues is not None:
            spectra["population_eigenvalues"] = ("spectrum of the population", ":", "black")
        for name, (label, line, colour) in spectra.items():
            values = np.asarray(getattr(self, name))
            values = values[values > values[0] * 10.0**-_DECADES]
            (self.lines_[name],) = ax.plot(
                np.arange(1, values.size + 1), values, color=colour, ls=line, lw=1.8, label=label
            )


def _range_of_kappa(eigenvalues: FloatArray, kappa: FloatArray) -> FloatArray:
    """Return κ over the spectrum and somewhat beyond, with the marked ones inside."""
    some = kappa[np.isfinite(kappa) & (kappa > 0)]
    least = eigenvalues[0] * 10.0**-_DECADES
    low = some.min() / 10.0 if some.size else max(eigenvalues[-1], least) / 3.0
    low = max(low, np.finfo(float).tiny)
    high = max([eigenvalues[0], *some]) * 3.0
    return np.geomspace(low, high, _POINTS)
