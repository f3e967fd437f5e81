r"""From one training set to the test error at every other (n, alpha).

A `KappaCurve` shows the population along κ. For n rows, `nodes` gives alpha and the errors at each
κ of the curve; here they are interpolated to the alphas that are asked for, and carried beyond the
curve's ends, where df1 no longer moves.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory.interpolation import interp_columns
from sk_deepfeat.theory.one_sample.bias_and_noise import BiasAndNoise, EstimateAtNodes
from sk_deepfeat.theory.one_sample.curve_tables import (
    AskedCells,
    CurveTables,
    Table,
    nothing_learned,
)
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve, check_curve
from sk_deepfeat.theory.one_sample.nodes import CurveNodes
from sk_deepfeat.theory.validation import FloatArray, check_cells, check_flag

_MOST_ESTIMATES = 64


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


class AlongKappa(NamedTuple):
    """A curve at some κ, seen from one number of samples, shapes (P,)."""

    alpha: FloatArray
    test_error: FloatArray
    """Mean over outputs, with the intercept's factor."""
    bias_and_noise: FloatArray


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
        self._estimates: dict[float, EstimateAtNodes] = {}

    def __getstate__(self) -> dict[str, Any]:
        made = ("_tables", "_bias_and_noise")
        kept = {name: value for name, value in vars(self).items() if name not in made}
        return {**kept, "_estimates": {}}

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
        shape, flat = n_samples.shape, n_samples.ravel()
        kappa = np.empty(flat.size)
        test, train, moment = (np.empty((flat.size, self.curve.n_outputs)) for _ in range(3))
        for asked in self._tables.asked(flat, alpha.ravel()):
            found = self._risk(asked)
            kappa[asked.cells], test[asked.cells] = found.kappa, found.test_error
            train[asked.cells], moment[asked.cells] = found.train_error, found.bias_and_noise
        if self.fit_intercept:
            # Residuals of n rows have n - 1 degrees of freedom.
            test, train = test * (1.0 + 1.0 / flat)[:, None], train * (1.0 - 1.0 / flat)[:, None]
        errors = (test, np.clip(train, 0.0, test), np.clip(moment, 0.0, test))
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
        for asked in self._tables.asked(n_samples, kappa):
            for number, table in enumerate(asked.tables):
                if table.place[0] < 0:
                    continue
                x, errors = np.log(table.nodes.kappa), table.nodes.test_error
                mine = asked.which == number
                log_kappa = np.log(asked.alpha[mine])
                found[asked.cells[mine]] = interp_columns(log_kappa, x, errors, left=lowest)
        return found * (1.0 + 1.0 / n_samples[:, None]) if self.fit_intercept else found

    def along_kappa(self, n_samples: float, kappa: FloatArray) -> AlongKappa:
        """Return alpha and mean errors over outputs at some κ, seen from one number of samples.

        Parameters
        ----------
        n_samples : float
            Number of samples.
        kappa : ndarray of shape (P,)
            Effective regularisations.

        Returns
        -------
        AlongKappa
            Arrays of shape (P,), NaN where so many samples do not reach such a κ.
        """
        nodes = self._nodes(n_samples)
        if nodes.kappa.size < 2:
            return AlongKappa(*np.full((3, kappa.size), np.nan))
        columns = [nodes.alpha, nodes.test_error.mean(axis=1), nodes.bias_and_noise.mean(axis=1)]
        log_columns = np.log(np.maximum(np.stack(columns, axis=1), 1e-300))
        found = np.exp(interp_columns(np.log(kappa), np.log(nodes.kappa), log_columns))
        low, high = nodes.kappa[[0, -1]] * (1.0 + 1e-9 * np.array([-1.0, 1.0]))
        found[(kappa < low) | (kappa > high)] = np.nan
        if self.fit_intercept:
            found[:, 1] *= 1.0 + 1.0 / n_samples
        return AlongKappa(*found.T)

    def kappas_near_end(self, n_samples: float, df_ratios: FloatArray) -> FloatArray:
        """Return κ at which so many samples have some shares of their largest df1, and its end."""
        nodes = self._nodes(n_samples)
        if nodes.kappa.size < 2:
            return np.empty(0)
        df1 = self.curve.df1_at(nodes.kappa)
        wanted = np.exp(np.interp(-df_ratios * df1[0], -df1, np.log(nodes.kappa)))
        return np.r_[nodes.kappa[0], wanted]

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
        return np.exp(np.interp(np.asarray(df_ratio), df_ratios[::-1], log_alpha[::-1]))

    def df_ratio_at_alpha(self, n_samples: float, alpha: FloatArray) -> FloatArray:
        """Return df1/n at some alphas, the inverse of `alpha_at_df_ratio`."""
        log_alpha, df_ratios = self._df_ratios(n_samples)
        return np.interp(np.log(alpha), log_alpha, df_ratios)

    def lowest_alpha(self, n_samples: float) -> float:
        """Return the alpha below which ridge on `n_samples` rows does not change any more."""
        return float(np.exp(self._df_ratios(n_samples)[0][0]))

    def off_the_peak(self, n_samples: FloatArray, alpha: FloatArray) -> FloatArray:
        """Return alphas, where n is the rank no smaller than those at which the curve shows errors.

        Parameters
        ----------
        n_samples, alpha : ndarray of shape (cells,)
            Numbers of samples, and regularisations.
        """
        alpha = alpha.copy()
        for n in np.unique(n_samples):
            at_peak = self.curve.active_rows(self._rows(n)) == self.curve.rank
            if at_peak and self.curve.shows_all and self._nodes(n).alpha.size:
                mine = n_samples == n
                alpha[mine] = np.maximum(alpha[mine], self.lowest_alpha(n))
        return alpha

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
        return np.maximum(np.interp(df1, known, nodes.amplification[::-1]), 0.0)

    def _rows(self, n: float) -> float:
        return self._tables.rows(n)

    def _nodes(self, n_samples: float) -> CurveNodes:
        return self._tables.at(np.array([n_samples]))[0].nodes

    def _risk(self, asked: AskedCells) -> CurveRisk:
        """Return everything; errors without the intercept's factor."""
        curve, alpha, t = self.curve, asked.alpha, self.curve.n_outputs
        test = asked.test_error()[0]
        train, smooth, kappa = np.split(asked.interpolated(slice(t, None))[0], [t, 2 * t], axis=1)
        # Downwards κ goes on to 0 with alpha only where the sample shows every direction there is
        # and n exceeds them; else κ stops, at df1 = n or at κ_min.
        low, active = asked.low[0], asked.active_rows[0]
        below, above = alpha < low, alpha > asked.high[0]
        moving = above | (below & curve.shows_all & (active >= curve.rank))
        # Residuals are proportional to alpha there; at the peak κ and their squares to its root.
        share, peak = np.minimum(alpha, low) / low, asked.at_peak[0] & below
        reached = np.where(peak, low * np.sqrt(share), alpha)
        kappa = np.where(moving, reached * self._rates(asked, above), kappa[:, 0])
        held = np.where(active <= curve.rank, np.square(share), 1.0)
        held = np.where(peak, np.sqrt(share), held)
        train = train * held[:, None]
        moment = smooth
        for number, table in enumerate(asked.tables):
            mine = asked.which == number
            if asked.learns_nothing[0, number]:
                _, *rest = nothing_learned(curve, table.rows, alpha[mine])
                train[mine], moment[mine], kappa[mine] = rest
            elif table.place[0] >= 0:
                estimate = self._estimate(table)
                if estimate.differs:
                    moment[mine] = estimate.between(alpha[mine], smooth[mine])
        train, moment = (np.where(np.isnan(test), np.nan, part) for part in (train, moment))
        return CurveRisk(np.where(asked.below_reach[0], np.nan, kappa), test, train, moment)

    def _rates(self, asked: AskedCells, above: NDArray[np.bool_]) -> FloatArray:
        """Return κ/alpha at the last node, or at the first."""
        ends = [
            [nodes.kappa[end] / nodes.alpha[end] if nodes.alpha.size else np.nan for end in (0, -1)]
            for nodes in (table.nodes for table in asked.tables)
        ]
        return np.array(ends)[asked.which, above.astype(np.intp)]

    def _estimate(self, table: Table) -> EstimateAtNodes:
        """Return squared bias and noise between the nodes of a table."""
        if table.rows not in self._estimates:
            if len(self._estimates) >= _MOST_ESTIMATES:
                self._estimates.clear()
            self._estimates[table.rows] = self._bias_and_noise.at_nodes(table.nodes)
        return self._estimates[table.rows]


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
    check_curve(curve)
    check_flag(fit_intercept, "fit_intercept")
    return CurveEvaluator(curve, fit_intercept=fit_intercept).risk(*check_cells(n_samples, alpha))
