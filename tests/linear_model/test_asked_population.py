"""How a fitted population is asked: in the estimator's alpha, by its record or its members."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.linear_model._population import AskedPopulation
from sk_deepfeat.linear_model.each_output import joined
from sk_deepfeat.theory import ErrorAnswer, ErrorDecomposition, TargetVariance
from sk_deepfeat.theory.answer import ShareOfAll

CELLS = np.array([10.0, 20.0, 40.0]), np.array([2.0, 2.0, 6.0])
RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 6)) + 1.0
Y = X @ RNG.normal(size=(6, 2)) + RNG.normal(size=(80, 2)) + 3.0
LABELS = (Y[:, 0] > np.median(Y[:, 0])).astype(int)


class Recorded:
    """Answers by a record, and keeps what it was asked."""

    def answer(self, n_samples, alpha, *, fit_intercept, variance):
        self.asked = n_samples, alpha, fit_intercept, variance
        error = np.stack([alpha / n_samples, 2.0 * alpha / n_samples], axis=-1)
        return ErrorAnswer(
            error,
            np.ones(3, bool),
            alpha,
            train_error=0.5 * error,
            bias_and_noise=0.25 * error,
            log_variance=np.full((3, 2), 0.1),
        )


VARIANCE = TargetVariance(np.array([4.0, 9.0]), np.array([0.02, 0.03]))


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_record_is_asked_in_alphas_for_weights_of_mean_one(fit_intercept):
    population = Recorded()
    asked = AskedPopulation(population, population, fit_intercept, 5.0, False)
    found = asked.answer(*CELLS)
    np.testing.assert_array_equal(population.asked[1], CELLS[1] / 5.0)
    assert population.asked[2:] == (fit_intercept, False)
    np.testing.assert_allclose(found.error[:, 1], 0.4 * CELLS[1] / CELLS[0])


@pytest.mark.parametrize("of_all", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_shares_of_a_variance_err_together_with_it(fit_intercept, of_all):
    """With an intercept the population knows how; without, the variance is added."""
    population, factor = Recorded(), 1.0 / VARIANCE.variance
    asked = AskedPopulation(
        population, None, fit_intercept, 1.0, False, None, factor, share_of=VARIANCE, of_all=of_all
    )
    found = asked.answer(*CELLS, variance=True)
    plain = Recorded().answer(*CELLS, fit_intercept=True, variance=True)
    np.testing.assert_allclose(found.error, plain.error * factor)
    if fit_intercept:
        kind = population.asked[3]
        assert isinstance(kind, ShareOfAll) if of_all else kind == "relative"
        assert found.common_variance is None
        np.testing.assert_array_equal(found.log_variance, plain.log_variance)
    else:
        assert population.asked[3] is True
        np.testing.assert_allclose(found.log_variance[0], 0.1 + VARIANCE.log_variance)
        np.testing.assert_allclose(found.common_variance[0], VARIANCE.log_variance)
    asked.answer(*CELLS, variance=False)
    assert population.asked[3] is False


class Members:
    """Answers by members alone."""

    def test_error(self, n_samples, alpha, *, fit_intercept):
        return np.stack([alpha / n_samples, 2.0 * alpha / n_samples], axis=-1)

    def kappa(self, n_samples, alpha, *, fit_intercept):
        return alpha

    def reachable(self, n_samples, alpha, *, fit_intercept):
        return n_samples < 30

    def train_error(self, n_samples, alpha, *, fit_intercept):
        return 0.5 * self.test_error(n_samples, alpha, fit_intercept=fit_intercept)

    def decomposition(self, n_samples, alpha, *, fit_intercept):
        error = self.test_error(n_samples, alpha, fit_intercept=fit_intercept)
        parts = [share * error for share in (0.1, 0.2, 0.3, 0.4)]
        return ErrorDecomposition(*parts, bias_and_noise=0.5 * error, total_variance=0.5 * error)

    def interval(self, n_samples, alpha, *, fit_intercept, level):
        error = self.test_error(n_samples, alpha, fit_intercept=fit_intercept)
        return error * level, error / level


@pytest.mark.parametrize("root", [False, True])
def test_members_are_scaled_and_withdrawn_as_a_record_is(root):
    population, factor = Members(), np.array([4.0, 9.0])
    share = np.array([1.0, np.nan, 0.5])
    asked = AskedPopulation(population, None, True, 5.0, False, None, factor, root=root)
    plain, found = asked.answer(*CELLS), asked.answer(*CELLS).scaled(share)
    cells = CELLS[0], CELLS[1] / 5.0
    error = factor * population.test_error(*cells, fit_intercept=True)

    def units(values):
        return np.sqrt(values) if root else values

    np.testing.assert_allclose(plain.error, units(error))
    np.testing.assert_allclose(found.error, units(error) * share[:, None])
    np.testing.assert_allclose(found.train_error, units(0.5 * error) * share[:, None])
    np.testing.assert_array_equal(plain.reachable, [True, True, False])
    np.testing.assert_array_equal(found.reachable, [True, False, False])
    np.testing.assert_array_equal(found.kappa, np.where(np.isnan(share), np.nan, cells[1]))
    parts = found.decomposition()
    for part, of_all in zip(parts, (0.1, 0.2, 0.3, 0.4), strict=True):
        np.testing.assert_allclose(part, units(of_all * error) * share[:, None])
    np.testing.assert_allclose(parts.bias_and_noise, units(0.5 * error) * share[:, None])
    ends = found.interval(0.8)
    np.testing.assert_allclose(ends[0], units(0.8 * error) * share[:, None])
    np.testing.assert_allclose(ends[1], units(error / 0.8) * share[:, None])
    weights = np.array([0.3, 0.7])
    for end, mean in zip(ends, found.average_interval(0.8, weights), strict=True):
        np.testing.assert_allclose(mean, end @ weights)
    assert found.cautious_error is None


def record(error, **parts):
    error = np.asarray(error)
    cells = error.shape[:-1]
    return ErrorAnswer(error, np.ones(cells, bool), np.full(cells, 2.0), **parts)


def test_records_side_by_side():
    one, two = np.full((3, 1), 1.0), np.full((3, 2), 2.0)
    some = record(one, cautious_error=1.5 * one, log_variance=0.1 * one, degrees=19)
    others = record(two, log_variance=0.2 * two, degrees=9)
    both = joined([some, others], of_each=False)
    np.testing.assert_array_equal(both.error, [[1.0, 2.0, 2.0]] * 3)
    np.testing.assert_array_equal(both.cautious_error, [[1.5, 2.0, 2.0]] * 3)
    np.testing.assert_allclose(both.log_variance, [[0.1, 0.4, 0.4]] * 3)
    assert both.degrees == 9 and both.train_error is None and both.parts is None
    assert both.decomposition() is None
    np.testing.assert_array_equal(both.kappa, 2.0)
    assert joined([others, others], of_each=False).cautious_error is None
    apart = joined([some, others._replace(kappa=np.array([2.0, 3.0, 2.0]))], of_each=False)
    np.testing.assert_array_equal(apart.kappa, [2.0, np.nan, 2.0])
    hidden = others._replace(reachable=np.array([True, True, False]))
    np.testing.assert_array_equal(
        joined([some, hidden], of_each=False).reachable, [True, True, False]
    )
    each = joined([some, hidden], of_each=True)
    assert each.kappa.shape == each.reachable.shape == (3, 3)
    np.testing.assert_array_equal(each.reachable[2], [True, False, False])


def test_records_with_parts_side_by_side():
    one = np.full((3, 1), 1.0)
    parts = tuple(share * one for share in (0.1, 0.2, 0.3, 0.4))
    full = record(one, train_error=0.5 * one, bias_and_noise=0.5 * one, parts=parts)
    both = joined([full, full], of_each=False)
    for part, share in zip(both.parts, (0.1, 0.2, 0.3, 0.4), strict=True):
        np.testing.assert_array_equal(part, np.full((3, 2), share))
    np.testing.assert_array_equal(both.bias_and_noise, np.full((3, 2), 0.5))
    np.testing.assert_array_equal(both.train_error, np.full((3, 2), 0.5))
    sums = joined([full, full._replace(parts=None)], of_each=False)
    assert sums.parts is None
    np.testing.assert_array_equal(sums.bias_and_noise, np.full((3, 2), 0.5))


@pytest.mark.parametrize("weight", [1e-6, 1e6])
def test_the_best_alpha_grows_with_the_weights(weight):
    """It is looked for in units of the weighted rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", PopulationWarning)
        of_one = DeterministicEquivalentRidge(population="gcv").fit(X, Y[:, 0])
        found = DeterministicEquivalentRidge(population="gcv")
        found.fit(X, Y[:, 0], np.full(80, weight))
        assert found.optimal_alpha() == pytest.approx(weight * of_one.optimal_alpha(), rel=1e-3)
    scale = np.square(X - X.mean(axis=0)).sum() / 80
    assert of_one.error_predictor_.feature_scale == pytest.approx(scale)
    assert found.error_predictor_.feature_scale == pytest.approx(weight * scale)


