import copy
import pickle
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import kstest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sk_deepfeat.activations import CallableActivation, relu, tanh
from sk_deepfeat.feature_maps import RandomDeepFeatures
from sk_deepfeat.plugins.lookup import BUILT_IN

ACTIVATIONS = sorted(BUILT_IN["activations"])
MIB = 2**20


def inputs(n=40, d=6, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def by_hand(layers, X):
    for weights, bias, activation in layers:
        X = activation(X @ weights.T + (0 if bias is None else bias))
    return X


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [9, (9,), [7, 5, 3]])
def test_linearization_layers_reproduce_transform(activation, sizes):
    feature_map = RandomDeepFeatures(sizes, activation, bias_scale=0.5, random_state=0)
    X = inputs()
    features = feature_map.fit_transform(X)
    np.testing.assert_allclose(features, by_hand(feature_map.linearization_layers(), X), rtol=1e-12)
    assert features.shape == (40, np.ravel(sizes)[-1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_single_precision_agrees_with_double(activation):
    X = inputs(200, 30).astype(np.float32)
    feature_map = RandomDeepFeatures((50, 40), activation, random_state=0).fit(X)
    single, double = feature_map.transform(X), feature_map.transform(X.astype(np.float64))
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    if activation == "sign":  # rounding may turn a sign over in the second layer
        assert np.mean(single != double) < 1e-3
    else:
        np.testing.assert_allclose(single, double, atol=4e-6)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_, np.float16])
def test_other_dtypes_are_cast_to_double(dtype):
    X = np.abs(inputs() * 3).astype(dtype)
    feature_map = RandomDeepFeatures(5, random_state=0).fit(X)
    features = feature_map.transform(X)
    assert features.dtype == np.float64
    np.testing.assert_array_equal(features, feature_map.transform(X.astype(np.float64)))


def test_default_weights_are_normal_with_variance_one_over_fan_in():
    feature_map = RandomDeepFeatures((400, 300), bias_scale=2.0, random_state=0).fit(inputs(d=100))
    for weights, bias in zip(feature_map.weights_, feature_map.biases_, strict=True):
        assert weights.dtype == bias.dtype == np.float64
        assert kstest(weights.ravel() * weights.shape[1] ** 0.5, "norm").pvalue > 1e-3
        assert kstest(bias / 2.0, "norm").pvalue > 1e-3
    assert RandomDeepFeatures(3).fit(inputs()).biases_ == [None]


def full_covariance(d, seed=0):
    root = np.random.default_rng(seed).standard_normal((d, d))
    return root @ root.T / d


POWER = np.arange(1.0, 6.0) ** -1.3
COVARIANCES = {
    "none": (None, np.eye(5) / 5),
    "full": (full_covariance(5), full_covariance(5)),
    "singular": (np.ones((5, 5)), np.ones((5, 5))),
    "diagonal": (np.arange(5.0), np.diag(np.arange(5.0))),
    "power law": (1.3, np.diag(POWER / POWER.sum())),
    "callable": (lambda earlier: full_covariance(5), full_covariance(5)),
}


@pytest.mark.parametrize("name", COVARIANCES)
def test_rows_have_the_covariance(name):
    given, expected = COVARIANCES[name]
    n = 40_000
    feature_map = RandomDeepFeatures(n, weight_covariance=given, random_state=0)
    weights = feature_map.fit(inputs(d=5)).weights_[0]
    # Standard error of an entry of the sample covariance: sqrt((C_ij² + C_ii C_jj) / n).
    error = np.sqrt((expected**2 + np.outer(np.diag(expected), np.diag(expected))) / n)
    assert np.all(np.abs(weights.T @ weights / n - expected) <= 5 * error + 1e-12)


def test_covariance_of_each_layer_and_of_earlier_weights():
    seen = []

    def from_earlier(earlier):
        seen.append([weights.copy() for weights in earlier])
        return earlier[-1] @ earlier[-1].T / len(earlier[-1])

    feature_map = RandomDeepFeatures(
        (4, 3, 2), weight_covariance=[None, from_earlier, 0.5], random_state=0
    ).fit(inputs())
    assert len(seen) == 1 and len(seen[0]) == 1
    np.testing.assert_array_equal(seen[0][0], feature_map.weights_[0])
    first_only = RandomDeepFeatures((4,), random_state=0).fit(inputs())
    np.testing.assert_array_equal(first_only.weights_[0], feature_map.weights_[0])


