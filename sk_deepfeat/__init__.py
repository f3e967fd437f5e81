"""Predict the test error of ridge regression on deep features, before collecting the data."""

from sk_deepfeat.compose import TwoStageRegressor
from sk_deepfeat.feature_maps import RandomDeepFeatures, TrainedDeepFeatures
from sk_deepfeat.linear_model import DeterministicEquivalentRidge

__all__ = [
    "DeterministicEquivalentRidge",
    "RandomDeepFeatures",
    "TrainedDeepFeatures",
    "TwoStageRegressor",
]
