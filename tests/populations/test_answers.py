"""One record for one question: what a reachable cell implies, and what an answer costs."""

from contextlib import nullcontext
from functools import partial
from itertools import product

import numpy as np
import pytest
from samples import LinearPopulation, clustered_rows, elliptical_rows, gaussian_rows, power_law
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

from sk_deepfeat import DeterministicEquivalentRidge
from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.populations import GCVPopulation, LeaveOneOutPopulation, PlugInPopulation
from sk_deepfeat.theory import ErrorAnswer, ErrorSurface, ridge_risk
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.jackknife import JackknifeReplicates

ROWS = {
    "gaussian": gaussian_rows,
    "unequal": partial(elliptical_rows, tail=0.7),
    "clusters": partial(clustered_rows, n_clusters=30),
}
# Rows, features, noise: below, at and above the rank, tiny samples, and targets fitted exactly.
# Rows in clusters are noticed, which is tested elsewhere; here their errors are what counts.
pytestmark = pytest.mark.filterwarnings("ignore:Rows look")

SIZES = [(100, 80, 0.5), (60, 200, 0.5), (300, 40, 1.0), (80, 80, 0.3), (15, 5, 0.5), (90, 30, 0.0)]
POPULATIONS = {
    "leave-one-out": LeaveOneOutPopulation(),
    "bare": LeaveOneOutPopulation(calibrate=False),
    "corrected": LeaveOneOutPopulation(calibrate=True),
    "extrapolating": LeaveOneOutPopulation(extrapolate=True),
    "gcv": GCVPopulation(),
    "plug-in": PlugInPopulation(),
}


def answers(population, kind, n, p, noise, fit_intercept=True, outputs=None):
    drawn = LinearPopulation(
        power_law(p, 0.5), np.random.default_rng(3).normal(size=p), noise, rows=ROWS[kind]
    )
    X, y = drawn.sample(n, 0, outputs)
    with (
        pytest.warns(PopulationWarning) if n < 10 * p and population == "plug-in" else nullcontext()
    ):
        fitted = POPULATIONS[population].fit(X, y, fit_intercept=fit_intercept)
    sizes = np.unique(np.r_[2, np.round(n * np.array([0.1, 0.6, 1.0, 1.2, 5.0]))])
    alpha = np.r_[0.0, np.geomspace(1e-7, 1e4, 23)]
    return fitted.answer(sizes.clip(2)[:, None], alpha, fit_intercept=fit_intercept, variance=True)


def cases():
    """Every set with the default; for the others, which share its code, some of them."""
    for population, kind, size, fit_intercept in product(POPULATIONS, ROWS, SIZES, (True, False)):
        some = (size in SIZES[::2]) == fit_intercept and kind == "gaussian"
        if population in ("leave-one-out", "gcv") or some:
            yield pytest.param(population, kind, *size, fit_intercept)


@pytest.mark.parametrize(("population", "kind", "n", "p", "noise", "fit_intercept"), [*cases()])
def test_a_reachable_cell_is_known_in_every_part(population, kind, n, p, noise, fit_intercept):
    found = answers(population, kind, n, p, noise, fit_intercept)
    assert isinstance(found, ErrorAnswer)
    known = found.reachable
    assert known.any()
    parts = (found.error, found.train_error, found.bias_and_noise)
    for values in parts:
        assert not np.isnan(values[known]).any()
    assert np.isfinite(found.kappa[known]).all()
    if found.log_variance is not None:
        assert not np.isnan(found.log_variance[known]).any()
    for values in (*parts, found.log_variance):
        if values is not None:
            unknown = values[np.isnan(found.error)]
            assert np.isnan(unknown).all(), "what is unknown is so in every part"
    assert np.all(found.train_error[known] >= 0.0)
    assert np.all(found.train_error[known] <= found.error[known])
    assert np.all(found.bias_and_noise[known] >= 0.0)
    assert np.all(found.bias_and_noise[known] <= found.error[known] * (1 + 1e-12))


