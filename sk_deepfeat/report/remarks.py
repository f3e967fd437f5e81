"""What a practitioner should know before trusting the numbers of a report."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from sk_deepfeat.report.answers import Answers
from sk_deepfeat.report.numbers import numbers, share
from sk_deepfeat.report.scores import interval
from sk_deepfeat.report.words import SQUARED_ERROR_OF_CODES

_FEW_ROWS = 100
_FEW_GROUPS = 12
_WIDE = 1.5  # upper over lower end of an interval
_WIDE_RATE = 2.5  # the same of an error rate, which few errors make
_WORTHWHILE = 1.1  # error at the fitted over that at the best alpha
_FEWEST_ROWS = 4  # that another alpha decides otherwise: twice the standard error of as many
_FEW_OF_CLASS = 20
_USELESS = 0.95  # error over that of predicting the mean
_DEPENDENT = {"order", "groups", "near copies"}  # causes under which a smaller error proves nothing


def remarks(answers: Answers, estimator: Any) -> list[str]:
    """Return a sentence or two for each doubt about the numbers; empty if there is none.

    Parameters
    ----------
    answers : Answers
        Of the fitted ridge.
    estimator : estimator
        What the ridge was part of.

    Returns
    -------
    list of str
        Plain text.
    """
    found = [
        _same_rows(estimator, answers),
        _check_failed(answers),
        *_told(answers),
        _no_check(answers),
        _no_rates(answers),
        _few_rows(answers),
        _few_groups(answers),
        _few_of_a_class(answers),
        _useless(answers),
        _other_alpha(answers),
        _wide(answers),
        _unreachable(answers),
    ]
    return [text for text in found if text] + answers.said


def _same_rows(estimator: Any, answers: Answers) -> str:
    if not isinstance(estimator, Pipeline):
        return ""
    learned = [name for name, step in estimator.steps[:-1] if _uses_targets(step)]
    if not learned:
        return ""
    return (
        f"The step {learned[0]!r} of the pipeline learned from the targets of the rows that the "
        "ridge was then fitted on. The predicted errors are far too small. Use "
        f"{answers.words.two_stages}, which keeps the rows apart."
    )


def _uses_targets(step: Any) -> bool:
    if isinstance(step, FrozenEstimator) or not hasattr(step, "transform"):
        return False
    return bool(get_tags(step).target_tags.required)


def _check_failed(answers: Answers) -> str:
    if answers.check is None or answers.check.passed:
        return ""
    return f"The calibration check failed. {answers.check.explanation}"


def _told(answers: Answers) -> list[str]:
    """Return what a passed check tells of the rows all the same: copies, and scales of columns."""
    if answers.check is None or not answers.check.passed:
        return []
    return [f"{cause.sentence} {cause.remedy}" for cause in answers.check.causes]


def _kinds(answers: Answers) -> set[str]:
    """Return what is known to be wrong with the rows; advice that is not about it stays unsaid."""
    return set() if answers.check is None else {cause.kind for cause in answers.check.causes}


def _no_check(answers: Answers) -> str:
    if answers.check is not None:
        return ""
    if answers.could_check:
        return (
            "These predictions were not checked against measured errors: the training rows are no "
            "longer there, as after unpickling. Fit again, and write the report then."
        )
    return (
        "These predictions were not checked against measured errors: the way the population was "
        "learned does not offer it. population='leave-one-out' does."
    )


def _no_rates(answers: Answers) -> str:
    if answers.words is not SQUARED_ERROR_OF_CODES:
        return ""
    return (
        "These are squared errors of codes of the classes, and no error rates, which the way the "
        "population was learned does not tell. population='leave-one-out' does."
    )


def _few_rows(answers: Answers) -> str:
    if answers.n_samples >= _FEW_ROWS:
        return ""
    return (
        f"The ridge saw {answers.n_samples} rows. With fewer than {_FEW_ROWS}, every number here "
        "is uncertain, and so are the intervals themselves."
    )


def _few_groups(answers: Answers) -> str:
    if answers.n_groups is None or answers.n_groups >= _FEW_GROUPS:
        return ""
    return (
        f"The training rows are {answers.n_groups} groups. However many rows these have, so few "
        "tell little about how groups differ; intervals are wide for that reason."
    )


def _few_of_a_class(answers: Answers) -> str:
    few = [row for row in answers.classes if row.n_rows < _FEW_OF_CLASS]
    if not few:
        return ""
    least = min(few, key=lambda row: row.n_rows)
    others = f", and few of {len(few) - 1} others" if len(few) > 1 else ""
    return (
        f"Of the class {least.label!r} there are {least.n_rows} training rows{others}. With fewer "
        f"than {_FEW_OF_CLASS}, hardly anything is known about the error rate of a class."
    )


def _useless(answers: Answers) -> str:
    best = np.fmin(answers.best_error, answers.error[0])
    if not best > _USELESS * answers.baseline:
        return ""
    constant = answers.words.constant + ("" if answers.classes else " of the target")
    found = (
        f"Even with the best alpha the model is hardly better than always {constant} "
        f"({answers.words.short} {answers.words.show(answers.baseline)})."
    )
    if _kinds(answers) - {"copies"}:
        return found
    return f"{found} {_more_or_other(answers)}"


def _more_or_other(answers: Answers) -> str:
    """Advise more rows where they are predicted to help, else other features."""
    predicted = answers.curves["predicted"][:, 1]
    helps = np.flatnonzero(predicted < _USELESS**2 * answers.baseline)
    if helps.size == 0:
        return "These features tell little about it."
    size, error = answers.sizes[helps[0]], predicted[helps[0]]
    return f"With {size:,.0f} rows {answers.words.show(error)} is predicted: collect more."


def _other_alpha(answers: Answers) -> str:
    if not answers.error[0] > _WORTHWHILE * answers.best_error or _kinds(answers) & _DEPENDENT:
        return ""
    rows = (answers.error[0] - answers.best_error) * answers.n_samples
    if answers.classes and rows < _FEWEST_ROWS:
        return ""
    saved = 100 * (1 - answers.best_error / answers.error[0])
    return (
        f"Your alpha = {numbers(answers.alpha)} is not the best one: alpha = "
        f"{numbers(answers.best_alpha)} is predicted to lower the {_squared(answers)} by "
        f"{saved:.0f} % without any more data."
    )


def _squared(answers: Answers) -> str:
    return answers.words.short if answers.scores is None else f"squared {answers.words.short}"


def _wide(answers: Answers) -> str:
    _, low, high = answers.error
    if not high > (_WIDE_RATE if answers.classes else _WIDE) * low:
        return ""
    error, show = _squared(answers), answers.words.show
    return (
        f"The interval of the predicted {error} is wide: {show(low)} to {show(high)}"
        f"{_in_other_words(answers)}. Do not decide on differences smaller than that."
    )


def _in_other_words(answers: Answers) -> str:
    if answers.scores is None:
        return ""
    between = interval(answers.scores.r2, share)
    return f" (R² {between})" if between else ""


def _unreachable(answers: Answers) -> str:
    reach: Any = answers.curves["reachable"][:, 1]
    beyond = answers.sizes[(answers.sizes > answers.n_samples) & np.logical_not(reach)]
    if beyond.size == 0:
        return ""
    found = (
        f"Your rows do not tell which error {beyond[0]:,.0f} rows would reach with the best alpha: "
        "there it depends on directions that they do not show."
    )
    return found if _kinds(answers) else f"{found} Fit again once you have more rows."
