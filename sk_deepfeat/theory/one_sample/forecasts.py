"""How the theory would have predicted the error at n₀ from parts of the training set.

A theory that has failed its check on subsets may still know how errors go on beyond n₀, or may not.
The rows show it themselves: on a half and on a quarter of them, by how much does the growth from
there to n₀ miss what was measured?
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.calibration import Calibration
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization, ridge_factorization
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve, leave_one_out_curve
from sk_deepfeat.theory.one_sample.measured_surface import MeasuredSurface
from sk_deepfeat.theory.one_sample.spread import spread
from sk_deepfeat.theory.validation import FloatArray

_ALPHAS, _GRID = 40, 60
_LEAST_SHARE, _MOST_SHARE = 0.2, 0.8


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
    factorization: RidgeFactorization, curve: KappaCurve, calibration: Calibration
) -> GrowthMisses:
    """Predict the error at n₀ from parts of the rows, and compare.

    Parameters
    ----------
    factorization : RidgeFactorization
        The training set; its rows are used.
    curve : KappaCurve
        Of the same rows.
    calibration : Calibration
        Likewise, with some sizes.

    Returns
    -------
    GrowthMisses
    """
    evaluator = CurveEvaluator(curve, fit_intercept=factorization.fit_intercept, errors_alone=True)
    measured = MeasuredSurface(calibration, evaluator)
    alpha = _alphas_of(calibration)
    n_rows = factorization.n_rows
    at_n0 = measured.errors(np.full(alpha.shape, float(n_rows)), alpha).log_error
    squares = []
    for share in tuning.FORECAST_SHARES:
        size, groups = round(share * n_rows), factorization.groups
        misses = []
        for rows in spread(n_rows, size, tuning.FORECAST_PARTS, 1, groups):
            own = np.full(alpha.shape, float(rows.size))
            at_own = measured.errors(own, alpha).log_error
            predicted = _predicted_growth(factorization, rows, alpha)
            with np.errstate(invalid="ignore"):  # errors of zero do not grow
                misses.append((predicted - (at_n0 - at_own)) / np.log(n_rows / rows.size))
        squares.append(np.mean(np.square(misses), axis=0))
    # A quarter of the rows may be silent where a half is not: what speaks counts.
    known = np.isfinite(squares)
    total = np.where(known, squares, 0.0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        drift = np.sqrt(total / known.sum(axis=0))
    return GrowthMisses(np.log(alpha), np.where(known.any(axis=0), drift, np.inf))


def measured_misses(
    calibration: Calibration, curve: KappaCurve, fit_intercept: bool
) -> GrowthMisses:
    """Take for the misses of a forecast those of the theory of all rows at fewer of them.

    What it misses at n rows, it would miss in growing from there: C/log(n₀/n) for each unit of
    log n, of which noise is taken off. That costs nothing beside the calibration.

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
    measured = MeasuredSurface(
        calibration, CurveEvaluator(curve, fit_intercept=fit_intercept, errors_alone=True)
    )
    alpha = _alphas_of(calibration)
    knots = measured.knots(alpha, shrink=False)
    shares = measured.sizes[:-1] / calibration.n_rows
    near = (shares >= _LEAST_SHARE) & (shares <= _MOST_SHARE)
    if not np.any(near):
        near = shares == shares.max()
    with np.errstate(invalid="ignore"):
        c = np.nan_to_num((knots.log_error - knots.log_theory)[:-1][near], nan=np.inf)
    beyond_noise = np.maximum(np.square(c) - knots.variance[:-1][near], 0.0)
    steps = np.log(shares[near])[:, None, None]
    return GrowthMisses(np.log(alpha), np.sqrt(np.mean(beyond_noise / np.square(steps), axis=0)))


def _alphas_of(calibration: Calibration) -> FloatArray:
    """Return alphas from the smallest to the largest that was measured."""
    ends = [found.log_alpha[[0, -1]] for found in calibration.sizes]
    return np.exp(np.linspace(np.min(ends), np.max(ends), _ALPHAS))


def _predicted_growth(
    factorization: RidgeFactorization, rows: NDArray[np.intp], alpha: FloatArray
) -> FloatArray:
    """Return log R(n₀)/R(size) as the theory tells it from some rows, NaN where it does not."""
    root = np.sqrt(factorization.weights[rows])[:, None]
    groups = factorization.groups
    if groups is not None and np.unique(groups.number[rows]).size < 2:
        return np.full((alpha.size, factorization.targets.shape[1]), np.nan)
    part = ridge_factorization(
        factorization.features.given[rows],
        factorization.targets[rows] / root,
        factorization.weights[rows],
        fit_intercept=factorization.fit_intercept,
        groups=None if groups is None else groups.number[rows],
    )
    curve = leave_one_out_curve(part, n_grid=_GRID)
    evaluator = CurveEvaluator(curve, fit_intercept=factorization.fit_intercept, errors_alone=True)
    ends = [np.full(alpha.shape, float(n)) for n in (rows.size, factorization.n_rows)]
    with np.errstate(divide="ignore", invalid="ignore"):
        own, grown = (np.log(evaluator.test_error(n, alpha)) for n in ends)
        return grown - own
