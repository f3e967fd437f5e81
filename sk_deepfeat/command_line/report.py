"""The command ``report``: features and ridge, and one page about their error."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from sk_deepfeat.command_line.data import load
from sk_deepfeat.command_line.extras import require_plot
from sk_deepfeat.command_line.headline import headline_of
from sk_deepfeat.command_line.json_output import described, print_json
from sk_deepfeat.command_line.messages import print_notes
from sk_deepfeat.command_line.model import check_population, fit_model, model_of
from sk_deepfeat.command_line.progress import patience
from sk_deepfeat.model_selection.fitted_ridge import curves_of, fitted_ridge
from sk_deepfeat.report import write_report
from sk_deepfeat.report.visible_text import visible
from sk_deepfeat.whole_files import check_destination

_SIZES = (0.1, 0.3, 1.0, 3.0, 10.0)  # of the JSON's curve, in units of the training rows


def run_report(arguments: argparse.Namespace) -> int:
    """Fit the model, write its page, print where, and return the exit status 0."""
    output = check_destination(arguments.output, "report.html")  # all three before the long run
    with patience(f"reading {arguments.data}"):
        data = load(arguments)
    check_population(arguments, data)
    require_plot()
    print_notes(data)
    with patience("fitting features and ridge"):
        model = fit_model(model_of(arguments, data), data)
    of_groups = "" if data.groups is None else f" on new groups ({arguments.groups})"
    error = "error rate" if data.of_classes else "test error"
    with patience("asking, checking and drawing for the report"):
        written = write_report(
            model,
            output,
            y=data.y,
            targets=arguments.targets,
            title=f"Predicted {error}{of_groups}: {Path(arguments.data).name}",
            target_name=data.target,
            columns=[(column.name, column.treatment) for column in data.columns],
        )
    if not arguments.json:
        print(visible(str(written)))
        return 0
    ridge = fitted_ridge(model)
    headline = headline_of(ridge, arguments.targets)
    sizes = np.unique(np.maximum(2.0, np.round(ridge.n_samples_ * np.array(_SIZES))))
    metric = headline.metric
    curves = curves_of(ridge, sizes, [headline.alpha, "optimal"], 0.9, metric)
    print_json(
        {
            **described(arguments, data, headline),
            "train_sizes": sizes,
            "alphas": [headline.alpha, "optimal"],
            **curves,
            "report": str(written),
        }
    )
    return 0
