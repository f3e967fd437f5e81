"""The scikit-learn face of the theory: a ridge that predicts its own test error."""

from sk_deepfeat.linear_model.error_predictor import ErrorPredictor
from sk_deepfeat.linear_model.ridge import DeterministicEquivalentRidge

__all__ = ["DeterministicEquivalentRidge", "ErrorPredictor"]
