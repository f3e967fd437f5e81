"""Measured against predicted errors on subsets of the user's own training rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.theory import Calibration
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.validation import FloatArray


@dataclass(frozen=True)
class CalibrationCheck:
    """What `calibration_check` returns: one entry for each size and alpha, errors over outputs.

    ``print`` shows the table; ``pandas.DataFrame(vars(check))`` makes it a data frame.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat import DeterministicEquivalentRidge
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 50))
    >>> ridge = DeterministicEquivalentRidge().fit(X, X[:, 0] + rng.normal(size=400))
    >>> check = ridge.calibration_check()
    >>> check.passed, check.disagreement
    (True, 0.0)
    """

    n_samples: FloatArray
    """Sizes of the subsets, shape (cells,)."""
    alpha: FloatArray
    """Regularisations, shape (cells,)."""
    measured: FloatArray
    """Mean squared error of subset fits on the other rows, averaged over outputs."""
    predicted: FloatArray
    """What the theory gives, before any correction."""
    lower: FloatArray
    """Four standard errors below `predicted`."""
    upper: FloatArray
    """Four standard errors above it."""
    disagreement: float
    """The largest ``|log(measured/predicted)|`` of those beyond noise; 0 if the check is passed."""

    @property
    def passed(self) -> bool:
        """Whether nothing disagrees by more than noise and 5 %."""
        return self.disagreement == 0.0

    def __str__(self) -> str:
        lines = ["n_samples        alpha     measured    predicted        lower        upper"]
        cells = zip(
            *(self.n_samples, self.alpha, self.measured, self.predicted, self.lower, self.upper),
            strict=True,
        )
        lines += [f"{n:9.0f} " + " ".join(f"{v:12.5g}" for v in row) for n, *row in cells]
        return "\n".join([*lines, f"disagreement beyond noise: {self.disagreement:.3g}"])


def check_of(calibration: Calibration) -> CalibrationCheck:
    """Return the table of a calibration, and warn if the theory fails its check."""
    rows = [
        (
            np.full(found.log_alpha.shape, float(found.size)),
            np.exp(found.log_alpha),
            found.measured.mean(axis=1),
            found.predicted.mean(axis=1),
            found.standard_error.mean(axis=1),
        )
        for found in calibration.sizes
    ]
    empty = [(np.empty(0),) * 5]
    n, alpha, measured, predicted, error = map(np.concatenate, zip(*(rows or empty), strict=True))
    check = CalibrationCheck(
        n,
        alpha,
        measured,
        predicted,
        predicted * np.exp(-tuning.CHECK_BAR * error),
        predicted * np.exp(tuning.CHECK_BAR * error),
        calibration.disagreement,
    )
    if not check.passed:
        reason = "rows may come in groups, which fit(X, y, groups=labels) takes together"
        if calibration.amplified:
            reason = "groups may be of different kinds, or share some features more than others"
        warn_caller(
            f"On subsets of these rows the measured errors are off the theory's by up to "
            f"{100 * np.expm1(check.disagreement):.0f} %: {reason}. calibrate='auto' corrects the "
            "answers up to the number of training rows; those for more samples are less certain "
            "than their interval.",
        )
    return check
