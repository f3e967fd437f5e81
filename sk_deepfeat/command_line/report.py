"""The command ``report``: features and ridge, and one page about their error."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline

from sk_deepfeat.command_line.curve import check_population
from sk_deepfeat.command_line.data import Data, load
from sk_deepfeat.command_line.extras import require_plot
from sk_deepfeat.command_line.features import feature_steps
from sk_deepfeat.compose import TwoStageClassifier, TwoStageRegressor
from sk_deepfeat.linear_model import (
    DeterministicEquivalentRidge,
    DeterministicEquivalentRidgeClassifier,
)
from sk_deepfeat.report import write_report
from sk_deepfeat.report.writing import check_destination


def run_report(arguments: argparse.Namespace) -> int:
    """Fit the model, write its page, print where, and return the exit status 0."""
    output = check_destination(arguments.output)  # all three before the long run
    data = load(
        arguments.data, arguments.data_home, option="", groups=arguments.groups, task=arguments.task
    )
    check_population(arguments, data)
    require_plot()
    if np.any(np.all(data.y == data.y[:1], axis=0)):
        raise ValueError(f"{arguments.data}: y is constant; there is nothing to predict.")
    model = unfitted_model(arguments, is_table=data.is_table, of_classes=data.of_classes)
    model = _fit(model, data)
    of_groups = "" if data.groups is None else f" on new groups ({arguments.groups})"
    error = "error rate" if data.of_classes else "test error"
    title = f"Predicted {error}{of_groups}: {Path(arguments.data).name}"
    print(write_report(model, output, y=data.y, targets=arguments.targets, title=title))
    return 0


def _fit(model: Any, data: Data) -> Any:
    """Fit with the groups where there are any: a pipeline hands them to its last step."""
    if data.groups is None:
        return model.fit(data.X, data.y)
    name = f"{model.steps[-1][0]}__groups" if isinstance(model, Pipeline) else "groups"
    return model.fit(data.X, data.y, **{name: data.groups})


def unfitted_model(
    arguments: argparse.Namespace, *, is_table: bool, of_classes: bool = False
) -> Any:
    """Return features and ridge, on disjoint rows if the features learn from the targets."""
    steps = feature_steps(arguments, is_table=is_table)
    ridge_of: Any = DeterministicEquivalentRidge
    two_stages_of: Any = TwoStageRegressor
    if of_classes:
        ridge_of, two_stages_of = DeterministicEquivalentRidgeClassifier, TwoStageClassifier
    ridge = ridge_of(arguments.alpha, population=arguments.population)
    if arguments.features == "trained":
        return two_stages_of(make_pipeline(*steps), ridge, random_state=arguments.seed)
    return make_pipeline(*steps, ridge)
