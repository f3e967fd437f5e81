"""Scores that follow from predicted errors, by the names of scikit-learn's scorers."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, NamedTuple, TypeVar

import numpy as np

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.theory.validation import FloatArray

_MOST_NAMED = 5

_AnyScore = TypeVar("_AnyScore")


class Score(NamedTuple):
    """A score that is `best` less a loss, which is an error times a factor, or the root of that."""

    best: float
    relative: bool = False
    """Whether errors count as shares of the variance of the targets."""
    root: bool = False
    """Whether the root of the error of each output is taken, as `root_mean_squared_error` does."""


SCORES = {
    "r2": Score(1.0, relative=True),
    "neg_mean_squared_error": Score(0.0),
    "neg_root_mean_squared_error": Score(0.0, root=True),
}


class ClassScore(NamedTuple):
    """A score that is `best` less an error of classes."""

    best: float
    metric: str


CLASS_SCORES = {
    "accuracy": ClassScore(1.0, "error_rate"),
    "balanced_accuracy": ClassScore(1.0, "balanced_error"),
    "neg_log_loss": ClassScore(0.0, "log_loss"),
}


def named(scores: dict[str, _AnyScore], scoring: Any) -> _AnyScore:
    """Return a score by its name, or raise ValueError that names those that there are."""
    if isinstance(scoring, str) and scoring in scores:
        return scores[scoring]
    near = get_close_matches(str(scoring).lower(), scores, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"scoring={scoring!r} must be one of {', '.join(map(repr, scores))}: no other follows from "
        f"the errors that are predicted.{hint}"
    )


def score_of_losses(best: float, found: Any) -> Any:
    """Return scores of losses, and where they came with the ends of intervals, these too."""
    if not isinstance(found, tuple):
        return best - found
    loss, lower, upper = found
    return best - loss, best - upper, best - lower


def loss_factor(score: Score, variance: FloatArray, *, weighted: bool) -> FloatArray:
    """Return what an error of each output is multiplied by in its loss.

    Parameters
    ----------
    score : Score
        Which.
    variance : ndarray of shape (t,)
        Of the targets.
    weighted : bool
        Whether shares of the variance count by it, as with ``multioutput="variance_weighted"``.

    Returns
    -------
    ndarray of shape (t,)
        NaN where a target does not vary, of which no error is a share.
    """
    if weighted and not score.relative:
        raise ValueError(
            "multioutput='variance_weighted' is for scoring='r2', as in sklearn.metrics.r2_score."
        )
    if not score.relative:
        return np.ones_like(variance)
    total = np.full_like(variance, variance.mean()) if weighted else variance
    constant = np.flatnonzero(total == 0.0)
    if constant.size:
        warn_caller(
            f"R² is not known of target {', '.join(map(str, constant[:_MOST_NAMED]))}, which does "
            "not vary, nor an average over all."
        )
    return 1.0 / np.where(total > 0.0, total, np.nan)
