"""The tail of many outputs at once, against one output and one cell at a time."""

import numpy as np
import pytest
from samples import LinearPopulation, power_law

from sk_deepfeat.theory import leave_one_out_curves, ridge_factorization
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.bias_and_noise import bias_and_noise_along_kappa
from sk_deepfeat.theory.one_sample.functional_tail import FunctionalTail
from sk_deepfeat.theory.one_sample.jackknife import JackknifeReplicates, jackknife_variance
from sk_deepfeat.theory.one_sample.power_law import fit_power_law

P, T = 200, 6
POPULATION = LinearPopulation(
    power_law(P, 0.6), np.random.default_rng(7).normal(size=P) * power_law(P, 0.3), 0.7
)


def growth_one_by_one(curve, replicates, log_at_n0, varied_at_n0, rows, alpha):
    log_kappa, moment = bias_and_noise_along_kappa(curve)
    grid = np.linspace(log_kappa[0], log_kappa[-1], 120)
    log_df1 = np.log(curve.df1_at(np.exp(grid)))
    others = [bias_and_noise_along_kappa(other) for other in replicates.curves]
    ratio, variance = np.full(log_at_n0.shape, np.nan), np.full(log_at_n0.shape, np.inf)
    for k in range(moment.shape[1]):
        seen = np.interp(grid, log_kappa, moment[:, k])
        varied = np.array([np.interp(grid, x, m[:, k], left=np.nan) for x, m in others])
        varied = np.where(varied > 0, varied, np.nan)
        noise = jackknife_variance(np.log(varied))
        good = (seen > 0) & (noise < tuning.TAIL_NOISE**2)
        good &= log_df1 > log_df1.max() + np.log(tuning.TAIL_LEAST_DF_SHARE)
        known = np.flatnonzero(good)
        gaps = np.flatnonzero(np.diff(known) > 1)
        good[: known[gaps[-1] + 1] if gaps.size else 0] = False
        if good.sum() < tuning.TAIL_LEAST_POINTS:
            continue
        edge = grid[good][0]
        good &= grid <= edge + np.log(tuning.TAIL_RANGE)
        weights = 1.0 / np.sqrt(noise[good] + tuning.TAIL_NOISE_FLOOR**2)
        curves = np.vstack([seen[good], varied[:, good]])
        law = fit_power_law(np.exp(edge - grid[good]), curves, np.tile(weights, (len(curves), 1)))
        near = (grid >= edge) & (grid <= edge + np.log(10.0))
        slope = np.polyfit(grid[near], log_df1[near], 1)[0]
        start = np.interp(edge, grid, log_df1)

        def df1_at(x, edge=edge, slope=slope, start=start):
            known = np.interp(x, grid, log_df1)
            return np.exp(known if x >= edge else start + slope * (x - edge))

        for cell, (n, a) in enumerate(zip(rows, alpha, strict=True)):
            low = np.log(max(a, 1e-300) / n)
            high = max(low, grid[-1]) + 1.0
            for _ in range(80):
                middle = 0.5 * (low + high)
                if np.exp(middle) * (n - df1_at(middle)) < a:
                    low = middle
                else:
                    high = middle
            x = 0.5 * (low + high)
            df1 = df1_at(x)
            df2 = df1 + (df1_at(x + 0.05) - df1_at(x - 0.05)) / 0.1
            if x > grid[good][-1] or df2 >= tuning.TAIL_MOST_DF_RATIO * n:
                continue
            errors = law.at(np.exp(min(edge - x, 300.0))) / (1.0 - df2 / n)
            logs = np.log(np.maximum(errors, 1e-300))
            drift = tuning.TAIL_DRIFT * max(edge - x, 0.0)
            noise = jackknife_variance(logs[1:] - varied_at_n0[:, cell, k])
            ratio[cell, k] = logs[0] - log_at_n0[cell, k]
            if np.isfinite(ratio[cell, k]):
                variance[cell, k] = noise + drift**2 + tuning.TAIL_NOISE_FLOOR**2
    return ratio, variance


@pytest.mark.parametrize("n0", [60, 150, 400])
def test_agrees_with_one_output_and_one_cell_at_a_time(n0):
    rng = np.random.default_rng(0)
    X, y = POPULATION.sample(n0, 0, T)
    y[:, 1] = X @ POPULATION.coefs
    y[:, 2] = rng.normal(size=n0)
    y[:, 3] = 0.0
    curve, replicates = leave_one_out_curves(ridge_factorization(X, y))
    replicates = JackknifeReplicates(replicates, fit_intercept=True, n_outputs=T)
    rows, alpha = (
        part.ravel()
        for part in np.meshgrid(
            n0 * np.array([1.01, 2.0, 9.0, 1e3]), [0.0, 1e-9, 1e-3, 0.3, 20.0, 1e5]
        )
    )
    log_at_n0 = rng.normal(size=(rows.size, T))
    log_at_n0[0, 0] = -np.inf
    varied_at_n0 = log_at_n0 + 0.1 * rng.normal(size=(len(replicates.curves), rows.size, T))
    asked = curve, replicates, log_at_n0, varied_at_n0, rows, alpha
    expected = growth_one_by_one(*asked)
    found = FunctionalTail(curve, replicates).growth(*asked[2:])
    known = np.isfinite(expected[0])
    assert known[:, 0].any() and not known.all() and not known[:, 3].any()
    np.testing.assert_allclose(found.log_ratio, expected[0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.variance, expected[1], rtol=1e-9)
