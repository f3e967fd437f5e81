"""Error rates at every (n, alpha): what holds exactly, and what known mixtures say."""

import pickle

import numpy as np
import pytest
from scipy.special import ndtr
from sklearn.linear_model import RidgeClassifier

from sk_deepfeat.populations import LeaveOneOutPopulation
from sk_deepfeat.theory import Loss, RowClasses, RowGroups, ridge_factorization
from sk_deepfeat.theory.one_sample.classes import tuning
from sk_deepfeat.theory.one_sample.classes.class_correction import rates_calibration
from sk_deepfeat.theory.one_sample.classes.class_tables import columns_of

ALL = slice(None)
P = 20


def drawn(n, n_classes, rng):
    """Return rows of normal classes, their means a fixed set, and their labels."""
    means = 0.6 * np.random.default_rng(7).normal(size=(n_classes, P)) / np.sqrt(2.0)
    labels = rng.integers(0, n_classes, n)
    scales = np.arange(1, P + 1) ** -0.3
    return (means[labels] + rng.normal(size=(n, P))) * scales, labels


def fitted(X, labels, n_classes, *, groups=None, weights=None, calibrate="auto", balanced=False):
    classes = RowClasses(labels, n_classes, balanced=balanced)
    codes = classes.codes
    path = ridge_factorization(X, codes, weights, groups=groups).with_classes(classes)
    return LeaveOneOutPopulation(calibrate=calibrate).fit(X, codes, path=path)


def asked(population, n, alpha, *, loss=None, columns=ALL, exact=True):
    cells = np.broadcast_arrays(np.asarray(n, float), np.asarray(alpha, float))
    found = population.class_surface_.answer(
        *(part.ravel() for part in cells), loss=loss or Loss(), columns=columns, exact=exact
    )
    return found.reshape(cells[0].shape)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_at_the_training_size_it_is_the_count_of_leave_one_out(n_classes):
    rng = np.random.default_rng(0)
    X, labels = drawn(70, n_classes, rng)
    population = fitted(X, labels, n_classes)
    for alpha in (0.5, 7.3):
        wrong = np.array(
            [
                RidgeClassifier(alpha).fit(np.delete(X, i, 0), np.delete(labels, i)).predict(X[[i]])
                != labels[i]
                for i in range(70)
            ]
        )[:, 0]
        found = asked(population, 70, alpha).error
        assert found[-2] == pytest.approx(wrong.mean(), abs=1e-12)
        by_class = [wrong[labels == label].mean() for label in range(n_classes)]
        np.testing.assert_allclose(found[:-2], by_class, atol=1e-12)
        assert found[-1] == pytest.approx(np.mean(by_class), abs=1e-12)


def test_groups_are_left_out_whole():
    rng = np.random.default_rng(1)
    X, labels = drawn(60, 3, rng)
    groups = np.repeat(np.arange(15), 4)
    X += 0.8 * rng.normal(size=(15, P))[groups]
    found = asked(fitted(X, labels, 3, groups=groups), 60, 2.0).error[-2]
    wrong = np.empty(60, dtype=bool)
    for group in range(15):
        mine = groups == group
        refit = RidgeClassifier(2.0).fit(X[~mine], labels[~mine])
        wrong[mine] = refit.predict(X[mine]) != labels[mine]
    assert found == pytest.approx(wrong.mean(), abs=1e-12)
    near = np.repeat(X[:30], 2, axis=0) + 1e-3 * rng.normal(size=(60, P))
    labels, pairs = np.repeat(labels[:30], 2), np.repeat(np.arange(30), 2)
    alone, together = (fitted(near, labels, 3, groups=g) for g in (None, pairs))
    # A near copy tells the class.
    assert asked(alone, 60, 0.1).error[-2] < 0.5 * asked(together, 60, 0.1).error[-2]


def test_counts_in_between_are_near_those_at_each_alpha():
    X, labels = drawn(400, 3, np.random.default_rng(2))
    population = fitted(X, labels, 3)
    alphas = np.geomspace(0.01, 1e3, 23)
    exact, between = (asked(population, 400, alphas, exact=e).error[:, -2] for e in (True, False))
    assert np.abs(exact - between).max() < 0.008
    again = pickle.loads(pickle.dumps(population))
    np.testing.assert_array_equal(asked(again, 400, alphas).error[:, -2], exact)


def test_a_count_is_about_as_uncertain_as_its_rows():
    """Binomially at least; what all rows share and doubts of the way add less than as much."""
    X, labels = drawn(400, 3, np.random.default_rng(2))
    found = asked(fitted(X, labels, 3), 400, np.array([1.0, 10.0, 100.0]))
    rate, variance = found.error[:, -2], found.log_variance[:, -2]
    binomial = (1.0 - rate) / (rate * 400)
    assert np.all(variance > 0.9 * binomial) and np.all(variance < 2.5 * binomial)


