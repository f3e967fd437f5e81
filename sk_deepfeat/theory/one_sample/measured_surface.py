r"""Errors up to the training size n₀ where the theory fails: what subsets measured takes over.

At the sizes of a `Calibration` and at n₀, the knots, errors are known from measurement: log R is
that of the theory plus C = log(measured/predicted), shrunk by what noise could have made of it, or
the measurement itself where the theory tells nothing; at n₀ it is that of leave-one-out. Between
two knots log R is a straight line in log n, bent as much as the theory is believed to know it:

    log R = line through the knots + w (log T - line through log T at the knots),

with the theory's T, and w = Σb²/(Σa² + Σb²). Here b are the steps of log R between the knots and
its bends at both, a those of C: a theory that is off by the same factor everywhere still knows the
shape, one whose fault changes as fast as the error does not. Steps count at alphas near by, too,
since a fault that changes its sign is small there by that chance alone. Nothing is carried in alpha
beyond what was measured, nor over a peak that was not.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.interpolation import interp_columns
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.calibration import Calibration
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.growth import Growth, power_law_growth
from sk_deepfeat.theory.validation import FloatArray

_UNKNOWN = 300.0  # of a logarithm: what the theory does not tell it is wrong about


class Knots(NamedTuple):
    """What is known at K sizes, the last of which is n₀, for A alphas; shape (K, A, t)."""

    log_theory: FloatArray
    """log T, NaN where it is not known."""
    log_error: FloatArray
    """log R."""
    variance: FloatArray
    """Of log R, from the subsets; zero at n₀."""
    row_variance: FloatArray
    """Of log R, from the rows on which it is measured; zero at n₀."""


class MeasuredErrors(NamedTuple):
    """Errors of some cells, shape (cells, t)."""

    log_error: FloatArray
    variance: FloatArray
    """Of log R, from the subsets alone."""
    row_variance: FloatArray
    """Of log R, from the rows on which it is measured; what n₀ adds is left out."""
    theory_weight: FloatArray
    """w, 1 where the theory is as good as measured, 0 where it is not known."""
    at_n0_share: FloatArray
    """How far a cell lies on its way from the last knot but one to n₀, from 0 to 1."""


class MeasuredSurface:
    """Errors at any number of samples up to n₀ and any alpha, from a calibration.

    Parameters
    ----------
    calibration : Calibration
        From `calibrate`, with some sizes.
    evaluator : CurveEvaluator
        Of the same training set.
    """

    def __init__(self, calibration: Calibration, evaluator: CurveEvaluator) -> None:
        self.calibration, self._evaluator = calibration, evaluator
        sizes = [*(found.size for found in calibration.sizes), calibration.n_rows]
        self.sizes = np.array(sizes, dtype=np.float64)

    @cached_property
    def _measurements(self) -> list[tuple[FloatArray, FloatArray]]:
        """For each size log alpha, and C, log R and the two variances side by side.

        Nothing moves beyond the alphas that were measured.
        """
        found = []
        for each in self.calibration.sizes:
            with np.errstate(divide="ignore"):
                log_measured = np.log(each.measured)
            variances = np.square(each.noise), np.square(each.row_noise)
            found.append((each.log_alpha, np.hstack([each.log_ratio, log_measured, *variances])))
        return found

    def knots(self, alpha: FloatArray, *, shrink: bool = True) -> Knots:
        """Return what is known at the sizes.

        Parameters
        ----------
        alpha : ndarray of shape (A,)
            Regularisations for weights of mean one.
        shrink : bool, default=True
            Whether to shrink what noise could make.
        """
        alpha = np.maximum(alpha, np.finfo(float).tiny)
        sizes = np.repeat(self.sizes, alpha.size)
        # A pole at zero would be all about it.
        off_pole = self._evaluator.off_the_peak(sizes, np.tile(alpha, self.sizes.size))
        with np.errstate(divide="ignore", invalid="ignore"):
            theory = np.log(self._evaluator.test_error(sizes, off_pole))
        theory = theory.reshape(self.sizes.size, alpha.size, -1)
        log_alpha = np.log(alpha)
        found = [interp_columns(log_alpha, x, columns) for x, columns in self._measurements]
        c, log_measured, variance, of_rows = np.split(np.stack(found), 4, axis=2)
        if shrink:
            c = c * _shrinking(c, variance)
        unknown = np.isnan(theory[:-1])
        error = np.concatenate([np.where(unknown, log_measured, theory[:-1] + c), theory[-1:]])
        exact = np.zeros_like(theory[-1:])
        variance, of_rows = (np.concatenate([part, exact]) for part in (variance, of_rows))
        return Knots(theory, error, variance, of_rows)

    def errors(
        self, n_samples: FloatArray, alpha: FloatArray, predicted: FloatArray | None = None
    ) -> MeasuredErrors:
        """Return errors at cells of at most n₀ samples.

        Parameters
        ----------
        n_samples, alpha : ndarray of shape (cells,)
            Numbers of samples and regularisations for weights of mean one.
        predicted : ndarray of shape (cells, t), optional
            What the theory gives for them, where that has been asked.

        Returns
        -------
        MeasuredErrors
        """
        if predicted is None:
            predicted = self._evaluator.test_error(n_samples, alpha)
        with np.errstate(divide="ignore", invalid="ignore"):
            theory = np.log(predicted)
        strengths, which = np.unique(alpha, return_inverse=True)
        low, high = tuning.MISFIT_NEIGHBOURS
        around = self.knots(np.concatenate([strengths, low * strengths, high * strengths]))
        parts = (np.split(part, 3, axis=1) for part in around)
        near = [Knots(*own) for own in zip(*parts, strict=True)]
        knots, weights = near[0], _theory_weights(near)[:, which]
        sizes = np.log(self.sizes)
        position = np.interp(np.log(n_samples), sizes, np.arange(sizes.size))
        below = np.minimum(position.astype(int), sizes.size - 2)
        part = (position - below)[:, None]

        def line(table: FloatArray) -> FloatArray:
            low, high = table[below, which], table[below + 1, which]
            with np.errstate(invalid="ignore"):  # errors of zero
                between = (1.0 - part) * low + part * high
            return np.where(part == 0.0, low, np.where(part == 1.0, high, between))

        measured, of_theory = line(knots.log_error), line(knots.log_theory)
        with np.errstate(invalid="ignore"):
            bend = np.where(theory == of_theory, 0.0, theory - of_theory)
        weight = np.where(np.isfinite(bend), weights[below, np.arange(which.size)], 0.0)
        # Fewer rows than were measured go on as the theory does from the smallest size.
        weight = np.where((n_samples < self.sizes[0])[:, None], 1.0, weight)
        carried = np.where(weight > 0, bend, 0.0) * weight
        last = (below == sizes.size - 2)[:, None]
        return MeasuredErrors(
            np.where(np.isposinf(theory), np.inf, measured + carried),
            line(knots.variance),
            line(knots.row_variance),
            weight,
            np.where(last, part, 0.0),
        )

    def power_law_growth(self, n_samples: FloatArray, alpha: FloatArray) -> Growth:
        """Return the growth of the power laws, as uncertain as at the worst alpha near by.

        Parameters
        ----------
        n_samples, alpha : ndarray of shape (cells,)
            More samples than n₀, and regularisations for weights of mean one.
        """
        low, high = tuning.POWER_LAW_NEIGHBOURS
        strengths, which = np.unique(alpha, return_inverse=True)
        knots = self.knots(np.r_[strengths, low * strengths, high * strengths], shrink=False)
        found = power_law_growth(
            self.sizes,
            knots.log_error,
            knots.variance,
            np.tile(n_samples, 3),
            np.concatenate([which + k * strengths.size for k in range(3)]),
        )
        at_alpha, *beside = np.split(found.variance, 3)
        known = [np.where(np.isfinite(variance), variance, 0.0) for variance in beside]
        return Growth(np.split(found.log_ratio, 3)[0], np.maximum(at_alpha, np.max(known, axis=0)))

    def fault_at(self, kappa: FloatArray) -> FloatArray:
        """Return how far the theory is off at some κ, the largest |C| of subsets not too small.

        Beyond the κ that these subsets meet, it is what it is at their end.

        Parameters
        ----------
        kappa : ndarray of shape (cells,)
            Effective regularisations.

        Returns
        -------
        ndarray of shape (cells, t)
            Shrunk by what noise could make; infinite where the theory tells nothing.
        """
        log_kappa = np.log(np.maximum(kappa, np.finfo(float).tiny))
        found = [np.zeros((kappa.size, self.calibration.scatter.shape[1]))]
        for known, fault in self._faults:
            found.append(interp_columns(log_kappa, known, fault))
        return np.max(found, axis=0)

    @cached_property
    def _faults(self) -> list[tuple[FloatArray, FloatArray]]:
        """Log κ, ascending, and |C| at the alphas of each size."""
        faults = []
        sampled = self.calibration.n_sampled or self.calibration.n_rows
        for k, found in enumerate(self.calibration.sizes):
            some = ~found.at_pole
            if found.size < tuning.FAULT_SHARE * sampled or not np.any(some):
                continue
            alpha = np.exp(found.log_alpha[some])
            knots = self.knots(alpha)
            error, theory = knots.log_error[k], knots.log_theory[k]
            with np.errstate(invalid="ignore"):  # errors of zero, both
                c = np.abs(np.where(error == theory, 0.0, error - theory))
            kappa = self._evaluator.risk(np.full(alpha.shape, self.sizes[k]), alpha).kappa
            shown = np.isfinite(kappa) & (kappa > 0)
            if np.any(shown):
                log_kappa = np.maximum.accumulate(np.log(kappa[shown]))
                faults.append((log_kappa, np.where(np.isnan(c), _UNKNOWN, c)[shown]))
        return faults


def _shrinking(c: FloatArray, variance: FloatArray) -> FloatArray:
    """Return max(0, 1 - 1/z²), z² the mean of a size and its neighbours, which share a fault."""
    z2 = np.square(c) / np.maximum(variance, 1e-300)
    around = np.concatenate([z2[:1], z2, z2[-1:]])
    mean = (around[:-2] + around[1:-1] + around[2:]) / 3.0
    return np.asarray(np.maximum(0.0, 1.0 - tuning.SHRINKAGE / np.maximum(mean, 1e-300)))


def _theory_weights(near: list[Knots]) -> FloatArray:
    """Return w between each two neighbouring knots, shape (K - 1, A, t)."""
    fault, change = (np.zeros_like(near[0].log_error[1:]) for _ in range(2))
    for knots in near:
        with np.errstate(invalid="ignore"):
            fault += _unevenness(knots.log_error - knots.log_theory)
            change += _unevenness(knots.log_error)
    with np.errstate(invalid="ignore"):
        weight = np.where(fault > 0, change / (fault + change), 1.0)
    return np.where(np.isnan(fault + change), 0.0, weight)


def _unevenness(values: FloatArray) -> FloatArray:
    """Return the squared step between neighbours along the first axis, and bends at both."""
    steps = np.diff(values, axis=0)
    bends = np.square(np.diff(steps, axis=0))
    found = np.square(steps)
    found[:-1] += bends
    found[1:] += bends
    return np.asarray(found)
