r"""Error rates and log-losses at every (n, alpha) from what one training set shows.

At n₀ an error rate is the count of rows that ridge on the others misclassifies. With fewer rows
scores have more noise, corrected by what was counted on subsets. With more rows two estimates are
averaged in the logarithm by inverse variance: scores of less noise (`removal`), of which two ways
differ, and the growth of the squared error (`bridge`). Where their error passes 15 %, nothing is
known, nor where the squared error is not.

The variance of log ε adds up: the rows' (of groups, the groups'), the scatter from training set to
training set that all rows share, and what the correction or the growth adds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.class_answer import ClassAnswer
from sk_deepfeat.theory.one_sample import tuning as shared_tuning
from sk_deepfeat.theory.one_sample.classes import tuning
from sk_deepfeat.theory.one_sample.classes.bridge import bridge_slopes
from sk_deepfeat.theory.one_sample.classes.class_correction import (
    ClassCorrection,
    columns_in_calibration,
)
from sk_deepfeat.theory.one_sample.classes.class_tables import (
    ClassTables,
    LossesAtAlphas,
    columns_of,
    known_columns,
    score_ridges,
)
from sk_deepfeat.theory.one_sample.classes.clouds import Cloud, Loss, margins_of
from sk_deepfeat.theory.one_sample.classes.removal import distance_of
from sk_deepfeat.theory.one_sample.classes.scores import LeftOutPredictor, left_out_scores
from sk_deepfeat.theory.one_sample.classes.wild_noise import clouds_along_kappa
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.surface import ErrorSurface
from sk_deepfeat.theory.validation import FloatArray

_TOGETHER, _MOST_EXACT = 16, 4096
_RARELY = 1e-6  # less often than that a class is never absent


class _Found(NamedTuple):
    """Losses of some cells, shapes (cells, L), but for `removed`."""

    loss: FloatArray
    row_variance: FloatArray
    """Relative."""
    doubt: FloatArray
    """Variance of the logarithm from the way it was found."""
    growth: FloatArray
    """The part of it that the growth beyond n₀ adds."""


class ClassSurface:
    """Losses at every (n, alpha) for rows in classes.

    Parameters
    ----------
    factorization : RidgeFactorization
        With classes. It is kept for exact counts at n₀; a pickle leaves it out.
    surface : ErrorSurface
        Squared errors of the same rows.
    """

    def __init__(self, factorization: RidgeFactorization, surface: ErrorSurface) -> None:
        classes = factorization.classes
        assert classes is not None
        self.classes, self.surface = classes, surface
        self.n_rows = factorization.n_rows
        self._factorization: RidgeFactorization | None = factorization
        self._exact: dict[tuple[float, Loss], tuple[FloatArray, FloatArray]] = {}
        self._groups, self._draws = factorization.groups, classes.draws(factorization.groups)
        self._corrections: dict[bool, ClassCorrection] = {}
        self.tables: ClassTables | None = None
        """None where no feature tells anything."""
        self._scores_of_nothing = np.empty(0)
        if factorization.eigenvalues.size == 0:
            self._scores_of_nothing = left_out_scores(factorization, np.ones(1))[0]
        else:
            self._learn(factorization, surface)

    def _learn(self, factorization: RidgeFactorization, surface: ErrorSurface) -> None:
        """Keep scores along κ, and what subsets say of their errors."""
        evaluator = CurveEvaluator(surface.curve, fit_intercept=surface.fit_intercept)
        ridges = score_ridges(
            factorization.eigenvalues, factorization.n_effective, factorization.exact_at
        )
        kappa = evaluator.risk(np.full(ridges.size, float(self.n_rows)), ridges).kappa
        rising = np.r_[True, kappa[1:] > np.fmax.accumulate(kappa)[:-1] * (1.0 + 1e-9)]
        rising &= np.isfinite(kappa) & (kappa > 0)
        predictor = LeftOutPredictor(factorization, ridges[rising])
        given = evaluator, self.n_rows, factorization.groups
        clouds = clouds_along_kappa(predictor, kappa[rising], within_classes=self.classes.balanced)
        self.tables = ClassTables(clouds, *given)
        if surface.calibration is not None and surface.calibration.class_scatter is not None:
            for loss in (Loss(), Loss(tuning.LOG_LOSS_TEMPERATURE)):
                correction = ClassCorrection(surface.calibration, self.tables, loss)
                self._corrections[loss.temperature is not None] = correction

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_factorization": None}

    @property
    def n_columns(self) -> int:
        """Losses of a cell: of each class, of all rows, and the mean over classes."""
        return self.classes.n_classes + 2

    def answer(
        self,
        n_samples: FloatArray,
        alpha: FloatArray,
        *,
        loss: Loss,
        columns: slice,
        exact: bool = True,
        extrapolate: bool = False,
    ) -> ClassAnswer:
        """Return what is known of some cells.

        Parameters
        ----------
        n_samples, alpha : ndarray of shape (cells,)
            Numbers of samples and regularisations for weights of mean one.
        loss : Loss
            Of which kind.
        columns : slice
            Which of the `n_columns`.
        exact : bool, default=True
            Whether at n₀ every alpha is counted by itself; else counts are interpolated, as they
            are where the rows are gone.
        extrapolate : bool, default=False
            Whether cells that are not reachable get a number.
        """
        squared = self.surface.answer(n_samples, alpha, extrapolate=extrapolate)
        shape = (n_samples.size, self.n_columns)
        found = _Found(*(np.full(shape, np.nan) for _ in _Found._fields))
        wanted = ~np.isnan(squared.error).any(axis=1)
        for n in np.unique(n_samples[wanted]):
            mine = wanted & (n_samples == n)
            if self.tables is None:
                part = self._of_nothing(int(mine.sum()), loss)
            elif n == self.n_rows:
                part = self._at_n0(self.tables, alpha[mine], loss, exact)
            elif n < self.n_rows:
                part = self._fewer(self.tables, float(n), alpha[mine], loss)
            else:
                part = self._more(self.tables, float(n), alpha[mine], loss)
            for whole, some in zip(found, part, strict=True):
                whole[mine] = some
        with np.errstate(invalid="ignore"):
            known = np.sqrt(found.growth) <= tuning.MOST_CLASS_NOISE
        error = np.where((known | extrapolate) & known_columns(self.classes), found.loss, np.nan)
        if loss.temperature is None:
            error = np.clip(error, 0.0, 1.0)
        answered = known[:, columns] & ~np.isnan(error[:, columns])
        with np.errstate(invalid="ignore"):
            variance = found.row_variance + found.doubt + self._shared(alpha, loss)
        cautious = error * np.exp(shared_tuning.CAUTION * np.sqrt(found.growth))
        return ClassAnswer(
            error[:, columns],
            squared.reachable & answered.all(axis=1),
            squared.kappa,
            cautious[:, columns],
            variance[:, columns],
            self._draws[columns],
            loss.temperature is None,
            squared.degrees,
        )

    def _of_nothing(self, n_alphas: int, loss: Loss) -> _Found:
        """Return losses where no alpha and no number of rows matter: those of the means alone."""
        found = self._columns(self._scores_of_nothing, loss)
        means, variances = (np.tile(part, (n_alphas, 1)) for part in found)
        nothing = np.zeros_like(means)
        return _Found(means, _relative(variances, means), nothing, nothing)

    def _at_n0(self, tables: ClassTables, alpha: FloatArray, loss: Loss, exact: bool) -> _Found:
        """Return what leave-one-out counts."""
        counted = exact and self._factorization is not None
        if counted:
            self._count(alpha, loss)
        known = {k: self._exact[a, loss] for k, a in enumerate(alpha) if (a, loss) in self._exact}
        if exact and len(known) == alpha.size:
            means, variances = (np.stack(part) for part in zip(*known.values(), strict=True))
        else:
            found = tables.losses(float(self.n_rows), alpha, loss)
            means, variances = found.loss, found.row_variance
            for k, values in known.items() if exact else ():
                means[k], variances[k] = values
        nothing = np.zeros_like(means)
        return _Found(means, _relative(variances, means), nothing, nothing)

    def _count(self, alpha: FloatArray, loss: Loss) -> None:
        """Find exact losses at some alphas that are not known yet."""
        f = self._factorization
        assert f is not None
        missing = [a for a in dict.fromkeys(map(float, alpha)) if (a, loss) not in self._exact]
        if len(self._exact) + len(missing) > _MOST_EXACT:
            self._exact, missing = {}, list(dict.fromkeys(map(float, alpha)))
        for start in range(0, len(missing), _TOGETHER):
            some = np.array(missing[start : start + _TOGETHER])
            for ridge, scores in zip(some, left_out_scores(f, some), strict=True):
                self._exact[float(ridge), loss] = self._columns(scores, loss)

    def _columns(self, scores: FloatArray, loss: Loss) -> tuple[FloatArray, FloatArray]:
        """Return losses of scores as they are, and their variances, shapes (L,)."""
        if loss.temperature is None:
            values = self.classes.wrong(scores).astype(np.float64)
        else:
            values = loss.of_rows(Cloud(margins_of(scores, self.classes), np.empty(0)), 0.0)
        return columns_of(values, self.classes, self._groups)

    def _fewer(self, tables: ClassTables, n: float, alpha: FloatArray, loss: Loss) -> _Found:
        """Return losses of fewer rows than n₀."""
        found = tables.losses(n, alpha, loss)
        means = found.loss
        doubt = np.full_like(means, tuning.CLASS_DOUBT**2)
        correction = self._corrections.get(loss.temperature is not None)
        if correction is not None:
            c, variance = correction.at(n, alpha)
            if loss.temperature is not None:
                other = np.log(loss.temperature / tuning.LOG_LOSS_TEMPERATURE)
                variance = variance + np.square(0.5 * other * c)
            means, doubt = means * np.exp(c), doubt + variance
        # As many rows as there are say what the doubt is: at all of them there is none.
        doubt = doubt * min(np.log(self.n_rows / n), 1.0)
        if loss.temperature is None and self._groups is None:
            means = np.maximum(means, self._of_absent_classes(n))
        return _Found(means, _relative(found.row_variance, found.loss), doubt, np.zeros_like(means))

    def _of_absent_classes(self, n: float) -> FloatArray:
        """Return the least error rates of n rows: of a class that none of them is of, all rows."""
        share = self.classes.share
        absent = (1.0 - share) ** n
        absent[absent < _RARELY] = 0.0
        return np.r_[absent, share @ absent, absent[share > 0].mean()]

    def _more(self, tables: ClassTables, n: float, alpha: FloatArray, loss: Loss) -> _Found:
        """Return losses of more rows than n₀: removal and bridge."""
        n0 = float(self.n_rows)
        sizes = (0.25 * n0, 0.5 * n0, n0)
        at_n0 = tables.losses(n0, alpha, loss)
        removed = tables.losses(n, alpha, loss)
        known = [*(self._fewer(tables, size, alpha, loss).loss for size in sizes[:2]), at_n0.loss]
        cells = np.repeat(sizes, alpha.size), np.tile(alpha, 3)
        squared = self.surface.answer(*cells).error.mean(axis=1).reshape(3, -1)
        here = self.surface.answer(np.full(alpha.shape, n), alpha, extrapolate=True, variance=True)
        assert here.common_variance is not None
        growth_variance = here.common_variance.mean(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_ratio = np.log(here.error.mean(axis=1) / squared[2])
            theory = tables.evaluator.test_error(
                np.r_[np.full(alpha.size, n), np.full(alpha.size, n0)], np.r_[alpha, alpha]
            ).mean(axis=1)
            of_theory = np.log(theory[: alpha.size] / theory[alpha.size :])
        slopes = bridge_slopes(np.stack([part[:, -2] for part in known]), squared)
        # The variance of a peak falls in another way than what is wrong for want of data.
        slope_doubt = slopes.doubt + self.surface.above_least(alpha)
        k, reach = slopes.slope, np.abs(log_ratio)
        bridge = at_n0.loss * np.exp(k * log_ratio)[:, None]
        of_bridge = np.square(slope_doubt * reach) + np.square(k) * growth_variance
        removal, of_removal = self._removal(removed, at_n0, loss)
        missed = np.square(k * (of_theory - log_ratio)) + np.square(k) * growth_variance
        of_removal = of_removal + np.where(np.isfinite(missed), missed, np.inf)[:, None]
        doubt = tuning.CLASS_DOUBT**2
        inverse = [
            1.0 / (of_removal + doubt),
            np.broadcast_to(1.0 / (of_bridge + doubt), (1, alpha.size)).T,
        ]
        return _averaged([removal, bridge], inverse, at_n0)

    def _removal(
        self, removed: LossesAtAlphas, at_n0: LossesAtAlphas, loss: Loss
    ) -> tuple[FloatArray, FloatArray]:
        """Return the mean of the two ways to take noise away, and the variance of its logarithm."""
        assert removed.simulated is not None
        with np.errstate(divide="ignore", invalid="ignore"):
            both = np.log(removed.loss), np.log(removed.simulated)
            mean = np.exp(0.5 * (both[0] + both[1]))
            apart = 0.5 * (both[1] - both[0])
            growth = moved = np.log(mean / at_n0.loss)
            if loss.temperature is None:
                k = self.classes.n_classes
                moved = np.log(distance_of(mean, k) / distance_of(at_n0.loss, k))
        linear, square = tuning.REMOVAL_DOUBTS
        variance = np.square(linear * growth) + np.square(square * np.square(moved))
        variance += np.square(apart)
        unknown = ~np.isfinite(mean) | ~np.isfinite(variance)
        return np.where(unknown, 1.0, mean), np.where(unknown, np.inf, variance)

    def _shared(self, alpha: FloatArray, loss: Loss) -> FloatArray:
        """Return the variance of log ε that all rows share, of one training set, (cells, L)."""
        mine = columns_in_calibration(loss, self.classes.n_classes)
        calibration = self.surface.calibration
        shape = (alpha.size, self.n_columns)
        if calibration is None or calibration.class_scatter is None or not calibration.sizes:
            return np.full(shape, shared_tuning.SMALL_SAMPLE_SCATTER**2 / self.n_rows)
        if self.tables is None:
            return np.zeros(shape)
        floor = np.maximum(alpha, np.finfo(float).tiny)
        ratio = self.tables.evaluator.df_ratio_at_alpha(float(self.n_rows), floor)
        scatter = calibration.class_scatter_at(self.tables.evaluator, self.n_rows, ratio)
        return np.square(scatter[:, mine]) / self.n_rows


def _relative(variances: FloatArray, means: FloatArray) -> FloatArray:
    """Return relative variances, 0 where there is nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(means > 0, variances / np.square(means), 0.0)


def _averaged(losses: list[FloatArray], inverse: list[FloatArray], at_n0: LossesAtAlphas) -> _Found:
    """Average by inverse variance in the logarithm; nothing wrong at n₀ stays nothing."""
    total = inverse[0] + inverse[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = [np.where(w > 0, np.log(x), 0.0) for w, x in zip(inverse, losses, strict=True)]
        mean = sum(w * x for w, x in zip(inverse, logs, strict=True)) / total
        found = np.where(at_n0.loss > 0, np.exp(mean), at_n0.loss)
        growth = np.where(np.isnan(found), np.nan, 1.0 / total)
    row_variance = _relative(at_n0.row_variance, at_n0.loss)
    return _Found(found, row_variance, growth, growth)
