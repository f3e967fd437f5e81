r"""From one training set to the test error at every other (n, alpha).

A `KappaCurve` shows the population along κ. For n rows, `nodes` gives alpha and the errors at each
κ of the curve; here they are interpolated to the alphas that are asked for, and carried beyond the
curve's ends, where df1 no longer moves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory.interpolation import log_spline
from sk_deepfeat.theory.one_sample.bias_and_noise import BiasAndNoise
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve, ratio
from sk_deepfeat.theory.one_sample.nodes import CurveNodes, nodes_at
from sk_deepfeat.theory.validation import FloatArray, check_cells

_MOST_CACHED = 64


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


def _not_asked(log_alpha: FloatArray) -> FloatArray:
    raise TypeError("this evaluator was made for test errors alone.")


class _Table(NamedTuple):
    """The nodes of one n, and interpolants over log alpha of what is at them."""

    nodes: CurveNodes
    test_error: Callable[[FloatArray], FloatArray]
    train_error: Callable[[FloatArray], FloatArray] = _not_asked
    kappa: Callable[[FloatArray], FloatArray] = _not_asked
    bias_and_noise: Callable[[FloatArray], FloatArray] = _not_asked

    def log_within(self, alpha: FloatArray) -> FloatArray:
        """Return log alpha, no further out than the nodes."""
        return np.log(np.clip(alpha, self.nodes.alpha[0], self.nodes.alpha[-1]))


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
        self._tables: dict[float, _Table | None] = {}

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: value for name, value in vars(self).items() if name != "_bias_and_noise"}
        return {**kept, "_tables": {}}

    def risk(self, n_samples: FloatArray, alpha: FloatArray) -> CurveRisk:
        """Return κ, test and training error, squared bias and noise; see `curve_risk`.

        Parameters
        ----------
        n_samples, alpha : ndarray of one shape
            Numbers of samples, at least 1, and regularisations for weights of mean one.
        """
        kappa = np.empty(n_samples.shape)
        test, train, moment = (np.empty((*n_samples.shape, self.curve.n_outputs)) for _ in range(3))
        for n in np.unique(n_samples):
            cells, rows = n_samples == n, self._rows(n)
            found = self._nothing_learned(rows, alpha[cells]) or self._risk(rows, alpha[cells])
            inflation, shrinkage = 1.0, 1.0
            if self.fit_intercept:
                inflation = 1.0 + 1.0 / n
                shrinkage = 1.0 - 1.0 / n  # residuals of n rows have n - 1 degrees of freedom
            kappa[cells], test[cells] = found.kappa, found.test_error * inflation
            train[cells], moment[cells] = found.train_error * shrinkage, found.bias_and_noise
        with np.errstate(invalid="ignore"):
            return CurveRisk(kappa, test, np.clip(train, 0.0, test), np.clip(moment, 0.0, test))

    def test_error(self, n_samples: FloatArray, alpha: FloatArray) -> FloatArray:
        """Return the test error of `risk` alone, for less work."""
        test = np.empty((*n_samples.shape, self.curve.n_outputs))
        for n in np.unique(n_samples):
            cells, rows = n_samples == n, self._rows(n)
            alone = self._nothing_learned(rows, alpha[cells])
            found = self._test_error(rows, alpha[cells]) if alone is None else alone.test_error
            test[cells] = found * (1.0 + 1.0 / n) if self.fit_intercept else found
        return test

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
        n = self._rows(float(n_samples))
        table = self._table(n)
        nodes = nodes_at(self.curve, n) if table is None else table.nodes
        return np.log(nodes.alpha), self.curve.df1_at(nodes.kappa) / n

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
        n = self._rows(float(n_samples))
        table = self._table(n)
        nodes = nodes_at(self.curve, n) if table is None else table.nodes
        if nodes.kappa.size == 0:
            return np.ones(df1.shape)
        known = self.curve.df1_at(nodes.kappa)[::-1]
        return np.clip(np.interp(df1, known, nodes.amplification[::-1]), 0.0, 1.0)

    def _rows(self, n: float) -> float:
        return float(n) - 1.0 if self.fit_intercept else float(n)

    def _test_error(self, n: float, alpha: FloatArray) -> FloatArray:
        """Return test errors at one n without the intercept's factor, shape (A, t).

        They are interpolated between the nodes; beyond their ends df1 no longer moves.
        """
        table = self._table(n)
        if table is None:
            return np.full((alpha.size, self.curve.n_outputs), np.nan)
        test = table.test_error(table.log_within(alpha))
        peak = (alpha == 0) & self.curve.shows_all & (self._active_rows(n) == self.curve.rank)
        test = np.where(peak[:, None] & (test > 0), np.inf, test)
        # Errors below zero are estimates lost in noise, of few or heavy-tailed rows.
        lost = self._below_reach(n, alpha, table.nodes)[:, None] | (test < 0)
        return np.where(lost, np.nan, test)

    def _risk(self, n: float, alpha: FloatArray) -> CurveRisk:
        """Return everything at one n; errors without the intercept's factor."""
        test, table = self._test_error(n, alpha), self._table(n)
        if table is None:
            return CurveRisk(test[:, 0], test, test, test)
        nodes, log_alpha = table.nodes, table.log_within(alpha)
        train, moment = table.train_error(log_alpha), table.bias_and_noise(log_alpha)
        # Downwards κ goes on to 0 with alpha only where the sample shows every direction there is
        # and n exceeds them; else κ stops, at df1 = n or at κ_min.
        below, above = alpha < nodes.alpha[0], alpha > nodes.alpha[-1]
        moving = above | (below & self.curve.shows_all & (self._active_rows(n) >= self.curve.rank))
        rate = np.where(above, nodes.kappa[-1] / nodes.alpha[-1], nodes.kappa[0] / nodes.alpha[0])
        kappa = np.where(moving, alpha * rate, table.kappa(log_alpha))
        if self._active_rows(n) <= self.curve.rank:  # residuals are proportional to alpha there
            train = train * np.square(np.minimum(alpha / nodes.alpha[0], 1.0))[:, None]
        train, moment = (np.where(np.isnan(test), np.nan, part) for part in (train, moment))
        unknown = self._below_reach(n, alpha, nodes)
        return CurveRisk(np.where(unknown, np.nan, kappa), test, train, moment)

    def _active_rows(self, n: float) -> float:
        return self.curve.active_rows(n)

    def _below_reach(self, n: float, alpha: FloatArray, nodes: CurveNodes) -> NDArray[np.bool_]:
        hidden = n > self.curve.n_effective and not self.curve.shows_all
        return (alpha < nodes.alpha[0]) & hidden

    @cached_property
    def _bias_and_noise(self) -> BiasAndNoise:
        return BiasAndNoise(self.curve)

    def _nothing_learned(self, n: float, alpha: FloatArray) -> CurveRisk | None:
        """Return everything where nothing is learned: from one sample, or features of nothing."""
        active = self._active_rows(n)
        if active > 1e-12 * (n + 1.0) and self.curve.rank > 0:
            return None
        shape = (alpha.size, self.curve.n_outputs)
        moment = self.curve.error[-1].sum(axis=0)
        test, train = moment, moment * (n > 0.0)
        if self.curve.constant is not None:  # the intercept is off by the means of whole groups
            more = self.curve.constant.mean_error[-1] - moment
            test = moment + more / (n + 2.0)
            # As for nodes, exact at the training size.
            of_curve = moment - more / self.curve.n_effective
            exact = ratio(self.curve.training_error[-1], of_curve)
            train = np.maximum(moment - more / max(n, 1e-12), 0.0) * exact * (n > 0.0)
        kappa = alpha / n if active > 0.0 else np.full(alpha.size, np.inf)
        return CurveRisk(kappa, *(np.broadcast_to(part, shape) for part in (test, train, moment)))

    def _table(self, n: float) -> _Table | None:
        """Return the nodes at one n and what interpolates between them; None for less than two."""
        if n not in self._tables:
            if len(self._tables) >= _MOST_CACHED:
                self._tables.clear()
            nodes, table = nodes_at(self.curve, n), None
            if nodes.alpha.size >= 2:
                x = np.log(nodes.alpha)
                table = _Table(nodes, log_spline(x, nodes.test_error))
                if not self.errors_alone:
                    table = table._replace(
                        train_error=log_spline(x, nodes.train_error),
                        kappa=log_spline(x, nodes.kappa),
                        bias_and_noise=self._bias_and_noise.at_nodes(nodes),
                    )
            self._tables[n] = table
        return self._tables[n]


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
