"""What populations share that rest on left-out rows of one training set: their error surface."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.populations.calibration_check import CalibrationCheck, Diagnosis, check_of
from sk_deepfeat.populations.one_sample import OneSampleMixin
from sk_deepfeat.theory import (
    Calibration,
    ErrorAnswer,
    ErrorSurface,
    KappaCurve,
    RidgeFactorization,
    calibrate,
)
from sk_deepfeat.theory.answer import AskedVariance, ShareOfAll
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.causes import find_causes, told_in_any_case
from sk_deepfeat.theory.one_sample.growth_misses import growth_misses
from sk_deepfeat.theory.validation import FloatArray, axes_of, check_level


class LeftOutErrorsMixin(OneSampleMixin):
    """Surface, intervals and check of a population that has a curve and its jackknife replicates.

    A subclass implements ``_curves(factorization, n_blocks)``, which returns both, and has the
    parameters ``n_grid``, ``calibrate`` and ``extrapolate``.
    """

    calibrate: Any
    extrapolate: bool

    def _learn(self, factorization: RidgeFactorization) -> KappaCurve:
        chosen = isinstance(self.calibrate, str) and self.calibrate == "auto"
        if not (chosen or isinstance(self.calibrate, (bool, np.bool_))):
            raise ValueError(f"calibrate={self.calibrate!r} must be 'auto', True or False.")
        if not isinstance(self.extrapolate, (bool, np.bool_)):
            raise ValueError(f"extrapolate={self.extrapolate!r} must be True or False.")
        groups = factorization.groups
        n_draws = factorization.n_sampled if groups is None else groups.n_groups
        n_blocks = min(tuning.JACKKNIFE_BLOCKS, n_draws)
        curve, replicates = self._curves(factorization, n_blocks)
        self.calibration_ = None
        correct = bool(self.calibrate) and self.calibrate != "auto"
        if self.calibrate or self.extrapolate:
            self.calibration_ = calibrate(factorization, curve, fine=correct)
            if self.calibrate == "auto" and self.calibration_.suspicious:
                self.calibration_ = calibrate(factorization, curve, fine=True)
                correct = True
        misses = None
        if correct and self.calibration_ is not None and self.calibration_.suspicious:
            misses = growth_misses(
                self.calibration_, curve, fit_intercept=factorization.fit_intercept
            )
        self.surface_ = ErrorSurface(
            curve,
            replicates,
            factorization.n_rows,
            factorization.fit_intercept,
            self.calibration_,
            correct,
            misses=misses,
            fewest_rows=factorization.group_size or 1.0,
        )
        kept = factorization.without_halves()
        self.factorization_: RidgeFactorization | None = kept
        return curve

    def _curves(
        self, factorization: RidgeFactorization, n_blocks: int
    ) -> tuple[KappaCurve, list[KappaCurve]]:
        """Return the curve and its jackknife replicates."""
        raise TypeError(f"{type(self).__name__} must implement _curves.")

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()
        return {**state, "factorization_": None} if "factorization_" in state else state

    def _answer(
        self, n_samples: FloatArray, alpha: FloatArray, fit_intercept: bool, variance: AskedVariance
    ) -> ErrorAnswer:
        if isinstance(variance, ShareOfAll) and self._target_units is not None:
            variance = ShareOfAll(variance.units * self._target_units * self._target_units)
        cells = n_samples.ravel(), alpha.ravel()
        found = self.surface_.answer(*cells, extrapolate=bool(self.extrapolate), variance=variance)
        return found.reshape(n_samples.shape)

    def cautious_error(
        self, n_samples: ArrayLike, alpha: Any, *, fit_intercept: bool | None = None
    ) -> FloatArray:
        """Return ``test_error``, beyond n₀ raised by two standard errors of its growth.

        What a search over alpha should minimise: the least of noisy numbers is too low.

        Parameters
        ----------
        n_samples, alpha, fit_intercept
            As in `test_error`.

        Returns
        -------
        ndarray of the shape of ``test_error``
        """
        found = self.answer(n_samples, alpha, fit_intercept=fit_intercept)
        return self._outputs(found.cautious_error)

    def interval(
        self,
        n_samples: ArrayLike,
        alpha: Any,
        *,
        level: float = 0.9,
        fit_intercept: bool | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """Return an interval for the mean test error over training sets of a size.

        It counts the sampling error of the rows (delete-block jackknife), the scatter of the error
        from training set to training set, and beyond n₀ what extrapolating adds.

        Parameters
        ----------
        n_samples, alpha, fit_intercept
            As in `test_error`.
        level : float, default=0.9
            Nominal coverage.

        Returns
        -------
        lower, upper : ndarray of the shape of ``test_error``
            NaN where the error is; where "optimal" lies beyond what is known, the upper end is
            that for all rows, than which more do no worse.
        """
        level = check_level(level)
        found = self.answer(n_samples, alpha, fit_intercept=fit_intercept, variance=True)
        ends = found.interval(level)
        assert ends is not None  # the variance was asked for
        lower, upper = ends
        n_rows = self.surface_.n_rows
        unknown = np.isnan(found.kappa) & (np.asarray(n_samples) > n_rows)
        if isinstance(alpha, str) and np.any(unknown):
            of_rows = self.answer(n_rows, alpha, variance=True)
            ends_of_rows = of_rows.interval(level)
            assert ends_of_rows is not None
            upper = np.where(unknown[..., None], ends_of_rows[1], upper)
        return self._outputs(lower), self._outputs(upper)

    def calibration_check(
        self,
        sizes: Any = None,
        *,
        feature_names: Any = None,
        mean_weight: float = 1.0,
        factor: Any = None,
    ) -> CalibrationCheck:
        """Compare errors measured on random subsets of the rows with those of the theory.

        Where they disagree, the rows are searched for the cause.

        Parameters
        ----------
        sizes : array-like of int, optional
            Sizes of the subsets in rows, from 2 to one below their number; None is those of the
            fit. Of rows in groups, subsets have the nearest whole number of groups.
        feature_names : array-like of str of shape (n_features,), optional
            What columns are called where a cause names them; None is as in the fit, or by number.
        mean_weight : float, default=1.0
            What the alphas of the table are multiplied by; here they are those for weights of mean
            one.
        factor : array-like of shape (n_outputs,), optional
            What the errors of each output are multiplied by; None is one.

        Returns
        -------
        CalibrationCheck
            With a `PopulationWarning` if they disagree by more than noise.

        Raises
        ------
        ValueError
            If a size is out of range, the rows have been written to since they were fitted, or they
            are no longer there: a population that was pickled, or fitted with ``calibrate=False``
            and then pickled, has its numbers alone.
        """
        found = self._measured_calibration(sizes)
        return self._checked(found, feature_names, mean_weight, factor)

    def _checked(
        self, found: Calibration, feature_names: Any, mean_weight: float, factor: Any
    ) -> CalibrationCheck:
        if feature_names is None:
            feature_names = getattr(self, "feature_names_in_", None)
        if self._target_units is not None:
            units = self._target_units
            factor = (1.0 if factor is None else np.asarray(factor)) * units * units
        return check_of(found, partial(self._diagnosis, feature_names), mean_weight, factor)

    def _measured_calibration(self, sizes: Any) -> Calibration:
        """Return what subsets measured, or measure it."""
        check_is_fitted(self)
        found = self.calibration_
        if self.factorization_ is not None and self.factorization_.features.changed:
            raise ValueError(
                "X has been written to since it was fitted, and calibration_check needs the rows "
                "as they were, of which no copy is kept; fit again, on X.copy() if it is to change."
            )
        if sizes is not None or found is None:
            if self.factorization_ is None:
                raise ValueError(
                    "calibration_check needs the training rows, which are not pickled; fit the "
                    "population again."
                )
            most = self.factorization_.sample.n_rows - 1
            found = calibrate(self.factorization_, self.curve_, sizes=_whole_sizes(sizes, most))
        return found

    def _diagnosis(self, feature_names: Any, passed: bool) -> Diagnosis:
        """Return what the rows show of the cause of a failed check, or what is told in any case."""
        if self.factorization_ is None:
            return Diagnosis.without_rows(self.surface_.n_rows)
        factorization = self.factorization_.sample
        if passed:
            causes = told_in_any_case(factorization, feature_names=feature_names)
        else:
            causes = find_causes(
                factorization,
                feature_names=feature_names,
                row_numbers=self._row_numbers,
                dependence=self._dependence,
            )
        grouped = factorization.groups is not None
        return Diagnosis.of_rows(causes, factorization.n_rows, grouped=grouped)


def _whole_sizes(sizes: Any, most: int) -> list[int] | None:
    """Return sizes of subsets, or raise ValueError."""
    if sizes is None:
        return None
    if axes_of(sizes) < 2 and np.asarray(sizes).dtype.kind in "iu":
        wanted = np.unique(sizes)
        if wanted.size and wanted[0] >= 2 and wanted[-1] <= most:
            return [int(size) for size in wanted]
    raise ValueError(f"sizes={sizes!r} must be whole numbers between 2 and {most}.")
