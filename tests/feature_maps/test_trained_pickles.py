"""Lambdas and local classes as `module`: pickled as their code, or refused in words."""

import copy
import pickle
import threading

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

import networks  # noqa: E402
from torch import nn  # noqa: E402
from trained_cases import inputs, small  # noqa: E402


def local_class():
    class Local(nn.Module):
        def __init__(self, in_features, out_features, activation=nn.ReLU):
            super().__init__()
            self.first = nn.Linear(in_features, 4)
            self.act = activation()
            self.out = nn.Linear(4, out_features)

        def forward(self, x):
            return self.out(self.act(self.first(x)))

    return Local


CASES = {
    "lambda": {
        "module": lambda in_features, out_features: nn.Sequential(
            nn.Linear(in_features, 4), nn.ReLU(), nn.Linear(4, out_features)
        ),
        "layer": "1",
    },
    "local class": {"module": local_class(), "layer": "act"},
    "lambda in module_params": {
        "module": local_class(),
        "module_params": {"activation": lambda: nn.Tanh()},
        "layer": "act",
    },
}


@pytest.fixture(params=CASES)
def feature_map(request):
    return small(**CASES[request.param])


def test_round_trips(feature_map, tmp_path):
    X, y = inputs()
    cloudpickle = pytest.importorskip("cloudpickle", reason="pickles by value")
    clone(pickle.loads(pickle.dumps(feature_map))).fit(X, y)
    features = feature_map.fit(X, y).transform(X)
    module = feature_map.module
    joblib.dump(feature_map, tmp_path / "map.joblib")
    for other in (
        pickle.loads(pickle.dumps(feature_map)),
        pickle.loads(cloudpickle.dumps(feature_map)),
        joblib.load(tmp_path / "map.joblib"),
        copy.copy(feature_map),
        copy.deepcopy(feature_map),
    ):
        np.testing.assert_array_equal(other.transform(X), features)
        assert callable(other.module)
        assert isinstance(other.module, type) == isinstance(module, type)
    assert feature_map.module is feature_map._spec.module is module
    assert copy.copy(feature_map).module is module


def test_grid_search_in_processes(feature_map):
    X, y = inputs()
    pipeline = make_pipeline(feature_map, Ridge())
    grid = {"traineddeepfeatures__max_epochs": [1, 3]}
    one, two = (GridSearchCV(pipeline, grid, cv=2, n_jobs=n).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )
    assert np.all(np.isfinite(one.cv_results_["mean_test_score"]))


def test_what_pickle_finds_by_name_stays_a_name():
    feature_map = small(module=networks.Net, layer="act").fit(*inputs())
    assert b"networks" in pickle.dumps(feature_map)
    assert b"cloudpickle" not in pickle.dumps(feature_map)


def test_what_cannot_be_pickled_at_all_is_named():
    lock = threading.Lock()
    with pytest.raises(pickle.PicklingError, match=r"module=<lambda> cannot.*top of a file"):
        pickle.dumps(small(module=lambda: lock))
    with pytest.raises(pickle.PicklingError, match=r"module_params=dict cannot.*module_params"):
        pickle.dumps(small(module=networks.Net, module_params={"width": lock}))
