"""Predicted and measured learning curves, the four-way split, displays."""

from sk_deepfeat.model_selection.check_display import CalibrationCheckDisplay
from sk_deepfeat.model_selection.curve_display import RidgeLearningCurveDisplay
from sk_deepfeat.model_selection.curve_result import RidgeLearningCurve
from sk_deepfeat.model_selection.decomposition_display import ErrorDecompositionDisplay
from sk_deepfeat.model_selection.dynamics_display import TrainingDynamicsDisplay
from sk_deepfeat.model_selection.learning_curve import ridge_learning_curve
from sk_deepfeat.model_selection.spectrum_display import SpectrumDisplay
from sk_deepfeat.model_selection.splits import four_way_split
from sk_deepfeat.model_selection.surface_display import ErrorSurfaceDisplay

__all__ = [
    "CalibrationCheckDisplay",
    "ErrorDecompositionDisplay",
    "ErrorSurfaceDisplay",
    "RidgeLearningCurve",
    "RidgeLearningCurveDisplay",
    "SpectrumDisplay",
    "TrainingDynamicsDisplay",
    "four_way_split",
    "ridge_learning_curve",
]
