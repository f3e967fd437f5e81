"""A curve asked by κ or by df1/n, against the closed forms of generalised cross-validation."""

import pickle

import numpy as np
import pytest
from samples import LinearPopulation, power_law
from scipy.optimize import brentq

from sk_deepfeat.theory import gcv_curve, leave_one_out_curve, ridge_factorization
from sk_deepfeat.theory.one_sample.bias_and_noise import rising_estimate
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.kappa_curve import ascending
from sk_deepfeat.theory.one_sample.nodes import NodesOfStack, nodes_at

P, ROWS = 60, 200
POPULATION = LinearPopulation(power_law(P, 0.5), np.random.default_rng(7).normal(size=P), 0.5)


class Closed:
    """The same from the eigenvalues, at any ridge on the training rows."""

    def __init__(self, fit_intercept):
        self.path = ridge_factorization(*POPULATION.sample(ROWS, 0, 2), fit_intercept=fit_intercept)
        self.lam, self.N = self.path.eigenvalues, ROWS - fit_intercept

    def df1(self, ridge):
        return np.sum(self.lam / (self.lam + ridge))

    def kappa(self, ridge):
        return ridge / (self.N - self.df1(ridge))

    def df2(self, ridge):
        f = self.df1(ridge)
        slope = -np.sum(self.lam * ridge / np.square(self.lam + ridge))
        return f + slope / (1.0 + slope / (self.N - f))

    def moment(self, ridge):
        """Mean over outputs of squared bias and noise."""
        X, Y = self.path.features.whole(), self.path.targets
        fitted = X @ np.linalg.solve(X.T @ X + ridge * np.eye(P), X.T @ Y)
        residual = np.mean(np.sum(np.square(Y - fitted), axis=0)) / self.N
        return residual / (1.0 - self.df1(ridge) / self.N) ** 2 * (1.0 - self.df2(ridge) / self.N)

    def ridge_of_df1(self, df1):
        return np.exp(brentq(lambda x: self.df1(np.exp(x)) - df1, -40.0, 40.0))


@pytest.fixture(scope="module", params=[False, True])
def both(request):
    closed = Closed(request.param)
    return closed, CurveEvaluator(gcv_curve(closed.path), fit_intercept=request.param)


@pytest.mark.parametrize("n", [40, 90, 1000])
def test_alpha_and_errors_along_kappa(both, n):
    closed, evaluator = both
    rows = n - evaluator.fit_intercept
    ridges = np.array([closed.ridge_of_df1(df1) for df1 in (35.0, 25.0, 12.0, 2.0)])
    found = evaluator.along_kappa(float(n), np.array([closed.kappa(r) for r in ridges]))
    for k, ridge in enumerate(ridges):
        alpha = closed.kappa(ridge) * (rows - closed.df1(ridge))
        moment, variance = closed.moment(ridge), 1.0 - closed.df2(ridge) / rows
        error = moment / variance * (1.0 + 1.0 / n if evaluator.fit_intercept else 1.0)
        np.testing.assert_allclose(found.alpha[k], alpha, rtol=2e-3)
        np.testing.assert_allclose(found.test_error[k], error, rtol=2e-3)
        np.testing.assert_allclose(found.bias_and_noise[k], moment, rtol=2e-3)


def test_what_so_many_rows_do_not_reach_is_unknown(both):
    closed, evaluator = both
    end = evaluator.curve.kappa[-1]
    (first,) = evaluator.kappas_near_end(40.0, np.empty(0))
    lowest = closed.kappa(closed.ridge_of_df1(39.0 if evaluator.fit_intercept else 40.0))
    assert first == pytest.approx(lowest, rel=1e-3)
    assert first == nodes_at(evaluator.curve, 40.0 - evaluator.fit_intercept).kappa[0]
    asked = np.array([first * (1.0 - 1e-6), first, end, end * (1.0 + 1e-6)])
    for part in evaluator.along_kappa(40.0, asked):
        np.testing.assert_array_equal(np.isnan(part), [True, False, False, True])
    few = 1e-9 + evaluator.fit_intercept
    of_nobody = evaluator.along_kappa(few, asked)
    assert all(part.shape == (4,) and np.isnan(part).all() for part in of_nobody)
    assert evaluator.kappas_near_end(few, np.array([0.5])).shape == (0,)
    np.testing.assert_array_equal(evaluator.amplification(few, np.ones(3)), 1.0)


