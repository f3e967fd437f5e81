"""A fitted population as an estimator asks it: in the estimator's alpha, one record a question."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import has_fit_parameter

from sk_deepfeat.plugins import require_members, require_same_data, resolve
from sk_deepfeat.theory import ErrorDecomposition, TargetVariance
from sk_deepfeat.theory.answer import AskedVariance, ShareOfAll
from sk_deepfeat.theory.validation import FloatArray, alpha_of_mean_weight


def fit_population(
    population: Any,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    groups: Any = None,
    labels: Any = None,
    fit_intercept: bool,
    path: Any,
) -> Any:
    """Resolve `population`, fit a clone of it and compare widths.

    Parameters
    ----------
    population : str or population
        A name, or an unfitted or frozen instance.
    X, y, sample_weight : array-like
        Validated rows.
    groups : array-like or None
        Labels of the rows' groups.
    labels : array-like of int or None
        Classes of the rows, where `y` holds their codes; for a population that can use them.
    fit_intercept : bool
        Whether the ridge fits an intercept.
    path : RidgeFactorization or UnfactorizedRows or None
        Of these rows and groups, if it has been made.

    Returns
    -------
    population
        Fitted.

    Raises
    ------
    ValueError
        If there are groups and the population cannot use them.
    """
    resolved = resolve("populations", population)
    require_members("populations", resolved)
    more = {}
    if groups is not None:
        if not has_fit_parameter(resolved, "groups"):
            raise ValueError(
                f"population={population!r} takes every row for a draw of its own and cannot use "
                "groups; population='leave-one-out' does."
            )
        more["groups"] = groups
    if labels is not None and has_fit_parameter(resolved, "labels"):
        more["labels"] = labels
    fitted = clone(resolved, safe=False).fit(
        X, y, sample_weight=sample_weight, fit_intercept=fit_intercept, path=path, **more
    )
    # At a size that will be asked for anyway.
    size = float(np.shape(X)[0] if path is None else path.n_rows)
    require_same_data(fitted, np.shape(X)[1], np.shape(y)[1:], fit_intercept, n_samples=size)
    return fitted


def takes_samples(population: Any) -> bool:
    """Say whether a population learns from a factorisation that has but a sample of its rows.

    One that was fitted before, and frozen, learns nothing from any.
    """
    found = resolve("populations", population)
    return isinstance(found, FrozenEstimator) or bool(getattr(found, "takes_samples", False))


def is_matrix_free(population: Any) -> bool:
    """Say whether a population needs no factorisation, nor wants one made for it."""
    return bool(getattr(resolve("populations", population), "matrix_free", False))


@dataclass(frozen=True, eq=False)
class AskedPopulation:
    """A fitted population in the units of an estimator.

    Parameters
    ----------
    population : population
        Fitted.
    given : object
        What the user passed for it, for messages.
    fit_intercept : bool
        What the ridge does.
    mean_weight : float
        Ridge at alpha on the given weights is ridge at ``alpha / mean_weight`` for the population.
    single_output : bool
        Whether the targets had one axis.
    feature_names : ndarray of str, optional
        What the features are called, where they have names.
    factor : ndarray of shape (t,), optional
        What errors of each output are multiplied by; None is one.
    root : bool, default=False
        Whether roots of these are taken.
    share_of : TargetVariance, optional
        Of the targets, where the factor makes shares of it: intervals are then those of shares.
    of_all : bool, default=False
        Whether they are shares of the variance of all outputs together.
    """

    population: Any
    given: Any
    fit_intercept: bool
    mean_weight: float
    single_output: bool
    feature_names: Any = None
    factor: FloatArray | None = None
    root: bool = False
    share_of: TargetVariance | None = None
    of_all: bool = False

    def answer(self, n_samples: FloatArray, alpha: FloatArray, *, variance: bool = False) -> Any:
        """Return the population's `ErrorAnswer`, or what stands for one, of cells.

        Errors have an axis of outputs, whether the targets had one or not.
        """
        found = self._answer((n_samples, alpha_of_mean_weight(alpha, self.mean_weight)), variance)
        return found if self.factor is None else found.per_output(self.factor, root=self.root)

    def _answer(self, cells: tuple[FloatArray, FloatArray], variance: bool) -> Any:
        if not _gives_records(self.population):
            return _AnswerByMembers(self, cells)
        share = self.share_of if variance else None
        asked: AskedVariance = variance
        if share is not None and self.fit_intercept:
            asked = "relative"
            if self.of_all and self.factor is not None:
                asked = ShareOfAll(self.factor)
        found = self.population.answer(*cells, fit_intercept=self.fit_intercept, variance=asked)
        if share is not None and not self.fit_intercept:
            # The error of nothing is a second moment, no variance: nothing tells how both vary,
            # nor how the variances of outputs do, which may be those of one signal.
            found = found.with_common(share.log_variance)
        return found

    @property
    def knows_classes(self) -> bool:
        """Whether the population was fitted to codes of classes and tells their error rates."""
        found = getattr(self.population, "class_answer", None)
        return found is not None and getattr(self.population, "knows_classes", True)

    def degrees_of_freedom(self, kappa: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return df1 and df2, or raise ValueError if the population does not tell them."""
        self._require_member("degrees_of_freedom")
        df1, df2 = self.population.degrees_of_freedom(kappa, fit_intercept=self.fit_intercept)
        return df1, df2

    def calibration_check(self, sizes: Any, column: int | None = None) -> Any:
        """Return the check in the estimator's alpha, or raise ValueError if there is none.

        `column` is that of an error rate, of a population that knows classes.
        """
        self._require_member("calibration_check")
        check = self.population.calibration_check
        known = set(signature(check).parameters)
        if {"feature_names", "mean_weight"} <= known:
            more: dict[str, Any] = {} if column is None else {"column": column}
            if "factor" in known:
                more["factor"] = self.factor
            found = check(
                sizes, feature_names=self.feature_names, mean_weight=self.mean_weight, **more
            )
        else:
            found = check(sizes)
            found = replace(found, alpha=found.alpha * self.mean_weight)
        return found if self.factor is None or "factor" in known else self._in_units(found)

    def _in_units(self, check: Any) -> Any:
        """Return a check of averages over outputs in the units of the targets."""
        assert self.factor is not None
        if np.ptp(self.factor) > 0.0:
            raise ValueError(
                f"population={self.given!r} checks averages over outputs, and those of other "
                "weights are not known; population='leave-one-out' knows them."
            )
        errors = {
            name: getattr(check, name) * self.factor[0]
            for name in ("measured", "predicted", "lower", "upper")
        }
        return replace(check, **errors)

    def require(self, part: Any, member: str, asked: str) -> None:
        """Raise ValueError, naming the member of the contract, if a part of an answer is None."""
        if part is None:
            needs = "" if asked == member else f", which {asked} needs"
            raise ValueError(
                f"population={self.given!r} does not implement {member}{needs}; "
                "population='leave-one-out' does."
            )

    def _require_member(self, member: str) -> None:
        self.require(getattr(self.population, member, None), member, member)


