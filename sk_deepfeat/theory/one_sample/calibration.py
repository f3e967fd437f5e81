r"""Errors measured on subsets of the training set, compared with what the theory gives for them.

C(n, alpha) = log(measured/predicted) at a few sizes n below the training size and a few alphas.
Where the rows are such as the theory takes them to be, C is noise. Where they are not, because
they come in clusters or for another reason, C says how far off the theory is, and where; what
becomes of it is told in `measured_surface`. A value that its own noise could make, of z standard
errors, is multiplied there by max(0, 1 - 1/z²).
"""

from __future__ import annotations

import reprlib
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from sk_deepfeat.theory.interpolation import interp_log
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization, check_factorization
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve, check_curve
from sk_deepfeat.theory.one_sample.subset_plan import (
    PlannedSize,
    df_ratio_grid,
    is_near_rank,
    plan_subsets,
    subset_sizes,
)
from sk_deepfeat.theory.one_sample.subsets import (
    SubsetErrors,
    WantedSubsets,
    check_subset_size,
    errors_of_sizes,
)
from sk_deepfeat.theory.validation import FloatArray, axes_of, check_flag, whole_number

_SOME_DEGREES, _MOST_SURE = 1e-6, 10.0


class CalibrationSize(NamedTuple):
    """Subsets of one size, with A alphas ascending and t outputs."""

    size: float
    """Rows in each subset; their mean, where whole groups are drawn."""
    n_subsets: int
    log_alpha: FloatArray
    """Shape (A,)."""
    measured: FloatArray
    """Mean squared errors on subsets, shape (A, t)."""
    predicted: FloatArray
    """What the theory gives, shape (A, t)."""
    log_ratio: FloatArray
    """C, shape (A, t)."""
    standard_error: FloatArray
    """Of C, shape (A, t): of what is measured, and of the theory, which rests on one sample."""
    noise: FloatArray
    """Standard error of log `measured` from the scatter of the subsets, and from how few of the
    rows are outside them; shape (A, t)."""
    row_noise: FloatArray
    """Relative standard error of `measured` from the rows it is measured on, shape (A, t)."""
    at_pole: NDArray[np.bool_]
    """Where so few rows first interpolate, so that an error may have no mean, shape (A,)."""
    unseen: float = 0.0
    """Share of the rows that are in every subset."""
    class_losses: FloatArray | None = None
    """Of codes of K classes, what is lost on rows, as in `SubsetErrors`, (A, 2 (K + 2))."""

    @property
    def few_subsets(self) -> FloatArray:
        """How many times more standard errors are needed, where so few subsets tell the scatter.

        The quantile of Student's t over that of the normal at three standard errors; degrees of
        freedom by Welch, since the scatter is a part of the standard error. Shape (A, t).
        """
        errors, known = tuning.ERRORS_AT_TWO_SIZES, np.maximum(self.noise, 1e-300)
        degrees = (self.n_subsets - 1) * np.minimum(self.standard_error / known, _MOST_SURE) ** 4
        return np.asarray(stdtrit(degrees, ndtr(errors)) / errors)

    def of_several(self, outputs: int, errors: float) -> float:
        """Return how many times further the largest of several outputs goes by noise than one.

        As Student's t does, since few subsets tell each output's scatter.
        """
        degrees = self.n_subsets - 1 + tuning.POOLED_DEGREES
        share = ndtr(-errors)
        return float(stdtrit(degrees, share / outputs) / stdtrit(degrees, share))

    @property
    def of_use(self) -> NDArray[np.bool_]:
        """Where alpha is no more than some decades below the best for so many rows, (A, t)."""
        known = np.where(np.isnan(self.measured), np.inf, self.measured)
        best = self.log_alpha[np.argmin(known, axis=0)]
        return np.asarray(self.log_alpha[:, None] >= best + np.log(tuning.ALPHA_OF_USE))


