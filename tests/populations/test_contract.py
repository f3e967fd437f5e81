"""Every registered population keeps the contract; the suite itself notices what breaks it."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from sk_deepfeat.plugins import available, register, resolve
from sk_deepfeat.populations import ExactPopulation, GCVPopulation
from sk_deepfeat.testing import check_population


@pytest.mark.parametrize("name", available("populations"))
def test_registered_populations(name):
    check_population(resolve("populations", name))


def test_exact_population():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(5, 5))
    mean = rng.normal(size=5)
    Omega = A @ A.T + np.outer(mean, mean)
    beta = rng.normal(size=5)
    psi = Omega @ beta
    check_population(
        ExactPopulation(Omega, psi, beta @ psi + 1, feature_mean=mean, target_mean=mean @ beta)
    )


class Constant(BaseEstimator):
    """A third party's population: the required members and nothing else."""

    def __init__(self, level=2.0):
        self.level = level

    def fit(self, X, y, sample_weight=None, *, fit_intercept=True, path=None):
        self.n_features_in_ = np.shape(X)[1]
        return self

    def test_error(self, n_samples, alpha, *, fit_intercept):
        return np.full(np.broadcast_shapes(np.shape(n_samples), np.shape(alpha)), self.level)

    def kappa(self, n_samples, alpha, *, fit_intercept):
        return np.asarray(alpha) / np.asarray(n_samples, dtype=float)


def test_minimal_third_party_population():
    check_population(Constant())


class WrongShape(Constant):
    def test_error(self, n_samples, alpha, *, fit_intercept):
        return np.full(np.shape(n_samples), self.level)


class Negative(Constant):
    def test_error(self, n_samples, alpha, *, fit_intercept):
        return -super().test_error(n_samples, alpha, fit_intercept=fit_intercept)


class AnyWidth(Constant):
    def fit(self, X, y, sample_weight=None, *, fit_intercept=True, path=None):
        self.n_features_in_ = 5
        return self


class WrongInterval(Constant):
    def interval(self, n_samples, alpha, *, level=0.9, fit_intercept):
        error = self.test_error(n_samples, alpha, fit_intercept=fit_intercept)
        return error + 0.1, error + 0.2


class IgnoresPath(GCVPopulation):
    def fit(self, X, y, sample_weight=None, *, fit_intercept=True, path=None):
        shift = 0.0 if path is None else 10.0
        return super().fit(X, np.asarray(y) * (1 + shift), fit_intercept=fit_intercept)


class Forgetful(GCVPopulation):
    def answer(self, *args, **kwargs):
        found = super().answer(*args, **kwargs)
        return found._replace(bias_and_noise=np.full_like(found.error, np.nan))


class Dreaming(GCVPopulation):
    """Says something of the training error where it does not know the error."""

    def answer(self, *args, **kwargs):
        found = super().answer(*args, **kwargs)
        known = np.asarray(found.kappa > 0.1)
        error = np.where(known[..., None], found.error, np.nan)
        return found._replace(error=error, reachable=found.reachable & known)


class Loud(GCVPopulation):
    def answer(self, *args, **kwargs):
        found = super().answer(*args, **kwargs)
        return found._replace(train_error=2.0 * found.error)


class TwoMinds(GCVPopulation):
    def test_error(self, *args, **kwargs):
        return 2.0 * super().test_error(*args, **kwargs)


@pytest.mark.parametrize(
    ("population", "message"),
    [
        (WrongShape(), "shape broadcast"),
        (Negative(), "not negative"),
        (AnyWidth(), "another width"),
        (WrongInterval(), "interval must hold the error"),
        (IgnoresPath(), "factorisation handed over"),
        (Forgetful(), "bias_and_noise must be known wherever answer says"),
        (Dreaming(), "train_error must be NaN wherever the error is"),
        (Loud(), "train_error must lie between 0 and the error"),
        (TwoMinds(), "errors of answer must be those of test_error"),
    ],
)
def test_the_suite_notices(population, message):
    with pytest.raises(AssertionError, match=message):
        check_population(population)


def test_missing_member_is_named():
    class Half(BaseEstimator):
        def fit(self, X, y):
            return self

    with pytest.raises(TypeError, match="lacks test_error, kappa"):
        check_population(Half())


def test_a_registered_population_serves_the_ridge(monkeypatch):
    from sk_deepfeat import DeterministicEquivalentRidge
    from sk_deepfeat.plugins import lookup

    monkeypatch.setitem(lookup._registered, "populations", {})
    register("populations", "constant", Constant)
    ridge = DeterministicEquivalentRidge(population="constant")
    assert ridge.fit(np.eye(3), [1.0, 2.0, 3.0]).test_error_ == 2.0


class MoreVarianceThanFreedom(Constant):
    def degrees_of_freedom(self, kappa, *, fit_intercept):
        return np.ones(np.shape(kappa)), np.full(np.shape(kappa), 2.0)


def test_impossible_degrees_of_freedom_are_noticed():
    with pytest.raises(AssertionError, match="0 <= df2 <= df1"):
        check_population(MoreVarianceThanFreedom())
