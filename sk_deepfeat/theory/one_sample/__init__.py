"""From one training set: what it tells of its population, and the error at every (n, alpha).

The room imports the shared ground of ``theory`` and nothing else of ours.
"""

from sk_deepfeat.theory.one_sample.calibration import Calibration, CalibrationLevel, calibrate
from sk_deepfeat.theory.one_sample.evaluation import TransferRisk, transfer_risk
from sk_deepfeat.theory.one_sample.factorization import RidgePath, ridge_factorization
from sk_deepfeat.theory.one_sample.kappa_curve import (
    TransferCurve,
    gcv_curve,
    leave_one_out_curve,
    leave_one_out_curves,
)
from sk_deepfeat.theory.one_sample.leave_one_out import leave_one_out_residuals
from sk_deepfeat.theory.one_sample.subsets import SubsetErrors, subset_errors
from sk_deepfeat.theory.one_sample.surface import ErrorSurface, SurfaceErrors

__all__ = [
    "Calibration",
    "CalibrationLevel",
    "ErrorSurface",
    "RidgePath",
    "SubsetErrors",
    "SurfaceErrors",
    "TransferCurve",
    "TransferRisk",
    "calibrate",
    "gcv_curve",
    "leave_one_out_curve",
    "leave_one_out_curves",
    "leave_one_out_residuals",
    "ridge_factorization",
    "subset_errors",
    "transfer_risk",
]
