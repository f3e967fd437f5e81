"""Write a report to a file."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from sk_deepfeat.model_selection.displays.drawing import import_pyplot
from sk_deepfeat.model_selection.fitted_ridge import fitted_ridge
from sk_deepfeat.progress import showing, stage
from sk_deepfeat.report import sections
from sk_deepfeat.report.answers import Answers, ask, heard
from sk_deepfeat.report.names import named, step_named
from sk_deepfeat.report.numbers import number, numbers
from sk_deepfeat.report.pictures import pictures
from sk_deepfeat.report.remarks import remarks
from sk_deepfeat.report.visible_text import as_html
from sk_deepfeat.theory.validation import numeric_targets
from sk_deepfeat.whole_files import check_destination, replace_files

_MOST_NAMES = 8
_TRANSFORMED = (
    "The target was transformed, and not by a linear map: all errors and scores here are those of "
    "the transformed target, in its units."
)
_DEEPEST = 10  # wrappers inside of each other


def write_report(
    estimator: Any,
    path: Any,
    *,
    y: Any = None,
    targets: Any = None,
    title: str | None = None,
    target_name: str | None = None,
    columns: Sequence[tuple[str, str]] | None = None,
    verbose: bool = False,
) -> Path:
    """Write what a fitted estimator knows about its error as one self-contained HTML page.

    The page holds the data and the feature map, the predicted error with its interval, learning
    curve and error surface, the best alpha, the samples that three targets need, the calibration
    check, and warnings in plain words; of a classifier error rates and accuracies, those of each
    class, too. Pictures are embedded: nothing is loaded from elsewhere.

    Parameters
    ----------
    estimator : DeterministicEquivalentRidge, or TwoStageRegressor, Pipeline or search
        Fitted; what ends in a `DeterministicEquivalentRidge`, or in its classifier, is asked for
        it.
    path : str or path-like
        The file; an existing one is replaced. Its folder must exist.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs), optional
        The targets, to tell their range, or the name of the labels.
    targets : array-like of shape (T,), optional
        Test errors to reach, error rates of a classifier; None is 95, 90 and 75 % of the least one
        with the rows at hand.
    title : str, optional
        Of the page; None is "Predicted test error", or "Predicted error rate".
    target_name : str, optional
        What is predicted; None is the name of `y`, if it has one.
    columns : sequence of (str, str), optional
        Name of each column of the table that the data came from, and what was done to it; both
        are shown as they are.
    verbose : bool, default=False
        Whether what takes more than two seconds, such as searches for how many samples a target
        needs, has a bar of progress on standard error.

    Returns
    -------
    pathlib.Path
        The file that was written.

    Raises
    ------
    OSError
        If the file cannot be written; before any computing.
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If no `DeterministicEquivalentRidge` is inside.
    ImportError
        If matplotlib is missing.

    See Also
    --------
    sk_deepfeat.model_selection.ErrorSurfaceDisplay : One of the pictures by itself.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_diabetes
    >>> from sk_deepfeat import DeterministicEquivalentRidge
    >>> from sk_deepfeat.report import write_report
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> ridge = DeterministicEquivalentRidge("optimal").fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_report(ridge, Path(folder) / "report.html", y=y)
    ...     written.read_text(encoding="utf-8")[:15]
    '<!DOCTYPE html>'
    """
    for name, value in (("title", title), ("target_name", target_name)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name}={value!r} must be a string.")
    done = _pairs(columns)
    destination = check_destination(path, "report.html")
    units: list[str] = []
    with heard(units):
        ridge = fitted_ridge(estimator)
    import_pyplot("write_report")
    with showing(verbose):
        answers = ask(ridge, targets)
    if units:
        answers.of_what = "the transformed target"
        answers.said.insert(0, _TRANSFORMED)
    if title is None:
        title = f"Predicted {answers.words.error}"
    target = _target(y, ridge, answers, target_name)
    with showing(verbose), stage("pictures"):
        page = _page(estimator, ridge, answers, title, target, done)
    replace_files({destination: page.encode()})
    return destination


def _pairs(columns: Any) -> list[tuple[str, str]]:
    try:
        return [(str(name), str(done)) for name, done in ([] if columns is None else columns)]
    except (TypeError, ValueError) as error:
        raise TypeError(
            "columns must be pairs of a name and what was done to the column; got "
            f"{reprlib.repr(columns)}."
        ) from error


def _page(
    estimator: Any,
    ridge: Any,
    answers: Answers,
    title: str,
    target: str,
    columns: list[tuple[str, str]],
) -> str:
    drawn = {key: sections.figure(made) for key, made in pictures(ridge, answers).items()}
    template = (files("sk_deepfeat.report") / "page.html").read_text(encoding="utf-8")
    return Template(template).substitute(
        title=as_html(title),
        lead=as_html(answers.words.lead),
        version=as_html(version("sk-deepfeat")),
        headline=sections.headline(answers),
        remarks=sections.remark_list(remarks(answers, estimator)),
        data=sections.described(_data(estimator, answers, target)),
        model=sections.described(_model(estimator, ridge, answers)),
        columns=sections.column_section(columns),
        curve_table=sections.curve_table(answers),
        curve=drawn["curve"],
        required=sections.required_table(answers),
        alpha=sections.alpha_sentence(answers),
        surface=drawn.get("surface", ""),
        classes=sections.class_section(answers),
        check=sections.check_summary(answers) + drawn.get("check", ""),
    )


def _target(y: Any, ridge: Any, answers: Answers, name: str | None) -> str:
    classes = getattr(ridge, "classes_", None)
    n_outputs = 1 if classes is not None or ridge.coef_.ndim == 1 else len(ridge.coef_)
    if name is None:
        name = str(getattr(y, "name", None) or ("y" if n_outputs == 1 else f"{n_outputs} outputs"))
    if classes is not None:
        shown = ", ".join(str(label) for label in classes[:_MOST_NAMES])
        more = f" and {len(classes) - _MOST_NAMES} more" if len(classes) > _MOST_NAMES else ""
        return f"{name}, {len(classes)} classes: {shown}{more}"
    if y is None:
        return name
    values = numeric_targets(y)
    if not values.size:
        raise ValueError(f"y must hold the targets of the rows; got shape {values.shape}.")
    if not np.all(np.isfinite(values)):
        raise ValueError("y must hold the targets of the rows; some are NaN or infinite.")
    return (
        f"{name}, from {number(values.min())} to {number(values.max())}, mean "
        f"{number(values.mean())}, standard deviation {number(values.std())}"
    )


def _data(estimator: Any, answers: Answers, target: str) -> list[tuple[str, str]]:
    rows = f"{answers.n_samples:,}"
    if answers.n_groups is not None:
        rows += f" in {answers.n_groups:,} groups"
    trained = np.size(getattr(estimator, "feature_indices_", ()))
    if trained:
        rows += f" for the ridge, {trained:,} others for the features"
    columns = f"{getattr(estimator, 'n_features_in_', answers.n_features):,}"
    names = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
    if names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        columns += f": {', '.join(names[:_MOST_NAMES])}{more}"
    return [("rows", rows), ("columns", columns), ("target", target)]


def _model(estimator: Any, ridge: Any, answers: Answers) -> list[tuple[str, str]]:
    steps, transformed = [], []
    for _ in range(_DEEPEST):
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "regressor_"):
            transformed = [("target transformed by", named(estimator.transformer_))]
            estimator = estimator.regressor_
    if hasattr(estimator, "feature_map_"):
        steps = [estimator.feature_map_]
        if isinstance(steps[0], Pipeline):
            steps = [step for _, step in steps[0].steps]
    elif isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps[:-1]]
    features = ", then ".join(map(step_named, steps)) or "the columns themselves"
    given = ridge.population
    return [
        ("features", f"{ridge.n_features_in_:,}: {features}"),
        ("ridge", named(ridge)),
        ("alpha", numbers(ridge.alpha_)),
        (answers.words.train_error, answers.words.show(answers.train_error)),
        ("population", given if isinstance(given, str) else named(ridge.population_)),
        *transformed,
    ]
