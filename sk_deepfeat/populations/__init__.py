"""Concrete ways to know the population that ridge regression will meet."""

from sk_deepfeat.populations.calibration_check import CalibrationCheck
from sk_deepfeat.populations.exact import ExactPopulation
from sk_deepfeat.populations.gcv import GCVPopulation
from sk_deepfeat.populations.lanczos import LanczosPopulation
from sk_deepfeat.populations.leave_one_out import LeaveOneOutPopulation
from sk_deepfeat.populations.linearized import LinearizedPopulation
from sk_deepfeat.populations.sample_moments import PlugInPopulation

__all__ = [
    "CalibrationCheck",
    "ExactPopulation",
    "GCVPopulation",
    "LanczosPopulation",
    "LeaveOneOutPopulation",
    "LinearizedPopulation",
    "PlugInPopulation",
]
