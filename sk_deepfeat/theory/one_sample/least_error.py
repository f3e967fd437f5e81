"""The least error over all alphas that a training set identifies, as a bound for those it does not.

No alpha does better than the best one. Where the error is still falling at the smallest alpha that
is known, the best one may lie beyond, and there is no bound.
"""

from __future__ import annotations

import numpy as np

from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve
from sk_deepfeat.theory.validation import FloatArray

_ALPHAS = 40


def alphas_along(curve: KappaCurve, rows: float) -> FloatArray:
    """Return some alphas, ascending, at which `rows` rows meet points of the curve, shape (A,)."""
    some = slice(None, None, max(1, curve.kappa.size // _ALPHAS))
    alpha = curve.kappa[some] * (rows - curve.df1[some])
    return alpha[alpha > 0]


def inner_minimum(errors: FloatArray) -> float:
    """Return the least of the known errors along ascending alpha; NaN if they fall to the first."""
    known = errors[~np.isnan(errors)]
    if known.size == 0 or np.argmin(known) == 0:
        return np.nan
    return float(known.min())
