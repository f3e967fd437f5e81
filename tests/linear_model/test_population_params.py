"""Parameters of a population that is given by its name."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier
from sk_deepfeat.plugins import register, resolve
from sk_deepfeat.populations import GCVPopulation, LeaveOneOutPopulation

RIDGES = (DeterministicEquivalentRidge, DeterministicEquivalentRidgeClassifier)


@pytest.mark.parametrize("ridge", RIDGES)
def test_the_default_name_takes_parameters(ridge):
    made = ridge().set_params(population__extrapolate=True, alpha=2.0)
    assert isinstance(made.population, LeaveOneOutPopulation)
    assert made.population.extrapolate is True and made.alpha == 2.0
    assert ridge().population == "leave-one-out", "the name itself is stored as it was given"
    again = ridge().set_params(**made.get_params())
    assert again.population.extrapolate is True
    copied = clone(made)
    assert copied.population is not made.population and copied.population.extrapolate is True
    assert pickle.loads(pickle.dumps(made)).population.extrapolate is True
    assert made.set_params(population__n_grid=60) is made, "an instance goes on as it did"
    assert made.population.extrapolate is True and made.population.n_grid == 60


def test_a_name_that_is_set_with_its_parameters():
    made = DeterministicEquivalentRidge().set_params(population="gcv", population__n_grid=50)
    assert isinstance(made.population, GCVPopulation) and made.population.n_grid == 50
    kept = DeterministicEquivalentRidge().set_params(population="gcv")
    assert kept.population == "gcv"


def test_what_is_wrong_is_refused_and_changes_nothing():
    ridge = DeterministicEquivalentRidge()
    message = r"Invalid parameter 'extra' for population='leave-one-out'.*'extrapolate'.*'n_grid'"
    with pytest.raises(ValueError, match=message):
        ridge.set_params(population__extra=1, alpha=3.0)
    assert ridge.population == "leave-one-out" and ridge.alpha == 1.0
    with pytest.raises(ValueError, match=r"known names: .*leave-one-out"):
        ridge.set_params(population="nobody", population__extrapolate=True)
    with pytest.raises(ValueError, match="Invalid parameter 'populations'"):
        ridge.set_params(populations__extrapolate=True)


def test_a_registered_instance_is_not_changed():
    shared = LeaveOneOutPopulation(n_grid=70)
    register("populations", "shared-for-parameters", shared)
    ridge = DeterministicEquivalentRidge(population="shared-for-parameters")
    ridge.set_params(population__extrapolate=True)
    assert ridge.population.n_grid == 70 and ridge.population.extrapolate is True
    assert resolve("populations", "shared-for-parameters") is shared
    assert shared.extrapolate is False


def test_a_search_over_a_parameter_of_the_default():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    y = X[:, 0] + rng.normal(size=60)
    pipeline = make_pipeline(StandardScaler(), DeterministicEquivalentRidge())
    grid = {"deterministicequivalentridge__population__extrapolate": [True, False]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert search.best_estimator_[-1].population.extrapolate is True
    assert pipeline[-1].population == "leave-one-out"
