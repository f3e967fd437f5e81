"""The population's functionals below the κ at which a training set shows noise alone.

A cell (n, alpha) beyond reach meets the population at a κ that the training set does not show, or
shows as noise. From the lowest κ that is not noise, the edge, two functionals are continued. The
logarithm of df1 goes on linearly in log κ, with the slope of the decade above the edge; squared
bias with noise goes on as a + b κ^c, fitted above the edge by the jackknife's weights. The error
there is then that of rows of equal leverage, (B + σ²)/(1 - df2/n), at the κ with
alpha = κ(n - df1).
"""

from __future__ import annotations

import numpy as np

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.bias_and_noise import bias_and_noise_along_kappa
from sk_deepfeat.theory.one_sample.growth import Growth
from sk_deepfeat.theory.one_sample.jackknife import JackknifeReplicates, jackknife_variance
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve
from sk_deepfeat.theory.one_sample.power_law import PowerLaw, fit_power_law
from sk_deepfeat.theory.validation import FloatArray

_POINTS, _BISECTIONS = 120, 80


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
        others = [bias_and_noise_along_kappa(other) for other in replicates.curves]
        self._outputs: list[tuple[float, float, PowerLaw] | None] = []
        for k in range(moment.shape[1]):
            seen = np.interp(self._grid, log_kappa, moment[:, k])
            varied = [np.interp(self._grid, x, m[:, k], left=np.nan) for x, m in others]
            self._outputs.append(self._fit(seen, np.array(varied)))

    def _fit(self, seen: FloatArray, varied: FloatArray) -> tuple[float, float, PowerLaw] | None:
        """Return the edge, the slope of log df1 there, and laws of the curve and its replicates."""
        varied = np.where(varied > 0, varied, np.nan)
        noise = jackknife_variance(np.log(varied))
        some_df = self._log_df1 > self._log_df1.max() + np.log(tuning.TAIL_LEAST_DF_SHARE)
        good = (seen > 0) & (noise < tuning.TAIL_NOISE**2) & some_df
        # An island of little noise further down is an accident: down to the first gap only.
        known = np.flatnonzero(good)
        gaps = np.flatnonzero(np.diff(known) > 1)
        good[: known[gaps[-1] + 1] if gaps.size else 0] = False
        if np.count_nonzero(good) < tuning.TAIL_LEAST_POINTS:
            return None
        edge = float(self._grid[good][0])
        good &= self._grid <= edge + np.log(tuning.TAIL_RANGE)
        weights = 1.0 / np.sqrt(noise[good] + tuning.TAIL_NOISE_FLOOR**2)
        curves = np.vstack([seen[good], varied[:, good]])
        law = fit_power_law(
            np.exp(edge - self._grid[good]), curves, np.broadcast_to(weights, curves.shape)
        )
        near = (self._grid >= edge) & (self._grid <= edge + np.log(10.0))
        return edge, float(np.polyfit(self._grid[near], self._log_df1[near], 1)[0]), law

    def growth(
        self, log_at_n0: FloatArray, varied_at_n0: FloatArray, rows: FloatArray, alpha: FloatArray
    ) -> Growth:
        """Return log R(n)/R(n₀) of some cells.

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
        for k, fitted in enumerate(self._outputs):
            if fitted is None:
                continue
            edge, slope, law = fitted
            log_kappa, df1, df2 = self._solve(edge, slope, rows, alpha)
            moment = law.at(np.exp(np.minimum(edge - log_kappa, 300.0))[:, None]).T
            with np.errstate(invalid="ignore", divide="ignore"):
                log_error = np.log(np.maximum(moment, 1e-300)) - np.log1p(-df2 / rows)
                deviations = log_error[1:] - varied_at_n0[:, :, k]
            drift = tuning.TAIL_DRIFT * np.maximum(edge - log_kappa, 0.0)
            noise = jackknife_variance(deviations) + np.square(drift) + tuning.TAIL_NOISE_FLOOR**2
            sound = (df1 <= rows * (1.0 + 1e-9)) & (df2 < tuning.TAIL_MOST_DF_RATIO * rows)
            ratio[:, k] = np.where(sound, log_error[0] - log_at_n0[:, k], np.nan)
            variance[:, k] = np.where(np.isfinite(ratio[:, k]), noise, np.inf)
        return Growth(ratio, variance)

    def _solve(
        self, edge: float, slope: float, rows: FloatArray, alpha: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Solve alpha = κ(n - df1(κ)) by bisection; log κ, df1, df2."""
        start = np.interp(edge, self._grid, self._log_df1)

        def df1_at(x: FloatArray) -> FloatArray:
            inside = np.interp(x, self._grid, self._log_df1)
            return np.exp(np.where(x >= edge, inside, start + slope * (x - edge)))

        low = np.log(np.maximum(alpha, 1e-300) / rows)  # κ is never below alpha/n
        high = np.maximum(low, self._grid[-1]) + 1.0
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            short = np.exp(middle) * (rows - df1_at(middle)) < alpha
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        x, step = 0.5 * (low + high), 0.05
        df1 = df1_at(x)
        return x, df1, df1 + (df1_at(x + step) - df1_at(x - step)) / (2.0 * step)