def test_a_classifier_of_two_classes_decides_by_the_sign_of_its_scores():
    model = DeterministicEquivalentRidgeClassifier(2.0, population="gcv").fit(X, LABELS)
    ridge = Ridge(2.0).fit(X, 2.0 * LABELS - 1.0)
    scores = ridge.predict(X)
    np.testing.assert_allclose(model.decision_function(X), scores, rtol=1e-9, atol=1e-10)
    np.testing.assert_array_equal(model.predict(X), (scores > 0).astype(int))
    nothing = DeterministicEquivalentRidgeClassifier(fit_intercept=False, population="gcv")
    nothing.fit(X, LABELS)
    assert nothing.predict(np.zeros((1, 6)))[0] == 0, "as of RidgeClassifier"


@pytest.mark.filterwarnings("ignore::sk_deepfeat.exceptions.PopulationWarning")
def test_error_rates_of_all_rows_are_counts_and_targets_of_groups_are_met():
    groups = np.arange(80) % 40
    model = DeterministicEquivalentRidgeClassifier(2.0).fit(X, LABELS, groups=groups)
    counts = model.predict_test_error(alpha=[0.3, 1.0, 2.0, 17.0]) * 80
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)
    target = 1.0 - (1.0 - 1.001 * float(model.predict_test_error(n_groups=20)))
    needed = model.required_groups(target, 2.0)
    assert 1 < needed <= 20 and model.predict_test_error(n_groups=needed) <= target
    assert model.required_groups(alpha=2.0, target_score=1.0 - target) == needed
    assert model.required_samples(target, 2.0) in (2.0 * needed - 1.0, 2.0 * needed)
