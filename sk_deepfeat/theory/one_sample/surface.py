r"""The error surface of one training set: theory, measurement and growth put together.

Up to the training size n₀ the error is the theory's, or where that fails its check on subsets what
these measured (`measured_surface`). Beyond n₀ it is R(n₀) times the growth. The theory's part of
that growth counts less the noisier it is, by the weight 1 - (s/0.3)² of its standard error s, and
what continues it counts by the rest. A cell is reachable while the theory's weight is above one
half, which is s < 0.21; where the theory has failed, while that holds for all estimates together.

That is the only rule of what is known, and it holds for every part of an error. A measurement
changes the error alone: squared bias and noise stay the theory's, so that it counts as variance.

The variance of log R adds up: the jackknife over rows, what rows share of the training set's own
scatter, and the noise of what subsets measured, up to n₀, or the variance of the growth from there.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sk_deepfeat.theory.answer import AskedVariance, ErrorAnswer
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.calibration import Calibration
from sk_deepfeat.theory.one_sample.cells import CellErrors, Cells, by_blocks, mixed
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator, CurveRisk
from sk_deepfeat.theory.one_sample.functional_tail import FunctionalTail
from sk_deepfeat.theory.one_sample.growth import Growth, average, theory_growth
from sk_deepfeat.theory.one_sample.growth_misses import GrowthMisses
from sk_deepfeat.theory.one_sample.jackknife import (
    JackknifeReplicates,
    jackknife_variance,
    standardized_deviations,
)
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve
from sk_deepfeat.theory.one_sample.least_error import alphas_along, inner_minimum
from sk_deepfeat.theory.one_sample.measured_surface import MeasuredSurface
from sk_deepfeat.theory.validation import FloatArray

_MOST_CACHED = 64


class ErrorSurface:
    """Errors at every (n, alpha) from what one training set shows.

    Parameters
    ----------
    curve : KappaCurve
        From `leave_one_out_curves`.
    replicates : list of KappaCurve
        Likewise.
    n_rows : int
        Rows of the training set.
    fit_intercept : bool
        As for the curve.
    calibration : Calibration, optional
        From `calibrate`; needed for anything but the bare theory.
    correct : bool, default=True
        Whether up to `n_rows` what the calibration measured takes over where the theory fails.
    misses : GrowthMisses, optional
        From `growth_misses`, where the theory failed its check: how far its growth is trusted.
    fewest_rows : float, default=1.0
        Rows of one draw: one, or those of a mean group. Below them nothing is known.
    """

    def __init__(
        self,
        curve: KappaCurve,
        replicates: list[KappaCurve],
        n_rows: int,
        fit_intercept: bool,
        calibration: Calibration | None = None,
        correct: bool = True,
        *,
        misses: GrowthMisses | None = None,
        fewest_rows: float = 1.0,
    ) -> None:
        self.curve, self.n_rows, self.fit_intercept = curve, n_rows, fit_intercept
        self.replicates = JackknifeReplicates(
            replicates, fit_intercept=fit_intercept, n_outputs=curve.n_outputs
        )
        self.calibration, self.correct, self.misses = calibration, correct, misses
        self.fewest_rows = fewest_rows
        self._evaluator = CurveEvaluator(curve, fit_intercept=fit_intercept)
        self._least: dict[float, FloatArray] = {}

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_least": {}}

    def answer(
        self,
        n_samples: FloatArray,
        alpha: FloatArray,
        *,
        extrapolate: bool = False,
        variance: AskedVariance = False,
    ) -> ErrorAnswer:
        """Return what is known of some cells.

        Parameters
        ----------
        n_samples, alpha : ndarray of shape (cells,)
            Numbers of samples and regularisations for weights of mean one.
        extrapolate : bool, default=False
            Whether cells that are not reachable get their extrapolated number, or NaN.
        variance : bool or "relative" or ShareOfAll, default=False
            Whether the variance is wanted, of the error or of its share of the targets' variance;
            up to n₀ it costs more than the rest.

        Returns
        -------
        ErrorAnswer
        """

        def some(n: FloatArray, alphas: FloatArray) -> ErrorAnswer:
            return self._answer(n, alphas, extrapolate, variance)

        return by_blocks(some, n_samples, alpha, self.curve.n_outputs)

    def _answer(
        self, n_samples: FloatArray, alpha: FloatArray, extrapolate: bool, variance: AskedVariance
    ) -> ErrorAnswer:
        inside = n_samples <= self.n_rows
        risk = at_n0 = self._evaluator.risk(n_samples, alpha)
        if variance or not np.all(inside):
            at_n0 = self._at_n0(alpha)
        asked = Cells(n_samples, alpha, risk, at_n0)
        nothing = np.zeros_like(risk.test_error)
        found = CellErrors(nothing.copy(), nothing.astype(bool), nothing.copy(), nothing.copy())
        if np.any(inside):
            found.put(inside, self._within(asked.some(inside), variance))
        if not np.all(inside):
            found.put(~inside, self._beyond(asked.some(~inside), extrapolate, variance))
        error = found.error
        if not extrapolate:
            error = np.where(found.reachable, error, np.nan)
        elif not np.all(inside):
            least = self._least_errors(n_samples[~inside])
            grown = error[~inside]
            bounded = np.fmax(grown, least)
            if self.fewest_rows > 1.0:  # few groups may allow no growth: the bound is no answer
                bounded = np.where(np.isnan(grown), np.nan, bounded)
            error[~inside] = np.where(found.reachable[~inside], grown, bounded)
        answer = self._record(asked, found._replace(error=error))
        if not variance:
            return answer
        log_variance = found.log_variance + self._shared_variance(asked)
        return self._with_variance(answer, asked, log_variance, found.growth_variance, variance)

    def _record(self, asked: Cells, found: CellErrors) -> ErrorAnswer:
        """Hold every part of an answer to what is known of the error."""
        error = found.error
        unknown = np.isnan(error)
        risk = self._completed(asked, found)
        with np.errstate(over="ignore", invalid="ignore"):
            return ErrorAnswer(
                error,
                np.all(found.reachable, axis=1),
                risk.kappa,
                np.where(unknown, np.nan, np.minimum(risk.train_error, error)),
                np.where(unknown, np.nan, np.minimum(risk.bias_and_noise, error)),
                cautious_error=error * np.exp(tuning.CAUTION * np.sqrt(found.growth_variance)),
                degrees=max(len(self.replicates.curves) - 1, 1),
            )

    def _completed(self, asked: Cells, found: CellErrors) -> CurveRisk:
        """Take the parts from n₀ where an error is reachable of which the theory says nothing."""
        risk = asked.risk
        lost = np.isnan(risk.test_error) & found.reachable
        cells = lost.any(axis=1)
        if not np.any(cells):
            return risk
        at_n0 = self._at_n0(asked.alpha[cells])
        train, moment = risk.train_error.copy(), risk.bias_and_noise.copy()
        train[cells] = np.where(lost[cells], at_n0.train_error, train[cells])
        moment[cells] = np.where(lost[cells], at_n0.bias_and_noise, moment[cells])
        return risk._replace(train_error=train, bias_and_noise=moment)

    def _with_variance(
        self,
        answer: ErrorAnswer,
        asked: Cells,
        log_variance: FloatArray,
        growth_variance: FloatArray,
        variance: AskedVariance,
    ) -> ErrorAnswer:
        """Return an answer with its variance, and how outputs vary together.

        The growth is that of one κ, and moves them alike; the rest as the rows do.
        """
        deviations, unknown = None, np.isnan(answer.error)
        if self.curve.n_outputs > 1 and self.replicates.curves:
            rows = np.minimum(asked.n_samples, float(self.n_rows))
            varied = self._varied(rows, asked.alpha, variance)
            deviations = standardized_deviations(varied)
        return answer._replace(
            log_variance=np.where(unknown, np.nan, log_variance),
            common_variance=np.where(unknown, np.nan, growth_variance),
            deviations=deviations,
        )

    def _at_n0(self, alpha: FloatArray) -> CurveRisk:
        return self._evaluator.risk(np.full(alpha.shape, float(self.n_rows)), alpha)

    def _varied(
        self, n_samples: FloatArray, alpha: FloatArray, variance: AskedVariance
    ) -> FloatArray:
        """Return the logarithms of replicates' errors, or of their shares of all variance."""
        varied = self.replicates.log_errors(n_samples, alpha)
        if isinstance(variance, bool) or not self.replicates.curves:
            return varied
        with np.errstate(invalid="ignore"):  # targets that never vary have no shares
            return varied - self.replicates.log_null_errors(float(self.n_rows), variance)

    def _within(self, asked: Cells, variance: AskedVariance) -> CellErrors:
        """Answer for at most n₀ samples: the theory, or where it failed what was measured."""
        error, nothing = asked.risk.test_error, np.zeros_like(asked.risk.test_error)
        log_variance = nothing
        measured = self._measured if self.correct else None
        if measured is not None:
            found = measured.errors(asked.n_samples, asked.alpha, error)
            error = np.exp(found.log_error)
            if self.curve.truncated:  # what subsets tell of some n is not known at n₀
                error = np.where(np.isnan(asked.risk.test_error), np.nan, error)
        if variance:
            varied = self._varied(asked.n_samples, asked.alpha, variance)
            log_variance = self._sampling_variance(varied)
        if variance and measured is not None:
            rows = np.full(asked.alpha.shape, float(self.n_rows))
            varied = self._varied(rows, asked.alpha, variance)
            at_n0 = self._sampling_variance(varied)
            share = found.at_n0_share  # none of what n₀ does not tell
            of_rows = found.row_variance + share * np.where(share > 0, at_n0, 0.0)
            log_variance = mixed(found.theory_weight, log_variance, of_rows) + found.variance
        too_few = asked.n_samples < self.fewest_rows * (1.0 - 1e-9)
        error = np.where(too_few[:, None], np.nan, error)
        return CellErrors(error, ~np.isnan(error), nothing, log_variance)

    def _beyond(self, asked: Cells, extrapolate: bool, variance: AskedVariance) -> CellErrors:
        """Answer for more than n₀ samples: the error at n₀ times its growth.

        Without `extrapolate`, that of cells that the theory does not reach is left out.
        """
        n_samples, alpha, risk, at_n0 = asked
        with np.errstate(divide="ignore", invalid="ignore"):
            log_error, log_at_n0 = np.log(risk.test_error), np.log(at_n0.test_error)
        rows, log_n = np.full(n_samples.shape, float(self.n_rows)), np.log(n_samples / self.n_rows)
        both = self.replicates.log_errors(np.r_[rows, n_samples], np.r_[alpha, alpha])
        varied_at_n0, varied = np.split(both, 2, axis=1)
        shares_at_n0 = varied_at_n0
        if not isinstance(variance, bool):
            shares_at_n0 = self._varied(rows, alpha, variance)
        with np.errstate(invalid="ignore"):
            kappa_noise = self._kappa_noise(n_samples, risk)
            changes = varied - varied_at_n0
            theory = theory_growth(log_error, log_at_n0, changes, kappa_noise, log_n)
        if self.misses is not None:
            theory = theory.drifting(self._drift(self.misses, risk.kappa, alpha), log_n)
        weight = np.maximum(1.0 - theory.variance / tuning.MOST_GROWTH_NOISE**2, 0.0)
        reachable = weight > tuning.REACH_WEIGHT
        wanted = np.full(alpha.shape, extrapolate or self.misses is not None)
        wanted |= reachable.any(axis=1)
        growth = Growth(np.full_like(weight, np.nan), np.full_like(weight, np.inf))
        if np.any(wanted):
            of_theory = Growth(*(part[wanted] for part in theory))
            cells = weight[wanted], n_samples[wanted], alpha[wanted], log_at_n0[wanted]
            growth.put(wanted, self._growth(of_theory, *cells, varied_at_n0[:, wanted]))
        with np.errstate(over="ignore"):
            error = np.exp(log_at_n0 + growth.log_ratio)
        exact = np.isneginf(log_at_n0) & (risk.test_error == 0.0)  # an output fitted exactly
        growth_variance = np.where(exact, 0.0, growth.variance)
        if self.misses is not None:
            # No way is the right one: what they make of it together is known, or is not.
            most = (1.0 - tuning.REACH_WEIGHT) * tuning.MOST_GROWTH_NOISE**2
            reachable = np.isfinite(growth.log_ratio) & (growth.variance < most)
        return CellErrors(
            np.where(exact, 0.0, error),
            exact | reachable,
            growth_variance,
            self._sampling_variance(shares_at_n0) + growth_variance,
        )

    def _growth(
        self,
        theory: Growth,
        weight: FloatArray,
        n_samples: FloatArray,
        alpha: FloatArray,
        log_at_n0: FloatArray,
        varied_at_n0: FloatArray,
    ) -> Growth:
        """Average the ways of growth, of which the theory's counts by a weight."""
        ways = [theory.weighted(weight)]
        if self._measured is not None:
            power_law = self._measured.power_law_growth(n_samples, alpha)
            if self.misses is not None:
                log_n = np.log(n_samples / self.n_rows)
                power_law = power_law.drifting(self._above_least(alpha, log_at_n0), log_n)
            ways.append(power_law)
            if self._tail is not None:
                effective = n_samples - 1.0 if self.fit_intercept else n_samples
                tail = self._tail.growth(log_at_n0, varied_at_n0, effective, alpha)
                ways.append(tail.weighted(1.0 - weight))
        return average(ways)

    def _drift(self, misses: GrowthMisses, kappa: FloatArray, alpha: FloatArray) -> FloatArray:
        """Return how far the growth is missed, as far as the theory fails at the κ in question."""
        if self._measured is None:
            return misses.drift_at(alpha)
        fault = self._measured.fault_at(np.where(np.isfinite(kappa), kappa, 0.0))
        share = np.minimum(fault / tuning.DISAGREEMENT_OF_CONCERN, 1.0)
        drift = misses.drift_at(alpha)
        return np.where(share > 0, share * np.where(share > 0, drift, 0.0), 0.0)

    def above_least(self, alpha: FloatArray) -> FloatArray:
        """Return how far log R(n₀) lies above its least at larger alphas, the mean over outputs.

        Parameters
        ----------
        alpha : ndarray of shape (cells,)
            Regularisations for weights of mean one.

        Returns
        -------
        ndarray of shape (cells,)
        """
        with np.errstate(divide="ignore"):
            log_at_n0 = np.log(self._at_n0(alpha).test_error)
            return np.asarray(np.nan_to_num(self._above_least(alpha, log_at_n0)).mean(axis=1))

    def _above_least(self, alpha: FloatArray, log_at_n0: FloatArray) -> FloatArray:
        """Return by how much log R(n₀) lies above its least value at larger alphas.

        Power laws are those of errors that fall for want of data. What lies above that is the
        variance of a peak, which more rows move; the law through it knows nothing of that.
        """
        grid, least = self._least_at_larger
        larger = np.minimum(np.searchsorted(grid, alpha), grid.size - 1)
        return np.maximum(log_at_n0 - least[larger], 0.0)

    @cached_property
    def _least_at_larger(self) -> tuple[FloatArray, FloatArray]:
        """Some alphas, ascending, and the least log R(n₀) from each of them on."""
        grid = alphas_along(self.curve, float(self.curve.n_effective))
        with np.errstate(divide="ignore"):
            along = np.log(self._at_n0(grid).test_error)
        known = np.where(np.isfinite(along), along, np.inf)
        return grid, np.minimum.accumulate(known[::-1], axis=0)[::-1]

    @cached_property
    def _measured(self) -> MeasuredSurface | None:
        """What was measured on subsets, if anything was."""
        if self.calibration is None or not self.calibration.sizes:
            return None
        # Its own tables: at all of its sizes, they would push those of the asked n out and back.
        evaluator = CurveEvaluator(self.curve, fit_intercept=self.fit_intercept)
        return MeasuredSurface(self.calibration, evaluator)

    def _sampling_variance(self, varied: FloatArray) -> FloatArray:
        """Variance from the rows; zero where no replicates tell it."""
        return jackknife_variance(varied) if len(varied) else np.zeros(varied.shape[1:])

    def _shared_variance(self, asked: Cells) -> FloatArray:
        """Variance from what all rows share, which no row left out of a mean tells.

        Seen in two ways, of which the larger counts: in how the error scatters from training set to
        training set, for subsets and at the κ of n₀ rows, and in the covariances between the rows'
        residuals at the κ in question. Where no subsets tell the former, as of few rows, it is
        taken as large as it usually is.
        """
        shape = (asked.alpha.size, self.curve.n_outputs)
        if self.calibration is None:
            return np.zeros(shape)
        # Where a curve ends before, it is at least what it is at its end.
        at_n0 = np.fmax(asked.at_n0.kappa, self.curve.kappa[0])
        kappa = np.fmax(np.where(asked.n_samples < self.n_rows, asked.risk.kappa, at_n0), at_n0)
        shared = self.curve.shared_noise_at(np.where(np.isfinite(kappa), kappa, np.inf))
        if not self.calibration.sizes:
            scatter = np.full(shape, tuning.SMALL_SAMPLE_SCATTER)
        else:
            df_ratio = self.curve.df1_at(at_n0) / self.curve.n_effective
            scatter = self.calibration.scatter_at(self._evaluator, self.n_rows, df_ratio)
        return np.maximum(np.square(scatter) / self.n_rows, shared[:, None])

    def _kappa_noise(self, n_samples: FloatArray, risk: CurveRisk) -> FloatArray:
        """Return how far log R moves with κ when κ moves by its noise, shape (cells, t).

        That is the relative standard error of q = mean Q at κ for each unit of log(n/n₀): where a
        few draws of leverage near one make up all of q, nothing left out tells how wrong the κ is
        that rests on them. Where the κ that it could be is not shown, log R moves as κ does.
        """
        noise = self.curve.scale_noise_at(risk.kappa) * np.log(n_samples / self.n_rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = [
                self._evaluator.test_error_at(n_samples, risk.kappa * np.exp(step))
                for step in (-noise, noise)
            ]
            moves = np.abs(np.log(np.stack(moved) / risk.test_error)).max(axis=0)
        return np.where(np.isfinite(moves), moves, noise[:, None])

    def _least_errors(self, n_samples: FloatArray) -> FloatArray:
        """Return for each n the least error over alpha where that is reachable, or NaN.

        Where it is above that of all rows, the best alpha is not among those that are reachable.
        """
        found_at = np.empty((n_samples.size, self.curve.n_outputs))
        for n in np.unique(n_samples):
            if n not in self._least:
                if len(self._least) >= _MOST_CACHED:
                    self._least = {}
                alpha = alphas_along(self.curve, n - 1.0 if self.fit_intercept else n)
                size = np.full(alpha.shape, n)
                risk, at_n0 = self._evaluator.risk(size, alpha), self._at_n0(alpha)
                found = self._beyond(Cells(size, alpha, risk, at_n0), False, False)
                known = np.where(found.reachable, found.error, np.nan)
                least = np.array([inner_minimum(column) for column in known.T])
                self._least[n] = np.where(least <= self._least_at_n0, least, np.nan)
            found_at[n_samples == n] = self._least[n]
        return found_at

    @cached_property
    def _least_at_n0(self) -> FloatArray:
        least = self.curve.error.sum(axis=1).min(axis=0)
        return np.asarray(least * (1.0 + 1.0 / self.n_rows) if self.fit_intercept else least)

    @cached_property
    def _tail(self) -> FunctionalTail | None:
        """The tail, for a theory that has been checked and fails nowhere."""
        checked = self.calibration is not None and self.calibration.disagreement == 0.0
        checked = checked and self.misses is None
        # Its rows are single draws: for groups the power law alone goes on.
        if not checked or self.curve.rank == 0 or self.fewest_rows > 1.0:
            return None
        return FunctionalTail(self.curve, self.replicates)
