"""The population from the training set itself, rows taken as unequally influential."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.populations.calibration_check import CalibrationCheck, check_of
from sk_deepfeat.populations.moments import FloatArray
from sk_deepfeat.populations.one_sample import OneSampleMixin
from sk_deepfeat.theory import (
    ErrorDecomposition,
    ErrorSurface,
    RidgePath,
    SurfaceErrors,
    TransferCurve,
    calibrate,
    leave_one_out_curves,
)
from sk_deepfeat.theory.validation import check_cells, check_level

_GROUPS = 20


class LeaveOneOutPopulation(OneSampleMixin, BaseEstimator):
    """The population as one training set shows it, rows taken as unequally influential.

    Real features have very unequal leverages h_i. With the exact leave-one-out residuals e_i and
    Q_i = h_i/(1-h_i) along a ridge α₀ on the n₀ training rows, row i is taken as √s_i z_i with
    s_i = Q_i/mean Q; degrees of freedom, κ, and the part of e_i² that does not depend on n follow,
    and from them the error at every n and alpha. At n₀ it is the mean of e_i² itself.

    Errors measured on random subsets of the rows check the theory and, where it fails, as for rows
    in clusters, correct it. Beyond n₀ the answer averages the theory's with a power law through
    those measurements, each by its own uncertainty.

    Parameters
    ----------
    n_grid : int, default=120
        Points of the table along α₀.
    calibrate : {"auto", True, False}, default="auto"
        Whether to correct by errors measured on subsets: "auto" measures a few, and where they
        disagree with the theory by more than noise it measures more and corrects; True always
        does; False never.
    extrapolate : bool, default=False
        Whether cells beyond reach, where more samples than n₀ meet too small an alpha, get the best
        number there is, with a wide interval. Otherwise they are NaN, as they are anyway below some
        fifty rows, where no growth can be fitted.

    Attributes
    ----------
    curve_ : TransferCurve
        What the sample shows along κ.
    calibration_ : Calibration or None
        Errors measured on subsets, for weights of mean one.
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

    Subsets are drawn with a fixed seed: the same rows give the same answers. For the intervals,
    rows are dealt to twenty groups in turn; near-duplicates of a row fall into other groups, so
    that intervals are too narrow for rows that are no independent draws. The training rows stay in
    memory for `calibration_check`; a pickle leaves them out.

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

    def __init__(
        self, *, n_grid: int = 120, calibrate: Any = "auto", extrapolate: bool = False
    ) -> None:
        self.n_grid = n_grid
        self.calibrate = calibrate
        self.extrapolate = extrapolate

    def _curve(self, path: RidgePath) -> TransferCurve:
        if not (isinstance(self.calibrate, (bool, np.bool_)) or self.calibrate == "auto"):
            raise ValueError(f"calibrate={self.calibrate!r} must be 'auto', True or False.")
        if not isinstance(self.extrapolate, (bool, np.bool_)):
            raise ValueError(f"extrapolate={self.extrapolate!r} must be True or False.")
        curve, replicates = leave_one_out_curves(
            path, n_grid=self.n_grid, anchors=path.anchors, n_groups=min(_GROUPS, path.n_rows)
        )
        self.calibration_ = None
        correct = bool(self.calibrate) and self.calibrate != "auto"
        if self.calibrate or self.extrapolate:
            self.calibration_ = calibrate(path, curve, fine=correct)
            if self.calibrate == "auto" and self.calibration_.disagreement > 0:
                self.calibration_ = calibrate(path, curve, fine=True)
                correct = self.calibration_.disagreement > 0
        self._surface = ErrorSurface(
            curve, replicates, path.n_rows, path.fit_intercept, self.calibration_, correct
        )
        self._path: RidgePath | None = path
        return curve

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {**state, "_path": None} if "_path" in state else state

    def _evaluate(
        self,
        n_samples: ArrayLike,
        alpha: ArrayLike,
        fit_intercept: bool,
        *,
        extrapolate: bool,
        variance: bool = False,
        cautious: bool = False,
    ) -> SurfaceErrors:
        self._check_intercept(fit_intercept)
        n, a = check_cells(n_samples, alpha)
        found = self._surface.evaluate(
            n.ravel(), a.ravel(), extrapolate=extrapolate, variance=variance, cautious=cautious
        )
        shape = (*n.shape, self.curve_.error.shape[2])
        return SurfaceErrors(
            found.error.reshape(shape),
            found.log_variance.reshape(shape),
            found.reachable.reshape(shape),
            found.degrees,
        )

    def _errors(self, n_samples: ArrayLike, alpha: ArrayLike, fit_intercept: bool) -> FloatArray:
        extrapolate = bool(self.extrapolate)
        return self._evaluate(n_samples, alpha, fit_intercept, extrapolate=extrapolate).error

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
        extrapolate = bool(self.extrapolate)
        found = self._evaluate(
            n_samples, alpha, fit_intercept, extrapolate=extrapolate, cautious=True
        )
        return self._outputs(found.error)

    def decomposition(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
    ) -> ErrorDecomposition:
        """Return what one sample tells: bias + noise, and the total variance; the rest is NaN."""
        total = self.test_error(n_samples, alpha, fit_intercept=fit_intercept)
        risk = self._transfer(n_samples, alpha, fit_intercept)
        unexplained = np.minimum(self._outputs(risk.unexplained), total)
        unexplained = np.where(unexplained >= 0.0, unexplained, np.nan)  # lost in noise
        unknown = np.full_like(total, np.nan)
        return ErrorDecomposition(
            unknown, unknown, unknown, unknown, unexplained, total - unexplained
        )

    def interval(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, level: float = 0.9, fit_intercept: bool
    ) -> tuple[FloatArray, FloatArray]:
        """Return an interval for the mean test error over training sets of a size.

        It counts the sampling error of the rows (delete-group jackknife), the scatter of the error
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
        found = self._evaluate(
            n_samples, alpha, fit_intercept, extrapolate=bool(self.extrapolate), variance=True
        )
        lower, upper = found.interval(check_level(level))
        return self._outputs(lower), self._outputs(upper)

    def reachable(
        self, n_samples: ArrayLike, alpha: ArrayLike, *, fit_intercept: bool
    ) -> NDArray[np.bool_]:
        """Say where the training set identifies the error, shape broadcast(n_samples, alpha).

        False where an answer rests on extrapolation alone, whether it is given or NaN.
        """
        found = self._evaluate(n_samples, alpha, fit_intercept, extrapolate=False)
        return np.asarray(found.reachable.all(axis=-1))

    def calibration_check(self, sizes: Any = None) -> CalibrationCheck:
        """Compare errors measured on random subsets of the rows with those of the theory.

        Parameters
        ----------
        sizes : array-like of int, optional
            Sizes of the subsets, from 2 to one below the number of rows; None is those of the fit.

        Returns
        -------
        CalibrationCheck
            With a `PopulationWarning` if they disagree by more than noise.

        Raises
        ------
        ValueError
            If a size is out of range, or the rows are no longer there: a population that was
            pickled, or fitted with ``calibrate=False`` and then pickled, has its numbers alone.
        """
        check_is_fitted(self)
        found = self.calibration_
        if sizes is not None or found is None:
            if self._path is None:
                raise ValueError(
                    "calibration_check needs the training rows, which are not pickled; fit the "
                    "population again."
                )
            found = calibrate(self._path, self.curve_, sizes=self._sizes(sizes))
        return check_of(found)

    def _sizes(self, sizes: Any) -> list[int] | None:
        if sizes is None:
            return None
        wanted = np.atleast_1d(np.asarray(sizes))
        most = self._surface.n_rows - 1
        whole = wanted.ndim == 1 and wanted.size > 0 and wanted.dtype.kind in "iu"
        if not whole or wanted.min() < 2 or wanted.max() > most:
            raise ValueError(f"sizes={sizes!r} must be whole numbers between 2 and {most}.")
        return [int(size) for size in np.unique(wanted)]