def measured(n, alpha, n_classes, rng, refits, **options):
    rates = []
    for _ in range(refits):
        X, labels = drawn(n, n_classes, rng)
        new, truth = drawn(4000, n_classes, rng)
        model = RidgeClassifier(alpha, **options).fit(X, labels)
        rates.append(np.mean(model.predict(new) != truth))
    return np.mean(rates)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_other_sizes_are_those_of_refits(n_classes):
    rng = np.random.default_rng(3)
    X, labels = drawn(1500, n_classes, rng)
    population = fitted(X, labels, n_classes)
    n, alpha = np.array([40.0, 150.0, 6000.0]), np.array([1.0, 10.0, 30.0])
    found = asked(population, n, alpha, columns=slice(-2, -1))
    truth = np.array(
        [measured(int(s), a, n_classes, rng, 20) for s, a in zip(n, alpha, strict=True)]
    )
    np.testing.assert_allclose(found.error[:, 0], truth, rtol=0.12)
    lower, upper = found.interval(0.9)
    assert np.all((lower[:, 0] < truth) & (truth < upper[:, 0]))
    assert np.all(found.reachable)


def test_scores_of_noise_are_wrong_as_often_as_chance():
    rng = np.random.default_rng(4)
    X, labels = rng.normal(size=(600, 10)), rng.integers(0, 2, 600)
    found = asked(fitted(X, labels, 2), np.array([50.0, 300.0, 600.0]), 5.0).error[:, -2]
    np.testing.assert_allclose(found, 0.5, atol=0.05)


def test_more_noise_is_counted_in_closed_form_for_two_classes():
    X, labels = drawn(300, 2, np.random.default_rng(5))
    tables = fitted(X, labels, 2, calibrate=False).class_surface_.tables
    clouds, k = tables.clouds, 6
    kappa = clouds.kappa[k]
    fewer, all_rows = (tables.evaluator.along_kappa(n, clouds.kappa) for n in (60.0, 300.0))
    factor = (fewer.test_error[k] - all_rows.test_error[k]) / clouds.scale[k]
    expected = ndtr(clouds.margins[k, 0] / np.sqrt(factor * clouds.noise[k, 0, 0])).mean()
    found = tables.losses(60.0, fewer.alpha[[k]], Loss()).loss[0, -2]
    assert found == pytest.approx(expected, rel=1e-6) and kappa > 0


@pytest.mark.parametrize("scale", [1e-5, 1e5])
def test_units_of_the_features_do_not_matter(scale):
    X, labels = drawn(200, 3, np.random.default_rng(6))
    n, alpha = np.array([50.0, 200.0, 400.0]), 3.0
    plain = asked(fitted(X, labels, 3), n, alpha)
    scaled = asked(fitted(scale * X, labels, 3), n, alpha * scale**2)
    np.testing.assert_allclose(plain.error, scaled.error, rtol=1e-5)
    np.testing.assert_allclose(plain.log_variance, scaled.log_variance, rtol=1e-4)


def test_order_of_classes_does_not_matter():
    X, labels = drawn(200, 3, np.random.default_rng(7))
    n, order = np.array([50.0, 200.0]), np.array([2, 0, 1])
    plain, other = (asked(fitted(X, y, 3), n, 3.0).error for y in (labels, order[labels]))
    np.testing.assert_allclose(plain[1, :3], other[1, order], atol=1e-12)
    np.testing.assert_allclose(plain[0, -2], other[0, -2], rtol=0.03)


def test_log_loss_of_refits_and_its_temperature():
    rng = np.random.default_rng(8)
    X, labels = drawn(800, 3, rng)
    population = fitted(X, labels, 3)
    for temperature in (0.3, 1.0):
        found = asked(population, 150, 8.0, loss=Loss(temperature)).error[-2]
        losses = []
        for _ in range(20):
            few, of_few = drawn(150, 3, rng)
            new, truth = drawn(3000, 3, rng)
            scores = RidgeClassifier(8.0).fit(few, of_few).decision_function(new) / temperature
            own = scores[np.arange(3000), truth]
            losses.append(np.mean(np.log(np.exp(scores - own[:, None]).sum(axis=1))))
        assert found == pytest.approx(np.mean(losses), rel=0.06)


def test_weights_that_are_balanced_anew_make_less_noise():
    rng = np.random.default_rng(9)
    X, labels = drawn(1200, 2, rng)
    kept = (labels == 0) | (rng.random(1200) < 0.12)
    X, labels = X[kept], labels[kept]
    weights = (labels.size / (2.0 * np.bincount(labels)))[labels]
    anew, fixed = (
        asked(fitted(X, labels, 2, weights=weights, balanced=b), 40, 3e3, columns=slice(-2, -1))
        for b in (True, False)
    )
    assert anew.error < 0.8 * fixed.error


