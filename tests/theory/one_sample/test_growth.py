from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from samples import LinearPopulation, clustered_rows, power_law

from sk_deepfeat.populations import LeaveOneOutPopulation
from sk_deepfeat.theory import (
    ErrorSurface,
    calibrate,
    curve_risk,
    leave_one_out_curves,
    leave_one_out_residuals,
    ridge_factorization,
    ridge_risk,
)
from sk_deepfeat.theory.one_sample import growth
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.growth import Growth, average, power_law_growth
from sk_deepfeat.theory.one_sample.growth_misses import growth_misses
from sk_deepfeat.theory.one_sample.jackknife import jackknife_variance
from sk_deepfeat.theory.one_sample.measured_surface import MeasuredSurface
from sk_deepfeat.theory.one_sample.power_law import fit_power_law

P = 400
POPULATION = LinearPopulation(
    power_law(P, 0.6), np.random.default_rng(7).normal(size=P) * power_law(P, 0.3), np.sqrt(0.5)
)
CLUSTERS = replace(POPULATION, rows=partial(clustered_rows, n_clusters=60))


def surface(n0, seed=0, population=POPULATION, calibrated=True, outputs=None):
    path = ridge_factorization(*population.sample(n0, seed, outputs))
    curve, replicates = leave_one_out_curves(path)
    calibration = calibrate(path, curve) if calibrated else None
    misses = None
    if calibrated and calibration.disagreement > 0:
        misses = growth_misses(calibration, curve, fit_intercept=True)
    return path, ErrorSurface(curve, replicates, n0, True, calibration, misses=misses)


def exact(n, alpha):
    return ridge_risk(*POPULATION.moments(), n, alpha, fit_intercept=True).test_error


def ask(found, n, alpha, extrapolate=True):
    n, alpha = np.broadcast_arrays(np.asarray(n, float), np.asarray(alpha, float))
    return found.answer(n, alpha, extrapolate=extrapolate, variance=True)


def errors_of(found, n, alpha):
    return curve_risk(found.curve, n, alpha, fit_intercept=True).test_error


def test_is_the_leave_one_out_error_at_the_training_size():
    path, found = surface(150)
    for alpha in (0.01, 1.0, 10.0):
        expected = np.mean(leave_one_out_residuals(path, alpha) ** 2)
        assert ask(found, [150], alpha).error.item() == pytest.approx(expected, rel=1e-4)


def test_is_continuous_at_the_training_size():
    _, found = surface(150)
    alpha = np.array([1e-3, 0.1, 1.0, 10.0])
    at, beyond = (ask(found, np.full(4, n), alpha).error for n in (150.0, 150.01))
    np.testing.assert_allclose(at, beyond, rtol=2e-3)


@pytest.mark.parametrize("factor", [2, 5, 20])
def test_agrees_with_the_population_beyond_the_training_size(factor):
    """Within four standard errors anywhere; within 10 % on average where it is reachable."""
    n0, alpha = 300, np.array([0.1, 5.0, 15.0])
    n = np.full(3, float(n0 * factor))
    z, relative, reachable = [], [], []
    for seed in range(10):
        found = ask(surface(n0, seed)[1], n, alpha)
        deviation = np.log(found.error[:, 0] / exact(n, alpha))
        relative.append(deviation)
        reachable.append(found.reachable)
        z.append(deviation / np.sqrt(found.log_variance[:, 0]))
    assert np.abs(z).max() < 4.0 and np.mean(np.square(z)) < 2.0
    always = np.all(reachable, axis=0)
    assert always.sum() >= 2
    assert np.all(np.abs(np.mean(relative, axis=0)[always]) < 0.1)


