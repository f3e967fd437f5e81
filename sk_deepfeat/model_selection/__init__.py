"""Predicted and measured learning curves, the four-way split, displays."""

from sk_deepfeat.model_selection.curve_result import RidgeLearningCurve
from sk_deepfeat.model_selection.displays import (
    CalibrationCheckDisplay,
    ErrorDecompositionDisplay,
    ErrorSurfaceDisplay,
    RidgeLearningCurveDisplay,
    SpectrumDisplay,
    TrainingDynamicsDisplay,
)
from sk_deepfeat.model_selection.learning_curve import ridge_learning_curve
from sk_deepfeat.model_selection.splits import four_way_split
from sk_deepfeat.theory.one_sample.blocks import block_groups

__all__ = [
    "CalibrationCheckDisplay",
    "ErrorDecompositionDisplay",
    "ErrorSurfaceDisplay",
    "RidgeLearningCurve",
    "RidgeLearningCurveDisplay",
    "SpectrumDisplay",
    "TrainingDynamicsDisplay",
    "block_groups",
    "four_way_split",
    "ridge_learning_curve",
]
