"""Predict the test error of ridge regression on deep features, before collecting the data.

Names are imported when they are first used: scikit-learn loads pandas where it is installed, and
``import sk_deepfeat`` alone should cost next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sk_deepfeat.compose import TwoStageClassifier, TwoStageRegressor
    from sk_deepfeat.feature_maps import RandomDeepFeatures, TrainedDeepFeatures
    from sk_deepfeat.linear_model import (
        DeterministicEquivalentRidge,
        DeterministicEquivalentRidgeClassifier,
        predict_test_error,
    )

__all__ = [
    "DeterministicEquivalentRidge",
    "DeterministicEquivalentRidgeClassifier",
    "RandomDeepFeatures",
    "TrainedDeepFeatures",
    "TwoStageClassifier",
    "TwoStageRegressor",
    "predict_test_error",
]

_ROOMS = {
    "DeterministicEquivalentRidge": "sk_deepfeat.linear_model",
    "DeterministicEquivalentRidgeClassifier": "sk_deepfeat.linear_model",
    "RandomDeepFeatures": "sk_deepfeat.feature_maps",
    "TrainedDeepFeatures": "sk_deepfeat.feature_maps",
    "TwoStageClassifier": "sk_deepfeat.compose",
    "TwoStageRegressor": "sk_deepfeat.compose",
    "predict_test_error": "sk_deepfeat.linear_model",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
