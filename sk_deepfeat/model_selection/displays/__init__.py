"""Pictures of predicted errors; matplotlib is imported when one is drawn."""

from sk_deepfeat.model_selection.displays.check import CalibrationCheckDisplay
from sk_deepfeat.model_selection.displays.curve import RidgeLearningCurveDisplay
from sk_deepfeat.model_selection.displays.decomposition import ErrorDecompositionDisplay
from sk_deepfeat.model_selection.displays.dynamics import TrainingDynamicsDisplay
from sk_deepfeat.model_selection.displays.spectrum import SpectrumDisplay
from sk_deepfeat.model_selection.displays.surface import ErrorSurfaceDisplay

__all__ = [
    "CalibrationCheckDisplay",
    "ErrorDecompositionDisplay",
    "ErrorSurfaceDisplay",
    "RidgeLearningCurveDisplay",
    "SpectrumDisplay",
    "TrainingDynamicsDisplay",
]
