"""The population's functionals below the κ at which a training set shows noise alone.

From that κ down, log df1 goes on linearly in log κ, with the slope of the decade above, and squared
bias with noise as a + b κ^c, fitted over two decades and a half by the jackknife's weights. The
error is then (B + σ²)/(1 - df2/n), of equal leverages, at the κ with alpha = κ(n - df1).
"""

from __future__ import annotations

import numpy as np

from sk_deepfeat.theory.one_sample.evaluation import unexplained_moment_along_kappa
from sk_deepfeat.theory.one_sample.growth import Growth
from sk_deepfeat.theory.one_sample.jackknife import JackknifeReplicates, jackknife_variance
from sk_deepfeat.theory.one_sample.kappa_curve import TransferCurve
from sk_deepfeat.theory.one_sample.power_law import PowerLaw, fit_power_law
from sk_deepfeat.theory.validation import FloatArray

_POINTS, _LEAST_POINTS, _BISECTIONS = 120, 6, 80
_MOST_FREEDOM = 0.8
# Noise beyond which a functional is left out; relative errors that no noise shows, in all and for
# each unit of log κ continued.
_POOR, _LEAST_NOISE, _DRIFT = 0.25, 0.02, 0.2
_RANGE, _LEAST_SHARE = np.log(300.0), np.log(0.02)


class FunctionalTail:
    """Functionals of one training set, continued; each output from an edge of its own.

    Parameters
    ----------
    curve : TransferCurve
        Of the training set, with some direction.
    replicates : JackknifeReplicates
        Of the same.
    """

    def __init__(self, curve: TransferCurve, replicates: JackknifeReplicates) -> None:
        log_kappa, moment = unexplained_moment_along_kappa(curve)
        self._grid = np.linspace(log_kappa[0], log_kappa[-1], _POINTS)
        self._log_df1 = np.interp(self._grid, np.log(curve.kappa), np.log(curve.df1))
        others = [unexplained_moment_along_kappa(other) for other in replicates.curves]
        self._outputs: list[tuple[float, float, PowerLaw] | None] = []
        for k in range(moment.shape[1]):
            own = np.interp(self._grid, log_kappa, moment[:, k])
            varied = [np.interp(self._grid, x, m[:, k], left=np.nan) for x, m in others]
            self._outputs.append(self._fit(own, np.array(varied)))

    def _fit(self, own: FloatArray, varied: FloatArray) -> tuple[float, float, PowerLaw] | None:
        """Return the edge, the slope of log df1 there, and laws of the curve and its replicates."""
        varied = np.where(varied > 0, varied, np.nan)
        noise = jackknife_variance(np.log(varied))
        seen = self._log_df1 > self._log_df1.max() + _LEAST_SHARE
        good = (own > 0) & (noise < _POOR**2) & seen
        # An island of little noise further down is an accident: down to the first gap only.
        known = np.flatnonzero(good)
        gaps = np.flatnonzero(np.diff(known) > 1)
        good[: known[gaps[-1] + 1] if gaps.size else 0] = False
        if np.count_nonzero(good) < _LEAST_POINTS:
            return None
        edge = float(self._grid[good][0])
        good &= self._grid <= edge + _RANGE
        weights = 1.0 / np.sqrt(noise[good] + _LEAST_NOISE**2)
        curves = np.vstack([own[good], varied[:, good]])
        law = fit_power_law(
            np.exp(edge - self._grid[good]), curves, np.broadcast_to(weights, curves.shape)
        )
        near = (self._grid >= edge) & (self._grid <= edge + np.log(10.0))
        return edge, float(np.polyfit(self._grid[near], self._log_df1[near], 1)[0]), law

    def growth(
        self, log_own: FloatArray, own_values: FloatArray, rows: FloatArray, alpha: FloatArray
    ) -> Growth:
        """Return log R(n)/R(n₀) of some cells.

        Parameters
        ----------
        log_own : ndarray of shape (cells, t)
            Log error at n₀.
        own_values : ndarray of shape (B, cells, t)
            The replicates' log errors at n₀.
        rows, alpha : ndarray of shape (cells,)
            Numbers of samples, less one with an intercept, and regularisations.
        """
        ratio, variance = np.full(log_own.shape, np.nan), np.full(log_own.shape, np.inf)
        for k, fitted in enumerate(self._outputs):
            if fitted is None:
                continue
            edge, slope, law = fitted
            log_kappa, df1, df2 = self._solve(edge, slope, rows, alpha)
            moment = law.at(np.exp(np.minimum(edge - log_kappa, 300.0))[:, None]).T
            with np.errstate(invalid="ignore", divide="ignore"):
                log_error = np.log(np.maximum(moment, 1e-300)) - np.log1p(-df2 / rows)
                deviations = log_error[1:] - own_values[:, :, k]
            drift = _DRIFT * np.maximum(edge - log_kappa, 0.0)
            spread = jackknife_variance(deviations) + np.square(drift) + _LEAST_NOISE**2
            # Degrees of freedom that come near n are the continuation's, not the population's.
            sound = (df1 <= rows * (1.0 + 1e-9)) & (df2 < _MOST_FREEDOM * rows)
            ratio[:, k] = np.where(sound, log_error[0] - log_own[:, k], np.nan)
            variance[:, k] = np.where(np.isfinite(ratio[:, k]), spread, np.inf)
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
