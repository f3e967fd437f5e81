"""What a fitted ridge knows about its own error, as one immutable value."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.linear_model._arguments import average_ends, average_outputs, check_alpha
from sk_deepfeat.linear_model._population import AskedPopulation
from sk_deepfeat.linear_model._search import AlphaSearch, required_samples
from sk_deepfeat.progress import as_stage, stage
from sk_deepfeat.theory import ErrorDecomposition
from sk_deepfeat.theory.validation import (
    FloatArray,
    check_cells,
    check_level,
    check_n_samples,
)
from sk_deepfeat.theory.validation import check_alpha as check_alphas

_MANY_OUTPUTS = 100  # of which errors cost more than asking for them


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
    alpha : float or "optimal"
        What stands for ``alpha=None``.
    feature_scale : float
        Mean squared norm of a row of features, times its weight; alphas are searched about it.
    group_size : float, optional
        Mean rows of a group, if the population was fitted with groups.
    """

    asked: AskedPopulation
    n_samples: int
    alpha: Any
    feature_scale: float
    group_size: float | None = None

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
        level = check_level(level)
        sizes = self._sizes(n_samples, n_groups)
        answer = self._answer(sizes, alpha, variance=return_interval)
        error = average_outputs(answer.error, multioutput)
        if not return_interval:
            return error
        ends = average_ends(answer, level, multioutput)
        self.asked.require(ends, "interval", "return_interval=True")
        lower, upper = ends
        beyond = (sizes > self.n_samples) & isinstance(alpha, str)
        if np.any(beyond & np.isnan(answer.kappa)):
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
        return np.reshape([found.alpha for found in self._search.best(sizes)], sizes.shape)[()]

    def required_samples(self, target_error: float, alpha: Any = "optimal") -> float:
        """Return the smallest number of samples that reaches an error."""
        return self._required(target_error, alpha, 1.0)

    def required_groups(self, target_error: float, alpha: Any = "optimal") -> float:
        """Return the smallest number of groups that reaches an error."""
        return self._required(target_error, alpha, self._known_group_size("required_groups"))

    def _required(self, target_error: float, alpha: Any, rows_each: float) -> float:
        """Return the smallest number of draws, of so many rows each, that reaches an error."""
        number = isinstance(target_error, numbers.Real) and not isinstance(target_error, bool)
        if not number or not np.isfinite(target_error):
            raise ValueError(f"target_error={target_error!r} must be a finite number.")
        check_alpha(alpha)
        floor = max(0.0, self._floor())  # a NaN floor is none but zero
        with stage("required samples"):
            return required_samples(self._search, float(target_error), alpha, floor, rows_each)

    def calibration_check(self, sizes: Any = None) -> Any:
        """Return errors measured on subsets beside predicted ones."""
        return self.asked.calibration_check(sizes)

    def _floor(self) -> float:
        """Return the error that no number of samples passes; NaN if it is not known."""
        cell = check_cells(float(self.n_samples), self._fitted_alpha())
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
        size = self._known_group_size(f"n_groups={n_groups!r}")
        return check_n_samples(n_groups, "n_groups") * size

    def _known_group_size(self, asked: str) -> float:
        if self.group_size is None:
            raise ValueError(
                f"{asked} needs groups: fit(X, y, groups=...) says which rows belong together."
            )
        return self.group_size

    def _answer(self, n_samples: FloatArray, alpha: Any, *, variance: bool = False) -> Any:
        """Return the record of some cells; an alpha of None is what was fitted."""
        if isinstance(alpha, str):
            check_alpha(alpha)
            best = self._search.best(n_samples)
            alphas = np.reshape([found.alpha for found in best], n_samples.shape)
            unknown = np.isnan(alphas)
            share = np.where(unknown, np.nan, np.reshape([f.share for f in best], alphas.shape))
            answer = self.asked.answer(n_samples, np.where(unknown, 1.0, alphas), variance=variance)
            return answer if np.all(share == 1.0) else answer.scaled(share)
        values = check_alphas(self._fitted_alpha() if alpha is None else alpha)
        check_cells(n_samples, values)
        return self.asked.answer(n_samples, values, variance=variance)

    def _fitted_alpha(self) -> float:
        return float(self.alpha)

    @cached_property
    def _search(self) -> AlphaSearch:
        n_rows = float(self.n_samples)
        outputs = self.asked.answer(np.array(n_rows), np.array(1.0)).error.size
        sparing = outputs > _MANY_OUTPUTS
        return AlphaSearch(self._errors, self.feature_scale, n_rows, sparing=sparing)

    def _errors(self, n_samples: FloatArray, alpha: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Errors, and what a search over alpha minimises; a population may raise some of them."""
        answer = self.asked.answer(n_samples, alpha)
        error = np.asarray(average_outputs(answer.error, "uniform_average"))
        cautious = answer.cautious_error
        if cautious is None:
            return error, error
        return error, np.asarray(average_outputs(cautious, "uniform_average"))
