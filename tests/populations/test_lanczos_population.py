"""The population that factorises nothing, beside the one that does."""

import pickle

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge

from sk_deepfeat import DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.model_selection import SpectrumDisplay
from sk_deepfeat.populations import LanczosPopulation, LeaveOneOutPopulation
from sk_deepfeat.theory import factorize_sums, ridge_factorization, unfactorized_rows
from sk_deepfeat.theory.one_sample.matrix_free import conjugate_gradients
from sk_deepfeat.theory.one_sample.streamed.accumulator import GramAccumulator


def sample(n, p, outputs=None, seed=0):
    rng = np.random.default_rng(seed)
    X = 1.0 + rng.normal(size=(n, p)) * np.arange(1, p + 1) ** -0.6
    y = X @ rng.normal(size=(p, outputs or 1))
    y = y / y.std(axis=0) + 0.5 * rng.normal(size=y.shape)
    return X, y if outputs else y[:, 0]


SMALL = LanczosPopulation(n_sampled=300)
N = np.array([100, 400, 800, 3000])[:, None]
ALPHA = np.array([3.0, 30.0])


@pytest.fixture(scope="module")
def fitted():
    X, y = sample(800, 500)
    weights = np.random.default_rng(2).uniform(0.3, 2.0, len(X))
    ridges = [
        DeterministicEquivalentRidge(3.0, population=population).fit(X, y, weights)
        for population in (SMALL, "leave-one-out")
    ]
    return X, y, weights, *ridges


def test_a_ridge_has_the_coefficients_of_any_other(fitted):
    X, y, weights, ridge, dense = fitted
    expected = Ridge(alpha=3.0, solver="svd").fit(X, y, sample_weight=weights)
    off = np.linalg.norm(ridge.coef_ - expected.coef_) / np.linalg.norm(expected.coef_)
    assert off < 1e-6
    assert ridge.intercept_ == pytest.approx(expected.intercept_, rel=1e-6)
    assert ridge.train_error_ == pytest.approx(dense.train_error_, rel=1e-6)
    assert ridge.n_samples_ == 800 and ridge.population_.n_iter_ > 0
    assert not hasattr(ridge, "eigenvalues_")


def test_it_answers_every_question_as_with_a_factorisation(fitted):
    ridge, dense = fitted[3:]
    for name in ("predict_test_error", "predict_train_error", "predict_kappa"):
        got, expected = (getattr(each, name)(N, ALPHA) for each in (ridge, dense))
        # How folds are dealt makes three per cent of so few rows, and twice that of their growth.
        np.testing.assert_allclose(got, expected, rtol=0.07, err_msg=name)
    got, expected = (each.predict_decomposition(N, ALPHA) for each in (ridge, dense))
    np.testing.assert_allclose(got.bias_and_noise, expected.bias_and_noise, rtol=0.07)
    assert ridge.reachable(N, ALPHA).all()
    kappa = ridge.kappa_ * np.array([0.5, 5.0])
    got, expected = (np.array(each.degrees_of_freedom(kappa)) for each in (ridge, dense))
    np.testing.assert_allclose(got, expected, rtol=0.08)
    assert ridge.calibration_check().passed
    best = np.array([each.predict_test_error(N[:3], "optimal") for each in (ridge, dense)])
    np.testing.assert_allclose(best[0], best[1], rtol=0.07)


def test_intervals_hold_the_answer_of_the_factorisation_and_are_as_wide(fitted):
    ridge, dense = fitted[3:]
    (_, lower, upper), (error, low, high) = (
        each.predict_test_error(N, ALPHA, return_interval=True) for each in (ridge, dense)
    )
    assert np.all((lower < error) & (error < upper))
    ratio = np.log(upper / lower) / np.log(high / low)
    assert np.all((ratio > 0.7) & (ratio < 1.6))


def test_two_outputs_are_those_of_one_each():
    X, y = sample(450, 200, outputs=2)
    plain = LanczosPopulation(n_sampled=200, calibrate=False)
    together = clone(plain).fit(X, y)
    for k in range(2):
        alone = clone(plain).fit(X, y[:, k])
        np.testing.assert_allclose(
            together.test_error(N, ALPHA, fit_intercept=True)[..., k],
            alone.test_error(N, ALPHA, fit_intercept=True),
            rtol=0.02,
        )
    ridge = DeterministicEquivalentRidge(3.0, population=SMALL).fit(X, y)
    expected = Ridge(alpha=3.0, solver="svd").fit(X, y)
    np.testing.assert_allclose(
        ridge.coef_, expected.coef_, atol=1e-6 * np.abs(expected.coef_).max()
    )


def test_rows_that_are_all_in_the_sample_are_factorised():
    X, y = sample(200, 30)
    found, expected = LanczosPopulation().fit(X, y), LeaveOneOutPopulation().fit(X, y)
    asked = {"fit_intercept": True}
    np.testing.assert_array_equal(
        found.test_error(N, ALPHA, **asked), expected.test_error(N, ALPHA, **asked)
    )
    assert found.n_iter_ == 0


