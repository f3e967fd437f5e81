"""The smallest number of samples that reaches an error."""

import warnings

import numpy as np
import pytest
from samples import LinearPopulation, power_law
from searched_errors import curve, kinked, search_of

from sk_deepfeat import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
    predict_test_error,
)
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import LeaveOneOutPopulation
from sk_deepfeat.theory import minimize_on_log_scale
from sk_deepfeat.theory.alpha_search import AlphaSearch
from sk_deepfeat.theory.required_samples import (
    _fewest,
    _first_of_more,
    required_samples,
    rows_of_draws,
)
from sk_deepfeat.theory.search import LARGEST_N


@pytest.mark.parametrize("n_rows", [1e6, np.inf])
def test_a_plateau_ends_no_search_before_all_rows(n_rows):
    """At a huge alpha the error of few samples is level."""
    search = search_of(lambda n, alpha: 1.0 + 1.0 / (1.0 + n / alpha), n_rows=n_rows)
    assert required_samples(search, 1.5, 1e5, 0.0, 1.0) == 1e5


@pytest.mark.parametrize("target", [3.0, 1.5, 1.1, 1.03])
def test_required_samples_are_the_fewest_and_cost_few_questions(target):
    asked = []
    search = search_of(curve, asked)
    needed = required_samples(search, target, "optimal", 0.0, 1.0)
    few = len(asked)

    def least(n):
        alone = minimize_on_log_scale(lambda a: curve(n, a), 1e-13 * n, 1e6 * n)
        return alone.value

    assert least(needed) <= target
    assert needed == 1.0 or least(needed - 1.0) > target
    assert few < 45, "one call for many sizes and alphas"
    assert required_samples(search, target, "optimal", 0.0, 1.0) == needed
    assert len(asked) == few, "what is known is not asked again"


@pytest.mark.parametrize("target", [3.0, 1.2, 1.03])
def test_required_samples_at_one_alpha(target):
    needed = required_samples(search_of(kinked), 2.0 + target, 5.0, 0.0, 1.0)
    if np.isnan(needed):
        assert kinked(1e6, 5.0) > 2.0 + target
    else:
        assert kinked(needed, 5.0) <= 2.0 + target
        assert needed == 1.0 or kinked(needed - 1.0, 5.0) > 2.0 + target


@pytest.mark.parametrize("guess", [10.0, 11.0, 13.0, 40.0, 5000.0])
def test_the_fewest_are_found_from_above(guess):
    asked = []

    def error(n):
        asked.append(n.size)
        return 10.0 / n

    assert _fewest(error, 1.0, guess) == 10.0
    assert _fewest(error, 10.0, guess) == 1.0, "one is enough"
    assert len(asked) < 50, "steps grow"


@pytest.mark.parametrize("needed", [101, 102, 103, 106, 110, 120, 140, 199, 200, 201, 350, 5000])
def test_more_than_a_guess_are_found(needed):
    asked = []

    def error(n):
        asked.append(n.size)
        return needed / n

    assert _first_of_more(error, 1.0, 100.0, 1.0, monotone=True) == needed
    assert len(asked) <= (5 if needed <= 200 else 12)


def test_what_fewer_than_the_guess_reach_is_not_asked_for():
    def error(n):
        return np.where(n < 50, 0.5, 350.0 / n)

    assert _first_of_more(error, 1.0, 100.0, 1.0, monotone=True) == 350.0


@pytest.mark.parametrize("dip", [20.0, 3000.0])
def test_at_one_alpha_the_first_dip_counts(dip):
    """Errors of one alpha may rise with n, within the rows and beyond them."""

    def errors(n, alpha):
        near = np.abs(np.log(n / dip)) < 0.2
        return np.where(near, 1.0, np.where(n < 1e5, 3.0, 1.0)) + 0.0 * alpha

    needed = required_samples(search_of(errors, n_rows=1e3), 2.0, 0.1, 0.0, 1.0)
    assert dip * np.exp(-0.2) <= needed < dip * np.exp(-0.2) + 1.0


@pytest.mark.parametrize("alpha", [0.1, "optimal"])
@pytest.mark.parametrize("n_rows", [1000.0, 777.0])
def test_what_all_rows_are_told_to_reach_counts(n_rows, alpha):
    """Of all rows errors may be counted, where those of a search are smooth."""

    def errors(n, at):
        n, _ = np.broadcast_arrays(n, at)
        return 1.0 + 5e3 / n, 1.0 + 5e3 / n

    def told(n, at):
        return np.where(n == n_rows, 1.5, errors(n, at)[0])

    search = AlphaSearch(errors, 1.0, n_rows, told=told)
    for target in (2.0, 1.5):
        assert required_samples(search, target, alpha, 0.0, 1.0) == n_rows
    assert required_samples(search, 1.4, alpha, 0.0, 1.0) == 12500.0
    assert required_samples(search, 2.0, alpha, 0.0, n_rows / 111) == 111.0, "draws of several rows"
    np.testing.assert_array_equal(search.errors_at_best(np.array([n_rows, 10.0])), [1.5, 501.0])


