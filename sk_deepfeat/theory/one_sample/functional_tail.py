"""The population's functionals below the κ at which a training set shows noise alone.

A cell (n, alpha) beyond reach meets the population at a κ that the training set does not show, or
shows as noise. From the lowest κ that is not noise, the edge, two functionals are continued. The
logarithm of df1 goes on linearly in log κ, with the slope of the decade above the edge; squared
bias with noise goes on as a + b κ^c, fitted above the edge by the jackknife's weights. The error
there, and up to the last κ of the fit, is then that of rows of equal leverage,
(B + σ²)/(1 - df2/n), at the κ with alpha = κ(n - df1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.interpolation import interp_columns
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.bias_and_noise import bias_and_noise_along_kappa
from sk_deepfeat.theory.one_sample.growth import Growth
from sk_deepfeat.theory.one_sample.jackknife import JackknifeReplicates, jackknife_variance
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve
from sk_deepfeat.theory.one_sample.power_law import PowerLaw, fit_power_law
from sk_deepfeat.theory.validation import FloatArray

_POINTS, _BISECTIONS, _NEWTON = 120, 80, 50


class FunctionalTail:
    """Functionals of one training set, continued; each output from an edge of its own.

    Parameters
    ----------
    curve : KappaCurve
        Of the training set, with some direction.
    replicates : JackknifeReplicates
        Of the same.
    """

    def __init__(self, curve: KappaCurve, replicates: JackknifeReplicates) -> None:
        log_kappa, moment = bias_and_noise_along_kappa(curve)
        self._grid = np.linspace(log_kappa[0], log_kappa[-1], _POINTS)
        self._log_df1 = np.log(curve.df1_at(np.exp(self._grid)))
        seen = interp_columns(self._grid, log_kappa, moment)
        others = [bias_and_noise_along_kappa(other) for other in replicates.curves]
        varied = [interp_columns(self._grid, x, m, left=np.nan) for x, m in others]
        self._fit(seen, np.reshape(varied, (-1, *seen.shape)))

    def _fit(self, seen: FloatArray, varied: FloatArray) -> None:
        """Keep outputs, their edges, the slopes of log df1 there, and laws of all curves.

        Curves are those of the training set, shape (_POINTS, t), and of its replicates, of shape
        (B, _POINTS, t).
        """
        varied = np.where(varied > 0, varied, np.nan)
        noise = jackknife_variance(np.log(varied))
        good = self._good(seen, noise)
        self._outputs = np.flatnonzero(good.sum(axis=0) >= tuning.TAIL_LEAST_POINTS)
        good, noise = good[:, self._outputs], noise[:, self._outputs]
        self._edge = edge = self._grid[np.argmax(good, axis=0)]
        good &= self._grid[:, None] <= edge + np.log(tuning.TAIL_RANGE)
        self._top = self._grid[-1 - np.argmax(good[::-1], axis=0)]
        weights = np.where(good, 1.0 / np.sqrt(noise + tuning.TAIL_NOISE_FLOOR**2), 0.0)
        curves = np.concatenate([seen[None], varied])[:, :, self._outputs]
        curves = np.moveaxis(np.where(good, curves, 1.0), 1, -1)
        # One abscissa for all outputs: b is that of the grid's beginning, and then of each edge.
        flat = curves.reshape(-1, _POINTS)
        law = fit_power_law(
            np.exp(self._grid[0] - self._grid),
            flat,
            np.broadcast_to(weights.T, curves.shape).reshape(flat.shape),
        )
        a, b, c = (part.reshape(curves.shape[:-1]) for part in law)
        self._law = PowerLaw(a, b * np.exp((edge - self._grid[0]) * c), c)
        slopes = {at: self._slope_above(at) for at in np.unique(edge)}
        self._slope = np.array([slopes[at] for at in edge])

    def _good(self, seen: FloatArray, noise: FloatArray) -> NDArray[np.bool_]:
        """Return where curves are known beyond noise, shape (_POINTS, t)."""
        some_df = self._log_df1 > self._log_df1.max() + np.log(tuning.TAIL_LEAST_DF_SHARE)
        good = (seen > 0) & (noise < tuning.TAIL_NOISE**2) & some_df[:, None]
        # An island of little noise further down is an accident: down to the first gap only.
        above = np.cumsum(good[::-1], axis=0)[::-1]
        gap = ~good & (above > 0)
        return np.asarray(good & ~np.logical_or.accumulate(gap[::-1])[::-1])

    def _slope_above(self, edge: float) -> float:
        """Return the slope of log df1 in the decade above."""
        near = (self._grid >= edge) & (self._grid <= edge + np.log(10.0))
        return float(np.polyfit(self._grid[near], self._log_df1[near], 1)[0])

    def growth(
        self, log_at_n0: FloatArray, varied_at_n0: FloatArray, rows: FloatArray, alpha: FloatArray
    ) -> Growth:
        """Return log R(n)/R(n₀) of some cells, NaN where κ is larger than the fit reaches.

        Parameters
        ----------
        log_at_n0 : ndarray of shape (cells, t)
            Log error at n₀.
        varied_at_n0 : ndarray of shape (B, cells, t)
            The replicates' log errors at n₀.
        rows, alpha : ndarray of shape (cells,)
            Numbers of samples, less one with an intercept, and regularisations.
        """
        ratio, variance = np.full(log_at_n0.shape, np.nan), np.full(log_at_n0.shape, np.inf)
        some, rows = self._outputs, rows[:, None]
        if not some.size:
            return Growth(ratio, variance)
        log_kappa, df2 = self._solve(rows, alpha[:, None])
        below = self._edge - log_kappa
        a, b, c = (part[:, None] for part in self._law)
        moment = a + b * np.exp(np.clip(below, self._edge - self._top, 300.0) * -c)
        log_error = np.log(np.maximum(moment, 1e-300)) - np.log1p(-df2 / rows)
        deviations = log_error[1:] - varied_at_n0[:, :, some]
        drift = tuning.TAIL_DRIFT * np.maximum(below, 0.0)
        noise = jackknife_variance(deviations) + np.square(drift) + tuning.TAIL_NOISE_FLOOR**2
        # Above the points of the fit the training set shows what the law does not know.
        sound = (df2 < tuning.TAIL_MOST_DF_RATIO * rows) & (log_kappa <= self._top)
        found = np.where(sound, log_error[0] - log_at_n0[:, some], np.nan)
        ratio[:, some] = found
        variance[:, some] = np.where(np.isfinite(found), noise, np.inf)
        return Growth(ratio, variance)

    def _solve(self, rows: FloatArray, alpha: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Solve alpha = κ(n - df1(κ)); log κ and df2, of shape (cells, outputs)."""
        inside = self._solve_inside(rows, alpha)
        x = np.where(inside >= self._edge, inside, self._solve_below(rows, alpha))
        step = 0.05
        df1, more, less = (self._df1_at(at) for at in (x, x + step, x - step))
        return x, df1 + (more - less) / (2.0 * step)

    def _df1_at(self, x: FloatArray) -> FloatArray:
        inside = np.interp(x, self._grid, self._log_df1)
        return np.exp(np.where(x >= self._edge, inside, self._line(x)))

    def _line(self, x: FloatArray) -> FloatArray:
        """Return log df1 below the edges."""
        start = np.interp(self._edge, self._grid, self._log_df1)
        return start + self._slope * (x - self._edge)

    def _solve_inside(self, rows: FloatArray, alpha: FloatArray) -> FloatArray:
        """Return log κ where it is above the edge, by bisection: the same for all outputs."""
        low = np.log(np.maximum(alpha, 1e-300) / rows)  # κ is never below alpha/n
        high = np.maximum(low, self._grid[-1]) + 1.0
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            df1 = np.exp(np.interp(middle, self._grid, self._log_df1))
            short = np.exp(middle) * (rows - df1) < alpha
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        return 0.5 * (low + high)

    def _solve_below(self, rows: FloatArray, alpha: FloatArray) -> FloatArray:
        """Return log κ where it is below the edge, by Newton's method.

        n - df1 - alpha/κ rises with log κ and is concave, so that from the left, where neither of
        the two terms is more than n, the steps go up to its zero and not past it.
        """
        at_edge = np.exp(self._line(self._edge))
        full = self._edge - np.log(rows / at_edge) / np.maximum(-self._slope, 1e-12)
        x = least = np.maximum(np.log(np.maximum(alpha, 1e-300) / rows), full)
        for _ in range(_NEWTON):
            df1, of_alpha = np.exp(self._line(x)), alpha * np.exp(-x)
            rise = of_alpha - self._slope * df1
            step = (rows - df1 - of_alpha) / np.maximum(rise, 1e-300)
            x = np.maximum(x - step, least)
            if np.all(np.abs(step) < 1e-13 * np.maximum(np.abs(x), 1.0)):
                break
        return x
