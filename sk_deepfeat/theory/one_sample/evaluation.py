r"""From one training set to the test error at every other (n, alpha).

A `KappaCurve` shows the population along κ. For n rows, `nodes` gives alpha and the errors at each
κ of the curve; here they are interpolated to the alphas that are asked for, and carried beyond the
curve's ends, where df1 no longer moves.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.theory.interpolation import interp_columns
from sk_deepfeat.theory.one_sample.bias_and_noise import BiasAndNoise
from sk_deepfeat.theory.one_sample.curve_tables import CurveTables, Table, nothing_learned
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve
from sk_deepfeat.theory.one_sample.nodes import CurveNodes
from sk_deepfeat.theory.validation import FloatArray, check_cells


class CurveRisk(NamedTuple):
    """What `curve_risk` returns; NaN where κ is not identifiable."""

    kappa: FloatArray
    """Effective regularisation, shape broadcast(n, alpha)."""
    test_error: FloatArray
    """Expected squared error on a new sample, shape broadcast(n, alpha) + (t,)."""
    train_error: FloatArray
    """Expected mean squared residual, same shape; from 0 to the test error."""
    bias_and_noise: FloatArray
    """Squared bias and noise together, same shape; from 0 to the test error."""


class CurveEvaluator:
    """A curve at any number of samples and any alpha; tables for single n are kept.

    Parameters
    ----------
    curve : KappaCurve
        From `gcv_curve` or `leave_one_out_curves`.
    fit_intercept : bool
        Whether ridge fits an intercept: R(n) = (1 + 1/n) R_c(n - 1), as for the curve itself.
    errors_alone : bool, default=False
        Whether test errors are all that will be asked for: tables are then made of these alone.
    """

    def __init__(
        self, curve: KappaCurve, *, fit_intercept: bool, errors_alone: bool = False
    ) -> None:
        self.curve, self.fit_intercept = curve, fit_intercept
        self.errors_alone = errors_alone

    def __getstate__(self) -> dict[str, Any]:
        made = ("_tables", "_bias_and_noise", "_moments")
        return {name: value for name, value in vars(self).items() if name not in made}

    @cached_property
    def _tables(self) -> CurveTables:
        return CurveTables(
            [self.curve], fit_intercept=self.fit_intercept, errors_alone=self.errors_alone
        )

    @cached_property
    def _bias_and_noise(self) -> BiasAndNoise:
        return BiasAndNoise(self.curve, self._nodes(self.curve.n_effective + self.fit_intercept))

    def risk(self, n_samples: FloatArray, alpha: FloatArray) -> CurveRisk:
        """Return κ, test and training error, squared bias and noise; see `curve_risk`.

        Parameters
        ----------
        n_samples, alpha : ndarray of one shape
            Numbers of samples, at least 1, and regularisations for weights of mean one.
        """
        if self.errors_alone:
            raise TypeError("this evaluator was made for test errors alone.")
        kappa, flat = np.empty(n_samples.size), alpha.ravel()
        test, train, moment = (np.empty((flat.size, self.curve.n_outputs)) for _ in range(3))
        for n, table, cells in self._tables.cells(n_samples.ravel()):
            found = self._risk(self._rows(n), table, flat[cells])
            inflation, shrinkage = 1.0, 1.0
            if self.fit_intercept:
                inflation = 1.0 + 1.0 / n
                shrinkage = 1.0 - 1.0 / n  # residuals of n rows have n - 1 degrees of freedom
            kappa[cells], test[cells] = found.kappa, found.test_error * inflation
            train[cells], moment[cells] = found.train_error * shrinkage, found.bias_and_noise
        with np.errstate(invalid="ignore"):
            errors = (test, np.clip(train, 0.0, test), np.clip(moment, 0.0, test))
        shape = n_samples.shape
        return CurveRisk(kappa.reshape(shape), *(e.reshape(*shape, e.shape[1]) for e in errors))

    def test_error(self, n_samples: FloatArray, alpha: FloatArray) -> FloatArray:
        """Return the test error of `risk` alone, for less work."""
        return np.asarray(self._tables.test_error(n_samples, alpha)[0])

    def test_error_at(self, n_samples: FloatArray, kappa: FloatArray) -> FloatArray:
        """Return the test error at some κ in place of some alpha.

        Parameters
        ----------
        n_samples, kappa : ndarray of shape (cells,)
            Numbers of samples, and effective regularisations.

        Returns
        -------
        ndarray of shape (cells, t)
            NaN below the smallest κ that is shown for so many samples.
        """
        lowest = None if self.curve.shows_all else np.nan
        found = np.full((*n_samples.shape, self.curve.n_outputs), np.nan)
        for _, table, cells in self._tables.cells(n_samples):
            if table.row[0] >= 0:
                x, errors = np.log(table.nodes.kappa), table.nodes.test_error
                found[cells] = interp_columns(np.log(kappa[cells]), x, errors, left=lowest)
        return found * (1.0 + 1.0 / n_samples[:, None]) if self.fit_intercept else found

    def alpha_at_df_ratio(self, n_samples: float, df_ratio: ArrayLike) -> FloatArray:
        """Return the alphas at which ridge on `n_samples` rows has given df1/n.

        Parameters
        ----------
        n_samples : float
            Number of samples, no more than the curve's own.
        df_ratio : array-like of shape (S,)
            df1/n, in (0, 1) and below rank/n, where n is less one with an intercept.

        Returns
        -------
        ndarray of shape (S,)
            Positive; falling where `df_ratio` rises.
        """
        log_alpha, df_ratios = self._df_ratios(n_samples)
        wanted = np.asarray(df_ratio, dtype=np.float64)
        return np.exp(np.interp(wanted, df_ratios[::-1], log_alpha[::-1]))

    def df_ratio_at_alpha(self, n_samples: float, alpha: FloatArray) -> FloatArray:
        """Return df1/n at some alphas, the inverse of `alpha_at_df_ratio`."""
        log_alpha, df_ratios = self._df_ratios(n_samples)
        return np.interp(np.log(alpha), log_alpha, df_ratios)

    def lowest_alpha(self, n_samples: float) -> float:
        """Return the alpha below which ridge on `n_samples` rows does not change any more."""
        return float(np.exp(self._df_ratios(n_samples)[0][0]))

    def _df_ratios(self, n_samples: float) -> tuple[FloatArray, FloatArray]:
        """Return log alpha, ascending, and df1/n of the nodes at some n."""
        nodes = self._nodes(n_samples)
        return np.log(nodes.alpha), self.curve.df1_at(nodes.kappa) / self._rows(n_samples)

    def amplification(self, n_samples: float, df1: FloatArray) -> FloatArray:
        """Return how much of the variance feeds itself, from 0 to 1 where the error has its pole.

        It is df2/n for independent rows of equal leverage.

        Parameters
        ----------
        n_samples : float
            Number of samples.
        df1 : ndarray
            Degrees of freedom.
        """
        nodes = self._nodes(n_samples)
        if nodes.kappa.size == 0:
            return np.ones(df1.shape)
        known = self.curve.df1_at(nodes.kappa)[::-1]
        return np.clip(np.interp(df1, known, nodes.amplification[::-1]), 0.0, 1.0)

    def _rows(self, n: float) -> float:
        return self._tables.rows(n)

    def _nodes(self, n_samples: float) -> CurveNodes:
        return self._tables.at(np.array([n_samples], dtype=np.float64))[0].nodes

    def _risk(self, n: float, table: Table, alpha: FloatArray) -> CurveRisk:
        """Return everything at one n; errors without the intercept's factor."""
        tables, curve = self._tables, self.curve
        if tables.learns_nothing(n)[0]:
            test, train, moment, kappa = nothing_learned(curve, n, alpha)
            return CurveRisk(kappa, test, train, moment)
        test = tables.test_error_of(n, table, alpha)[0]
        if table.row[0] < 0:
            return CurveRisk(np.full(alpha.size, np.nan), test, test, test)
        nodes, t = table.nodes, curve.n_outputs
        train, smooth, kappa = np.split(
            tables.interpolated(table, alpha, slice(t, None))[0], [t, 2 * t], axis=1
        )
        moment = self._bias_and_noise.between(nodes, alpha, smooth)
        # Downwards κ goes on to 0 with alpha only where the sample shows every direction there is
        # and n exceeds them; else κ stops, at df1 = n or at κ_min.
        active = curve.active_rows(n)
        below, above = alpha < nodes.alpha[0], alpha > nodes.alpha[-1]
        moving = above | (below & curve.shows_all & (active >= curve.rank))
        rate = np.where(above, nodes.kappa[-1] / nodes.alpha[-1], nodes.kappa[0] / nodes.alpha[0])
        kappa = np.where(moving, alpha * rate, kappa[:, 0])
        if active <= curve.rank:  # residuals are proportional to alpha there
            train = train * np.square(np.minimum(alpha / nodes.alpha[0], 1.0))[:, None]
        train, moment = (np.where(np.isnan(test), np.nan, part) for part in (train, moment))
        unknown = tables.below_reach(n, table, alpha)[0]
        return CurveRisk(np.where(unknown, np.nan, kappa), test, train, moment)