def test_earlier_is_empty_for_the_first_layer():
    lengths = []
    RandomDeepFeatures((4, 3), weight_covariance=lambda earlier: lengths.append(len(earlier))).fit(
        inputs()
    )
    assert lengths == [0, 1]


@pytest.mark.parametrize("activation", [np.square, relu, lambda x: np.sin(3 * x), tanh])
def test_activation_may_be_any_callable(activation):
    feature_map = RandomDeepFeatures(5, activation, random_state=0).fit(inputs())
    weights, _, found = feature_map.linearization_layers()[0]
    np.testing.assert_allclose(feature_map.transform(inputs()), activation(inputs() @ weights.T))
    assert found is activation or isinstance(found, CallableActivation)


def test_activation_that_ignores_out():
    class Stubborn:
        def __call__(self, x, out=None):
            return x + 1

        def derivative(self, x):
            return np.ones_like(x)

    feature_map = RandomDeepFeatures(5, Stubborn(), random_state=0).fit(inputs())
    expected = inputs() @ feature_map.weights_[0].T + 1
    np.testing.assert_allclose(feature_map.transform(inputs()), expected)


def test_rows_do_not_depend_on_their_block():
    X = inputs(30_000, 100).astype(np.float32)
    feature_map = RandomDeepFeatures((700, 20), "tanh", random_state=0).fit(X)
    features = feature_map.transform(X)
    some = np.r_[0, 5, 3333, 12_345, 29_998:30_000]
    np.testing.assert_allclose(features[some], feature_map.transform(X[some]), atol=2e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
@pytest.mark.parametrize("activation", ["relu", "gelu", np.square])
def test_memory_beyond_the_features(dtype, activation):
    X = np.random.default_rng(0).integers(0, 9, (30_000, 400)).astype(dtype)
    feature_map = RandomDeepFeatures((400, 300, 100), activation, random_state=0).fit(X[:5])
    feature_map.transform(X[:5])
    tracemalloc.start()
    try:
        features = feature_map.transform(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - features.nbytes < 64 * MIB


def test_same_seed_same_weights_and_generator_moves_on():
    first, second = (RandomDeepFeatures(5, random_state=3).fit(inputs()) for _ in range(2))
    np.testing.assert_array_equal(first.weights_[0], second.weights_[0])
    rng = np.random.RandomState(0)
    first, second = (RandomDeepFeatures(5, random_state=rng).fit(inputs()) for _ in range(2))
    assert not np.array_equal(first.weights_[0], second.weights_[0])


@pytest.mark.parametrize("n_features", [6, np.int32(6)])
def test_weights_drawn_without_rows_are_those_of_fit(n_features):
    options = {"weight_covariance": [0.5, None], "bias_scale": 0.3, "random_state": 4}
    drawn = RandomDeepFeatures((8, 5), "tanh", **options)
    assert drawn.draw(n_features) is drawn
    fitted = RandomDeepFeatures((8, 5), "tanh", **options).fit(inputs())
    assert vars(drawn).keys() == vars(fitted).keys()
    assert type(drawn.n_features_in_) is int
    for ours, theirs in zip(
        drawn.linearization_layers(), fitted.linearization_layers(), strict=True
    ):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])
    np.testing.assert_array_equal(drawn.transform(inputs()), fitted.transform(inputs()))
    np.testing.assert_array_equal(drawn.get_feature_names_out(), fitted.get_feature_names_out())
    with pytest.raises(ValueError, match="expecting 6 features"):
        drawn.transform(inputs(d=7))


def test_drawing_forgets_the_names_of_columns():
    pandas = pytest.importorskip("pandas")
    feature_map = RandomDeepFeatures(5).fit(pandas.DataFrame(inputs(), columns=list("abcdef")))
    assert not hasattr(feature_map.draw(4), "feature_names_in_")
    assert feature_map.transform(inputs(d=4)).shape == (40, 5)


@pytest.mark.parametrize(
    ("width", "error", "message"),
    [
        (0, ValueError, "n_features=0 must be at least 1"),
        (True, TypeError, "n_features=True must be an integer"),
        (2.0, TypeError, r"n_features=2\.0 must be an integer"),
        (np.zeros((3, 2)), TypeError, r"n_features of shape \(3, 2\) must.*fit\(X\) takes rows"),
    ],
)
def test_a_width_that_is_none_is_refused(width, error, message):
    with pytest.raises(error, match=message):
        RandomDeepFeatures(5).draw(width)