def test_numbers_beyond_reach_are_asked_for():
    """p > n₀ and a tiny alpha: κ lies below what the sample shows."""
    _, found = surface(120)
    n, alpha = np.array([600.0, 3000.0]), np.array([1e-3, 1e-3])
    asked, plain = ask(found, n, alpha), ask(found, n, alpha, extrapolate=False)
    assert not asked.reachable.any() and not plain.reachable.any()
    assert np.isnan(plain.error).all() and np.isnan(plain.log_variance).all()
    assert np.all(np.isfinite(asked.error)) and np.all(asked.log_variance > 0.01)


def test_at_the_largest_alphas_nothing_is_learned_from_any_number_of_rows():
    """Far above all κ that the tail was fitted to, which it must leave to the theory."""
    path, found = surface(150)
    assert found.calibration.disagreement == 0.0, "there is a tail"
    n, alpha = np.full(4, 1500.0), np.array([1e6, 1e10, 1e100, 1e300])
    expected = np.var(path.targets, ddof=1) * (1.0 + 1.0 / 1500.0)
    np.testing.assert_allclose(ask(found, n, alpha).error[:, 0], expected, rtol=0.01)


def test_reach_does_not_depend_on_what_is_done_beyond_it():
    _, found = surface(120)
    n = np.repeat([150.0, 300.0, 1200.0], 7)
    alpha = np.tile(np.geomspace(1e-4, 100, 7), 3)
    asked, plain = ask(found, n, alpha), ask(found, n, alpha, extrapolate=False)
    np.testing.assert_array_equal(asked.reachable, plain.reachable)
    known = plain.reachable
    np.testing.assert_allclose(asked.error[known], plain.error[known], rtol=1e-12)
    assert known.any() and not known.all()


def test_bare_transfer_where_nothing_is_measured():
    _, found = surface(150, calibrated=False)
    n, alpha = np.array([40.0, 150.0, 450.0]), np.array([1.0, 1.0, 5.0])
    expected = curve_risk(found.curve, n, alpha, fit_intercept=True).test_error
    np.testing.assert_allclose(ask(found, n, alpha).error, expected, rtol=1e-10)


def test_interval_widens_beyond_the_training_size():
    _, found = surface(150)
    n = np.array([150.0, 300.0, 1500.0, 15_000.0])
    spread = ask(found, n, np.full(4, 1.0)).log_variance[:, 0]
    assert np.all(np.diff(spread) > 0)


def test_tail_is_left_to_data_that_pass_the_check():
    """Rows in clusters fail it: where the theory says nothing the power law answers alone."""
    n, alpha = np.array([3000.0]), np.array([1e-3])
    for population in (CLUSTERS, POPULATION):
        _, found = surface(300, population=population)
        assert (found.calibration.disagreement > 0) == (population is CLUSTERS)
        evaluator = CurveEvaluator(found.curve, fit_intercept=True)
        measured = MeasuredSurface(found.calibration, evaluator)
        knots = measured.knots(alpha, shrink=False)
        law = power_law_growth(measured.sizes, knots.log_error, knots.variance, n)
        asked = ask(found, n, alpha)
        expected = np.exp(knots.log_error[-1] + law.log_ratio)
        alone = np.isclose(asked.error, expected, rtol=1e-9).item()
        assert not asked.reachable.item() and alone == (population is CLUSTERS)


def test_a_theory_that_failed_is_trusted_as_far_as_it_would_have_grown_to_all_rows():
    """Its misses at the subsets' sizes, made one by one at an alpha that was measured."""
    _, found = surface(400, population=CLUSTERS)
    misses = found.misses
    assert np.all(np.diff(misses.log_alpha) > 0) and misses.drift.shape == (40, 1)
    place = np.searchsorted(misses.log_alpha, np.log(3.0))
    alpha = np.exp(misses.log_alpha[[place]])
    squares = []
    for at in found.calibration.sizes:
        if 0.2 * 400 <= at.size <= 0.8 * 400:
            columns = at.log_ratio, np.square(at.noise)
            c, variance = (np.interp(np.log(alpha), at.log_alpha, x[:, 0]).item() for x in columns)
            squares.append(max(c**2 - variance, 0.0) / np.log(400 / at.size) ** 2)
    assert len(squares) == 2
    at = misses.drift[place, 0]
    assert at == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-6)
    assert misses.drift_at(alpha).item() >= at
    asked = ask(found, [800.0], alpha)
    plain = ask(replace_misses(found, None), [800.0], alpha)
    assert asked.log_variance.item() > plain.log_variance.item()