@pytest.mark.parametrize("told_from", [0.0, 1.0])
def test_rows_that_just_reach_the_target_do(told_from):
    """Also where what is searched asks for one more than what is told."""
    search = AlphaSearch(
        lambda n, at: (1.0 + 5e3 / (n - told_from) + 0.0 * at,) * 2,
        1.0,
        1e4,
        told=lambda n, at: 1.0 + 5e3 / n + 0.0 * at,
    )
    assert required_samples(search, 6.0, "optimal", 0.0, 1.0) == 1000.0
    with pytest.warns(PopulationWarning, match="that no number of samples passes"):
        assert required_samples(search, 1.0, "optimal", 1.0, 1.0) == np.inf


@pytest.mark.parametrize("steepness", [0.1, 1.0])
@pytest.mark.parametrize("target", [1.04, 1.03, 1.02])
def test_caution_counts_as_it_does_at_the_best_alpha(target, steepness):
    """Of what is less sure than the best alpha, no lower error counts."""
    search = search_of(curve, n_rows=100.0, caution=lambda a: 1.0 + steepness / (1.0 + a))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        needed = required_samples(search, target, "optimal", 0.0, 1.0)
        at, fewer = search.best(np.array([needed, needed - 1.0]))
    assert needed > 100.0
    assert at.error <= target < fewer.error
    assert search.least_errors(np.array([needed]))[0] <= at.error


def test_what_rises_is_asked_for_at_more_rows_first_and_at_fewer_last():
    """Noise may let the error of few rows be the least, and more contradict them."""

    def errors(n, alpha):
        near = np.abs(np.log(n / 20.0)) < 0.2
        return np.where(near, 1.0, np.where(n < 3000.0, 3.0, 1.5)) + 0.01 * np.log(alpha) ** 2

    search = search_of(errors, n_rows=1e3)
    assert required_samples(search, 1.6, "optimal", 0.0, 1.0) == 3000.0
    assert required_samples(search, 1.2, "optimal", 0.0, 1.0) == np.ceil(20.0 * np.exp(-0.2))
    with pytest.warns(PopulationWarning, match="is not reached"):
        assert np.isnan(required_samples(search, 0.9, "optimal", 0.0, 1.0))


def test_no_number_beyond_the_largest_is_asked_for():
    def error(n):
        assert np.all(n <= LARGEST_N)
        return np.where(n < LARGEST_N, 2.0, 1.0)

    assert _first_of_more(error, 1.5, LARGEST_N / 4.0, 1.0, monotone=True) == LARGEST_N
    assert np.isnan(_first_of_more(error, 0.5, 0.9 * LARGEST_N, 1.0, monotone=True))
    assert np.isnan(_first_of_more(error, 0.5, LARGEST_N, 1.0, monotone=True))


def test_all_rows_are_asked_for_on_the_way_to_more():
    def error(n):
        return np.where(n == 1000.0, 0.5, 5000.0 / n)

    assert _first_of_more(error, 1.0, 200.0, 1000.0, monotone=True) == 1000.0
    assert _first_of_more(error, 1.0, 2000.0, 1000.0, monotone=True) == 5000.0


def test_all_groups_have_all_rows():
    """The mean rows of a group, times the groups, are the rows up to the last bit."""
    for n_rows in range(2, 200):
        groups = np.arange(1.0, n_rows + 1.0)
        found = [float(rows_of_draws(np.array(g), n_rows / g, float(n_rows))) for g in groups]
        assert found == [float(n_rows)] * n_rows
    assert rows_of_draws(np.array([1.0, 2.0]), 2.5, np.inf).tolist() == [2.5, 5.0]
    assert rows_of_draws(np.array(999.0), 1.0, 1000.0) == 999.0


MODELS = {
    "rows": DeterministicEquivalentRidge(),
    "beyond reach": DeterministicEquivalentRidge(
        population=LeaveOneOutPopulation(extrapolate=True)
    ),
    "outputs": DeterministicEquivalentRidge(population=LeaveOneOutPopulation(extrapolate=True)),
    "each output": DeterministicEquivalentRidge(alpha_per_target=True),
    "classes": DeterministicEquivalentRidgeClassifier(),
}


@pytest.mark.parametrize("share", [1.2, 0.97, 0.9, 0.8])
@pytest.mark.parametrize("name", MODELS)
def test_the_error_at_the_best_alpha_reaches_the_target_there(name, share):
    X, y = LinearPopulation(power_law(60, 0.7), np.ones(60), 1.0).sample(120, 0)
    if "output" in name:
        y = np.c_[y, X[:, :5].sum(axis=1) + np.random.default_rng(1).normal(size=120)]
    model = MODELS[name].fit(X, y > 0 if name == "classes" else y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        target = share * predict_test_error(model, 120, "optimal")
        needed = model.required_samples(target)
        if np.isnan(needed):
            assert share < 1.0
            known = predict_test_error(model, 120.0 * 2.0 ** np.arange(12), "optimal")
            assert not np.any(known <= target)
            return
        at, fewer = predict_test_error(model, [needed, needed - 1.0], "optimal")
    assert (needed > 120) == (share < 1.0)
    assert np.isnan(at) or at <= target * (1.0 + 1e-9)
    assert not fewer <= target


@pytest.mark.parametrize("alpha", [0.5, 5.0, "optimal"])
def test_counts_at_the_training_size_are_reached_there(alpha):
    """Of few rows the count at one alpha may be far from what a curve through others says."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(20, 3)), rng.integers(2, size=20)
        model = DeterministicEquivalentRidgeClassifier().fit(X, y)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PopulationWarning)
            assert model.required_samples(predict_test_error(model, 20, alpha), alpha) <= 20