# What a population may answer by itself, and a record holds.
_MEMBERS = (
    "test_error",
    "train_error",
    "decomposition",
    "kappa",
    "reachable",
    "interval",
    "cautious_error",
)


def _gives_records(population: Any) -> bool:
    """Say whether a population's record is to be asked, not its separate members.

    A class derived from one that gives records, but with a member of its own, means that member.
    """
    if not hasattr(population, "answer"):
        return False
    if isinstance(population, FrozenEstimator):
        population = population.estimator
    for owner in type(population).__mro__:
        if {"answer", "_answer"} & set(vars(owner)):
            return True
        if set(_MEMBERS) & set(vars(owner)):
            return False
    return True


class _AnswerByMembers:
    """What a population with separate members knows of some cells, asked when it is read.

    It has the fields and methods of `ErrorAnswer` that an estimator reads; what the population has
    no member for is None.
    """

    def __init__(
        self,
        asked: AskedPopulation,
        cells: tuple[FloatArray, FloatArray],
        share: FloatArray | None = None,
        factor: FloatArray | None = None,
        root: bool = False,
    ) -> None:
        self._asked, self._cells, self._share = asked, cells, share
        self._factor, self._root = factor, root

    def scaled(self, share: FloatArray) -> _AnswerByMembers:
        """Return what `ErrorAnswer.scaled` does."""
        return _AnswerByMembers(self._asked, self._cells, share, self._factor, self._root)

    def per_output(self, factor: FloatArray, *, root: bool = False) -> _AnswerByMembers:
        """Return what `ErrorAnswer.per_output` does."""
        return _AnswerByMembers(self._asked, self._cells, self._share, factor, root)

    def _ask(self, member: str, **options: Any) -> Any:
        method = getattr(self._asked.population, member, None)
        if method is None:
            return None
        return method(*self._cells, fit_intercept=self._asked.fit_intercept, **options)

    def _with_outputs(self, values: Any) -> Any:
        if values is None:
            return None
        values = np.asarray(values)
        values = values[..., None] if self._asked.single_output else values
        if self._factor is not None:
            values = np.sqrt(values * self._factor) if self._root else values * self._factor
        return values if self._share is None else values * self._share[..., None]

    @cached_property
    def error(self) -> FloatArray:
        return np.asarray(self._with_outputs(self._ask("test_error")))

    @property
    def kappa(self) -> FloatArray:
        found = np.asarray(self._ask("kappa"))
        return found if self._share is None else np.where(np.isnan(self._share), np.nan, found)

    @property
    def reachable(self) -> Any:
        found, known = self._ask("reachable"), ~np.isnan(self.error).any(axis=-1)
        if found is None or self._share is None:
            return known if found is None else np.asarray(found)
        return np.asarray(found) & ~np.isnan(self._share)

    @property
    def train_error(self) -> Any:
        return self._with_outputs(self._ask("train_error"))

    @property
    def cautious_error(self) -> Any:
        return self._with_outputs(self._ask("cautious_error"))

    def decomposition(self) -> ErrorDecomposition | None:
        found = self._ask("decomposition")
        if found is None:
            return None
        bias, variance, noise_variance, noise = map(self._with_outputs, found)
        sums = {
            "bias_and_noise": np.add(bias, noise),
            "total_variance": np.add(variance, noise_variance),
        }
        for name in sums:
            if hasattr(found, name):
                sums[name] = self._with_outputs(getattr(found, name))
        return ErrorDecomposition(bias, variance, noise_variance, noise, **sums)

    def interval(self, level: float) -> tuple[FloatArray, FloatArray] | None:
        ends = self._ask("interval", level=level)
        if ends is None:
            return None
        lower, upper = map(self._with_outputs, ends)
        return lower, upper

    def average_interval(
        self, level: float, weights: FloatArray
    ) -> tuple[FloatArray, FloatArray] | None:
        """Return averages of the ends: how outputs are wrong together is not known."""
        ends = self.interval(level)
        return None if ends is None else (ends[0] @ weights, ends[1] @ weights)
