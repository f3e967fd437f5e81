import numpy as np
import pytest
from deepfeat_fourier import FourierFeatures
from sklearn.gaussian_process.kernels import RBF, Matern
from sklearn.utils.estimator_checks import check_estimator

from sk_deepfeat.testing import check_feature_map


def test_keeps_the_contract_of_sk_deepfeat():
    check_feature_map(FourierFeatures(10, random_state=0))


def test_keeps_the_contract_of_scikit_learn():
    check_estimator(FourierFeatures(10))


@pytest.mark.parametrize("smoothness", [0.5, 1.5, np.inf])
def test_inner_products_are_the_kernel(smoothness):
    X = np.random.default_rng(0).normal(size=(20, 3))
    feature_map = FourierFeatures(
        40_000, smoothness=smoothness, length_scale=2.0, random_state=0
    ).fit(X)
    features = feature_map.transform(X)
    kernel = RBF(2.0) if np.isinf(smoothness) else Matern(2.0, nu=smoothness)
    # an average of 40,000 cosines has a standard error below 0.0036
    np.testing.assert_allclose(features @ features.T / 40_000, kernel(X), atol=5 * 0.0036)


@pytest.mark.parametrize("name", ["smoothness", "length_scale"])
def test_scales_are_positive(name):
    with pytest.raises(ValueError, match=name):
        FourierFeatures(**{name: 0.0}).fit(np.ones((2, 2)))