class Calibration(NamedTuple):
    """Subsets of ascending sizes, from one training set."""

    sizes: tuple[CalibrationSize, ...]
    n_rows: int
    """Rows of the training set."""
    rank: int
    """Directions that the training set resolves."""
    df_ratio: FloatArray
    """Values of df1/n, ascending, shape (S,)."""
    scatter: FloatArray
    """√n times the relative deviation of the error from training set to training set at those
    values, shape (S, t)."""
    class_scatter: FloatArray | None = None
    """The same for losses on rows of K classes, shape (S, 2 (K + 2))."""
    amplified: bool = False
    """Whether `df_ratio` holds values of the amplification in place of df1/n: where rows come in
    groups, df1/n does not say how near to its peak an error is."""
    n_sampled: int | None = None
    """Rows of the sample from which subsets are drawn; None is all."""

    @property
    def disagreement(self) -> float:
        """The largest C in size beyond noise, over sizes and alphas; 0 if the check is passed.

        Alphas count down to 1e-4 of the best one for so many rows: those below hardly anybody uses.
        The check fails where C passes 5 % in size and four standard errors at one number of rows,
        or three at two; a little more of them for several outputs. At the size of the rank, where
        fits interpolate for the first time, few subsets say little about their scatter: it counts
        only beside another size, and not at its ridgeless end, where an error may have no mean.
        """
        at_one, at_two = self._beyond_noise()
        sure = any(
            largest > 0 and not is_near_rank(found.size, self.rank)
            for found, largest in zip(self.sizes, at_one, strict=True)
        )
        return max(at_two) if sure or np.count_nonzero(at_two) > 1 else 0.0

    @property
    def suspicious(self) -> bool:
        """Whether anything disagrees, at any alpha, as two sizes may not: to look closer."""
        return any(self._beyond_noise(everywhere=True)[1])

    def _beyond_noise(self, *, everywhere: bool = False) -> tuple[list[float], list[float]]:
        """Return for each size the largest C beyond what noise makes at one size, and at two."""
        outputs = self.scatter.shape[1]
        largest: tuple[list[float], list[float]] = ([], [])
        for found in self.sizes:
            ratio = np.abs(found.log_ratio)
            z = ratio / np.maximum(found.standard_error, 1e-12)
            counts = everywhere | (found.of_use & ~found.at_pole[:, None])
            z = np.where(counts & (ratio > tuning.DISAGREEMENT_OF_CONCERN), z, 0.0)
            if np.any(z > tuning.ERRORS_AT_TWO_SIZES) and is_near_rank(found.size, self.rank):
                z = z / found.few_subsets
            for errors, kept in zip(
                (tuning.ERRORS_AT_ONE_SIZE, tuning.ERRORS_AT_TWO_SIZES), largest, strict=True
            ):
                beyond = z > errors * found.of_several(outputs, errors)
                kept.append(float(np.max(ratio, where=beyond, initial=0.0)))
        return largest

    def scatter_at(
        self, evaluator: CurveEvaluator, n_samples: float, df_ratio: FloatArray
    ) -> FloatArray:
        """Return √n times the relative deviation over training sets of some n, at some df1/n."""
        return self._scatter_at(self.scatter, evaluator, n_samples, df_ratio)

    def class_scatter_at(
        self, evaluator: CurveEvaluator, n_samples: float, df_ratio: FloatArray
    ) -> FloatArray:
        """Return what `scatter_at` does for losses on rows of classes."""
        assert self.class_scatter is not None
        return self._scatter_at(self.class_scatter, evaluator, n_samples, df_ratio)

    def _scatter_at(
        self, scatter: FloatArray, evaluator: CurveEvaluator, n: float, df_ratio: FloatArray
    ) -> FloatArray:
        at = _place(evaluator, n, df_ratio) if self.amplified else df_ratio
        return _interp_log(at, self.df_ratio, scatter)