def test_the_same_rows_give_the_same_answers_before_and_after_pickling():
    X, y = sample(400, 120)
    first, second = (clone(SMALL).fit(X, y) for _ in range(2))
    asked = {"fit_intercept": True}
    expected = first.test_error(N, ALPHA, **asked)
    np.testing.assert_array_equal(second.test_error(N, ALPHA, **asked), expected)
    copied = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(copied.test_error(N, ALPHA, **asked), expected)
    assert copied.factorization_ is None
    rows = unfactorized_rows(X, y, n_sampled=200)
    shared = clone(SMALL).fit(X, y, path=rows)
    np.testing.assert_array_equal(shared.test_error(N, ALPHA, **asked), expected)
    shared = clone(SMALL).fit(X, y, path=ridge_factorization(X, y))
    np.testing.assert_array_equal(shared.test_error(N, ALPHA, **asked), expected)


def test_sparse_rows_give_what_dense_ones_do():
    rng = np.random.default_rng(0)
    X = scipy.sparse.csr_array(scipy.sparse.random(700, 300, 0.05, random_state=rng))
    y = X @ rng.normal(size=300) + 0.2 * rng.normal(size=700)
    sparse, dense = (
        DeterministicEquivalentRidge(0.5, population=SMALL).fit(rows, y)
        for rows in (X, X.toarray())
    )
    np.testing.assert_allclose(
        sparse.predict_test_error(N, [0.5, 5.0]), dense.predict_test_error(N, [0.5, 5.0]), rtol=1e-6
    )
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-5 * np.abs(dense.coef_).max())


def test_an_alpha_that_does_not_settle_is_silent():
    X, y = sample(500, 800)
    few = LanczosPopulation(n_sampled=200, max_iter=24)
    ridge = DeterministicEquivalentRidge(1e-4, population=few)
    with pytest.warns(PopulationWarning, match=r"alpha=0\.0001 is so small .* max_iter=24 steps"):
        ridge.fit(X, y)
    assert np.isnan(ridge.test_error_) and not ridge.reachable()
    known = np.isfinite(ridge.predict_test_error(500, [1e-3, 1e3]))
    np.testing.assert_array_equal(known, [False, True])
    assert ridge.population_.kappa_min_ > 0
    record = ridge.population_.answer(N, [1e-4, 1e3], fit_intercept=True, variance=True)
    for values in (record.train_error, record.bias_and_noise, record.log_variance):
        np.testing.assert_array_equal(np.isnan(values), np.isnan(record.error))


def test_coefficients_that_do_not_converge_come_with_a_warning(monkeypatch):
    X, y = sample(500, 200)
    monkeypatch.setattr(conjugate_gradients, "_MOST_STEPS", 2)
    monkeypatch.setattr(conjugate_gradients, "_MOST_DIRECTIONS", 2)
    with pytest.warns(ConvergenceWarning, match=r"alpha=0\.5 have not converged"):
        DeterministicEquivalentRidge(0.5, population=SMALL).fit(X, y)


def test_alpha_zero_groups_and_classes_are_refused_by_name():
    X, y = sample(500, 20)
    with pytest.raises(ValueError, match=r"alpha=0\.0 must be positive for population='lanczos'"):
        DeterministicEquivalentRidge(0.0, population="lanczos").fit(X, y)
    with pytest.raises(ValueError, match=r"'lanczos' works without a factorisation .* groups"):
        DeterministicEquivalentRidge(population="lanczos").fit(X, y, groups=np.arange(500) % 9)
    with pytest.raises(ValueError, match=r"'lanczos' works without a factorisation .* classes"):
        DeterministicEquivalentRidgeClassifier(population="lanczos").fit(X, y > 0)
    path = ridge_factorization(X, y, groups=np.arange(500) % 9)
    with pytest.raises(ValueError, match=r"LanczosPopulation .* cannot use groups"):
        LanczosPopulation().fit(X, y, path=path)


def test_nine_outputs_and_a_sample_alone_are_refused():
    X, y = sample(400, 20, outputs=9)
    with pytest.raises(ValueError, match="y has 9 outputs, but LanczosPopulation takes at most 8"):
        LanczosPopulation().fit(X, y)
    sums = GramAccumulator(reservoir_size=100)
    sums.add(X, y[:, 0])
    with pytest.raises(ValueError, match="LanczosPopulation needs all rows"):
        LanczosPopulation().fit(X, y[:, 0], path=factorize_sums(sums))


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_folds", 1), ("n_probes", 0), ("n_sampled", 10), ("max_iter", 0), ("seed", -1)],
)
def test_parameters_outside_their_range_are_named(name, value):
    X, y = sample(60, 5)
    with pytest.raises(ValueError, match=f"{name}={value} must be an integer of at least"):
        LanczosPopulation(**{name: value}).fit(X, y)


def test_no_spectrum_is_drawn_of_what_is_not_factorised():
    pytest.importorskip("matplotlib", reason="a display draws with matplotlib")
    X, y = sample(400, 100)
    ridge = DeterministicEquivalentRidge(population=SMALL).fit(X, y)
    with pytest.raises(ValueError, match="makes no factorisation: no eigenvalues are known"):
        SpectrumDisplay.from_fitted(ridge)