def test_every_output_is_held_to_the_rule():
    found = answers("leave-one-out", "unequal", 100, 80, 0.5, outputs=3)
    assert found.error.shape == (*found.reachable.shape, 3)
    for values in (found.error, found.train_error, found.bias_and_noise, found.log_variance):
        assert not np.isnan(values[found.reachable]).any()


@pytest.mark.parametrize("n", [100, 400])
def test_bias_and_noise_are_those_of_the_population(n):
    """Mean over samples, against the exact moments; bare differences would often be negative."""
    p, alpha = 80, np.geomspace(0.1, 1000.0, 9)
    drawn = LinearPopulation(power_law(p, 0.5), np.random.default_rng(3).normal(size=p), 1.0)
    sizes = np.array([n // 2, n])[:, None]
    exact = ridge_risk(*drawn.moments(), sizes, alpha, fit_intercept=True)
    logs = []
    for seed in range(12):
        fitted = LeaveOneOutPopulation(calibrate=False).fit(*drawn.sample(n, seed))
        found = fitted.answer(sizes, alpha, fit_intercept=True)
        logs.append(np.log(found.bias_and_noise[..., 0] / (exact.bias + exact.noise)))
    scatter = np.std(logs, axis=0)
    learned = exact.df2 < 0.5 * sizes  # beyond, bias and noise are lost in the variance
    assert np.abs(np.mean(logs, axis=0))[learned].max() < 0.1
    assert scatter[learned].max() < 0.35


def test_an_interval_evaluates_the_surface_once(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 60))
    ridge = DeterministicEquivalentRidge().fit(X, X[:, 0] + rng.normal(size=120))
    calls = {"answer": 0, "risk": 0, "test_error": 0, "log_errors": 0}

    def counted(owner, name):
        plain = getattr(owner, name)

        def method(self, *args, **kwargs):
            calls[name] += 1
            return plain(self, *args, **kwargs)

        monkeypatch.setattr(owner, name, method)

    counted(ErrorSurface, "answer")
    counted(CurveEvaluator, "risk")
    counted(CurveEvaluator, "test_error")
    counted(JackknifeReplicates, "log_errors")
    cells = np.array([30, 120, 400])[:, None], np.geomspace(0.1, 100, 5)
    ridge.predict_test_error(*cells, return_interval=True)
    assert calls["answer"] == 1
    assert calls["risk"] == 2, "at n and at n₀"
    assert calls["log_errors"] == 2, "all replicates together, below n₀ and beyond it"
    assert calls["test_error"] == 1, "the power laws"


def test_every_question_reads_the_same_record():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 60))
    ridge = DeterministicEquivalentRidge().fit(X, X[:, 0] + rng.normal(size=120))
    n, alpha = np.array([30, 120, 400])[:, None], np.geomspace(0.1, 100, 5)
    record = ridge.population_.answer(n, alpha, fit_intercept=True, variance=True)
    error, *ends = ridge.predict_test_error(n, alpha, return_interval=True)
    np.testing.assert_array_equal(error, record.error[..., 0])
    np.testing.assert_array_equal(ends, [end[..., 0] for end in record.interval(0.9)])
    np.testing.assert_array_equal(ridge.reachable(n, alpha), record.reachable)
    np.testing.assert_array_equal(ridge.predict_kappa(n, alpha), record.kappa)
    np.testing.assert_array_equal(ridge.predict_train_error(n, alpha), record.train_error[..., 0])
    parts = ridge.predict_decomposition(n, alpha)
    np.testing.assert_array_equal(parts.bias_and_noise, record.bias_and_noise[..., 0])


@pytest.mark.parametrize("weights", [[1e-9, 1e9, 1, 1], [1e-12, 1, 1, 1e12]])
def test_extreme_weights_are_answered(weights):
    rng = np.random.default_rng(8)
    X = rng.normal(size=(4, 4))
    y = X[:, 0] + rng.normal(size=4)
    ridge = DeterministicEquivalentRidge().fit(X, y, np.array(weights))
    assert not np.isnan(ridge.predict_test_error([1, 2, 3, 4], 1.0)).any()