def replace_misses(found, misses):
    return ErrorSurface(
        found.curve, found.replicates.curves, 400, True, found.calibration, misses=misses
    )


def test_average_weighs_by_inverse_variance():
    ways = [
        Growth(np.array([[1.0], [np.nan]]), np.array([[1.0], [np.inf]])),
        Growth(np.array([[2.0], [np.nan]]), np.array([[3.0], [np.inf]])),
    ]
    found = average(ways)
    assert found.log_ratio[0, 0] == pytest.approx(1.25)
    assert found.variance[0, 0] == pytest.approx(0.75 + 0.75 * 0.25**2 + 0.25 * 0.75**2)
    assert np.isnan(found.log_ratio[1, 0]) and np.isinf(found.variance[1, 0])


def test_several_outputs_are_answered_one_by_one():
    _, both = surface(150, outputs=2)
    assert ask(both, [100.0, 600.0], 1.0).error.shape == (2, 2)


def test_no_dent_where_a_power_law_misses_by_nothing():
    """Along alpha a miss changes its sign; that alone must not make its power law count."""
    rng = np.random.default_rng(1)
    X = 3.0 * rng.normal(size=(300, 100)) * np.arange(1, 101) ** -0.5
    y = X @ rng.normal(size=100) / 3.0 + 0.3 * rng.normal(size=300)
    population = LeaveOneOutPopulation().fit(X, y)
    errors = population.test_error(6000, np.geomspace(0.1, 1e4, 60), fit_intercept=True)
    # The bare transfer bends by 0.02, and the power laws alone had a dent of 0.15.
    assert np.nanmax(np.abs(np.diff(np.log(errors), 2))) < 0.06


def test_variance_up_to_the_training_size_adds_up():
    """What jackknife and rows say of the errors, the subsets' noise, the training sets' scatter.

    The rows count as far as the measurement does, the jackknife at n as far as the theory, that at
    n₀ on the way from the last size to it. The scatter is taken at the df1/N that this alpha leaves
    with n₀ rows, whatever n is; where residuals share more than that, what they share counts.
    """
    _, found = surface(200, population=CLUSTERS)
    n, alpha = np.array([30.0, 100.0, 190.0, 200.0]), np.array([0.3, 3.0, 0.3, 0.3])
    rows = np.full(4, 200.0)
    at_n, at_n0 = (jackknife_variance(found.replicates.log_errors(m, alpha)) for m in (n, rows))
    evaluator = CurveEvaluator(found.curve, fit_intercept=True)
    measured = MeasuredSurface(found.calibration, evaluator).errors(n, alpha)
    weight, share = measured.theory_weight, measured.at_n0_share
    of_rows = measured.row_variance + share * at_n0
    kappa = curve_risk(found.curve, rows, alpha, fit_intercept=True).kappa
    df_ratio = found.curve.df1_at(kappa) / found.curve.n_effective
    scatter = found.calibration.scatter_at(evaluator, 200, df_ratio)
    at_kappa = curve_risk(found.curve, n, alpha, fit_intercept=True).kappa
    shared = found.curve.shared_noise_at(np.maximum(at_kappa, kappa))[:, None]
    assert np.any(shared > scatter**2 / 200) and np.any(shared < scatter**2 / 200)
    expected = weight * at_n + (1 - weight) * of_rows + measured.variance
    expected += np.maximum(scatter**2 / 200, shared)
    np.testing.assert_allclose(ask(found, n, alpha).log_variance, expected, rtol=1e-10)
    assert np.all(weight < 1) and np.all(measured.variance[:3] > 1e-5) and np.all(scatter > 0)
    assert share[:, 0].tolist()[:2] == [0, 0] and 0 < share[2, 0] < 1 and share[3, 0] == 1


