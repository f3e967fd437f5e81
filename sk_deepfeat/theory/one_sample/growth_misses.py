"""By how much the theory misses the growth of the error, where it has failed its check.

A theory that is off on subsets may still know how errors go on beyond n₀, or may not. What the
theory of all rows misses at n of them, C(n, alpha), it misses in growing from there to n₀: for each
unit of log n that is C/log(n₀/n). Noise of the subsets is taken off, and what sizes of about a half
and a quarter of the rows tell is averaged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.calibration import Calibration
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve
from sk_deepfeat.theory.one_sample.measured_surface import MeasuredSurface
from sk_deepfeat.theory.validation import FloatArray

_ALPHAS = 40


class GrowthMisses(NamedTuple):
    """What `growth_misses` found, at A alphas for t outputs."""

    log_alpha: FloatArray
    """Ascending, shape (A,)."""
    drift: FloatArray
    """Root mean square error of log R for each unit of log n, shape (A, t); infinite where the
    theory could tell nothing."""

    def drift_at(self, alpha: FloatArray) -> FloatArray:
        """Return the largest drift near some alphas, infinite where it is at the alpha itself.

        Shape (cells, t).
        """
        log_alpha = np.log(np.maximum(alpha, np.finfo(float).tiny))
        low, high = np.log(tuning.POWER_LAW_NEIGHBOURS)
        at, *beside = (self._along(log_alpha + shift) for shift in (0.0, low, high))
        known = [np.where(np.isfinite(drift), drift, 0.0) for drift in beside]
        return np.maximum(at, np.max(known, axis=0))

    def _along(self, log_alpha: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore"):  # from a finite to an infinite one
            drift = [np.interp(log_alpha, self.log_alpha, column) for column in self.drift.T]
        return np.nan_to_num(np.stack(drift, axis=-1), nan=np.inf, posinf=np.inf)


def growth_misses(
    calibration: Calibration, curve: KappaCurve, *, fit_intercept: bool
) -> GrowthMisses:
    """Return how far the theory's growth to n₀ is off, from what subsets measured.

    Parameters
    ----------
    calibration : Calibration
        With some sizes.
    curve : KappaCurve
        Of the same rows.
    fit_intercept : bool
        As for the curve.

    Returns
    -------
    GrowthMisses
    """
    evaluator = CurveEvaluator(curve, fit_intercept=fit_intercept, errors_alone=True)
    measured = MeasuredSurface(calibration, evaluator)
    ends = [found.log_alpha[[0, -1]] for found in calibration.sizes]
    log_alpha = np.linspace(np.min(ends), np.max(ends), _ALPHAS)
    shares = measured.sizes[:-1] / calibration.n_rows
    least, most = tuning.MISSES_SHARES
    some = (shares >= least) & (shares <= most)
    if not np.any(some):
        some = shares == shares.max()
    knots = measured.knots(np.exp(log_alpha), shrink=False)
    error, theory = (table[:-1][some] for table in (knots.log_error, knots.log_theory))
    with np.errstate(invalid="ignore"):  # errors of zero are not missed
        c = np.where(error == theory, 0.0, error - theory)
    beyond_noise = np.maximum(np.square(c) - knots.variance[:-1][some], 0.0)
    steps = np.log(shares[some])[:, None, None]
    # One of the sizes may be silent where another is not: what speaks counts.
    known = np.isfinite(beyond_noise)
    total = np.where(known, beyond_noise / np.square(steps), 0.0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        drift = np.sqrt(total / known.sum(axis=0))
    return GrowthMisses(log_alpha, np.where(known.any(axis=0), drift, np.inf))