class ByMembers(BaseEstimator):
    """A population with the old members alone, as plugins have them."""

    def __init__(self, population=None):
        self.population = population

    def fit(self, X, y, sample_weight=None, *, fit_intercept=True, path=None):
        self.population.fit(X, y, sample_weight, fit_intercept=fit_intercept, path=path)
        self.n_features_in_ = X.shape[1]
        return self

    def __getattr__(self, name):
        if name == "answer" or name.startswith("_") or name == "population":
            raise AttributeError(name)
        return getattr(self.population, name)


@pytest.mark.parametrize("outputs", [None, 2])
@pytest.mark.parametrize("population", ["leave-one-out", "gcv", "plug-in"])
def test_a_population_of_members_answers_the_same(population, outputs):
    drawn = LinearPopulation(power_law(20, 0.5), np.ones(20), 1.0)
    X, y = drawn.sample(250, 0, outputs)
    own = POPULATIONS[population]
    first = DeterministicEquivalentRidge(2.0, population=own).fit(X, y)
    second = DeterministicEquivalentRidge(2.0, population=ByMembers(own)).fit(X, y)
    assert not hasattr(second.population_, "answer")
    n, alpha = np.array([20, 250, 1000])[:, None], np.geomspace(0.01, 100, 7)
    for question in ("predict_test_error", "predict_train_error", "predict_kappa", "reachable"):
        np.testing.assert_allclose(
            getattr(second, question)(n, alpha), getattr(first, question)(n, alpha), rtol=1e-12
        )
    for name, values in vars(first.predict_decomposition(n, alpha)).items():
        np.testing.assert_allclose(
            getattr(second.predict_decomposition(n, alpha), name), values, rtol=1e-12
        )
    if population == "leave-one-out":
        raw = {"return_interval": True, "multioutput": "raw_values", "level": 0.5}
        np.testing.assert_allclose(
            second.predict_test_error(n, alpha, **raw), first.predict_test_error(n, alpha, **raw)
        )
    assert second.optimal_alpha(100) == first.optimal_alpha(100)
    target = 1.2 * first.test_error_
    assert second.required_samples(target) == first.required_samples(target)


class TenTimes(GCVPopulation):
    """A class derived from one that gives records, with a member of its own."""

    def test_error(self, n_samples, alpha, *, fit_intercept):
        return 10.0 * super().test_error(n_samples, alpha, fit_intercept=fit_intercept)


class WithInterval(GCVPopulation):
    def interval(self, n_samples, alpha, *, level=0.9, fit_intercept):
        error = self.test_error(n_samples, alpha, fit_intercept=fit_intercept)
        return 0.5 * error, 2.0 * error


class TwentyTimes(TenTimes):
    """And one that gives records again."""

    def answer(self, *args, **kwargs):
        found = super().answer(*args, **kwargs)
        return found._replace(error=20.0 * found.error)


@pytest.mark.parametrize("wrap", [lambda population: population, FrozenEstimator])
def test_a_member_of_its_own_is_what_a_derived_population_means(wrap):
    X, y = LinearPopulation(power_law(20, 0.5), np.ones(20), 1.0).sample(100)
    plain, ten, twenty, interval = (
        DeterministicEquivalentRidge(
            population=wrap(population.fit(X, y)) if wrap is FrozenEstimator else population
        ).fit(X, y)
        for population in (GCVPopulation(), TenTimes(), TwentyTimes(), WithInterval())
    )
    assert ten.test_error_ == pytest.approx(10.0 * plain.test_error_)
    assert twenty.test_error_ == pytest.approx(20.0 * plain.test_error_)
    error, low, high = interval.predict_test_error(return_interval=True)
    assert (low, high) == (pytest.approx(0.5 * error), pytest.approx(2.0 * error))
    with pytest.raises(ValueError, match="does not implement interval"):
        plain.predict_test_error(return_interval=True)
