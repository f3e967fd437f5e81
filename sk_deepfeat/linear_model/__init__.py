"""The scikit-learn face of the theory: ridges that predict their own test errors."""

from sk_deepfeat.linear_model.asking import predict_test_error
from sk_deepfeat.linear_model.class_error_predictor import ClassErrorPredictor, ClassErrors
from sk_deepfeat.linear_model.classifier import DeterministicEquivalentRidgeClassifier
from sk_deepfeat.linear_model.error_predictor import ErrorPredictor
from sk_deepfeat.linear_model.ridge import DeterministicEquivalentRidge

__all__ = [
    "ClassErrorPredictor",
    "ClassErrors",
    "DeterministicEquivalentRidge",
    "DeterministicEquivalentRidgeClassifier",
    "ErrorPredictor",
    "predict_test_error",
]
