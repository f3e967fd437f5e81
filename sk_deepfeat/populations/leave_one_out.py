"""The population from the training set itself, rows taken as unequally influential."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.populations.calibration_check import CalibrationCheck, Diagnosis, check_of
from sk_deepfeat.populations.one_sample import OneSampleMixin
from sk_deepfeat.theory import (
    ClassAnswer,
    ClassSurface,
    ErrorAnswer,
    ErrorSurface,
    KappaCurve,
    Loss,
    RidgeFactorization,
    calibrate,
    leave_one_out_curves,
)
from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.causes import find_causes, told_in_any_case
from sk_deepfeat.theory.one_sample.classes.class_correction import rates_calibration
from sk_deepfeat.theory.one_sample.growth_misses import growth_misses
from sk_deepfeat.theory.validation import FloatArray, check_cells, check_level


class LeaveOneOutPopulation(OneSampleMixin, BaseEstimator):
    """The population as one training set shows it, rows taken as unequally influential.

    Real features have very unequal leverages h_i. With the exact leave-one-out residuals e_i and
    Q_i = h_i/(1-h_i) along a ridge α₀ on the n₀ training rows, row i is taken as √s_i z_i with
    s_i = Q_i/mean Q; degrees of freedom, κ, and the part of e_i² that does not depend on n follow,
    and from them the error at every n and alpha. At n₀ it is the mean of e_i² itself.

    Errors measured on random subsets of the rows check the theory and, where it fails, as for
    columns that few rows carry or rows in clusters, take over up to n₀. Beyond n₀ the answer
    averages the theory's growth with a power law through those measurements, each by its own
    uncertainty; a theory that failed counts by how far it missed them.

    Parameters
    ----------
    n_grid : int, default=120
        Points of the table along α₀.
    calibrate : {"auto", True, False}, default="auto"
        Whether errors measured on subsets take over where the theory fails: "auto" measures a few,
        and where they may disagree with the theory it measures more, which count; True always does;
        False never.
    extrapolate : bool, default=False
        Whether cells beyond reach, where more samples than n₀ meet too small an alpha, get the best
        number there is, with a wide interval. Otherwise they are NaN, as they are anyway below some
        fifty rows, or in few groups, where no growth can be fitted.

    Attributes
    ----------
    curve_ : KappaCurve
        What the sample shows along κ.
    calibration_ : Calibration or None
        Errors measured on subsets, for weights of mean one.
    surface_ : ErrorSurface
        Curve, jackknife and calibration put together: what every question is answered from.
    class_surface_ : ClassSurface or None
        Error rates; None where `y` does not hold codes of classes, or no feature tells anything.
    factorization_ : RidgeFactorization or None
        The training rows, decomposed; a pickle leaves them out.
    kappa_min_ : float
        Smallest κ that the sample identifies.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    GCVPopulation : The special case of equal leverages; cheaper, without intervals.

    Notes
    -----
    The features must not have been fitted on the targets of these rows: their residuals are then
    no guide to new data. `TwoStageRegressor` keeps the two apart.

    Rows that come in groups are no independent draws. Fitted with ``groups``, whole groups are left
    out in place of rows, by the jackknife and by the subsets, too; errors are those on rows of new
    groups, and with less than a mean group nothing is known. Without, exact copies of rows are
    taken for one draw, and a `PopulationWarning` says where rows look dependent.

    Subsets are drawn with a fixed seed: the same rows give the same answers. For the intervals,
    rows, or groups, are dealt to at most twenty blocks. The training rows are kept for
    `calibration_check`, as they were given and without a copy; a pickle leaves them out.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.populations import LeaveOneOutPopulation
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 50))
    >>> population = LeaveOneOutPopulation().fit(X, X[:, 0] + rng.normal(size=300))
    >>> population.test_error([100, 1000], 10.0, fit_intercept=True).round(1)
    array([1.6, 1. ])
    >>> lower, upper = population.interval([100, 1000], 10.0, level=0.9, fit_intercept=True)
    >>> lower.round(1), upper.round(1)
    (array([1.3, 0.9]), array([2. , 1.3]))
    """

    _takes_groups = True

    def __init__(
        self, *, n_grid: int = 120, calibrate: Any = "auto", extrapolate: bool = False
    ) -> None:
        self.n_grid = n_grid
        self.calibrate = calibrate
        self.extrapolate = extrapolate

    def _learn(self, factorization: RidgeFactorization) -> KappaCurve:
        if not (isinstance(self.calibrate, (bool, np.bool_)) or self.calibrate == "auto"):
            raise ValueError(f"calibrate={self.calibrate!r} must be 'auto', True or False.")
        if not isinstance(self.extrapolate, (bool, np.bool_)):
            raise ValueError(f"extrapolate={self.extrapolate!r} must be True or False.")
        groups = factorization.groups
        n_draws = factorization.n_sampled if groups is None else groups.n_groups
        n_blocks = min(tuning.JACKKNIFE_BLOCKS, n_draws)
        curve, replicates = leave_one_out_curves(
            factorization, n_grid=self.n_grid, n_blocks=n_blocks
        )
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
        self.class_surface_: ClassSurface | None = None
        if kept.classes is not None:
            self.class_surface_ = ClassSurface(kept, self.surface_)
        return curve

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {**state, "factorization_": None} if "factorization_" in state else state

    def _answer(
        self, n_samples: FloatArray, alpha: FloatArray, fit_intercept: bool, variance: bool
    ) -> ErrorAnswer:
        cells = n_samples.ravel(), alpha.ravel()
        found = self.surface_.answer(*cells, extrapolate=bool(self.extrapolate), variance=variance)
        return found.reshape(n_samples.shape)

    def cautious_error(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
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

    @property
    def knows_classes(self) -> bool:
        """Whether the population was fitted with ``labels``."""
        check_is_fitted(self)
        return self.class_surface_ is not None

    def class_answer(
        self,
        n_samples: ArrayLike,
        alpha: ArrayLike,
        *,
        fit_intercept: bool,
        columns: slice,
        temperature: float | None = None,
        exact: bool = True,
    ) -> ClassAnswer:
        """Return what is known of error rates, or of the log-loss, fitted with ``labels``.

        Parameters
        ----------
        n_samples, alpha, fit_intercept
            As in `test_error`.
        columns : slice
            Which of K + 2 losses: of each class, over all rows, and the mean over classes.
        temperature : float, optional
            Of the log-loss: probabilities are proportional to exp(score/temperature), where of two
            classes the scores are -x and x. None is the share of rows that are misclassified.
        exact : bool, default=True
            Whether at n₀ every alpha is counted by itself; False, for searches, interpolates.

        Returns
        -------
        ClassAnswer

        Raises
        ------
        ValueError
            If the population was fitted without ``labels``.
        """
        self._check_answerable(fit_intercept)
        if self.class_surface_ is None:
            raise ValueError(
                "This LeaveOneOutPopulation was fitted without labels and knows no error rates; "
                "fit(X, codes, labels=...), or through DeterministicEquivalentRidgeClassifier."
            )
        sizes, alphas = check_cells(n_samples, alpha)
        found = self.class_surface_.answer(
            sizes.ravel(),
            alphas.ravel(),
            loss=Loss(temperature),
            columns=columns,
            exact=exact,
            extrapolate=bool(self.extrapolate),
        )
        return self._known(found.reshape(sizes.shape), alphas)

    def interval(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, level: float = 0.9, fit_intercept: bool
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
            NaN where the error is.
        """
        level = check_level(level)
        found = self.answer(n_samples, alpha, fit_intercept=fit_intercept, variance=True)
        lower, upper = map(self._outputs, found.interval(level) or ())
        return lower, upper

    def calibration_check(
        self,
        sizes: Any = None,
        *,
        feature_names: Any = None,
        mean_weight: float = 1.0,
        column: int | None = None,
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
        column : int, optional
            Which error rate is checked, of the K + 2 that ``class_answer`` tells; None is the
            squared error.

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
            found = calibrate(self.factorization_, self.curve_, sizes=self._sizes(sizes))
        if feature_names is None:
            feature_names = getattr(self, "feature_names_in_", None)
        if column is not None and self.class_surface_ is not None:
            found = rates_calibration(found, self.class_surface_.tables, column)
        return check_of(found, partial(self._diagnosis, feature_names), mean_weight)

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

    def _sizes(self, sizes: Any) -> list[int] | None:
        if sizes is None:
            return None
        wanted = np.atleast_1d(np.asarray(sizes))
        known = self.factorization_
        most = (self.surface_.n_rows if known is None else known.sample.n_rows) - 1
        whole = wanted.ndim == 1 and wanted.size > 0 and wanted.dtype.kind in "iu"
        if not whole or wanted.min() < 2 or wanted.max() > most:
            raise ValueError(f"sizes={sizes!r} must be whole numbers between 2 and {most}.")
        return [int(size) for size in np.unique(wanted)]
