"""Feature map and readout: on disjoint rows, and on rows that are never held at once."""

from sk_deepfeat.compose.classifier import TwoStageClassifier
from sk_deepfeat.compose.in_blocks import fit_in_blocks
from sk_deepfeat.compose.regressor import TwoStageRegressor

__all__ = ["TwoStageClassifier", "TwoStageRegressor", "fit_in_blocks"]
