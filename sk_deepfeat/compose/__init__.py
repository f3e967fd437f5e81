"""Feature map and readout on disjoint rows."""

from sk_deepfeat.compose.classifier import TwoStageClassifier
from sk_deepfeat.compose.regressor import TwoStageRegressor

__all__ = ["TwoStageClassifier", "TwoStageRegressor"]
