import numpy as np
from deepfeat_fourier import FourierFeatures
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures, TwoStageRegressor
from sk_deepfeat.plugins import available

X, y = load_diabetes(return_X_y=True)
X = StandardScaler().fit_transform(X)


def test_names_are_found():
    assert "fourier" in available("feature_maps")
    assert {"silu", "gaussian"} <= set(available("activations"))


def test_grid_search_over_names():
    model = TwoStageRegressor(
        "random", DeterministicEquivalentRidge("optimal"), feature_size=0.1, random_state=0
    )
    grid = {"feature_map": ["random", "fourier", FourierFeatures(50, length_scale=4.0)]}
    search = GridSearchCV(model, grid, cv=3, n_jobs=2).fit(X, y)
    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))


def test_grid_search_over_activations():
    features = RandomDeepFeatures((50,), random_state=0)
    pipeline = Pipeline([("feat", features), ("ridge", Ridge(10.0))])
    grid = {"feat__activation": ["relu", "silu", "gaussian"]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    # the plugins are used, and are not relu: three different scores
    assert len(set(search.cv_results_["mean_test_score"])) == 3