def calibrate(
    factorization: RidgeFactorization,
    curve: KappaCurve,
    *,
    sizes: list[int] | None = None,
    fine: bool = False,
    seed: int = 0,
) -> Calibration:
    """Measure ridge on subsets of the training set and compare with the theory.

    Parameters
    ----------
    factorization : RidgeFactorization
        The training set.
    curve : KappaCurve
        Of the same rows.
    sizes : list of int, optional
        Sizes of the subsets; None takes six, at most four fifths of the rows, of which one is the
        rank of the features where the sample exceeds it, but for those that would cost too much.
    fine : bool, default=False
        For a correction, where a check has failed: twice as many sizes, up to nine tenths of the
        rows, alphas closer together, and more subsets.
    seed : int, default=0
        Draws the subsets.

    Returns
    -------
    Calibration
        Without sizes if the training set is too small for subsets.
    """
    seed, fine = whole_number(seed, "seed"), check_flag(fine, "fine")
    check_curve(curve)
    n_rows, rank = getattr(factorization, "n_rows", 0), curve.rank
    factorization = getattr(factorization, "sample", factorization)
    check_factorization(factorization)
    n_sampled = factorization.n_rows
    planned = subset_sizes(n_sampled, rank, factorization.groups, fine=fine)
    wanted: Any = planned
    if sizes is not None:
        try:
            wanted = [sizes] if axes_of(sizes) == 0 else list(sizes)
        except TypeError as error:
            raise TypeError(f"sizes={reprlib.repr(sizes)} must be whole numbers.") from error
    for size in wanted:
        check_subset_size(size, n_sampled)
    wanted = sorted(int(size) for size in wanted)
    if rank == 0:  # nothing is learned from any rows
        wanted = []
    given = {"fit_intercept": factorization.fit_intercept, "errors_alone": True}
    evaluator = CurveEvaluator(curve.of_output(0), **given)  # degrees of freedom: those of any
    plan = plan_subsets(factorization, evaluator, wanted, fine=fine, droppable=sizes is None)
    asked = [WantedSubsets(planned.size, planned.alpha, planned.n_subsets) for planned in plan]
    measured = errors_of_sizes(factorization, asked, seed=seed)
    grid = df_ratio_grid(fine)
    amplified = factorization.groups is not None
    places = [
        _place(evaluator, errors.size, planned.df_ratio) if amplified else planned.df_ratio
        for planned, errors in zip(plan, measured, strict=True)
    ]
    pooled = partial(_pooled_scatter, grid, places, measured, n_sampled)
    scatter, class_scatter = pooled([each.scatter for each in measured], curve.n_outputs), None
    if factorization.classes is not None:
        scatters = [s for s in (each.class_scatter for each in measured) if s is not None]
        class_scatter = pooled(scatters, 2 * (factorization.classes.n_classes + 2))
    calibration = Calibration((), n_rows, rank, grid, scatter, class_scatter, amplified, n_sampled)
    predicted = _predicted(CurveEvaluator(curve, **given), measured)
    if curve.sample_factor is not None:
        # The sample's errors are compared with each other, and then taken for those of all rows.
        of_sample = _predicted(CurveEvaluator(curve.of_sample, **given), measured)
        factors = [
            np.divide(of_all, own, out=np.ones_like(own), where=own > 0)
            for of_all, own in zip(predicted, of_sample, strict=True)
        ]
        measured = [
            errors._replace(error=errors.error * factor)
            for errors, factor in zip(measured, factors, strict=True)
        ]
    compared = (
        _compare(calibration, evaluator, *each)
        for each in zip(plan, measured, predicted, strict=True)
    )
    # A few subsets of more groups may hold fewer rows, where groups are of very unequal sizes.
    ascending = sorted(compared, key=lambda found: found.size)
    return calibration._replace(sizes=tuple(ascending))


def _predicted(evaluator: CurveEvaluator, measured: list[SubsetErrors]) -> list[FloatArray]:
    """Return what the theory gives for each size, shapes (A, t), from one evaluation."""
    counts = [errors.alpha.size for errors in measured]
    sizes = np.repeat([errors.size for errors in measured], counts)
    alphas = np.concatenate([np.empty(0), *(errors.alpha for errors in measured)])
    found = evaluator.test_error(sizes, alphas)
    return np.split(found, np.cumsum(counts)[:-1]) if counts else []