@pytest.mark.parametrize("n", [40, 300])
def test_kappas_near_the_end_have_shares_of_the_largest_df1(both, n):
    closed, evaluator = both
    shares = np.array([0.99, 0.9, 0.5, 0.01])
    end, *others = evaluator.kappas_near_end(float(n), shares)
    most = min(n - evaluator.fit_intercept, P)
    assert end < closed.kappa(closed.ridge_of_df1(0.9999 * most))
    expected = [closed.kappa(closed.ridge_of_df1(share * most)) for share in shares]
    np.testing.assert_allclose(others, expected, rtol=2e-3)


@pytest.mark.parametrize("n", [40, 150])
def test_alphas_and_df_ratios_are_each_other_s_inverse(both, n):
    closed, evaluator = both
    rows = n - evaluator.fit_intercept
    ratios = np.array([0.02, 0.1, 0.3])
    ridges = [closed.ridge_of_df1(ratio * rows) for ratio in ratios]
    alpha = np.array([closed.kappa(r) * (rows - closed.df1(r)) for r in ridges])
    np.testing.assert_allclose(evaluator.alpha_at_df_ratio(n, ratios), alpha, rtol=2e-3)
    np.testing.assert_allclose(evaluator.df_ratio_at_alpha(n, alpha), ratios, rtol=2e-3)
    assert evaluator.alpha_at_df_ratio(n, 0.1).shape == ()
    ends = evaluator.df_ratio_at_alpha(n, np.array([1e-30, 1e30]))
    np.testing.assert_allclose(ends, [min(rows, P) / rows, 0.0], atol=1e-4)
    lowest = evaluator.lowest_alpha(n)
    at, below, above = evaluator.df_ratio_at_alpha(n, lowest * np.array([1.0, 1e-3, 2.0]))
    assert at == below > above > 0.99 * at


def test_amplification_is_that_of_df1(both):
    closed, evaluator = both
    ridges = [closed.ridge_of_df1(df1) for df1 in (5.0, 20.0, 35.0)]
    for n in (50, 400):
        expected = [closed.df2(ridge) / (n - evaluator.fit_intercept) for ridge in ridges]
        found = evaluator.amplification(float(n), np.array([5.0, 20.0, 35.0]))
        np.testing.assert_allclose(found, expected, rtol=2e-3)


def test_between_its_points_a_curve_is_a_line_over_log_kappa(both):
    """Of the logarithm of df1, and of the two kinds of noise themselves; constant beyond."""
    curve = leave_one_out_curve(both[0].path)
    curve = curve._replace(scale_noise=0.01 * np.cos(np.arange(curve.kappa.size)) ** 2)
    share = np.linspace(0.1, 0.9, curve.kappa.size - 1)
    between = curve.kappa[:-1] ** (1.0 - share) * curve.kappa[1:] ** share

    def line(values):
        return (1.0 - share) * values[:-1] + share * values[1:]

    np.testing.assert_allclose(curve.df1_at(between), np.exp(line(np.log(curve.df1))))
    for at, values in (
        (curve.shared_noise_at, curve.shared_noise),
        (curve.scale_noise_at, curve.scale_noise),
    ):
        assert np.ptp(values) > 0
        np.testing.assert_allclose(at(between), line(values), rtol=1e-9, atol=1e-14)
        ends = curve.kappa[[0, 0, -1, -1]] * [0.0, 0.5, 2.0, np.inf]
        np.testing.assert_allclose(at(ends), values[[0, 0, -1, -1]])
    assert curve.df1_at(0.0) == pytest.approx(curve.df1[0])
    assert curve.df1_at(np.inf) == pytest.approx(curve.df1[-1])


