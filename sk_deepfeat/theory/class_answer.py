"""The record that a population gives for a question about classes, and its intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from sk_deepfeat.theory.validation import FloatArray

_FEW_ERRORS = 5.0  # below so many misclassified rows, no more is known than they tell


class ClassAnswer(NamedTuple):
    """What is known of c losses at some cells (n, alpha).

    It answers as an `ErrorAnswer` does: an estimator asks both alike. Where `error` is NaN, so are
    the ends of its interval.
    """

    error: FloatArray
    """Expected losses on a new row, cells + (c,); NaN where they are not known."""
    reachable: NDArray[np.bool_]
    """Whether the training set identifies them, cells."""
    kappa: FloatArray
    """Effective regularisation, cells."""
    cautious_error: FloatArray
    """What a search over alpha should minimise, cells + (c,)."""
    log_variance: FloatArray | None
    """Variance of log error, cells + (c,); None where it was not asked for."""
    rows: FloatArray
    """Draws of equal weight, rows or groups, that each loss is a mean over, (c,): all that is
    known where none of them is wrong."""
    shares: bool
    """Whether losses are shares of rows, between 0 and 1."""
    degrees: int = 1
    """Degrees of freedom of the variance."""
    train_error: None = None
    """Not known."""

    def reshape(self, shape: tuple[int, ...]) -> ClassAnswer:
        """Return the record, which has one axis of cells, with cells of another shape."""
        width = self.error.shape[-1]
        variance = self.log_variance
        return self._replace(
            error=self.error.reshape(*shape, width),
            reachable=self.reachable.reshape(shape),
            kappa=self.kappa.reshape(shape),
            cautious_error=self.cautious_error.reshape(*shape, width),
            log_variance=None if variance is None else variance.reshape(*shape, width),
        )

    def scaled(self, share: FloatArray) -> ClassAnswer:
        """Return the record with all losses times `share`, of shape cells; NaN: not known."""
        unknown = np.isnan(share)
        return self._replace(
            error=self.error * share[..., None],
            reachable=self.reachable & ~unknown,
            kappa=np.where(unknown, np.nan, self.kappa),
            cautious_error=self.cautious_error * share[..., None],
        )

    def decomposition(self) -> None:
        """Return None: error rates have no such parts."""

    def interval(self, level: float) -> tuple[FloatArray, FloatArray] | None:
        r"""Return the ends of an interval, or None if the variance is not known.

        Of shares, that of Wilson, with as many rows as would make the variance: v of log ε stands
        for (1-ε)/(εv) of them, and for no more than there are where few are wrong. Of other
        losses, :math:`R e^{\pm t\sqrt{v}}`.
        """
        if self.log_variance is None:
            return None
        error, t = self.error, float(stdtrit(self.degrees, 0.5 + 0.5 * level))
        if not self.shares:
            reach = t * np.sqrt(self.log_variance)
            return error * np.exp(-reach), error * np.exp(reach)
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = (1.0 - error) / (error * self.log_variance)
            some = (error > 0) & (error < 1) & (self.log_variance > 0)
            # A number far below one of all rows is a guess at a tail of which no row is seen.
            most = self.rows * np.maximum(error * self.rows / _FEW_ERRORS, 1.0)
            rows = np.where(some, np.minimum(rows, most), self.rows)
            per_row = np.where(np.isinf(self.log_variance), np.inf, t * t / rows)
            wide = np.isinf(per_row)
            per_row = np.where(wide, 1.0, per_row)
            centre = (error + 0.5 * per_row) / (1.0 + per_row)
            half = np.sqrt(per_row * error * (1.0 - error) + 0.25 * per_row**2) / (1.0 + per_row)
        unknown = np.isnan(error)
        lower = np.where(wide, 0.0, np.clip(centre - half, 0.0, error))
        upper = np.where(wide, 1.0, np.clip(centre + half, error, 1.0))
        return np.where(unknown, np.nan, lower), np.where(unknown, np.nan, upper)

    def average_interval(
        self, level: float, weights: FloatArray
    ) -> tuple[FloatArray, FloatArray] | None:
        """Return the interval of the mean of losses, taken as wrong together; None: not known."""
        ends = self.interval(level)
        return None if ends is None else (ends[0] @ weights, ends[1] @ weights)