def _place(evaluator: CurveEvaluator, n_samples: float, df_ratio: FloatArray) -> FloatArray:
    """Return the amplification at some df1/n, above zero so that its logarithm is a number."""
    return np.maximum(evaluator.amplification(n_samples, df_ratio * n_samples), 1e-12)


def _pooled_scatter(
    grid: FloatArray,
    places: list[FloatArray],
    measured: list[SubsetErrors],
    n_rows: int,
    scatters: list[FloatArray],
    n_columns: int,
) -> FloatArray:
    """Return √n times the relative deviation along the grid, pooled by degrees of freedom.

    `places` says for each size where on the grid its alphas lie, `scatters` what is pooled.

    Two or three subsets differ in the rows outside as much as in those inside, and count little.
    """
    total = np.zeros((grid.size, n_columns))
    degrees = np.full((grid.size, 1), 1e-300)
    down, up = tuning.SCATTER_REACH
    for place, errors, scatter in zip(places, measured, scatters, strict=True):
        weight = float(errors.n_subsets - 1)
        if errors.size > tuning.LARGE_SUBSET_SHARES[1] * n_rows:
            weight *= tuning.OVERLAPPING_SCATTER_WEIGHT
        known = (grid >= down * place[0]) & (grid <= up * place[-1])
        squares = errors.size * np.square(scatter)
        weights = known[:, None] * weight
        total += weights * _interp_log(grid, place, squares)
        degrees += weights
    told = np.flatnonzero(degrees[:, 0] >= _SOME_DEGREES)
    if told.size:  # where no size tells it, it is what it is at the nearest place
        nearest = told[np.argmin(np.abs(np.arange(grid.size)[:, None] - told), axis=1)]
        total, degrees = total[nearest], degrees[nearest]
    return np.sqrt(total / degrees)


def _interp_log(at: FloatArray, x: FloatArray, columns: FloatArray) -> FloatArray:
    """Interpolate each column in log x."""
    return np.stack([interp_log(at, x, c, log_values=False) for c in columns.T], axis=-1)


def _compare(
    calibration: Calibration,
    evaluator: CurveEvaluator,
    planned: PlannedSize,
    errors: SubsetErrors,
    predicted: FloatArray,
) -> CalibrationSize:
    size, alpha, n_rows = errors.size, errors.alpha, calibration.n_rows
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(errors.error / predicted)
    scatter = calibration.scatter_at(evaluator, size, planned.df_ratio)
    relative = np.maximum(scatter / np.sqrt(size), errors.scatter)
    # The theory rests on one training set itself, where these alphas leave df1 of the same κ.
    of_theory = calibration.scatter_at(evaluator, n_rows, planned.df_ratio * size / n_rows)
    of_theory = of_theory / np.sqrt(n_rows)
    # Rows outside are a sample of those that the theory rests on.
    of_rows = errors.row_noise * np.sqrt(errors.unseen)
    known = np.isfinite(ratio)
    ratio = np.where(known, ratio, 0.0)
    relative = np.where(known, relative, 1.0)
    noise = np.sqrt(np.square(relative) / errors.n_subsets + np.square(of_rows))
    ascending, highest = np.argsort(alpha), tuning.SUBSET_DF_RATIOS[-1] + 1e-9
    return CalibrationSize(
        size,
        errors.n_subsets,
        np.log(alpha)[ascending],
        errors.error[ascending],
        predicted[ascending],
        ratio[ascending],
        np.sqrt(np.square(noise) + np.square(of_theory))[ascending],
        noise[ascending],
        errors.row_noise[ascending],
        (is_near_rank(size, calibration.rank) & (planned.df_ratio > highest))[ascending],
        errors.unseen,
        None if errors.class_losses is None else errors.class_losses[ascending],
    )
