"""Pictures of predicted errors; matplotlib is imported when one is drawn.

In each, `__init__` stores finished numbers and `plot` only draws them. They come from a fitted
model that is asked (``from_fitted``), from refits (``from_estimator``), or are at hand
(``from_result``, ``from_predictions``).
"""

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
