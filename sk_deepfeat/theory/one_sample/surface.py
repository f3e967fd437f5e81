r"""The error surface of one training set: transfer, calibration and extrapolation put together.

Up to the training size n₀ the error is the transfer's, times exp C of the calibration where one is
applied. Beyond n₀ it is R(n₀) times the growth of `theory.extrapolation`. The transfer fades there
with its jackknife noise s, by φ = 1 - (s/0.3)², and what continues it fades in; a cell is reachable
while φ > 1/2, which is s < 0.21.

The variance of log R adds up: the jackknife over rows at n₀, the scatter of the error from training
set to training set, what the calibration leaves open, and the variance of the growth.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from sk_deepfeat.theory.one_sample.calibration import Calibration, correction, scatter_at
from sk_deepfeat.theory.one_sample.evaluation import TransferRisk, transfer_risk
from sk_deepfeat.theory.one_sample.functional_tail import FunctionalTail
from sk_deepfeat.theory.one_sample.growth import (
    Growth,
    average,
    power_law_growth,
    transfer_growth,
)
from sk_deepfeat.theory.one_sample.jackknife import JackknifeReplicates, jackknife_variance
from sk_deepfeat.theory.one_sample.kappa_curve import TransferCurve, ratio
from sk_deepfeat.theory.validation import FloatArray

# The transfer counts less and less as its growth gets noisier, and nothing from here on.
_MOST_NOISE = 0.3
# A power law's miss changes its sign along alpha; where it is small by that chance alone, the
# misses at these multiples of alpha tell.
_NEIGHBOURS = (0.4, 1.0, 2.5)


class SurfaceErrors(NamedTuple):
    """Errors of some cells, of shape (cells, t)."""

    error: FloatArray
    """Expected squared error; NaN where nothing is known."""
    log_variance: FloatArray
    """Of its logarithm; NaN likewise."""
    reachable: NDArray[np.bool_]
    """Whether the training set identifies it."""
    degrees: int
    """Degrees of freedom of the variance."""

    def interval(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Return the ends of an interval of nominal coverage `level`, by Student's t on log R."""
        reach = student_t.ppf(0.5 + 0.5 * level, self.degrees) * np.sqrt(self.log_variance)
        with np.errstate(over="ignore", invalid="ignore"):
            lower, upper = self.error * np.exp(-reach), self.error * np.exp(reach)
        exact = np.isinf(self.error) | (self.error == 0.0)
        return np.where(exact, self.error, lower), np.where(exact, self.error, upper)