def test_a_class_of_one_row_is_not_known_and_features_of_nothing_say_the_largest_class():
    X, labels = drawn(80, 3, np.random.default_rng(10))
    labels[labels == 2] = 0
    labels[0] = 2
    found = asked(fitted(X, labels, 3), 80, 1.0)
    assert np.isnan(found.error[2]) and np.isfinite(found.error[[0, 1, 3, 4]]).all()
    nothing = fitted(np.ones((80, 2)), labels, 3)
    most = np.bincount(labels).max() / 80
    found = asked(nothing, np.array([40.0, 80.0, 800.0]), 1.0).error
    np.testing.assert_allclose(found[:, -2], 1.0 - most)


def test_a_class_that_few_rows_miss_is_wrong():
    rng = np.random.default_rng(11)
    labels = (rng.random(300) < 0.1).astype(int)
    X = 9.0 * labels[:, None] + 0.1 * rng.normal(size=(300, 3))
    share = labels.mean()
    found = asked(fitted(X, labels, 2), np.array([4.0, 300.0]), 1e-3).error
    assert found[0, 1] >= (1.0 - share) ** 4 and found[1, 1] == 0.0
    assert found[0, -2] >= share * (1.0 - share) ** 4


def test_beyond_a_peak_it_is_right_or_silent():
    """Twice the directions, the fall of the squared error is that of its variance."""
    rng = np.random.default_rng(12)
    direction = rng.normal(size=100) / 5.0

    def rows(n):
        given = rng.normal(size=(n, 100))
        return given, (given @ direction + rng.normal(size=n) > 0).astype(int)

    found = []
    for _ in range(4):
        population = fitted(*rows(220), 2)
        found.append(asked(population, 440, np.array([1e-6, 0.1, 3.0, 30.0])).error[:, -2])
    new, truth = rows(8000)
    refits = [RidgeClassifier(0.1).fit(*rows(440)).predict(new) != truth for _ in range(8)]
    known = np.array(found)[:, 1:]
    assert np.isfinite(known).mean() > 0.5
    assert np.nanmean(known[:, 0]) == pytest.approx(np.mean(refits), rel=0.12)


def test_what_is_extrapolated_is_not_reachable(monkeypatch):
    X, labels = drawn(200, 3, np.random.default_rng(2))
    surface = fitted(X, labels, 3).class_surface_
    n, alpha = np.array([100.0, 200.0, 400.0]), np.full(3, 10.0)
    plain = surface.answer(n, alpha, loss=Loss(), columns=ALL)
    assert plain.reachable.all()
    monkeypatch.setattr(tuning, "MOST_CLASS_NOISE", 0.0)
    found = surface.answer(n, alpha, loss=Loss(), columns=ALL, extrapolate=True)
    np.testing.assert_array_equal(found.reachable, [True, True, False])
    np.testing.assert_array_equal(found.error, plain.error)


@pytest.mark.parametrize("balanced", [False, True])
def test_means_over_rows_have_the_variances_of_their_draws(balanced):
    """Rows that are groups by themselves, and rows that come twice; a class without rows."""
    rng = np.random.default_rng(0)
    values, labels = rng.random(40), np.r_[0, 0, 1, rng.choice([0, 1, 3], size=37)]
    classes = RowClasses(labels, 4, balanced=balanced)
    means, variances = columns_of(values, classes, None)
    twice = RowClasses(np.repeat(labels, 2), 4, balanced=balanced)
    for given in (
        columns_of(values, classes, RowGroups(np.arange(40))),
        columns_of(np.repeat(values, 2), twice, RowGroups(np.repeat(np.arange(40), 2))),
    ):
        np.testing.assert_allclose(given[0], means)
        np.testing.assert_allclose(given[1], variances)
    for label in (0, 1, 3):
        mine = values[labels == label]
        assert means[label] == pytest.approx(mine.mean())
        assert variances[label] == pytest.approx(np.var(mine) / mine.size)
    assert np.isnan(means[2]) and np.isnan(variances[2])
    assert means[5] == pytest.approx(means[[0, 1, 3]].mean())
    assert variances[5] == pytest.approx(variances[[0, 1, 3]].sum() / 9)
    if not balanced:
        assert means[4] == pytest.approx(values.mean())
        assert variances[4] == pytest.approx(np.var(values) / 40)


def test_a_calibration_of_one_rate_has_its_scatter():
    X, labels = drawn(200, 3, np.random.default_rng(2))
    population = fitted(X, labels, 3)
    calibration = population.surface_.calibration
    for column in (0, 3):
        found = rates_calibration(calibration, population.class_surface_.tables, column)
        np.testing.assert_array_equal(found.scatter, calibration.class_scatter[:, [column]])
        for size, whole in zip(found.sizes, calibration.sizes, strict=True):
            np.testing.assert_allclose(size.measured[:, 0], whole.class_losses[:, column])
            assert size.standard_error.shape == size.log_ratio.shape == size.measured.shape
