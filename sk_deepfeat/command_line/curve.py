"""The command ``curve``: predicted against measured test error over n and alpha."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline

from sk_deepfeat.command_line.curve_output import check_folder, print_curve, write_curve
from sk_deepfeat.command_line.data import Data, load
from sk_deepfeat.command_line.extras import require_plot
from sk_deepfeat.command_line.features import feature_steps
from sk_deepfeat.linear_model import DeterministicEquivalentRidge
from sk_deepfeat.model_selection import four_way_split, ridge_learning_curve
from sk_deepfeat.populations import PlugInPopulation

_FEATURE_SHARE = 0.25  # of the rows; `four_way_split` sets as many aside
_MEASURED_ROWS = 100
_SIZES = (25, 50, 100, 200, 400, 800, 1200, 2000, 4000, 10_000)


class Stages(NamedTuple):
    """A feature map, the features and targets of rows it has not seen, and the ridge for them."""

    feature_map: Pipeline
    features: NDArray[Any]
    targets: NDArray[np.float64]
    ridge: DeterministicEquivalentRidge


def run_curve(arguments: argparse.Namespace) -> int:
    """Compute the curve, write and print it, and return the exit status 0."""
    output = Path(arguments.output)
    check_folder(output)  # all three before the long run
    data = load(arguments.data, arguments.data_home)
    require_plot()
    stages = fit_features(arguments, data)
    result = ridge_learning_curve(
        stages.ridge,
        stages.features,
        stages.targets,
        train_sizes=_train_sizes(arguments.train_sizes, len(stages.targets)),
        alphas=arguments.alphas,
        n_repeats=arguments.repeats,
        test_size=_MEASURED_ROWS,
        n_jobs=arguments.n_jobs,
        random_state=arguments.seed,
        verbose=int(sys.stderr.isatty()),
    )
    write_curve(result, output)
    print_curve(result)
    return 0


def fit_features(arguments: argparse.Namespace, data: Data) -> Stages:
    """Fit the features on some rows, and a plug-in population on others; return what is outside."""
    seen, outside, covariance = _split(arguments, len(data.y))
    steps = feature_steps(arguments, is_table=data.is_table) or ["passthrough"]
    feature_map = make_pipeline(*steps).fit(data.X[seen], data.y[seen])
    population = arguments.population
    if population == "plug-in":
        moments = feature_map.transform(data.X[covariance]), data.y[covariance]
        population = FrozenEstimator(PlugInPopulation().fit(*moments))
    return Stages(
        feature_map,
        feature_map.transform(data.X[outside]),
        data.y[outside],
        DeterministicEquivalentRidge(population=population),
    )


def _split(arguments: argparse.Namespace, n_rows: int) -> tuple[NDArray[np.intp], ...]:
    """Return the rows for the features, for ridge and measuring, and for the plug-in's moments."""
    rows, seed = np.arange(n_rows), arguments.seed
    if arguments.population == "plug-in":
        test, seen, readout, covariance = four_way_split(rows, random_state=seed)
        return seen, np.concatenate([readout, test]), covariance
    outside, seen = train_test_split(rows, test_size=_FEATURE_SHARE, random_state=seed)
    return seen, outside, rows[:0]


def _train_sizes(wanted: list[int] | None, n_rows: int) -> list[int]:
    """Return the sizes that were asked for, or those of the default that leave rows to measure."""
    largest = n_rows - _MEASURED_ROWS
    if wanted is None:
        return [size for size in _SIZES if size <= largest] or [largest]
    if max(wanted) > largest:
        raise ValueError(
            f"--train-sizes go up to {max(wanted)}, but of the {n_rows} rows that the features "
            f"have not seen at least {_MEASURED_ROWS} stay outside for measuring; the largest "
            f"size is {largest}."
        )
    return wanted
