"""Feature maps: random deep networks in numpy and trained ones in torch, as transformers."""

from sk_deepfeat.feature_maps.loading import load_features
from sk_deepfeat.feature_maps.random_features import RandomDeepFeatures
from sk_deepfeat.feature_maps.trained_features import TrainedDeepFeatures

__all__ = ["RandomDeepFeatures", "TrainedDeepFeatures", "load_features"]