def test_a_search_is_told_of_the_noise_of_growth():
    """Beyond n₀ what a search minimises is two standard errors of the growth above the error."""
    _, found = surface(150)
    n, alpha = np.array([100.0, 150.0, 600.0, 600.0]), np.array([1.0, 1.0, 3.0, 30.0])
    answer = ask(found, n, alpha, extrapolate=False)
    raised = np.log(answer.cautious_error / answer.error)[:, 0]
    assert np.all(raised[:2] == 0.0) and np.all(raised[2:] > 0.01)
    assert raised[2] > raised[3], "a smaller alpha is the more uncertain"
    without = ask(found, np.full(4, 150.0), alpha).log_variance[:, 0]
    scatter = answer.log_variance[:, 0] - without
    np.testing.assert_allclose(raised[2:], 2.0 * np.sqrt(scatter[2:]), rtol=1e-6)


def test_noise_of_kappa_counts_by_what_it_does_to_the_error():
    """Two features: κ is uncertain by a tenth for each unit of log n, the error by far less."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    path = ridge_factorization(X, X @ [1.0, -1.0] + rng.normal(size=100))
    curve, replicates = leave_one_out_curves(path)
    found = ErrorSurface(curve, replicates, 100, True, calibrate(path, curve))
    n, alpha = (cells.ravel() for cells in np.meshgrid([200.0, 1000.0, 5000.0], [1.0, 10.0, 100.0]))
    answer = ask(found, n, alpha, extrapolate=False)
    assert answer.reachable.all() and np.all(answer.log_variance < 0.25**2)
    rows = curve_risk(curve, n, alpha, fit_intercept=True)
    noise = np.interp(rows.kappa, curve.kappa, curve.scale_noise) * np.log(n / 100.0)
    moved = [
        curve_risk(curve, n, alpha * np.exp(step), fit_intercept=True).test_error[:, 0]
        for step in (-noise, noise)  # df1 is small beside n: alpha and κ go together
    ]
    expected = np.abs(np.log(np.array(moved) / rows.test_error[:, 0])).max(axis=0)
    by_slope = found._kappa_noise(n, found._evaluator.risk(n, alpha))[:, 0]
    np.testing.assert_allclose(by_slope, expected, rtol=0.1, atol=2e-4)
    assert np.all(by_slope < 0.7 * noise)


def test_outputs_of_one_record_vary_as_their_replicates():
    _, found = surface(150, outputs=3)
    n, alpha = np.array([50.0, 150.0, 400.0]), np.full(3, 3.0)
    answer = ask(found, n, alpha)
    assert answer.deviations.shape == (len(found.replicates.curves), 3, 3)
    rows = np.minimum(n, 150.0)
    errors = found.replicates.log_errors(rows, alpha)
    for cell in range(3):
        together = np.corrcoef(errors[:, cell].T)
        z = answer.deviations[:, cell]
        np.testing.assert_allclose(z.T @ z, together, atol=1e-10)
    np.testing.assert_array_equal(answer.common_variance[:2], 0.0)
    assert np.all(answer.common_variance[2] > 0)
    assert np.all(answer.common_variance <= answer.log_variance)
    assert ask(surface(150)[1], n, alpha).deviations is None, "one varies with no other"


def test_few_rows_scatter_from_set_to_set_as_rows_usually_do():
    """Subsets of 15 rows of two features are too small to tell it; a part of the variance is it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(15, 2))
    path = ridge_factorization(X, X[:, 0] + rng.normal(size=15))
    curve, replicates = leave_one_out_curves(path, n_blocks=15)
    calibration = calibrate(path, curve)
    assert not calibration.sizes
    n, alpha = np.array([10.0, 15.0]), np.ones(2)
    variances = [
        ask(ErrorSurface(curve, replicates, 15, True, given), n, alpha).log_variance
        for given in (calibration, None)
    ]
    np.testing.assert_allclose(variances[0] - variances[1], 1.0 / 15.0)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_target_of_zeros_beside_one_whose_theory_failed():
    X, y = CLUSTERS.sample(300, seed=0)
    path = ridge_factorization(X, np.c_[y, np.zeros(300)])
    curve, replicates = leave_one_out_curves(path)
    calibration = calibrate(path, curve, fine=True)
    assert calibration.disagreement > 0
    misses = growth_misses(calibration, curve, fit_intercept=True)
    alone = ridge_factorization(X, y)
    own = leave_one_out_curves(alone)[0]
    expected = growth_misses(calibrate(alone, own, fine=True), own, fit_intercept=True).drift
    np.testing.assert_allclose(misses.drift[:, :1], expected, rtol=1e-4)
    found = ErrorSurface(curve, replicates, 300, True, calibration, misses=misses)
    n = np.array([20.0, 300.0, 301.0, 3000.0])
    answer = found.answer(n, np.full(4, 10.0), extrapolate=True, variance=True)
    assert np.all(answer.error[:, 1] == 0.0) and np.all(answer.error[:, 0] > 0.0)
    assert not np.any(np.isnan(answer.log_variance))
    assert np.all(found.above_least(np.array([1e-3, 1.0, 1e4])) >= 0.0)