class ErrorSurface:
    """Errors at every (n, alpha) from what one training set shows.

    Parameters
    ----------
    curve : TransferCurve
        From `leave_one_out_curves`.
    replicates : list of TransferCurve
        Likewise.
    n_rows : int
        Rows of the training set.
    fit_intercept : bool
        As for the curve.
    calibration : Calibration, optional
        From `calibrate`; needed for anything but the bare transfer.
    correct : bool, default=True
        Whether to correct by the calibration below `n_rows`.
    """

    def __init__(
        self,
        curve: TransferCurve,
        replicates: list[TransferCurve],
        n_rows: int,
        fit_intercept: bool,
        calibration: Calibration | None = None,
        correct: bool = True,
    ) -> None:
        self.curve, self.n_rows, self.fit_intercept = curve, n_rows, fit_intercept
        self.replicates = JackknifeReplicates(replicates)
        self.calibration, self.correct = calibration, correct
        self._cache: dict[float, Any] = {}
        self._least: dict[float, FloatArray] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cache": {}, "_least": {}}

    def evaluate(
        self,
        n_samples: FloatArray,
        alpha: FloatArray,
        *,
        extrapolate: bool,
        variance: bool = False,
        cautious: bool = False,
    ) -> SurfaceErrors:
        """Return errors at cells.

        Parameters
        ----------
        n_samples, alpha : ndarray of shape (cells,)
            Numbers of samples and regularisations for weights of mean one.
        extrapolate : bool
            Whether cells that are not reachable get their extrapolated number, or NaN.
        variance : bool, default=False
            Whether the variance is wanted; NaN otherwise.
        cautious : bool, default=False
            Whether to raise errors by two standard errors of the growth from n₀.

        Returns
        -------
        SurfaceErrors
        """
        error = self._transfer(n_samples, alpha)
        spread = np.full(error.shape, np.nan)
        reachable = ~np.isnan(error)
        inside = n_samples <= self.n_rows
        if np.any(inside):
            cells = n_samples[inside], alpha[inside]
            log_ratio, open_ = self._correction(*cells)
            error[inside] *= np.exp(log_ratio)
            if variance:
                spread[inside] = self._sampling(*cells) + open_
        if not np.all(inside):
            cells = n_samples[~inside], alpha[~inside]
            grown, growth, reachable[~inside] = self._beyond(*cells, error[~inside], extrapolate)
            error[~inside] = grown * np.exp(2.0 * np.sqrt(growth)) if cautious else grown
            if variance:
                own = np.full(cells[0].shape, float(self.n_rows))
                spread[~inside] = self._sampling(own, cells[1]) + growth
        if variance:
            spread = spread + self._training_sets(alpha)
        spread = np.where(np.isnan(error), np.nan, spread)
        return SurfaceErrors(error, spread, reachable, max(len(self.replicates.curves) - 1, 1))

    def _transfer(self, n_samples: FloatArray, alpha: FloatArray) -> FloatArray:
        return self._risk(n_samples, alpha).test_error

    def _risk(self, n_samples: FloatArray, alpha: FloatArray) -> TransferRisk:
        return transfer_risk(
            self.curve,
            n_samples,
            alpha,
            fit_intercept=self.fit_intercept,
            guard=False,
            cache=self._cache,
        )

    def _correction(
        self, n_samples: FloatArray, alpha: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        if self.calibration is None or not self.correct:
            zero = np.zeros((n_samples.size, self.curve.error.shape[2]))
            return zero, zero
        return correction(self.calibration, n_samples, alpha)

    def _sampling(self, n_samples: FloatArray, alpha: FloatArray) -> FloatArray:
        if not self.replicates.curves:
            return np.zeros((n_samples.size, self.curve.error.shape[2]))
        values = self.replicates.log_errors(n_samples, alpha, fit_intercept=self.fit_intercept)
        return jackknife_variance(values)

    def _training_sets(self, alpha: FloatArray) -> FloatArray:
        """Variance of the training set's own error about the mean over training sets."""
        if self.calibration is None or not self.calibration.levels:
            return np.zeros((alpha.size, self.curve.error.shape[2]))
        kappa = self._risk(np.full(alpha.shape, float(self.n_rows)), alpha).kappa
        log_kappa = np.log(np.maximum(kappa, self.curve.kappa[0]))
        df1 = np.exp(np.interp(log_kappa, np.log(self.curve.kappa), np.log(self.curve.df1)))
        used = df1 / self.curve.n_effective
        return np.square(scatter_at(self.calibration, used)) / self.n_rows

    def _beyond(
        self, n_samples: FloatArray, alpha: FloatArray, error: FloatArray, extrapolate: bool
    ) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
        """Return errors, variances of the growth, and reach for more than n₀ samples."""
        own = np.full(n_samples.shape, float(self.n_rows))
        intercept = {"fit_intercept": self.fit_intercept}
        with np.errstate(divide="ignore", invalid="ignore"):
            log_own, log_error = np.log(self._transfer(own, alpha)), np.log(error)
        own_values = self.replicates.log_errors(own, alpha, **intercept)
        values = self.replicates.log_errors(n_samples, alpha, **intercept)
        log_n = np.log(n_samples / self.n_rows)
        with np.errstate(invalid="ignore"):
            few = self._leverage_noise(n_samples, alpha)
            transfer = transfer_growth(log_error, log_own, values - own_values, few, log_n)
        fade = np.maximum(1.0 - transfer.variance / _MOST_NOISE**2, 0.0)
        ways = [_fading(transfer, fade)]
        if self.calibration is not None:
            ways.append(self._power_law(n_samples, alpha))
            if self._tail is not None:
                rows = n_samples - 1.0 if self.fit_intercept else n_samples
                tail = self._tail.growth(log_own, own_values, rows, alpha)
                ways.append(_fading(tail, 1.0 - fade))
        growth = average(ways)
        reachable = fade > 0.5
        with np.errstate(over="ignore"):
            grown = np.exp(log_own + growth.log_ratio)
        nothing = np.isneginf(log_own) & (error == 0.0)  # an output that is fitted exactly
        grown = np.where(nothing, 0.0, grown)
        variance = np.where(nothing, 0.0, growth.variance)
        reachable |= nothing
        if extrapolate:
            grown = np.where(reachable, grown, np.fmax(grown, self._least_errors(n_samples)))
        else:
            grown = np.where(reachable, grown, np.nan)
        return grown, variance, reachable

    def _power_law(self, n_samples: FloatArray, alpha: FloatArray) -> Growth:
        """Return the growth of the power laws, as uncertain as at the worst alpha near by."""
        assert self.calibration is not None
        own = np.full(n_samples.shape, float(self.n_rows))
        found = []
        for strength in (alpha * factor for factor in _NEIGHBOURS):
            with np.errstate(divide="ignore", invalid="ignore"):
                log_own = np.log(self._transfer(own, strength))
            levels = self._log_levels(strength)
            found.append(power_law_growth(self.calibration, log_own, levels, n_samples, strength))
        known = [np.where(np.isfinite(growth.variance), growth.variance, 0.0) for growth in found]
        middle = found[_NEIGHBOURS.index(1.0)]
        return middle._replace(variance=np.maximum(middle.variance, np.max(known, axis=0)))

    def _leverage_noise(self, n_samples: FloatArray, alpha: FloatArray) -> FloatArray:
        """Relative standard error of q = mean Q at each cell's κ: the root of var s over N.

        Where a few rows of leverage near one make up all of q, no row left out tells how wrong the
        κ is that rests on them.
        """
        squares = ratio(np.square(self.curve.leverage), self.curve.share).sum(axis=1) - 1.0
        noise = np.sqrt(np.maximum(squares, 0.0) / self.curve.n_effective)
        log_kappa = np.log(np.maximum(self._risk(n_samples, alpha).kappa, self.curve.kappa[0]))
        return np.asarray(np.interp(log_kappa, np.log(self.curve.kappa), noise))

    def _least_errors(self, n_samples: FloatArray) -> FloatArray:
        """Return for each n the least error over alpha where that is reachable, or NaN.

        No alpha does better; where the least one known is at the edge of the reach, a smaller alpha
        might.
        """
        for n in np.unique(n_samples):
            if n not in self._least:
                rows = n - 1.0 if self.fit_intercept else n
                some = slice(None, None, max(1, self.curve.kappa.size // 40))
                alpha = self.curve.kappa[some] * (rows - self.curve.df1[some])
                alpha = alpha[alpha > 0]
                size = np.full(alpha.shape, n)
                known, _, _ = self._beyond(size, alpha, self._transfer(size, alpha), False)
                self._least[n] = np.array([_inner_minimum(column) for column in known.T])
        return np.array([self._least[n] for n in n_samples])

    @cached_property
    def _tail(self) -> FunctionalTail | None:
        """The tail, for a theory that has been checked and has passed."""
        checked = self.calibration is not None and self.calibration.disagreement == 0.0
        if not checked or self.curve.rank == 0:
            return None
        return FunctionalTail(self.curve, self.replicates)

    def _log_levels(self, alpha: FloatArray) -> FloatArray:
        """Log of the transfer's errors at the sizes of the calibration, (L, cells, t)."""
        assert self.calibration is not None
        sizes = [np.full(alpha.shape, float(level.size)) for level in self.calibration.levels]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.array([np.log(self._transfer(size, alpha)) for size in sizes])


def _fading(growth: Growth, share: FloatArray) -> Growth:
    """Return a growth that counts by a share of its weight."""
    fine = share > 0
    variance = np.divide(growth.variance, share, out=np.full_like(share, np.inf), where=fine)
    return growth._replace(variance=variance)


def _inner_minimum(errors: FloatArray) -> float:
    """Return the least of the known errors along ascending alpha; NaN if they fall to the first."""
    known = errors[~np.isnan(errors)]
    if known.size == 0 or known[0] < 1.1 * known.min():
        return np.nan
    return float(known.min())
