"""What the populations from one training set share: fit, and what its curve along κ tells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import column_or_1d

from sk_deepfeat.populations.answers import AnswersMixin
from sk_deepfeat.populations.dependent_rows import with_copies_together
from sk_deepfeat.populations.moments import check_width
from sk_deepfeat.progress import all_or_nothing
from sk_deepfeat.rows import check_groups, check_rows
from sk_deepfeat.theory import (
    KappaCurve,
    RidgeFactorization,
    RowClasses,
    ridge_factorization,
)
from sk_deepfeat.theory.answer import TargetVariance
from sk_deepfeat.theory.interpolation import interp_log
from sk_deepfeat.theory.one_sample.ridge_grid import check_grid_size
from sk_deepfeat.theory.units import units_of_targets
from sk_deepfeat.theory.validation import FloatArray, check_alpha, check_flag


class OneSampleMixin(AnswersMixin):
    """Fit and degrees of freedom of a population that has a `KappaCurve` from its training rows.

    A subclass implements ``_learn(factorization)``, which returns the curve and keeps what
    ``answer`` needs, and has a parameter ``n_grid``. One that knows what to do with the groups of a
    factorisation says so by ``_takes_groups``.
    """

    n_grid: int
    curve_: KappaCurve
    target_variance_: TargetVariance
    _target_units: FloatArray | None = None
    _takes_groups = False
    _paths: Any = (RidgeFactorization,)
    takes_samples = True

    def _learn(self, factorization: RidgeFactorization) -> KappaCurve:
        raise TypeError(f"{type(self).__name__} must implement _learn.")

    @all_or_nothing
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        labels: Any = None,
        fit_intercept: bool = True,
        path: Any = None,
    ) -> Any:
        """Tabulate the functionals from one factorisation of the rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features of the training rows, at least two.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            Weights; a row of weight w is one draw, not w draws.
        groups : array-like of shape (n_samples,), optional
            Labels of rows that belong together, of at least two kinds; errors are then those on
            rows of new groups. Not every population can use them.
        labels : array-like of int of shape (n_samples,), optional
            Classes of the rows, from 0 on, whose codes `y` holds: of two -1 and 1, of more one
            column each. Error rates are then known, too, by a population that can tell them.
        fit_intercept : bool, default=True
            Whether the ridge fits an intercept.
        path : RidgeFactorization, optional
            Factorisation of these rows, with their groups and classes, when it has been made.

        Returns
        -------
        population
            Itself.

        Raises
        ------
        ValueError
            If rows, weights, groups or `n_grid` are not usable, or the population cannot use
            groups.
        """
        check_grid_size(self.n_grid)
        check_flag(fit_intercept, "fit_intercept")
        if path is None:
            X, y, sample_weight = check_rows(self, X, y, sample_weight)
            codes = None if groups is None else check_groups(groups, X.shape[0])
            path = ridge_factorization(
                X, y, sample_weight, fit_intercept=fit_intercept, groups=codes
            )
            if labels is not None:
                path = path.with_classes(_classes_of(labels, y, sample_weight))
        elif not isinstance(path, self._paths):
            raise TypeError(
                f"path={path!r} must be a RidgeFactorization, from ridge_factorization, or None."
            )
        elif path.fit_intercept != fit_intercept:
            raise ValueError(
                f"path was made with fit_intercept={path.fit_intercept}, the population asked for "
                f"fit_intercept={fit_intercept}."
            )
        elif groups is not None and path.groups is None:
            raise ValueError(
                "groups were given, but path was made without: ridge_factorization(groups=...)."
            )
        else:
            check_width(path.n_features, X, "path")
            self.n_features_in_ = path.n_features
        if path.groups is not None and not self._takes_groups:
            raise ValueError(
                f"{type(self).__name__} takes every row for a draw of its own and cannot use "
                "groups; population='leave-one-out' does."
            )
        self.target_variance_ = path.target_variance
        self._target_units = units_of_targets(path.targets)
        if self._target_units is not None:
            path = path.with_target_units(self._target_units)
        self._dependence = None
        if path.groups is None:
            path, self._dependence = with_copies_together(
                path, X, y, sample_weight, takes_groups=self._takes_groups
            )
        self.fit_intercept_ = fit_intercept
        self._row_numbers = None if sample_weight is None else np.flatnonzero(sample_weight)
        self._single_output = np.ndim(y) == 1
        self._least_alpha = path.least_ridge
        self._searched_in = path.trace / path.n_rows, float(path.n_rows)
        self.curve_ = self._learn(path)
        self.kappa_min_ = 0.0 if self.curve_.shows_all else float(self.curve_.kappa[0])
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = True
        return tags

    @property
    def _single(self) -> bool:
        return self._single_output

    def _check_answerable(self, fit_intercept: bool) -> None:
        if fit_intercept != self.fit_intercept_:
            raise ValueError(
                f"This {type(self).__name__} was fitted with "
                f"fit_intercept={self.fit_intercept_} and cannot answer for "
                f"fit_intercept={fit_intercept}; fit it again."
            )

    def _extent(self, fit_intercept: bool) -> tuple[float, float]:
        return self._searched_in

    def _known(self, found: Any, alpha: FloatArray) -> Any:
        """Return a record in the units of the targets as they were given.

        Nothing is known of alphas that sparse rows do not resolve.
        """
        if self._target_units is not None:
            found = found.per_output(self._target_units).per_output(self._target_units)
        if self._least_alpha == 0.0:
            return found
        return found.scaled(np.where(alpha < self._least_alpha, np.nan, 1.0))

    def degrees_of_freedom(
        self, kappa: ArrayLike, *, fit_intercept: bool | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return df1 and df2 at effective regularisations; NaN below ``kappa_min_``.

        Parameters
        ----------
        kappa : array-like
            Effective regularisations, not negative.
        fit_intercept : bool, optional
            As in `fit`.

        Returns
        -------
        df1, df2 : ndarray of the shape of `kappa`
        """
        self._intercept(fit_intercept)
        at = check_alpha(kappa, "kappa")
        curve = self.curve_
        if curve.rank == 0:
            return np.zeros(at.shape), np.zeros(at.shape)
        thinned = np.minimum(curve.kappa[-1] / np.maximum(at, curve.kappa[-1]), 1.0)  # df ~ 1/κ
        df1, df2 = (
            interp_log(at, curve.kappa, df) * thinned**power
            for df, power in ((curve.df1, 1), (curve.df2, 2))
        )
        unknown = at < self.kappa_min_
        return np.where(unknown, np.nan, df1), np.where(unknown, np.nan, df2)

    def reachable(
        self, n_samples: ArrayLike, alpha: Any, *, fit_intercept: bool | None = None
    ) -> NDArray[np.bool_]:
        """Say where the training set identifies the error, shape broadcast(n_samples, alpha).

        False where an answer rests on extrapolation alone, whether it is given or NaN.
        """
        return self.answer(n_samples, alpha, fit_intercept=fit_intercept).reachable


def _classes_of(labels: Any, y: FloatArray, sample_weight: FloatArray | None) -> RowClasses:
    """Return the classes of the rows of positive weight."""
    n_classes = 2 if y.ndim == 1 or y.shape[1] == 1 else y.shape[1]
    kept = slice(None) if sample_weight is None else sample_weight > 0
    weights = None if sample_weight is None else sample_weight[kept]
    return RowClasses(column_or_1d(labels)[kept], n_classes, weights)
