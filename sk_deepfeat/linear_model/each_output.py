"""What ridges of one output each know about their errors, as one value."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sk_deepfeat.exceptions import PopulationWarning, warn_caller
from sk_deepfeat.linear_model._scores import Score, loss_factor
from sk_deepfeat.linear_model.error_predictor import ErrorPredictor
from sk_deepfeat.theory.answer import ErrorAnswer, TargetVariance
from sk_deepfeat.theory.validation import FloatArray


@dataclass(frozen=True, eq=False)
class EachOutputPredictor(ErrorPredictor):
    """Answers for several ridges, each of which has outputs of its own.

    They are asked as an `ErrorPredictor` is, and errors are averaged over their outputs. An alpha
    that is given is that of all; None is the fitted one of each, and "optimal" the best of each.
    κ and reach are those of each output where alphas are. How their errors are wrong together is
    not known: intervals of averages take them to be so as much as can be, and are rather too wide.

    Parameters
    ----------
    each : tuple of ErrorPredictor
        Those of the outputs, in order.
    share_variance : float, default=0.0
        Of the logarithm of what errors are shares of, which all have in common.
    """

    each: tuple[ErrorPredictor, ...] = ()
    share_variance: float = 0.0

    @classmethod
    def of(cls, each: Sequence[ErrorPredictor]) -> EachOutputPredictor:
        """Return what answers for some predictors."""
        first, alphas = each[0], [float(one.alpha) for one in each]
        return cls(
            first.asked,
            first.n_samples,
            alphas[0] if len(set(alphas)) == 1 else np.array(alphas),
            first.feature_scale,
            first.group_size,
            each=tuple(each),
        )

    def rescaled(self, scale: Any) -> EachOutputPredictor:
        """Return what answers for targets in other units, as `ErrorPredictor.rescaled` does."""
        counts = np.cumsum(
            [one._answer(one._sizes(None, None), None).error.shape[-1] for one in self.each]
        )
        scales = np.split(np.asarray(scale, dtype=np.float64), counts[:-1])
        each = [one.rescaled(part) for one, part in zip(self.each, scales, strict=True)]
        return replace(self, each=tuple(each))

    @property
    def known_variance(self) -> TargetVariance:
        """The variances of the targets of all, or ValueError if nothing tells one."""
        known = [one.known_variance for one in self.each]
        return TargetVariance(*map(np.concatenate, zip(*known, strict=True)))

    def _losses(self, score: Score, *, weighted: bool = False) -> EachOutputPredictor:
        if not weighted:
            return replace(self, each=tuple(one._losses(score) for one in self.each))
        # Errors as shares of what all vary: how both are wrong together is not known.
        variance = self.known_variance
        shares = self.rescaled(np.sqrt(loss_factor(score, variance.variance, weighted=True)))
        return replace(shares, share_variance=float(variance.averaged().log_variance[0]))

    def optimal_alpha(self, n_samples: Any = None, *, n_groups: Any = None) -> Any:
        """Return the alphas of least predicted error of each, along the last axis."""
        sizes = self._sizes(n_samples, n_groups)
        found = _asked_each(self.each, lambda one: np.asarray(one.optimal_alpha(sizes)))
        return np.stack(found, axis=-1)

    def calibration_check(self, sizes: Any = None) -> Any:
        """Return errors measured on subsets beside predicted ones, averaged over outputs."""
        found = _asked_each(self.each, lambda one: one.calibration_check(sizes))
        first = found[0]
        if not all(
            np.array_equal(check.n_samples, first.n_samples)
            and np.allclose(check.alpha, first.alpha)
            for check in found
        ):
            raise ValueError(
                "The outputs were checked at other alphas each; ask each of the ridges for its "
                "calibration_check, such as those of estimators_ of a MultiOutputRegressor."
            )
        worst = max(found, key=lambda check: check.disagreement)
        means = {
            name: np.mean([getattr(check, name) for check in found], axis=0)
            for name in ("measured", "predicted", "lower", "upper")
        }
        return replace(worst, n_samples=first.n_samples, alpha=first.alpha, **means)

    def _answer(self, n_samples: FloatArray, alpha: Any, *, variance: bool = False) -> Any:
        found = _asked_each(self.each, lambda one: one._answer(n_samples, alpha, variance=variance))
        of_each = isinstance(alpha, str) or (alpha is None and np.ndim(self.alpha) > 0)
        answer = joined(found, of_each=of_each)
        return answer.with_common(np.full(answer.error.shape[-1:], self.share_variance))

    def _floor(self) -> float:
        return float(np.mean([one._floor() for one in self.each]))

    def _errors(self, n_samples: FloatArray, alpha: FloatArray) -> tuple[FloatArray, FloatArray]:
        error, cautious = np.mean([one._errors(n_samples, alpha) for one in self.each], axis=0)
        return error, cautious

    @cached_property
    def _search(self) -> Any:
        return _SearchOfEach(self._errors, self.n_samples, [one._search for one in self.each])


class _SearchOfEach:
    """What `required_samples` asks of an `AlphaSearch`, where every output has its own best alpha.

    Parameters
    ----------
    errors : callable
        Errors at an alpha that all have in common, averaged over outputs.
    n_rows : int
        Training rows.
    each : list of AlphaSearch
        Those of the outputs.
    """

    def __init__(self, errors: Any, n_rows: int, each: list[Any]) -> None:
        self.errors, self.n_rows, self.each = errors, float(n_rows), each

    def errors_at_best(self, n_samples: FloatArray) -> FloatArray:
        """Return the mean over outputs of errors at their best alphas."""
        return np.asarray(np.mean([each.errors_at_best(n_samples) for each in self.each], axis=0))

    def errors_at(self, n_samples: FloatArray, alpha: float) -> FloatArray:
        """Return the mean over outputs of their errors at an alpha they have in common."""
        return np.asarray(self.errors(n_samples, np.array(alpha))[0])

    def least_errors(self, n_samples: FloatArray, *, rough: bool = False) -> FloatArray:
        """Return the mean over outputs of their least errors."""
        found = [search.least_errors(n_samples, rough=rough) for search in self.each]
        return np.asarray(np.mean(found, axis=0))

    def knows_all(self, n_samples: float) -> bool:
        """Say whether nothing hides the best alpha of any output."""
        return all(search.knows_all(n_samples) for search in self.each)


def joined(answers: Sequence[Any], *, of_each: bool) -> ErrorAnswer:
    """Return the record of all outputs of some records of the same cells.

    Parameters
    ----------
    answers : sequence of ErrorAnswer, or what stands for one
        Of some outputs each.
    of_each : bool
        Whether κ and reach are given for each output, or once: κ is then NaN where they differ, and
        reachable what is so for all.
    """
    kappas, reach = (
        _side_by_side([_with_outputs(getattr(answer, name), answer) for answer in answers])
        for name in ("kappa", "reachable")
    )
    if not of_each:
        alike = np.isclose(kappas, kappas[..., :1], rtol=1e-9).all(axis=-1)
        kappas, reach = np.where(alike, kappas[..., 0], np.nan), reach.all(axis=-1)
    parts = [answer.decomposition() for answer in answers]
    known = all(part is not None for part in parts)
    split = known and not any(np.isnan(part.bias).all() for part in parts)
    cautious = None
    if any(answer.cautious_error is not None for answer in answers):
        cautious = _side_by_side(
            [a.error if a.cautious_error is None else a.cautious_error for a in answers]
        )
    return ErrorAnswer(
        error=np.asarray(_side_by_side([answer.error for answer in answers])),
        reachable=reach,
        kappa=kappas,
        train_error=_side_by_side([answer.train_error for answer in answers]),
        bias_and_noise=_side_by_side([part.bias_and_noise for part in parts]) if known else None,
        parts=tuple(map(_side_by_side, zip(*parts, strict=True))) if split else None,
        cautious_error=cautious,
        **_joined_variances(answers),
    )


def _joined_variances(answers: Sequence[Any]) -> dict[str, Any]:
    if not all(isinstance(answer, ErrorAnswer) for answer in answers):
        return {}
    variances = _side_by_side([answer.log_variance for answer in answers])
    return {"log_variance": variances, "degrees": min(answer.degrees for answer in answers)}


def _with_outputs(values: Any, answer: Any) -> Any:
    """Return values of cells with an axis of the outputs of an answer."""
    found = np.asarray(values)
    if found.ndim == answer.error.ndim:
        return found
    return np.broadcast_to(found[..., None], answer.error.shape)


def _side_by_side(values: Sequence[Any]) -> Any:
    """Return arrays side by side along their last axis, or None if one is not known."""
    if any(value is None for value in values):
        return None
    return np.concatenate(values, axis=-1)


def _asked_each(
    each: Sequence[ErrorPredictor], question: Callable[[ErrorPredictor], Any]
) -> list[Any]:
    """Return the answers of all to a question, and pass each doubt on once."""
    said: dict[str, None] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = [question(one) for one in each]
    for item in caught:
        if issubclass(item.category, PopulationWarning):
            said[str(item.message)] = None
        else:
            warnings.warn_explicit(item.message, item.category, item.filename, item.lineno)
    for message in said:
        warn_caller(message)
    return found
