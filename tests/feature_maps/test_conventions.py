"""scikit-learn's conventions for both feature maps."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_transformer_get_feature_names_out,
    parametrize_with_checks,
)

from sk_deepfeat.feature_maps import RandomDeepFeatures, TrainedDeepFeatures
from sk_deepfeat.testing import check_feature_map

pytest.importorskip("torch")
ESTIMATORS = [
    RandomDeepFeatures((7, 5), bias_scale=0.3, random_state=0),
    TrainedDeepFeatures((7, 5), max_epochs=2, checkpoints=(0, 1.5), random_state=0),
]


@parametrize_with_checks(
    [RandomDeepFeatures(20), TrainedDeepFeatures(10, max_epochs=2), *ESTIMATORS]
)
def test_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_the_suite_for_plugins(estimator):
    check_feature_map(estimator)


class Eager(RandomDeepFeatures):
    def takes_classes(self, y):
        return True


def test_the_suite_wants_floats_to_be_numbers():
    with pytest.raises(AssertionError, match="takes_classes must be False for floats"):
        check_feature_map(Eager(5, random_state=0))


# The checks mix frames and bare arrays on purpose.
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize(
    "check",
    [
        check_set_output_transform,
        check_set_output_transform_pandas,
        check_transformer_get_feature_names_out,
        check_dataframe_column_names_consistency,
    ],
)
def test_names_and_containers(estimator, check):
    if check is check_set_output_transform_pandas:
        pytest.importorskip("pandas")
    assert check(type(estimator).__name__, clone(estimator)) is None


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_clone_after_fit_carries_nothing(estimator):
    rng = np.random.default_rng(0)
    fitted = clone(estimator).fit(rng.standard_normal((20, 3)), rng.standard_normal(20))
    assert set(vars(clone(fitted))) == set(fitted.get_params())
    assert repr(clone(fitted)) == repr(estimator)
