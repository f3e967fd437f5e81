"""An alpha for each output: given, or the best by itself."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import ExactPopulation, LeaveOneOutPopulation

RAW = {"multioutput": "raw_values"}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 30)) / np.sqrt(np.arange(1, 31))
    strengths = np.array([3.0, 0.3, 1.0, 0.1, 2.0])
    return X, X @ rng.normal(size=(30, 5)) * strengths + rng.normal(size=(150, 5))


@pytest.fixture(scope="module")
def alone(rows):
    X, Y = rows
    return [DeterministicEquivalentRidge("optimal").fit(X, y) for y in Y.T]


@pytest.fixture(scope="module")
def together(rows):
    return DeterministicEquivalentRidge("optimal", alpha_per_target=True).fit(*rows)


def test_each_output_has_the_best_alpha_that_it_has_alone(alone, together):
    np.testing.assert_allclose(together.alpha_, [ridge.alpha_ for ridge in alone], rtol=0.02)
    found = together.predict_test_error(**RAW)
    np.testing.assert_allclose(found, [ridge.test_error_ for ridge in alone], rtol=5e-5)
    assert together.test_error_ == pytest.approx(found.mean())
    assert (
        together.test_error_
        < DeterministicEquivalentRidge("optimal").fit(*together_rows(together)).test_error_
    )


def together_rows(ridge):
    block = ridge._rows_of_fit[0]
    return block.X, block.y


@pytest.mark.parametrize("n", [20, 60, 150])
def test_it_has_so_for_any_number_of_rows(alone, together, n):
    expected = [ridge.optimal_alpha(n) for ridge in alone]
    np.testing.assert_allclose(together.optimal_alpha(n), expected, rtol=0.02)
    found = together.predict_test_error(n, "optimal", **RAW)
    errors = [ridge.predict_test_error(n, "optimal") for ridge in alone]
    np.testing.assert_allclose(found, errors, rtol=5e-5)


@pytest.mark.filterwarnings("ignore::sk_deepfeat.exceptions.PopulationWarning")
@pytest.mark.parametrize("extrapolate", [False, True])
def test_beyond_the_rows_too_and_silent_where_it_is_alone(rows, extrapolate):
    X, Y = rows
    population = LeaveOneOutPopulation(extrapolate=extrapolate)
    sizes = np.array([300, 1000])
    together = DeterministicEquivalentRidge(
        "optimal", population=population, alpha_per_target=True
    ).fit(X, Y)
    alone = [DeterministicEquivalentRidge("optimal", population=population).fit(X, y) for y in Y.T]
    expected = np.stack([a.predict_test_error(sizes, "optimal") for a in alone], axis=-1)
    found = together.predict_test_error(sizes, "optimal", **RAW)
    assert found.shape == (2, 5)
    known = ~np.isnan(expected)
    assert np.mean(np.isnan(found) == np.isnan(expected)) >= 0.8
    known &= ~np.isnan(found)
    np.testing.assert_allclose(found[known], expected[known], rtol=0.01)
    at_n0 = together.predict_test_error(**RAW)
    assert np.all((found <= at_n0 * (1 + 2e-3)) | np.isnan(found))


def test_alphas_are_those_of_ridge(rows):
    X, Y = rows
    alphas = np.array([0.1, 1.0, 10.0, 1.0, 0.0])
    found = DeterministicEquivalentRidge(alphas).fit(X, Y)
    expected = Ridge(alphas).fit(X, Y)
    np.testing.assert_allclose(found.coef_, expected.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.intercept_, expected.intercept_, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(found.alpha_, alphas)
    residuals = np.square(Y - found.predict(X)).mean(axis=0)
    assert found.train_error_ == pytest.approx(residuals.mean())


def test_every_question_is_that_of_each_output_at_its_alpha(rows):
    X, Y = rows
    alphas = np.array([0.1, 1.0, 10.0, 1.0, 30.0])
    found = DeterministicEquivalentRidge(alphas).fit(X, Y)
    alone = [
        DeterministicEquivalentRidge(alpha).fit(X, y) for alpha, y in zip(alphas, Y.T, strict=True)
    ]
    sizes = np.array([[50, 150], [100, 200]])
    for question in ("predict_test_error", "predict_train_error", "predict_score"):
        expected = [getattr(ridge, question)(sizes) for ridge in alone]
        np.testing.assert_allclose(
            getattr(found, question)(sizes, **RAW),
            np.stack(expected, axis=-1),
            rtol=1e-6,
            atol=1e-7,
        )
    for question in ("predict_kappa", "reachable"):
        expected = [getattr(ridge, question)(sizes) for ridge in alone]
        np.testing.assert_allclose(
            getattr(found, question)(sizes), np.stack(expected, axis=-1), rtol=1e-6
        )
    parts = [ridge.predict_decomposition(sizes).bias_and_noise for ridge in alone]
    np.testing.assert_allclose(
        found.predict_decomposition(sizes, **RAW).bias_and_noise,
        np.stack(parts, axis=-1),
        rtol=1e-6,
    )
    ends = [ridge.predict_test_error(sizes, return_interval=True) for ridge in alone]
    for part, expected in zip(
        found.predict_test_error(sizes, return_interval=True, **RAW),
        np.moveaxis(ends, 0, -1),
        strict=True,
    ):
        np.testing.assert_allclose(part, expected, rtol=1e-3)
    np.testing.assert_allclose(found.kappa_, [ridge.kappa_ for ridge in alone], rtol=1e-6)


def test_an_average_has_an_interval_of_its_own(together):
    error, lower, upper = together.predict_test_error([60, 150, 200], return_interval=True)
    raw = together.predict_test_error([60, 150, 200], return_interval=True, **RAW)
    assert np.all(lower < error) and np.all(error < upper)
    assert np.all(upper - lower < (raw[2] - raw[1]).mean(axis=-1))


def test_required_samples_are_those_of_the_mean_of_the_outputs_bests(together):
    target = float(together.predict_test_error(100, "optimal"))
    needed = together.required_samples(target)
    assert needed == pytest.approx(100, abs=1)
    assert together.predict_test_error(needed, "optimal") <= target * (1 + 1e-9)
    score = float(together.predict_score(80, "optimal"))
    assert together.required_samples(target_score=score) == pytest.approx(80, abs=1)
    fixed = float(together.predict_test_error(100, 1.0))
    assert together.required_samples(fixed, 1.0) == pytest.approx(100, abs=1)


def test_a_population_on_paper_has_one_for_each_output():
    psi = np.array([[1.0, 0.1], [0.0, 0.0]])
    exact = ExactPopulation(np.eye(2), psi, np.diag([1.5, 1.0]))
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 2)), rng.normal(size=(40, 2))
    found = DeterministicEquivalentRidge("optimal", population=exact, alpha_per_target=True).fit(
        X, Y
    )
    # Isotropic features: alpha = p σ²/|w|², less what an intercept costs.
    np.testing.assert_allclose(found.optimal_alpha(1000), [2 * 0.5, 2 * 0.99 / 0.01], rtol=0.03)


def test_members_of_a_population_are_enough(rows):
    class Members:
        """A population that gives no record."""

        def fit(self, X, y, sample_weight=None, *, fit_intercept=True, path=None):
            self.best_ = np.array([1.0, 10.0, 100.0, 1.0, 3.0])
            return self

        def test_error(self, n_samples, alpha, *, fit_intercept):
            n, alpha = np.broadcast_arrays(n_samples, alpha)
            return (
                1.0 + np.square(np.log((alpha[..., None] + 1e-9) / self.best_)) + 1.0 / n[..., None]
            )

        def kappa(self, n_samples, alpha, *, fit_intercept):
            return np.broadcast_arrays(n_samples, alpha)[1] * 1.0

    X, Y = rows
    found = DeterministicEquivalentRidge(
        "optimal", population=Members(), alpha_per_target=True
    ).fit(X, Y)
    np.testing.assert_allclose(found.alpha_, [1.0, 10.0, 100.0, 1.0, 3.0], rtol=0.01)
    np.testing.assert_allclose(found.kappa_, found.alpha_)


def test_outputs_of_which_nothing_is_told_are_named(rows):
    X, Y = rows
    noise = np.random.default_rng(4).normal(size=(150, 40))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PopulationWarning)
        DeterministicEquivalentRidge("optimal", alpha_per_target=True).fit(X, np.c_[Y, noise])
    told = [str(each.message) for each in caught if "nothing about" in str(each.message)]
    assert len(told) == 1 and "in all" in told[0] and "outputs" in told[0]


def test_weights_and_blocks_of_rows(rows):
    X, Y = rows
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 150)
    alphas = np.array([0.1, 1.0, 10.0, 1.0, 30.0])
    expected = Ridge(alphas).fit(X, Y, weights).coef_
    for options in ({}, {"reservoir_size": 100}):
        found = DeterministicEquivalentRidge(alphas, **options).fit(X, Y, weights)
        np.testing.assert_allclose(found.coef_, expected, rtol=1e-7, atol=1e-9)
    streamed = DeterministicEquivalentRidge("optimal", alpha_per_target=True)
    for start in (0, 50, 100):
        part = slice(start, start + 50)
        streamed.partial_fit(X[part], Y[part])
    whole = DeterministicEquivalentRidge("optimal", alpha_per_target=True).fit(X, Y)
    np.testing.assert_allclose(streamed.alpha_, whole.alpha_, rtol=1e-6)


def test_lanczos_has_them_too(rows):
    X, Y = rows
    alphas = np.array([1.0, 3.0, 10.0, 1.0, 30.0])
    found = DeterministicEquivalentRidge(alphas, population="lanczos").fit(X, Y)
    np.testing.assert_allclose(found.coef_, Ridge(alphas).fit(X, Y).coef_, rtol=1e-5, atol=1e-7)


def test_of_a_single_output_it_changes_nothing(rows):
    X, Y = rows
    plain = DeterministicEquivalentRidge("optimal").fit(X, Y[:, 0])
    for y in (Y[:, 0], Y[:, :1]):
        same = DeterministicEquivalentRidge("optimal", alpha_per_target=True).fit(X, y)
        assert same.alpha_ == plain.alpha_ and np.ndim(same.alpha_) == 0
    given, same = (DeterministicEquivalentRidge(a).fit(X, Y[:, 0]) for a in ([2.0], 2.0))
    assert (
        given.predict_test_error() == DeterministicEquivalentRidge(2.0).fit(X, Y[:, 0]).test_error_
    )


def test_it_is_near_what_ridge_cv_takes(rows, together):
    X, Y = rows
    grid = np.geomspace(1e-2, 1e4, 60)
    taken = RidgeCV(grid, alpha_per_target=True).fit(X, Y).alpha_
    chosen = together.predict_test_error(**RAW)
    other = DeterministicEquivalentRidge(taken).fit(X, Y).predict_test_error(**RAW)
    assert np.all(chosen <= other * (1 + 1e-4))
    assert np.all(other <= chosen * 1.02)


def test_it_is_cloned_searched_over_and_pickled(rows, together):
    X, Y = rows
    again = pickle.loads(pickle.dumps(together))
    np.testing.assert_array_equal(again.alpha_, together.alpha_)
    np.testing.assert_allclose(again.predict_test_error(60), together.predict_test_error(60))
    assert clone(together).alpha_per_target is True
    search = GridSearchCV(
        DeterministicEquivalentRidge("optimal"), {"alpha_per_target": [False, True]}, cv=3
    ).fit(X, Y)
    assert set(search.cv_results_["param_alpha_per_target"]) == {False, True}


@pytest.mark.parametrize(
    ("alpha", "message"),
    [
        ([1.0, 2.0], "alpha holds 2 numbers for 5 outputs"),
        ([1.0, 2.0, -1.0, 1.0, 1.0], "not negative"),
        ([1.0, np.nan, 1.0, 1.0, 1.0], "finite"),
        (["a", "b"], "must be a number, 'optimal', or one number per output"),
        (np.ones((5, 1)), "one number per output"),
    ],
)
def test_alphas_that_do_not_fit_are_refused(rows, alpha, message):
    with pytest.raises(ValueError, match=message):
        DeterministicEquivalentRidge(alpha).fit(*rows)


def test_it_is_yes_or_no(rows):
    with pytest.raises((TypeError, ValueError), match="alpha_per_target='yes'"):
        DeterministicEquivalentRidge("optimal", alpha_per_target="yes").fit(*rows)


def test_one_alpha_in_a_list_is_one_number():
    X = np.random.default_rng(0).normal(size=(30, 3))
    fitted = DeterministicEquivalentRidge([2.0]).fit(X, X[:, 0])
    assert isinstance(fitted.alpha_, float) and fitted.alpha_ == 2.0


def test_alphas_of_another_array_library_are_counted():
    torch = pytest.importorskip("torch")
    X = np.random.default_rng(0).normal(size=(30, 3))
    found = DeterministicEquivalentRidge(torch.tensor([1.0, 2.0, 3.0])).fit(X, X)
    np.testing.assert_array_equal(found.alpha_, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="alpha holds 2 numbers for 3 outputs"):
        DeterministicEquivalentRidge(torch.tensor([1.0, 2.0])).fit(X, X)


@pytest.mark.parametrize("shape", [(0,), (0, 3)])
def test_no_sizes_have_no_errors(rows, shape):
    ridge = DeterministicEquivalentRidge("optimal", alpha_per_target=True).fit(*rows)
    found = ridge.predict_test_error(np.empty(shape), return_interval=True, **RAW)
    assert [part.shape for part in found] == [(*shape, 5)] * 3