def curve_risk(
    curve: KappaCurve, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
) -> CurveRisk:
    """Evaluate a curve at any numbers of samples and regularisations.

    Parameters
    ----------
    curve : KappaCurve
        From `gcv_curve` or `leave_one_out_curve`.
    n_samples, alpha : array-like
        Numbers of samples (at least 1) and regularisations (not negative); they broadcast.
    fit_intercept : bool
        Whether ridge fits an intercept: R(n) = (1 + 1/n) R_c(n - 1), as for the curve itself.

    Returns
    -------
    CurveRisk
        NaN where κ(n, alpha) lies below what the training set identifies, or where noise has made
        an error negative. How noisy the others are is known to `ErrorSurface` alone.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import curve_risk, leave_one_out_curve, ridge_factorization
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 50))
    >>> y = X[:, 0] + rng.normal(size=400)
    >>> curve = leave_one_out_curve(ridge_factorization(X, y, fit_intercept=False))
    >>> error = curve_risk(curve, [100, 400], 10.0, fit_intercept=False).test_error
    >>> error[:, 0].round(1)
    array([1.5, 1.1])
    """
    if not isinstance(curve, KappaCurve):
        raise TypeError(
            f"curve must be a KappaCurve, from gcv_curve or leave_one_out_curve; got {curve!r}."
        )
    return CurveEvaluator(curve, fit_intercept=fit_intercept).risk(*check_cells(n_samples, alpha))
