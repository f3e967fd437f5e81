"""Groups reach the ridge through scikit-learn's metadata routing."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import DeterministicEquivalentRidge

RNG = np.random.default_rng(0)
CODES = RNG.integers(30, size=240)
GROUPS = np.array([f"site {code}" for code in CODES])
X = RNG.normal(size=(240, 6)) + RNG.normal(size=(30, 6))[CODES]
Y = X[:, 0] + RNG.normal(size=30)[CODES] + 0.5 * RNG.normal(size=240)


@pytest.fixture(autouse=True)
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def test_through_a_pipeline():
    ridge = DeterministicEquivalentRidge().set_fit_request(groups=True)
    fitted = make_pipeline(StandardScaler(), ridge).fit(X, Y, groups=GROUPS)[-1]
    direct = DeterministicEquivalentRidge().fit(StandardScaler().fit_transform(X), Y, groups=GROUPS)
    assert fitted.n_groups_ == 30
    assert fitted.test_error_ == pytest.approx(direct.test_error_)


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_through_a_search(in_pipeline):
    ridge = DeterministicEquivalentRidge().set_fit_request(groups=True)
    estimator = make_pipeline(StandardScaler(), ridge) if in_pipeline else ridge
    name = "deterministicequivalentridge__alpha" if in_pipeline else "alpha"
    search = GridSearchCV(estimator, {name: [1.0, 100.0]}, cv=GroupKFold(3))
    best = search.fit(X, Y, groups=GROUPS).best_estimator_
    assert (best[-1] if in_pipeline else best).n_groups_ == 30


def test_folds_get_the_groups_of_their_rows():
    ridge = DeterministicEquivalentRidge().set_fit_request(groups=True)
    found = cross_validate(
        ridge, X, Y, cv=GroupKFold(3), params={"groups": GROUPS}, return_estimator=True
    )
    assert [fitted.n_groups_ for fitted in found["estimator"]] == [20, 20, 20]


def test_groups_that_are_not_asked_for_do_not_arrive():
    ridge = DeterministicEquivalentRidge().set_fit_request(groups=False)
    fitted = make_pipeline(StandardScaler(), ridge).fit(X, Y)
    assert fitted[-1].n_groups_ is None
