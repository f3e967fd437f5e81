"""What a fitted ridge knows about its own error, as one immutable value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.linear_model._arguments import (
    average_ends,
    average_outputs,
    check_alpha,
    one_target,
)
from sk_deepfeat.linear_model._per_output import Ask, answer_per_output
from sk_deepfeat.linear_model._population import AskedPopulation
from sk_deepfeat.linear_model._scores import SCORES, Score, loss_factor, named, score_of_losses
from sk_deepfeat.progress import as_stage
from sk_deepfeat.theory import ErrorDecomposition, TargetVariance
from sk_deepfeat.theory.alpha_search import MANY_OUTPUTS, AlphaSearch
from sk_deepfeat.theory.output_search import OutputSearch
from sk_deepfeat.theory.required_samples import Goal, required_samples, rows_of_draws
from sk_deepfeat.theory.validation import (
    FloatArray,
    check_cells,
    check_flag,
    check_level,
    check_n_samples,
)
from sk_deepfeat.theory.validation import check_alpha as check_alphas


@dataclass(frozen=True, eq=False)
class ErrorPredictor:
    """Answers to every question about the error of a ridge, from a fitted population.

    `DeterministicEquivalentRidge` makes one when it is fitted, as ``error_predictor_``; the methods
    are documented there. It changes nothing and keeps nothing but these values.

    Parameters
    ----------
    asked : AskedPopulation
        The fitted population in the units of the estimator.
    n_samples : int
        What stands for ``n_samples=None``.
    alpha : float or "optimal" or ndarray of shape (t,)
        What stands for ``alpha=None``; several are one for each output.
    feature_scale : float
        Mean squared norm of a row of features, times its weight; alphas are searched about it.
    group_size : float, optional
        Mean rows of a group, if the population was fitted with groups.
    target_variance : TargetVariance, optional
        Of the targets, of which R² tells shares.
    alpha_per_target : bool, default=False
        Whether the best alpha is that of each output by itself.
    """

    asked: AskedPopulation
    n_samples: int
    alpha: Any
    feature_scale: float
    group_size: float | None = None
    target_variance: TargetVariance | None = None
    alpha_per_target: bool = False

    @as_stage("predicted errors")
    def test_error(
        self,
        n_samples: Any = None,
        alpha: Any = None,
        *,
        n_groups: Any = None,
        multioutput: Any = "uniform_average",
        return_interval: bool = False,
        level: float = 0.9,
    ) -> Any:
        """Return errors, and with `return_interval` the ends of their intervals."""
        level, return_interval = check_level(level), check_flag(return_interval, "return_interval")
        sizes = self._sizes(n_samples, n_groups)
        answer = self._answer(sizes, alpha, variance=return_interval)
        error = average_outputs(answer.error, multioutput)
        if not return_interval:
            return error
        ends = average_ends(answer, level, multioutput)
        self.asked.require(ends, "interval", "return_interval=True")
        lower, upper = ends
        beyond = (sizes > self.n_samples) & isinstance(alpha, str)
        unknown = np.isnan(answer.kappa)
        if unknown.ndim == np.ndim(answer.error):  # each output has a κ of its own
            unknown = unknown.any(axis=-1)
        if np.any(beyond & unknown):
            upper = self._bounded(upper, answer, level, multioutput)
        return error, lower, upper

    def _bounded(self, upper: Any, answer: Any, level: float, multioutput: Any) -> Any:
        """Return upper ends that are those of all rows where the best alpha is not known.

        The best alpha for more samples does no worse than that for fewer.
        """
        of_rows = self._answer(np.array(float(self.n_samples)), "optimal", variance=True)
        ends = average_ends(of_rows, level, multioutput)
        unknown = average_outputs(np.isnan(answer.error).astype(float), multioutput) > 0
        return upper if ends is None else np.where(unknown, ends[1], upper)[()]

    def score(
        self,
        n_samples: Any = None,
        alpha: Any = None,
        *,
        scoring: str = "r2",
        n_groups: Any = None,
        multioutput: Any = "uniform_average",
        return_interval: bool = False,
        level: float = 0.9,
    ) -> Any:
        """Return scores, and with `return_interval` the ends of their intervals."""
        score, weighted = named(SCORES, scoring), _is_weighted(multioutput)
        found = self._losses(score, weighted=weighted).test_error(
            n_samples,
            alpha,
            n_groups=n_groups,
            multioutput="uniform_average" if weighted else multioutput,
            return_interval=return_interval,
            level=level,
        )
        return score_of_losses(score.best, found)

    def rescaled(self, scale: FloatArray) -> ErrorPredictor:
        """Return what answers for targets in other units.

        Parameters
        ----------
        scale : ndarray of shape (t,)
            What the targets of each output are multiplied by.

        Returns
        -------
        ErrorPredictor
        """
        factor = np.square(np.asarray(scale, dtype=np.float64))
        before = 1.0 if self.asked.factor is None else self.asked.factor
        variance = self.target_variance
        return replace(
            self,
            asked=replace(self.asked, factor=before * factor),
            target_variance=None if variance is None else variance.scaled(factor),
        )

    def _losses(self, score: Score, *, weighted: bool = False) -> ErrorPredictor:
        """Return what answers for a loss in place of the error."""
        key = score, weighted
        if key not in self._of_losses:
            variance = self.known_variance
            units = loss_factor(score, variance.variance, weighted=weighted)
            share_of = variance.averaged() if weighted else variance
            before = 1.0 if self.asked.factor is None else self.asked.factor
            asked = replace(
                self.asked,
                factor=before * units,
                root=score.root,
                share_of=share_of if score.relative else None,
                of_all=weighted,
            )
            self._of_losses[key] = replace(self, asked=asked)
        return self._of_losses[key]

    @property
    def known_variance(self) -> TargetVariance:
        """The variance of the targets, or ValueError if nothing tells it."""
        if self.target_variance is None:
            raise ValueError(f"population={self.asked.given!r} tells no variance of y.")
        return self.target_variance

    @cached_property
    def _of_losses(self) -> dict[tuple[Score, bool], ErrorPredictor]:
        return {}

    @property
    def knows_intervals(self) -> bool:
        """Whether the population knows how uncertain its errors are."""
        return self._answer(self._sizes(None, None), None, variance=True).interval(0.9) is not None

    def train_error(
        self,
        n_samples: Any = None,
        alpha: Any = None,
        *,
        n_groups: Any = None,
        multioutput: Any = "uniform_average",
    ) -> Any:
        """Return training errors."""
        found = self._answer(self._sizes(n_samples, n_groups), alpha).train_error
        self.asked.require(found, "train_error", "predict_train_error")
        return average_outputs(found, multioutput)

    def decomposition(
        self,
        n_samples: Any = None,
        alpha: Any = None,
        *,
        n_groups: Any = None,
        multioutput: Any = "uniform_average",
    ) -> ErrorDecomposition:
        """Return the parts of the errors."""
        found = self._answer(self._sizes(n_samples, n_groups), alpha).decomposition()
        self.asked.require(found, "decomposition", "predict_decomposition")
        parts = (getattr(found, field.name) for field in fields(ErrorDecomposition))
        return ErrorDecomposition(*(average_outputs(part, multioutput) for part in parts))

    def kappa(self, n_samples: Any = None, alpha: Any = None, *, n_groups: Any = None) -> Any:
        """Return effective regularisations."""
        return np.asarray(self._answer(self._sizes(n_samples, n_groups), alpha).kappa)[()]

    def reachable(self, n_samples: Any = None, alpha: Any = None, *, n_groups: Any = None) -> Any:
        """Return where the population identifies the error."""
        return np.asarray(self._answer(self._sizes(n_samples, n_groups), alpha).reachable)[()]

    def degrees_of_freedom(self, kappa: ArrayLike | None = None) -> tuple[Any, Any]:
        """Return df1 and df2."""
        at = self.kappa() if kappa is None else check_alphas(kappa, "kappa")
        df1, df2 = self.asked.degrees_of_freedom(at)
        return np.asarray(df1)[()], np.asarray(df2)[()]

    @as_stage("best alpha")
    def optimal_alpha(self, n_samples: Any = None, *, n_groups: Any = None) -> Any:
        """Return the alphas of least predicted error."""
        sizes = self._sizes(n_samples, n_groups)
        if isinstance(self._search, OutputSearch):
            return self._search.best_of_outputs(sizes)[0]
        return np.reshape([found.alpha for found in self._search.best(sizes)], sizes.shape)[()]

    def required_samples(
        self,
        target_error: float | None = None,
        alpha: Any = "optimal",
        *,
        target_score: float | None = None,
        scoring: str = "r2",
    ) -> float:
        """Return the smallest number of samples that reaches an error, or a score."""
        return self._required(target_error, alpha, 1.0, target_score, scoring)

    def required_groups(
        self,
        target_error: float | None = None,
        alpha: Any = "optimal",
        *,
        target_score: float | None = None,
        scoring: str = "r2",
    ) -> float:
        """Return the smallest number of groups that reaches an error, or a score."""
        size = self.known_group_size("required_groups")
        return self._required(target_error, alpha, size, target_score, scoring)

    def _required(
        self,
        target_error: float | None,
        alpha: Any,
        rows_each: float,
        target_score: float | None,
        scoring: str,
    ) -> float:
        """Return the smallest number of draws, of so many rows each, that reaches the target."""
        score = named(SCORES, scoring)
        name, target = one_target(target_error, target_score)
        losses, goal = self, Goal()
        if target_score is not None:
            losses, goal = self._losses(score), Goal(name, score.best)
            target = score.best - target
        return losses.first_sufficient(target, alpha, rows_each, goal)

    def first_sufficient(self, target: float, alpha: Any, rows_each: float, goal: Goal) -> float:
        """Return the smallest number of draws, of so many rows each, of at most this error."""
        check_alpha(alpha)
        floor = max(0.0, self._floor())  # a NaN floor is none but zero
        return required_samples(self._search, target, alpha, floor, rows_each, goal)

    def calibration_check(self, sizes: Any = None) -> Any:
        """Return errors measured on subsets beside predicted ones."""
        return self.asked.calibration_check(sizes)

    def _floor(self) -> float:
        """Return the error that no number of samples passes; NaN if it is not known."""
        cell = check_cells(float(self.n_samples), float(np.min(self.alpha)))
        found = self.asked.answer(*cell).decomposition()
        return np.nan if found is None else float(average_outputs(found.noise, "uniform_average"))

    def _sizes(self, n_samples: Any, n_groups: Any) -> FloatArray:
        """Return numbers of samples, validated; None is what was fitted."""
        if n_groups is None:
            return check_n_samples(self.n_samples if n_samples is None else n_samples)
        if n_samples is not None:
            raise ValueError(
                f"n_samples={n_samples!r} and n_groups={n_groups!r} say the same twice; pass one."
            )
        size = self.known_group_size(f"n_groups={n_groups!r}")
        return rows_of_draws(check_n_samples(n_groups, "n_groups"), size, float(self.n_samples))

    def known_group_size(self, asked: str) -> float:
        """Return the mean rows of a group, or raise ValueError that names what needs groups."""
        if self.group_size is None:
            raise ValueError(
                f"{asked} needs groups: fit(X, y, groups=...) says which rows belong together."
            )
        return self.group_size

    def _answer(self, n_samples: FloatArray, alpha: Any, *, variance: bool = False) -> Any:
        """Return the record of some cells; an alpha of None is what was fitted."""
        if isinstance(alpha, str):
            check_alpha(alpha)
            if isinstance(self._search, OutputSearch):
                alphas, share = self._search.best_of_outputs(n_samples)
                alphas = np.where(np.isnan(alphas), 1.0, alphas)
                whole = None if np.all(share == 1.0) else share
                return answer_per_output(self._ask(variance), n_samples, alphas, whole)
            alphas, share = self._search.best_cells(n_samples)
            answer = self.asked.answer(n_samples, alphas, variance=variance)
            return answer if np.all(share == 1.0) else answer.scaled(share)
        if alpha is None and np.ndim(self.alpha) > 0:
            alphas = np.broadcast_to(self.alpha, (*n_samples.shape, *np.shape(self.alpha)))
            return answer_per_output(self._ask(variance), n_samples, alphas)
        values = check_alphas(self.alpha if alpha is None else alpha)
        check_cells(n_samples, values)
        return self.asked.answer(n_samples, values, variance=variance)

    def _ask(self, variance: bool) -> Ask:
        return lambda n, alpha: self.asked.answer(n, alpha, variance=variance)

    @cached_property
    def _search(self) -> AlphaSearch:
        n_rows = float(self.n_samples)
        outputs = self.asked.answer(np.array(n_rows), np.array(1.0)).error.size
        if self.alpha_per_target and outputs > 1:
            return OutputSearch(self._errors_of_outputs, outputs, self.feature_scale, n_rows)
        sparing = outputs > MANY_OUTPUTS
        return AlphaSearch(
            self._errors, self.feature_scale, n_rows, sparing=sparing, told=self._told_errors
        )

    @property
    def _told_errors(self) -> Callable[[FloatArray, FloatArray], FloatArray] | None:
        """Errors as they are told of one alpha, where those that a search asks for are rougher."""
        return None

    def _errors(self, n_samples: FloatArray, alpha: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Errors, and what a search over alpha minimises; a population may raise some of them."""
        plain, raised = self._errors_of_outputs(n_samples, alpha)
        error = np.asarray(average_outputs(plain, "uniform_average"))
        if raised is plain:
            return error, error
        return error, np.asarray(average_outputs(raised, "uniform_average"))

    def _errors_of_outputs(
        self, n_samples: FloatArray, alpha: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        answer = self.asked.answer(n_samples, alpha)
        error = np.asarray(answer.error)
        cautious = answer.cautious_error
        return error, error if cautious is None else np.asarray(cautious)


def _is_weighted(multioutput: Any) -> bool:
    return isinstance(multioutput, str) and multioutput == "variance_weighted"
