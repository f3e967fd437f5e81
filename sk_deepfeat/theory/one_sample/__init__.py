"""From one training set: what it tells of its population, and the error at every (n, alpha).

The way of a question: `factorization` decomposes the rows, `leave_one_out`, or `leave_group_out`
where rows come in groups, and `leverage_classes` take their residuals and leverages along a grid of
ridges, `kappa_curve` makes a curve of them along κ, `evaluation` asks the curve at an n and an
alpha, and `surface` puts that together with what `calibration` has measured on subsets and with the
`growth` beyond the training size. Where the two disagree, `causes` looks for the reason in the
rows. `classes` is the same for error rates; `streamed` is for rows that come in blocks. `tuning`
holds every statistical constant. The room imports the shared ground of ``theory`` and nothing else
of ours.
"""

from sk_deepfeat.theory.one_sample.calibration import Calibration, CalibrationSize, calibrate
from sk_deepfeat.theory.one_sample.classes.class_surface import ClassSurface
from sk_deepfeat.theory.one_sample.classes.clouds import Loss
from sk_deepfeat.theory.one_sample.classes.row_classes import RowClasses
from sk_deepfeat.theory.one_sample.evaluation import CurveRisk, curve_risk
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.factorize import ridge_factorization
from sk_deepfeat.theory.one_sample.kappa_curve import (
    KappaCurve,
    gcv_curve,
    leave_one_out_curve,
    leave_one_out_curves,
)
from sk_deepfeat.theory.one_sample.leave_group_out import leave_group_out_residuals
from sk_deepfeat.theory.one_sample.leave_one_out import leave_one_out_residuals
from sk_deepfeat.theory.one_sample.matrix_free.unfactorized_rows import (
    UnfactorizedRows,
    unfactorized_rows,
)
from sk_deepfeat.theory.one_sample.row_groups import RowGroups
from sk_deepfeat.theory.one_sample.streamed.accumulator import GramAccumulator
from sk_deepfeat.theory.one_sample.streamed.sampled_factorization import (
    SampledFactorization,
    factorize_sums,
)
from sk_deepfeat.theory.one_sample.subsets import SubsetErrors, subset_errors
from sk_deepfeat.theory.one_sample.surface import ErrorSurface

__all__ = [
    "Calibration",
    "CalibrationSize",
    "ClassSurface",
    "CurveRisk",
    "ErrorSurface",
    "GramAccumulator",
    "KappaCurve",
    "Loss",
    "RidgeFactorization",
    "RowClasses",
    "RowGroups",
    "SampledFactorization",
    "SubsetErrors",
    "UnfactorizedRows",
    "calibrate",
    "curve_risk",
    "factorize_sums",
    "gcv_curve",
    "leave_group_out_residuals",
    "leave_one_out_curve",
    "leave_one_out_curves",
    "leave_one_out_residuals",
    "ridge_factorization",
    "subset_errors",
    "unfactorized_rows",
]