@pytest.mark.parametrize("n", [20, 50, 59, 90, 200, 3000])
def test_training_error_is_the_square_of_what_a_ridge_leaves(both, n):
    """Of rows of equal leverage: (alpha/(n κ))² R, down to a ridge of nothing."""
    _, evaluator = both
    rows = n - evaluator.fit_intercept
    alpha = np.geomspace(1e-9, 1e6, 61)
    found = evaluator.risk(np.full(61, float(n)), alpha)
    with_mean = (1.0 - 1.0 / n) / (1.0 + 1.0 / n) if evaluator.fit_intercept else 1.0
    left = np.square(alpha / (rows * found.kappa))[:, None]
    np.testing.assert_allclose(found.train_error, left * found.test_error * with_mean, rtol=1e-3)


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_cells_asked_together_are_those_asked_alone(fit_intercept):
    """Few rows: squared bias and noise are made to rise, and single rows learn nothing."""
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(12, 8)), rng.normal(size=(12, 2))
    path = ridge_factorization(X, X[:, :2] + Y, fit_intercept=fit_intercept)
    evaluator = CurveEvaluator(leave_one_out_curve(path), fit_intercept=fit_intercept)
    size = len(pickle.dumps(evaluator))
    n, alpha = (
        part.ravel() for part in np.meshgrid([1.0, 5.0, 12.0, 40.0], np.geomspace(1e-6, 1e4, 9))
    )
    together = evaluator.risk(n, alpha)
    for cell in range(n.size):
        alone = CurveEvaluator(evaluator.curve, fit_intercept=fit_intercept)
        one = alone.risk(n[cell : cell + 1], alpha[cell : cell + 1])
        for mine, other in zip(together, one, strict=True):
            np.testing.assert_allclose(mine[cell], other[0], rtol=1e-9)
    assert len(pickle.dumps(evaluator)) < 1.1 * size, "what it has made does not travel"
    again = pickle.loads(pickle.dumps(evaluator)).risk(n, alpha)
    np.testing.assert_array_equal(again.bias_and_noise, together.bias_and_noise)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("p", [8, 400])
def test_squared_bias_and_noise_at_the_nodes_are_the_rising_estimate(p, fit_intercept):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(12, p))
    path = ridge_factorization(X, X[:, 0] + rng.normal(size=12), fit_intercept=fit_intercept)
    curve = leave_one_out_curve(path)
    nodes = nodes_at(curve, float(curve.n_effective))
    expected = rising_estimate(nodes, curve.n_effective)
    assert np.any(expected != nodes.bias_and_noise)
    evaluator = CurveEvaluator(curve, fit_intercept=fit_intercept)
    for n in (12.0, 40.0):
        here = nodes_at(curve, n - fit_intercept)
        found = evaluator.risk(np.full(here.alpha.size, n), here.alpha)
        at = np.searchsorted(nodes.kappa, here.kappa * (1.0 - 1e-12))
        bounded = np.clip(expected[at], 0.0, found.test_error)
        np.testing.assert_allclose(found.bias_and_noise, bounded, rtol=1e-9)


def test_numbers_of_rows_without_nodes_are_counted_where_others_are_impossible(both):
    curve = both[1].curve
    error = curve.error.copy()
    error[50] = np.nan
    stack = NodesOfStack([curve._replace(error=error, leverage_weighted_error=error)])
    rows = np.array([1e-12, 100.0, 1e-12])
    nodes, sizes = stack.seen_from(rows)
    assert nodes.train_error.shape == nodes.test_error.shape
    alone, size = NodesOfStack([curve]).seen_from(rows[1:2])
    np.testing.assert_array_equal(sizes, [0, size[0] - 1, 0])
    np.testing.assert_array_equal(nodes.alpha, np.delete(alone.alpha, 50))


def test_points_that_do_not_rise_are_left_out(both):
    curve = both[1].curve
    curve = curve._replace(sample_factor=curve.error[:, 0])
    kappa = curve.kappa.copy()
    kappa[0], kappa[10], kappa[20], kappa[30] = 0.0, kappa[9], kappa[19] * (1 + 1e-10), np.nan
    kappa[40:43] = kappa[[5, 6, 38]]
    gone = [0, 10, 20, 30, 40, 41, 42]
    found = ascending(curve._replace(kappa=kappa))
    for name in (*curve._fields[:8], "training_error", "shared_noise", "sample_factor"):
        np.testing.assert_array_equal(
            getattr(found, name), np.delete(getattr(curve, name), gone, axis=0)
        )
    assert found.scale_noise.shape == found.kappa.shape
    assert ascending(curve) is curve
    unknown = ascending(curve._replace(kappa=np.full(kappa.size, np.nan)))
    assert np.all(np.diff(unknown.kappa) > 0) and np.isnan(unknown.error).all()
