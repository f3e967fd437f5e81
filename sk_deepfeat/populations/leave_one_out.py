"""The population from the training set itself, rows taken as unequally influential."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.populations.calibration_check import CalibrationCheck
from sk_deepfeat.populations.left_out_errors import LeftOutErrorsMixin
from sk_deepfeat.theory import (
    ClassAnswer,
    ClassSurface,
    KappaCurve,
    Loss,
    RidgeFactorization,
    leave_one_out_curves,
)
from sk_deepfeat.theory.one_sample.classes.class_correction import rates_calibration
from sk_deepfeat.theory.validation import check_cells


class LeaveOneOutPopulation(LeftOutErrorsMixin, BaseEstimator):
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
        curve = super()._learn(factorization)
        self.class_surface_: ClassSurface | None = None
        if factorization.classes is not None:
            self.class_surface_ = ClassSurface(factorization.without_halves(), self.surface_)
        return curve

    def _curves(
        self, factorization: RidgeFactorization, n_blocks: int
    ) -> tuple[KappaCurve, list[KappaCurve]]:
        """Return the curve and its jackknife replicates."""
        return leave_one_out_curves(factorization, n_grid=self.n_grid, n_blocks=n_blocks)

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
        fit_intercept: bool | None = None,
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
        self._intercept(fit_intercept)
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

    def calibration_check(
        self,
        sizes: Any = None,
        *,
        feature_names: Any = None,
        mean_weight: float = 1.0,
        column: int | None = None,
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
        column : int, optional
            Which error rate is checked, of the K + 2 that ``class_answer`` tells; None is the
            squared error.
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
        if column is not None and self.class_surface_ is not None:
            found = rates_calibration(found, self.class_surface_.tables, column)
        return self._checked(found, feature_names, mean_weight, factor)
