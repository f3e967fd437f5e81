"""What populations from left-out rows do with groups, intercepts, weights, and failed checks."""

import numpy as np
import pytest
from samples import LinearPopulation, clustered_rows, power_law
from sklearn.base import clone
from sklearn.utils import get_tags

from sk_deepfeat.populations import (
    ExactPopulation,
    GCVPopulation,
    LanczosPopulation,
    LeaveOneOutPopulation,
    LinearizedPopulation,
)
from sk_deepfeat.theory import ridge_factorization
from sk_deepfeat.theory.one_sample.calibration import calibrate
from sk_deepfeat.theory.one_sample.growth_misses import growth_misses

pytestmark = pytest.mark.filterwarnings("ignore::sk_deepfeat.exceptions.PopulationWarning")

LAW = LinearPopulation(power_law(20, 0.5), np.ones(20), 1.0, mean=1.0, offset=3.0)
X, Y = LAW.sample(120)
N, ALPHA = np.array([[30.0], [120.0], [400.0]]), np.array([1.0, 30.0])
ALL = [GCVPopulation(), LeaveOneOutPopulation(calibrate=False), LanczosPopulation(calibrate=False)]


def name_of(population):
    return type(population).__name__


@pytest.mark.parametrize("population", ALL, ids=name_of)
def test_an_intercept_is_fitted_unless_told_otherwise(population):
    fitted = clone(population).fit(X, Y)
    np.testing.assert_array_equal(
        fitted.test_error(N, ALPHA), fitted.test_error(N, ALPHA, fit_intercept=True)
    )
    assert get_tags(population).input_tags.sparse


def test_an_interval_is_asked_for_the_intercept_of_the_fit():
    fitted = LeaveOneOutPopulation(calibrate=False).fit(X, Y, fit_intercept=False)
    for alpha in (1.0, "optimal"):
        np.testing.assert_array_equal(
            fitted.interval(60, alpha), fitted.interval(60, alpha, fit_intercept=False)
        )
        with pytest.raises(ValueError, match="cannot answer for fit_intercept=True"):
            fitted.interval(60, alpha, fit_intercept=True)


def test_groups_are_those_of_the_rows():
    labels = np.random.default_rng(0).integers(0, 30, size=120)
    fitted = LeaveOneOutPopulation(calibrate=False).fit(X, Y, groups=labels)
    path = ridge_factorization(X, Y, groups=labels)
    of_path = LeaveOneOutPopulation(calibrate=False).fit(X, Y, groups=labels, path=path)
    answers = [each.test_error(N, ALPHA) for each in (fitted, of_path)]
    np.testing.assert_allclose(*answers, rtol=1e-12)
    # A mean group has 4 rows: of fewer nothing is known, since no training set is so small.
    n = np.array([1.0, 3.0, 4.0, 5.0, 120.0])
    np.testing.assert_array_equal(np.isnan(fitted.test_error(n, 30.0)), n < 4.0)
    alone = LeaveOneOutPopulation(calibrate=False).fit(X, Y)
    assert not np.isnan(alone.test_error(n, 30.0)).any()


class TestFailedChecks:
    """Rows in clusters; the theory of independent rows fails."""

    rows, y = LinearPopulation(
        power_law(60, 0.5),
        np.ones(60),
        0.5,
        rows=lambda rng, n, root: clustered_rows(rng, n, root, 30),
    ).sample(240)
    path = ridge_factorization(rows, y)

    def fitted(self, calibrate):
        population = LeaveOneOutPopulation(calibrate=calibrate)
        return population.fit(self.rows, self.y, path=self.path)

    def test_auto_measures_more_where_a_few_may_disagree(self):
        auto, always = (self.fitted(each) for each in ("auto", True))
        assert auto.calibration_.suspicious
        few, more = (calibrate(self.path, auto.curve_, fine=fine) for fine in (False, True))
        assert len(few.sizes) < len(more.sizes) == len(auto.calibration_.sizes)
        for left, right in zip(auto.calibration_.sizes, always.calibration_.sizes, strict=True):
            np.testing.assert_array_equal(left.measured, right.measured)

    def test_growth_counts_by_how_far_it_missed(self):
        auto = self.fitted("auto")
        misses = growth_misses(auto.calibration_, auto.curve_, fit_intercept=True)
        np.testing.assert_array_equal(auto.surface_.misses.drift, misses.drift)
        assert np.nanmax(misses.drift[np.isfinite(misses.drift)]) > 0.0
        assert LeaveOneOutPopulation().fit(X, Y).surface_.misses is None