def test_misses_of_growth_are_those_at_fewer_rows_without_noise():
    """A theory made wrong by exp(0.3 log(n₀/n)) misses 0.3 for each unit of log n, at any alpha."""
    X, y = CLUSTERS.sample(300, seed=0)
    path = ridge_factorization(X, y)
    curve = leave_one_out_curves(path)[0]
    calibration = calibrate(path, curve)
    sizes = tuple(
        found._replace(
            measured=found.predicted * (300.0 / found.size) ** 0.3,
            log_ratio=np.full_like(found.log_ratio, 0.3 * np.log(300.0 / found.size)),
            noise=np.zeros_like(found.noise),
        )
        for found in calibration.sizes
    )
    exact = growth_misses(calibration._replace(sizes=sizes), curve, fit_intercept=True)
    np.testing.assert_allclose(exact.drift, 0.3, rtol=1e-6)
    noisy = tuple(found._replace(noise=2.0 * found.log_ratio) for found in sizes)
    silent = growth_misses(calibration._replace(sizes=noisy), curve, fit_intercept=True)
    np.testing.assert_array_equal(silent.drift, 0.0)


def test_power_laws_are_fitted_for_each_alpha_once(monkeypatch):
    """Cells of one alpha share its law: the same growth as each cell by itself."""
    rng = np.random.default_rng(0)
    sizes = np.array([50.0, 80.0, 130.0, 200.0, 300.0, 400.0, 600.0, 1000.0])
    logs = 0.05 * rng.normal(size=(8, 3, 2)) - 0.3 * np.log(sizes)[:, None, None]
    logs[2, 1, 0] = np.nan
    variances = 1e-3 * rng.random(logs.shape)
    n, which = rng.uniform(1000.0, 9000.0, size=11), rng.integers(3, size=11)
    fits = []

    def counted(sizes, errors, *rest):
        fits.append(len(errors))
        return fit_power_law(sizes, errors, *rest)

    monkeypatch.setattr(growth, "fit_power_law", counted)
    found = power_law_growth(sizes, logs, variances, n, which)
    assert set(fits) == {6}, "three alphas, two outputs"
    for cell in range(n.size):
        mine = slice(which[cell], which[cell] + 1)
        alone = power_law_growth(sizes, logs[:, mine], variances[:, mine], n[cell : cell + 1])
        np.testing.assert_allclose(found.log_ratio[cell], alone.log_ratio[0], rtol=1e-9)
        np.testing.assert_allclose(found.variance[cell], alone.variance[0], rtol=1e-9)