def test_cast_is_kept_but_not_pickled():
    X = inputs().astype(np.float32)
    feature_map = RandomDeepFeatures((50, 40), random_state=0).fit(X)
    before, size = dict(vars(feature_map)), len(pickle.dumps(feature_map))
    features = feature_map.transform(X)
    assert vars(feature_map) == before
    kept = feature_map._layers(True)
    assert all(a.weights is b.weights for a, b in zip(kept, feature_map._layers(True), strict=True))
    assert len(pickle.dumps(feature_map)) == size
    for other in (pickle.loads(pickle.dumps(feature_map)), copy.deepcopy(feature_map)):
        np.testing.assert_array_equal(other.transform(X), features)
    feature_map.weights_[0] = 2 * feature_map.weights_[0]
    np.testing.assert_allclose(feature_map.transform(X), 2 * features, rtol=1e-6)
    assert not vars(clone(feature_map)).keys() - feature_map.get_params().keys()


def test_refit_forgets_the_cast():
    X = inputs().astype(np.float32)
    feature_map = RandomDeepFeatures(5, random_state=0).fit(X)
    first = feature_map.transform(X)
    assert not np.allclose(feature_map.set_params(random_state=1).fit(X).transform(X), first)


NOT_DEFINITE = np.array([[1.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"hidden_layer_sizes": 0}, ValueError, "hidden_layer_sizes=0 .*positive int"),
        ({"hidden_layer_sizes": (5, -1)}, ValueError, r"hidden_layer_sizes=\(5, -1\)"),
        ({"hidden_layer_sizes": ()}, ValueError, r"hidden_layer_sizes=\(\) is empty"),
        ({"hidden_layer_sizes": 2.5}, TypeError, "hidden_layer_sizes=2.5"),
        ({"hidden_layer_sizes": True}, TypeError, "hidden_layer_sizes=True"),
        ({"hidden_layer_sizes": "5"}, TypeError, "hidden_layer_sizes='5'"),
        ({"hidden_layer_sizes": None}, TypeError, "hidden_layer_sizes=None"),
        ({"activation": "rleu"}, ValueError, "activation='rleu'.*known names: .*relu"),
        ({"activation": 3}, TypeError, "activation=3"),
        ({"bias_scale": -1.0}, ValueError, "bias_scale == -1.0"),
        ({"bias_scale": np.nan}, ValueError, "bias_scale == nan"),
        ({"bias_scale": "1"}, TypeError, "bias_scale"),
        ({"weight_covariance": [None, None]}, ValueError, "2 entries.*1 layers"),
        ({"weight_covariance": np.eye(3)}, ValueError, r"shape \(3, 3\).*fan_in=2"),
        ({"weight_covariance": np.ones(3)}, ValueError, r"shape \(3,\).*fan_in=2"),
        ({"weight_covariance": np.array([[1.0, 0.5], [0, 1]])}, ValueError, "symmetric"),
        ({"weight_covariance": NOT_DEFINITE}, ValueError, "semi-definite.*lowest eigenvalue is -1"),
        ({"weight_covariance": np.array([1.0, -1.0])}, ValueError, "semi-definite"),
        ({"weight_covariance": np.array([1.0, np.nan])}, ValueError, "finite"),
        ({"weight_covariance": np.inf}, ValueError, "exponent must be finite"),
        ({"weight_covariance": "identity"}, TypeError, "weight_covariance of layer 0"),
        ({"weight_covariance": np.array(["a", "b"])}, TypeError, "numeric"),
        ({"weight_covariance": lambda earlier: np.eye(7)}, ValueError, r"shape \(7, 7\)"),
    ],
)
def test_wrong_parameters_are_named(params, error, message):
    with pytest.raises(error, match=message):
        RandomDeepFeatures(**{"hidden_layer_sizes": 4, **params}).fit(inputs(d=2))


def test_wrong_inputs_are_refused():
    feature_map = RandomDeepFeatures(4, random_state=0)
    with pytest.raises(NotFittedError, match=r"no weights: call draw\(n_features\)"):
        feature_map.transform(inputs())
    with pytest.raises(NotFittedError, match=r"no weights: call draw\(n_features\)"):
        feature_map.linearization_layers()
    feature_map.fit(inputs())
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        feature_map.transform(sp.csr_array(inputs()))
    with pytest.raises(ValueError, match="NaN"):
        feature_map.transform(np.full((2, 6), np.nan))
    with pytest.raises(ValueError, match=r"7 features.*6 features"):
        feature_map.transform(inputs(d=7))
    with pytest.raises(ValueError, match="1D array"):
        feature_map.transform(inputs()[0])