def test_a_check_is_in_the_units_of_the_targets():
    population = LeaveOneOutPopulation().fit(X, np.c_[Y, -2.0 * Y])
    found = population.calibration_.sizes
    for factor in (None, np.array([3.0, 0.5])):
        check = population.calibration_check(factor=factor, mean_weight=7.0)
        units = 1.0 if factor is None else factor
        for name in ("measured", "predicted"):
            expected = [(getattr(one, name) * units).mean(axis=1) for one in found]
            np.testing.assert_allclose(getattr(check, name), np.concatenate(expected), rtol=1e-12)
        expected = np.concatenate([np.exp(one.log_alpha) for one in found])
        np.testing.assert_allclose(check.alpha, 7.0 * expected, rtol=1e-12)
        assert set(check.n_samples) == {float(one.size) for one in found}
        np.testing.assert_allclose(check.upper * check.lower, check.predicted**2, rtol=1e-12)


@pytest.mark.parametrize("population", [ExactPopulation, LinearizedPopulation, *map(type, ALL)])
def test_a_sample_of_the_rows_is_enough_but_for_products_with_all(population):
    assert population.takes_samples is (population is not LanczosPopulation)


def test_sizes_of_subsets_are_below_the_rows_of_the_sample():
    rows, y = LAW.sample(200)
    population = LanczosPopulation(n_sampled=100, n_probes=2, n_folds=2).fit(rows, y)
    assert population.factorization_.n_rows == 200
    assert set(population.calibration_check([99]).n_samples) <= {99.0}
    with pytest.raises(ValueError, match="must be whole numbers between 2 and 99"):
        population.calibration_check([100])


def test_eight_outputs_are_taken_one_after_the_other():
    population = LanczosPopulation(calibrate=False, n_sampled=100)
    rows, y = LAW.sample(101, outputs=8)
    assert population.fit(rows, y).test_error(50, 1.0).shape == (8,)
    rows, y = LAW.sample(101, outputs=9)
    with pytest.raises(ValueError, match="y has 9 outputs"):
        population.fit(rows, y)


def test_error_rates_are_counted_at_every_alpha_or_interpolated():
    labels = (Y > np.median(Y)).astype(int)
    population = LeaveOneOutPopulation().fit(X, 2.0 * labels - 1.0, labels=labels)
    alpha = np.geomspace(0.2, 200.0, 15)
    asked = {"columns": slice(2, 3)}
    exact = population.class_answer(120, alpha, **asked).error[..., 0] * 120
    loose = population.class_answer(120, alpha, exact=False, **asked).error[..., 0] * 120
    np.testing.assert_allclose(exact, np.round(exact), atol=1e-9)
    assert not np.allclose(loose, np.round(loose), atol=1e-3)
    np.testing.assert_allclose(loose, exact, atol=4.0)


def test_labels_of_rows_without_weight_are_left_out_with_them():
    labels = (Y > np.median(Y)).astype(int)
    weights = np.where(np.arange(len(Y)) % 4 > 0, 1.0, 0.0)
    some = weights > 0
    whole = LeaveOneOutPopulation().fit(X, 2.0 * labels - 1.0, weights, labels=labels)
    part = LeaveOneOutPopulation().fit(X[some], 2.0 * labels[some] - 1.0, labels=labels[some])
    cells, columns = (np.array([30.0, 60.0]), np.array([1.0, 10.0])), slice(0, 3)
    found, expected = (one.class_answer(*cells, columns=columns).error for one in (whole, part))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
