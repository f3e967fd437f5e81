"""The population from the training set itself, by products with its rows alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.populations.left_out_errors import LeftOutErrorsMixin
from sk_deepfeat.progress import all_or_nothing
from sk_deepfeat.rows import check_rows
from sk_deepfeat.theory import (
    KappaCurve,
    RidgeFactorization,
    UnfactorizedRows,
    leave_one_out_curves,
    unfactorized_rows,
)
from sk_deepfeat.theory.one_sample.matrix_free import tuning
from sk_deepfeat.theory.one_sample.matrix_free.learned_curves import (
    MatrixFreeOptions,
    matrix_free_curves,
)
from sk_deepfeat.theory.one_sample.matrix_free.unfactorized_rows import of_factorization
from sk_deepfeat.theory.validation import is_whole

_MOST_OUTPUTS, _FEWEST_SAMPLED = 8, 100


class LanczosPopulation(LeftOutErrorsMixin, BaseEstimator):
    """The population as one training set shows it that is too large to be factorised.

    What `LeaveOneOutPopulation` reads off a factorisation comes from products with the rows, one
    block of them after the other: Lanczos steps without each of a few folds give the errors of all
    rows when they are left out, at every alpha at once; steps from random probes give degrees of
    freedom. How unequal rows are is taken from a sample that is factorised, in which the theory is
    checked by subsets, too. The noise of probes and sample counts in the intervals.

    Parameters
    ----------
    n_folds : int, default=10
        Folds left out in turn, at least two; more are nearer to leaving out single rows, and cost
        in proportion.
    n_probes : int, default=16
        Random vectors for the degrees of freedom, which are then known to √(2/(n_probes df1)).
    n_sampled : int, default=2000
        Rows of the sample, at least 100. A training set of no more rows is factorised as a whole
        and answers as `LeaveOneOutPopulation`.
    max_iter : int, default=400
        Most Lanczos steps. Errors at alphas so small that they are not settled by then are NaN.
    n_grid : int, default=120
        Points of the table along α₀.
    calibrate, extrapolate
        As of `LeaveOneOutPopulation`.
    seed : int, default=0
        Draws folds, probes and the sample: the same rows give the same answers.

    Attributes
    ----------
    n_iter_ : int
        Lanczos steps taken, two passes over the rows each; 0 if all rows are in the sample.
    curve_, calibration_, surface_, factorization_, kappa_min_, n_features_in_
        As of `LeaveOneOutPopulation`; `factorization_` is the rows and their sample.

    See Also
    --------
    LeaveOneOutPopulation : Exact leave-one-out errors, where the smaller of the numbers of rows and
        features allows a factorisation; for groups and classes, too.

    Notes
    -----
    Time grows with the entries of the rows, times the square root of the largest eigenvalue over
    alpha. Memory beyond the rows: a few vectors of rows and of features for each fold and probe,
    and one number for each row and step. Several outputs, at most eight, come one after the other.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.populations import LanczosPopulation
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 200))
    >>> population = LanczosPopulation(n_sampled=500).fit(X, X[:, 0] + rng.normal(size=2000))
    >>> population.test_error([500, 2000, 8000], 10.0, fit_intercept=True).round(1)
    array([1.6, 1.1, 1. ])
    """

    matrix_free = True
    takes_samples = False
    _takes_groups = False
    _paths = (RidgeFactorization, UnfactorizedRows)

    def __init__(
        self,
        *,
        n_folds: int = tuning.N_FOLDS,
        n_probes: int = tuning.N_PROBES,
        n_sampled: int = tuning.SAMPLED_ROWS,
        max_iter: int = tuning.MOST_STEPS,
        n_grid: int = 120,
        calibrate: Any = "auto",
        extrapolate: bool = False,
        seed: int = 0,
    ) -> None:
        self.n_folds = n_folds
        self.n_probes = n_probes
        self.n_sampled = n_sampled
        self.max_iter = max_iter
        self.n_grid = n_grid
        self.calibrate = calibrate
        self.extrapolate = extrapolate
        self.seed = seed

    @all_or_nothing
    def fit(  # type: ignore[override]
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        fit_intercept: bool = True,
        path: Any = None,
    ) -> Any:
        """Learn from products with the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features of the training rows, at least two.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets, of at most eight outputs.
        sample_weight : array-like of shape (n_samples,), optional
            Weights; a row of weight w is one draw, not w draws.
        fit_intercept : bool, default=True
            Whether the ridge fits an intercept.
        path : UnfactorizedRows or RidgeFactorization, optional
            Of these rows, when it has been made.

        Returns
        -------
        population
            Itself.

        Raises
        ------
        ValueError
            If rows, weights or a parameter are not usable, there are more outputs, rows come in
            groups or classes, or no error settles within `max_iter` steps.
        """
        for name, least in (
            ("n_folds", 2),
            ("n_probes", 1),
            ("n_sampled", _FEWEST_SAMPLED),
            ("max_iter", 1),
            ("seed", 0),
        ):
            value = getattr(self, name)
            whole = is_whole(value)
            if not whole or value < least:
                raise ValueError(f"{name}={value!r} must be an integer of at least {least}.")
        if path is None:
            X, y, sample_weight = check_rows(self, X, y, sample_weight)
            path = unfactorized_rows(
                X, y, sample_weight, fit_intercept=fit_intercept, n_sampled=self.n_sampled
            )
        elif isinstance(path, RidgeFactorization):
            path = self._rows_of(path)
        elif isinstance(path, UnfactorizedRows):
            path = path.with_sample(self.n_sampled)
        if isinstance(path, UnfactorizedRows):
            if path.targets.shape[1] > _MOST_OUTPUTS:
                raise ValueError(
                    f"y has {path.targets.shape[1]} outputs, but LanczosPopulation takes at most "
                    f"{_MOST_OUTPUTS}; fit them in parts."
                )
            if path.n_sampled == path.n_rows:
                path = path.sample
        self.n_iter_ = 0
        return super().fit(X, y, sample_weight, fit_intercept=fit_intercept, path=path)

    def _rows_of(self, path: RidgeFactorization) -> UnfactorizedRows:
        if path.groups is not None or path.classes is not None:
            what = "groups" if path.groups is not None else "classes"
            raise ValueError(
                f"LanczosPopulation takes every row for a draw of its own and cannot use {what}; "
                "population='leave-one-out' does."
            )
        if path.n_sampled < path.n_rows:
            raise ValueError(
                "LanczosPopulation needs all rows, of which path has a sample alone; "
                "population='leave-one-out' gets along with that."
            )
        return of_factorization(path, self.n_sampled)

    def _curves(self, factorization: Any, n_blocks: int) -> tuple[KappaCurve, list[KappaCurve]]:
        if isinstance(factorization, RidgeFactorization):
            return leave_one_out_curves(factorization, n_grid=self.n_grid, n_blocks=n_blocks)
        found = matrix_free_curves(
            factorization,
            MatrixFreeOptions(self.n_folds, self.n_probes, self.max_iter, self.n_grid, self.seed),
        )
        self.n_iter_ = found.n_steps
        exact = factorization.exact_at
        if np.any(exact < found.lowest_ridge):
            warn_caller(
                f"alpha={exact.min() * factorization.mean_weight:.3g} is so small that errors have "
                f"not settled in max_iter={self.max_iter} steps: they are known from alpha="
                f"{found.lowest_ridge * factorization.mean_weight:.3g} on, and NaN below."
            )
        return found.curve, found.replicates
