"""Sampling errors of the transfer, from curves that leave groups of rows out."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_deepfeat.theory.one_sample.evaluation import transfer_risk
from sk_deepfeat.theory.one_sample.kappa_curve import TransferCurve
from sk_deepfeat.theory.validation import FloatArray


class JackknifeReplicates:
    """Delete-group replicates of a curve, and what they tabulate along the way.

    Parameters
    ----------
    curves : list of TransferCurve
        From `leave_one_out_curves`.
    """

    def __init__(self, curves: list[TransferCurve]) -> None:
        self.curves = curves
        self._caches: list[dict[float, Any]] = [{} for _ in curves]

    def __getstate__(self) -> dict[str, Any]:
        return {"curves": self.curves, "_caches": [{} for _ in self.curves]}

    def log_errors(
        self, n_samples: FloatArray, alpha: FloatArray, *, fit_intercept: bool
    ) -> FloatArray:
        """Return the logarithm of every replicate's test error.

        Parameters
        ----------
        n_samples, alpha : ndarray of one shape
            Numbers of samples and regularisations for weights of mean one.
        fit_intercept : bool
            As for the curves.

        Returns
        -------
        ndarray of shape (n_replicates,) + that shape + (t,)
            NaN where a replicate does not know the error.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.array(
                [
                    np.log(
                        transfer_risk(
                            curve,
                            n_samples,
                            alpha,
                            fit_intercept=fit_intercept,
                            guard=False,
                            cache=cache,
                        ).test_error
                    )
                    for curve, cache in zip(self.curves, self._caches, strict=True)
                ]
            )


def jackknife_variance(values: FloatArray) -> FloatArray:
    """Return (B-1)/B Σ(v - mean v)² over the first axis.

    Where up to a quarter of the values are not finite, the others stand for them; where more are,
    the variance is infinite. Logarithms of zero in every replicate agree: variance zero.
    """
    count = len(values)
    if count < 2:
        return np.full(values.shape[1:], np.inf)
    zero = np.isneginf(values).all(axis=0)
    known = np.isfinite(values) | zero
    some = np.maximum(known.sum(axis=0), 1)
    values = np.where(known & ~zero, values, 0.0)
    deviations = np.where(known, values - values.sum(axis=0) / some, 0.0)
    variance = (count - 1) / some * np.square(deviations).sum(axis=0)
    return np.where(4 * some >= 3 * count, variance, np.inf)
