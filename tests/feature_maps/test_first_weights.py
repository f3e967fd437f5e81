"""The law of the weights that training begins with."""

import pickle

import numpy as np
import pytest
from samples import power_law
from scipy.stats import kstest
from sklearn.base import clone
from trained_cases import fit_and_transform, inputs, small

from sk_deepfeat.feature_maps import RandomDeepFeatures

pytest.importorskip("torch")
pytest.importorskip("skorch")


def first_weights(**params):
    fitted = small(max_epochs=0, **params).fit(inputs()[0])
    return [weights for weights, _, _ in fitted.linearization_layers()]


@pytest.mark.parametrize("exponent", [0.0, 1.5])
def test_rows_have_the_spectrum_of_a_power_law(exponent):
    drawn = first_weights(hidden_layer_sizes=(4000, 7), weight_covariance=exponent)
    spectrum = power_law(6, exponent) / power_law(6, exponent).sum()
    np.testing.assert_allclose(drawn[0].T @ drawn[0] / 4000, np.diag(spectrum), atol=0.03)
    assert kstest((drawn[0] / np.sqrt(spectrum)).ravel(), "norm").pvalue > 1e-3
    second = power_law(4000, exponent) / power_law(4000, exponent).sum()
    assert np.sum(drawn[1] ** 2 / second) / drawn[1].size == pytest.approx(1.0, abs=0.05)


def test_each_layer_has_a_law_of_its_own():
    seen = []

    def of_earlier(earlier):
        seen.extend(earlier)
        return np.full(8, 0.25)

    drawn = first_weights(weight_covariance=[np.zeros(6), of_earlier])
    assert not drawn[0].any() and drawn[1].any()
    np.testing.assert_array_equal(seen[0], np.zeros((8, 6)))


def test_training_begins_with_them_and_moves_on():
    X, y = inputs()
    params = {"weight_covariance": 1.0, "bias": False}
    trained = small(checkpoints=(0, 2), **params).fit(X, y)
    drawn = first_weights(**params)
    at_first = trained.at(epoch=0).linearization_layers()
    for ours, theirs in zip(drawn, at_first, strict=True):
        np.testing.assert_array_equal(ours, theirs[0])
    last = [weights for weights, _, _ in trained.linearization_layers()]
    moved = np.abs(last[0] - drawn[0]).max()
    assert 0 < moved < 0.2
    uniform = first_weights(bias=False)
    assert np.abs(uniform[0]).max() <= 6**-0.5 < np.abs(drawn[0]).max()


def test_they_follow_from_the_seed_but_are_not_those_of_random_features():
    X, y = inputs()
    estimator = small(weight_covariance=0.5)
    first, second = (fit_and_transform(estimator, X, y)[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    drawn = first_weights(weight_covariance=0.5)[0]
    random = RandomDeepFeatures((8, 5), weight_covariance=0.5, random_state=0).draw(6).weights_[0]
    assert abs(np.corrcoef(drawn.ravel(), random.ravel())[0, 1]) < 0.5
    fitted = clone(estimator).fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(X), first)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"weight_covariance": [1.0]}, "list of 1 entries, but hidden_layer_sizes describes 2"),
        ({"weight_covariance": np.ones(5)}, "weight_covariance of layer 0 has shape"),
        ({"weight_covariance": 1.0, "module": dict}, "but module is given"),
    ],
)
def test_what_is_no_law_is_refused(params, message):
    X, y = inputs()
    with pytest.raises(ValueError, match=message):
        small(**params).fit(X, y)
