"""Measured against predicted errors on subsets of one's own training rows, and why they differ.

What is said of a failed check is said here once: the warning, ``print``, the report and the display
take it from `CalibrationCheck.explanation` and its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.theory import Calibration
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.cause_sentences import Cause
from sk_deepfeat.theory.validation import FloatArray

_ANYTHING = 300.0  # a logarithm of factors so wide that they tell nothing
_LARGEST_AS_SHARE = np.log(3.0)  # beyond, a factor reads better than a share
_NO_ROWS = "The training rows are no longer there to look for the cause; fit again."
_NO_CAUSE = (
    "No cause was found: rows were searched for copies, groups and order, for rare columns, for "
    "outsize rows and residuals, heavy tails, and column scales. Strongly correlated columns, such "
    "as smooth curves or states of one system, may do this, and clusters."
)
_NO_CAUSE_GROUPED = (
    "No cause was found among rare columns, outsize rows and residuals, heavy tails, and column "
    "scales. Groups may be of different kinds, or share some features more than others."
)


@dataclass(frozen=True)
class Diagnosis:
    """What the rows show of the cause of a failed check."""

    causes: tuple[Cause, ...] = ()
    """The likeliest first."""
    n_rows: int = 0
    """Training rows."""
    without_cause: str = _NO_CAUSE
    """What to say where no cause was found."""

    @classmethod
    def of_rows(cls, causes: tuple[Cause, ...], n_rows: int, *, grouped: bool) -> Diagnosis:
        """Return what was found in rows that are there."""
        return cls(causes, n_rows, _NO_CAUSE_GROUPED if grouped else _NO_CAUSE)

    @classmethod
    def without_rows(cls, n_rows: int) -> Diagnosis:
        """Return what can be said where the rows are gone."""
        return cls((), n_rows, _NO_ROWS)

    @property
    def explaining(self) -> tuple[Cause, ...]:
        """Causes that are left where exact copies are taken for one draw."""
        return tuple(cause for cause in self.causes if cause.kind != "copies")

    def __str__(self) -> str:
        """Say what was found, a failed check taken for granted."""
        explaining = self.explaining
        parts = [cause.sentence for cause in self.causes if cause.kind == "copies"]
        for k, cause in enumerate(explaining):
            found = cause.sentence[0].lower() + cause.sentence[1:]
            parts.append(f"{'Also' if k else 'Likely cause'}: {found} {cause.remedy}")
        return " ".join(parts if explaining else [*parts, self.without_cause])


@dataclass(frozen=True)
class CalibrationCheck:
    """What `calibration_check` returns: one entry for each size and alpha, errors over outputs.

    ``print`` shows the table, and where it fails and why; ``pandas.DataFrame(vars(check))`` makes
    it a data frame.

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
    """The largest ``|log(measured/predicted)|`` beyond noise, at alphas down to 1e-4 of the best
    for so many rows; 0 if the check is passed."""
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    """What the rows show of the cause; of `causes` and `explanation`."""

    @property
    def ratio(self) -> FloatArray:
        """Measured over predicted, shape (cells,); NaN where no error is predicted."""
        some = np.where(self.predicted > 0, self.predicted, np.nan)
        return np.asarray(self.measured / some)

    @property
    def passed(self) -> bool:
        """Whether nothing disagrees by more than noise and 5 % at such alphas."""
        return self.disagreement == 0.0

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Likely causes of a failure, each with ``kind``, ``sentence`` and ``remedy``.

        The likeliest comes first. Of a check that is passed, exact copies alone and scales of
        columns that are orders of magnitude apart, which are told in any case.
        """
        return self.diagnosis.causes

    @property
    def where(self) -> str:
        """Sizes and alphas that disagree, and by how much; empty if the check is passed."""
        if self.passed:
            return ""
        off = self._off()
        sizes = _region(self.n_samples[off], self.n_samples, "samples")
        alphas = _region(self.alpha[off], self.alpha, "alpha")
        most = f"{100 * np.expm1(self.disagreement):.0f} %"
        if self.disagreement > _LARGEST_AS_SHARE:
            most = f"a factor of {np.exp(self.disagreement):.2g}"
        return f"{sizes} and {alphas}, by up to {most}"

    @property
    def verdict(self) -> str:
        """Where the check fails and the likeliest cause, in short; empty if it is passed."""
        if self.passed:
            return ""
        explaining = self.diagnosis.explaining
        cause = f": {explaining[0].kind}" if explaining else ""
        return f"Failed {self.where}{cause}"

    @property
    def explanation(self) -> str:
        """Where the check fails, why, and which numbers stand; empty if it is passed."""
        if self.passed:
            return ""
        n = f"{self.diagnosis.n_rows:,} rows" if self.diagnosis.n_rows else "the training rows"
        return (
            "On subsets of these rows the measured errors are off the theory's "
            f"{self.where}. {self.diagnosis} With calibrate='auto', answers up to {n} rest on "
            "errors measured on subsets; those for more are withdrawn or wide."
        )

    def __str__(self) -> str:
        lines = ["n_samples        alpha     measured    predicted        lower        upper"]
        cells = zip(
            *(self.n_samples, self.alpha, self.measured, self.predicted, self.lower, self.upper),
            strict=True,
        )
        lines += [f"{n:9.0f} " + " ".join(f"{v:12.5g}" for v in row) for n, *row in cells]
        lines.append(f"disagreement beyond noise: {self.disagreement:.3g}")
        said = [cause.sentence for cause in self.causes] if self.passed else [self.explanation]
        return "\n".join([*lines, *said])

    def _off(self) -> NDArray[np.bool_]:
        """Return which cells disagree; of several outputs, their mean may hide it."""
        with np.errstate(divide="ignore", invalid="ignore"):  # of error rates, some are zero
            ratio = np.abs(np.log(self.ratio))
            error = np.log(self.upper / self.predicted) / tuning.CHECK_BAR
        known = np.isfinite(ratio) & np.isfinite(error)
        ratio = np.where(known, ratio, 0.0)
        z = ratio / np.maximum(np.where(known, error, 1.0), 1e-12)
        off = (ratio > tuning.DISAGREEMENT_OF_CONCERN) & (z > tuning.ERRORS_AT_TWO_SIZES)
        return np.asarray(off if np.any(off) else z == z.max())


def check_of(
    calibration: Calibration,
    diagnose: Callable[[bool], Diagnosis],
    mean_weight: float,
    factor: Any,
) -> CalibrationCheck:
    """Return the table of a calibration, and warn if the theory fails its check.

    Parameters
    ----------
    calibration : Calibration
        Measured and predicted errors.
    diagnose : callable
        Takes whether the check is passed, and returns what the rows show.
    mean_weight : float
        What an alpha for weights of mean one is multiplied by.
    factor : ndarray of shape (t,) or None
        What the errors of each output are multiplied by; None is one.

    Returns
    -------
    CalibrationCheck
    """
    units = 1.0 if factor is None else np.asarray(factor)
    rows = [
        (
            np.full(found.log_alpha.shape, float(found.size)),
            np.exp(found.log_alpha),
            (found.measured * units).mean(axis=1),
            (found.predicted * units).mean(axis=1),
            found.standard_error.mean(axis=1),
        )
        for found in calibration.sizes
    ]
    empty = [(np.empty(0),) * 5]
    n, alpha, measured, predicted, error = map(np.concatenate, zip(*(rows or empty), strict=True))
    width = np.minimum(tuning.CHECK_BAR * error, _ANYTHING)
    check = CalibrationCheck(
        n,
        alpha * mean_weight,
        measured,
        predicted,
        predicted * np.exp(-width),
        predicted * np.exp(width),
        calibration.disagreement,
        diagnose(calibration.disagreement == 0.0),
    )
    if not check.passed:
        warn_caller(check.explanation)
    return check


def _region(off: FloatArray, every: FloatArray, what: str) -> str:
    """Return in words what part of all sizes, or of all alphas, is off."""
    least, most = off.min(), off.max()
    lowest, highest = least == every.min(), most == every.max()
    if what == "samples":
        texts = ("at any size", f"at up to {most:.0f} samples", f"at {least:.0f} samples and more")
        between = f"at {least:.0f} to {most:.0f} samples"
        if least == most:
            between = f"at {most:.0f} samples"
    else:
        texts = ("any alpha", f"alpha up to {most:.2g}", f"alpha from {least:.2g} on")
        between = f"alpha from {least:.2g} to {most:.2g}"
    if lowest and highest:
        return texts[0]
    return texts[1] if lowest else texts[2] if highest else between
