"""Sampling errors of what one training set shows, from curves that leave groups of rows out."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from sk_deepfeat.theory.answer import AskedVariance, ShareOfAll
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.curve_tables import CurveTables
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve
from sk_deepfeat.theory.validation import FloatArray

_MOST_ENTRIES = 300_000
_NOTHING_LEARNED = 1e200  # an alpha


class JackknifeReplicates:
    """Delete-group replicates of a curve.

    Parameters
    ----------
    curves : list of KappaCurve
        From `leave_one_out_curves`.
    fit_intercept : bool
        As for the curves.
    n_outputs : int
        As for the curves, of which there may be none.
    """

    def __init__(self, curves: list[KappaCurve], *, fit_intercept: bool, n_outputs: int) -> None:
        self.curves, self.n_outputs, self.fit_intercept = curves, n_outputs, fit_intercept

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_tables"}

    @cached_property
    def _tables(self) -> list[CurveTables]:
        """Tables of all replicates together, or where they are large of a few at a time."""
        entries = max(curve.error.size for curve in self.curves)
        together = max(_MOST_ENTRIES // max(entries, 1), 1)
        return [
            CurveTables(
                self.curves[start : start + together],
                fit_intercept=self.fit_intercept,
                errors_alone=True,
            )
            for start in range(0, len(self.curves), together)
        ]

    def log_errors(self, n_samples: FloatArray, alpha: FloatArray) -> FloatArray:
        """Return the logarithm of every replicate's test error.

        Parameters
        ----------
        n_samples, alpha : ndarray of one shape
            Numbers of samples and regularisations for weights of mean one.

        Returns
        -------
        ndarray of shape (n_replicates,) + that shape + (t,)
            NaN where a replicate does not know the error.
        """
        if not self.curves:
            return np.empty((0, *n_samples.shape, self.n_outputs))
        errors = [tables.test_error(n_samples, alpha) for tables in self._tables]
        with np.errstate(divide="ignore"):
            return np.log(np.concatenate(errors))

    def log_null_errors(self, n_samples: float, share: AskedVariance) -> FloatArray:
        """Return the logarithm of every replicate's error where nothing is learned.

        With an intercept, that is the variance of the targets but for a factor that all share.

        Parameters
        ----------
        n_samples : float
            Number of samples.
        share : "relative" or ShareOfAll
            Whether of each output, or of all together.

        Returns
        -------
        ndarray of shape (n_replicates, 1, t), or (n_replicates, 1, 1) of all together
        """
        found = self.log_errors(np.array([n_samples]), np.array([_NOTHING_LEARNED]))
        if not isinstance(share, ShareOfAll):
            return found
        with np.errstate(divide="ignore"):
            return np.log((np.exp(found) * share.units).sum(axis=-1, keepdims=True))


def jackknife_variance(values: FloatArray) -> FloatArray:
    """Return (B-1)/B Σ(v - mean v)² over the first axis.

    Where some of the values are not finite, the others stand for them; where too many are, the
    variance is infinite. Logarithms of zero in every replicate agree: variance zero.
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
    return np.where(some >= tuning.JACKKNIFE_KNOWN_SHARE * count, variance, np.inf)


def standardized_deviations(values: FloatArray) -> FloatArray:
    """Return v - mean v over the first axis, in units that make the sum of squares one.

    Products of two columns are the correlations of their jackknife. NaN where the replicates tell
    none: where they do not differ, or some of them are not finite.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        deviations = values - values.mean(axis=0)
        return deviations / np.sqrt(np.square(deviations).sum(axis=0))
