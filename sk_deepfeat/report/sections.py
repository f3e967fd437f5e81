"""The parts of a report as HTML; everything that comes from the user is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from sk_deepfeat.report.answers import Answers, ClassRow
from sk_deepfeat.report.numbers import number
from sk_deepfeat.report.pictures import Picture
from sk_deepfeat.report.words import accuracy, percent, percentages

_MOST_CLASSES = 20

Rows = Sequence[tuple[str, str]]


def described(rows: Rows) -> str:
    """Return terms and what they mean as a description list."""
    items = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in rows)
    return f"<dl>{items}</dl>"


def headline(answers: Answers) -> str:
    """Return the three numbers that most readers want, and of classes a sentence."""
    words = answers.words
    error, low, high = answers.error
    between = "" if np.isnan(low) else f"90 % interval: {words.show(low)} to {words.show(high)}"
    if answers.classes:
        constant = f"always {words.constant}: {accuracy(answers.baseline)}"
        compared = ("accuracy", accuracy(error), constant)
    else:
        of_mean = f"{100 * error / answers.baseline:.0f} %" if answers.baseline > 0 else "unknown"
        constant = f"always {words.constant}: {number(answers.baseline)}"
        compared = ("of the error of the mean", of_mean, constant)
    tiles = [
        (f"predicted {words.error}{_of_what(answers)}", words.show(error), between),
        compared,
        ("best alpha", _alpha(answers.best_alpha), f"used here: {number(answers.alpha)}"),
    ]
    inside = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(name)}</span>'
        f"<small>{escape(detail)}</small></div>"
        for name, value, detail in tiles
    )
    return f'<div class="tiles">{inside}</div>{_sentence(answers)}'


def _sentence(answers: Answers) -> str:
    """Say in words what an error rate is."""
    if not answers.classes or np.isnan(answers.error[0]):
        return ""
    groups = "" if answers.n_groups is None else f" in {answers.n_groups:,} groups"
    return (
        f"<p>Fitted on {answers.n_samples:,} rows{groups}, it misclassifies "
        f"{percent(answers.error[0])} of new rows{_of_what(answers).replace(' on', ' of')} "
        f"(accuracy {accuracy(answers.error[0])}).</p>"
    )


def remark_list(found: Sequence[str]) -> str:
    """Return the warnings, or the sentence that there are none."""
    if not found:
        return '<p class="fine">Nothing here speaks against these numbers.</p>'
    items = "".join(f"<li>{escape(text)}</li>" for text in found)
    return f'<ul class="warnings">{items}</ul>'


def column_section(columns: Rows) -> str:
    """Return what was done to each column; nothing where that is not told."""
    if not columns:
        return ""
    title = "<h2>What was done to each column</h2>"
    return f"<section>{title}{_table(('column', 'what was done'), columns)}</section>"


def curve_table(answers: Answers) -> str:
    """Return predicted errors at a few sizes for the fitted and the best alpha."""
    head = ("samples", f"alpha = {number(answers.alpha)}", "best alpha")
    rows = []
    for s, size in enumerate(answers.sizes):
        mark = " (now)" if size == answers.n_samples else ""
        rows.append((f"{size:,.0f}{mark}", _cell(answers, s, 0), _cell(answers, s, 1)))
    return _table(head, rows)


def required_table(answers: Answers) -> str:
    """Return how many samples each target error needs."""
    if not answers.required and answers.best_error == 0.0:
        return "<p>No error is predicted with the rows at hand: none can be lower.</p>"
    if not answers.required:
        return "<p>No alpha is within reach of these rows: no target can be answered.</p>"
    target, needs = "target error", "samples needed, with the best alpha"
    rows = [(number(goal), _samples(needed, answers)) for goal, needed in answers.required]
    if answers.classes:
        target = "target accuracy"
        rows = [
            (f"{accuracy(goal)} ({percent(goal)} wrong)", samples)
            for (goal, _), (_, samples) in zip(answers.required, rows, strict=True)
        ]
    return _table((target, needs), rows)


def class_section(answers: Answers) -> str:
    """Return the error rate of each class; nothing where there are none."""
    if not answers.classes:
        return ""
    worst = np.argsort([-row.error for row in answers.classes], kind="stable")[:_MOST_CLASSES]
    shown = [answers.classes[k] for k in np.sort(worst)]
    rows = [(row.label, f"{row.n_rows:,}", *_of_class(row)) for row in shown]
    left = len(answers.classes) - len(shown)
    more = f"<p>Of {left} more classes smaller shares are misclassified.</p>" if left else ""
    head = ("class", "training rows", "misclassified of its new rows", "90 % interval")
    title = "<h2>Which classes are misclassified?</h2>"
    return f"<section>{title}{_table(head, rows)}{more}</section>"


def _of_class(row: ClassRow) -> tuple[str, str]:
    if np.isnan(row.error):
        return "unknown", ""
    return percent(row.error), percentages(row.lower, row.upper)


def alpha_sentence(answers: Answers) -> str:
    """Return what the best alpha is, and what it would change."""
    if np.isnan(answers.best_alpha):
        return "The best alpha for these rows is not known."
    show = answers.words.show
    return escape(
        f"With {answers.n_samples:,} samples the least {answers.words.short}, "
        f"{show(answers.best_error)}, is predicted at alpha = {number(answers.best_alpha)}; your "
        f"alpha = {number(answers.alpha)} gives {show(answers.error[0])}."
    )


def check_summary(answers: Answers) -> str:
    """Return the verdict of the calibration check in a sentence."""
    check = answers.check
    if check is None:
        return "<p>Not available for this population.</p>"
    if check.n_samples.size == 0:
        return "<p>There are too few rows to measure errors on parts of them.</p>"
    ratio = check.ratio[np.isfinite(check.ratio)]
    if ratio.size == 0:
        return "<p>No error was measured or predicted on parts of the rows.</p>"
    verdict = "Passed" if check.passed else "Failed"
    return (
        f"<p><b>{verdict}.</b> The ridge was refitted on random parts of the rows, and its "
        f"{answers.words.short} measured on the others: {ratio.min():.2g} to "
        f"{ratio.max():.2g} times what was "
        f"predicted, over {ratio.size} combinations of size and alpha"
        f"{', no more apart than chance explains' if check.passed else ''}.</p>"
    )


def figure(picture: Picture) -> str:
    """Return a picture with its caption, inside the page itself."""
    return (
        f'<figure><img alt="{escape(picture.alt, quote=True)}" '
        f'src="data:image/png;base64,{picture.png}">'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
    )


def _of_what(answers: Answers) -> str:
    return "" if answers.n_groups is None else " on new groups"


def _alpha(value: float) -> str:
    return "unknown" if np.isnan(value) else number(value)


def _cell(answers: Answers, s: int, column: int) -> str:
    value = answers.curves["predicted"][s, column]
    if not np.isfinite(value):
        return "unknown" if np.isnan(value) else "no limit"
    show = answers.words.show
    if "lower" not in answers.curves:
        return show(value)
    low, high = answers.curves["lower"][s, column], answers.curves["upper"][s, column]
    return f"{show(value)} ({show(low)} to {show(high)})"


def _samples(needed: float, answers: Answers) -> str:
    if np.isnan(needed):
        return "unknown: beyond what these rows can tell"
    if np.isinf(needed):
        return "never with these features"
    groups = ""
    if answers.n_groups is not None:
        groups = f" in {needed * answers.n_groups / answers.n_samples:,.0f} groups"
    return f"{needed:,.0f}{groups} ({needed / answers.n_samples:.2g} times the rows now)"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<div class="table"><table><thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
