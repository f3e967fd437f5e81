"""The parts of a report as HTML; everything that comes from the user is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sk_deepfeat.model_selection.arguments import FloatArray
from sk_deepfeat.report.answers import Answers, ClassRow
from sk_deepfeat.report.numbers import number, numbers, share
from sk_deepfeat.report.pictures import Picture
from sk_deepfeat.report.scores import interval, targets_shown
from sk_deepfeat.report.visible_text import as_html
from sk_deepfeat.report.words import accuracy, percent, percentages

_MOST_CLASSES = 20
_FEW_OUTPUTS = 20  # fewer have no 90 % of them
_SAME = 1.005  # error at the fitted over that at the best alpha, which needs no column

Rows = Sequence[tuple[str, str]]


def described(rows: Rows) -> str:
    """Return terms and what they mean as a description list."""
    items = "".join(f"<dt>{as_html(term)}</dt><dd>{as_html(text)}</dd>" for term, text in rows)
    return f"<dl>{items}</dl>"


def headline(answers: Answers) -> str:
    """Return the numbers that most readers want, and a sentence that says what they mean."""
    tiles = _tiles_of_scores(answers) if answers.scores is not None else _tiles(answers)
    several = ", median and range over outputs" if np.ndim(answers.best_alpha) else ""
    used = numbers(answers.alpha)
    tiles.append((f"best alpha{several}", numbers(answers.best_alpha), f"used here: {used}"))
    inside = "".join(
        f'<div class="tile"><b>{as_html(value)}</b><span>{as_html(name)}</span>'
        f"<small>{as_html(detail)}</small></div>"
        for name, value, detail in tiles
    )
    said = f"{_sentence(answers)}{_sentence_of_scores(answers)}{_doubt(answers)}"
    return f'<div class="tiles">{inside}</div>{said}'


def _doubt(answers: Answers) -> str:
    if answers.check is None or answers.check.passed:
        return ""
    said = "A check of the theory behind these numbers failed: read first what follows."
    return f"<p><b>{said}</b></p>"


def _tiles(answers: Answers) -> list[tuple[str, str, str]]:
    words = answers.words
    error = answers.error[0]
    if answers.classes:
        constant = f"always {words.constant}: {accuracy(answers.baseline)}"
        compared = ("accuracy", accuracy(error), constant)
    else:
        of_mean = f"{100 * error / answers.baseline:.0f} %" if answers.baseline > 0 else "unknown"
        constant = f"always {words.constant}: {number(answers.baseline)}"
        compared = ("of the error of the mean", of_mean, constant)
    between = interval(answers.error, words.show)
    return [
        (f"predicted {words.error}{_of_what(answers)}", words.show(error), _with(between)),
        compared,
    ]


def _tiles_of_scores(answers: Answers) -> list[tuple[str, str, str]]:
    scores: Any = answers.scores
    where = _of_what(answers)
    constant = f"always {answers.words.constant}: {number(answers.baseline)}"
    between = [
        interval(scores.r2, share),
        interval(scores.root),
        interval(answers.error),
    ]
    return [
        (f"predicted R²{where}", _known(scores.r2[0], share), _with(between[0])),
        (
            f"root mean squared error{where}, in units of {answers.of_what}",
            _known(scores.root[0], number),
            _with(between[1]),
        ),
        (
            f"predicted test error{where}, squared",
            number(answers.error[0]),
            "; ".join(text for text in (_with(between[2]), constant) if text),
        ),
    ]


def _sentence_of_scores(answers: Answers) -> str:
    """Say in words what R² and the root are."""
    scores = answers.scores
    if scores is not None and not scores.one_output:
        return sentence_of_outputs(scores.r2_of_outputs)
    if scores is None or np.isnan(scores.variance):
        return ""
    root, of_mean = scores.root[0], scores.root_of_mean
    if np.isnan(root):
        return ""
    groups = "" if answers.n_groups is None else f" in {answers.n_groups:,} groups"
    rows = f"new rows{_of_what(answers).replace(' on', ' of')}"
    explained = max(0.0, 100.0 * scores.r2[0])
    return (
        f"<p>Fitted on {answers.n_samples:,} rows{groups}, it is off by {number(root)} on {rows} "
        f"(root mean square), where the mean of {answers.of_what} is off by {number(of_mean)}: it "
        f"explains {explained:.0f} % of the variance.</p>"
    )


def sentence_of_outputs(r2: FloatArray) -> str:
    """Say how R² differs from output to output."""
    known = r2[np.isfinite(r2)]
    if known.size == 0:
        return ""
    tail, most = (0.0, "all") if known.size < _FEW_OUTPUTS else (0.05, "90 %")
    low, middle, high = map(share, np.quantile(known, [tail, 0.5, 1.0 - tail]))
    return (
        f"<p>Of the {known.size:,} outputs one half has an R² above {middle}, and {most} of them "
        f"lie between {low} and {high}.</p>"
    )


def _with(between: str) -> str:
    return f"90 % interval: {between}" if between else ""


def _known(value: float, show: Any) -> str:
    return "unknown" if np.isnan(value) else str(show(value))


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
    items = "".join(f"<li>{as_html(text)}</li>" for text in found)
    return f'<ul class="warnings">{items}</ul>'


def column_section(columns: Rows) -> str:
    """Return what was done to each column; nothing where that is not told."""
    if not columns:
        return ""
    title = "<h2>What was done to each column</h2>"
    table = _table(("column", "what was done"), columns)
    return f'<section class="done">{title}{table}</section>'


def curve_table(answers: Answers) -> str:
    """Return what is predicted at a few sizes with the best alpha, and with the fitted one."""
    names = ["samples"]
    columns: list[list[Any]] = [[_size(answers, size) for size in answers.sizes]]
    same = answers.scores is not None and answers.error[0] <= _SAME * answers.best_error
    if not same:
        names.append(f"{answers.words.error}, alpha = {numbers(answers.alpha)}")
        columns.append([_cell(answers, s, 0) for s in range(len(answers.sizes))])
    names.append(f"{answers.words.error}, best alpha")
    columns.append([_cell(answers, s, 1) for s in range(len(answers.sizes))])
    if answers.scores is not None:
        names[1:1] = ["R², best alpha", "root, best alpha"]
        columns[1:1] = [
            [_of_score(values, share) for values in answers.scores.r2_of_sizes],
            [_of_score(values, number) for values in answers.scores.root_of_sizes],
        ]
    return _table(names, list(zip(*columns, strict=True)))


def required_table(answers: Answers) -> str:
    """Return how many samples each target error needs."""
    if not answers.required and answers.best_error == 0.0:
        return "<p>No error is predicted with the rows at hand: none can be lower.</p>"
    if not answers.required:
        return "<p>No alpha is within reach of these rows: no target can be answered.</p>"
    target, needs = ["target error"], "samples needed, with the best alpha"
    shown: list[tuple[str, ...]] = [(number(goal),) for goal, _ in answers.required]
    if answers.classes:
        target = ["target accuracy"]
        shown = [(f"{accuracy(goal)} ({percent(goal)} wrong)",) for goal, _ in answers.required]
    scores = answers.scores
    if scores is not None and scores.one_output and not np.isnan(scores.variance):
        target = ["R² to reach", "root", "squared error"]
        found = [(*scores.of_error(goal), goal) for goal, _ in answers.required]
        shown = [(share(r2), number(root), number(goal)) for r2, root, goal in found]
    needed = [_samples(needed, answers) for _, needed in answers.required]
    rows = [(*goal, samples) for goal, samples in zip(shown, needed, strict=True)]
    return _table((*target, needs), rows)


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
    if np.any(np.isnan(answers.best_alpha)):
        return "The best alpha for these rows is not known."
    show = answers.words.show
    return as_html(
        f"With {answers.n_samples:,} samples the least {answers.words.short}, "
        f"{show(answers.best_error)}{_as_scores(answers)}, is predicted at alpha = "
        f"{numbers(answers.best_alpha)}; your alpha = {numbers(answers.alpha)} gives "
        f"{show(answers.error[0])}."
    )


def _as_scores(answers: Answers) -> str:
    shown = targets_shown(answers.scores, answers.best_error)
    return f" ({shown})" if shown else ""


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
        f'<figure><img alt="{as_html(picture.alt)}" '
        f'src="data:image/png;base64,{picture.png}">'
        f"<figcaption>{as_html(picture.caption)}</figcaption></figure>"
    )


def _of_what(answers: Answers) -> str:
    return "" if answers.n_groups is None else " on new groups"


def _size(answers: Answers, size: float) -> str:
    return f"{size:,.0f}{' (now)' if size == answers.n_samples else ''}"


def _of_score(values: Any, show: Any) -> tuple[str, str]:
    """Return a score, and its interval to stand below."""
    value, low, high = values
    between = interval((value, low, high), show)
    return _known(value, show), f"({between})" if between else ""


def _cell(answers: Answers, s: int, column: int) -> tuple[str, str]:
    value = answers.curves["predicted"][s, column]
    if not np.isfinite(value):
        return ("unknown" if np.isnan(value) else "no limit"), ""
    show = answers.words.show
    if "lower" not in answers.curves:
        return show(value), ""
    low, high = answers.curves["lower"][s, column], answers.curves["upper"][s, column]
    return show(value), f"({show(low)} to {show(high)})"


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
    """Return a table of texts, or of pairs of a text and what stands below it."""
    titles = "".join(f'<th scope="col">{as_html(title)}</th>' for title in head)
    body = "".join(f"<tr>{''.join(map(_td, row))}</tr>" for row in rows)
    return (
        f'<div class="table"><table><thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _td(cell: Any) -> str:
    text, below = (cell, "") if isinstance(cell, str) else cell
    small = f" <small>{as_html(below)}</small>" if below else ""
    return f"<td>{as_html(text)}{small}</td>"
